//! A copy of the checkout with the mutants woven in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What a build does not need, at the top of the checkout.
const LEFT_OUT: [&str; 2] = [".git", "target"];

/// Brings the copy at `to` up to date; `changed` replaces files of the checkout at `root`, or adds
/// to them.
///
/// A file whose text is right already is not touched, so that cargo builds only what changed.
pub fn update(root: &Path, to: &Path, changed: &BTreeMap<String, String>) -> Result<()> {
    let mut wanted = files(root, &LEFT_OUT)?;
    wanted.extend(changed.keys().map(PathBuf::from));
    for path in &wanted {
        let new = match changed.get(&*path.to_string_lossy()) {
            Some(text) => text.as_bytes().to_vec(),
            None => {
                let from = root.join(path);
                fs::read(&from).with_context(|| format!("read {}", from.display()))?
            }
        };
        write(&to.join(path), &new)?;
    }
    for path in files(to, &[])?.difference(&wanted) {
        let stale = to.join(path);
        fs::remove_file(&stale).with_context(|| format!("remove {}", stale.display()))?;
    }
    Ok(())
}

fn write(path: &Path, new: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == new) {
        return Ok(());
    }
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory).with_context(|| format!("create {}", directory.display()))?;
    fs::write(path, new).with_context(|| format!("write {}", path.display()))
}

/// Every file under `root`, relative to it, without the entries `left_out` of `root` itself.
fn files(root: &Path, left_out: &[&str]) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(directory) = open.pop() {
        if !directory.is_dir() {
            continue;
        }
        let entries = fs::read_dir(&directory)
            .with_context(|| format!("list the directory {}", directory.display()))?;
        for entry in entries {
            let path = entry?.path();
            let relative = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
            if left_out.iter().any(|it| relative == Path::new(it)) {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(relative);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    //! The copy holds what the checkout holds, but for the changes.

    use super::*;

    #[test]
    fn copy_follows_the_checkout() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let put = |path: &str, text: &str| write(&from.path().join(path), text.as_bytes()).unwrap();
        put("Cargo.toml", "[workspace]");
        put("target/debug/x", "binary");
        put("crates/a/src/lib.rs", "mod b;\n");
        put("crates/a/src/b.rs", "old");
        put("crates/c/src/lib.rs", "");
        let woven = [("crates/a/src/b.rs", "new"), ("crates/a/src/d.rs", "added")];
        let woven = woven.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        update(from.path(), to.path(), &woven).unwrap();
        let text = |path: &str| fs::read_to_string(to.path().join(path)).unwrap_or_default();
        assert_eq!(text("crates/a/src/b.rs"), "new");
        assert_eq!(text("crates/a/src/d.rs"), "added");
        assert_eq!(text("crates/a/src/lib.rs"), "mod b;\n");
        assert!(!to.path().join("target").exists());

        fs::remove_file(from.path().join("crates/c/src/lib.rs")).unwrap();
        let written = fs::metadata(to.path().join("Cargo.toml")).unwrap().modified().unwrap();
        update(from.path(), to.path(), &woven).unwrap();
        assert!(!to.path().join("crates/c/src/lib.rs").exists());
        let again = fs::metadata(to.path().join("Cargo.toml")).unwrap().modified().unwrap();
        assert_eq!(written, again);
    }
}
