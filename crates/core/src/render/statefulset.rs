//! The workload of a node.

use std::collections::BTreeMap;

use sei_api::k8s;

use super::{Subject, labels, pod};

/// The StatefulSet of a node: one pod, and a new revision reaches it only when the operator
/// deletes the old one.
pub(super) fn statefulset(subject: &Subject<'_>) -> k8s::StatefulSet {
    k8s::StatefulSet {
        metadata: metadata(subject),
        spec: Some(k8s::StatefulSetSpec {
            replicas: Some(1),
            service_name: Some(subject.name.to_string()),
            selector: k8s::LabelSelector {
                match_labels: Some(labels::selector(subject)),
                match_expressions: None,
            },
            update_strategy: Some(k8s::StatefulSetUpdateStrategy {
                type_: Some("OnDelete".to_owned()),
                rolling_update: None,
            }),
            template: template(subject),
            ..k8s::StatefulSetSpec::default()
        }),
        status: None,
    }
}

/// Metadata of the StatefulSet of a node.
pub(super) fn metadata(subject: &Subject<'_>) -> k8s::ObjectMeta {
    subject.metadata(subject.name.as_str())
}

/// The pod keeps off Karpenter's list: moving a node costs hours of catching up.
fn template(subject: &Subject<'_>) -> k8s::PodTemplateSpec {
    let keep = ("karpenter.sh/do-not-disrupt".to_owned(), "true".to_owned());
    k8s::PodTemplateSpec {
        metadata: Some(k8s::ObjectMeta {
            labels: Some(labels::merged(subject)),
            annotations: Some(BTreeMap::from([keep])),
            ..k8s::ObjectMeta::default()
        }),
        spec: Some(pod::spec(subject)),
    }
}
