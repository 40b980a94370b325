//! A toy API server: what becomes of an object when it is applied, created or relabelled.

use sei_api::k8s;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// `desired` applied by `manager` over `live`, as it is stored.
///
/// Labels, annotations and the fields of a node's spec are tracked one by one, everything else as a
/// whole. The version moves when anything changes, the generation when the spec does.
pub(crate) fn applied<T>(live: Option<&T>, desired: &T, manager: &str) -> T
where
    T: Serialize + DeserializeOwned,
{
    let desired = serde_json::to_value(desired).unwrap();
    let before = live.map(|it| serde_json::to_value(it).unwrap());
    let mut after = before.clone().unwrap_or_else(|| json!({"metadata": {}}));
    for (key, value) in desired.as_object().unwrap() {
        if key == "spec" && is_node(&desired) {
            let old = after.clone();
            after[key] = Value::Object(tracked(&old, &desired, key, manager));
        } else if !matches!(key.as_str(), "metadata" | "status") {
            after[key] = value.clone();
        }
    }
    let (old, new) = (after["metadata"].clone(), &desired["metadata"]);
    let meta = after["metadata"].as_object_mut().unwrap();
    for key in ["name", "namespace"] {
        meta.insert(key.to_owned(), new[key].clone());
    }
    for key in ["labels", "annotations"] {
        let map = tracked(&old, new, key, manager);
        if !map.is_empty() {
            meta.insert(key.to_owned(), Value::Object(map));
        }
    }
    meta.insert("ownerReferences".to_owned(), owners(&old, new));
    meta.insert("managedFields".to_owned(), managed(&old, &desired, manager));
    stored(before.as_ref(), after)
}

/// What the server does to every object that is written.
fn stored<T: DeserializeOwned>(before: Option<&Value>, mut after: Value) -> T {
    let number = |key: &str| {
        let it = before.map(|it| it["metadata"][key].clone()).unwrap_or_default();
        it.as_i64().or_else(|| it.as_str()?.parse().ok()).unwrap_or_default()
    };
    if before.is_none_or(|it| *it != after) {
        let edited = before.is_none_or(|it| it["spec"] != after["spec"]);
        after["metadata"]["generation"] = json!(number("generation") + i64::from(edited));
        after["metadata"]["resourceVersion"] = json!((number("resourceVersion") + 1).to_string());
    }
    serde_json::from_value(after).unwrap()
}

/// The map at `key` with what `manager` once put there replaced by what it wants now.
fn tracked(old: &Value, new: &Value, key: &str, manager: &str) -> Map<String, Value> {
    let mut map = old[key].as_object().cloned().unwrap_or_default();
    let of = |object: &Value| object["managedFields"].as_array().cloned();
    let entries = of(old).or_else(|| of(&old["metadata"])).unwrap_or_default();
    let entry = entries.iter().find(|it| it["manager"] == manager).map(|it| &it["fieldsV1"]);
    let parent = if key == "spec" { "" } else { "/f:metadata" };
    let ours = entry.and_then(|it| it.pointer(&format!("{parent}/f:{key}"))?.as_object());
    for name in ours.into_iter().flat_map(Map::keys) {
        map.remove(name.trim_start_matches("f:"));
    }
    map.extend(new[key].as_object().cloned().unwrap_or_default());
    map
}

fn owners(old: &Value, new: &Value) -> Value {
    let wanted = new["ownerReferences"].as_array().cloned().unwrap_or_default();
    let kept = old["ownerReferences"].as_array().cloned().unwrap_or_default();
    let mut owners: Vec<Value> =
        kept.into_iter().filter(|it| wanted.iter().all(|new| new["uid"] != it["uid"])).collect();
    owners.extend(wanted);
    Value::Array(owners)
}

fn managed(old: &Value, desired: &Value, manager: &str) -> Value {
    let mut entries = old["managedFields"].as_array().cloned().unwrap_or_default();
    entries.retain(|it| it["manager"] != manager);
    let mut fields = Map::new();
    for (key, value) in desired.as_object().unwrap() {
        let below = match key.as_str() {
            "metadata" => metadata_fields(value),
            "spec" if is_node(desired) => names(value),
            _ => json!({}),
        };
        if !matches!(key.as_str(), "apiVersion" | "kind" | "status") {
            fields.insert(format!("f:{key}"), below);
        }
    }
    entries.push(json!({
        "manager": manager,
        "operation": "Apply",
        "apiVersion": desired["apiVersion"],
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }));
    Value::Array(entries)
}

fn metadata_fields(metadata: &Value) -> Value {
    let mut fields = Map::new();
    for key in ["labels", "annotations"] {
        if metadata[key].is_object() {
            fields.insert(format!("f:{key}"), names(&metadata[key]));
        }
    }
    if metadata["ownerReferences"].is_array() {
        fields.insert("f:ownerReferences".to_owned(), json!({}));
    }
    Value::Object(fields)
}

fn is_node(object: &Value) -> bool {
    object["kind"] == "SeiNode"
}

/// One field for each key of `map`.
fn names(map: &Value) -> Value {
    let keys = map.as_object().unwrap().keys();
    Value::Object(keys.map(|name| (format!("f:{name}"), json!({}))).collect())
}

/// Whose an object at one of our names can be, in one word; `label` and `kind` are the owner's.
pub(crate) fn disown(meta: &mut k8s::ObjectMeta, whose: &str, kind: &str, name: &str) {
    let controller = |kind: &str, name: &str, uid: &str| k8s::OwnerReference {
        api_version: sei_api::API_VERSION.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        uid: uid.to_owned(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    };
    match whose {
        "ours" => {}
        "terminating" => meta.deletion_timestamp = Some(k8s::Time(jiff::Timestamp::UNIX_EPOCH)),
        "orphan" => meta.owner_references = None,
        "leftover" => meta.owner_references = Some(vec![controller(kind, name, "before")]),
        "theirs" => meta.owner_references = Some(vec![controller("Other", "else", "other")]),
        "foreign" => {
            meta.owner_references = None;
            meta.labels = None;
        }
        other => panic!("nobody is \"{other}\""),
    }
}
