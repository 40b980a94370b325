//! The tasks that a node's sidecar does: poll first, submit only what it does not know.
//!
//! **Invariant `poll_before_submit`:** a task is handed in when the sidecar answers that it does
//! not know it, or for a retry that was counted first. A submit of a *failed* id runs it again, so
//! a submit before the poll would hide every failure.

use std::time::Duration;

use sei_api::PlannedTask;
use sei_sidecar_api::{
    Class as SidecarClass, Health, SidecarError, TaskRequest, TaskResult, TaskSpec, TaskStatus,
};
use uuid::Uuid;

use crate::fault::Fault;
use crate::node::decide::Round;
use crate::node::peers;
use crate::plan;

/// What a sidecar task's next step is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// It ended well.
    Done,
    /// Hand it in.
    Submit(TaskRequest),
    /// It runs; look again after this long.
    Running(Duration),
    /// A counted retry waits for its back-off.
    BackingOff(Duration),
    /// It reported failure, and its budget allows another attempt.
    Retry { error: String },
    /// Not this time.
    Wait(Fault),
    /// It reported failure without budget, or cannot succeed.
    Fatal(String),
    /// `mark-ready` is done, but the sidecar has restarted since and forgot it.
    Reapprove,
}

/// The next step of `task`, whose params are `spec`.
pub(super) fn step(round: Round<'_>, task: &PlannedTask, spec: &TaskSpec) -> Step {
    let Ok(id) = Uuid::parse_str(&task.id) else {
        return Step::Fatal(format!("invalid task UUID \"{}\"", task.id));
    };
    match &round.seen.task {
        None => Step::Wait(Fault::waiting("the sidecar was not asked yet")),
        Some(Err(error)) => refused(error),
        // A sidecar that takes tasks and does not know them must not make us spin.
        Some(Ok(None)) if is_fresh(round, task) => running(round, task),
        Some(Ok(None)) => {
            rest_of_backoff(round, task).map_or_else(|| submit(round, id, spec), Step::BackingOff)
        }
        Some(Ok(Some(result))) => match result.status {
            TaskStatus::Running | TaskStatus::Unknown(_) => running(round, task),
            TaskStatus::Completed if *spec == TaskSpec::MarkReady => released(round, task),
            TaskStatus::Completed => Step::Done,
            TaskStatus::Failed => {
                failed(round, task, result).unwrap_or_else(|| submit(round, id, spec))
            }
        },
    }
}

fn refused(error: &SidecarError) -> Step {
    match error.class() {
        SidecarClass::Permanent => Step::Fatal(error.to_string()),
        SidecarClass::Transient => Step::Wait(Fault::transient(error.to_string())),
    }
}

fn running(round: Round<'_>, task: &PlannedTask) -> Step {
    let begun = task.submitted_at.as_ref().map_or(round.seen.now, |it| it.0);
    let age = round.seen.now.duration_since(begun).unsigned_abs();
    Step::Running(round.env.tempo.task_poll(age))
}

/// Was this task handed in only a moment ago?
fn is_fresh(round: Round<'_>, task: &PlannedTask) -> bool {
    let age = task.submitted_at.as_ref().map(|it| round.seen.now.duration_since(it.0));
    age.is_some_and(|it| it.unsigned_abs() < round.env.tempo.task_poll_max)
}

fn released(round: Round<'_>, task: &PlannedTask) -> Step {
    match &round.seen.health {
        Some(Ok(Health::Ready)) => Step::Done,
        // Nor must one that says "completed" and stays closed.
        Some(Ok(Health::NotReady)) if is_fresh(round, task) => running(round, task),
        Some(Ok(Health::NotReady)) => Step::Reapprove,
        Some(Err(error)) => refused(error),
        None => Step::Wait(Fault::waiting("the sidecar's readiness was not asked yet")),
    }
}

/// A failed row tells by its run number whether it is the attempt that is still to be counted or
/// the one that a counted retry is about to replace; `None` once that retry is due.
fn failed(round: Round<'_>, task: &PlannedTask, result: &TaskResult) -> Option<Step> {
    let retries = u64::try_from(task.retry_count).unwrap_or_default();
    if result.run > retries {
        let error = result
            .error
            .clone()
            .unwrap_or_else(|| format!("task {} failed with unknown error", task.id));
        let error = crate::fault::cut(error, crate::fault::DETAIL_BYTES_MAX);
        let budget_left = task.retry_count < task.max_retries;
        return Some(if budget_left { Step::Retry { error } } else { Step::Fatal(error) });
    }
    rest_of_backoff(round, task).map(Step::BackingOff)
}

/// What is left of the back-off of a counted retry. More than the longest was written by a clock
/// that was wrong.
fn rest_of_backoff(round: Round<'_>, task: &PlannedTask) -> Option<Duration> {
    let longest = round.env.tempo.task_backoff_max;
    plan::wait_of(task, round.seen.now).filter(|rest| *rest <= longest)
}

fn submit(round: Round<'_>, id: Uuid, spec: &TaskSpec) -> Step {
    let spec = match spec {
        // Peers may have appeared since the plan was made.
        TaskSpec::DiscoverPeers(_) => {
            let found = peers::resolve(round.node, &round.seen.peers);
            let sources = peers::discover(round.node, &found);
            if sources.sources.is_empty() {
                let why = "no SeiNode matches the label selectors of spec.peers yet";
                return Step::Wait(Fault::waiting(why));
            }
            TaskSpec::DiscoverPeers(sources)
        }
        other => other.clone(),
    };
    match spec.validate() {
        Ok(()) => Step::Submit(TaskRequest::new(id, &spec)),
        Err(error) => Step::Fatal(error.to_string()),
    }
}
