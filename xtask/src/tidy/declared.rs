//! Every source file is reached by a `mod` from the root of a target.

use std::collections::BTreeSet;

use super::Finding;
use super::source::Source;

/// Files that no target compiles; they rot unseen.
pub fn undeclared(sources: &[Source]) -> Vec<Finding> {
    let by_path = |path: &str| sources.iter().find(|source| source.path == path);
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Source> = sources.iter().filter(|source| is_root(&source.path)).collect();
    while let Some(source) = open.pop() {
        if reached.insert(source.path.as_str()) {
            let children = declared(&source.syntax.items, &directory_of(&source.path));
            open.extend(children.iter().filter_map(|path| by_path(path)));
        }
    }
    sources
        .iter()
        .filter(|source| !reached.contains(source.path.as_str()))
        .map(|source| {
            Finding::new(&source.path, 0, "no `mod` declares this file: add or delete it")
        })
        .collect()
}

/// Where cargo finds targets by itself: `src/{lib,main}.rs`, `src/bin`, `tests`, `examples`.
fn is_root(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let (file, parent, grandparent) = (parts.next(), parts.next(), parts.next());
    match (grandparent, parent, file) {
        (_, Some("src"), Some("lib.rs" | "main.rs")) | (_, _, Some("build.rs")) => true,
        (Some("src"), Some("bin"), Some(_)) => true,
        (Some(_), Some("tests" | "examples"), Some(_)) => is_crate_directory(path, 2),
        (Some("tests" | "bin"), Some(_), Some("main.rs")) => is_crate_directory(path, 3),
        _ => false,
    }
}

/// Whether the directory `depth` levels above the file is that of a crate.
fn is_crate_directory(path: &str, depth: usize) -> bool {
    let parts: Vec<_> = path.split('/').collect();
    let above = &parts[..parts.len().saturating_sub(depth)];
    matches!(above, ["xtask"] | ["xtask", "src"] | ["crates", _] | ["crates", _, "src"])
}

/// The directory where the children of a file live.
fn directory_of(path: &str) -> String {
    let stem = path.trim_end_matches(".rs");
    match stem.rsplit_once('/') {
        Some((directory, "lib" | "main" | "mod")) => directory.to_owned(),
        _ if is_root(path) => {
            stem.rsplit_once('/').map_or("", |(directory, _)| directory).to_owned()
        }
        _ => stem.to_owned(),
    }
}

fn declared(items: &[syn::Item], directory: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for item in items {
        let syn::Item::Mod(module) = item else { continue };
        let inner = format!("{directory}/{}", module.ident);
        match &module.content {
            Some((_, items)) => paths.extend(declared(items, &inner)),
            None => paths.push(format!("{inner}.rs")),
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    //! What counts as reached.

    use super::*;

    fn orphans(files: &[(&str, &str)]) -> Vec<String> {
        let parse = |(path, text): &(&str, &str)| Source::parse(*path, *text).unwrap();
        let sources: Vec<_> = files.iter().map(parse).collect();
        undeclared(&sources).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn file_without_mod_is_found() {
        let files = [
            ("crates/a/src/lib.rs", "mod plan;"),
            ("crates/a/src/plan.rs", "mod executor;\n#[cfg(test)]\nmod tests;"),
            ("crates/a/src/plan/executor.rs", ""),
            ("crates/a/src/plan/tests.rs", ""),
            ("crates/a/src/plan/lost.rs", ""),
            ("crates/a/src/bin/tool.rs", ""),
            ("crates/a/tests/it/main.rs", "mod a;"),
            ("crates/a/tests/it/a.rs", ""),
            ("crates/a/tests/it/b.rs", ""),
            ("crates/a/tests/self.rs", ""),
        ];
        assert_eq!(orphans(&files), ["crates/a/src/plan/lost.rs", "crates/a/tests/it/b.rs"]);
    }

    #[test]
    fn children_of_inline_modules_are_reached() {
        let files =
            [("xtask/src/main.rs", "mod outer { mod inner; }"), ("xtask/src/outer/inner.rs", "")];
        assert!(orphans(&files).is_empty());
    }
}
