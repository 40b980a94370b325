//! Builds all that the local cluster needs, then becomes its program.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::binaries;

/// `cargo xtask run`: the story of a rollout in a local cluster. `args` go to `sei-local`.
///
/// # Errors
/// A part could not be built, or the story did not end as it must.
pub fn command(args: &[OsString]) -> Result<()> {
    let assets = binaries::ensure_built(binaries::Set::Cluster)?;
    let programs = build()?;
    // A child, not `exec`: as a gate of CI we go on after it. Ctrl-C reaches it by the terminal.
    let status = Command::new(program(&programs, "sei-local")?)
        .args(args)
        .arg("--operator")
        .arg(program(&programs, "sei-operator")?)
        .env(binaries::ASSETS, assets)
        .status()
        .context("start sei-local")?;
    ensure!(status.success(), "the local cluster ended with {status}");
    Ok(())
}

#[derive(Deserialize)]
struct Artifact {
    executable: Option<PathBuf>,
}

/// Both programs, in one build.
fn build() -> Result<Vec<PathBuf>> {
    let output = crate::root::cargo()
        // All of the workspace, as the tests: another selection would mean other features of the
        // same dependencies, and these would be compiled twice.
        .args(["build", "--locked", "--workspace", "--bins"])
        .arg("--message-format=json-render-diagnostics")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("run cargo build")?;
    ensure!(output.status.success(), "the operator does not compile");
    let messages = String::from_utf8_lossy(&output.stdout);
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    Ok(artifacts.filter_map(|artifact| artifact.executable).collect())
}

fn program<'a>(programs: &'a [PathBuf], name: &str) -> Result<&'a PathBuf> {
    let found = programs.iter().find(|path| path.file_stem().is_some_and(|stem| stem == name));
    found.with_context(|| format!("cargo built no \"{name}\""))
}
