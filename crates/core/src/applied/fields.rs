//! The fields that a manager applied, as `managedFields` records them.
//!
//! The record is a tree of objects. A key is `f:<name>` for a field, `k:<json>` for a list element
//! by its key fields, `v:<json>` for one by its value, `.` for the node itself.

use serde_json::Value;

/// A node of the tree: our applied fields at one path, and everybody else's beside them.
pub(super) struct Fields<'a> {
    pub(super) own: &'a Value,
    pub(super) others: Vec<&'a Value>,
    pub(super) whole: Whole,
}

/// What the server makes of a value that it tracks as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    /// It stores it as it was sent.
    Exact,
    /// It fills in fields that were left out.
    Defaulted,
}

/// One list element of the tree.
pub(super) struct Element<'a> {
    key: Key,
    /// The fields of the element.
    pub(super) fields: Fields<'a>,
}

/// How a list element is recognised.
enum Key {
    /// It has these fields.
    Fields(Value),
    /// It is this value.
    Value(Value),
}

impl<'a> Fields<'a> {
    /// The same fields, of a server that treats whole values so.
    pub(super) fn with(self, whole: Whole) -> Self {
        Self { whole, ..self }
    }

    /// What the server makes of a value that it tracks as a whole.
    pub(super) fn whole(&self) -> Whole {
        self.whole
    }

    /// Our fields below the field `name`, if it or anything in it is ours.
    pub(super) fn child(&self, name: &str) -> Option<Self> {
        self.below(&format!("f:{name}"))
    }

    /// Names of our fields.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        keys(self.own).filter_map(|key| key.strip_prefix("f:"))
    }

    /// Our list elements.
    pub(super) fn elements(&self) -> impl Iterator<Item = Element<'a>> {
        keys(self.own).filter_map(|key| {
            let parsed = match key.split_once(':')? {
                ("k", json) => Key::Fields(serde_json::from_str(json).ok()?),
                ("v", json) => Key::Value(serde_json::from_str(json).ok()?),
                _ => return None,
            };
            Some(Element { key: parsed, fields: self.below(key)? })
        })
    }

    /// Do we own parts of this value?
    pub(super) fn has_parts(&self) -> bool {
        has_parts(self.own)
    }

    /// Does the server track parts of this value? Not if it is a scalar or atomic. For an object
    /// that we applied empty, only the fields of others tell.
    pub(super) fn is_granular(&self) -> bool {
        self.has_parts() || self.others.iter().any(|it| has_parts(it))
    }

    fn below(&self, key: &str) -> Option<Self> {
        let others = self.others.iter().filter_map(|it| it.get(key));
        Some(Self { own: self.own.get(key)?, others: others.collect(), whole: self.whole })
    }
}

impl Element<'_> {
    /// Is `value` this element? A key field that it leaves out is one that the server defaults.
    pub(super) fn is(&self, value: &Value) -> bool {
        match &self.key {
            Key::Value(own) => own == value,
            Key::Fields(Value::Object(own)) => {
                value.is_object()
                    && own.iter().all(|(name, own)| value.get(name).is_none_or(|it| it == own))
            }
            Key::Fields(_) => false,
        }
    }
}

fn keys(node: &Value) -> impl Iterator<Item = &str> {
    node.as_object().into_iter().flatten().map(|(key, _)| key.as_str())
}

fn has_parts(node: &Value) -> bool {
    keys(node).any(|key| key != ".")
}
