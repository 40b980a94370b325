//! One step of a node's plan: the task whose turn it is, what was seen, what follows.

use std::time::Duration;

use sei_api::condition::{Reason, Status, Type};
use sei_api::{NodePhase, PlannedTask, SeiNodeStatus, TaskPlan, k8s};
use sei_sidecar_api::{Health, TaskSpec};

use crate::condition::{Say, find};
use crate::decision::{Decision, Requeue};
use crate::effect::Effect;
use crate::fault::Fault;
use crate::node::decide::Round;
use crate::node::{claim, infra, plans, sidecar};
use crate::plan::{self, kinds::NodeTask};

/// Is this a plan in flight that goes on?
pub(super) fn works_on(round: Round<'_>, plan: &TaskPlan) -> bool {
    plan::is_active(Some(plan))
        && plans::still_wanted(plan, round.node)
        && !plans::is_bereft(plan, round.seen)
}

/// The next step of the active plan in `next`.
pub(super) fn step(round: Round<'_>, mut next: SeiNodeStatus) -> Decision<SeiNodeStatus> {
    let Some(plan) = next.plan.as_mut() else { return Decision::rest(next, Requeue::Never) };
    let Some(index) = plan::current(plan) else { return settle(round, next) };
    let Some(task) = plan.tasks.get_mut(index) else {
        return Decision::rest(next, Requeue::Never);
    };
    match NodeTask::read(&task.type_, task.params.as_ref()) {
        Ok(NodeTask::Sidecar(spec)) => sidecar_task(round, next, index, &spec),
        Ok(kind) => controller_task(round, next, index, &kind),
        Err(unreadable) => fail(round, next, index, &unreadable.to_string()),
    }
}

/// Ends the plan at task `index`, and the node's way up if the plan was that.
pub(super) fn fail(
    round: Round<'_>,
    mut next: SeiNodeStatus,
    index: usize,
    error: &str,
) -> Decision<SeiNodeStatus> {
    let Some(plan) = next.plan.as_mut() else { return Decision::rest(next, Requeue::Never) };
    let delay = round.env.tempo.failed_retry(plan::attempt(plan));
    plan::fail(plan, index, error, round.seen.now);
    if let Some(task) = plan.tasks.get_mut(index) {
        plan::put_off(task, round.seen.now, delay);
    }
    let failed_phase = plan.failed_phase.clone();
    let message = format!("plan {} failed: {}", plan::id_of(plan), plan::failure(plan));
    end_update(round, &mut next, Say::no(Reason::UpdateFailed, message));
    if let Some(phase) = failed_phase {
        round.enter(&mut next, phase);
    }
    Decision::rest(next, Requeue::After(delay))
}

fn controller_task(
    round: Round<'_>,
    mut next: SeiNodeStatus,
    index: usize,
    kind: &NodeTask,
) -> Decision<SeiNodeStatus> {
    let step = match kind {
        NodeTask::EnsureDataPvc => claim::ensure(round),
        NodeTask::ApplyRbacProxyConfig => infra::config_map(round),
        NodeTask::ApplyStatefulset => infra::statefulset(round),
        NodeTask::ApplyService => infra::service(round),
        NodeTask::ReplacePod => infra::replace_pod(round),
        NodeTask::ObserveImage => infra::observe_image(round),
        NodeTask::Sidecar(_) => infra::Step::Done,
    };
    match step {
        infra::Step::Done => go_on(round, complete(round, next, index), kind),
        infra::Step::Act(effect) => act(round, next, index, effect),
        infra::Step::Wait(fault) => {
            wait(round, &mut next, index, &fault);
            Decision::rest(next, Requeue::After(round.env.tempo.task_poll_max))
        }
        infra::Step::Fatal(error) => fail(round, next, index, &error),
    }
}

/// A task that reads nothing beyond what `done` has read is looked at in the same round: another
/// one would ask the API server the same again.
fn go_on(
    round: Round<'_>,
    decision: Decision<SeiNodeStatus>,
    done: &NodeTask,
) -> Decision<SeiNodeStatus> {
    let plan = decision.status.plan.as_ref();
    let task = plan.and_then(|plan| plan.tasks.get(plan::current(plan)?));
    let kind = task.and_then(|task| NodeTask::read(&task.type_, task.params.as_ref()).ok());
    match (done, kind) {
        (NodeTask::ReplacePod, Some(NodeTask::ObserveImage)) => step(round, decision.status),
        _ => decision,
    }
}

fn sidecar_task(
    round: Round<'_>,
    mut next: SeiNodeStatus,
    index: usize,
    spec: &TaskSpec,
) -> Decision<SeiNodeStatus> {
    let Some(task) = task_mut(&mut next, index) else {
        return Decision::rest(next, Requeue::Never);
    };
    match sidecar::step(round, task, spec) {
        sidecar::Step::Done => complete(round, next, index),
        sidecar::Step::Submit(request) => act(round, next, index, Effect::Submit(request)),
        sidecar::Step::Running(poll) => {
            settle_error(task);
            plan::begin(task, round.seen.now);
            Decision::rest(next, Requeue::After(poll))
        }
        sidecar::Step::BackingOff(rest) => Decision::rest(next, alive(round, rest)),
        sidecar::Step::Retry { error } => {
            let delay = count_retry(round, task, error);
            Decision::rest(next, alive(round, delay))
        }
        sidecar::Step::Wait(fault) => {
            // Nothing was handed in, so nothing has begun.
            task.error = Some(fault.detail);
            let poll = round.env.tempo.task_poll(since_progress(round, &next));
            Decision::rest(next, Requeue::After(poll))
        }
        sidecar::Step::Fatal(error) => fail(round, next, index, &error),
        sidecar::Step::Reapprove => reapprove(round, next),
    }
}

