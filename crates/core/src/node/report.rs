//! The conditions that sum a node up: always present, one meaning each.
//!
//! `Ready`, `Reconciling` and `Stalled` follow kstatus, so that `kubectl wait` and GitOps tools
//! understand a node without knowing it.

use jiff::Timestamp;
use sei_api::condition::{Reason, Status, Type};
use sei_api::{NodePhase, PlanPhase, SeiNode, SeiNodeStatus};

use crate::condition::{Conditions, Say, find};
use crate::fault::Fault;
use crate::node::decide::Round;
use crate::node::spec::Refusal;
use crate::node::{Observed, Pods, Seen, diagnosis, drift, generation, infra, name, plans};
use crate::plan;
use crate::verdict::{self, Verdict};

/// Says that the spec is refused; what runs is left alone and keeps its other conditions.
pub(super) fn refuse(node: &SeiNode, status: &mut SeiNodeStatus, now: Timestamp, refusal: Refusal) {
    let Refusal { reason, message } = refusal;
    let mut conditions =
        Conditions { list: &mut status.conditions, generation: generation(node), now };
    conditions.set(Type::Ready, Say::no(reason, message.clone()));
    conditions.set(Type::Stalled, Say::yes(reason, message.clone()));
    conditions.set(Type::Reconciling, Say::no(reason, message));
    conditions.set(Type::Paused, verdict::pause(node.spec.paused));
    seed(&mut conditions);
}

/// Sums `status` up; `trouble` is the fault that this round met.
pub(super) fn summarize(round: Round<'_>, status: &mut SeiNodeStatus, trouble: Option<&Fault>) {
    let Round { node, seen, .. } = round;
    if refused(status) && super::spec::refusal(node).is_some() {
        return;
    }
    let verdict = sum(round, status, trouble);
    let mut conditions =
        Conditions { list: &mut status.conditions, generation: generation(node), now: seen.now };
    verdict.tell(&mut conditions);
    conditions.set(Type::Paused, verdict::pause(node.spec.paused));
    seed(&mut conditions);
}

fn sum(round: Round<'_>, status: &SeiNodeStatus, trouble: Option<&Fault>) -> Verdict {
    let Round { node, seen, .. } = round;
    if status.phase == Some(NodePhase::Terminating) {
        let what = trouble.map_or("the node is being deleted", |it| it.detail.as_str());
        return Verdict::Working(Reason::Terminating, what.to_owned());
    }
    if let Some(plan) = status.plan.as_ref().filter(|it| it.phase == PlanPhase::Failed) {
        let message = plans::outlook(plan, node.spec.paused);
        let blocked = infra::foreign(node, seen).is_some();
        let reason = if blocked { Reason::ForeignObject } else { diagnosis::of_failure(plan) };
        return Verdict::Stalled(reason, message);
    }
    if let Some(cause) = diagnosis::find_cause(round, status) {
        return cause.verdict(round.before);
    }
    if let Some(what) = held(round, status) {
        return Verdict::Paused(format!("paused: {what}; set spec.paused to false to go on"));
    }
    if let Some(plan) = &status.plan {
        let reason = match () {
            () if infra::leftover(node, seen) => Reason::LeftoverObject,
            () if plan.failed_task_detail.is_some() => Reason::Retrying,
            () => Reason::Progressing,
        };
        return Verdict::Working(reason, progress(plan));
    }
    if let Some(fault) = trouble {
        return Verdict::Working(Reason::Retrying, fault.detail.clone());
    }
    if status.phase != Some(NodePhase::Running) {
        return Verdict::Working(Reason::Progressing, "the node is about to be set up".to_owned());
    }
    if let Some(foreign) = infra::foreign(node, seen) {
        return Verdict::Stalled(Reason::ForeignObject, foreign);
    }
    running(node, status, seen)
}

/// What the end of a pause is waited for with.
fn held(round: Round<'_>, status: &SeiNodeStatus) -> Option<String> {
    if !round.node.spec.paused {
        return None;
    }
    if let Some(plan) = &status.plan {
        return Some(progress(plan));
    }
    if status.phase != Some(NodePhase::Running) {
        return Some("the node is not set up yet".to_owned());
    }
    drift::find(round.node, status, round.seen)
}

fn running(node: &SeiNode, status: &SeiNodeStatus, seen: &Observed) -> Verdict {
    let image = status.current_image.as_deref().unwrap_or_default();
    if let (true, Pods::Unreadable(fault)) = (image.is_empty(), &seen.pods) {
        return Verdict::Working(Reason::Retrying, fault.detail.clone());
    }
    if image.is_empty() {
        let message = "the node was not seen running yet".to_owned();
        return Verdict::Working(Reason::Progressing, message);
    }
    if let Seen::Unreadable(fault) = &seen.statefulset {
        return Verdict::Working(Reason::Retrying, fault.detail.clone());
    }
    let ready = seen.statefulset.here().and_then(|set| set.status.as_ref()?.ready_replicas);
    if ready.unwrap_or_default() < 1 {
        return Verdict::Waiting(
            Reason::NotReady,
            format!("pod \"{}-0\" is not ready", name(node)),
        );
    }
    Verdict::Ready(format!("running {image}"))
}

/// The current task and what it waits for.
fn progress(plan: &sei_api::TaskPlan) -> String {
    let Some((index, task)) = plan::current(plan).and_then(|it| Some((it, plan.tasks.get(it)?)))
    else {
        return "the plan is complete".to_owned();
    };
    let last = plan.failed_task_detail.as_ref();
    let last = last.map(|it| format!("after {}; ", plans::told(it))).unwrap_or_default();
    let place = format!("{last}task {} of {}: {}", index + 1, plan.tasks.len(), task.type_);
    match task.error.as_deref() {
        Some(error) => format!("{place}: {error}"),
        None => place,
    }
}

fn refused(status: &SeiNodeStatus) -> bool {
    find(&status.conditions, Type::Stalled).is_some_and(|it| {
        it.status == Status::True.as_str()
            && [Reason::NotSupportedYet, Reason::InvalidSpec]
                .iter()
                .any(|reason| it.reason == reason.as_str())
    })
}

/// Conditions that nothing has set yet say so.
fn seed(conditions: &mut Conditions<'_>) {
    conditions.seed(Type::NodeUpdateInProgress, Say::no(Reason::NotStarted, "no update yet"));
    conditions.seed(Type::SidecarReady, Say::no(Reason::NotStarted, "not asked yet"));
    for kind in [
        Type::ImportPvcReady,
        Type::SigningKeyReady,
        Type::NodeKeyReady,
        Type::OperatorKeyringReady,
    ] {
        conditions.seed(kind, Say::no(Reason::NotApplicable, "the spec does not ask for it"));
    }
}
