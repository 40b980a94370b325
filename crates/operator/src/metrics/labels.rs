//! The label sets and their closed sets of values.

use prometheus_client::encoding::EncodeLabelSet;

/// What a health probe of a sidecar found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// The node may serve.
    Ready,
    /// The sidecar answered, and says that it waits for approval.
    NotReady,
    /// No answer within the time-out.
    Unreachable,
}

/// Which kind of plan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanType {
    /// A node's first way to Running.
    Init,
    /// A node's move to another image.
    NodeUpdate,
    /// A node approved again after its sidecar restarted.
    MarkReadyReapply,
    /// A fleet's move to another template.
    Rollout,
    /// A stored plan that this version does not recognise.
    Unknown,
}

/// How a plan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanOutcome {
    /// All its tasks completed.
    Complete,
    /// A task failed for good, or a rollback took the plan's place.
    Failed,
    /// Another plan took its place, or nothing was left to do.
    Superseded,
}

/// What became of a Kubernetes Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventOutcome {
    /// The API server has it.
    Posted,
    /// The same occurrence had been posted before.
    Existed,
    /// The API server will not take it: the namespace is going or gone, or the event is refused.
    Refused,
    /// The queue was full.
    Overflow,
    /// Not delivered within its time, or when the process left.
    Abandoned,
}

impl ProbeOutcome {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NotReady => "not_ready",
            Self::Unreachable => "unreachable",
        }
    }
}

impl PlanType {
    /// The value of the label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::NodeUpdate => "node-update",
            Self::MarkReadyReapply => "mark-ready-reapply",
            Self::Rollout => "rollout",
            Self::Unknown => "unknown",
        }
    }
}

impl PlanOutcome {
    /// The value of the label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
        }
    }
}

impl EventOutcome {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::Existed => "existed",
            Self::Refused => "refused",
            Self::Overflow => "overflow",
            Self::Abandoned => "abandoned",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Transition {
    pub controller: &'static str,
    pub namespace: String,
    pub from_phase: String,
    pub to_phase: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct PhaseOfChain {
    pub namespace: String,
    pub chain_id: String,
    pub phase: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Probe {
    pub controller: &'static str,
    pub namespace: String,
    pub outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Plan {
    pub controller: &'static str,
    pub namespace: String,
    pub plan_type: &'static str,
    pub outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Task {
    pub controller: &'static str,
    pub namespace: String,
    pub task_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct InNamespace {
    pub controller: &'static str,
    pub namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Object {
    pub controller: &'static str,
    pub namespace: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfController {
    pub controller: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Invariant {
    pub invariant: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfKind {
    pub kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ApiRequest {
    pub verb: &'static str,
    pub resource: String,
    pub code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Event {
    pub outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Build {
    pub version: &'static str,
}
