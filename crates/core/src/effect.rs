//! Everything the operator may ask of the world, and what the world answered.
//!
//! The lists are closed: the operator's role in the cluster is generated from them
//! (see [`crate::rbac`]), so a write that is not here cannot happen.

use sei_api::gateway::HttpRoute;
use sei_api::{SeiNode, k8s};
use sei_sidecar_api::TaskRequest;

use crate::fault::Fault;

/// The kinds of objects the operator reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Fleets.
    SeiNodeDeployment,
    /// Nodes.
    SeiNode,
    /// The workload of a node.
    StatefulSet,
    /// Pods of nodes.
    Pod,
    /// Services of nodes and fleets.
    Service,
    /// Data volumes of nodes.
    Claim,
    /// Access rules of the proxy in front of a sidecar.
    ConfigMap,
    /// Public routes of fleets.
    HttpRoute,
    /// Kubernetes Events.
    Event,
}

/// One write. Every variant states its method and its precondition.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Server-side apply of the fields we own.
    ///
    /// Forced only over an object that was seen to be ours (`over` is its UID, sent along so that
    /// an object recreated meanwhile is not touched); unforced when none was seen, so that somebody
    /// else's object of that name answers with a conflict instead of being taken over.
    Apply {
        /// The object, complete in the fields we own.
        object: Box<Desired>,
        /// UID of the object that was seen; `None` when none was.
        over: Option<String>,
    },
    /// Create; `AlreadyExists` is a conflict: read again and decide on what is there.
    Create(Box<Desired>),
    /// Merge patch of `metadata.ownerReferences` of one object, conditional on its
    /// `resourceVersion`.
    SetOwners {
        /// Which object, as it was seen.
        target: Target,
        /// The complete list of owner references.
        owners: Vec<k8s::OwnerReference>,
    },
    /// Delete with UID and resourceVersion preconditions; `NotFound` is success.
    Delete(Target),
    /// Remove our finalizer from the object of this pass: the last effect of its last pass.
    RemoveFinalizer,
    /// POST a task to the sidecar of this pass's node. Repeating it with the same id is harmless.
    Submit(TaskRequest),
}

/// An object to be written.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "always boxed in an Effect")]
pub enum Desired {
    /// A child of a fleet.
    SeiNode(SeiNode),
    /// The workload of a node.
    StatefulSet(k8s::StatefulSet),
    /// A Service of a node or fleet.
    Service(k8s::Service),
    /// The data volume of a node.
    Claim(k8s::PersistentVolumeClaim),
    /// The access rules of a node's proxy.
    ConfigMap(k8s::ConfigMap),
    /// A public route of a fleet.
    HttpRoute(HttpRoute),
}

/// One existing object, as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its kind.
    pub resource: Resource,
    /// Its name; the namespace is the pass's.
    pub name: String,
    /// The UID that was seen.
    pub uid: String,
    /// The resourceVersion that was seen.
    pub resource_version: String,
}

impl Target {
    /// The object `meta` describes.
    #[must_use]
    pub fn seen(resource: Resource, meta: &k8s::ObjectMeta) -> Self {
        Self {
            resource,
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
            resource_version: meta.resource_version.clone().unwrap_or_default(),
        }
    }
}

impl Desired {
    /// Its kind.
    #[must_use]
    pub fn resource(&self) -> Resource {
        match self {
            Self::SeiNode(_) => Resource::SeiNode,
            Self::StatefulSet(_) => Resource::StatefulSet,
            Self::Service(_) => Resource::Service,
            Self::Claim(_) => Resource::Claim,
            Self::ConfigMap(_) => Resource::ConfigMap,
            Self::HttpRoute(_) => Resource::HttpRoute,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        let meta = match self {
            Self::SeiNode(object) => &object.metadata,
            Self::StatefulSet(object) => &object.metadata,
            Self::Service(object) => &object.metadata,
            Self::Claim(object) => &object.metadata,
            Self::ConfigMap(object) => &object.metadata,
            Self::HttpRoute(object) => &object.metadata,
        };
        meta.name.as_deref().unwrap_or_default()
    }
}

/// What became of one effect, in the order of the decision's effects.
#[must_use]
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It happened. `uid` is the object's, where the answer carried one.
    Done {
        /// UID of the object that was written.
        uid: Option<String>,
    },
    /// It did not, as far as we know.
    Failed(Fault),
}

impl Outcome {
    /// The fault, if it is one.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Done { .. } => None,
            Self::Failed(fault) => Some(fault),
        }
    }
}

/// The fault that decides what happens next: the most final of those that occurred.
#[must_use]
pub fn worst<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Option<&'a Fault> {
    outcomes.into_iter().filter_map(Outcome::fault).max_by_key(|fault| fault.class)
}

impl Desired {
    /// The object as JSON, as it is sent.
    ///
    /// # Errors
    /// Never for objects of ours; the signature is serde's.
    pub fn to_value(&self) -> Result<serde_json::Value, serde_json::Error> {
        match self {
            Self::SeiNode(object) => serde_json::to_value(object),
            Self::StatefulSet(object) => serde_json::to_value(object),
            Self::Service(object) => serde_json::to_value(object),
            Self::Claim(object) => serde_json::to_value(object),
            Self::ConfigMap(object) => serde_json::to_value(object),
            Self::HttpRoute(object) => serde_json::to_value(object),
        }
    }
}