/// How long ago the plan last got on: a sidecar that has just been started answers soon, one that
/// has been silent for long is asked less often.
fn since_progress(round: Round<'_>, next: &SeiNodeStatus) -> Duration {
    let tasks = next.plan.iter().flat_map(|plan| &plan.tasks);
    let newest = tasks.filter_map(|task| task.submitted_at.as_ref()).map(|time| time.0).max();
    newest.map_or(Duration::MAX, |time| round.seen.now.duration_since(time).unsigned_abs())
}

/// A back-off may be longer than a node with an active plan stays unvisited; its end is stored, so
/// that an early visit does not cut it short.
fn alive(round: Round<'_>, rest: Duration) -> Requeue {
    Requeue::After(rest.min(round.env.tempo.task_poll_max))
}

/// A retry is counted and its error stays readable before it is begun.
fn count_retry(round: Round<'_>, task: &mut PlannedTask, error: String) -> Duration {
    task.retry_count += 1;
    task.submitted_at = None;
    task.error = Some(error);
    let failures = u32::try_from(task.retry_count).unwrap_or(u32::MAX);
    let delay = round.env.tempo.task_backoff(failures);
    plan::put_off(task, round.seen.now, delay);
    delay
}

/// What was waited for is over; why an earlier attempt failed stays until one succeeds.
fn settle_error(task: &mut PlannedTask) {
    if task.retry_count == 0 {
        task.error = None;
    }
}

fn complete(round: Round<'_>, mut next: SeiNodeStatus, index: usize) -> Decision<SeiNodeStatus> {
    if let Some(task) = task_mut(&mut next, index) {
        plan::complete(task, round.seen.now);
    }
    let done = next.plan.as_ref().is_some_and(|plan| plan::current(plan).is_none());
    if done { settle(round, next) } else { Decision::rest(next, Requeue::Again) }
}

/// An effect only begins a task; the next look at the world tells whether it is done.
fn act(
    round: Round<'_>,
    mut next: SeiNodeStatus,
    index: usize,
    effect: Effect,
) -> Decision<SeiNodeStatus> {
    if let Some(task) = task_mut(&mut next, index) {
        plan::begin(task, round.seen.now);
        task.not_before = None;
        settle_error(task);
    }
    // A single write that was accepted is done: its answer is as good as the look that follows,
    // and that look would have to wait for the watch.
    let done =
        matches!(effect, Effect::Apply { .. } | Effect::Create(_) | Effect::SetOwners { .. });
    let mut decision = if done {
        complete(round, next, index)
    } else if matches!(effect, Effect::Submit(_)) {
        Decision::rest(next, Requeue::Again)
    } else {
        Decision::rest(next, Requeue::After(round.env.tempo.task_poll_max))
    };
    decision.effects.push(effect);
    decision
}

/// What is waited for is said, and since when.
fn wait(round: Round<'_>, next: &mut SeiNodeStatus, index: usize, fault: &Fault) {
    let Some(task) = task_mut(next, index) else { return };
    plan::begin(task, round.seen.now);
    task.error = Some(fault.detail.clone());
}

/// The plan is through: the node is where the plan was to bring it, and the plan goes.
fn settle(round: Round<'_>, mut next: SeiNodeStatus) -> Decision<SeiNodeStatus> {
    let Some(plan) = next.plan.take() else { return Decision::rest(next, Requeue::Never) };
    end_update(round, &mut next, completed(&plan));
    if let Some(phase) = plan.target_phase {
        round.enter(&mut next, phase);
    }
    if matches!(round.seen.health, Some(Ok(Health::Ready))) {
        let say = Say::yes(Reason::Ready, "sidecar returned 200");
        round.conditions(&mut next.conditions).set(Type::SidecarReady, say);
    }
    Decision::rest(next, Requeue::Again)
}

/// Every re-approval has a new id: the sidecar does not repeat a completed task.
fn reapprove(round: Round<'_>, mut next: SeiNodeStatus) -> Decision<SeiNodeStatus> {
    let old: Option<TaskPlan> = next.plan.take();
    let mut plan = plans::mark_ready(round.node, round.seen.fresh_id);
    plan.failed_phase = old.and_then(|old| old.failed_phase);
    next.plan = Some(plan);
    if next.phase == Some(NodePhase::Running) {
        let say = Say::no(Reason::NotReady, "sidecar returned 503, re-issuing mark-ready");
        round.conditions(&mut next.conditions).set(Type::SidecarReady, say);
    }
    Decision::rest(next, Requeue::NextPass)
}

/// What an update says of itself once `plan` is through.
pub(super) fn completed(plan: &TaskPlan) -> Say {
    Say::no(Reason::UpdateComplete, format!("plan {} completed", plan::id_of(plan)))
}

/// Ends an update that is in progress, if there is one.
pub(super) fn end_update(round: Round<'_>, next: &mut SeiNodeStatus, say: Say) {
    if update_in_progress(&next.conditions) {
        round.conditions(&mut next.conditions).set(Type::NodeUpdateInProgress, say);
    }
}

fn update_in_progress(conditions: &[k8s::Condition]) -> bool {
    find(conditions, Type::NodeUpdateInProgress)
        .is_some_and(|it| it.status == Status::True.as_str())
}

fn task_mut(status: &mut SeiNodeStatus, index: usize) -> Option<&mut PlannedTask> {
    status.plan.as_mut()?.tasks.get_mut(index)
}
