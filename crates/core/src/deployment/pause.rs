//! `spec.paused`: the fleet stays as it is, and its children are told the same.

use sei_api::condition::{Reason, Status, Type};
use sei_api::{SeiNode, SeiNodeDeployment, SeiNodeDeploymentStatus, k8s, labels};

use crate::applied::last_applied;
use crate::condition::{Say, find};
use crate::decision::{Decision, Requeue};
use crate::deployment::children::Place;
use crate::deployment::view::View;
use crate::deployment::{Observed, rollout, upkeep};
use crate::effect::{Desired, Effect};
use crate::plan;

/// Says whether the fleet is paused. The clock of a rollout stood still meanwhile: when the pause
/// ends, its start moves by as long as the pause took.
pub(super) fn mark(
    fleet: &SeiNodeDeployment,
    status: &mut SeiNodeDeploymentStatus,
    seen: &Observed,
) {
    let paused = find(&status.conditions, Type::Paused)
        .filter(|it| it.status == Status::True.as_str())
        .map(|it| it.last_transition_time.0);
    if let (Some(since), false, Some(rollout)) = (paused, fleet.spec.paused, &mut status.rollout) {
        let started = rollout.last_progress_at.as_ref().map_or(rollout.started_at.0, |it| it.0);
        let pause = seen.now.duration_since(since.max(started));
        let moved = started.checked_add(pause.max(jiff::SignedDuration::ZERO));
        rollout.last_progress_at = moved.ok().map(k8s::Time);
    }
    let say = if fleet.spec.paused {
        Say::yes(Reason::Paused, "spec.paused is set: no node is changed, created or deleted")
    } else {
        Say::no(Reason::NotPaused, "spec.paused is not set")
    };
    rollout::conditions(fleet, &mut status.conditions, seen).set(Type::Paused, say);
}

/// What a paused fleet needs: every child is told, and otherwise stays as it is.
pub(super) fn freeze(
    view: &View<'_>,
    next: SeiNodeDeploymentStatus,
) -> Decision<SeiNodeDeploymentStatus> {
    let going = |node: &SeiNode| node.metadata.deletion_timestamp.is_some();
    let awake = view.children.owned.iter().filter(|it| !it.spec.paused && !going(it));
    let told = awake.filter_map(|it| frozen(it, |node| node.spec.paused = true));
    // The pods keep running, and people keep reaching them.
    let effects: Vec<Effect> = upkeep::service(view).into_iter().chain(told).collect();
    let blind = view.children.wanted.iter().any(|it| matches!(it.place, Place::Unseen));
    let steady = Requeue::After(view.env.tempo.steady);
    let poll = Requeue::After(view.env.tempo.task_poll_max);
    let polls = blind || plan::is_active(next.plan.as_ref());
    let requeue = if polls { steady.sooner(poll) } else { steady };
    Decision { effects, ..Decision::rest(next, requeue) }
}

/// The child as we wrote it last, with `change`: nothing of a newer template reaches it.
pub(super) fn frozen(node: &SeiNode, change: impl FnOnce(&mut SeiNode)) -> Option<Effect> {
    let live = serde_json::to_value(node).ok()?;
    let last = last_applied(&live, labels::NODEDEPLOYMENT_FIELD_MANAGER)
        .and_then(|it| serde_json::from_value::<SeiNode>(it).ok());
    let mut object = last.unwrap_or_else(|| whole(node));
    change(&mut object);
    let object = Box::new(Desired::SeiNode(object));
    Some(Effect::Apply { object, over: node.metadata.uid.clone() })
}

/// A child that no apply of ours was seen on: all of it becomes ours, and nothing changes.
fn whole(node: &SeiNode) -> SeiNode {
    let kept = &node.metadata;
    SeiNode {
        metadata: k8s::ObjectMeta {
            name: kept.name.clone(),
            namespace: kept.namespace.clone(),
            labels: kept.labels.clone(),
            annotations: kept.annotations.clone(),
            owner_references: kept.owner_references.clone(),
            ..k8s::ObjectMeta::default()
        },
        spec: node.spec.clone(),
        status: None,
    }
}
