//! What proves that an image runs.
//!
//! **Invariant `current_from_workload`:** `currentImage` is copied from what was seen to run,
//! never from the spec. The pod's *spec* names the image, because container runtimes rewrite the
//! one in its status.

use std::sync::Arc;

use sei_api::{SeiNode, SeiNodeStatus, k8s};

use crate::node::{Observed, Pods, Seen};
use crate::render::sidecar_image;

/// Name of the container that runs the chain.
pub(crate) const SEID: &str = "seid";
/// Name of the sidecar's container.
pub(crate) const SIDECAR: &str = "sei-sidecar";
/// Label under which the StatefulSet controller records a pod's revision.
const REVISION: &str = "controller-revision-hash";

/// The images that were seen running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) image: String,
    pub(super) sidecar_image: Option<String>,
}

/// Records what runs, whenever it is seen.
pub(super) fn stamp(status: &mut SeiNodeStatus, seen: &Observed) {
    if let Ok(running) = running(seen) {
        status.current_image = Some(running.image);
        status.current_sidecar_image = running.sidecar_image;
    }
}

/// What runs at the StatefulSet's newest revision, or why that cannot be said.
///
/// # Errors
/// In words for people, stable from one look to the next.
pub(super) fn running(seen: &Observed) -> Result<Running, String> {
    let Seen::Here(set) = &seen.statefulset else {
        return Err("the StatefulSet was not seen yet".to_owned());
    };
    let update_revision = settled_revision(set)?;
    match &seen.pods {
        Pods::Known(pods) => {
            let mut ours = pods.iter().filter(|pod| belongs(pod, set)).peekable();
            if ours.peek().is_none() { without_pods(set) } else { with_pods(ours, update_revision) }
        }
        Pods::Unconfirmed => Err("no pod was seen yet".to_owned()),
        Pods::Unreadable(fault) => Err(fault.detail.clone()),
    }
}

/// The revision that new pods get, once the StatefulSet controller has seen the newest template.
pub(super) fn settled_revision(set: &k8s::StatefulSet) -> Result<&str, String> {
    let status = set.status.as_ref();
    let observed = status.and_then(|it| it.observed_generation).unwrap_or_default();
    if observed < set.metadata.generation.unwrap_or_default() {
        return Err("the StatefulSet controller has not seen the new template yet".to_owned());
    }
    status
        .and_then(|it| it.update_revision.as_deref())
        .filter(|it| !it.is_empty())
        .ok_or_else(|| "the StatefulSet has no update revision yet".to_owned())
}

/// Could it prove, if there are no pods, that the node runs what its spec asks for? Not before the
/// StatefulSet asks for it too, and its controller has seen that.
#[must_use]
pub fn is_provable(node: &SeiNode, set: &k8s::StatefulSet) -> bool {
    asked(set, SEID) == Some(node.spec.image.as_str()) && settled_revision(set).is_ok()
}

/// Would new pods of the StatefulSet run what the node asks for?
pub(super) fn asks_for_target(set: &k8s::StatefulSet, node: &SeiNode) -> bool {
    asked(set, SEID) == Some(node.spec.image.as_str())
        && sidecar_image(&node.spec).is_none_or(|it| asked(set, SIDECAR) == Some(it))
}

/// Image that new pods of the StatefulSet get for this container.
fn asked<'a>(set: &'a k8s::StatefulSet, container: &str) -> Option<&'a str> {
    template(set).and_then(|it| image_of(it, container))
}

/// What new pods of the StatefulSet look like.
pub(super) fn template(set: &k8s::StatefulSet) -> Option<&k8s::PodSpec> {
    set.spec.as_ref()?.template.spec.as_ref()
}

/// Is this pod one of this StatefulSet, by its owner's UID?
pub(super) fn belongs(pod: &k8s::Pod, set: &k8s::StatefulSet) -> bool {
    let uid = set.metadata.uid.as_deref().unwrap_or_default();
    crate::ownership::controlled_by(&pod.metadata, uid)
}

/// Is this pod at another revision? One without the label is.
pub(super) fn is_old(pod: &k8s::Pod, update_revision: &str) -> bool {
    let labels = pod.metadata.labels.as_ref();
    labels.and_then(|it| it.get(REVISION)).is_none_or(|it| it != update_revision)
}

/// Image of the container, main or init, of this name.
pub(crate) fn image_of<'a>(pod: &'a k8s::PodSpec, container: &str) -> Option<&'a str> {
    pod.containers
        .iter()
        .chain(pod.init_containers.iter().flatten())
        .find(|it| it.name == container)
        .and_then(|it| it.image.as_deref())
}

fn with_pods<'a>(
    pods: impl Iterator<Item = &'a Arc<k8s::Pod>>,
    update_revision: &str,
) -> Result<Running, String> {
    let mut why = "no pod of the new revision exists yet".to_owned();
    for pod in pods {
        let terminating = pod.metadata.deletion_timestamp.is_some();
        if terminating || is_old(pod, update_revision) {
            continue;
        }
        if seid_runs(pod) {
            return pod.spec.as_ref().ok_or_else(|| why.clone()).and_then(images);
        }
        why = format!(
            "container \"{SEID}\" of pod \"{}\" does not run yet",
            pod.metadata.name.as_deref().unwrap_or_default()
        );
    }
    Err(why)
}

/// A control plane without kubelets: the StatefulSet's own counts are all there is.
fn without_pods(set: &k8s::StatefulSet) -> Result<Running, String> {
    let wanted = set.spec.as_ref().and_then(|it| it.replicas).unwrap_or(1);
    let status = set.status.as_ref();
    let updated = status.and_then(|it| it.updated_replicas).unwrap_or_default();
    let ready = status.and_then(|it| it.ready_replicas).unwrap_or_default();
    if wanted < 1 || updated < wanted || ready < wanted {
        return Err("no pod exists and the StatefulSet reports none as updated".to_owned());
    }
    template(set).ok_or_else(|| "the StatefulSet has no pod template".to_owned()).and_then(images)
}

fn images(pod: &k8s::PodSpec) -> Result<Running, String> {
    let image = image_of(pod, SEID).ok_or_else(|| format!("no container \"{SEID}\""))?;
    let sidecar_image = image_of(pod, SIDECAR).map(str::to_owned);
    Ok(Running { image: image.to_owned(), sidecar_image })
}

fn seid_runs(pod: &k8s::Pod) -> bool {
    let statuses = pod.status.iter().flat_map(|it| it.container_statuses.iter().flatten());
    statuses
        .filter(|it| it.name == SEID)
        .any(|it| it.state.as_ref().is_some_and(|state| state.running.is_some()))
}
