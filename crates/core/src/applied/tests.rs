//! Applied or not: tables for each rule, and properties against a small model of the server.

use sei_api::k8s;
use serde_json::json;

use super::*;

mod model;
mod properties;

const MANAGER: &str = "seinode-controller";

/// An object with these parts, applied by [`MANAGER`] as `fields`, and `more` entries.
fn live(spec: Value, fields: Value, more: &[Value]) -> Value {
    let own = json!({
        "manager": MANAGER, "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:spec": fields}
    });
    let entries: Vec<_> = [own].into_iter().chain(more.iter().cloned()).collect();
    json!({"apiVersion": "v1", "kind": "K", "metadata": {"managedFields": entries}, "spec": spec})
}

fn desired(spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "K", "metadata": {"name": "n"}, "spec": spec})
}

/// Also with the record packed, which must not make a difference.
#[track_caller]
fn check(wanted: Value, live: &Value, expected: bool) {
    let wanted = desired(wanted);
    assert_eq!(is_applied(&wanted, live, MANAGER), expected);
    assert_eq!(is_applied(&wanted, &packed(live), MANAGER), expected, "packed");
}

fn packed(live: &Value) -> Value {
    let mut live = live.clone();
    let record = &mut live["metadata"]["managedFields"];
    let mut entries: Vec<k8s::ManagedFieldsEntry> = serde_json::from_value(record.take()).unwrap();
    pack(&mut entries);
    *record = serde_json::to_value(entries).unwrap();
    live
}

#[test]
fn only_the_entry_of_this_manager_and_version_counts() {
    let object = live(json!({"a": 1}), json!({"f:a": {}}), &[]);
    let wanted = desired(json!({"a": 1}));
    assert!(is_applied(&wanted, &object, MANAGER));
    assert!(!is_applied(&wanted, &object, "somebody"));
    for (field, other) in [("operation", "Update"), ("subresource", "status"), ("apiVersion", "v2")]
    {
        let mut changed = object.clone();
        changed["metadata"]["managedFields"][0][field] = json!(other);
        assert!(!is_applied(&wanted, &changed, MANAGER), "{field}");
    }
    let never_applied = json!({"apiVersion": "v1", "kind": "K", "metadata": {}});
    assert!(!is_applied(&wanted, &never_applied, MANAGER));
}

#[test]
fn fields_given_up_gained_or_changed_need_an_apply() {
    let object = live(json!({"a": 1, "b": 2, "theirs": 3}), json!({"f:a": {}, "f:b": {}}), &[]);
    check(json!({"a": 1, "b": 2}), &object, true);
    check(json!({"a": 1}), &object, false);
    check(json!({"a": 1, "b": 3}), &object, false);
    check(json!({"a": 1, "b": 2, "theirs": 3}), &object, false);
    check(json!({"a": 1, "b": null}), &object, false);
}

#[test]
fn what_the_server_takes_out_of_an_apply_does_not_count() {
    let object = live(json!({"a": 1}), json!({"f:a": {}}), &[]);
    let mut wanted = desired(json!({"a": 1}));
    wanted["status"] = json!({"phase": "x"});
    wanted["metadata"] = json!({"name": "n", "uid": "u", "creationTimestamp": null});
    assert!(is_applied(&wanted, &object, MANAGER));
    wanted["metadata"]["labels"] = json!({"a": "b"});
    assert!(!is_applied(&wanted, &object, MANAGER));
}

#[test]
fn elements_are_found_by_key_and_keep_their_order() {
    let fields = json!({"f:env": {
        r#"k:{"name":"a"}"#: {".": {}, "f:name": {}, "f:value": {}},
        r#"k:{"name":"b"}"#: {".": {}, "f:name": {}, "f:value": {}},
    }});
    let (a, b, c) = (
        json!({"name": "a", "value": "1"}),
        json!({"name": "b", "value": "2"}),
        json!({"name": "c", "value": "3"}),
    );
    let object = live(json!({"env": [a, c, b]}), fields, &[]);
    check(json!({"env": [a, b]}), &object, true);
    check(json!({"env": [b, a]}), &object, false);
    check(json!({"env": [a]}), &object, false);
    check(json!({"env": [a, b, c]}), &object, false);
    check(json!({"env": [a, {"name": "b", "value": "9"}]}), &object, false);
    check(json!({}), &object, false);
}

#[test]
fn sets_are_compared_by_value() {
    let fields = json!({"f:set": {r#"v:"a""#: {}, r#"v:"b""#: {}}});
    let object = live(json!({"set": ["theirs", "a", "b"]}), fields, &[]);
    check(json!({"set": ["a", "b"]}), &object, true);
    check(json!({"set": ["a"]}), &object, false);
    check(json!({"set": ["a", "theirs"]}), &object, false);
}

#[test]
fn atomic_lists_and_objects_are_compared_whole() {
    let object = live(
        json!({"args": ["x", "y"], "selector": {"a": "b"}}),
        json!({"f:args": {}, "f:selector": {}}),
        &[],
    );
    check(json!({"args": ["x", "y"], "selector": {"a": "b"}}), &object, true);
    check(json!({"args": ["x"], "selector": {"a": "b"}}), &object, false);
    check(json!({"args": ["y", "x"], "selector": {"a": "b"}}), &object, false);
    check(json!({"args": ["x", "y"], "selector": {"a": "b", "c": "d"}}), &object, false);
    check(json!({"args": ["x", "y"], "selector": {}}), &object, false);
}

#[test]
fn an_empty_object_leaves_room_for_others() {
    let theirs = json!({
        "manager": "kubectl", "operation": "Update", "apiVersion": "v1",
        "fieldsV1": {"f:spec": {"f:mode": {"f:height": {}}}}
    });
    let object = live(json!({"mode": {"height": 7}}), json!({"f:mode": {}}), &[theirs]);
    check(json!({"mode": {}}), &object, true);
    check(json!({"mode": {"height": 7}}), &object, false);
    check(json!({}), &object, false);
    let object = live(json!({"mode": {"height": 7}}), json!({"f:mode": {"f:height": {}}}), &[]);
    check(json!({"mode": {}}), &object, false);
}

#[test]
fn quantities_are_equal_by_value_in_resources_only() {
    let fields = |field: &str| json!({"f:resources": {field: {"f:cpu": {}}}});
    for (live_value, wanted, expected) in
        [("1", json!("1000m"), true), ("1", json!(1), true), ("1", json!("2"), false)]
    {
        let object = live(
            json!({"resources": {"requests": {"cpu": live_value}}}),
            fields("f:requests"),
            &[],
        );
        check(json!({"resources": {"requests": {"cpu": wanted}}}), &object, expected);
    }
    let object = live(json!({"resources": {"other": {"cpu": "1"}}}), fields("f:other"), &[]);
    check(json!({"resources": {"other": {"cpu": "1000m"}}}), &object, false);
}
