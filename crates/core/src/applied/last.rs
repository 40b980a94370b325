//! What a manager applied last, read back from the object.

use serde_json::{Map, Value};

use super::fields::Fields;
use super::record::Record;

/// What `manager` applied to `live` last, with the values that these fields have now.
///
/// Applied again it changes nothing but what the caller changes in it; that is how one field is
/// set without touching, and without taking over, any other. `None` if the manager never applied
/// the object. Of `metadata`, the name and namespace are added.
#[must_use]
pub fn last_applied(live: &Value, manager: &str) -> Option<Value> {
    let record = Record::of(live);
    let owned = record.applied_by(manager, &live["apiVersion"])?;
    let mut object = part(live, &owned);
    for path in ["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"] {
        if let Some(value) = live.pointer(path) {
            put(&mut object, path, value.clone());
        }
    }
    Some(object)
}

/// Sets the value at `path`, of one or two names.
fn put(object: &mut Value, path: &str, value: Value) {
    match path[1..].split_once('/') {
        Some((parent, name)) => object[parent][name] = value,
        None => object[&path[1..]] = value,
    }
}

/// Our part of `live`.
fn part(live: &Value, owned: &Fields<'_>) -> Value {
    match live {
        Value::Object(map) if owned.has_parts() => {
            let ours = owned.names().filter_map(|name| {
                let value = map.get(name)?;
                Some((name.to_owned(), part(value, &owned.child(name)?)))
            });
            Value::Object(ours.collect())
        }
        // We applied it empty, and others have filled it.
        Value::Object(_) if owned.is_granular() => Value::Object(Map::new()),
        Value::Array(list) if owned.has_parts() => {
            let elements: Vec<_> = owned.elements().collect();
            let ours = list.iter().filter_map(|live| {
                let element = elements.iter().find(|it| it.is(live))?;
                Some(part(live, &element.fields))
            });
            Value::Array(ours.collect())
        }
        Value::Object(_)
        | Value::Array(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_) => live.clone(),
    }
}
