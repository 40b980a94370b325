//! Which test programs exist, built, and to which suite each belongs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::Suite;
use crate::built::{self, Program};

/// One built test program.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    pub suite: Suite,
    /// The crate and the target in it.
    pub label: String,
    pub executable: PathBuf,
    /// The crate's own directory, where cargo would start it.
    pub directory: PathBuf,
}

/// Builds the tests of all `suites` in one go: the features only turn tests on, so one build
/// serves every suite.
pub fn build(suites: &[Suite]) -> Result<Vec<Target>> {
    let workspace = Workspace::read()?;
    let mut cargo = crate::root::cargo();
    cargo.args(["test", "--no-run", "--locked", "--workspace"]);
    cargo.args(["--features", &workspace.features(suites).join(",")]);
    let programs = built::programs(cargo).context("build the tests")?;
    Ok(programs.iter().filter_map(|program| workspace.target(program)).collect())
}

/// The part of `cargo metadata` that is read here.
#[derive(Deserialize)]
struct Workspace {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    features: BTreeMap<String, Vec<String>>,
    targets: Vec<TargetOf>,
}

#[derive(Deserialize)]
struct TargetOf {
    name: String,
    kind: Vec<String>,
    #[serde(default, rename = "required-features")]
    required_features: Vec<String>,
}

impl Workspace {
    fn read() -> Result<Self> {
        let output = crate::root::cargo()
            .args(["metadata", "--locked", "--no-deps", "--format-version=1"])
            .stderr(Stdio::inherit())
            .output()
            .context("run cargo metadata")?;
        ensure!(output.status.success(), "cargo metadata failed");
        serde_json::from_slice(&output.stdout).context("read cargo metadata")
    }

    /// `crate/feature` for each crate that has a feature which the suites turn on.
    fn features(&self, suites: &[Suite]) -> Vec<String> {
        let wanted: Vec<_> = suites.iter().filter_map(|suite| suite.feature()).collect();
        let of = |package: &Package| {
            let name = package.name.clone();
            let has = wanted.iter().filter(|feature| package.features.contains_key(**feature));
            has.map(|feature| format!("{name}/{feature}")).collect::<Vec<_>>()
        };
        self.packages.iter().flat_map(of).collect()
    }

    fn target(&self, program: &Program) -> Option<Target> {
        let Program { executable, manifest_path: manifest, target: built, .. } = program;
        let executable = Some(executable.clone()).filter(|_| program.is_test())?;
        let package = self.packages.iter().find(|package| package.manifest_path == *manifest)?;
        let is_same = |target: &&TargetOf| target.name == built.name && target.kind == built.kind;
        let declared = package.targets.iter().find(is_same)?;
        let kind = declared.kind.first().map_or("", String::as_str);
        let label = match kind {
            "test" => format!("{} tests/{}", package.name, declared.name),
            "bin" => format!("{} bin {}", package.name, declared.name),
            _ => package.name.clone(),
        };
        let directory = manifest.parent().map(Path::to_path_buf)?;
        Some(Target { suite: suite_of(&declared.required_features), label, executable, directory })
    }
}

/// The most demanding suite whose feature the target requires.
fn suite_of(required: &[String]) -> Suite {
    let requires = |suite: &Suite| {
        suite.feature().is_some_and(|feature| required.iter().any(|name| name == feature))
    };
    Suite::ALL.into_iter().rev().find(requires).unwrap_or(Suite::Unit)
}

#[cfg(test)]
mod tests {
    //! Features and suites are read off the manifests.

    use super::*;

    fn workspace() -> Workspace {
        serde_json::from_str(
            r#"{"packages": [
              {"name": "a", "manifest_path": "/x/a/Cargo.toml", "features": {"envtest": []},
               "targets": [
                 {"name": "a", "kind": ["lib"]},
                 {"name": "it", "kind": ["test"], "required-features": ["envtest"]}]},
              {"name": "b", "manifest_path": "/x/b/Cargo.toml",
               "features": {"envtest": [], "system": ["envtest"]}, "targets": []},
              {"name": "c", "manifest_path": "/x/c/Cargo.toml", "features": {}, "targets": []}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn only_features_that_exist_are_turned_on() {
        assert!(workspace().features(&[Suite::Unit]).is_empty());
        assert_eq!(workspace().features(&Suite::ALL), ["a/envtest", "b/envtest", "b/system"]);
    }

    #[test]
    fn suite_follows_from_required_features() {
        let required =
            |names: &[&str]| suite_of(&names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
        assert_eq!(required(&[]), Suite::Unit);
        assert_eq!(required(&["envtest"]), Suite::Integration);
        assert_eq!(required(&["envtest", "system"]), Suite::System);
    }

    #[test]
    fn built_test_program_is_found_and_a_library_is_not() {
        let program = |test: bool| -> Program {
            serde_json::from_str(&format!(
                r#"{{"reason": "compiler-artifact", "executable": "/x/it-1",
                  "manifest_path": "/x/a/Cargo.toml",
                  "target": {{"name": "it", "kind": ["test"]}}, "profile": {{"test": {test}}}}}"#
            ))
            .unwrap()
        };
        assert_eq!(
            workspace().target(&program(true)),
            Some(Target {
                suite: Suite::Integration,
                label: "a tests/it".into(),
                executable: "/x/it-1".into(),
                directory: "/x/a".into(),
            })
        );
        assert_eq!(workspace().target(&program(false)), None);
    }
}
