//! What the operator counts and shows: one registry, and a typed method for each occurrence.
//!
//! Names are exactly those of [`table`], with underscores, in both formats that a scraper may ask
//! for. Nothing here grows with objects that are gone: gauges are read from the stores at each
//! scrape, and what is counted per object is forgotten with it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, prometheus_text, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use sei_api::{NodePhase, SeiNode, SeiNodeStatus};

use crate::controller::Controller;

mod labels;
mod requests;
mod snapshot;
pub mod table;

pub use labels::{EventOutcome, PlanOutcome, PlanType, ProbeOutcome};
pub use requests::{CountRequests, CountRequestsLayer};
pub use snapshot::{
    FleetSample, NodeSample, ObjectSample, PlanSample, RolloutSample, RouteSample, Snapshot,
};

/// Everything that is counted, and the gauges of the stores once these are there.
///
/// One value for the process, shared; every method may be called from any task and never waits.
pub struct Metrics {
    registry: Registry,
    gauges: snapshot::Gauges,
    phase_transitions: Family<labels::Transition, Counter>,
    phase_duration: Durations<labels::PhaseOfChain>,
    sidecar_probes: Family<labels::Probe, Counter>,
    plan_duration: Durations<labels::Plan>,
    task_failures: Family<labels::Task, Counter>,
    task_retries: Family<labels::Task, Counter>,
    passes: Family<labels::InNamespace, Counter>,
    object_passes: Family<labels::Object, Counter>,
    pass_duration: Durations<labels::OfController>,
    reconcile_errors: Family<labels::InNamespace, Counter>,
    stale_skips: Family<labels::InNamespace, Counter>,
    invariants: Family<labels::Invariant, Counter>,
    watch_restarts: Family<labels::OfKind, Counter>,
    undecodable: Family<labels::OfKind, Counter>,
    api_requests: Family<labels::ApiRequest, Counter>,
    events: Family<labels::Event, Counter>,
}

/// An object, as a label set names it.
#[derive(Clone, Copy, Debug)]
pub struct ObjectName<'a> {
    /// Whose pass it is.
    pub controller: Controller,
    /// The object's namespace.
    pub namespace: &'a str,
    /// The object's name.
    pub name: &'a str,
}

/// One pass, when it is over.
#[derive(Clone, Copy, Debug)]
pub struct PassEnd {
    /// From load to announce.
    pub took: Duration,
    /// It ended with an error and will be repeated.
    pub failed: bool,
}

/// One plan, when it is over.
#[derive(Clone, Copy, Debug)]
pub struct PlanEnd {
    /// Which kind of plan.
    pub plan_type: PlanType,
    /// How it ended.
    pub outcome: PlanOutcome,
    /// From the submission of its first task.
    pub took: Duration,
}

/// One exposition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scrape {
    /// Value of the `Content-Type` header.
    pub content_type: &'static str,
    /// The text.
    pub body: String,
}

impl Metrics {
    /// An empty registry that knows every metric of [`table::ALL`]. `version` is the operator's.
    #[must_use]
    pub fn new(version: &'static str) -> Self {
        let mut registry = Registry::default();
        let into = &mut registry;
        let gauges = snapshot::Gauges::default();
        into.register_collector(Box::new(gauges.clone()));
        let build = register(into, &table::BUILD_INFO, Family::<labels::Build, Gauge>::default());
        build.get_or_create(&labels::Build { version }).set(1);
        Self {
            gauges,
            phase_transitions: counter(into, &table::SEINODE_PHASE_TRANSITIONS),
            phase_duration: histogram(into, &table::SEINODE_PHASE_DURATION),
            sidecar_probes: counter(into, &table::SEINODE_SIDECAR_PROBES),
            plan_duration: histogram(into, &table::PLAN_DURATION),
            task_failures: counter(into, &table::TASK_FAILURES),
            task_retries: counter(into, &table::TASK_RETRIES),
            passes: counter(into, &table::PASSES),
            object_passes: counter(into, &table::OBJECT_PASSES),
            pass_duration: histogram(into, &table::PASS_DURATION),
            reconcile_errors: counter(into, &table::RECONCILE_ERRORS),
            stale_skips: counter(into, &table::STALE_SKIPS),
            invariants: counter(into, &table::INVARIANT_VIOLATIONS),
            watch_restarts: counter(into, &table::WATCH_RESTARTS),
            undecodable: counter(into, &table::UNDECODABLE),
            api_requests: counter(into, &table::API_REQUESTS),
            events: counter(into, &table::EVENTS),
            registry,
        }
    }

