//! The house rules that a machine can check and clippy does not.
//!
//! Each rule is a pure function from what it reads to its findings, with a test of its own. The
//! calls that clippy bans (`unwrap`, `expect`, `panic!`, `todo!`) stay with clippy; here we see to
//! it that nobody excuses himself from it.

mod attributes;
mod declared;
mod edges;
mod licences;
mod purity;
mod size;
mod source;
mod words;

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::mutants;
use crate::root::root;
pub use source::{Source, is_test_item, read_all as read_sources};

/// One breach of one rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Relative to the root of the checkout.
    path: String,
    /// From 1; 0 when the whole file is meant.
    line: usize,
    /// What is wrong and what to do instead.
    message: String,
}

impl Finding {
    fn new(path: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, message } = self;
        if *line == 0 {
            write!(f, "{path}: {message}")
        } else {
            write!(f, "{path}:{line}: {message}")
        }
    }
}

/// A rule about one file by itself.
type SourceRule = fn(&Source) -> Vec<Finding>;

const SOURCE_RULES: [SourceRule; 8] = [
    words::header,
    words::todo_has_issue,
    words::columns,
    size::file,
    size::functions,
    attributes::attributes,
    attributes::output,
    purity::core_words,
];

/// `cargo xtask tidy`: prints every finding, fails when there is one.
pub fn command() -> Result<()> {
    let root = root();
    let sources = source::read_all(&root)?;
    let mut findings: Vec<Finding> = sources
        .iter()
        .flat_map(|source| SOURCE_RULES.iter().flat_map(|rule| rule(source)))
        .collect();
    findings.extend(declared::undeclared(&sources));
    findings.extend(mutants(&root, &sources)?);
    let metadata = metadata(&root)?;
    findings.extend(edges::edges(&metadata));
    findings.extend(licences::check(&metadata, &licences::Policy::read(&root)?));
    findings.extend(purity::core_tree(&core_tree(&root)?));
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} findings; the rules are in CONTRIBUTING.md", findings.len());
    }
    println!("tidy: {} source files, no findings", sources.len());
    Ok(())
}

/// A mutant that a refactoring left behind proves nothing.
fn mutants(root: &Path, sources: &[Source]) -> Result<Vec<Finding>> {
    let of = |it: &mutants::Mutant| {
        let problems = mutants::problems(sources, it);
        problems.into_iter().map(|why| Finding::new(it.path(), 0, why)).collect::<Vec<_>>()
    };
    Ok(mutants::read_all(root)?.iter().flat_map(of).collect())
}

/// Every package of the lock file that Linux builds use.
fn metadata(root: &Path) -> Result<edges::Metadata> {
    let output = cargo(
        root,
        &[
            "metadata",
            "--locked",
            "--format-version=1",
            "--filter-platform=x86_64-unknown-linux-gnu",
        ],
    )?;
    serde_json::from_str(&output).context("read cargo metadata")
}

/// What sei-core is built from, one package a line.
fn core_tree(root: &Path) -> Result<String> {
    cargo(root, &["tree", "--locked", "-p", "sei-core", "-e", "normal", "--prefix", "none"])
}

fn cargo(root: &Path, args: &[&str]) -> Result<String> {
    let output = crate::root::cargo().current_dir(root).args(args).output().context("run cargo")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "cargo {} failed: {said}", args.join(" "));
    String::from_utf8(output.stdout).context("cargo printed something that is not UTF-8")
}
