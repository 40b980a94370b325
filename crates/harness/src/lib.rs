//! Starts a real kube-apiserver and makes the cluster around it. Test support only.

use std::path::{Path, PathBuf};

pub mod assets;
pub mod control_plane;

pub use control_plane::{ControlPlane, ControlPlaneOptions};

/// A path of the source tree, e.g. `config/crd`.
pub fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
