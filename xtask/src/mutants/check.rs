//! Whether the mutants still fit the sources, without building anything.

use super::mutant::Mutant;
use super::weave;
use crate::built;
use crate::tidy::Source;

/// What of a mutant is no longer true; empty if it fits.
pub fn problems(sources: &[Source], mutant: &Mutant) -> Vec<String> {
    let applies = weave::changed(sources, mutant).err().map(|err| format!("{err:#}"));
    let unknown = mutant.killed_by.iter().filter(|test| !exists(sources, test));
    applies.into_iter().chain(unknown.map(|test| format!("there is no test {test}"))).collect()
}

/// A test program that kills mutants.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// First part of a test's path.
    pub name: &'static str,
    /// Directory of its crate.
    package: &'static str,
    /// Where its sources are in there: a target of `tests`, or the library.
    sources: &'static str,
    /// Whether it needs an API server.
    pub needs_server: bool,
}

/// All of them.
pub const PROGRAMS: [Program; 3] = [
    Program { name: "it", package: "crates/operator", sources: "tests/it", needs_server: true },
    Program { name: "core", package: "crates/core", sources: "src", needs_server: false },
    Program { name: "operator", package: "crates/operator", sources: "src", needs_server: false },
];

impl Program {
    /// Is this the program, built?
    pub fn is(&self, built: &built::Program) -> bool {
        let target = self.sources.strip_prefix("tests/");
        let same = match target {
            Some(target) => built.target.kind == ["test"] && built.target.name == target,
            None => built.target.kind.iter().any(|it| it == "lib"),
        };
        same && built.is_test()
            && built.manifest_path.parent().is_some_and(|it| it.ends_with(self.package))
    }
}

/// The program of a test, and the test's path in it.
pub fn program_of(test: &str) -> Option<(&'static Program, &str)> {
    let (name, path) = test.split_once("::")?;
    Some((PROGRAMS.iter().find(|it| it.name == name)?, path))
}

fn exists(sources: &[Source], test: &str) -> bool {
    let Some((program, path)) = program_of(test) else { return false };
    let mut parts: Vec<&str> = path.split("::").collect();
    let Some(function) = parts.pop() else { return false };
    let declared = format!("fn {function}(");
    // The tests of a module are a file of their own, or the end of the module's file.
    (1..=parts.len()).rev().any(|count| {
        let Program { package, sources: directory, .. } = program;
        let file = format!("{package}/{directory}/{}.rs", parts[..count].join("/"));
        sources.iter().any(|it| it.path == file && it.text.contains(&declared))
    })
}

#[cfg(test)]
mod tests {
    //! Tests are found where their paths say.

    use super::*;

    #[test]
    fn tests_are_found_in_files_and_at_the_end_of_files() {
        let source = |path: &str| Source::parse(path, "fn works() {}").unwrap();
        let sources = [
            source("crates/operator/tests/it/rollout.rs"),
            source("crates/core/src/node/drift.rs"),
        ];
        assert!(exists(&sources, "it::rollout::works"));
        assert!(exists(&sources, "core::node::drift::tests::works"));
        for test in ["it::rollout::rusts", "it::works", "core::rollout::works", "x::y", "works"] {
            assert!(!exists(&sources, test), "{test}");
        }
    }
}
