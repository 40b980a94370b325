//! Builds the tests once, runs them suite by suite, and ends with one summary.
//!
//! The test programs are started one by one, as `cargo test` does, because only so each gets its
//! name, its seconds and, when it fails, its whole output in one piece. A runner such as nextest
//! would do as well but takes minutes to install on a fresh machine; `.config/nextest.toml` is
//! for those who have it.

mod outcome;
mod targets;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::binaries;
use crate::progress::Progress;
use crate::root::root;
use outcome::{Counts, Outcome, summary};
use targets::Target;

/// A set of tests by what they need around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Suite {
    /// Nothing but Rust.
    Unit,
    /// etcd and kube-apiserver.
    Integration,
    /// The whole local cluster.
    System,
}

impl Suite {
    const ALL: [Self; 3] = [Self::Unit, Self::Integration, Self::System];

    fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Integration => "integration",
            Self::System => "system",
        }
    }

    /// The cargo feature that turns these tests on.
    fn feature(self) -> Option<&'static str> {
        match self {
            Self::Unit => None,
            Self::Integration => Some("envtest"),
            Self::System => Some("system"),
        }
    }

    /// How many tests run side by side, where it is not one for each core: those with a cluster
    /// mostly wait, for grace periods, deadlines and leases.
    fn threads(self) -> Option<&'static str> {
        match self {
            Self::Unit => None,
            Self::Integration => Some("4"),
            Self::System => Some("5"),
        }
    }

    fn binaries(self) -> Option<binaries::Set> {
        match self {
            Self::Unit => None,
            Self::Integration => Some(binaries::Set::Envtest),
            Self::System => Some(binaries::Set::Cluster),
        }
    }
}

/// `cargo xtask test`: the given suites, or all, `repeat` times in a row. `filter` goes to every
/// test program.
pub fn command(suites: &[Suite], repeat: usize, filter: &[OsString]) -> Result<()> {
    let suites = if suites.is_empty() { &Suite::ALL } else { suites };
    let environment = environment(suites)?;
    let targets = targets::build(suites)?;
    for round in 1..=repeat {
        if repeat > 1 {
            println!("round {round} of {repeat}");
        }
        run_all(suites, &targets, filter, &environment)?;
    }
    Ok(())
}

fn run_all(
    suites: &[Suite],
    targets: &[Target],
    filter: &[OsString],
    environment: &Environment,
) -> Result<()> {
    let mut counts = BTreeMap::new();
    for suite in suites {
        let begun = Instant::now();
        println!("{}", suite.name());
        let mut total = Counts::default();
        for target in targets.iter().filter(|target| target.suite == *suite) {
            total += run(target, filter, environment)?;
        }
        if *suite == Suite::Unit && filter.is_empty() && has_examples()? {
            total += run_doc_tests()?;
        }
        counts.insert(*suite, (total, begun.elapsed()));
    }
    print!("{}", summary(&counts));
    let failed: usize = counts.values().map(|(counts, _)| counts.failed).sum();
    ensure!(failed == 0, "{failed} tests failed; their output is above");
    Ok(())
}

type Environment = Vec<(&'static str, OsString)>;

/// Builds what the suites need and says where it is.
fn environment(suites: &[Suite]) -> Result<Environment> {
    let mut environment = Environment::new();
    // The larger set comes last and holds the smaller one.
    for set in suites.iter().filter_map(|suite| suite.binaries()) {
        environment = vec![(binaries::ASSETS, binaries::ensure_built(set)?.into_os_string())];
    }
    Ok(environment)
}

fn run(target: &Target, filter: &[OsString], environment: &Environment) -> Result<Counts> {
    let mut command = Command::new(&target.executable);
    command
        .current_dir(&target.directory)
        .env("CARGO_MANIFEST_DIR", &target.directory)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .envs(target.suite.threads().map(|threads| ("RUST_TEST_THREADS", threads)))
        .args(filter);
    watched(&target.label, command)
}

/// Whether any doc comment holds code; rustdoc takes a minute to find out that none does.
fn has_examples() -> Result<bool> {
    let is_fence = |line: &str| ["/// ```", "//! ```"].iter().any(|mark| line.starts_with(mark));
    let sources = crate::tidy::read_sources(&root())?;
    Ok(sources.iter().any(|source| source.text.lines().map(str::trim_start).any(is_fence)))
}

fn run_doc_tests() -> Result<Counts> {
    let mut command = crate::root::cargo();
    command.args(["test", "--quiet", "--locked", "--workspace", "--doc"]);
    watched("doc tests", command)
}

/// Runs a test program to its end; its output is shown only when it failed.
fn watched(label: &str, mut command: Command) -> Result<Counts> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut progress = Progress::start(label);
    let child = command.spawn().with_context(|| format!("start {label}"))?;
    let waiting = std::thread::spawn(move || child.wait_with_output());
    while !waiting.is_finished() {
        std::thread::sleep(crate::progress::REDRAW);
        progress.update("");
    }
    let Ok(output) = waiting.join() else { anyhow::bail!("lost the output of {label}") };
    let output = output.with_context(|| format!("wait for {label}"))?;
    let outcome = Outcome::read(&output);
    if outcome.counts == Counts::default() {
        progress.discard();
    } else {
        progress.finish(&outcome.to_string());
    }
    if outcome.counts.failed > 0 {
        print!("{}", String::from_utf8_lossy(&output.stdout));
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(outcome.counts)
}
