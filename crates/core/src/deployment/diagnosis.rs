//! What a child says is wrong with it, and which of that counts as failure.

use sei_api::condition::{Reason, Status, Type};
use sei_api::{NodePhase, PlanPhase, SeiNode, k8s};

use crate::condition::find;

/// A child of which its controller says this will not come up by being left alone. The other words
/// it may say, of a sidecar that does not answer or a pod that is slow to go, are met on every
/// update; such a child counts as failed when the deadline has passed.
pub(super) const FAILURES: [Reason; 11] = [
    Reason::ImagePullFailed,
    Reason::InvalidImage,
    Reason::CrashLoop,
    Reason::ContainerStartFailed,
    Reason::OomKilled,
    Reason::Unschedulable,
    Reason::PodNotCreated,
    Reason::VolumeNotBound,
    Reason::SidecarTaskFailed,
    Reason::NodeUnreachable,
    Reason::PlanFailed,
];

/// A child that its controller does not work on. It failed, but what it says of itself would mean
/// something else if its fleet said it.
pub(super) const REFUSALS: [Reason; 4] =
    [Reason::ForeignObject, Reason::InvalidSpec, Reason::NotSupportedYet, Reason::InternalError];

/// Words that are a diagnosis, though no failure yet.
pub(super) const SYMPTOMS: [Reason; 3] =
    [Reason::SidecarUnreachable, Reason::PodTerminating, Reason::PodNotStarted];

/// Why this child is not what its spec asks for, in its own words; none if it is, or if what it
/// says is about an older spec.
pub(super) fn why(node: &SeiNode) -> Option<&k8s::Condition> {
    let status = node.status.as_ref()?;
    if status.observed_generation != node.metadata.generation {
        return None;
    }
    let says = |kind: Type, wanted: Status| {
        find(&status.conditions, kind).filter(|it| it.status == wanted.as_str())
    };
    says(Type::Stalled, Status::True)
        .or_else(|| says(Type::Reconciling, Status::True))
        .or_else(|| says(Type::Ready, Status::False))
}

/// What is wrong with this child, if it says so in a word of the closed set.
pub(super) fn reason(node: &SeiNode) -> Option<Reason> {
    Reason::from_word(&why(node)?.reason).filter(|it| is_word(*it))
}

/// Is this word a diagnosis?
pub(super) fn is_word(reason: Reason) -> bool {
    FAILURES.contains(&reason) || SYMPTOMS.contains(&reason)
}

/// Did this child fail to come up?
pub(super) fn has_failed(node: &SeiNode) -> bool {
    let word = why(node).and_then(|it| Reason::from_word(&it.reason));
    has_given_up(node) || word.is_some_and(|it| FAILURES.contains(&it) || REFUSALS.contains(&it))
}

/// Did this child's plan fail? It is tried again, but much later.
pub(super) fn has_given_up(node: &SeiNode) -> bool {
    let Some(status) = &node.status else { return false };
    let plan = status.plan.as_ref().is_some_and(|it| it.phase == PlanPhase::Failed);
    status.phase == Some(NodePhase::Failed) || plan || reason(node) == Some(Reason::PlanFailed)
}
