//! The gauges: computed from the stores at each scrape, so that they are never older than the cache
//! and vanish with their object.

use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use sei_api::{DeploymentPhase, NodePhase};

use super::table::{self, Info};
use crate::controller::Controller;

/// What the stores hold now. Called at each scrape: must be cheap and must not wait.
pub trait Snapshot: Send + Sync + 'static {
    /// Every node, in the order of namespace and name.
    fn nodes(&self) -> Vec<NodeSample>;
    /// Every fleet, in the order of namespace and name.
    fn fleets(&self) -> Vec<FleetSample>;
}

/// What a scrape shows of a `SeiNode`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSample {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// `status.phase`; absent before the first status write, and then no phase is shown.
    pub phase: Option<NodePhase>,
    /// `status.plan` is Active.
    pub plan_active: bool,
    /// What the last probe of its sidecar found; absent before the first.
    pub sidecar_ready: Option<bool>,
}

/// What a scrape shows of a `SeiNodeDeployment`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetSample {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// `status.phase`; absent before the first status write, and then no phase is shown.
    pub phase: Option<DeploymentPhase>,
    /// `status.plan` is Active.
    pub plan_active: bool,
    /// `spec.replicas`.
    pub replicas_desired: i32,
    /// `status.readyReplicas`.
    pub replicas_ready: i32,
}

/// Encodes the gauges of whatever snapshot was handed in; nothing before that.
#[derive(Clone, Default)]
pub(super) struct Gauges(Arc<OnceLock<Arc<dyn Snapshot>>>);

impl Gauges {
    /// The first snapshot wins: there is one set of stores in a process.
    pub(super) fn show(&self, snapshot: Arc<dyn Snapshot>) {
        // A second call changes nothing, which is what it should do.
        let _ = self.0.set(snapshot);
    }
}

impl fmt::Debug for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gauges")
    }
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (nodes, fleets) = match self.0.get() {
            Some(snapshot) => (snapshot.nodes(), snapshot.fleets()),
            None => (Vec::new(), Vec::new()),
        };
        node_phases(describe(&mut encoder, &table::SEINODE_PHASE)?, &nodes)?;
        sidecars(describe(&mut encoder, &table::SEINODE_SIDECAR_READY)?, &nodes)?;
        fleet_phases(describe(&mut encoder, &table::DEPLOYMENT_PHASE)?, &fleets)?;
        replicas(describe(&mut encoder, &table::DEPLOYMENT_REPLICAS)?, &fleets)?;
        plans(describe(&mut encoder, &table::PLAN_ACTIVE)?, &nodes, &fleets)
    }
}

fn describe<'e>(
    encoder: &'e mut DescriptorEncoder<'_>,
    info: &'static Info,
) -> Result<MetricEncoder<'e>, fmt::Error> {
    encoder.encode_descriptor(info.name, &format!("{}.", info.help), None, MetricType::Gauge)
}

fn node_phases(mut gauge: MetricEncoder<'_>, nodes: &[NodeSample]) -> fmt::Result {
    for node in nodes {
        let Some(phase) = &node.phase else { continue };
        for word in NodePhase::WORDS {
            let labels = [("namespace", &*node.namespace), ("name", &node.name), ("phase", *word)];
            set(&mut gauge, &labels, i64::from(*word == phase.as_str()))?;
        }
    }
    Ok(())
}

fn sidecars(mut gauge: MetricEncoder<'_>, nodes: &[NodeSample]) -> fmt::Result {
    for node in nodes {
        let Some(ready) = node.sidecar_ready else { continue };
        let labels = [("namespace", &*node.namespace), ("name", &*node.name)];
        set(&mut gauge, &labels, i64::from(ready))?;
    }
    Ok(())
}

fn fleet_phases(mut gauge: MetricEncoder<'_>, fleets: &[FleetSample]) -> fmt::Result {
    for fleet in fleets {
        let Some(phase) = &fleet.phase else { continue };
        for word in DeploymentPhase::WORDS {
            let labels =
                [("namespace", &*fleet.namespace), ("name", &fleet.name), ("phase", *word)];
            set(&mut gauge, &labels, i64::from(*word == phase.as_str()))?;
        }
    }
    Ok(())
}

fn replicas(mut gauge: MetricEncoder<'_>, fleets: &[FleetSample]) -> fmt::Result {
    for fleet in fleets {
        let counts = [("desired", fleet.replicas_desired), ("ready", fleet.replicas_ready)];
        for (state, count) in counts {
            let labels =
                [("namespace", &*fleet.namespace), ("name", &fleet.name), ("replica_state", state)];
            set(&mut gauge, &labels, i64::from(count))?;
        }
    }
    Ok(())
}

fn plans(
    mut gauge: MetricEncoder<'_>,
    nodes: &[NodeSample],
    fleets: &[FleetSample],
) -> fmt::Result {
    let nodes = nodes.iter().map(|n| (Controller::Node, &n.namespace, &n.name, n.plan_active));
    let fleets =
        fleets.iter().map(|f| (Controller::Deployment, &f.namespace, &f.name, f.plan_active));
    for (controller, namespace, name, active) in nodes.chain(fleets) {
        let labels = [("controller", controller.name()), ("namespace", namespace), ("name", name)];
        set(&mut gauge, &labels, i64::from(active))?;
    }
    Ok(())
}

fn set(gauge: &mut MetricEncoder<'_>, labels: &impl EncodeLabelSet, value: i64) -> fmt::Result {
    ConstGauge::new(value).encode(gauge.encode_family(labels)?)
}
