//! What differs between a running node's spec and its workload.

use std::sync::Arc;

use sei_api::{SeiNode, SeiNodeStatus, k8s};

use crate::node::evidence::{self, SEID, SIDECAR, image_of};
use crate::node::{Observed, Pods, Seen};
use crate::render::sidecar_image;

/// The message of the first difference that starts an update; none if there is none.
///
/// Three are compared: what was seen running, what the StatefulSet would run, and what a pod of an
/// older revision would. The first alone would leave v2 in the StatefulSet after v1, v2, v1; the
/// first two a pod of v2 that never ran, after v1, v2, v1, v3, v1.
pub(super) fn find(node: &SeiNode, status: &SeiNodeStatus, seen: &Observed) -> Option<String> {
    let statefulset = &seen.statefulset;
    let wanted = node.spec.image.as_str();
    let current = status.current_image.as_deref().filter(|it| !it.is_empty());
    let template = statefulset.here().and_then(evidence::template);
    if matches!(statefulset, Seen::Absent | Seen::Unconfirmed) {
        return Some(image_drift("image", wanted, current.unwrap_or_default()));
    }
    let differs = |image: Option<&str>, wanted: &str| {
        image.filter(|image| *image != wanted).map(str::to_owned)
    };
    let image = differs(current, wanted)
        .or_else(|| differs(template.and_then(|pod| image_of(pod, SEID)), wanted))
        .or_else(|| outdated(seen).find_map(|pod| differs(image_of(pod, SEID), wanted)));
    if let Some(current) = image {
        return Some(image_drift("image", wanted, &current));
    }
    let wanted = sidecar_image(&node.spec)?;
    differs(status.current_sidecar_image.as_deref(), wanted)
        .or_else(|| differs(template.and_then(|pod| image_of(pod, SIDECAR)), wanted))
        .or_else(|| outdated(seen).find_map(|pod| differs(image_of(pod, SIDECAR), wanted)))
        .map(|current| image_drift("sidecar image", wanted, &current))
}

/// Pods of older revisions that stay, whether they ever ran or not.
fn outdated(seen: &Observed) -> impl Iterator<Item = &k8s::PodSpec> {
    let set = seen.statefulset.here();
    let settled = set.and_then(|set| Some((set, evidence::settled_revision(set).ok()?)));
    let pods = match &seen.pods {
        Pods::Known(pods) => pods.as_slice(),
        Pods::Unconfirmed | Pods::Unreadable(_) => &[],
    };
    let stays = move |pod: &&Arc<k8s::Pod>| {
        pod.metadata.deletion_timestamp.is_none()
            && settled.is_some_and(|(set, revision)| {
                evidence::belongs(pod, set) && evidence::is_old(pod, revision)
            })
    };
    pods.iter().filter(stays).filter_map(|pod| pod.spec.as_ref())
}

fn image_drift(what: &str, wanted: &str, current: &str) -> String {
    format!("{what} drift detected: spec={wanted} current={current}")
}
