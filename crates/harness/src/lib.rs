//! Starts a real kube-apiserver and makes the cluster around it. Test support only.

use std::path::{Path, PathBuf};

pub mod assets;
pub mod control_plane;
pub mod fixtures;
pub mod gc;
pub mod history;
pub mod local;
pub mod pod_player;
pub mod probe;
pub mod proxy;
pub mod request_log;
pub mod scope;
pub mod status_faker;
pub mod stubs;
pub mod suite;
pub mod wait;

pub use control_plane::{ControlPlane, ControlPlaneOptions};
pub use scope::Scope;
pub use suite::{RunOptions, TestEnv, suite};

/// A path of the source tree, e.g. `config/crd`.
pub fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
