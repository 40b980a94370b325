//! Specs and statuses as anybody may have stored them: drawn from the schema, so that a new field
//! is fed without being asked for.
//!
//! Values keep the form that the schema demands, and nothing else: words of other versions, numbers
//! at the ends of their range, tasks nobody knows, times in the past and in the future.

use proptest::prelude::*;
use sei_api::condition::Type;
use sei_api::{crd_document, crds};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Texts that mean something somewhere, and some that do not.
const TEXTS: &[&str] = &[
    "",
    "a",
    "v1",
    "v2",
    "pacific-1",
    "Future",
    "two words",
    "ü\u{1F980}",
    "1Gi",
    "15m",
    "01234567-89ab-4def-8123-456789abcdef",
    "753bf0c944503efa",
    "update-node-specs",
    "await-spec-update",
    "apply-statefulset",
    "replace-pod",
    "observe-image",
    "configure-genesis",
    "config-apply",
    "discover-peers",
    "mark-ready",
    "brew-coffee",
];
/// Before, at and after the time of the scenes, and the ends of what can be told.
const TIMES: &[&str] = &[
    "0001-01-01T00:00:00Z",
    "2025-12-31T23:00:00Z",
    "2026-01-01T00:00:00Z",
    "2026-01-01T01:00:00Z",
    "9999-12-31T23:59:59Z",
];
const NUMBERS: &[i64] =
    &[0, 1, 2, 3, 100, 101, -1, i32::MAX as i64, i32::MIN as i64, i64::MAX, i64::MIN];
/// Longer than any name, message or label may be.
const LONG: usize = 2000;

/// The schema of one part (`spec`, `status`) of a kind.
pub(crate) fn schema(kind: &str, part: &str) -> Value {
    let document = crds()
        .iter()
        .map(|(_, crd)| crd_document(crd))
        .find(|it| it["spec"]["names"]["kind"] == kind)
        .expect("a kind of ours");
    document["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][part].clone()
}

/// Any value of the schema that can be read.
pub(crate) fn any_of<T: DeserializeOwned + std::fmt::Debug>(
    schema: &Value,
) -> impl Strategy<Value = T> + use<T> {
    value(schema).prop_filter_map("unreadable", |it| serde_json::from_value(it).ok())
}

/// `good`, with something changed here and there.
pub(crate) fn around<T: Serialize + DeserializeOwned + std::fmt::Debug>(
    good: &T,
    schema: &Value,
) -> impl Strategy<Value = T> + use<T> {
    let good = serde_json::to_value(good).expect("an object of ours");
    near(&good, schema).prop_filter_map("unreadable", |it| serde_json::from_value(it).ok())
}

fn near(good: &Value, schema: &Value) -> BoxedStrategy<Value> {
    let kept = match (good, schema.get("properties"), schema.get("items")) {
        (Value::Object(fields), Some(Value::Object(properties)), _) => {
            let parts: Vec<_> = properties
                .iter()
                .map(|(name, property)| match fields.get(name) {
                    Some(good) if requires(schema, name) => sure(name, near(good, property)),
                    Some(good) => maybe(name, near(good, property), 0.97),
                    None => maybe(name, value(property), 0.04),
                })
                .collect();
            parts.prop_map(object).boxed()
        }
        (Value::Array(items), _, Some(entry)) => {
            let keys = keys(schema);
            let mut parts: Vec<_> = items.iter().map(|it| near_entry(it, entry)).collect();
            parts.push(maybe("", value(entry), 0.1));
            parts.prop_map(move |it| list(it, &keys)).boxed()
        }
        _ => Just(good.clone()).boxed(),
    };
    prop_oneof![24 => kept, 1 => value(schema)].boxed()
}

fn near_entry(good: &Value, schema: &Value) -> BoxedStrategy<Part> {
    maybe("", near(good, schema), 0.97)
}

fn value(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(words) = schema["enum"].as_array() {
        let mut words = words.clone();
        // A condition's status is Kubernetes' own; all other words are ours, and more may come.
        if !words.contains(&json!("True")) {
            words.push(json!("Future"));
        }
        return prop::sample::select(words).boxed();
    }
    if schema["x-kubernetes-int-or-string"] == json!(true) {
        return prop_oneof![text(), number()].boxed();
    }
    match schema["type"].as_str() {
        Some("object") => fields(schema),
        Some("array") => {
            let keys = keys(schema);
            let entries = prop::collection::vec(value(&schema["items"]), 0..3);
            let parts = entries.prop_map(|it| it.into_iter().map(|it| (String::new(), Some(it))));
            parts.prop_map(move |it| list(it.collect(), &keys)).boxed()
        }
        Some("integer") => number().boxed(),
        Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
        Some("string") if schema["format"] == "date-time" => {
            prop::sample::select(TIMES).prop_map(Value::from).boxed()
        }
        Some("string") => text().boxed(),
        _ => prop::sample::select(vec![json!({}), json!({ "a": [1] }), json!("x")]).boxed(),
    }
}

fn fields(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(values) = schema.get("additionalProperties") {
        let entry = (text_of(), value(values));
        let entries = prop::collection::vec(entry, 0..3);
        return entries.prop_map(|it| Value::Object(it.into_iter().collect())).boxed();
    }
    let parts: Vec<_> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, property)| match requires(schema, name) {
            true => sure(name, value(property)),
            false => maybe(name, value(property), 0.4),
        })
        .collect();
    parts.prop_map(object).boxed()
}

type Part = (String, Option<Value>);

fn requires(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|it| it.contains(&json!(name)))
}

fn sure(name: &str, value: BoxedStrategy<Value>) -> BoxedStrategy<Part> {
    let name = name.to_owned();
    value.prop_map(move |it| (name.clone(), Some(it))).boxed()
}

fn maybe(name: &str, value: BoxedStrategy<Value>, share: f64) -> BoxedStrategy<Part> {
    let name = name.to_owned();
    prop::option::weighted(share, value).prop_map(move |it| (name.clone(), it)).boxed()
}

fn object(parts: Vec<Part>) -> Value {
    let present = parts.into_iter().filter_map(|(name, value)| Some((name, value?)));
    Value::Object(present.collect::<Map<_, _>>())
}

/// The fields by which a server tells the entries of a list apart.
fn keys(list: &Value) -> Vec<String> {
    let keys = list["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
    keys.filter_map(|it| it.as_str().map(str::to_owned)).collect()
}

/// No two entries with the same keys: a server refuses that, whichever version wrote it.
fn list(parts: Vec<Part>, keys: &[String]) -> Value {
    let mut entries: Vec<Value> = Vec::new();
    for entry in parts.into_iter().filter_map(|(_, it)| it) {
        let same = |other: &Value| !keys.is_empty() && keys.iter().all(|it| other[it] == entry[it]);
        if !entries.iter().any(same) {
            entries.push(entry);
        }
    }
    Value::Array(entries)
}

fn text() -> impl Strategy<Value = Value> {
    text_of().prop_map(Value::from)
}

/// A text of ours, a condition's type, a long one, or any.
pub(crate) fn text_of() -> impl Strategy<Value = String> {
    let types: Vec<String> = Type::ALL.iter().map(|it| it.as_str().to_owned()).collect();
    prop_oneof![
        12 => prop::sample::select(TEXTS).prop_map(str::to_owned),
        3 => prop::sample::select(types),
        1 => Just("x".repeat(LONG)),
        1 => any::<String>(),
    ]
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![8 => prop::sample::select(NUMBERS), 1 => any::<i64>()].prop_map(Value::from)
}
