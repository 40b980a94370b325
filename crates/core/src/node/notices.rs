//! What people hear about a node: a function of the status before and after a commit.

use sei_api::condition::{Reason as Because, Status, Type};
use sei_api::event::Reason;
use sei_api::{NodePhase, PlanPhase, SeiNode, SeiNodeStatus, TaskPlan, k8s};

use crate::condition::find;
use crate::node::{diagnosis, generation, plans};
use crate::notice::Notice;
use crate::{plan, verdict};

/// The Kubernetes Events of one commit. A normal update is told by its fleet, not by the node.
#[must_use]
pub fn notices(node: &SeiNode, before: &SeiNodeStatus, after: &SeiNodeStatus) -> Vec<Notice> {
    let told = [
        phase(before, after),
        failure(node, before, after),
        readiness(before, after),
        diagnosis::notice(before, after),
        refusal(node, before, after),
    ];
    told.into_iter().flatten().collect()
}

fn phase(before: &SeiNodeStatus, after: &SeiNodeStatus) -> Option<Notice> {
    if before.phase == after.phase || after.phase == Some(NodePhase::Terminating) {
        return None;
    }
    let word = |phase: &Option<NodePhase>| phase.as_ref().map(ToString::to_string);
    let (from, to) = (word(&before.phase).unwrap_or_default(), word(&after.phase)?);
    let since = after.phase_transition_time.as_ref().map(|it| it.0.to_string());
    let message = format!("Phase changed from {from} to {to}");
    let discriminator = format!("{to}/{}", since.unwrap_or_default());
    Some(Notice::normal(Reason::PhaseTransition, message, &discriminator))
}

fn failure(node: &SeiNode, before: &SeiNodeStatus, after: &SeiNodeStatus) -> Option<Notice> {
    let failed = |status: &SeiNodeStatus| -> Option<TaskPlan> {
        status.plan.clone().filter(|plan| plan.phase == PlanPhase::Failed)
    };
    let plan = failed(after)?;
    if failed(before).is_some_and(|old| old.id == plan.id) {
        return None;
    }
    let message = plans::outlook(&plan, node.spec.paused);
    Some(Notice::warning(Reason::NodeFailed, message, plan::id_of(&plan)))
}

/// A refusal that ended a plan is told with that end.
fn refusal(node: &SeiNode, before: &SeiNodeStatus, after: &SeiNodeStatus) -> Option<Notice> {
    let failed = after.plan.as_ref().is_some_and(|it| it.phase == PlanPhase::Failed);
    let told = verdict::refusal(&before.conditions, &after.conditions, generation(node));
    told.filter(|_| !failed)
}

fn readiness(before: &SeiNodeStatus, after: &SeiNodeStatus) -> Option<Notice> {
    let lost = |it: &&k8s::Condition| {
        it.status == Status::False.as_str() && it.reason == Because::NotReady.as_str()
    };
    let was = find(&before.conditions, Type::SidecarReady);
    let is = find(&after.conditions, Type::SidecarReady)?;
    let since = is.last_transition_time.0.to_string();
    let (was_lost, is_lost) = (was.as_ref().is_some_and(lost), lost(&is));
    if is_lost && !was_lost {
        let message = "sidecar Healthz returned 503; controller will re-issue mark-ready";
        return Some(Notice::warning(Reason::SidecarReadinessLost, message.to_owned(), &since));
    }
    let restored = was_lost && is.status == Status::True.as_str();
    restored.then(|| {
        let message = "sidecar Healthz returned 200; mark-ready gate is open".to_owned();
        Notice::normal(Reason::SidecarReadinessRestored, message, &since)
    })
}
