//! Starts a real kube-apiserver and makes the cluster around it. Test support only.

use std::path::{Path, PathBuf};

pub mod assets;
pub mod control_plane;
pub mod history;
pub mod request_log;
pub mod status_faker;
pub mod wait;

pub use control_plane::{ControlPlane, ControlPlaneOptions};

/// A path of the source tree, e.g. `config/crd`.
pub fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
