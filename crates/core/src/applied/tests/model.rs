//! A small model of server-side apply: shapes, the fields a configuration names, and the merge.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What the server knows about a part of an object.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// A value without parts.
    Scalar,
    /// Tracked as a whole.
    Atomic,
    /// Fields of their own shapes.
    Struct(BTreeMap<&'static str, Shape>),
    /// Free keys to scalars.
    Map,
    /// Elements recognised by these fields.
    Keyed(&'static [&'static str], Box<Shape>),
    /// Scalars recognised by themselves.
    Set,
}

pub(super) fn fields_of<const N: usize>(fields: [(&'static str, Shape); N]) -> Shape {
    Shape::Struct(fields.into())
}

fn key(fields: &[&str], element: &Value) -> String {
    let parts: Map<_, _> =
        fields.iter().map(|field| ((*field).to_owned(), element[*field].clone())).collect();
    format!("k:{}", Value::Object(parts))
}

/// The tree of fields that `value` names.
pub(super) fn fields(shape: &Shape, value: &Value) -> Value {
    let mut tree = Map::new();
    match shape {
        Shape::Scalar | Shape::Atomic => {}
        Shape::Struct(parts) => {
            for (name, value) in value.as_object().unwrap() {
                tree.insert(format!("f:{name}"), fields(&parts[name.as_str()], value));
            }
        }
        Shape::Map => {
            for name in value.as_object().unwrap().keys() {
                tree.insert(format!("f:{name}"), json!({}));
            }
        }
        Shape::Keyed(names, part) => {
            for element in value.as_array().unwrap() {
                let mut inner = fields(part, element);
                if !matches!(**part, Shape::Atomic) {
                    inner["."] = json!({});
                }
                tree.insert(key(names, element), inner);
            }
        }
        Shape::Set => {
            for element in value.as_array().unwrap() {
                tree.insert(format!("v:{element}"), json!({}));
            }
        }
    }
    Value::Object(tree)
}

/// `over` applied by force to what others put there.
pub(super) fn merge(shape: &Shape, under: &Value, over: &Value) -> Value {
    match shape {
        Shape::Scalar | Shape::Atomic => over.clone(),
        Shape::Map => merge_fields(&|_| Shape::Scalar, under, over),
        Shape::Struct(parts) => merge_fields(&|name| parts[name].clone(), under, over),
        Shape::Set => merge_elements(&|element| element.to_string(), &Shape::Scalar, under, over),
        Shape::Keyed(names, part) => {
            merge_elements(&|element| key(names, element), part, under, over)
        }
    }
}

fn merge_fields(shape: &dyn Fn(&str) -> Shape, under: &Value, over: &Value) -> Value {
    let mut merged = under.as_object().unwrap().clone();
    for (name, over) in over.as_object().unwrap() {
        let value = match under.get(name) {
            Some(under) => merge(&shape(name), under, over),
            None => over.clone(),
        };
        merged.insert(name.clone(), value);
    }
    Value::Object(merged)
}

/// Ours in our order, each followed by what others had put behind it.
fn merge_elements(
    identity: &dyn Fn(&Value) -> String,
    shape: &Shape,
    under: &Value,
    over: &Value,
) -> Value {
    let (under, over) = (under.as_array().unwrap(), over.as_array().unwrap());
    let is_ours = |it: &Value| over.iter().any(|ours| identity(ours) == identity(it));
    let mut merged: Vec<Value> = under.iter().take_while(|it| !is_ours(it)).cloned().collect();
    for ours in over {
        match under.iter().position(|it| identity(it) == identity(ours)) {
            Some(at) => {
                merged.push(merge(shape, &under[at], ours));
                merged.extend(under[at + 1..].iter().take_while(|it| !is_ours(it)).cloned());
            }
            None => merged.push(ours.clone()),
        }
    }
    Value::Array(merged)
}
