//! What holds for every object and every configuration of it.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{is_applied, last_applied};
use super::MANAGER;
use super::model::{Shape, fields, fields_of, merge};

/// Something like a workload: every way in which the server tracks fields occurs.
fn shape() -> Shape {
    let port =
        fields_of([("port", Shape::Scalar), ("protocol", Shape::Scalar), ("title", Shape::Scalar)]);
    let env = fields_of([("name", Shape::Scalar), ("value", Shape::Scalar)]);
    let container = fields_of([
        ("name", Shape::Scalar),
        ("image", Shape::Scalar),
        ("args", Shape::Atomic),
        ("env", Shape::Keyed(&["name"], env.into())),
        ("ports", Shape::Keyed(&["port", "protocol"], port.into())),
    ]);
    let metadata = fields_of([
        ("labels", Shape::Map),
        ("finalizers", Shape::Set),
        ("ownerReferences", Shape::Keyed(&["uid"], Shape::Atomic.into())),
    ]);
    let spec = fields_of([
        ("replicas", Shape::Scalar),
        ("selector", Shape::Atomic),
        ("mode", fields_of([("height", Shape::Scalar)])),
        ("containers", Shape::Keyed(&["name"], container.into())),
    ]);
    fields_of([("metadata", metadata), ("spec", spec)])
}

fn scalar() -> BoxedStrategy<Value> {
    prop_oneof![(0..3).prop_map(|n| json!(n)), "[a-c]".prop_map(|text| json!(text))].boxed()
}

fn value(shape: &Shape) -> BoxedStrategy<Value> {
    match shape {
        Shape::Scalar => scalar(),
        Shape::Atomic => prop_oneof![
            vec(scalar(), 1..3).prop_map(|list| json!(list)),
            (scalar(), scalar()).prop_map(|(a, b)| json!({"a": a, "b": b})),
        ]
        .boxed(),
        Shape::Map => map(&["x", "y", "z"].map(|name| (name, Shape::Scalar)), &[]),
        Shape::Set => Just(vec![json!("p"), json!("q"), json!("r")])
            .prop_shuffle()
            .prop_flat_map(|all| (1..=all.len()).prop_map(move |n| json!(all[..n])))
            .boxed(),
        Shape::Struct(parts) => {
            let parts: Vec<_> = parts.iter().map(|(name, part)| (*name, part.clone())).collect();
            map(&parts, &[])
        }
        Shape::Keyed(keys, part) => elements(keys, part),
    }
}

/// An object with some of `parts`, and all of those that `required` names.
fn map(parts: &[(&'static str, Shape)], required: &[&str]) -> BoxedStrategy<Value> {
    let parts: Vec<_> = parts
        .iter()
        .map(|(name, part)| {
            let name = *name;
            let part = match required.contains(&name) {
                true => value(part).prop_map(Some).boxed(),
                false => option::of(value(part)).boxed(),
            };
            part.prop_map(move |value| (name, value))
        })
        .collect();
    parts
        .prop_map(|fields| {
            let present = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
            Value::Object(present.map(|(name, value)| (name.to_owned(), value)).collect())
        })
        .boxed()
}

/// Elements that differ in their keys.
fn elements(keys: &'static [&'static str], part: &Shape) -> BoxedStrategy<Value> {
    let element = match part {
        Shape::Struct(parts) => {
            let parts: Vec<_> = parts.iter().map(|(name, part)| (*name, part.clone())).collect();
            map(&parts, keys)
        }
        _ => scalar().prop_map(|uid| json!({"uid": uid, "kind": "K"})).boxed(),
    };
    vec(element, 1..4)
        .prop_map(move |mut list: Vec<Value>| {
            let mut seen = Vec::new();
            list.retain(|it| {
                let key: Vec<_> = keys.iter().map(|key| it[*key].clone()).collect();
                let is_new = !seen.contains(&key);
                seen.push(key);
                is_new
            });
            Value::Array(list)
        })
        .boxed()
}

/// The object after others put `foreign` there and we applied `ours`.
fn stored(ours: &Value, foreign: &Value) -> Value {
    let shape = shape();
    let entry = |manager: &str, operation: &str, value: &Value| {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1",
               "fieldsV1": fields(&shape, value)})
    };
    let mut live = merge(&shape, foreign, ours);
    live["metadata"]["managedFields"] =
        json!([entry("somebody", "Update", foreign), entry(MANAGER, "Apply", ours)]);
    complete(live)
}

fn complete(mut object: Value) -> Value {
    object["apiVersion"] = json!("v1");
    object["metadata"]["name"] = json!("n");
    object
}

/// JSON pointers to everything in `value`, at `path`, that is not a key of a list element.
fn parts(value: &Value, path: &str, found: &mut Vec<String>) {
    let keys = ["name", "port", "protocol", "uid"];
    let below: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(i, it)| (i.to_string(), it)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in below {
        let path = format!("{path}/{name}");
        if !keys.contains(&name.as_str()) {
            found.push(path.clone());
        }
        parts(value, &path, found);
    }
}

