//! The tasks the controller does itself: one look at what was seen, one step.

use sei_api::labels::{NODE_FIELD_MANAGER, REVISION};
use sei_api::{SeiNode, k8s};
use serde::Serialize;
use serde_json::Value;

use crate::applied::{is_applied, last_applied};
use crate::effect::{Desired, Effect, Resource, Target};
use crate::fault::Fault;
use crate::node::decide::Round;
use crate::node::{Observed, Pods, Seen, diagnosis, evidence, name, owner};
use crate::ownership::{Ownership, classify};
use crate::render;

/// What a task's next step is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// Nothing is left to do.
    Done,
    /// Do this; the next look tells whether it was enough.
    Act(Effect),
    /// Not yet, or not this time; the class tells which.
    Wait(Fault),
    /// Never with this input.
    Fatal(String),
}

/// The access rules of the proxy.
pub(super) fn config_map(round: Round<'_>) -> Step {
    let desired = render::config_map(round.node, round.env.platform);
    apply(round, &round.seen.config_map, Desired::ConfigMap(desired))
}

/// The workload.
pub(super) fn statefulset(round: Round<'_>) -> Step {
    let desired = render::statefulset(round.node, round.env.platform);
    apply(round, &round.seen.statefulset, Desired::StatefulSet(desired))
}

/// The labels and the owner of the workload; its template waits for an update.
///
/// The API server changes nothing of a pod for these, so they need no plan, and the workload does
/// not stay with another owner, or none, until the next one.
pub(super) fn marks(round: Round<'_>) -> Option<Effect> {
    let live = round.seen.statefulset.here()?;
    match classify(&live.metadata, owner(round.node)) {
        Ownership::Ours | Ownership::Orphan => {}
        Ownership::Leftover | Ownership::Foreign => return None,
    }
    let wanted = render::statefulset_metadata(round.node, round.env.platform);
    if are_marked(&live.metadata, &wanted) {
        return None;
    }
    let value = serde_json::to_value(live).ok()?;
    // One that we never applied gets all of it with the first update.
    let last = last_applied(&value, NODE_FIELD_MANAGER)?;
    let mut marked: k8s::StatefulSet = serde_json::from_value(last).ok()?;
    marked.metadata.labels = wanted.labels;
    marked.metadata.owner_references = wanted.owner_references;
    let marked = Desired::StatefulSet(marked);
    if matches_live(&marked, live) {
        return None;
    }
    Some(Effect::Apply { object: marked.into(), over: live.metadata.uid.clone() })
}

/// Are the labels and owners those that are wanted, and no others? Then nobody has to ask whose
/// they are, which costs a walk through the whole object.
fn are_marked(live: &k8s::ObjectMeta, wanted: &k8s::ObjectMeta) -> bool {
    fn labels(meta: &k8s::ObjectMeta) -> impl Iterator<Item = (&String, &String)> {
        meta.labels.iter().flatten().filter(|(key, _)| *key != REVISION)
    }
    live.owner_references == wanted.owner_references && labels(live).eq(labels(wanted))
}

/// The headless Service.
pub(super) fn service(round: Round<'_>) -> Step {
    let desired = render::service(round.node, round.env.platform);
    apply(round, &round.seen.service, Desired::Service(desired))
}

/// Deletes pods of other revisions and waits until they are gone.
///
/// Not on the word of a StatefulSet that asks for another image: somebody has edited it, or the
/// cache is older than a write of the operator before us, and what it calls old is the new pod.
///
/// The StatefulSet uses `OnDelete`, because `seid` may be unready on purpose (halted at an upgrade
/// height) and readiness must not gate its replacement. `currentRevision` is ignored: under
/// `OnDelete` the StatefulSet controller never advances it.
pub(super) fn replace_pod(round: Round<'_>) -> Step {
    let set = match &round.seen.statefulset {
        Seen::Here(set) => set,
        other => return unseen(other, "StatefulSet"),
    };
    if !evidence::asks_for_target(set, round.node) {
        return statefulset(round);
    }
    let revision = match evidence::settled_revision(set) {
        Ok(revision) => revision,
        Err(why) => return Step::Wait(Fault::waiting(why)),
    };
    let pods = match &round.seen.pods {
        Pods::Known(pods) => pods,
        Pods::Unconfirmed => return Step::Wait(Fault::waiting("no pod was seen yet")),
        Pods::Unreadable(fault) => return Step::Wait(fault.clone()),
    };
    let mut old =
        pods.iter().filter(|pod| evidence::belongs(pod, set) && evidence::is_old(pod, revision));
    match old.next() {
        None => Step::Done,
        Some(pod) if pod.metadata.deletion_timestamp.is_some() => {
            let pod = pod.metadata.name.as_deref().unwrap_or_default();
            Step::Wait(Fault::waiting(format!("pod \"{pod}\" of the old revision is terminating")))
        }
        Some(pod) => Step::Act(Effect::Delete(Target::seen(Resource::Pod, &pod.metadata))),
    }
}

