//! A Rust source file, read and parsed once for all rules.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// One parsed file.
pub struct Source {
    /// Relative to the root of the checkout, with `/`.
    pub path: String,
    /// Its whole text.
    pub text: String,
    /// Its syntax tree, with line numbers.
    pub syntax: syn::File,
}

impl Source {
    /// Parses `text` as the file at `path`.
    pub fn parse(path: impl Into<String>, text: impl Into<String>) -> syn::Result<Self> {
        let (path, text) = (path.into(), text.into());
        let syntax = syn::parse_file(&text)?;
        Ok(Self { path, text, syntax })
    }

    /// Whether all of the file is test code: a test target, or the tests of a module.
    pub fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// Whether the file is part of `crates/<name>`.
    pub fn is_in_crate(&self, name: &str) -> bool {
        self.path.strip_prefix("crates/").and_then(|path| path.split('/').next()) == Some(name)
    }
}

/// Every source file of the workspace, in order of path.
pub fn read_all(root: &Path) -> Result<Vec<Source>> {
    let mut paths = Vec::new();
    for top in ["crates", "xtask"] {
        collect(&root.join(top), &mut paths)?;
    }
    paths.sort();
    paths.iter().map(|path| read(root, path)).collect()
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(directory)
        .with_context(|| format!("list the directory {}", directory.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    Ok(())
}

fn read(root: &Path, path: &Path) -> Result<Source> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let relative = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
    Source::parse(&relative, text).with_context(|| format!("parse {relative}"))
}

/// Whether an item exists in test builds only.
pub fn is_test_item(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        let is_cfg_test = path.is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"));
        is_cfg_test || path.segments.last().is_some_and(|segment| segment.ident == "test")
    })
}
