//! Compiled dependencies of the checkout, linked into the target directory of its copy.
//!
//! Cargo knows what comes from a registry by what it is, not by where the workspace lies, so the
//! copy need not compile it again. Members of the workspace stay out: by name they would be taken
//! for those of the checkout. Without anything to link, the copy's first build takes longer.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};

/// Subdirectories of a profile, and whether cargo writes into their files later.
const PARTS: [(&str, bool); 3] = [("deps", false), ("build", false), (".fingerprint", true)];

/// Links what is in `from`, a directory such as `target/debug`, into `to`, unless that exists.
///
/// `is_member` tells a member of the workspace by the name of its file.
pub fn seed(from: &Path, to: &Path, is_member: impl Fn(&str) -> bool) -> Result<()> {
    if to.exists() || !from.exists() {
        return Ok(());
    }
    let half = to.with_extension("half");
    for (part, written) in PARTS {
        let (from, to) = (from.join(part), half.join(part));
        for entry in fs::read_dir(&from).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if !is_member(&name.to_string_lossy()) {
                link(&entry.path(), &to.join(&name), written)?;
            }
        }
    }
    fs::rename(&half, to).with_context(|| format!("create {}", to.display()))
}

fn link(from: &Path, to: &Path, written: bool) -> Result<()> {
    if from.is_dir() {
        for entry in fs::read_dir(from)?.flatten() {
            link(&entry.path(), &to.join(entry.file_name()), written)?;
        }
        return Ok(());
    }
    let directory = to.parent().unwrap_or(to);
    fs::create_dir_all(directory).with_context(|| format!("create {}", directory.display()))?;
    let done = if written { copy(from, to) } else { fs::hard_link(from, to) };
    // A build beside us may have removed it; then cargo makes it anew.
    if done.is_err() && from.exists() {
        done.with_context(|| format!("link {}", from.display()))?;
    }
    Ok(())
}

/// With its time: by that, cargo tells what is newer.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::copy(from, to)?;
    let modified = fs::metadata(from)?.modified()?;
    File::options().write(true).open(to)?.set_modified(modified)
}

#[cfg(test)]
mod tests {
    //! Members stay out, times stay.

    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn dependencies_are_linked_and_members_are_not() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("debug"), root.path().join("copy"));
        for path in ["deps/libserde-1.rlib", "deps/libours-2.rlib", ".fingerprint/serde-1/dep"] {
            let path = from.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let mark = from.join(".fingerprint/serde-1/dep");
        File::options().write(true).open(&mark).unwrap().set_modified(old).unwrap();

        seed(&from, &to, |name| name.starts_with("libours")).unwrap();
        assert!(to.join("deps/libserde-1.rlib").exists());
        assert!(!to.join("deps/libours-2.rlib").exists());
        let copied = fs::metadata(to.join(".fingerprint/serde-1/dep")).unwrap();
        assert_eq!(copied.modified().unwrap(), old);
        fs::write(to.join(".fingerprint/serde-1/dep"), "y").unwrap();
        assert_eq!(fs::read_to_string(mark).unwrap(), "x");

        fs::write(from.join("deps/late"), "x").unwrap();
        seed(&from, &to, |_| false).unwrap();
        assert!(!to.join("deps/late").exists(), "what is there is left alone");
    }
}
