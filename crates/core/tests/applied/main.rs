//! Applied or not, for objects recorded from a real API server (1.34).
//!
//! Each recording holds what we applied (`desired`) and what the server then returned (`live`),
//! after others had added fields of theirs, or had taken one of ours.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests stop the test")]

use std::fs;
use std::path::PathBuf;

use sei_api::gateway::HttpRoute;
use sei_api::{SeiNode, k8s};
use sei_core::applied::{is_applied, is_applied_but_for_defaults, last_applied};
use serde_json::{Value, json};

const NODE: &str = "seinode-controller";
const FLEET: &str = "seinodedeployment-controller";

const RECORDINGS: [(&str, &str); 3] = [("statefulset", NODE), ("service", NODE), ("child", FLEET)];

#[test]
fn additions_of_others_need_no_apply() {
    for (kind, manager) in RECORDINGS {
        let (desired, live) = recording(kind, "edits-of-others");
        assert!(is_applied(&desired, &live, manager), "{kind}");
        assert!(!is_applied(&desired, &live, "somebody"), "{kind}");
    }
}

#[test]
fn a_field_that_another_manager_took_needs_an_apply() {
    for (kind, manager) in RECORDINGS {
        let (desired, live) = recording(kind, "a-field-taken");
        assert!(!is_applied(&desired, &live, manager), "{kind}");
    }
}

#[test]
fn what_was_applied_last_is_read_back() {
    for (kind, manager) in RECORDINGS {
        let (desired, live) = recording(kind, "edits-of-others");
        let last = last_applied(&live, manager).unwrap();
        assert!(is_applied(&last, &live, manager), "{kind}");
        if kind == "child" {
            assert_eq!(last, desired);
        }
    }
}

#[test]
fn each_part_counts() {
    for (kind, manager) in RECORDINGS {
        let (desired, live) = recording(kind, "edits-of-others");
        let mut paths = Vec::new();
        for half in ["/metadata/labels", "/metadata/ownerReferences", "/spec"] {
            parts(desired.pointer(half).unwrap(), half, &mut paths);
        }
        assert!(paths.len() > 10, "{kind}");
        for path in &paths {
            for other in [without(&desired, path), changed(&desired, path)] {
                assert!(!is_applied(&other, &live, manager), "{kind} without or other at {path}");
            }
        }
    }
}

#[test]
fn what_our_types_keep_of_an_object_is_enough() {
    fn typed<T: serde::de::DeserializeOwned + serde::Serialize>(live: Value) -> Value {
        json!(serde_json::from_value::<T>(live).unwrap())
    }
    for (kind, manager) in RECORDINGS {
        let (desired, live) = recording(kind, "edits-of-others");
        let live = match kind {
            "statefulset" => typed::<k8s::StatefulSet>(live),
            "service" => typed::<k8s::Service>(live),
            _ => typed::<SeiNode>(live),
        };
        assert!(is_applied(&desired, &live, manager), "{kind}");
    }
}

/// The server fills in lists that it tracks whole: what it adds there is no difference, what
/// anybody changes is.
#[test]
fn a_route_is_applied_but_for_what_the_server_fills_in() {
    let (desired, live) = recording("route", "edits-of-others");
    assert!(!is_applied(&desired, &live, FLEET), "the recording has defaults");
    assert!(is_applied_but_for_defaults(&desired, &live, FLEET));
    assert!(!is_applied_but_for_defaults(&desired, &live, "somebody"));
    let typed: HttpRoute = serde_json::from_value(live.clone()).unwrap();
    assert!(is_applied_but_for_defaults(&desired, &json!(typed), FLEET));
    let mut paths = Vec::new();
    for half in ["/metadata/labels", "/metadata/annotations", "/metadata/ownerReferences", "/spec"]
    {
        parts(desired.pointer(half).unwrap(), half, &mut paths);
    }
    for path in &paths {
        let other = changed(&desired, path);
        assert!(!is_applied_but_for_defaults(&other, &live, FLEET), "other at {path}");
    }
    for gone in ["/spec/hostnames", "/spec/rules/1", "/metadata/annotations"] {
        let other = without(&desired, gone);
        assert!(!is_applied_but_for_defaults(&other, &live, FLEET), "without {gone}");
    }
    let (desired, live) = recording("route", "a-field-taken");
    assert!(!is_applied_but_for_defaults(&desired, &live, FLEET), "the rules are theirs");
}

#[test]
fn quantities_that_the_server_would_rewrite_are_equal() {
    let (mut desired, live) = recording("statefulset", "edits-of-others");
    let cpu = "/spec/template/spec/containers/0/resources/requests/cpu";
    for (value, expected) in [("4000m", true), ("4", true), ("4001m", false)] {
        *desired.pointer_mut(cpu).unwrap() = json!(value);
        assert_eq!(is_applied(&desired, &live, NODE), expected, "{value}");
    }
}

fn recording(kind: &str, what: &str) -> (Value, Value) {
    let file = format!("{kind}-with-{what}.json");
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "applied", &file].iter().collect();
    let mut recording: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    (recording["desired"].take(), recording["live"].take())
}

/// JSON pointers to everything below `value`, which is at `path`.
fn parts(value: &Value, path: &str, found: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(map) => {
            map.iter().map(|(name, it)| (name.replace('~', "~0").replace('/', "~1"), it)).collect()
        }
        Value::Array(list) => list.iter().enumerate().map(|(i, it)| (i.to_string(), it)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (name, value) in below {
        let path = format!("{path}/{name}");
        parts(value, &path, found);
        found.push(path);
    }
}

fn without(value: &Value, path: &str) -> Value {
    let mut value = value.clone();
    let (parent, name) = path.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(map) => drop(map.remove(&name.replace("~1", "/").replace("~0", "~"))),
        Value::Array(list) => drop(list.remove(name.parse().unwrap())),
        scalar => panic!("{scalar} has parts"),
    }
    value
}

fn changed(value: &Value, path: &str) -> Value {
    let mut value = value.clone();
    match value.pointer_mut(path).unwrap() {
        Value::Object(map) => drop(map.insert("extra".to_owned(), json!("changed"))),
        Value::Array(list) => list.push(json!("changed")),
        scalar => *scalar = json!("changed"),
    }
    value
}