/// Every object that differs from `ours` in one part.
fn changes(ours: &Value) -> Vec<Value> {
    let mut paths = Vec::new();
    parts(ours, "", &mut paths);
    paths.retain(|path| path != "/metadata" && path != "/spec");
    let removed = paths.iter().map(|path| mutated(ours, path, true));
    let changed = paths.iter().map(|path| mutated(ours, path, false));
    removed.chain(changed).filter(|it| it != ours && is_known(&shape(), it)).collect()
}

/// `value` without the part at `path`, or with another scalar there.
fn mutated(value: &Value, path: &str, remove: bool) -> Value {
    let mut value = value.clone();
    let (parent, name) = path.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(map) if remove => drop(map.remove(name)),
        Value::Array(list) if remove => drop(list.remove(name.parse().unwrap())),
        parent => match parent {
            Value::Object(map) => change(map.get_mut(name).unwrap()),
            Value::Array(list) => change(&mut list[name.parse::<usize>().unwrap()]),
            _ => unreachable!("a parent has parts"),
        },
    }
    value
}

fn change(value: &mut Value) {
    match value {
        Value::Object(map) => drop(map.insert("extra".to_owned(), json!("changed"))),
        Value::Array(list) => list.reverse(),
        scalar => *scalar = json!("changed"),
    }
}

/// A configuration that names something in each half.
fn base() -> impl Strategy<Value = Value> {
    value(&shape()).prop_map(|mut object| {
        object["metadata"]["labels"]["always"] = json!("there");
        if object.get("spec").is_none() {
            object["spec"] = json!({"replicas": 1});
        }
        object
    })
}

/// Does the change add a field that the shape does not know? Then there is no such object.
fn is_known(shape: &Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::Struct(parts), Value::Object(map)) => map.iter().all(|(name, value)| {
            parts.get(name.as_str()).is_some_and(|part| is_known(part, value))
        }),
        (Shape::Keyed(_, part), Value::Array(list)) => {
            !list.is_empty() && list.iter().all(|it| is_known(part, it))
        }
        (Shape::Set, Value::Array(list)) => !list.is_empty(),
        (Shape::Map, Value::Object(_)) | (Shape::Atomic, _) => true,
        (Shape::Scalar, value) => !value.is_object() && !value.is_array(),
        _ => false,
    }
}

/// Removes a node from a tree of fields, and what is left without a field by that.
fn take(tree: &mut Value, path: &str) {
    let (parent, name) = path.rsplit_once('/').unwrap();
    let siblings = tree.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    siblings.remove(name);
    if siblings.is_empty() && !parent.is_empty() {
        take(tree, parent);
    }
}

proptest! {
    #[test]
    fn an_apply_that_was_made_is_seen(ours in base(), foreign in base()) {
        prop_assert!(is_applied(&complete(ours.clone()), &stored(&ours, &foreign), MANAGER));
    }

    /// And nothing more is in it than what was applied.
    #[test]
    fn what_was_applied_last_is_read_back(ours in base(), foreign in base()) {
        let live = stored(&ours, &foreign);
        prop_assert_eq!(last_applied(&live, MANAGER), Some(complete(ours)));
        prop_assert_eq!(last_applied(&live, "nobody"), None);
    }

    #[test]
    fn one_change_of_ours_is_seen_in_both_directions(
        ours in base(),
        foreign in base(),
        pick in any::<prop::sample::Index>(),
    ) {
        let changes = changes(&ours);
        let other: &Value = pick.get(&changes);
        let applied = |wanted: &Value, made: &Value| {
            is_applied(&complete(wanted.clone()), &stored(made, &foreign), MANAGER)
        };
        prop_assert!(!applied(other, &ours), "{other} after {ours}");
        prop_assert!(!applied(&ours, other), "{ours} after {other}");
    }

    #[test]
    fn a_field_that_another_manager_took_is_seen(
        ours in base(),
        foreign in base(),
        pick in any::<prop::sample::Index>(),
    ) {
        let live = stored(&ours, &foreign);
        let mut paths = Vec::new();
        parts(&live["metadata"]["managedFields"][1]["fieldsV1"], "", &mut paths);
        // Nobody can take a key field without taking its element.
        let keys = ["/.", "/f:name", "/f:port", "/f:protocol", "/f:uid"];
        paths.retain(|path| !keys.iter().any(|key| path.ends_with(key)));
        let mut taken = live.clone();
        let path: &String = pick.get(&paths);
        take(&mut taken["metadata"]["managedFields"][1]["fieldsV1"], path);
        prop_assert!(!is_applied(&complete(ours), &taken, MANAGER), "without {path}");
    }
}
