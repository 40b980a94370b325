//! Builds all that the local cluster needs, then becomes its program.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::binaries;
use crate::built::{self, Program};

/// `cargo xtask run`: the story of a rollout in a local cluster. `args` go to `sei-local`.
///
/// # Errors
/// A part could not be built, or the story did not end as it must.
pub fn command(args: &[OsString]) -> Result<()> {
    let assets = binaries::ensure_built(binaries::Set::Cluster)?;
    let programs = build()?;
    // A child, not `exec`: as a gate of CI we go on after it. Ctrl-C reaches it by the terminal.
    let status = Command::new(built::find(&programs, "sei-local")?)
        .args(args)
        .arg("--operator")
        .arg(built::find(&programs, "sei-operator")?)
        .env(binaries::ASSETS, assets)
        .status()
        .context("start sei-local")?;
    ensure!(status.success(), "the local cluster ended with {status}");
    Ok(())
}

/// Both programs, in one build.
fn build() -> Result<Vec<Program>> {
    let mut cargo = crate::root::cargo();
    // All of the workspace, as the tests: another selection would mean other features of the
    // same dependencies, and these would be compiled twice.
    cargo.args(["build", "--locked", "--workspace", "--bins"]);
    built::programs(cargo)
}
