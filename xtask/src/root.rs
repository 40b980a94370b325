//! Where the checkout is.

use std::path::{Path, PathBuf};

/// The root directory of this workspace.
///
/// `CARGO_MANIFEST_DIR` of the running cargo wins over the one seen at compile time, because a
/// target directory kept outside the checkout may serve several checkouts.
pub fn root() -> PathBuf {
    let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest_dir.parent().map(Path::to_path_buf).unwrap_or(manifest_dir)
}
