//! What the operator may do in a cluster, derived from the closed lists of reads and writes.

use std::collections::{BTreeMap, BTreeSet};

use crate::effect::Resource;

/// One rule of a role: verbs on a resource of a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// API group; empty for core.
    pub group: &'static str,
    /// Plural resource, with its subresource after a slash.
    pub resource: &'static str,
    /// Lower-case verbs, sorted.
    pub verbs: BTreeSet<&'static str>,
}

/// All rules, sorted by group and resource.
#[must_use]
pub fn rules() -> Vec<Rule> {
    let mut merged: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for (resource, verbs) in reads().into_iter().chain(writes()).chain(duties()) {
        merged.entry(resource).or_default().extend(verbs);
    }
    merged.into_iter().map(|((group, resource), verbs)| Rule { group, resource, verbs }).collect()
}

/// API group and plural of a kind.
#[must_use]
pub fn api_name(resource: Resource) -> (&'static str, &'static str) {
    match resource {
        Resource::SeiNodeDeployment => (SEI, "seinodedeployments"),
        Resource::SeiNode => (SEI, "seinodes"),
        Resource::StatefulSet => ("apps", "statefulsets"),
        Resource::Pod => ("", "pods"),
        Resource::Service => ("", "services"),
        Resource::Claim => ("", "persistentvolumeclaims"),
        Resource::ConfigMap => ("", "configmaps"),
        Resource::HttpRoute => ("gateway.networking.k8s.io", "httproutes"),
        Resource::Event => ("", "events"),
    }
}

const SEI: &str = "sei.io";

type Grant = ((&'static str, &'static str), Vec<&'static str>);

/// Everything watched; `get` backs the one uncached look before an object is first written.
fn reads() -> Vec<Grant> {
    [
        Resource::SeiNodeDeployment,
        Resource::SeiNode,
        Resource::StatefulSet,
        Resource::Pod,
        Resource::Service,
        Resource::Claim,
        Resource::ConfigMap,
        Resource::HttpRoute,
    ]
    .into_iter()
    .map(|resource| (api_name(resource), vec!["get", "list", "watch"]))
    .collect()
}

/// The writes of [`crate::effect::Effect`]. Server-side apply of an absent object needs `create`
/// besides `patch`.
fn writes() -> Vec<Grant> {
    let apply = vec!["create", "patch"];
    vec![
        (api_name(Resource::SeiNode), apply.clone()),
        (api_name(Resource::StatefulSet), apply.clone()),
        (api_name(Resource::Service), apply.clone()),
        (api_name(Resource::ConfigMap), apply.clone()),
        (api_name(Resource::HttpRoute), apply),
        (api_name(Resource::Claim), vec!["create", "patch", "delete"]),
        (api_name(Resource::SeiNode), vec!["delete"]),
        (api_name(Resource::Service), vec!["delete"]),
        (api_name(Resource::HttpRoute), vec!["delete"]),
        (api_name(Resource::Pod), vec!["delete"]),
    ]
}

/// What follows from being a controller: status and finalizers of our kinds, owner references that
/// block deletion, the look at a single machine, Kubernetes Events, and the subject-access review
/// in front of a sidecar, which asks for the HTTP method as a verb on `seinodetasks`.
fn duties() -> Vec<Grant> {
    vec![
        // The machine under a pod that does not tell what is wrong with it.
        (("", "nodes"), vec!["get"]),
        ((SEI, "seinodedeployments"), vec!["patch"]),
        ((SEI, "seinodedeployments/status"), vec!["patch"]),
        ((SEI, "seinodedeployments/finalizers"), vec!["update"]),
        ((SEI, "seinodes/status"), vec!["patch"]),
        ((SEI, "seinodes/finalizers"), vec!["update"]),
        ((SEI, "seinodetasks"), vec!["create", "get"]),
        (api_name(Resource::Event), vec!["create"]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_out_of_reach() {
        assert!(rules().iter().all(|rule| rule.resource != "secrets"));
    }

    #[test]
    fn nothing_is_updated_in_place_or_deleted_in_bulk() {
        for rule in rules() {
            assert!(!rule.verbs.contains("deletecollection"), "{rule:?}");
            let finalizers = rule.resource.ends_with("/finalizers");
            assert_eq!(rule.verbs.contains("update"), finalizers, "{rule:?}");
        }
    }
}
