//! Builds the operator as it is shipped, and what measures it; then measures.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::binaries;
use crate::built::{self, Program};

/// `cargo xtask bench`: the figures of the operator on this machine. `args` go to `sei-bench`.
///
/// # Errors
/// A part could not be built, or the run did not get to its end.
pub fn command(args: &[OsString]) -> Result<()> {
    let assets = binaries::ensure_built(binaries::Set::Envtest)?;
    // Alone and with nothing else: together with the harness, shared dependencies would be built
    // with features that the shipped program does not have.
    let shipped = build(&["--release", "--package", "sei-operator"])?;
    let tool = build(&["--profile", "tool", "--package", "sei-bench"])?;
    let status = Command::new(built::find(&tool, "sei-bench")?)
        .arg("--operator")
        .arg(built::find(&shipped, "sei-operator")?)
        .args(args)
        .env(binaries::ASSETS, assets)
        .current_dir(crate::root::root())
        .status()
        .context("start sei-bench")?;
    ensure!(status.success(), "the run ended with {status}");
    Ok(())
}

fn build(selection: &[&str]) -> Result<Vec<Program>> {
    let mut cargo = crate::root::cargo();
    cargo.args(["build", "--locked"]).args(selection);
    built::programs(cargo)
}
