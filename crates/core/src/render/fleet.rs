//! The objects of a fleet: its children and the Services that reach them.

use std::collections::BTreeMap;

use sei_api::k8s;
use sei_api::{SeiNode, SeiNodeDeployment, labels};

use super::mode::Mode;
use super::ports;
use super::service::service_port;
use crate::name::FleetName;

/// The Service `<fleet>-internal`: reaches the ready pods of all children, of both generations
/// while a rollout is on its way, and so selects by the fleet alone.
#[must_use]
pub fn internal_service(fleet: &SeiNodeDeployment) -> k8s::Service {
    let group = group_label(fleet);
    k8s::Service {
        metadata: k8s::ObjectMeta {
            name: Some(FleetName::of(fleet).internal_service().into()),
            labels: Some(group.clone()),
            annotations: Some(managed_by()),
            ..metadata(fleet)
        },
        spec: Some(k8s::ServiceSpec {
            type_: Some("ClusterIP".to_owned()),
            selector: Some(group),
            ports: Some(ports::FLEET.map(service_port).into()),
            ..k8s::ServiceSpec::default()
        }),
        status: None,
    }
}

/// The Service `<fleet>-external`: what the fleet's routes lead to.
#[must_use]
pub fn external_service(fleet: &SeiNodeDeployment) -> k8s::Service {
    let group = group_label(fleet);
    // A spec without a mode is refused before it is rendered.
    let mode = Mode::of(&fleet.spec.template.spec).unwrap_or(Mode::FullNode);
    k8s::Service {
        metadata: k8s::ObjectMeta {
            name: Some(FleetName::of(fleet).external_service().into()),
            labels: Some(group.clone()),
            ..metadata(fleet)
        },
        spec: Some(k8s::ServiceSpec {
            type_: Some("ClusterIP".to_owned()),
            selector: Some(group),
            ports: Some(ports::external(mode).iter().copied().map(service_port).collect()),
            ..k8s::ServiceSpec::default()
        }),
        status: None,
    }
}

/// The child of `ordinal`, complete in the fields that the fleet owns.
///
/// `revision` is the generation that brought the template's hash. It is there to be looked at; no
/// selector uses it.
#[must_use]
pub fn child(fleet: &SeiNodeDeployment, ordinal: i32, revision: i64) -> SeiNode {
    let template = fleet.spec.template.metadata.clone().unwrap_or_default();
    let mut system = group_label(fleet);
    system.insert(labels::REVISION.to_owned(), revision.to_string());

    let mut spec = fleet.spec.template.spec.clone();
    let mut pod_labels = template.labels.clone();
    pod_labels.append(&mut spec.pod_labels);
    pod_labels.extend(system.clone());
    spec.pod_labels = pod_labels;

    let mut child_labels = template.labels;
    child_labels.append(&mut system);
    child_labels.insert(labels::NODEDEPLOYMENT_ORDINAL.to_owned(), ordinal.to_string());

    let mut metadata = k8s::ObjectMeta {
        name: Some(FleetName::of(fleet).child(ordinal).into()),
        labels: Some(child_labels),
        annotations: Some(template.annotations).filter(|it| !it.is_empty()),
        ..metadata(fleet)
    };
    ask_again(fleet, &mut metadata);
    SeiNode { metadata, spec, status: None }
}

/// Hands a child the wish to try again that the fleet carries.
pub fn ask_again(fleet: &SeiNodeDeployment, child: &mut k8s::ObjectMeta) {
    let annotations = fleet.metadata.annotations.as_ref();
    if let Some(token) = annotations.and_then(|it| it.get(labels::RETRY)) {
        let annotations = child.annotations.get_or_insert_default();
        annotations.insert(labels::RETRY.to_owned(), token.clone());
    }
}

/// What all objects of a fleet have in common.
pub(super) fn metadata(fleet: &SeiNodeDeployment) -> k8s::ObjectMeta {
    k8s::ObjectMeta {
        namespace: fleet.metadata.namespace.clone(),
        owner_references: super::owner(fleet).map(|it| vec![it]),
        ..k8s::ObjectMeta::default()
    }
}

/// Tells people whose hand made an object.
pub(super) fn managed_by() -> BTreeMap<String, String> {
    BTreeMap::from([(labels::MANAGED_BY.to_owned(), labels::MANAGED_BY_NODEDEPLOYMENT.to_owned())])
}

/// What selects everything of a fleet.
pub(super) fn group_label(fleet: &SeiNodeDeployment) -> BTreeMap<String, String> {
    BTreeMap::from([(labels::NODEDEPLOYMENT.to_owned(), FleetName::of(fleet).to_string())])
}
