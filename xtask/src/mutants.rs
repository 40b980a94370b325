//! Proof that each test can fail: the operator is broken on purpose, in one way after the other.
//!
//! The sources hold no switch. Each mutant is a file of `mutants/`; all are woven into one copy of
//! the checkout, which is built once, and a variable turns one on.

mod check;
mod copy;
mod mutant;
mod place;
mod report;
mod seed;
mod server;
mod side_by_side;
mod trial;
mod weave;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::built;
use crate::progress::human;
use crate::root::{cargo, root, target};
use crate::tidy::read_sources;
pub use check::problems;
pub use mutant::{Mutant, read_all};
use report::{Fate, Verdict};
use server::Server;
use trial::{Bench, Outcome, Trial};

/// What to do with the mutants.
#[derive(clap::Args)]
pub struct Options {
    /// Only these, such as `M5,M8`.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Print what each mutant breaks and which tests kill it; build nothing.
    #[arg(long)]
    list: bool,
    /// See whether each mutant still fits the sources; build nothing.
    #[arg(long)]
    check: bool,
    /// Tests side by side; scenarios wait more than they work.
    #[arg(long, default_value_t = 4)]
    jobs: usize,
}

/// `cargo xtask mutants`.
///
/// # Errors
/// A mutant survives, does not fit the sources any more, or a test fails without any mutant.
pub fn command(options: &Options) -> Result<()> {
    let root = root();
    let mutants = chosen(read_all(&root)?, &options.only)?;
    if options.list {
        for Mutant { id, breaks, killed_by, .. } in &mutants {
            println!("{id:<4} {breaks}\n     {}", killed_by.join("\n     "));
        }
        return Ok(());
    }
    check(&root, &mutants)?;
    if options.check {
        println!("mutants: all {} fit the sources", mutants.len());
        return Ok(());
    }
    let begun = Instant::now();
    let bench = prepare(&root, &mutants)?;
    println!("built in {}", human(begun.elapsed()));
    unbroken(&bench, &mutants, options.jobs)?;
    let survivors = each(&bench, &mutants, options.jobs)?;
    let killed = mutants.len() - survivors.len();
    let elapsed = human(begun.elapsed());
    println!("\n{killed} of {} mutants killed in {elapsed}", mutants.len());
    ensure!(survivors.is_empty(), "not killed: {}", survivors.join(", "));
    Ok(())
}

fn chosen(all: Vec<Mutant>, only: &[String]) -> Result<Vec<Mutant>> {
    if let Some(unknown) = only.iter().find(|id| !all.iter().any(|it| it.id == **id)) {
        bail!("there is no mutant {unknown}");
    }
    Ok(all.into_iter().filter(|it| only.is_empty() || only.contains(&it.id)).collect())
}

fn check(root: &Path, mutants: &[Mutant]) -> Result<()> {
    let sources = read_sources(root)?;
    let lines: Vec<String> = mutants
        .iter()
        .flat_map(|it| {
            problems(&sources, it).into_iter().map(|why| format!("{}: {why}", it.path()))
        })
        .collect();
    ensure!(lines.is_empty(), "mutants do not fit the sources:\n{}", lines.join("\n"));
    Ok(())
}

