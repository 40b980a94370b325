//! The gauges: computed from the stores at each scrape, so that they are never older than the cache
//! and vanish with their object.

use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
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

/// What a scrape shows of an object of either kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectSample {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// `spec.paused`.
    pub paused: bool,
    /// Reason of the condition `Stalled` while that is true.
    pub stalled: Option<&'static str>,
    /// Reason of the condition `Ready` while that is there and not true.
    pub not_ready: Option<&'static str>,
    /// `status.plan`, if there is one.
    pub plan: Option<PlanSample>,
}

/// What a scrape shows of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanSample {
    /// It is Active.
    pub active: bool,
    /// It is Failed.
    pub failed: bool,
    /// How many plans for its target were made in a row, itself included.
    pub attempt: u32,
}

/// What a scrape shows of a `SeiNode`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSample {
    /// What both kinds have.
    pub object: ObjectSample,
    /// `status.phase`; absent before the first status write, and then no phase is shown.
    pub phase: Option<NodePhase>,
    /// What the last probe of its sidecar found; absent before the first.
    pub sidecar_ready: Option<bool>,
}

/// What a scrape shows of a `SeiNodeDeployment`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetSample {
    /// What both kinds have.
    pub object: ObjectSample,
    /// `status.phase`; absent before the first status write, and then no phase is shown.
    pub phase: Option<DeploymentPhase>,
    /// `spec.replicas`.
    pub replicas_desired: i32,
    /// `status.readyReplicas`.
    pub replicas_ready: i32,
    /// `status.updatedReplicas`.
    pub replicas_updated: i32,
    /// `status.rollout`, while there is one.
    pub rollout: Option<RolloutSample>,
    /// The condition `RouteReady`; absent for a fleet without routes.
    pub route_ready: Option<RouteSample>,
    /// The condition `RouteAccepted`; absent for a fleet without routes.
    pub route_accepted: Option<RouteSample>,
}

/// What a scrape shows of a rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutSample {
    /// Hash of the template that is rolled out.
    pub target_hash: String,
    /// Hash of the template that was last seen fully rolled out; `none` before the first.
    pub current_hash: String,
    /// When it started, in seconds since 1970.
    pub started_at: i64,
    /// When it last got on.
    pub progressed_at: i64,
    /// All that is left of it waits at the partition.
    pub held: bool,
}

/// What a scrape shows of a condition about routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteSample {
    /// The condition is true.
    pub holds: bool,
    /// Its reason.
    pub reason: &'static str,
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
        let out = &mut encoder;
        of_nodes(out, &nodes)?;
        of_fleets(out, &fleets)?;
        of_rollouts(out, &fleets)?;
        of_routes(out, &fleets)?;
        let nodes = nodes.iter().map(|it| (Controller::Node, &it.object));
        let fleets = fleets.iter().map(|it| (Controller::Deployment, &it.object));
        of_objects(out, &nodes.chain(fleets).collect::<Vec<_>>())
    }
}

type Out<'e> = DescriptorEncoder<'e>;
/// What a gauge reads of an object, if it shows it.
type Read<T> = fn(&ObjectSample) -> Option<T>;

fn of_nodes(out: &mut Out<'_>, nodes: &[NodeSample]) -> fmt::Result {
    let mut gauge = describe(out, &table::SEINODE_PHASE)?;
    for node in nodes {
        let Some(phase) = &node.phase else { continue };
        for word in NodePhase::WORDS {
            let value = i64::from(*word == phase.as_str());
            set(&mut gauge, (&node.object, &[("phase", word)]), value)?;
        }
    }
    let mut gauge = describe(out, &table::SEINODE_SIDECAR_READY)?;
    for node in nodes {
        let Some(ready) = node.sidecar_ready else { continue };
        set(&mut gauge, (&node.object, &[]), i64::from(ready))?;
    }
    Ok(())
}

fn of_fleets(out: &mut Out<'_>, fleets: &[FleetSample]) -> fmt::Result {
    let mut gauge = describe(out, &table::DEPLOYMENT_PHASE)?;
    for fleet in fleets {
        let Some(phase) = &fleet.phase else { continue };
        for word in DeploymentPhase::WORDS {
            let value = i64::from(*word == phase.as_str());
            set(&mut gauge, (&fleet.object, &[("phase", word)]), value)?;
        }
    }
    let mut gauge = describe(out, &table::DEPLOYMENT_REPLICAS)?;
    for fleet in fleets {
        let counts = [("desired", fleet.replicas_desired), ("ready", fleet.replicas_ready)];
        for (state, count) in counts {
            set(&mut gauge, (&fleet.object, &[("replica_state", state)]), count.into())?;
        }
    }
    let mut gauge = describe(out, &table::DEPLOYMENT_UPDATED)?;
    for fleet in fleets {
        set(&mut gauge, (&fleet.object, &[]), fleet.replicas_updated.into())?;
    }
    Ok(())
}