    /// Shows the gauges of `snapshot` from now on. Only the first call counts.
    pub fn show(&self, snapshot: Arc<dyn Snapshot>) {
        self.gauges.show(snapshot);
    }

    /// The layer that counts the requests of a client.
    #[must_use]
    pub fn count_requests(self: &Arc<Self>) -> CountRequestsLayer {
        CountRequestsLayer { metrics: Arc::clone(self) }
    }

    /// Everything, in the format that the scraper accepts: `OpenMetrics` if it names it, else the
    /// older text format.
    ///
    /// # Errors
    ///
    /// Only if a value cannot be formatted, which is a bug.
    pub fn scrape(&self, accept: Option<&str>) -> Result<Scrape, fmt::Error> {
        let mut body = String::new();
        let content_type = if accept.is_some_and(|types| types.contains(OPENMETRICS)) {
            text::encode(&mut body, &self.registry)?;
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        } else {
            prometheus_text::encode(&mut body, &self.registry)?;
            prometheus_text::CONTENT_TYPE
        };
        Ok(Scrape { content_type, body })
    }

    /// A node's status was written: `node` as it was loaded, `after` as it is stored now.
    ///
    /// Counts a change of phase, and how long the phase that ended had lasted: the two transition
    /// times of the two statuses say that, no clock of ours.
    pub fn node_status_written(&self, node: &SeiNode, after: &SeiNodeStatus) {
        let before = node.status.as_ref();
        let (from, to) = (before.and_then(|status| status.phase.as_ref()), after.phase.as_ref());
        let Some(to) = to.filter(|_| from != to) else { return };
        let namespace = node.metadata.namespace.clone().unwrap_or_default();
        let transition = labels::Transition {
            controller: Controller::Node.name(),
            namespace: namespace.clone(),
            from_phase: from.map_or("", NodePhase::as_str).to_owned(),
            to_phase: to.as_str().to_owned(),
        };
        self.phase_transitions.get_or_create(&transition).inc();
        let began = before.and_then(|status| status.phase_transition_time.as_ref());
        let ended = after.phase_transition_time.as_ref();
        if let (Some(from), Some(began), Some(ended)) = (from, began, ended) {
            let chain_id = node.spec.chain_id.clone();
            let phase = from.as_str().to_owned();
            let lasted = ended.0.duration_since(began.0).as_secs_f64();
            self.phase_duration
                .get_or_create(&labels::PhaseOfChain { namespace, chain_id, phase })
                .observe(lasted.max(0.));
        }
    }

    /// A node's sidecar was probed.
    pub fn sidecar_probed(&self, namespace: &str, outcome: ProbeOutcome) {
        let probe = labels::Probe {
            controller: Controller::Node.name(),
            namespace: namespace.to_owned(),
            outcome: outcome.as_str(),
        };
        self.sidecar_probes.get_or_create(&probe).inc();
    }

    /// A plan is over.
    pub fn plan_ended(&self, controller: Controller, namespace: &str, end: PlanEnd) {
        let plan = labels::Plan {
            controller: controller.name(),
            namespace: namespace.to_owned(),
            plan_type: end.plan_type.as_str(),
            outcome: end.outcome.as_str(),
        };
        self.plan_duration.get_or_create(&plan).observe(end.took.as_secs_f64());
    }

    /// A task of a plan failed for good.
    pub fn task_failed(&self, controller: Controller, namespace: &str, task_type: &'static str) {
        let (controller, namespace) = (controller.name(), namespace.to_owned());
        let task = labels::Task { controller, namespace, task_type };
        self.task_failures.get_or_create(&task).inc();
    }

