//! The CustomResourceDefinitions, in install order.

use kube::core::CustomResourceExt;
use serde_json::{Value, json};

use crate::k8s::CustomResourceDefinition;
use crate::schema;
use crate::{SeiNode, SeiNodeDeployment, SeiNodeTask};

/// The definitions with their file names, as they are generated and installed.
pub fn crds() -> Vec<(&'static str, CustomResourceDefinition)> {
    vec![
        ("sei.io_seinodedeployments.yaml", schema::corrected(SeiNodeDeployment::crd())),
        ("sei.io_seinodes.yaml", schema::corrected(SeiNode::crd())),
        ("sei.io_seinodetasks.yaml", schema::corrected(SeiNodeTask::crd())),
    ]
}

/// The document of a definition, ready for YAML: no `status`, whole numbers without a fraction.
pub fn crd_document(crd: &CustomResourceDefinition) -> Value {
    let mut document = json!(crd);
    if let Some(fields) = document.as_object_mut() {
        fields.remove("status");
    }
    whole_numbers(&mut document);
    document
}

/// Bounds are floating-point in the Kubernetes types; every bound of ours is an integer.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().filter(|float| float.fract() == 0.0) {
                *value = json!(float as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
