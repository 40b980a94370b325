//! The plans of a node: what they do, in order, and whether one is still wanted.

use std::time::Duration;

use jiff::Timestamp;
use sei_api::labels::RETRY;
use sei_api::{FailedTask, NodePhase, PlanTarget, SeiNode, TaskPlan, TaskStatus};
use sei_sidecar_api::{TaskSpec, TaskType};
use uuid::Uuid;

use crate::node::{Observed, Seen, intent, name, namespace, peers};
use crate::plan::{self, kinds::NodeTask};
use crate::render::sidecar_image;
use crate::tempo::Tempo;

/// Brings a node that does not run yet to life.
pub(super) fn init(node: &SeiNode, seen: &Observed) -> TaskPlan {
    let mut tasks = vec![
        NodeTask::EnsureDataPvc,
        NodeTask::ApplyRbacProxyConfig,
        NodeTask::ApplyStatefulset,
        NodeTask::ApplyService,
    ];
    // A workload that is there already may run another image: its pod has to go first.
    if matches!(seen.statefulset, Seen::Here(_) | Seen::Stale | Seen::Unreadable(_)) {
        tasks.push(NodeTask::ReplacePod);
    }
    tasks.push(NodeTask::Sidecar(TaskSpec::ConfigureGenesis));
    tasks.push(NodeTask::Sidecar(TaskSpec::ConfigApply(intent::of(node))));
    if !node.spec.peers.is_empty() {
        let sources = peers::discover(node, &peers::resolve(node, &seen.peers));
        tasks.push(NodeTask::Sidecar(TaskSpec::DiscoverPeers(sources)));
    }
    tasks.push(NodeTask::Sidecar(TaskSpec::ConfigValidate));
    tasks.push(NodeTask::Sidecar(TaskSpec::MarkReady));
    let mut plan = build(node, seen.fresh_id, &tasks);
    plan.failed_phase = Some(NodePhase::Failed);
    plan
}

/// Brings a running node to the images of its spec.
pub(super) fn update(node: &SeiNode, id: Uuid) -> TaskPlan {
    let tasks = [
        NodeTask::ApplyStatefulset,
        NodeTask::ApplyService,
        NodeTask::ReplacePod,
        NodeTask::ObserveImage,
        NodeTask::Sidecar(TaskSpec::MarkReady),
    ];
    build(node, id, &tasks)
}

/// Is this a plan of [`update`]?
pub(super) fn is_update(plan: &TaskPlan) -> bool {
    plan.tasks.iter().any(|it| it.type_ == NodeTask::ObserveImage.task_type())
}

/// Releases `seid` again after its sidecar forgot that it was released.
pub(super) fn mark_ready(node: &SeiNode, id: Uuid) -> TaskPlan {
    build(node, id, &[NodeTask::Sidecar(TaskSpec::MarkReady)])
}

/// Was this plan made for what the spec asks for now?
///
/// **Invariant `spec_always_heard`:** a plan whose target left the spec is not; nor is one that
/// another version stored without saying what it is for, or what to do; nor one that would
/// configure the node otherwise than the spec says now.
pub(super) fn still_wanted(plan: &TaskPlan, node: &SeiNode) -> bool {
    let says_what_for = plan.target.as_ref() == Some(&target(node)) && !plan.tasks.is_empty();
    says_what_for && configures(plan, node)
}

/// Did this plan lose the workload that it counts on? Nothing of it can go on without.
pub(super) fn is_bereft(plan: &TaskPlan, seen: &Observed) -> bool {
    let apply = NodeTask::ApplyStatefulset.task_type();
    let mut ahead = plan.tasks.iter().filter(|it| it.status != TaskStatus::Complete);
    matches!(seen.statefulset, Seen::Absent) && !ahead.any(|it| it.type_ == apply)
}

/// Does a plan that configures the node do it as the spec says now? Sources of peers are looked up
/// when they are handed in, so it only matters whether there are any.
fn configures(plan: &TaskPlan, node: &SeiNode) -> bool {
    let mut tasks = plan.tasks.iter();
    let Some(stored) = tasks.find(|it| it.type_ == TaskType::ConfigApply.as_str()) else {
        return true;
    };
    let intent = NodeTask::Sidecar(TaskSpec::ConfigApply(intent::of(node)));
    let same = NodeTask::read(&stored.type_, stored.params.as_ref()).is_ok_and(|it| it == intent);
    let discovers = tasks.any(|it| it.type_ == TaskType::DiscoverPeers.as_str());
    same && discovers != node.spec.peers.is_empty()
}

/// How long a failed plan is still held; none when it is due. What another version stored without
/// a time is, and what a clock that was wrong put off for longer than any back-off.
pub(super) fn held_for(failed: &TaskPlan, now: Timestamp, tempo: &Tempo) -> Option<Duration> {
    let task = plan::failed_task(failed)?;
    plan::wait_of(task, now).filter(|wait| *wait <= tempo.failed_retry_max)
}

/// What becomes of a failed plan, for people.
pub(super) fn outlook(failed: &TaskPlan, paused: bool) -> String {
    let detail = failed.failed_task_detail.as_ref();
    let what = detail.map_or_else(|| "unknown".to_owned(), told);
    if paused {
        return format!("{what}; retries once spec.paused is false");
    }
    let at = plan::failed_task(failed).and_then(|task| task.not_before.as_ref());
    let at = at.map_or_else(|| "soon".to_owned(), |it| format!("at {}", it.0));
    format!("{what}; retries {at}, or set {RETRY}")
}

/// `<task>: <error>` of a failed task.
pub(super) fn told(failed: &FailedTask) -> String {
    format!("{}: {}", failed.type_, failed.error)
}

/// `new` repeats what `failed` did not bring about, and remembers it. A plan that was asked for
/// counts anew.
pub(super) fn repeat(new: &mut TaskPlan, failed: TaskPlan, asked_for: bool) {
    let attempt = i64::from(plan::attempt(&failed)).saturating_add(1);
    new.attempt = (!asked_for).then_some(attempt);
    new.failed_task_detail = failed.failed_task_detail;
}

/// A pause that began at `since` is over: what it kept waiting waits on for what was left then.
pub(super) fn resume(plan: &mut TaskPlan, since: Timestamp, now: Timestamp) {
    for task in &mut plan.tasks {
        if let Some(left) = plan::wait_of(task, since) {
            plan::put_off(task, now, left);
        }
    }
}

fn build(node: &SeiNode, id: Uuid, tasks: &[NodeTask]) -> TaskPlan {
    let entries = tasks.iter().map(|task| task.entry(name(node), namespace(node))).collect();
    TaskPlan {
        target_phase: Some(NodePhase::Running),
        target: Some(target(node)),
        ..plan::build(id, entries)
    }
}

fn target(node: &SeiNode) -> PlanTarget {
    PlanTarget {
        image: Some(node.spec.image.clone()),
        sidecar_image: sidecar_image(&node.spec).map(str::to_owned),
    }
}
