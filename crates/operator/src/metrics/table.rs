//! Every metric: its name, type, labels and meaning. The registry, the reference document and the
//! test of the alert rules all read this one table.

/// What is known about a metric before anything is counted.
#[derive(Debug)]
pub struct Info {
    /// The name that a scrape shows; of a histogram, without `_bucket`, `_sum` and `_count`.
    pub name: &'static str,
    /// What kind of series it is.
    pub kind: Kind,
    /// Label names, in the order in which they are exposed.
    pub labels: &'static [&'static str],
    /// What it tells, in one line without a full stop.
    pub help: &'static str,
}

/// The three kinds of metric in use.
#[derive(Debug)]
pub enum Kind {
    /// Only grows; starts again from zero with the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Durations in seconds, by upper bounds.
    Histogram(&'static [f64]),
}

impl Kind {
    /// Prometheus' word.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// Every metric, in the order of the reference document.
pub const ALL: [&Info; 34] = [
    &SEINODE_PHASE,
    &SEINODE_PHASE_TRANSITIONS,
    &SEINODE_PHASE_DURATION,
    &SEINODE_SIDECAR_READY,
    &SEINODE_SIDECAR_PROBES,
    &DEPLOYMENT_PHASE,
    &DEPLOYMENT_REPLICAS,
    &DEPLOYMENT_UPDATED,
    &ROLLOUT_INFO,
    &ROLLOUT_STARTED,
    &ROLLOUT_PROGRESSED,
    &ROLLOUT_HELD,
    &ROUTE_READY,
    &ROUTE_ACCEPTED,
    &PAUSED,
    &STALLED,
    &NOT_READY,
    &PLAN_ACTIVE,
    &PLAN_FAILED,
    &PLAN_ATTEMPT,
    &PLAN_DURATION,
    &TASK_FAILURES,
    &TASK_RETRIES,
    &PASSES,
    &OBJECT_PASSES,
    &PASS_DURATION,
    &RECONCILE_ERRORS,
    &STALE_SKIPS,
    &INVARIANT_VIOLATIONS,
    &WATCH_RESTARTS,
    &UNDECODABLE,
    &API_REQUESTS,
    &EVENTS,
    &BUILD_INFO,
];

/// Shown for each node that has a phase.
pub const SEINODE_PHASE: Info = Info {
    name: "sei_controller_seinode_phase",
    kind: Kind::Gauge,
    labels: &["namespace", "name", "phase"],
    help: "1 for the phase that the SeiNode is in, 0 for each other phase",
};

/// Counted with the write that changes the phase.
pub const SEINODE_PHASE_TRANSITIONS: Info = Info {
    name: "sei_controller_seinode_phase_transitions_total",
    kind: Kind::Counter,
    labels: &["controller", "namespace", "from_phase", "to_phase"],
    help: "Changes of a SeiNode's phase; from_phase is empty for the first",
};

/// Observed when a phase ends, with the time at which it began.
pub const SEINODE_PHASE_DURATION: Info = Info {
    name: "sei_controller_seinode_phase_duration_seconds",
    kind: Kind::Histogram(&[10., 30., 60., 120., 300., 600., 900., 1200., 1800., 3600.]),
    labels: &["namespace", "chain_id", "phase"],
    help: "How long a SeiNode was in the phase that it has just left",
};

/// Shown once a node's sidecar was probed.
pub const SEINODE_SIDECAR_READY: Info = Info {
    name: "sei_controller_seinode_sidecar_ready",
    kind: Kind::Gauge,
    labels: &["namespace", "name"],
    help: "1 if the last health probe found the SeiNode's sidecar ready, else 0",
};

/// Counted for each probe.
pub const SEINODE_SIDECAR_PROBES: Info = Info {
    name: "sei_controller_seinode_sidecar_health_probes_total",
    kind: Kind::Counter,
    labels: &["controller", "namespace", "outcome"],
    help: "Health probes of sidecars by outcome: ready, not_ready, unreachable",
};

/// Shown for each fleet that has a phase.
pub const DEPLOYMENT_PHASE: Info = Info {
    name: "sei_controller_seinodedeployment_phase",
    kind: Kind::Gauge,
    labels: &["namespace", "name", "phase"],
    help: "1 for the phase that the SeiNodeDeployment is in, 0 for each other phase",
};

/// Shown for each fleet.
pub const DEPLOYMENT_REPLICAS: Info = Info {
    name: "sei_controller_seinodedeployment_replicas",
    kind: Kind::Gauge,
    labels: &["namespace", "name", "replica_state"],
    help: "Nodes of a SeiNodeDeployment: desired by its spec, and ready",
};

/// Shown for each fleet.
pub const DEPLOYMENT_UPDATED: Info = Info {
    name: "sei_controller_seinodedeployment_updated_replicas",
    kind: Kind::Gauge,
    labels: &["namespace", "name"],
    help: "Nodes of a SeiNodeDeployment on the template of its spec",
};

/// Shown for each fleet with a rollout: one series, whatever its templates were.
pub const ROLLOUT_INFO: Info = Info {
    name: "sei_controller_seinodedeployment_rollout_info",
    kind: Kind::Gauge,
    labels: &["namespace", "name", "target_hash", "current_hash"],
    help: "1 while a rollout is in progress, labelled with the template hashes it goes to and comes from",
};

/// Its age is `time()` less this.
pub const ROLLOUT_STARTED: Info = Info {
    name: "sei_controller_seinodedeployment_rollout_started_timestamp_seconds",
    kind: Kind::Gauge,
    labels: &["namespace", "name"],
    help: "When the rollout in progress started, as seconds since 1970",
};

/// Shown for each fleet with a rollout.
pub const ROLLOUT_PROGRESSED: Info = Info {
    name: "sei_controller_seinodedeployment_rollout_progress_timestamp_seconds",
    kind: Kind::Gauge,
    labels: &["namespace", "name"],
    help: "When a node last got on in the rollout in progress, as seconds since 1970",
};

/// Shown for each fleet with a rollout.
pub const ROLLOUT_HELD: Info = Info {
    name: "sei_controller_seinodedeployment_rollout_held",
    kind: Kind::Gauge,
    labels: &["namespace", "name"],
    help: "1 if all that is left of the rollout in progress waits at the partition, else 0",
};

/// Shown for each fleet that asks for routes.
pub const ROUTE_READY: Info = Info {
    name: "sei_controller_seinodedeployment_route_ready",
    kind: Kind::Gauge,
    labels: &["namespace", "name", "reason"],
    help: "1 if the routes of a SeiNodeDeployment are applied and their host name resolves, else 0, with the reason",
};

/// Shown for each fleet that asks for routes.
pub const ROUTE_ACCEPTED: Info = Info {
    name: "sei_controller_seinodedeployment_route_accepted",
    kind: Kind::Gauge,
    labels: &["namespace", "name", "reason"],
    help: "1 if the Gateway takes the routes of a SeiNodeDeployment, else 0, with the reason",
};

/// Shown for each node and fleet.
pub const PAUSED: Info = Info {
    name: "sei_controller_paused",
    kind: Kind::Gauge,
    labels: &["controller", "namespace", "name"],
    help: "1 while the spec pauses the object, else 0",
};

/// Shown for what does not get on without help.
pub const STALLED: Info = Info {
    name: "sei_controller_stalled",
    kind: Kind::Gauge,
    labels: &["controller", "namespace", "name", "reason"],
    help: "1 while the object is Stalled, with the reason",
};

/// Shown for each node and fleet of which the condition is there and not true.
pub const NOT_READY: Info = Info {
    name: "sei_controller_not_ready",
    kind: Kind::Gauge,
    labels: &["controller", "namespace", "name", "reason"],
    help: "1 while the object is not Ready, with the reason; of a SeiNode, what is wrong with it",
};

/// Shown for each node and fleet. The label `name` is what lets an alert join it with a phase.
pub const PLAN_ACTIVE: Info = Info {
    name: "sei_controller_plan_active",
    kind: Kind::Gauge,
    labels: &["controller", "namespace", "name"],
    help: "1 while the object has a plan in progress, else 0",
};

/// Shown for each node and fleet.
pub const PLAN_FAILED: Info = Info {
    name: "sei_controller_plan_failed",
    kind: Kind::Gauge,
    labels: &["controller", "namespace", "name"],
    help: "1 while the object has a plan that failed, else 0",
};

/// Shown for each node and fleet with a plan.
pub const PLAN_ATTEMPT: Info = Info {
    name: "sei_controller_plan_attempt",
    kind: Kind::Gauge,
    labels: &["controller", "namespace", "name"],
    help: "How many plans for its target were made in a row, the one in the status included",
};

/// Observed when a plan ends.
pub const PLAN_DURATION: Info = Info {
    name: "sei_controller_plan_duration_seconds",
    kind: Kind::Histogram(&[1., 5., 10., 30., 60., 120., 300., 600., 1800.]),
    labels: &["controller", "namespace", "plan_type", "outcome"],
    help: "How long a plan took, from its first task to its end, by type and outcome: complete, \
           failed, superseded",
};

/// Counted when a task of a plan fails for good.
pub const TASK_FAILURES: Info = Info {
    name: "sei_controller_task_failures_total",
    kind: Kind::Counter,
    labels: &["controller", "namespace", "task_type"],
    help: "Tasks of plans that failed for good, by task type",
};

/// Counted with the write that stores the new count.
pub const TASK_RETRIES: Info = Info {
    name: "sei_controller_task_retries_total",
    kind: Kind::Counter,
    labels: &["controller", "namespace", "task_type"],
    help: "Attempts of tasks that failed and are repeated, by task type",
};

/// Counted at the end of each pass.
pub const PASSES: Info = Info {
    name: "sei_controller_passes_total",
    kind: Kind::Counter,
    labels: &["controller", "namespace"],
    help: "Passes over objects, whatever came of them",
};

/// Counted at the end of each pass; forgotten with the object.
pub const OBJECT_PASSES: Info = Info {
    name: "sei_controller_object_passes_total",
    kind: Kind::Counter,
    labels: &["controller", "namespace", "name"],
    help: "Passes over this object: stands still only if the controller does",
};

/// Observed at the end of each pass.
pub const PASS_DURATION: Info = Info {
    name: "sei_controller_pass_duration_seconds",
    kind: Kind::Histogram(&[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1., 5., 10., 30., 60.]),
    labels: &["controller"],
    help: "How long a pass took, its requests included",
};

/// Counted for each pass that ended with an error.
pub const RECONCILE_ERRORS: Info = Info {
    name: "sei_controller_reconcile_errors_total",
    kind: Kind::Counter,
    labels: &["controller", "namespace"],
    help: "Passes that ended with an error and will be repeated",
};

/// Counted when the cache has not caught up with our own last write.
pub const STALE_SKIPS: Info = Info {
    name: "sei_controller_stale_skips_total",
    kind: Kind::Counter,
    labels: &["controller", "namespace"],
    help: "Passes put off because the cache did not show our own last write yet",
};

/// Any increase is a bug of ours.
pub const INVARIANT_VIOLATIONS: Info = Info {
    name: "sei_controller_invariant_violations_total",
    kind: Kind::Counter,
    labels: &["invariant"],
    help: "Internal promises found broken; every one is a defect to report",
};

/// Counted when a watch is started again after an error.
pub const WATCH_RESTARTS: Info = Info {
    name: "sei_controller_watch_restarts_total",
    kind: Kind::Counter,
    labels: &["kind"],
    help: "Watches started again after an error",
};

/// Counted each time such an object arrives; it is left alone.
pub const UNDECODABLE: Info = Info {
    name: "sei_controller_undecodable_objects_total",
    kind: Kind::Counter,
    labels: &["kind"],
    help: "Objects on a watch that cannot be decoded and are left alone",
};

/// Counted when the answer's head arrives, or when there is none.
pub const API_REQUESTS: Info = Info {
    name: "sei_controller_api_requests_total",
    kind: Kind::Counter,
    labels: &["verb", "resource", "code"],
    help: "Requests to the API server; code is error when no answer came",
};

/// Counted once for each Kubernetes Event.
pub const EVENTS: Info = Info {
    name: "sei_controller_events_total",
    kind: Kind::Counter,
    labels: &["outcome"],
    help: "Kubernetes Events by outcome: posted, existed, refused, overflow, abandoned",
};

/// Always 1.
pub const BUILD_INFO: Info = Info {
    name: "sei_controller_build_info",
    kind: Kind::Gauge,
    labels: &["version"],
    help: "1, labelled with the version of the running operator",
};
