//! Where the checkout is, and the cargo that works in it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The root directory of this workspace.
///
/// `CARGO_MANIFEST_DIR` of the running cargo wins over the one seen at compile time, because a
/// target directory kept outside the checkout may serve several checkouts.
pub fn root() -> PathBuf {
    let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest_dir.parent().map(Path::to_path_buf).unwrap_or(manifest_dir)
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    let given = std::env::var_os("CARGO_TARGET_DIR").filter(|it| !it.is_empty());
    given.map_or_else(|| root().join("target"), |it| root().join(it))
}

/// A cargo that builds as one that was started by hand would.
///
/// `cargo xtask` hands us the variables of our own package. Build scripts of dependencies watch
/// some of them, so a cargo that inherits them would rebuild half the tree, and the next one by
/// hand again.
pub fn cargo() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root());
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_str().is_some_and(is_of_our_package)) {
        command.env_remove(name);
    }
    command
}

fn is_of_our_package(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_package_go_and_settings_of_the_user_stay() {
        assert!(is_of_our_package("CARGO_PKG_NAME"));
        assert!(is_of_our_package("CARGO_MANIFEST_DIR"));
        for kept in ["CARGO_TARGET_DIR", "CARGO_INCREMENTAL", "CARGO_HOME", "PATH"] {
            assert!(!is_of_our_package(kept), "{kept}");
        }
    }
}
