//! How a node's sidecar lives and dies with its pod; pure, so that it can be tested as a table.

use std::collections::BTreeMap;

use sei_api::k8s::Pod;
use sei_sidecar_sim::{NodeHandle, Sidecars};

/// Namespace and name of a SeiNode.
pub(super) type Key = (String, String);

/// The label that names the node of a pod.
const NODE_LABEL: &str = "sei.io/node";

/// Which pod of each node runs a sidecar now.
#[derive(Debug, Default)]
pub(super) struct SidecarLives {
    /// By node: the UID of the pod.
    running: BTreeMap<Key, String>,
}

/// The node that a pod belongs to.
pub(super) fn node_of(pod: &Pod) -> Option<Key> {
    let node = pod.metadata.labels.as_ref()?.get(NODE_LABEL)?;
    Some((pod.metadata.namespace.clone()?, node.clone()))
}

/// Whether the containers of a pod run.
fn is_running(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    phase == Some("Running") && pod.metadata.deletion_timestamp.is_none()
}

impl SidecarLives {
    /// Sees a pod as it is now.
    pub(super) fn seen(&mut self, sidecars: &Sidecars, pod: &Pod) {
        let (Some(key), Some(uid)) = (node_of(pod), pod.metadata.uid.clone()) else { return };
        if !is_running(pod) {
            self.gone(sidecars, pod);
            return;
        }
        let before = self.running.insert(key.clone(), uid.clone());
        if before.as_ref() == Some(&uid) {
            return;
        }
        let sidecar = handle(sidecars, &key);
        sidecar.add();
        match before {
            // The new pod was seen before the end of the old one.
            Some(_) => sidecar.restart(),
            None => sidecar.start(),
        }
        sidecar.reachable();
    }

    /// Sees that a pod is gone, or on its way.
    pub(super) fn gone(&mut self, sidecars: &Sidecars, pod: &Pod) {
        let Some(key) = node_of(pod) else { return };
        if self.running.get(&key) != pod.metadata.uid.as_ref() {
            return;
        }
        self.running.remove(&key);
        let sidecar = handle(sidecars, &key);
        sidecar.stop_gracefully();
        sidecar.unreachable();
    }

    /// Sees that a node's claim is gone: the next pod of that name finds an empty disk.
    pub(super) fn claim_gone(&mut self, sidecars: &Sidecars, key: &Key) {
        self.running.remove(key);
        handle(sidecars, key).remove();
    }

    /// Whether this very pod runs a sidecar whose gate is open.
    pub(super) fn is_ready(&self, sidecars: &Sidecars, pod: &Pod) -> bool {
        let runs = |key: &Key| self.running.get(key) == pod.metadata.uid.as_ref();
        node_of(pod).is_some_and(|key| runs(&key) && handle(sidecars, &key).is_ready())
    }
}

fn handle(sidecars: &Sidecars, (namespace, node): &Key) -> NodeHandle {
    sidecars.node(namespace, node)
}

#[cfg(test)]
mod tests;
