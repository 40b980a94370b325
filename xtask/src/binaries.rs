//! Builds etcd, the Kubernetes components and kwok from their pinned Go modules, once per pin.
//!
//! The binaries live in `$XDG_CACHE_HOME/sei-operator/bin/<key>/`, outside every checkout; the key
//! covers all that can change their bytes. `KUBEBUILDER_ASSETS` wins, as everywhere in this
//! ecosystem. Two runs may race: a file lock lets one build and the other wait for it.

mod build;
mod pins;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use crate::root::root;
pub use pins::Binary;

/// A directory that holds the binaries and must be preferred to our cache.
pub const ASSETS: &str = "KUBEBUILDER_ASSETS";

/// What a caller needs; the API-server tests must not wait for the rest to be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Set {
    /// etcd and kube-apiserver.
    Envtest,
    /// A whole cluster: `Envtest` and controller-manager, scheduler, kubectl, kwok.
    Cluster,
}

impl Set {
    fn binaries(self) -> &'static [Binary] {
        match self {
            Self::Envtest => &Binary::ALL[..2],
            Self::Cluster => &Binary::ALL,
        }
    }
}

/// `cargo xtask binaries`: makes sure they exist and says where.
pub fn command(set: Set, path_only: bool) -> Result<()> {
    let directory = ensure_built(set)?;
    if path_only {
        println!("{}", directory.display());
        return Ok(());
    }
    let names: Vec<_> = set.binaries().iter().map(|binary| binary.name()).collect();
    println!("{}", names.join(", "));
    println!("are ready; to use them elsewhere: export {ASSETS}={}", directory.display());
    Ok(())
}

/// The directory that holds every binary of `set`, built first when the cache lacks one.
///
/// # Errors
/// `KUBEBUILDER_ASSETS` is set but incomplete; Go is missing or too old; a build failed.
pub fn ensure_built(set: Set) -> Result<PathBuf> {
    if let Some(assets) = std::env::var_os(ASSETS).filter(|value| !value.is_empty()) {
        return complete_assets(PathBuf::from(assets), set);
    }
    let pins = pins::Pins::read(&root())?;
    let cache = cache_home()?.join("sei-operator/bin");
    let directory = cache.join(pins.key());
    if missing(&directory, set).is_empty() {
        return Ok(directory);
    }
    fs::create_dir_all(&directory)
        .with_context(|| format!("create the cache directory {}", directory.display()))?;
    let _lock = lock(&directory)?;
    // The run that held the lock before us may have built what we lack.
    for binary in missing(&directory, set) {
        build::build(&pins, binary, &directory)?;
    }
    Ok(directory)
}

fn complete_assets(assets: PathBuf, set: Set) -> Result<PathBuf> {
    let missing: Vec<_> = missing(&assets, set).iter().map(|binary| binary.name()).collect();
    ensure!(
        missing.is_empty(),
        "{ASSETS} is set to {} but lacks {}; add them, or unset it to have them built",
        assets.display(),
        missing.join(", "),
    );
    Ok(assets)
}

fn missing(directory: &Path, set: Set) -> Vec<Binary> {
    let absent = |binary: &&Binary| !directory.join(binary.name()).is_file();
    set.binaries().iter().filter(absent).copied().collect()
}

/// The base of per-user caches, after the XDG rule: an unset or empty variable means `~/.cache`.
pub fn cache_home() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    match (set("XDG_CACHE_HOME"), set("HOME")) {
        (Some(cache), _) => Ok(cache),
        (None, Some(home)) => Ok(home.join(".cache")),
        (None, None) => bail!("neither XDG_CACHE_HOME nor HOME is set: no place for a cache"),
    }
}

/// Held until dropped; the operating system releases it when a process dies.
fn lock(directory: &Path) -> Result<File> {
    let path = directory.join(".lock");
    let file = File::create(&path).with_context(|| format!("open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            eprintln!("  another run is building the control plane; waiting for it");
            file.lock().context("wait for the other build")?;
        }
        Err(TryLockError::Error(error)) => return Err(error).context("lock the cache directory"),
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
