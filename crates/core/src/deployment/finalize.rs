//! The end of a fleet: Terminating, its policy, its finalizer, in this order.

use sei_api::condition::Type;
use sei_api::{
    DeletionPolicy, DeploymentPhase, SeiNodeDeployment, SeiNodeDeploymentStatus, event, k8s, labels,
};

use crate::condition::find;
use crate::decision::{Decision, Requeue};
use crate::deployment::{Env, Observed, doors, owner, report};
use crate::effect::{Effect, Resource, Target};
use crate::fault::Fault;
use crate::node::Seen;
use crate::notice::Notice;

/// What a fleet that is being deleted needs now.
///
/// `Delete` takes down the public face, and leaves children and the internal Service to the
/// garbage collector. `Retain` lets go of all of them: they stay, keep serving, and a fleet of the
/// same name adopts them.
pub(super) fn decide(
    fleet: &SeiNodeDeployment,
    status: &SeiNodeDeploymentStatus,
    seen: &Observed,
    env: Env<'_>,
) -> Decision<SeiNodeDeploymentStatus> {
    let finalizers = fleet.metadata.finalizers.iter().flatten();
    if !finalizers.into_iter().any(|it| it == labels::NODEDEPLOYMENT_FINALIZER) {
        return Decision::rest(status.clone(), Requeue::Never);
    }
    if status.phase != Some(DeploymentPhase::Terminating) {
        let mut next = status.clone();
        next.phase = Some(DeploymentPhase::Terminating);
        next.observed_generation = fleet.metadata.generation;
        return Decision::rest(next, Requeue::NextPass);
    }
    if hidden(fleet, seen).is_some() {
        return Decision::rest(status.clone(), Requeue::Backoff);
    }
    if doors::is_stale(fleet, seen) {
        return Decision::rest(status.clone(), Requeue::After(env.tempo.task_poll_first));
    }
    if !retains(fleet) {
        let effects = doors::close(fleet, seen);
        if effects.is_empty() {
            return last(status);
        }
        // The watch tells when they are gone, and then the next of them follow.
        let again = Requeue::After(env.tempo.task_poll_first);
        return Decision { effects, ..Decision::rest(status.clone(), again) };
    }
    let is_stale = matches!(seen.internal_service, Seen::Stale);
    if is_stale || seen.children.values().any(|it| matches!(it, Seen::Stale)) {
        return Decision::rest(status.clone(), Requeue::Backoff);
    }
    let effects = releases(fleet, seen);
    if effects.is_empty() {
        return last(status);
    }
    Decision { effects, ..Decision::rest(status.clone(), Requeue::Backoff) }
}

/// Does this fleet let its children live when it goes?
pub(super) fn retains(fleet: &SeiNodeDeployment) -> bool {
    match &fleet.spec.deletion_policy {
        Some(DeletionPolicy::Retain) => true,
        // A word that this version does not know is no leave to delete data.
        Some(DeletionPolicy::Unknown(_)) => true,
        Some(DeletionPolicy::Delete) | None => false,
    }
}

/// Why the fleet cannot go yet: something that goes with it, or that it lets go of, cannot be
/// looked at.
pub(super) fn hidden(fleet: &SeiNodeDeployment, seen: &Observed) -> Option<Fault> {
    let released = || report::unreadable(seen).filter(|_| retains(fleet)).cloned();
    doors::hidden(fleet, seen).or_else(released)
}

/// The Event about a clean-up that failed, unless `before` says the same already.
pub(super) fn failed(
    fleet: &SeiNodeDeployment,
    before: &SeiNodeDeploymentStatus,
    fault: &Fault,
) -> Option<Notice> {
    let known = find(&before.conditions, Type::Ready).is_some_and(|it| it.message == fault.detail);
    let what = match retains(fleet) {
        true => "orphan child SeiNodes and networking resources",
        false => "clean up networking resources",
    };
    let message = format!("Failed to {what}: {}", fault.detail);
    (!known).then(|| Notice::warning(event::Reason::DeleteFailed, message, &fault.detail))
}

fn last(status: &SeiNodeDeploymentStatus) -> Decision<SeiNodeDeploymentStatus> {
    let effects = vec![Effect::RemoveFinalizer];
    Decision { effects, ..Decision::rest(status.clone(), Requeue::Never) }
}

fn releases(fleet: &SeiNodeDeployment, seen: &Observed) -> Vec<Effect> {
    let uid = owner(fleet).uid;
    let children = seen.children.values().filter_map(Seen::here);
    let children = children.map(|it| (Resource::SeiNode, &it.metadata));
    let service = seen.internal_service.here().map(|it| (Resource::Service, &it.metadata));
    children
        .chain(service)
        .chain(doors::releases(seen))
        .filter(|(_, meta)| meta.deletion_timestamp.is_none())
        .filter_map(|(resource, meta)| release(resource, meta, uid))
        .collect()
}

fn release(resource: Resource, meta: &k8s::ObjectMeta, uid: &str) -> Option<Effect> {
    let owners = meta.owner_references.clone().unwrap_or_default();
    let kept: Vec<k8s::OwnerReference> =
        owners.iter().filter(|it| it.uid != uid).cloned().collect();
    (kept.len() < owners.len())
        .then(|| Effect::SetOwners { target: Target::seen(resource, meta), owners: kept })
}
