//! The machines of the local cluster: they join, and lose and get back their power.
//!
//! A machine without power neither renews its lease nor runs, probes or ends a pod; all else is
//! what the real controllers make of that.

use anyhow::{Context, Result};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use sei_api::k8s::Node;
use serde_json::json;

use super::objects::{TOLERATION_KEY, apply};

/// The label that tells whether a machine has power; absent means that it has.
const POWER_LABEL: &str = "local.sei.io/power";
/// The machines that kwok plays: those with power.
pub(super) const WITH_POWER: &str = "local.sei.io/power!=off";

/// Whether a machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// Its kubelet works.
    On,
    /// Its kubelet is silent, and whatever ran on it is gone.
    Off,
}

/// A machine joins `pool`; only pods of nodes that ask for the pool run there.
///
/// # Errors
/// The API server refuses it.
pub async fn join(client: &Client, name: &str, pool: &str) -> Result<()> {
    let node = json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {
            "karpenter.sh/nodepool": pool,
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
        }},
        "spec": {"taints": [
            {"key": TOLERATION_KEY, "value": pool, "effect": "NoSchedule"},
            // As a kubelet registers; the node lifecycle controller takes it away.
            {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"},
        ]},
    });
    apply(client, &node).await
}

/// Takes a machine's power, or gives it back.
///
/// # Errors
/// There is no such machine.
pub async fn switch(client: &Client, name: &str, power: Power) -> Result<()> {
    let label = match power {
        Power::On => None,
        Power::Off => Some("off"),
    };
    let patch = Patch::Merge(json!({"metadata": {"labels": {POWER_LABEL: label}}}));
    let nodes: Api<Node> = Api::all(client.clone());
    let switched = nodes.patch(name, &PatchParams::default(), &patch).await;
    switched.with_context(|| format!("cannot switch machine \"{name}\" {power:?}"))?;
    Ok(())
}

/// Whether a machine has power.
pub(super) fn power(machine: &Node) -> Power {
    let label = machine.metadata.labels.as_ref().and_then(|it| it.get(POWER_LABEL));
    if label.is_some_and(|it| it == "off") { Power::Off } else { Power::On }
}
