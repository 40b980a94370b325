//! What is wrong with a node's pod: from where it should run to the containers in it.

use sei_api::condition::{Reason, Type};
use sei_api::k8s;

use super::{
    Cause, changed_at, condition, container, host, is_over, name_of, pods_of, says, sidecar,
    unready_since, words,
};
use crate::condition::find;
use crate::node::decide::Round;
use crate::node::{Pods, Seen, name, namespace};

/// Everything that is wrong with the node's pods. One that is ready can only be about to crash
/// again.
pub(super) fn causes(round: Round<'_>) -> Vec<Cause> {
    let mut causes: Vec<Cause> = missing(round).into_iter().collect();
    for pod in pods_of(round.node, &round.seen.pods) {
        if pod.metadata.deletion_timestamp.is_some() {
            causes.extend(host::cause(round, pod));
            causes.extend(terminating(round, pod));
            continue;
        }
        if !says(pod, "Ready", "True") {
            causes.extend(host::cause(round, pod));
            causes.extend(unscheduled(round, pod));
            causes.extend(unstarted(round, pod));
        }
        let Round { seen, env, .. } = round;
        causes.extend(container::causes(pod, seen.now, env.tempo));
    }
    causes
}

/// A pod that nobody makes.
fn missing(round: Round<'_>) -> Option<Cause> {
    let set = round.seen.statefulset.here()?;
    let counted = set.status.as_ref().filter(|it| it.replicas == 0)?;
    let current = counted.observed_generation >= set.metadata.generation;
    let wanted = set.spec.as_ref().and_then(|it| it.replicas).unwrap_or(1) > 0;
    let none = match &round.seen.pods {
        Pods::Known(pods) => pods.is_empty(),
        Pods::Unconfirmed => true,
        Pods::Unreadable(_) => false,
    };
    // A pod that was deleted by hand is missed for a moment, whenever the node last got on.
    let unready = find(&round.before.conditions, Type::Ready)?;
    let unready = (unready.status == "False").then_some(unready.last_transition_time.0)?;
    let since = sidecar::last_progress(round.before).max(Some(unready));
    let patience = round.env.tempo.start_patience;
    let stuck = current && wanted && none && is_over(since, patience, round.seen.now);
    stuck.then(|| Cause {
        reason: Reason::PodNotCreated,
        needs_help: false,
        what: format!("pod \"{}-0\" is not created", name(round.node)),
        since,
        because: "the StatefulSet controller reports no pod".to_owned(),
        said: String::new(),
        next: format!(
            "its events say why (quota, admission, ServiceAccount): see kubectl -n {} describe \
             statefulset {}",
            namespace(round.node),
            name(round.node)
        ),
    })
}

/// A pod that outlives its grace period, which ends at its deletion time.
fn terminating(round: Round<'_>, pod: &k8s::Pod) -> Option<Cause> {
    let end = pod.metadata.deletion_timestamp.as_ref().map(|it| it.0);
    if !is_over(end, round.env.tempo.stop_patience, round.seen.now) {
        return None;
    }
    let finalizers = pod.metadata.finalizers.iter().flatten().map(|it| format!("\"{it}\""));
    let finalizers: Vec<String> = finalizers.collect();
    let (because, next) = if finalizers.is_empty() {
        let on = pod.spec.as_ref().and_then(|it| it.node_name.as_deref()).unwrap_or_default();
        (
            format!("the kubelet of node \"{on}\" does not end it"),
            format!("look at that kubelet: {}", describe(round, pod)),
        )
    } else {
        let held = finalizers.join(", ");
        (format!("held by finalizer {held}"), "let whoever set it finish its work".to_owned())
    };
    Some(Cause {
        reason: Reason::PodTerminating,
        needs_help: false,
        what: format!("pod \"{}\" should be gone", name_of(&pod.metadata)),
        since: end,
        because,
        said: String::new(),
        next,
    })
}

