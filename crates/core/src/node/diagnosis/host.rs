//! The machine under a pod: when it has to be asked for, and whether it is the cause.

use jiff::Timestamp;
use sei_api::condition::Reason;
use sei_api::{SeiNode, k8s};

use super::{Cause, changed_at, is_over, name_of, pods_of, says, unready_since, words};
use crate::node::decide::Round;
use crate::node::{Pods, Seen};
use crate::tempo::Tempo;

/// The name of the machine that has to be looked at, because nothing else can tell why a pod of
/// this node is not ready or does not end; none if everything is told by the pod itself.
///
/// A kubelet that is gone leaves a pod whose containers are ready by its last word and that is not
/// ready by another's, one that has not been started for long, or one that does not end.
#[must_use]
pub fn suspect<'a>(
    node: &'a SeiNode,
    pods: &'a Pods,
    now: Timestamp,
    tempo: &Tempo,
) -> Option<&'a str> {
    pods_of(node, pods).find_map(|pod| {
        let host = pod.spec.as_ref()?.node_name.as_deref().filter(|it| !it.is_empty())?;
        let end = pod.metadata.deletion_timestamp.as_ref().map(|it| it.0);
        let outlives = end.is_some_and(|it| it <= now);
        let contradicts = says(pod, "Ready", "False") && says(pod, "ContainersReady", "True");
        let bound = changed_at(pod, "PodScheduled").or_else(|| unready_since(pod));
        let waits = !has_started(pod)
            && !tells_of_failure(pod)
            && bound.is_some_and(|it| is_over(Some(it), tempo.sidecar_patience, now));
        let suspicious = outlives || (end.is_none() && (contradicts || waits));
        suspicious.then_some(host)
    })
}

/// Did any container of this pod ever start?
pub(super) fn has_started(pod: &k8s::Pod) -> bool {
    let Some(status) = &pod.status else { return false };
    let init = status.init_container_statuses.iter().flatten();
    let mut all = init.chain(status.container_statuses.iter().flatten());
    all.any(|it| {
        let state = it.state.as_ref();
        it.restart_count > 0
            || state.is_some_and(|it| it.running.is_some() || it.terminated.is_some())
    })
}

/// Does the kubelet say why a container waits? Then it lives, and that is the cause.
fn tells_of_failure(pod: &k8s::Pod) -> bool {
    let Some(status) = &pod.status else { return false };
    let init = status.init_container_statuses.iter().flatten();
    let all = init.chain(status.container_statuses.iter().flatten());
    let waiting = all.filter_map(|it| it.state.as_ref()?.waiting.as_ref()?.reason.as_deref());
    waiting.into_iter().any(|it| !["ContainerCreating", "PodInitializing"].contains(&it))
}

/// The machine as the cause of what is wrong with `pod`, if it was looked at and is.
pub(super) fn cause(round: Round<'_>, pod: &k8s::Pod) -> Option<Cause> {
    let on = pod.spec.as_ref()?.node_name.as_deref()?;
    let told = |what: String, since, said, next: &str| Cause {
        reason: Reason::NodeUnreachable,
        needs_help: false,
        what,
        since,
        because: format!("pod \"{}\" was on it", name_of(&pod.metadata)),
        said,
        next: next.to_owned(),
    };
    match round.seen.host.as_ref()? {
        Seen::Here(host) if name_of(&host.metadata) == on => {
            let status = host.status.as_ref();
            let mut conditions = status.and_then(|it| it.conditions.as_ref()).into_iter().flatten();
            let ready = conditions.find(|it| it.type_ == "Ready")?;
            let since = ready.last_transition_time.as_ref().map(|it| it.0);
            let said = words::stable(ready.message.as_deref().unwrap_or_default());
            (ready.status != "True")
                .then(|| told(format!("node \"{on}\" is not ready"), since, said, BRING_BACK))
        }
        Seen::Absent => {
            let gone = pod.metadata.deletion_timestamp.as_ref().map(|it| it.0);
            let since = gone.or_else(|| unready_since(pod));
            Some(told(format!("node \"{on}\" does not exist"), since, String::new(), COLLECTED))
        }
        Seen::Here(_) | Seen::Unconfirmed | Seen::Stale | Seen::Unreadable(_) => None,
    }
}

const BRING_BACK: &str =
    "bring the machine back; once it is switched off for good, delete its Node object";
const COLLECTED: &str = "the pod garbage collector removes the pod, and another takes its place";
