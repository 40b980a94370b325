//! Which change wakes whom: one method per kind, each a short list.
//!
//! Triggers run after the store has the change, so that a pass that they cause sees it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sei_api::gateway::HttpRoute;
use sei_api::k8s::{self, Resource};
use sei_api::{SeiNode, SeiNodeDeployment, SeiNodeStatus, labels};
use sei_core::node::peer_queries;
use sei_core::ownership::controller;

use crate::cluster::store::{Change, label_of};
use crate::cluster::stores::Stores;
use crate::cluster::{Key, Object};
use crate::queue::Queue;
use crate::sidecars::Sidecars;

/// Turns changes into keys that are due.
#[derive(Debug)]
pub struct Triggers {
    /// Where the kinds are cached.
    pub stores: Arc<Stores>,
    /// Nodes that are due.
    pub nodes: Arc<Queue<Key>>,
    /// Fleets that are due.
    pub fleets: Arc<Queue<Key>>,
    /// Forgets what a sidecar said when its pod changes.
    pub sidecars: Arc<Sidecars>,
    /// Nothing is due before every store is complete.
    pub open: AtomicBool,
}

impl Triggers {
    /// Every store is complete: everything is due once, and from now on what changes.
    pub fn open(&self) {
        self.open.store(true, Ordering::Release);
        for fleet in self.stores.fleets.all() {
            self.fleets.add(Key::of(&fleet.metadata));
        }
        for node in self.stores.nodes.all() {
            self.nodes.add(Key::of(&node.metadata));
        }
    }

    /// A fleet wakes itself.
    pub fn fleet_changed(&self, change: &Change<SeiNodeDeployment>) {
        if self.is_open() && own_change(change, |fleet| fleet.status.as_ref()) {
            self.fleets.add(change.key.clone());
        }
    }

    /// A node wakes itself, its fleet, and the nodes whose peer it is.
    pub fn node_changed(&self, change: &Change<SeiNode>) {
        if !self.is_open() {
            return;
        }
        if own_change(change, |node| node.status.as_ref()) {
            self.nodes.add(change.key.clone());
        }
        if of_interest_to_fleet(change) {
            for fleet in self.fleets_of(change) {
                self.fleets.add(fleet);
            }
        }
        if of_interest_to_peers(change) {
            self.wake_peers(change);
        }
    }

    /// A workload wakes its node and the fleet of that.
    pub fn statefulset_changed(&self, change: &Change<k8s::StatefulSet>) {
        self.part_changed(change, Wakes::NodeAndFleet);
    }

    /// A pod wakes its node and the fleet of that; its sidecar has to be asked anew.
    pub fn pod_changed(&self, change: &Change<k8s::Pod>) {
        let containers = |pod: &k8s::Pod| {
            let status = pod.status.as_ref();
            (pod.metadata.uid.clone(), status.and_then(|it| it.container_statuses.clone()))
        };
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        if old.map(containers) != new.map(containers) {
            for node in owners(change, labels::NODE, NODE) {
                self.sidecars.forget(&node);
            }
        }
        self.part_changed(change, Wakes::NodeAndFleet);
    }

    /// A Service, a claim or access rules wake their node.
    pub fn node_part_changed<K: Object>(&self, change: &Change<K>) {
        self.part_changed(change, Wakes::Node);
    }

    /// A fleet's Service wakes the fleet.
    pub fn fleet_service_changed(&self, change: &Change<k8s::Service>) {
        self.fleet_part_changed(change);
    }

    /// A route wakes its fleet.
    pub fn route_changed(&self, change: &Change<HttpRoute>) {
        self.fleet_part_changed(change);
    }

    /// The kind of routes came or went: fleets that want routes are due.
    pub fn routes_turned(&self) {
        if !self.is_open() {
            return;
        }
        for fleet in self.stores.fleets.all() {
            if fleet.spec.networking.is_some() {
                self.fleets.add(Key::of(&fleet.metadata));
            }
        }
    }

    fn fleet_part_changed<K: Object>(&self, change: &Change<K>) {
        if self.is_open() && (moved(change) || change.awaited) {
            for fleet in owners(change, labels::NODEDEPLOYMENT, FLEET) {
                self.fleets.add(fleet);
            }
        }
    }

    fn part_changed<K: Object>(&self, change: &Change<K>, wakes: Wakes) {
        if !self.is_open() || !(moved(change) || change.awaited) {
            return;
        }
        for node in owners(change, labels::NODE, NODE) {
            if wakes == Wakes::NodeAndFleet
                && let Some(owner) = self.stores.nodes.peek(&node)
                && let Some(fleet) = label_of(&owner.metadata, labels::NODEDEPLOYMENT)
            {
                self.fleets.add(Key::new(&node.namespace, fleet));
            }
            self.nodes.add(node);
        }
    }

