//! The user that controllers run as: bound to the generated role and to nothing else.
//!
//! A verb that the role forgets fails a test here instead of a cluster later.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kube::api::{ApiResource, ListParams, Patch, PatchParams};
use kube::core::DynamicObject;
use kube::{Api, Client, Config};
use sei_api::SeiNode;
use sei_api::k8s::{ClusterRole, ClusterRoleBinding};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::control_plane::ControlPlane;

const USER: &str = "sei-operator-under-test";
const FIELD_MANAGER: &str = "sei-harness";
/// The API server reads roles from a cache of its own; a new binding works within this.
const PROPAGATION_TIMEOUT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

/// A kubeconfig file for the operator as a process: a user who may do what the generated role says.
///
/// # Errors
/// The role cannot be installed, or the cluster is only attached to.
pub async fn operator_kubeconfig(control_plane: &ControlPlane) -> Result<PathBuf> {
    operator(control_plane).await?;
    control_plane.user_kubeconfig(USER, &[])
}

/// Installs the role, binds the user, and waits until the binding works.
pub(super) async fn operator(control_plane: &ControlPlane) -> Result<Config> {
    let admin = control_plane.client()?;
    let name = install_role(&admin).await?;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": { "name": USER },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER }],
    });
    apply(&admin, &ApiResource::erase::<ClusterRoleBinding>(&()), &binding).await?;
    let config = control_plane.user(USER, &[]).await?;
    let nodes: Api<SeiNode> = Api::all(Client::try_from(config.clone())?);
    let deadline = Instant::now() + PROPAGATION_TIMEOUT;
    while let Err(err) = nodes.list(&ListParams::default().limit(1)).await {
        ensure!(Instant::now() < deadline, "the generated role does not take effect: {err}");
        tokio::time::sleep(POLL).await;
    }
    Ok(config)
}

/// Applies the generated ClusterRole and returns its name.
async fn install_role(admin: &Client) -> Result<String> {
    let path = crate::shipped("config/rbac/role.yaml");
    let shown = path.display();
    let text = fs::read_to_string(&path)
        .with_context(|| format!("no role at \"{shown}\"; run `make manifests`"))?;
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text)
        .with_context(|| format!("\"{shown}\" does not parse"))?;
    let role = documents
        .iter()
        .find(|document| document["kind"] == "ClusterRole")
        .with_context(|| format!("no ClusterRole in \"{shown}\""))?;
    apply(admin, &ApiResource::erase::<ClusterRole>(&()), role).await
}

async fn apply(admin: &Client, kind: &ApiResource, document: &Value) -> Result<String> {
    let name = document["metadata"]["name"].as_str().context("an object has no name")?;
    let api: Api<DynamicObject> = Api::all_with(admin.clone(), kind);
    api.patch(name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(document))
        .await
        .with_context(|| format!("cannot apply {} \"{name}\"", kind.kind))?;
    Ok(name.to_owned())
}
