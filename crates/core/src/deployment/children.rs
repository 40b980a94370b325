//! The children of a fleet: which are wanted, what stands at their names, which run the target.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use sei_api::{NodePhase, SeiNode, SeiNodeDeployment, k8s, labels};

use crate::applied;
use crate::deployment::spec::REPLICAS_MAX;
use crate::deployment::target::{self, Target};
use crate::deployment::{Observed, Workload, generation, name, owner};
use crate::node::{SEID, Seen};
use crate::ownership::{Ownership, classify, controlled_by};

/// Name of the child at `ordinal`.
#[must_use]
pub fn child_name(fleet: &SeiNodeDeployment, ordinal: i32) -> String {
    format!("{}-{ordinal}", name(fleet))
}

/// The wanted ordinals; what is out of bounds is refused elsewhere, and must not be counted up.
pub(super) fn ordinals(fleet: &SeiNodeDeployment) -> std::ops::Range<i32> {
    0..fleet.spec.replicas.clamp(0, REPLICAS_MAX)
}

/// A fleet's children, sorted by ordinal.
#[derive(Debug)]
pub(super) struct Children<'a> {
    /// One per wanted ordinal.
    pub(super) wanted: Vec<Slot<'a>>,
    /// Controlled by the fleet, wanted or not, terminating or not.
    pub(super) owned: Vec<&'a Arc<SeiNode>>,
    /// Controlled by the fleet, above the wanted ordinals and not being deleted yet.
    pub(super) surplus: Vec<&'a Arc<SeiNode>>,
}

/// One wanted ordinal and what stands at its name.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    pub(super) ordinal: i32,
    pub(super) name: String,
    pub(super) place: Place<'a>,
}

/// What stands at a wanted child's name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    /// Nothing.
    Missing,
    /// Our child.
    Ours(&'a SeiNode),
    /// A child that lost its fleet; it is adopted.
    Orphan(&'a SeiNode),
    /// Something that is about to go.
    Leftover,
    /// Somebody else's node.
    Foreign,
    /// Ours, but the cache is older than our last write to it.
    Unseen,
}

/// Reads the children out of what was observed.
pub(super) fn read<'a>(fleet: &'a SeiNodeDeployment, seen: &'a Observed) -> Children<'a> {
    let uid = owner(fleet).uid;
    let mut owned: Vec<&Arc<SeiNode>> = seen
        .children
        .values()
        .filter_map(|it| match it {
            Seen::Here(node) => Some(node),
            Seen::Absent | Seen::Unconfirmed | Seen::Stale | Seen::Unreadable(_) => None,
        })
        .filter(|node| controlled_by(&node.metadata, uid))
        .collect();
    owned.sort_by_key(|node| (ordinal_of(node).unwrap_or(i32::MAX), node.metadata.name.clone()));
    let wanted: Vec<Slot<'a>> = ordinals(fleet)
        .map(|ordinal| {
            let name = child_name(fleet, ordinal);
            let place = place(fleet, seen.children.get(&name));
            Slot { ordinal, name, place }
        })
        .collect();
    let names: BTreeSet<&str> = wanted.iter().map(|slot| slot.name.as_str()).collect();
    let surplus = owned
        .iter()
        .copied()
        .filter(|node| node.metadata.deletion_timestamp.is_none())
        .filter(|node| ordinal_of(node).is_some_and(|it| it >= fleet.spec.replicas))
        .filter(|node| !names.contains(node.metadata.name.as_deref().unwrap_or_default()))
        .collect();
    Children { wanted, owned, surplus }
}

/// The generation that brought the current template: what the children on target carry, else the
/// current one. It changes with the template only, so that no second wave follows a rollout.
pub(super) fn revision(
    fleet: &SeiNodeDeployment,
    children: &Children<'_>,
    target: Target<'_>,
) -> i64 {
    children
        .owned
        .iter()
        .filter(|node| target::of(&node.spec) == target)
        .filter_map(|node| node.metadata.labels.as_ref()?.get(labels::REVISION)?.parse().ok())
        .max()
        .unwrap_or_else(|| generation(fleet))
}

/// Does this child's spec ask for the target?
pub(super) fn asks_for(node: &SeiNode, target: Target<'_>) -> bool {
    target::of(&node.spec) == target
}

/// Was this child seen running the target, with nothing left to do?
///
/// **Invariant `rollout_truth`:** only such children complete a rollout. The evidence is the
/// child's own (`currentImage` is copied from what runs), and only a status that speaks about the
/// newest spec counts.
pub(super) fn on_target(node: &SeiNode, target: Target<'_>) -> bool {
    let Some(status) = &node.status else { return false };
    let sidecar = status.current_sidecar_image.as_deref();
    asks_for(node, target)
        && node.metadata.deletion_timestamp.is_none()
        && status.observed_generation == node.metadata.generation
        && status.plan.is_none()
        && status.phase == Some(NodePhase::Running)
        && status.current_image.as_deref() == Some(target.image)
        && target.sidecar_image.is_none_or(|image| sidecar == Some(image))
}

/// Is this child Running and ready by its StatefulSet?
pub(super) fn is_ready(node: &SeiNode, workload: Option<&Workload>) -> bool {
    let running = node.status.as_ref().is_some_and(|it| it.phase == Some(NodePhase::Running));
    running && workload.and_then(|it| it.statefulset.as_deref()).is_some_and(set_is_ready)
}

/// When `seid` will have run long enough to count on.
pub(super) fn settles_at(workload: Option<&Workload>, min_ready: std::time::Duration) -> Settles {
    // Pods without their StatefulSet are about to go, whatever the cache shows of them.
    let Some((set, pods)) = workload.and_then(|it| Some((it.statefulset.as_deref()?, &it.pods)))
    else {
        return Settles::Unknown;
    };
    let live = pods.iter().find(|pod| pod.metadata.deletion_timestamp.is_none());
    let Some(pod) = live else {
        // A control plane without kubelets: the StatefulSet's own count is all there is.
        let counts = pods.is_empty() && set_is_ready(set);
        return if counts { Settles::Now } else { Settles::Unknown };
    };
    let mut statuses = pod.status.iter().flat_map(|it| it.container_statuses.iter().flatten());
    let Some(seid) = statuses.rfind(|it| it.name == SEID) else {
        return Settles::Unknown;
    };
    if has_startup_probe(pod) && seid.started != Some(true) {
        return Settles::Unknown;
    }
    let running = seid.state.as_ref().and_then(|it| it.running.as_ref());
    let since = running.and_then(|it| it.started_at.as_ref()).map(|it| it.0);
    since.and_then(|it| it.checked_add(min_ready).ok()).map_or(Settles::Unknown, Settles::At)
}

/// When a child's `seid` has run long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settles {
    /// It has, or nothing runs containers here.
    Now,
    /// At this time, if it does not restart.
    At(Timestamp),
    /// It does not run yet.
    Unknown,
}

