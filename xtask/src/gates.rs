//! What CI demands, in order; each gate is one command that also runs alone.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::progress::human;

/// `cargo xtask lint`: format, clippy, house rules, and cargo-deny where it is installed.
pub fn lint() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&[
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-Dwarnings",
    ])?;
    crate::tidy::command()?;
    if is_installed("deny") {
        return cargo(&["deny", "--all-features", "check"]);
    }
    println!("advisories were not looked up: cargo-deny is not installed");
    Ok(())
}

/// The stories of `make run` that every change has to tell to their ends: the one that is told
/// unasked, and the one that holds steps of all others. The rest would take a minute and a half
/// more.
const STORIES: [&str; 2] = ["rollout", "stuck"];

/// `cargo xtask ci`: every gate, the cheapest first; stops at the first that fails.
pub fn ci() -> Result<()> {
    gate("lint", lint)?;
    gate("verify-generated", || cargo(&["xtask", "codegen", "--check"]))?;
    gate("test", || crate::suites::command(&[], 1, &[]))?;
    for story in STORIES {
        gate(&format!("run {story}"), || {
            crate::local::command(&["--once", "--story", story].map(Into::into))
        })?;
    }
    println!("ci: all gates passed");
    Ok(())
}

fn gate(name: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("==> {name}");
    let begun = Instant::now();
    run().with_context(|| format!("gate \"{name}\""))?;
    println!("==> {name} passed in {}\n", human(begun.elapsed()));
    Ok(())
}

fn is_installed(subcommand: &str) -> bool {
    let probe = crate::root::cargo().args([subcommand, "--version"]).output();
    probe.is_ok_and(|output| output.status.success())
}

/// Runs cargo in the checkout with our own terminal.
pub fn cargo(args: &[&str]) -> Result<()> {
    let status = crate::root::cargo().args(args).status();
    let status = status.context("start cargo")?;
    ensure!(status.success(), "cargo {} failed", args.join(" "));
    Ok(())
}
