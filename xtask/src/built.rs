//! Runs a build of cargo and lists the programs that came out of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// One program that cargo built, or found to be built.
#[derive(Debug, Deserialize)]
pub struct Program {
    pub executable: PathBuf,
    /// The manifest of its package.
    pub manifest_path: PathBuf,
    pub target: Target,
    profile: Profile,
}

/// What a program was built from.
#[derive(Debug, Deserialize)]
pub struct Target {
    pub name: String,
    pub kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Profile {
    test: bool,
}

impl Program {
    /// Whether it runs tests.
    pub fn is_test(&self) -> bool {
        self.profile.test
    }
}

/// Runs `cargo`, which is about to build something; errors and warnings go to our own stderr.
///
/// # Errors
/// The build fails.
pub fn programs(mut cargo: Command) -> Result<Vec<Program>> {
    let output = cargo
        .arg("--message-format=json-render-diagnostics")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("run cargo")?;
    ensure!(output.status.success(), "the sources do not compile");
    let messages = String::from_utf8_lossy(&output.stdout);
    // Other lines of the output, and things without an executable, lack a field.
    Ok(messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// Builds the operator's scenarios; the command starts them with the binaries in `assets`.
///
/// # Errors
/// The build fails.
pub fn scenarios(assets: &Path) -> Result<Command> {
    let mut build = crate::root::cargo();
    build.args(["test", "--no-run", "--locked", "--package", "sei-operator"]);
    build.args(["--features", "envtest", "--test", "it"]);
    let programs = programs(build).context("build the tests")?;
    let home = crate::root::root().join("crates/operator");
    let mut scenarios = Command::new(find(&programs, "it")?);
    scenarios.current_dir(&home).env("CARGO_MANIFEST_DIR", &home);
    scenarios.env(crate::binaries::ASSETS, assets).stdin(Stdio::null());
    Ok(scenarios)
}

/// Where the program `name` is.
///
/// # Errors
/// It was not among what was built.
pub fn find<'a>(programs: &'a [Program], name: &str) -> Result<&'a Path> {
    let found = programs.iter().find(|it| it.target.name == name);
    found.map(|it| it.executable.as_path()).with_context(|| format!("cargo built no \"{name}\""))
}

#[cfg(test)]
mod tests {
    //! Lines of cargo's JSON output are told apart.

    use super::*;

    #[test]
    fn only_what_can_be_started_is_a_program() {
        let line = |executable: &str| {
            format!(
                r#"{{"reason": "compiler-artifact", "executable": {executable},
                  "manifest_path": "/x/a/Cargo.toml",
                  "target": {{"name": "it", "kind": ["test"]}}, "profile": {{"test": true}}}}"#
            )
        };
        let program: Program = serde_json::from_str(&line("\"/x/it-1\"")).unwrap();
        assert!(program.is_test());
        assert!(serde_json::from_str::<Program>(&line("null")).is_err());
        assert!(serde_json::from_str::<Program>(r#"{"reason": "build-finished"}"#).is_err());
    }
}