fn place<'a>(fleet: &SeiNodeDeployment, seen: Option<&'a Seen<SeiNode>>) -> Place<'a> {
    let node = match seen {
        None | Some(Seen::Absent | Seen::Unconfirmed) => return Place::Missing,
        Some(Seen::Stale | Seen::Unreadable(_)) => return Place::Unseen,
        Some(Seen::Here(node)) => node,
    };
    match classify(&node.metadata, owner(fleet)) {
        Ownership::Ours => Place::Ours(node),
        Ownership::Orphan => Place::Orphan(node),
        Ownership::Leftover => Place::Leftover,
        Ownership::Foreign => Place::Foreign,
    }
}

/// The ordinal label, read strictly.
pub(super) fn ordinal_of(node: &SeiNode) -> Option<i32> {
    node.metadata.labels.as_ref()?.get(labels::NODEDEPLOYMENT_ORDINAL)?.parse().ok()
}

/// The record of what we applied to this child last.
pub(super) fn own_entry(node: &SeiNode) -> Option<&k8s::ManagedFieldsEntry> {
    let mut entries = node.metadata.managed_fields.iter().flatten();
    entries.find(|it| {
        it.manager.as_deref() == Some(labels::NODEDEPLOYMENT_FIELD_MANAGER)
            && it.operation.as_deref() == Some("Apply")
            && it.subresource.as_deref().unwrap_or_default().is_empty()
    })
}

/// Is it we who paused this child? Whoever else did has a reason of their own.
pub(super) fn owns_pause(node: &SeiNode) -> bool {
    own_entry(node).is_some_and(|entry| applied::names(entry, "/f:spec/f:paused"))
}

fn set_is_ready(set: &k8s::StatefulSet) -> bool {
    let wanted = set.spec.as_ref().and_then(|it| it.replicas).unwrap_or(1);
    let ready = set.status.as_ref().and_then(|it| it.ready_replicas).unwrap_or_default();
    wanted > 0 && ready >= wanted
}

fn has_startup_probe(pod: &k8s::Pod) -> bool {
    let containers = pod.spec.iter().flat_map(|it| &it.containers);
    containers.filter(|it| it.name == SEID).any(|it| it.startup_probe.is_some())
}
