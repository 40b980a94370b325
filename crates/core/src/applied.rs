//! Would a server-side apply change anything? Answered from the object as it was last seen.
//!
//! The API server records which fields a manager applied last, in `metadata.managedFields`. An
//! apply changes nothing if it names exactly those fields and each has its value already. Fields
//! of others are theirs and do not count.

use serde_json::{Map, Value};

mod fields;
mod last;
mod record;

use fields::{Fields, Whole};
use record::Record;

pub use last::last_applied;
pub(crate) use record::names;
pub use record::pack;

use crate::quantity::Nanos;

/// Would a forced server-side apply of `desired` by `manager` leave `live` as it is?
///
/// True iff the manager's applied fields are exactly those of `desired`, and `live` has each value.
/// Lists are compared by the keys under which the server tracks their elements, in order; lists
/// and objects that it tracks as a whole are compared whole, so an atomic one must be rendered
/// with all values that the server would default. Under `resources.requests` and
/// `resources.limits`, quantities are compared by value, because the server rewrites them.
///
/// Both are complete objects: `desired` with its `apiVersion`, `live` with its `managedFields`.
/// An object without an entry for this manager was never applied by it: false. Status, and the
/// fields of `metadata` that the server sets, are left out.
#[must_use]
pub fn is_applied(desired: &Value, live: &Value, manager: &str) -> bool {
    is_applied_on(live, desired, manager, Whole::Exact)
}

/// The same for objects whose lists the server tracks whole and still fills in, as it does those
/// of custom resources.
///
/// What such a list has beyond `desired` is taken for a default. Nobody else can have put it
/// there: a change of any part makes the whole list theirs. A field that we once applied inside
/// such a list and no longer render stays unnoticed.
#[must_use]
pub fn is_applied_but_for_defaults(desired: &Value, live: &Value, manager: &str) -> bool {
    is_applied_on(live, desired, manager, Whole::Defaulted)
}

/// On a server that treats whole values so.
fn is_applied_on(live: &Value, desired: &Value, manager: &str, whole: Whole) -> bool {
    let record = Record::of(live);
    let owned = record.applied_by(manager, &desired["apiVersion"]);
    owned.is_some_and(|owned| matches(desired, live, &owned.with(whole)))
}

fn matches(desired: &Value, live: &Value, owned: &Fields<'_>) -> bool {
    match (desired.as_object(), live.as_object()) {
        (Some(desired), Some(live)) => entries(desired, live, owned, Place::Object),
        (Some(_) | None, Some(_) | None) => false,
    }
}

/// Where in the object we are, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At its root.
    Object,
    /// In its `metadata`.
    Metadata,
    /// In a container's or claim's `resources`.
    Resources,
    /// In its `requests` or `limits`, where values are quantities.
    Quantities,
    /// Anywhere else.
    Elsewhere,
}

impl Place {
    fn below(self, key: &str) -> Self {
        match (self, key) {
            (Self::Quantities, _) | (Self::Resources, "requests" | "limits") => Self::Quantities,
            (Self::Object, "metadata") => Self::Metadata,
            (Self::Object | Self::Metadata | Self::Resources | Self::Elsewhere, "resources") => {
                Self::Resources
            }
            (Self::Object | Self::Metadata | Self::Resources | Self::Elsewhere, _) => {
                Self::Elsewhere
            }
        }
    }

    /// Fields that the server takes out of every apply: they name the object or are its own.
    fn skipped(self) -> &'static [&'static str] {
        match self {
            Self::Object => &["apiVersion", "kind", "status"],
            Self::Metadata => &[
                "creationTimestamp",
                "generation",
                "managedFields",
                "name",
                "namespace",
                "resourceVersion",
                "selfLink",
                "uid",
            ],
            Self::Resources | Self::Quantities | Self::Elsewhere => &[],
        }
    }

    /// Does the server see anything of the field `key`?
    fn tracks(self, key: &str, value: &Value) -> bool {
        let inner = self.below(key);
        let is_skipped = |map: &Map<String, Value>| {
            inner == Self::Metadata && map.iter().all(|(key, value)| !inner.tracks(key, value))
        };
        let is_empty = value.as_array().is_some_and(Vec::is_empty);
        !(value.is_null()
            || is_empty
            || self.skipped().contains(&key)
            || value.as_object().is_some_and(is_skipped))
    }
}

