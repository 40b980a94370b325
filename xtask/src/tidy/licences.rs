//! Licences and duplicate versions, after the lists of `deny.toml`.
//!
//! cargo-deny reads the same file and also knows advisories, but takes minutes to compile; these
//! two checks need only what cargo itself knows, so they run on every machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Finding;
use super::edges::{Metadata, Package};

/// The part of `deny.toml` that is checked here.
#[derive(Deserialize)]
pub struct Policy {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    /// SPDX identifiers.
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bans {
    /// Versions that may exist beside the one we chose, each with a reason.
    #[serde(default)]
    skip: Vec<Skip>,
}

#[derive(Deserialize)]
struct Skip {
    /// `name@version`, where a shorter version covers all that begin with it.
    #[serde(rename = "crate")]
    package: String,
}

impl Policy {
    /// Reads `deny.toml`.
    pub fn read(root: &Path) -> Result<Self> {
        let path = root.join("deny.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        toml::from_str(&text).context("parse deny.toml")
    }

    fn skips(&self, package: &Package) -> bool {
        self.bans.skip.iter().any(|skip| {
            skip.package.split_once('@').is_some_and(|(name, version)| {
                let rest = package.version.strip_prefix(version);
                name == package.name
                    && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        })
    }
}

/// Packages in use whose licence is not allowed, and packages in use in more than one version.
pub fn check(metadata: &Metadata, policy: &Policy) -> Vec<Finding> {
    let used: BTreeSet<_> = metadata.resolve.nodes.iter().map(|node| node.id.as_str()).collect();
    let foreign: Vec<_> = metadata
        .packages
        .iter()
        .filter(|package| package.source.is_some() && used.contains(package.id.as_str()))
        .collect();
    let licences = foreign.iter().filter_map(|package| licence(package, policy));
    licences.chain(duplicates(&foreign, policy)).collect()
}

fn licence(package: &Package, policy: &Policy) -> Option<Finding> {
    let expression = package.license.as_deref().unwrap_or("none");
    let allows = |id: &str| policy.licenses.allow.contains(id);
    (!Expression::new(expression).holds(&allows)).then(|| {
        let Package { name, version, .. } = package;
        let message = format!("\"{name}\" {version}: licence \"{expression}\" is not in deny.toml");
        Finding::new("Cargo.lock", 0, message)
    })
}

fn duplicates(packages: &[&Package], policy: &Policy) -> Vec<Finding> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages.iter().filter(|package| !policy.skips(package)) {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    let doubled = versions.into_iter().filter(|(_, versions)| versions.len() > 1);
    doubled
        .map(|(name, versions)| {
            let versions = versions.into_iter().collect::<Vec<_>>().join(", ");
            let message = format!("\"{name}\" is built in several versions: {versions}");
            Finding::new("Cargo.lock", 0, message)
        })
        .collect()
}

/// An SPDX expression: `A OR B`, `A AND (B OR C)`, `A WITH x`; the old `A/B` means OR.
struct Expression<'a> {
    tokens: Vec<&'a str>,
    at: usize,
}

impl<'a> Expression<'a> {
    fn new(text: &'a str) -> Self {
        let mut tokens = Vec::new();
        for word in text.split_whitespace() {
            let is_mark = |c: char| matches!(c, '(' | ')' | '/');
            let parts = word.split_inclusive(is_mark).flat_map(|part| match part.chars().last() {
                Some(c) if is_mark(c) => {
                    let (word, mark) = part.split_at(part.len() - 1);
                    [word, mark]
                }
                _ => [part, ""],
            });
            tokens.extend(parts.filter(|part| !part.is_empty()));
        }
        Self { tokens, at: 0 }
    }

    fn holds(mut self, allows: &impl Fn(&str) -> bool) -> bool {
        self.any(allows) && self.at == self.tokens.len()
    }

    fn any(&mut self, allows: &impl Fn(&str) -> bool) -> bool {
        let mut holds = self.all(allows);
        while self.take("OR") || self.take("/") {
            holds |= self.all(allows);
        }
        holds
    }

    fn all(&mut self, allows: &impl Fn(&str) -> bool) -> bool {
        let mut holds = self.one(allows);
        while self.take("AND") {
            holds &= self.one(allows);
        }
        holds
    }

    fn one(&mut self, allows: &impl Fn(&str) -> bool) -> bool {
        if self.take("(") {
            let holds = self.any(allows);
            return self.take(")") && holds;
        }
        let Some(id) = self.next() else { return false };
        if self.take("WITH") {
            let exception = self.next().unwrap_or_default();
            return allows(&format!("{id} WITH {exception}")) || allows(id);
        }
        allows(id)
    }

    fn take(&mut self, token: &str) -> bool {
        let is_next = self.tokens.get(self.at) == Some(&token);
        self.at += usize::from(is_next);
        is_next
    }

    fn next(&mut self) -> Option<&'a str> {
        let token = self.tokens.get(self.at).copied();
        self.at += 1;
        token
    }
}

#[cfg(test)]
mod tests {
    //! Expressions are read as SPDX means them; duplicates are named.

    use super::*;

    fn is_allowed(expression: &str) -> bool {
        Expression::new(expression).holds(&|id| ["MIT", "Apache-2.0"].contains(&id))
    }

    #[test]
    fn expressions_mean_what_spdx_says() {
        for allowed in [
            "MIT",
            "MIT OR GPL-3.0",
            "GPL-3.0/MIT",
            "Apache-2.0 WITH LLVM-exception OR BSD-3-Clause",
            "(MIT OR GPL-3.0) AND Apache-2.0",
            "(MIT)",
        ] {
            assert!(is_allowed(allowed), "{allowed}");
        }
        for refused in ["none", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR", "MIT MIT", ""] {
            assert!(!is_allowed(refused), "{refused}");
        }
    }

    fn found(packages: &[(&str, &str, &str)]) -> Vec<String> {
        let policy: Policy = toml::from_str(
            "[licenses]\nallow = [\"MIT\"]\n[bans]\nskip = [{ crate = \"old@1.2\" }]\n",
        )
        .unwrap();
        let package = |(name, version, license): &(&str, &str, &str)| {
            serde_json::json!({"id": format!("{name}{version}"), "name": name, "version": version,
                "source": "registry", "license": license, "dependencies": []})
        };
        let packages: Vec<_> = packages.iter().map(package).collect();
        let nodes: Vec<_> = packages.iter().map(|p| serde_json::json!({"id": p["id"]})).collect();
        let metadata = serde_json::json!({"packages": packages, "resolve": {"nodes": nodes}});
        let metadata: Metadata = serde_json::from_value(metadata).unwrap();
        check(&metadata, &policy).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn foreign_licence_is_found() {
        assert!(found(&[("a", "1.0.0", "MIT")]).is_empty());
        assert_eq!(
            found(&[("a", "1.0.0", "GPL-3.0")]),
            ["Cargo.lock: \"a\" 1.0.0: licence \"GPL-3.0\" is not in deny.toml"]
        );
    }

    #[test]
    fn second_version_is_found_unless_skipped() {
        assert_eq!(
            found(&[("a", "1.0.0", "MIT"), ("a", "2.0.0", "MIT")]),
            ["Cargo.lock: \"a\" is built in several versions: 1.0.0, 2.0.0"]
        );
        assert!(found(&[("old", "1.2.3", "MIT"), ("old", "2.0.0", "MIT")]).is_empty());
        assert_eq!(found(&[("old", "1.20.0", "MIT"), ("old", "2.0.0", "MIT")]).len(), 1);
    }
}
