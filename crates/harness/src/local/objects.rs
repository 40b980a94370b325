//! What a local cluster begins with: nodes, storage classes, namespaces, the operator's role.

use anyhow::{Context, Result};
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Value, json};

use super::machines;
use crate::shipped;

/// The pool that pods of nodes other than archives ask for.
pub const NODE_POOL: &str = "sei-node";
/// The account that pods of nodes run as; the operator does not make it.
pub const NODE_SERVICE_ACCOUNT: &str = "seid-node";
/// Keeps other pods off the pools.
pub(super) const TOLERATION_KEY: &str = "sei.io/workload";
/// Who the operator is in this cluster.
pub(super) const OPERATOR_USER: &str = "sei-operator";
/// The classes that claims may name.
pub(super) const STORAGE_CLASSES: [&str; 3] = ["gp3", "gp3-10k-750", "gp3-archive"];

const NODES: [&str; 2] = ["node-a", "node-b"];
const FIELD_MANAGER: &str = "sei-local";

/// Nodes and storage classes.
pub(super) async fn create(client: &Client) -> Result<()> {
    for name in NODES {
        machines::join(client, name, NODE_POOL).await?;
    }
    for object in STORAGE_CLASSES.map(storage_class) {
        apply(client, &object).await?;
    }
    Ok(())
}

/// A namespace with the service account of the nodes.
pub(super) async fn create_namespace(client: &Client, name: &str) -> Result<()> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    apply(client, &namespace).await?;
    let account = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": NODE_SERVICE_ACCOUNT, "namespace": name},
    });
    apply(client, &account).await
}

/// Applies the shipped role and binds it to [`OPERATOR_USER`].
pub(super) async fn grant_role(client: &Client) -> Result<()> {
    let path = shipped("config/rbac/role.yaml");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read \"{}\"; run `make manifests`", path.display()))?;
    let role: Value = serde_saphyr::from_str(&text).context("the role does not parse")?;
    apply(client, &role).await?;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "manager-rolebinding"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": role["metadata"]["name"],
        },
        "subjects": [{
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "User",
            "name": OPERATOR_USER,
        }],
    });
    apply(client, &binding).await
}

fn storage_class(name: &str) -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "sei.io/local",
        "volumeBindingMode": "Immediate",
    })
}

/// Server-side apply of any object.
pub(super) async fn apply(client: &Client, object: &Value) -> Result<()> {
    let object: DynamicObject = serde_json::from_value(object.clone())?;
    let types = object.types.clone().context("an object without kind")?;
    let resource = ApiResource::from_gvk(&GroupVersionKind::try_from(&types)?);
    let name = object.metadata.name.clone().context("an object without name")?;
    let api: Api<DynamicObject> = match &object.metadata.namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    api.patch(&name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(&object))
        .await
        .with_context(|| format!("cannot apply {} \"{name}\"", types.kind))?;
    Ok(())
}