/// A pod without a machine, for want of a volume or of a machine.
fn unscheduled(round: Round<'_>, pod: &k8s::Pod) -> Option<Cause> {
    if let Seen::Here(claim) = &round.seen.claim
        && phase(claim) == "Lost"
    {
        return Some(lost(round, claim, pod));
    }
    let verdict = condition(pod, "PodScheduled").filter(|it| it.status == "False")?;
    let said = verdict.message.as_deref().unwrap_or_default();
    let since = changed_at(pod, "PodScheduled").or_else(|| unready_since(pod));
    // The scheduler has no word for it but its text.
    let of_volume = ["persistentvolumeclaim", "persistent volume", "PersistentVolumeClaim"];
    if of_volume.iter().any(|it| said.contains(it)) {
        return unbound(round, since, said);
    }
    Some(Cause {
        reason: Reason::Unschedulable,
        needs_help: false,
        what: format!("pod \"{}\" fits on no machine", name_of(&pod.metadata)),
        since,
        because: String::new(),
        said: words::of_scheduler(said),
        next: "add or free a machine that fits, or ask for less".to_owned(),
    })
}

/// A claim that a scheduler waits for.
fn unbound(round: Round<'_>, since: Option<jiff::Timestamp>, said: &str) -> Option<Cause> {
    let claim = round.seen.claim.here();
    let made = claim.and_then(|it| it.metadata.creation_timestamp.as_ref()).map(|it| it.0);
    if made.is_some() && !is_over(made, round.env.tempo.claim_patience, round.seen.now) {
        return None;
    }
    let spec = claim.and_then(|it| it.spec.as_ref());
    let class = spec.and_then(|it| it.storage_class_name.as_deref()).unwrap_or_default();
    let name = claim.map_or_else(
        || format!("data-{}", name(round.node)),
        |it| name_of(&it.metadata).to_owned(),
    );
    Some(Cause {
        reason: Reason::VolumeNotBound,
        needs_help: false,
        what: format!("data PVC \"{name}\" of storage class \"{class}\" gives no volume"),
        since,
        because: String::new(),
        said: words::of_scheduler(said),
        next: format!(
            "its events say why: see kubectl -n {} describe pvc {name}",
            namespace(round.node)
        ),
    })
}

fn lost(round: Round<'_>, claim: &k8s::PersistentVolumeClaim, pod: &k8s::Pod) -> Cause {
    let volume = claim.spec.as_ref().and_then(|it| it.volume_name.as_deref()).unwrap_or_default();
    let name = name_of(&claim.metadata);
    Cause {
        reason: Reason::VolumeNotBound,
        needs_help: true,
        what: format!("data PVC \"{name}\" is without its volume"),
        since: unready_since(pod),
        because: format!("PersistentVolume \"{volume}\" is gone"),
        said: String::new(),
        next: format!(
            "restore it; only if its data is not needed, delete SeiNode \"{}\" and with it the PVC",
            crate::node::name(round.node)
        ),
    }
}

/// A pod that has a machine and is still being set up.
fn unstarted(round: Round<'_>, pod: &k8s::Pod) -> Option<Cause> {
    let kind = "PodReadyToStartContainers";
    let since = changed_at(pod, "PodScheduled").filter(|_| says(pod, "PodScheduled", "True"))?;
    let stuck = says(pod, kind, "False")
        && !host::has_started(pod)
        && is_over(Some(since), round.env.tempo.start_patience, round.seen.now);
    let on = pod.spec.as_ref().and_then(|it| it.node_name.as_deref()).unwrap_or_default();
    stuck.then(|| Cause {
        reason: Reason::PodNotStarted,
        needs_help: false,
        what: format!("pod \"{}\" is being set up on node \"{on}\"", name_of(&pod.metadata)),
        since: Some(since),
        because: "a volume does not attach or mount, or there is no network for it".to_owned(),
        said: String::new(),
        next: format!("its events say which: {}", describe(round, pod)),
    })
}

fn describe(round: Round<'_>, pod: &k8s::Pod) -> String {
    format!("see kubectl -n {} describe pod {}", namespace(round.node), name_of(&pod.metadata))
}

fn phase(claim: &k8s::PersistentVolumeClaim) -> &str {
    claim.status.as_ref().and_then(|it| it.phase.as_deref()).unwrap_or_default()
}
