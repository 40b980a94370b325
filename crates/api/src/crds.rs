//! The CustomResourceDefinitions, in install order.

use kube::core::CustomResourceExt;

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

/// The document of a definition, ready for YAML: no empty `status`, nothing that a server adds.
pub fn crd_document(crd: &CustomResourceDefinition) -> serde_json::Value {
    let mut document = serde_json::json!(crd);
    if let Some(fields) = document.as_object_mut() {
        fields.remove("status");
    }
    document
}
