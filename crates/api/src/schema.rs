//! What the derived schemas cannot say or say wrongly, each with its reason.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::json;

use crate::k8s::CustomResourceDefinition;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};

/// A name without dots: of a claim, Secret or SeiNode, and of a chain, which is a label value.
pub const DNS_LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

/// Name of a keyring entry.
pub const KEY_NAME: &str = "^[a-zA-Z0-9_-]+$";

/// The form of a Kubernetes quantity.
const QUANTITY: &str = concat!(
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))",
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$",
);

/// The form of a condition reason.
const REASON: &str = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$";

/// The form of a condition type: a word, with or without a DNS prefix.
const CONDITION_TYPE: &str = concat!(
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?",
    "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
);

/// The definition as it is installed.
///
/// - `Option` derives `nullable`. A server stores an explicit null then and applies no default to
///   it; without `nullable` it prunes the null, so that null means absent.
/// - The types of an integer-or-text are lifted out of `anyOf`, where alone they are allowed.
/// - The root title repeats the kind.
pub fn corrected(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    for version in &mut crd.spec.versions {
        let root = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut());
        if let Some(root) = root {
            root.title = None;
            walk(root);
        }
    }
    crd
}

fn walk(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    if schema.x_kubernetes_int_or_string == Some(true) {
        schema.any_of = Some(["integer", "string"].map(of_type).to_vec());
    }
    if let Some(words) = &mut schema.enum_ {
        words.retain(|word| !word.0.is_null());
    }
    for property in schema.properties.iter_mut().flatten() {
        walk(property.1);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        walk(values);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        walk(items);
    }
}

fn of_type(name: &str) -> JSONSchemaProps {
    JSONSchemaProps { type_: Some(name.to_owned()), ..JSONSchemaProps::default() }
}

/// Requires a field that has a default in both worlds: the server fills it in, so that it is
/// never missing, and a Go client always writes it.
pub fn require_replicas(schema: &mut Schema) {
    let required = schema.ensure_object().entry("required").or_insert_with(|| json!([]));
    if let Some(names) = required.as_array_mut() {
        names.push(json!("replicas"));
    }
}

/// Any JSON value. The derived schema is empty, which a server refuses.
pub fn any_json(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
}

/// A map to any JSON values. The derived schema prunes what is inside the values, silently.
pub fn any_json_values(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": any_json(generator) })
}

/// An integer without a format, as a plain Go `int` has it.
pub fn plain_integer(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer" })
}

/// A count of children or a percentage of them. The derived schema bounds neither. What is meant
/// without one depends on the mode, so the schema has no default.
pub fn max_unavailable(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "minimum": 1,
        "maximum": 100,
        "maxLength": 4,
        "pattern": "^(100|[1-9][0-9]?)%$",
        "x-kubernetes-int-or-string": true,
    })
}

/// Compute resources. The derived schema lets any text pass for a quantity and lists a claim twice.
pub fn resource_requirements(_: &mut SchemaGenerator) -> Schema {
    let quantities = json_schema!({
        "type": "object",
        "additionalProperties": {
            "pattern": QUANTITY,
            "x-kubernetes-int-or-string": true,
        },
    });
    json_schema!({
        "type": "object",
        "properties": {
            "claims": {
                "description": "Resource claims of the pod that the container uses.",
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": { "description": "Name of the claim.", "type": "string" },
                        "request": {
                            "description": "Request in the claim; absent means all of it.",
                            "type": "string",
                        },
                    },
                },
                "x-kubernetes-list-map-keys": ["name"],
                "x-kubernetes-list-type": "map",
            },
            "limits": quantities.clone(),
            "requests": quantities,
        },
    })
}

/// Conditions. The derived schema has no bounds and makes the list atomic, so that two field
/// managers could not each own a condition.
pub fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "lastTransitionTime": {
                    "description": "When `status` last changed.",
                    "type": "string",
                    "format": "date-time",
                },
                "message": {
                    "description": "What a person should know.",
                    "type": "string",
                    "maxLength": 32768,
                },
                "observedGeneration": {
                    "description": "The generation that the condition speaks about.",
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0,
                },
                "reason": {
                    "description": "Why the condition has its status, in one word.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024,
                    "pattern": REASON,
                },
                "status": {
                    "description": "Whether the condition holds.",
                    "type": "string",
                    "enum": ["True", "False", "Unknown"],
                },
                "type": {
                    "description": "What the condition states.",
                    "type": "string",
                    "maxLength": 316,
                    "pattern": CONDITION_TYPE,
                },
            },
        },
        "x-kubernetes-list-map-keys": ["type"],
        "x-kubernetes-list-type": "map",
    })
}
