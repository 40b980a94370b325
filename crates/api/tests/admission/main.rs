//! Manifests applied to a real API server: one that passes and one that fails for each rule.

mod cases;
mod deployment;
mod node;
mod server;
mod stored;
mod task;
mod values;
mod whole;

use std::collections::BTreeSet;

use cases::{Case, Kind, Update};
use sei_api::{crd_document, crds};
use serde_json::Value;

#[test]
fn nodes_are_admitted_by_the_rules() {
    cases::check(&Kind::Node, &[node::CASES, node::ONLY_NODES]);
}

#[test]
fn templates_are_admitted_by_the_rules_of_a_node() {
    cases::check(&Kind::Template, &[node::CASES]);
}

#[test]
fn deployments_are_admitted_by_the_rules() {
    cases::check(&Kind::Deployment, &[deployment::CASES]);
}

#[test]
fn tasks_are_admitted_by_the_rules() {
    cases::check(&Kind::Task, &[task::CASES]);
}

#[test]
fn edits_of_a_node_are_admitted_by_the_rules() {
    cases::check_updates(&Kind::Node, node::UPDATES);
}

#[test]
fn edits_of_a_template_are_admitted_by_the_rules_of_a_node() {
    cases::check_updates(&Kind::Template, node::UPDATES);
}

#[test]
fn edits_of_a_deployment_are_admitted_by_the_rules() {
    cases::check_updates(&Kind::Deployment, deployment::UPDATES);
}

#[test]
fn edits_of_a_task_are_admitted_by_the_rules() {
    cases::check_updates(&Kind::Task, task::UPDATES);
}

/// A rule added to a type without a row above would be untested.
#[test]
fn every_rule_has_a_manifest_that_breaks_it() {
    let creations: [&[Case]; 4] = [node::CASES, node::ONLY_NODES, deployment::CASES, task::CASES];
    let updates: [&[Update]; 3] = [node::UPDATES, deployment::UPDATES, task::UPDATES];
    let broken: BTreeSet<&str> = creations
        .into_iter()
        .flatten()
        .map(|case| case.errors)
        .chain(updates.into_iter().flatten().map(|update| update.errors))
        .chain([whole::NAME_ERRORS])
        .flatten()
        .map(|(_, message)| *message)
        .collect();
    for (file, crd) in crds() {
        let mut messages = BTreeSet::new();
        rules(&crd_document(&crd), &mut messages);
        assert!(!messages.is_empty(), "{file} has no rules");
        for message in messages {
            assert!(broken.contains(message.as_str()), "{file}: no row breaks {message:?}");
        }
    }
}

fn rules(schema: &Value, messages: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for rule in fields
                .get("x-kubernetes-validations")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                messages.extend(rule["message"].as_str().map(str::to_owned));
            }
            fields.values().for_each(|value| rules(value, messages));
        }
        Value::Array(items) => items.iter().for_each(|value| rules(value, messages)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