/// Waits until the target was seen running. A pod of an older revision that came back meanwhile
/// is replaced from here too.
pub(super) fn observe_image(round: Round<'_>) -> Step {
    match evidence::running(round.seen) {
        Ok(running) if running.image == round.node.spec.image => Step::Done,
        Ok(running) => replaced_or(round, || format!("image \"{}\" runs", running.image)),
        Err(why) => replaced_or(round, || diagnosis::of_pod(round).unwrap_or(why)),
    }
}

/// What brings the pod to the target; where nothing does, the wait for what `why` says.
fn replaced_or(round: Round<'_>, why: impl FnOnce() -> String) -> Step {
    match replace_pod(round) {
        Step::Act(effect) => Step::Act(effect),
        Step::Done | Step::Wait(_) | Step::Fatal(_) => Step::Wait(Fault::waiting(why())),
    }
}

/// Why an object that has to be there cannot be worked with.
pub(super) fn unseen<T>(seen: &Seen<T>, kind: &str) -> Step {
    match seen {
        Seen::Here(_) | Seen::Stale => {
            Step::Wait(Fault::waiting(format!("the {kind} was just written and not seen since")))
        }
        Seen::Absent | Seen::Unconfirmed => {
            Step::Wait(Fault::waiting(format!("the {kind} does not exist yet")))
        }
        Seen::Unreadable(fault) => Step::Wait(fault.clone()),
    }
}

fn apply<T>(round: Round<'_>, seen: &Seen<T>, desired: Desired) -> Step
where
    T: Serialize + k8s::Resource,
{
    let live = match seen {
        Seen::Absent => return Step::Act(Effect::Apply { object: desired.into(), over: None }),
        Seen::Here(live) => live,
        other => return unseen(other, kind_of(&desired)),
    };
    let over = live.meta().uid.clone();
    match classify(live.meta(), owner(round.node)) {
        Ownership::Ours if matches_live(&desired, live.as_ref()) => Step::Done,
        Ownership::Ours | Ownership::Orphan => {
            Step::Act(Effect::Apply { object: desired.into(), over })
        }
        Ownership::Leftover => Step::Wait(Fault::waiting(format!(
            "{} \"{}\" of a deleted SeiNode is still there; the garbage collector removes it",
            kind_of(&desired),
            desired.name()
        ))),
        Ownership::Foreign => Step::Fatal(refusal(kind_of(&desired), live.meta(), round.node)),
    }
}

/// An object of somebody else at one of the node's names, and what to do about it.
pub(super) fn foreign(node: &SeiNode, seen: &Observed) -> Option<String> {
    let objects = [
        ("StatefulSet", seen.statefulset.here().map(|it| &it.metadata)),
        ("Service", seen.service.here().map(|it| &it.metadata)),
        ("ConfigMap", seen.config_map.here().map(|it| &it.metadata)),
        ("PersistentVolumeClaim", seen.claim.here().map(|it| &it.metadata)),
    ];
    let theirs = |meta: &k8s::ObjectMeta| classify(meta, owner(node)) == Ownership::Foreign;
    objects
        .into_iter()
        .find_map(|(kind, meta)| Some(refusal(kind, meta.filter(|it| theirs(it))?, node)))
}

/// Is there an object at one of the node's names that is about to go?
pub(super) fn leftover(node: &SeiNode, seen: &Observed) -> bool {
    let objects = [
        seen.statefulset.here().map(|it| &it.metadata),
        seen.service.here().map(|it| &it.metadata),
        seen.config_map.here().map(|it| &it.metadata),
        seen.claim.here().map(|it| &it.metadata),
    ];
    let mut present = objects.into_iter().flatten();
    present.any(|meta| classify(meta, owner(node)) == Ownership::Leftover)
}

fn refusal(kind: &str, meta: &k8s::ObjectMeta, node: &SeiNode) -> String {
    format!(
        "{kind} \"{}\" already exists and is not controlled by SeiNode \"{}\"; delete or rename it",
        meta.name.as_deref().unwrap_or_default(),
        name(node)
    )
}

fn matches_live<T: Serialize>(desired: &Desired, live: &T) -> bool {
    let (Ok(mut desired), Ok(live)) = (desired.to_value(), serde_json::to_value(live)) else {
        return false;
    };
    keep_revision(&mut desired, &live);
    is_applied(&desired, &live, NODE_FIELD_MANAGER)
}

/// The revision label tells which generation brought the template. It follows with the next write
/// that has a reason of its own, and is none itself.
fn keep_revision(desired: &mut Value, live: &Value) {
    for labels in ["/metadata/labels", "/spec/template/metadata/labels"] {
        let kept = live.pointer(labels).and_then(|it| it.get(REVISION));
        let wanted = desired.pointer_mut(labels).and_then(|it| it.get_mut(REVISION));
        if let (Some(kept), Some(wanted)) = (kept, wanted) {
            wanted.clone_from(kept);
        }
    }
}

fn kind_of(desired: &Desired) -> &'static str {
    match desired {
        Desired::SeiNode(_) => "SeiNode",
        Desired::StatefulSet(_) => "StatefulSet",
        Desired::Service(_) => "Service",
        Desired::Claim(_) => "PersistentVolumeClaim",
        Desired::ConfigMap(_) => "ConfigMap",
        Desired::HttpRoute(_) => "HTTPRoute",
    }
}