fn of_rollouts(out: &mut Out<'_>, fleets: &[FleetSample]) -> fmt::Result {
    let rollouts = || fleets.iter().filter_map(|it| Some((&it.object, it.rollout.as_ref()?)));
    let mut gauge = describe(out, &table::ROLLOUT_INFO)?;
    for (fleet, rollout) in rollouts() {
        let hashes =
            [("target_hash", &*rollout.target_hash), ("current_hash", &rollout.current_hash)];
        set(&mut gauge, (fleet, &hashes), 1)?;
    }
    let mut gauge = describe(out, &table::ROLLOUT_STARTED)?;
    for (fleet, rollout) in rollouts() {
        set(&mut gauge, (fleet, &[]), rollout.started_at)?;
    }
    let mut gauge = describe(out, &table::ROLLOUT_PROGRESSED)?;
    for (fleet, rollout) in rollouts() {
        set(&mut gauge, (fleet, &[]), rollout.progressed_at)?;
    }
    let mut gauge = describe(out, &table::ROLLOUT_HELD)?;
    for (fleet, rollout) in rollouts() {
        set(&mut gauge, (fleet, &[]), i64::from(rollout.held))?;
    }
    Ok(())
}

fn of_routes(out: &mut Out<'_>, fleets: &[FleetSample]) -> fmt::Result {
    let mut gauge = describe(out, &table::ROUTE_READY)?;
    for fleet in fleets {
        let Some(route) = fleet.route_ready else { continue };
        let labels = [("reason", route.reason)];
        set(&mut gauge, (&fleet.object, &labels), i64::from(route.holds))?;
    }
    let mut gauge = describe(out, &table::ROUTE_ACCEPTED)?;
    for fleet in fleets {
        let Some(route) = fleet.route_accepted else { continue };
        let labels = [("reason", route.reason)];
        set(&mut gauge, (&fleet.object, &labels), i64::from(route.holds))?;
    }
    Ok(())
}

fn of_objects(out: &mut Out<'_>, objects: &[(Controller, &ObjectSample)]) -> fmt::Result {
    let flags: [(&Info, Read<i64>); 4] = [
        (&table::PAUSED, |it| Some(it.paused.into())),
        (&table::PLAN_ACTIVE, |it| Some(it.plan.is_some_and(|plan| plan.active).into())),
        (&table::PLAN_FAILED, |it| Some(it.plan.is_some_and(|plan| plan.failed).into())),
        (&table::PLAN_ATTEMPT, |it| it.plan.map(|plan| plan.attempt.into())),
    ];
    for (info, value) in flags {
        let mut gauge = describe(out, info)?;
        for (controller, object) in objects {
            let Some(value) = value(object) else { continue };
            set_of(&mut gauge, (*controller, object, &[]), value)?;
        }
    }
    let words: [(&Info, Read<&'static str>); 2] =
        [(&table::STALLED, |it| it.stalled), (&table::NOT_READY, |it| it.not_ready)];
    for (info, reason) in words {
        let mut gauge = describe(out, info)?;
        for (controller, object) in objects {
            let Some(reason) = reason(object) else { continue };
            set_of(&mut gauge, (*controller, object, &[("reason", reason)]), 1)?;
        }
    }
    Ok(())
}

fn describe<'e>(
    encoder: &'e mut Out<'_>,
    info: &'static Info,
) -> Result<MetricEncoder<'e>, fmt::Error> {
    encoder.encode_descriptor(info.name, &format!("{}.", info.help), None, MetricType::Gauge)
}

type Labels<'a> = &'a [(&'static str, &'a str)];

/// A series of an object of a kind that the metric's name tells.
fn set(
    gauge: &mut MetricEncoder<'_>,
    (object, more): (&ObjectSample, Labels<'_>),
    value: i64,
) -> fmt::Result {
    write(gauge, &[names(object).as_slice(), more].concat(), value)
}

/// A series of an object of either kind.
fn set_of(
    gauge: &mut MetricEncoder<'_>,
    (controller, object, more): (Controller, &ObjectSample, Labels<'_>),
    value: i64,
) -> fmt::Result {
    let kind = [("controller", controller.name())];
    write(gauge, &[kind.as_slice(), &names(object), more].concat(), value)
}

fn names(object: &ObjectSample) -> [(&'static str, &str); 2] {
    [("namespace", &*object.namespace), ("name", &*object.name)]
}

fn write(gauge: &mut MetricEncoder<'_>, labels: Labels<'_>, value: i64) -> fmt::Result {
    ConstGauge::new(value).encode(gauge.encode_family(&labels)?)
}
