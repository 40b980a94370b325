//! What a scrape shows of the stores.

use std::sync::Arc;

use sei_api::k8s::Resource as _;
use sei_core::plan::is_active;

use crate::cluster::Key;
use crate::cluster::stores::Stores;
use crate::metrics::{FleetSample, NodeSample, Snapshot};
use crate::sidecars::Sidecars;

/// Reads the stores for the metrics.
pub(super) struct Shown {
    pub(super) stores: Arc<Stores>,
    pub(super) sidecars: Arc<Sidecars>,
}

impl Snapshot for Shown {
    fn nodes(&self) -> Vec<NodeSample> {
        let nodes = self.stores.nodes.all();
        let sample = |node: &Arc<sei_api::SeiNode>| {
            let key = Key::of(node.meta());
            let status = node.status.as_ref();
            NodeSample {
                sidecar_ready: self.sidecars.last_ready(&key),
                namespace: key.namespace,
                name: key.name,
                phase: status.and_then(|it| it.phase.clone()),
                plan_active: is_active(status.and_then(|it| it.plan.as_ref())),
            }
        };
        nodes.iter().map(sample).collect()
    }

    fn fleets(&self) -> Vec<FleetSample> {
        let fleets = self.stores.fleets.all();
        let sample = |fleet: &Arc<sei_api::SeiNodeDeployment>| {
            let key = Key::of(fleet.meta());
            let status = fleet.status.as_ref();
            FleetSample {
                namespace: key.namespace,
                name: key.name,
                phase: status.and_then(|it| it.phase.clone()),
                plan_active: is_active(status.and_then(|it| it.plan.as_ref())),
                replicas_desired: fleet.spec.replicas,
                replicas_ready: status.map_or(0, |it| it.ready_replicas),
            }
        };
        fleets.iter().map(sample).collect()
    }
}
