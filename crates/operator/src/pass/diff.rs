//! The JSON merge patch that leads from one document to another.

use serde_json::{Map, Value};

/// What has to be merged into `before` to get `after`; `None` if nothing.
///
/// Members that are gone become explicit nulls; lists are replaced whole, as the format demands.
pub(super) fn diff(before: &Value, after: &Value) -> Option<Value> {
    match (before, after) {
        (before, after) if before == after => None,
        (Value::Object(before), Value::Object(after)) => {
            let mut patch = Map::new();
            for key in before.keys().filter(|key| !after.contains_key(*key)) {
                patch.insert(key.clone(), Value::Null);
            }
            for (key, value) in after {
                let old = before.get(key).unwrap_or(&Value::Null);
                // An object that is new is merged into nothing, so it goes whole.
                if let Some(change) = diff(old, value) {
                    patch.insert(key.clone(), change);
                }
            }
            Some(Value::Object(patch))
        }
        (_, after) => Some(after.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_holds_only_what_changed() {
        let table = [
            (json!({}), json!({}), None),
            (json!({"a": 1}), json!({"a": 1}), None),
            (json!({"a": 1}), json!({"a": 2}), Some(json!({"a": 2}))),
            (json!({"a": 1, "b": 2}), json!({"a": 1}), Some(json!({"b": null}))),
            (json!({}), json!({"plan": {"id": "x"}}), Some(json!({"plan": {"id": "x"}}))),
            (
                json!({"plan": {"id": "x", "phase": "Active"}}),
                json!({"plan": {"id": "y", "phase": "Active"}}),
                Some(json!({"plan": {"id": "y"}})),
            ),
            (json!({"l": [1, 2]}), json!({"l": [1, 3]}), Some(json!({"l": [1, 3]}))),
            (json!({"o": {"a": 1}}), json!({"o": {}}), Some(json!({"o": {"a": null}}))),
            (Value::Null, json!({"a": {}}), Some(json!({"a": {}}))),
        ];
        for (before, after, expected) in table {
            assert_eq!(diff(&before, &after), expected, "{before} -> {after}");
        }
    }

    proptest::proptest! {
        #[test]
        fn merging_the_patch_leads_there(before in document(), after in document()) {
            let mut merged = before.clone();
            if let Some(patch) = diff(&before, &after) {
                merge(&mut merged, &patch);
            }
            proptest::prop_assert_eq!(merged, after);
        }
    }

    /// RFC 7386, as it is written there.
    fn merge(target: &mut Value, patch: &Value) {
        let Value::Object(patch) = patch else {
            *target = patch.clone();
            return;
        };
        if !target.is_object() {
            *target = json!({});
        }
        let Value::Object(target) = target else { return };
        for (key, value) in patch {
            if value.is_null() {
                target.remove(key);
            } else {
                merge(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
    }

    /// Documents without nulls, which a merge patch cannot express.
    fn document() -> impl proptest::strategy::Strategy<Value = Value> {
        use proptest::prelude::*;
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            (0..3_i64).prop_map(Value::from),
            "[a-b]{0,2}".prop_map(Value::from),
        ];
        let tree = leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[a-c]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        });
        proptest::collection::btree_map("[a-c]", tree, 0..4)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    }
}
