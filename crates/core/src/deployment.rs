//! One fleet: what a pass over it reads, and the pure functions that decide for it.
//!
//! The flow of a round is that of a node (see [`crate::node`]).

mod children;
mod conclude;
mod decide;
mod diagnosis;
mod doors;
mod finalize;
mod hash;
mod notices;
mod pause;
mod report;
mod retry;
mod rollback;
mod rollout;
mod spec;
mod stall;
mod strategy;
mod target;
mod turnover;
mod upkeep;
mod urgency;
mod view;
mod wave;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use sei_api::{SeiNode, SeiNodeDeployment, k8s};
use uuid::Uuid;

use crate::node::Seen;
use crate::ownership::Owner;

pub use crate::node::Env;
pub use children::child_name;
pub use conclude::conclude;
pub use decide::decide;
pub use doors::{DoorNeeds, Doors, Resolution, Routes};
pub use hash::template_hash;
pub use notices::notices;
pub use rollout::is_held;
pub use urgency::urgency;

/// Reads of a round. Children, StatefulSets and pods come from the caches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Names at which children are wanted: whatever stands there is to be looked at.
    pub names: Vec<String>,
    /// Confirm with the API server that no internal Service exists when the cache has none.
    pub confirm_service: bool,
    /// For the public face.
    pub doors: DoorNeeds,
}

/// What this fleet's next round asks for.
#[must_use]
pub fn needs(fleet: &SeiNodeDeployment, env: Env<'_>) -> Needs {
    let names = children::ordinals(fleet).map(|it| child_name(fleet, it)).collect();
    Needs { names, confirm_service: true, doors: doors::needs(fleet, env) }
}

/// Everything a round knows about the world, besides the fleet itself.
#[derive(Clone, Debug)]
pub struct Observed {
    /// This round's time, in whole seconds: what a status can hold.
    pub now: Timestamp,
    /// A random UUID v4 that this round may give to a plan.
    pub fresh_id: Uuid,
    /// SeiNodes of the namespace that carry the fleet's label or stand at a wanted name. Keyed by
    /// name; never [`Seen::Unconfirmed`], because the cache holds every SeiNode.
    pub children: BTreeMap<String, Seen<SeiNode>>,
    /// What runs for each of them, by the same name.
    pub workloads: BTreeMap<String, Workload>,
    /// The internal Service.
    pub internal_service: Seen<k8s::Service>,
    /// The public face.
    pub doors: Doors,
}

/// What runs for one child.
#[derive(Clone, Debug, Default)]
pub struct Workload {
    /// Its StatefulSet, if the cache has one.
    pub statefulset: Option<Arc<k8s::StatefulSet>>,
    /// Its pods in the cache.
    pub pods: Vec<Arc<k8s::Pod>>,
}

/// The fleet's name; empty only for an object that no server ever stored.
fn name(fleet: &SeiNodeDeployment) -> &str {
    fleet.metadata.name.as_deref().unwrap_or_default()
}

/// The fleet's namespace.
fn namespace(fleet: &SeiNodeDeployment) -> &str {
    fleet.metadata.namespace.as_deref().unwrap_or_default()
}

/// The fleet's generation.
fn generation(fleet: &SeiNodeDeployment) -> i64 {
    fleet.metadata.generation.unwrap_or_default()
}

/// The fleet as the owner of its objects.
fn owner(fleet: &SeiNodeDeployment) -> Owner<'_> {
    Owner {
        kind: "SeiNodeDeployment",
        name: name(fleet),
        uid: fleet.metadata.uid.as_deref().unwrap_or_default(),
        label: sei_api::labels::NODEDEPLOYMENT,
    }
}

#[cfg(test)]
mod tests;
