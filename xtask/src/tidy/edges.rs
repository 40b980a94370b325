//! The arrows between our crates; an edge that is not in the table is an architecture change.

use serde::Deserialize;

use super::Finding;

/// What a crate may depend on.
struct Allowed {
    name: &'static str,
    /// In every build.
    normal: &'static [&'static str],
    /// In tests only, on top of `normal`.
    dev: &'static [&'static str],
}

/// The whole table, drawn in ARCHITECTURE.md. Tests may use the doubles; nothing else may.
const TABLE: [Allowed; 9] = [
    Allowed { name: "sei-api", normal: &[], dev: &["sei-harness"] },
    Allowed { name: "sei-sidecar-api", normal: &[], dev: &[] },
    Allowed { name: "sei-core", normal: &["sei-api", "sei-sidecar-api"], dev: &[] },
    Allowed { name: "sei-sidecar-client", normal: &["sei-sidecar-api"], dev: &["sei-sidecar-sim"] },
    Allowed { name: "sei-sidecar-sim", normal: &["sei-sidecar-api"], dev: &[] },
    Allowed {
        name: "sei-operator",
        normal: &["sei-api", "sei-core", "sei-sidecar-api", "sei-sidecar-client"],
        dev: &["sei-harness", "sei-sidecar-sim"],
    },
    Allowed {
        name: "sei-harness",
        normal: &["sei-api", "sei-sidecar-api", "sei-sidecar-sim"],
        dev: &[],
    },
    Allowed { name: "sei-bench", normal: &["sei-api", "sei-harness", "sei-sidecar-sim"], dev: &[] },
    Allowed { name: "xtask", normal: &["sei-api", "sei-core"], dev: &[] },
];

/// The part of `cargo metadata` that the rules read.
#[derive(Deserialize)]
pub struct Metadata {
    /// Every package of the lock file.
    pub packages: Vec<Package>,
    /// What is used on the platform that was asked for.
    pub resolve: Resolve,
}

/// The resolved graph.
#[derive(Deserialize)]
pub struct Resolve {
    /// One node for each package in use.
    pub nodes: Vec<Node>,
}

/// A package in use.
#[derive(Deserialize)]
pub struct Node {
    /// Cargo's opaque package id.
    pub id: String,
}

/// A package: ours when it has no source.
#[derive(Deserialize)]
pub struct Package {
    /// Cargo's opaque package id.
    pub id: String,
    pub name: String,
    pub version: String,
    /// Absent for a member of the workspace.
    pub source: Option<String>,
    /// An SPDX expression.
    pub license: Option<String>,
    pub dependencies: Vec<Dependency>,
}

/// One line of a `[dependencies]` table.
#[derive(Deserialize)]
pub struct Dependency {
    name: String,
    kind: Option<Kind>,
    /// Set for a member of the workspace.
    path: Option<String>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Dev,
    Build,
}

/// Edges between members that the table does not have, and members that it does not know.
pub fn edges(metadata: &Metadata) -> Vec<Finding> {
    metadata.packages.iter().filter(|package| package.source.is_none()).flat_map(of).collect()
}

fn of(package: &Package) -> Vec<Finding> {
    let manifest = match package.name.strip_prefix("sei-") {
        Some(folder) => format!("crates/{folder}/Cargo.toml"),
        None => format!("{}/Cargo.toml", package.name),
    };
    let Some(allowed) = TABLE.iter().find(|row| row.name == package.name) else {
        return vec![Finding::new(manifest, 0, "crate is not in the table of arrows in xtask")];
    };
    let ours = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
    ours.filter(|dependency| !is_allowed(allowed, dependency))
        .map(|dependency| {
            let message = format!(
                "\"{}\" must not depend on \"{}\"; a new arrow is an architecture change",
                package.name, dependency.name
            );
            Finding::new(&manifest, 0, message)
        })
        .collect()
}

fn is_allowed(allowed: &Allowed, dependency: &Dependency) -> bool {
    let name = dependency.name.as_str();
    let in_tests = dependency.kind == Some(Kind::Dev) && allowed.dev.contains(&name);
    in_tests || allowed.normal.contains(&name)
}

#[cfg(test)]
mod tests {
    //! Arrows that exist, and arrows that must not.

    use super::*;

    fn findings(package: &str, dependency: &str, kind: &str) -> Vec<String> {
        let json = format!(
            r#"{{"packages": [{{"id": "p", "name": "{package}", "version": "0.1.0",
                "source": null, "license": "Apache-2.0",
                "dependencies": [{{"name": "{dependency}", "kind": {kind}, "path": "x"}}]}}],
                "resolve": {{"nodes": []}}}}"#
        );
        let metadata: Metadata = serde_json::from_str(&json).unwrap();
        edges(&metadata).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn arrow_against_the_table_is_found() {
        assert!(findings("sei-core", "sei-api", "null").is_empty());
        assert_eq!(
            findings("sei-core", "sei-sidecar-client", "null"),
            ["crates/core/Cargo.toml: \"sei-core\" must not depend on \"sei-sidecar-client\"; \
              a new arrow is an architecture change"]
        );
    }

    #[test]
    fn doubles_are_for_tests_only() {
        assert!(findings("sei-operator", "sei-harness", "\"dev\"").is_empty());
        assert_eq!(findings("sei-operator", "sei-harness", "null").len(), 1);
        assert_eq!(findings("sei-harness", "sei-core", "\"dev\"").len(), 1);
    }

    #[test]
    fn unknown_crate_is_found() {
        assert_eq!(
            findings("sei-surprise", "sei-api", "null"),
            ["crates/surprise/Cargo.toml: crate is not in the table of arrows in xtask"]
        );
    }
}
