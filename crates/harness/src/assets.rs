//! Where the control plane's binaries are, and what to say when they are not there.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// Names the directory that holds the binaries, as everywhere in this ecosystem.
pub const ASSETS_DIR: &str = "KUBEBUILDER_ASSETS";

/// What a person runs when binaries are missing.
const HINT: &str = "run `make setup-envtest`, then set KUBEBUILDER_ASSETS to the directory it \
                    prints (`make test-integration` does both)";

/// The binaries a control plane is started from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assets {
    /// The etcd server.
    pub etcd: PathBuf,
    /// The API server.
    pub kube_apiserver: PathBuf,
}

/// Finds the binaries through the environment.
///
/// `TEST_ASSET_ETCD` and `TEST_ASSET_KUBE_APISERVER` name single binaries and win over the
/// directory `KUBEBUILDER_ASSETS`.
///
/// # Errors
/// Names every missing file, the variable that was looked at and the target that builds it;
/// never falls back to a binary that merely happens to be on the `PATH`.
pub fn locate() -> Result<Assets> {
    locate_with(|name| env::var_os(name).map(PathBuf::from))
}

/// The path of one binary of the assets directory, e.g. `kubectl`.
///
/// # Errors
/// As [`locate`].
pub fn binary(name: &str) -> Result<PathBuf> {
    let found = resolve(name, &|variable: &str| env::var_os(variable).map(PathBuf::from));
    found.or_else(|reason| bail!("{reason}; {HINT}"))
}

fn locate_with(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Assets> {
    let etcd = resolve("etcd", &variable);
    let kube_apiserver = resolve("kube-apiserver", &variable);
    match (etcd, kube_apiserver) {
        (Ok(etcd), Ok(kube_apiserver)) => Ok(Assets { etcd, kube_apiserver }),
        (etcd, kube_apiserver) => {
            let reasons: Vec<String> =
                [etcd.err(), kube_apiserver.err()].into_iter().flatten().collect();
            bail!("{}; {HINT}", reasons.join("; "))
        }
    }
}

fn resolve(name: &str, variable: &impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, String> {
    let single = format!("TEST_ASSET_{}", name.to_uppercase().replace('-', "_"));
    if let Some(path) = variable(&single) {
        return existing(path).map_err(|path| format!("{single} names \"{path}\", no file there"));
    }
    let Some(dir) = variable(ASSETS_DIR).filter(|dir| !dir.as_os_str().is_empty()) else {
        return Err(format!("\"{name}\" not found: {ASSETS_DIR} is not set"));
    };
    existing(dir.join(name))
        .map_err(|path| format!("{ASSETS_DIR} is set, but there is no file \"{path}\""))
}

fn existing(path: impl AsRef<Path>) -> Result<PathBuf, String> {
    let path = path.as_ref();
    if path.is_file() { Ok(path.to_path_buf()) } else { Err(path.display().to_string()) }
}

#[cfg(test)]
mod tests;