    /// The fleets that have to do with a node: by label, by owner, or because it stands where a
    /// child of theirs should.
    fn fleets_of(&self, change: &Change<SeiNode>) -> BTreeSet<Key> {
        let mut fleets = owners(change, labels::NODEDEPLOYMENT, FLEET);
        if let Some((fleet, ordinal)) = change.key.name.rsplit_once('-')
            && ordinal.bytes().all(|byte| byte.is_ascii_digit())
        {
            let fleet = Key::new(&change.key.namespace, fleet);
            if self.stores.fleets.peek(&fleet).is_some() {
                fleets.insert(fleet);
            }
        }
        fleets
    }

    fn wake_peers(&self, change: &Change<SeiNode>) {
        let sides: Vec<&Arc<SeiNode>> = sides(change).collect();
        for node in self.stores.nodes.all() {
            let mut queries = peer_queries(&node).into_iter();
            if queries.any(|query| sides.iter().any(|side| query.matches(side))) {
                self.nodes.add(Key::of(&node.metadata));
            }
        }
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }
}

const NODE: &str = "SeiNode";
const FLEET: &str = "SeiNodeDeployment";

/// Whom a part of a node wakes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wakes {
    Node,
    NodeAndFleet,
}

/// Does an object have to be looked at because of this change of itself?
///
/// Our own status writes do not count, or every pass would cause the next. Those of others do:
/// whoever wipes a status sees it repaired.
fn own_change<K: Object, S: PartialEq>(
    change: &Change<K>,
    status: impl Fn(&K) -> Option<&S>,
) -> bool {
    let (Some(old), Some(new)) = (&change.old, &change.new) else { return true };
    change.awaited
        || asked(old.meta()) != asked(new.meta())
        || (!change.ours && status(old) != status(new))
}

/// The parts of metadata by which people and the API server ask for something.
fn asked(meta: &k8s::ObjectMeta) -> impl PartialEq {
    (
        (meta.uid.clone(), meta.generation, meta.deletion_timestamp.clone()),
        (meta.finalizers.clone(), meta.labels.clone(), meta.annotations.clone()),
    )
}

/// What a fleet sees of a child: everything but the marks on tasks, of which there are many.
fn of_interest_to_fleet(change: &Change<SeiNode>) -> bool {
    let (Some(old), Some(new)) = (&change.old, &change.new) else { return true };
    let seen = |node: &SeiNode| {
        let mut status = node.status.clone().unwrap_or_default();
        for task in status.plan.iter_mut().flat_map(|plan| &mut plan.tasks) {
            (task.submitted_at, task.error, task.status) = Default::default();
            task.not_before = None;
        }
        SeiNodeStatus { resolved_peers: Vec::new(), ..status }
    };
    asked(old.meta()) != asked(new.meta())
        || old.metadata.owner_references != new.metadata.owner_references
        || seen(old) != seen(new)
}

/// Peers are found by label, and not among nodes that are going.
fn of_interest_to_peers(change: &Change<SeiNode>) -> bool {
    let (Some(old), Some(new)) = (&change.old, &change.new) else { return true };
    old.metadata.labels != new.metadata.labels
        || old.metadata.deletion_timestamp != new.metadata.deletion_timestamp
        || old.metadata.uid != new.metadata.uid
}

/// Did anything change? A listing shows everything again.
fn moved<K: Object>(change: &Change<K>) -> bool {
    let version = |object: &Arc<K>| {
        let meta = object.meta();
        (meta.uid.clone(), meta.resource_version.clone())
    };
    change.old.as_ref().map(version) != change.new.as_ref().map(version)
}

/// Whose the object is or was: by label, and by its controller of `kind`.
fn owners<K: Object>(change: &Change<K>, label: &str, kind: &str) -> BTreeSet<Key> {
    let mut owners = BTreeSet::new();
    for side in sides(change) {
        let meta = side.meta();
        let controller = controller(meta).filter(|it| it.kind == kind).map(|it| it.name.as_str());
        for name in [label_of(meta, label), controller].into_iter().flatten() {
            owners.insert(Key::new(&change.key.namespace, name));
        }
    }
    owners
}

fn sides<K>(change: &Change<K>) -> impl Iterator<Item = &Arc<K>> {
    [change.old.as_ref(), change.new.as_ref()].into_iter().flatten()
}

#[cfg(test)]
mod tests;
