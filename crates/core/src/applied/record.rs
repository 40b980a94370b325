//! The record of field managers of an object, as the server keeps it or packed.

use std::borrow::Cow;

use sei_api::k8s::{FieldsV1, ManagedFieldsEntry};
use serde_json::Value;

use super::fields::{Fields, Whole};

/// Replaces every tree of fields by its text, which weighs a tenth of it. The functions of this
/// module read both.
pub fn pack(entries: &mut [ManagedFieldsEntry]) {
    for FieldsV1(fields) in entries.iter_mut().filter_map(|it| it.fields_v1.as_mut()) {
        if fields.is_object() {
            *fields = Value::String(fields.to_string());
        }
    }
}

/// Does `entry`, packed or not, name the field at `path`, such as `/f:spec/f:paused`?
pub(crate) fn names(entry: &ManagedFieldsEntry, path: &str) -> bool {
    let fields = entry.fields_v1.as_ref();
    fields.is_some_and(|it| unpacked(&it.0).pointer(path).is_some())
}

/// Who applied which fields of an object.
pub(super) struct Record<'a> {
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    said: &'a Value,
    fields: Cow<'a, Value>,
}

impl<'a> Record<'a> {
    /// The record of `live`; empty if it has none.
    pub(super) fn of(live: &'a Value) -> Self {
        let entries = live["metadata"]["managedFields"].as_array().into_iter().flatten();
        let unpacked =
            entries.map(|said| Entry { said, fields: unpacked(&said["fieldsV1"]) }).collect();
        Self { entries: unpacked }
    }

    /// What `manager` applied last, as `api_version`; `None` if it never did.
    pub(super) fn applied_by(&self, manager: &str, api_version: &Value) -> Option<Fields<'_>> {
        let is_own = |entry: &&Entry<'_>| {
            entry.said["manager"] == *manager
                && entry.said["operation"] == "Apply"
                && entry.said["subresource"].as_str().unwrap_or_default().is_empty()
        };
        let own = self.entries.iter().find(is_own);
        let own = own.filter(|it| it.said["apiVersion"] == *api_version)?;
        let others = self.entries.iter().filter(|entry| !is_own(entry));
        let others = others.map(|it| it.fields.as_ref()).collect();
        Some(Fields { own: &own.fields, others, whole: Whole::Exact })
    }
}

/// Text that is no tree names no fields.
fn unpacked(fields: &Value) -> Cow<'_, Value> {
    match fields {
        Value::String(text) => Cow::Owned(serde_json::from_str(text).unwrap_or_default()),
        tree => Cow::Borrowed(tree),
    }
}
