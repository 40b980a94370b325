//! From a node or a fleet to the Kubernetes objects it is made of: complete, and always the same
//! for the same input.
//!
//! Nothing here fails and nothing here chooses: what cannot be rendered is refused before.

use sei_api::k8s::{self, Resource};
use sei_api::{SeiNode, SeiNodeSpec};

use crate::name::NodeName;
use crate::platform::Platform;

mod access;
mod claim;
mod labels;
mod pod;
mod scripts;
mod service;
mod statefulset;

pub mod fleet;
pub mod mode;
pub mod ports;
pub mod routes;

use mode::Mode;

/// Everything that one node is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeObjects {
    /// The workload: one pod, replaced only by us.
    pub statefulset: k8s::StatefulSet,
    /// The headless Service that gives the pod its host name.
    pub service: k8s::Service,
    /// The data volume's claim. Created once, never applied again.
    pub claim: k8s::PersistentVolumeClaim,
    /// The access rules of the proxy in front of the sidecar.
    pub config_map: k8s::ConfigMap,
}

/// Renders all objects of `node`.
#[must_use]
pub fn node_objects(node: &SeiNode, platform: &Platform) -> NodeObjects {
    NodeObjects {
        statefulset: statefulset(node, platform),
        service: service(node, platform),
        claim: claim(node, platform),
        config_map: config_map(node, platform),
    }
}

/// The workload of `node`.
#[must_use]
pub fn statefulset(node: &SeiNode, platform: &Platform) -> k8s::StatefulSet {
    statefulset::statefulset(&Subject::of(node, platform))
}

/// Metadata of the workload of `node`.
#[must_use]
pub fn statefulset_metadata(node: &SeiNode, platform: &Platform) -> k8s::ObjectMeta {
    statefulset::metadata(&Subject::of(node, platform))
}

/// The headless Service of `node`.
#[must_use]
pub fn service(node: &SeiNode, platform: &Platform) -> k8s::Service {
    service::headless(&Subject::of(node, platform))
}

/// The data volume's claim of `node`.
#[must_use]
pub fn claim(node: &SeiNode, platform: &Platform) -> k8s::PersistentVolumeClaim {
    claim::claim(&Subject::of(node, platform))
}

/// The access rules of the proxy of `node`.
#[must_use]
pub fn config_map(node: &SeiNode, platform: &Platform) -> k8s::ConfigMap {
    access::config_map(&Subject::of(node, platform))
}

/// The controller owner reference to `object`; `None` while the server has given it no UID.
#[must_use]
pub fn owner<K: Resource<DynamicType = ()>>(object: &K) -> Option<k8s::OwnerReference> {
    let reference = object.controller_owner_ref(&())?;
    Some(k8s::OwnerReference { block_owner_deletion: Some(true), ..reference })
}

/// The node that is rendered, and what every one of its objects needs to know of it.
struct Subject<'a> {
    name: NodeName,
    namespace: String,
    spec: &'a SeiNodeSpec,
    mode: Option<Mode>,
    owner: Option<k8s::OwnerReference>,
    platform: &'a Platform,
}

impl<'a> Subject<'a> {
    fn of(node: &'a SeiNode, platform: &'a Platform) -> Self {
        Self {
            name: NodeName::of(node),
            namespace: node.metadata.namespace.clone().unwrap_or_default(),
            spec: &node.spec,
            mode: Mode::of(&node.spec),
            owner: owner(node),
            platform,
        }
    }

    /// Metadata of an object of this node. All of them carry the same labels.
    fn metadata(&self, name: &str) -> k8s::ObjectMeta {
        k8s::ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(self.namespace.clone()),
            labels: Some(labels::merged(self)),
            owner_references: self.owner.clone().map(|it| vec![it]),
            ..k8s::ObjectMeta::default()
        }
    }
}

/// The sidecar image that a spec asks for; absent and empty both mean the operator's default.
pub(crate) fn sidecar_image(spec: &SeiNodeSpec) -> Option<&str> {
    spec.sidecar.as_ref()?.image.as_deref().filter(|it| !it.is_empty())
}
