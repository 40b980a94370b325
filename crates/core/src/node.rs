//! One node: what a pass over it reads, and the pure functions that decide for it.
//!
//! Flow of a round: [`needs`] says which reads go beyond the caches, the shell fills an
//! [`Observed`], [`decide`] chooses, the shell acts, [`conclude`] folds what became of it into the
//! status. After the commit, [`notices`] says what people should hear.

mod claim;
mod conclude;
mod decide;
mod diagnosis;
mod drift;
mod evidence;
mod executor;
mod finalize;
mod infra;
mod intent;
mod needs;
mod notices;
mod peers;
mod plans;
mod report;
mod retry;
mod sidecar;
pub mod spec;
mod urgency;

use std::sync::Arc;

use jiff::Timestamp;
use sei_api::{SeiNode, k8s};
use sei_sidecar_api::{Health, SidecarError, TaskResult};
use uuid::Uuid;

use crate::fault::Fault;
use crate::platform::Platform;
use crate::tempo::Tempo;

pub use conclude::conclude;
pub use decide::decide;
pub use diagnosis::suspect;
pub(crate) use evidence::SEID;
pub use evidence::is_provable;
pub use needs::{Needs, needs};
pub use notices::notices;
pub use peers::{PeerQuery, queries as peer_queries};
pub use urgency::urgency;

/// What does not change while the operator runs.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// Settings of the platform.
    pub platform: &'a Platform,
    /// Paces and patience.
    pub tempo: &'a Tempo,
}

/// Everything a round knows about the world, besides the node itself.
#[derive(Clone, Debug)]
pub struct Observed {
    /// This round's time, in whole seconds: what a status can hold.
    pub now: Timestamp,
    /// A random UUID v4 that this round may give to a plan.
    pub fresh_id: Uuid,
    /// The StatefulSet at the node's name.
    pub statefulset: Seen<k8s::StatefulSet>,
    /// The Service at the node's name.
    pub service: Seen<k8s::Service>,
    /// The claim at the name of the node's data volume.
    pub claim: Seen<k8s::PersistentVolumeClaim>,
    /// The ConfigMap at the name of the proxy's access rules.
    pub config_map: Seen<k8s::ConfigMap>,
    /// The pods that carry the node's label.
    pub pods: Pods,
    /// The machine under a pod that [`suspect`] named, if it was asked for.
    pub host: Option<Seen<k8s::Node>>,
    /// Nodes that match one of the node's peer queries.
    pub peers: Vec<Arc<SeiNode>>,
    /// The current task at the sidecar, if it was asked for.
    pub task: Option<Result<Option<TaskResult>, SidecarError>>,
    /// The sidecar's readiness, if it was asked for.
    pub health: Option<Result<Health, SidecarError>>,
}

/// One object, as far as we can tell.
#[derive(Clone, Debug)]
pub enum Seen<T> {
    /// It is there, at least as new as our own last write to it.
    Here(Arc<T>),
    /// It is not there: the API server said so.
    Absent,
    /// The cache has none and nobody asked the API server.
    Unconfirmed,
    /// The cache is older than our own last write; a watch event will follow.
    Stale,
    /// The API server could not be asked.
    Unreadable(Fault),
}

/// The pods of a node, as far as we can tell.
#[derive(Clone, Debug)]
pub enum Pods {
    /// These; none means that the API server said so.
    Known(Vec<Arc<k8s::Pod>>),
    /// The cache has none and nobody asked the API server.
    Unconfirmed,
    /// The API server could not be asked.
    Unreadable(Fault),
}

impl<T> Seen<T> {
    /// The object, if it is there.
    #[must_use]
    pub fn here(&self) -> Option<&T> {
        match self {
            Self::Here(object) => Some(object),
            Self::Absent | Self::Unconfirmed | Self::Stale | Self::Unreadable(_) => None,
        }
    }
}

/// The node's name; empty only for an object that no server ever stored.
fn name(node: &SeiNode) -> &str {
    node.metadata.name.as_deref().unwrap_or_default()
}

/// The node's namespace.
fn namespace(node: &SeiNode) -> &str {
    node.metadata.namespace.as_deref().unwrap_or_default()
}

/// The node's generation.
fn generation(node: &SeiNode) -> i64 {
    node.metadata.generation.unwrap_or_default()
}

/// The node as the owner of its objects.
fn owner(node: &SeiNode) -> crate::ownership::Owner<'_> {
    crate::ownership::Owner {
        kind: "SeiNode",
        name: name(node),
        uid: node.metadata.uid.as_deref().unwrap_or_default(),
        label: sei_api::labels::NODE,
    }
}

#[cfg(test)]
pub(crate) mod tests;
