//! What differs between a running node's spec and its workload.

use sei_api::{SeiNode, SeiNodeStatus, k8s};

use crate::node::Seen;
use crate::node::evidence::{SEID, SIDECAR, image_of};

/// The message of the first difference that starts an update; none if there is none.
///
/// Both sides are compared: what was seen running and what the StatefulSet would run. The first
/// alone would leave v2 in the StatefulSet after v1, v2, v1.
pub(super) fn find(
    node: &SeiNode,
    status: &SeiNodeStatus,
    statefulset: &Seen<k8s::StatefulSet>,
) -> Option<String> {
    let wanted = node.spec.image.as_str();
    let current = status.current_image.as_deref().filter(|it| !it.is_empty());
    let template = template(statefulset);
    if matches!(statefulset, Seen::Absent | Seen::Unconfirmed) {
        return Some(image_drift("image", wanted, current.unwrap_or_default()));
    }
    let differs = |image: Option<&str>, wanted: &str| {
        image.filter(|image| *image != wanted).map(str::to_owned)
    };
    let image = differs(current, wanted)
        .or_else(|| differs(template.and_then(|pod| image_of(pod, SEID)), wanted));
    if let Some(current) = image {
        return Some(image_drift("image", wanted, &current));
    }
    let wanted = node.spec.sidecar.as_ref()?.image.as_deref().filter(|it| !it.is_empty())?;
    differs(status.current_sidecar_image.as_deref(), wanted)
        .or_else(|| differs(template.and_then(|pod| image_of(pod, SIDECAR)), wanted))
        .map(|current| image_drift("sidecar image", wanted, &current))
}

fn template(statefulset: &Seen<k8s::StatefulSet>) -> Option<&k8s::PodSpec> {
    statefulset.here()?.spec.as_ref()?.template.spec.as_ref()
}

fn image_drift(what: &str, wanted: &str, current: &str) -> String {
    format!("{what} drift detected: spec={wanted} current={current}")
}