/// An object whose fields are tracked one by one.
fn entries(
    desired: &Map<String, Value>,
    live: &Map<String, Value>,
    owned: &Fields<'_>,
    place: Place,
) -> bool {
    let wanted = |key: &str| desired.get(key).is_some_and(|value| !value.is_null());
    let mut owned_names = owned.names().filter(|key| !place.skipped().contains(key));
    owned_names.all(wanted)
        && desired.iter().filter(|(key, _)| !place.skipped().contains(&key.as_str())).all(
            |(key, value)| match owned.child(key) {
                Some(owned) => {
                    let live = live.get(key).unwrap_or(&Value::Null);
                    covers(value, live, &owned, place.below(key))
                }
                None => !place.tracks(key, value),
            },
        )
}

/// Is `desired` what `live` has, and are its fields those of `owned`?
fn covers(desired: &Value, live: &Value, owned: &Fields<'_>, place: Place) -> bool {
    match desired {
        Value::Object(map) if owned.has_parts() || place == Place::Metadata => {
            live.as_object().is_some_and(|live| entries(map, live, owned, place))
        }
        Value::Object(map) if map.is_empty() => leaves_room(live, owned),
        Value::Object(_) if owned.is_granular() => false,
        Value::Array(list) if owned.has_parts() => {
            live.as_array().is_some_and(|live| elements(list, live, owned))
        }
        Value::Array(list) if list.is_empty() => live.is_null() || desired == live,
        Value::Object(_) | Value::Array(_) | Value::Bool(_) | Value::Null => match owned.whole() {
            Whole::Exact => desired == live,
            Whole::Defaulted => is_filled(desired, live),
        },
        Value::Number(_) | Value::String(_) => {
            desired == live || (place == Place::Quantities && same_quantity(desired, live))
        }
    }
}

/// Is `live` what an empty object leads to? Typed objects lose it on their way through the server;
/// others may have filled it, unless it is atomic.
fn leaves_room(live: &Value, owned: &Fields<'_>) -> bool {
    match live {
        Value::Null => true,
        Value::Object(map) => map.is_empty() || owned.is_granular(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => false,
    }
}

/// A list whose elements are tracked one by one, by key or by value.
fn elements(desired: &[Value], live: &[Value], owned: &Fields<'_>) -> bool {
    let mut positions = Vec::with_capacity(desired.len());
    for element in owned.elements() {
        let wanted = desired.iter().position(|it| element.is(it));
        let found = live.iter().position(|it| element.is(it));
        match (wanted, found) {
            (Some(wanted), Some(found))
                if covers(&desired[wanted], &live[found], &element.fields, Place::Elsewhere) =>
            {
                positions.push((wanted, found));
            }
            (Some(_) | None, Some(_) | None) => return false,
        }
    }
    // An apply puts the elements into the order of `desired`, wherever those of others stand.
    positions.sort_unstable();
    positions.len() == desired.len()
        && positions.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1)
}

/// Is `live` what `desired` becomes when fields that it leaves out are filled in?
fn is_filled(desired: &Value, live: &Value) -> bool {
    match (desired, live) {
        (Value::Object(desired), Value::Object(live)) => desired
            .iter()
            .filter(|(_, value)| !value.is_null())
            .all(|(key, value)| live.get(key).is_some_and(|live| is_filled(value, live))),
        (Value::Array(desired), Value::Array(live)) => {
            desired.len() == live.len()
                && desired.iter().zip(live).all(|(desired, live)| is_filled(desired, live))
        }
        (desired, live) => desired == live,
    }
}

fn same_quantity(left: &Value, right: &Value) -> bool {
    let nanos = |value: &Value| match value {
        Value::String(text) => Nanos::parse(text),
        Value::Number(number) => Nanos::parse(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    matches!((nanos(left), nanos(right)), (Some(left), Some(right)) if left == right)
}

#[cfg(test)]
mod tests;