/// Weaves, builds, and starts what the tests need.
fn prepare(root: &Path, mutants: &[Mutant]) -> Result<Bench> {
    // All mutants, whichever are asked for: so a second run has nothing to build.
    let mut woven = weave::weave(&read_sources(root)?, &read_all(root)?)?;
    woven.insert("Cargo.toml".to_owned(), lenient(root)?);
    let place = target().join("mutants");
    let (workspace, built) = (place.join("workspace"), place.join("target"));
    copy::update(root, &workspace, &woven)?;
    seed::seed(&target().join("debug"), &built.join("debug"), is_member)?;
    let cargo = |args: &[&str]| {
        let mut cargo = cargo();
        cargo.current_dir(&workspace).env("CARGO_TARGET_DIR", &built).args(args);
        cargo.args(["--quiet", "--locked", "--workspace"]);
        built::programs(cargo)
    };
    let tests =
        cargo(&["test", "--no-run", "--lib", "--test=it", "--features=sei-operator/envtest"])
            .context("build the woven sources")?;
    let named: BTreeSet<&str> = mutants
        .iter()
        .flat_map(|it| &it.killed_by)
        .filter_map(|test| Some(check::program_of(test)?.0.name))
        .collect();
    let wanted = check::PROGRAMS.iter().filter(|it| named.contains(it.name));
    let mut programs = Vec::new();
    let mut needs_server = false;
    for program in wanted {
        let found = tests.iter().find(|it| program.is(it)).context("a test program is missing")?;
        let directory = found.manifest_path.parent().unwrap_or(&workspace);
        programs.push((program.name, found.executable.clone(), directory.to_path_buf()));
        needs_server |= program.needs_server;
    }
    let server = needs_server.then(|| {
        let built = cargo(&["build", "--bin=envtest-up"])?;
        let program = built.iter().find(|it| it.target.name == "envtest-up");
        Server::start(&program.context("cargo built no envtest-up")?.executable)
    });
    let logs = place.join("logs");
    fs::create_dir_all(&logs).with_context(|| format!("create {}", logs.display()))?;
    Ok(Bench { programs, server: server.transpose()?, logs })
}

/// The workspace's manifest, without warnings: what a mutant leaves unused is nobody's concern.
fn lenient(root: &Path) -> Result<String> {
    let path = root.join("Cargo.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let lints = "[workspace.lints.rust]\n";
    Ok(text.replace(lints, &format!("{lints}warnings = {{ level = \"allow\", priority = 1 }}\n")))
}

/// Whether a file or directory of a profile belongs to a member of the workspace. What a registry
/// gives are libraries, so a program among the dependencies is a test of ours.
fn is_member(name: &str) -> bool {
    let ours = ["sei_", "libsei_", "sei-", "xtask", "libxtask"];
    ours.iter().any(|it| name.starts_with(it))
}

/// Without a mutant, every test passes: else its failure would prove nothing.
fn unbroken(bench: &Bench, mutants: &[Mutant], jobs: usize) -> Result<()> {
    let tests: BTreeSet<&String> = mutants.iter().flat_map(|it| &it.killed_by).collect();
    let trials: Vec<Trial> =
        tests.into_iter().map(|it| Trial { mutant: None, test: it.clone() }).collect();
    let mut broken = Vec::new();
    let work = |index: usize| Ok((&trials[index], bench.run(&trials[index])?));
    side_by_side::run((trials.len(), jobs), work, |(trial, ending)| {
        if ending.outcome != Outcome::Passed {
            let (why, log) = (report::reason(&ending.output), bench.log(trial));
            broken.push(format!("{}: {why}\n  see {}", trial.test, log.display()));
        }
    })?;
    ensure!(broken.is_empty(), "tests fail without any mutant:\n{}", broken.join("\n"));
    println!("without a mutant, all of {} tests pass\n", trials.len());
    Ok(())
}

/// Tries every mutant, tells its fate, and returns those that were not killed.
fn each(bench: &Bench, mutants: &[Mutant], jobs: usize) -> Result<Vec<String>> {
    let work = |index: usize| {
        let mutant = &mutants[index];
        let endings = mutant
            .killed_by
            .iter()
            .map(|test| bench.run(&Trial { mutant: Some(mutant.id.clone()), test: test.clone() }));
        Ok(Verdict::of(mutant, &endings.collect::<Result<Vec<_>>>()?))
    };
    let mut survivors = Vec::new();
    side_by_side::run((mutants.len(), jobs), work, |verdict| {
        println!("{verdict}");
        if verdict.fate != Fate::Killed {
            survivors.push(verdict.mutant.id);
        }
    })?;
    Ok(survivors)
}