    /// A task of a plan failed and is repeated, so many times since the last write.
    pub fn task_retried(
        &self,
        controller: Controller,
        namespace: &str,
        (task_type, times): (&'static str, u64),
    ) {
        let (controller, namespace) = (controller.name(), namespace.to_owned());
        let task = labels::Task { controller, namespace, task_type };
        self.task_retries.get_or_create(&task).inc_by(times);
    }

    /// A pass over `object` is over.
    pub fn pass_ended(&self, object: ObjectName<'_>, end: PassEnd) {
        let in_namespace = labels::InNamespace::from(object);
        self.passes.get_or_create(&in_namespace).inc();
        self.object_passes.get_or_create(&object.into()).inc();
        self.pass_duration
            .get_or_create(&labels::OfController { controller: object.controller.name() })
            .observe(end.took.as_secs_f64());
        if end.failed {
            self.reconcile_errors.get_or_create(&in_namespace).inc();
        }
    }

    /// A pass was put off: the cache is older than our own last write to `object`.
    pub fn stale_skipped(&self, object: ObjectName<'_>) {
        self.stale_skips.get_or_create(&object.into()).inc();
    }

    /// `object` is gone: nothing is shown of it any more.
    pub fn forget(&self, object: ObjectName<'_>) {
        self.object_passes.remove(&object.into());
    }

    /// An internal promise was found broken.
    pub fn invariant_violated(&self, invariant: &str) {
        let invariant = invariant.to_owned();
        self.invariants.get_or_create(&labels::Invariant { invariant }).inc();
    }

    /// The watch of `kind` is started again after an error.
    pub fn watch_restarted(&self, kind: &str) {
        self.watch_restarts.get_or_create(&labels::OfKind { kind: kind.to_owned() }).inc();
    }

    /// An object of `kind` came that cannot be decoded.
    pub fn undecodable(&self, kind: &str) {
        self.undecodable.get_or_create(&labels::OfKind { kind: kind.to_owned() }).inc();
    }

    /// A Kubernetes Event met its end.
    pub fn event(&self, outcome: EventOutcome) {
        self.events.get_or_create(&labels::Event { outcome: outcome.as_str() }).inc();
    }

    /// A request was answered with `code`, or not at all.
    fn api_request(&self, asked: &requests::Asked, code: Option<u16>) {
        let request = labels::ApiRequest {
            verb: asked.verb,
            resource: asked.resource.clone(),
            code: code.map_or_else(|| "error".to_owned(), |code| code.to_string()),
        };
        self.api_requests.get_or_create(&request).inc();
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl From<ObjectName<'_>> for labels::Object {
    fn from(object: ObjectName<'_>) -> Self {
        Self {
            controller: object.controller.name(),
            namespace: object.namespace.to_owned(),
            name: object.name.to_owned(),
        }
    }
}

impl From<ObjectName<'_>> for labels::InNamespace {
    fn from(object: ObjectName<'_>) -> Self {
        Self { controller: object.controller.name(), namespace: object.namespace.to_owned() }
    }
}

/// What an `Accept` header holds if the scraper understands the newer format.
const OPENMETRICS: &str = "application/openmetrics-text";

/// Histograms whose buckets come from the table.
type Durations<L> = Family<L, Histogram, Buckets>;

/// Makes an empty histogram.
#[derive(Clone)]
struct Buckets(&'static [f64]);

impl prometheus_client::metrics::family::MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

fn counter<L>(registry: &mut Registry, info: &'static table::Info) -> Family<L, Counter>
where
    L: Clone + Eq + std::hash::Hash,
    Family<L, Counter>: EncodeMetric + fmt::Debug + Send + Sync + 'static,
{
    register(registry, info, Family::default())
}

fn histogram<L>(registry: &mut Registry, info: &'static table::Info) -> Durations<L>
where
    L: Clone + Eq + std::hash::Hash,
    Durations<L>: EncodeMetric + fmt::Debug + Send + Sync + 'static,
{
    let bounds = match info.kind {
        table::Kind::Histogram(bounds) => bounds,
        table::Kind::Counter | table::Kind::Gauge => &[],
    };
    register(registry, info, Family::new_with_constructor(Buckets(bounds)))
}

/// Registers `metric` under the name of the table; the registry itself appends `_total`.
fn register<M>(registry: &mut Registry, info: &'static table::Info, metric: M) -> M
where
    M: EncodeMetric + Clone + fmt::Debug + Send + Sync + 'static,
{
    let name = info.name.strip_suffix("_total").unwrap_or(info.name);
    registry.register(name, info.help, metric.clone());
    metric
}

#[cfg(test)]
mod tests;
