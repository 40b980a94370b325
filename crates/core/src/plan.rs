//! The persisted plan: ordered work stored in a status, and how it is read and written.
//!
//! A plan survives the process that made it. Its task ids are a function of the plan's id, so a
//! task that was handed to a sidecar is found again under the same id after a restart.

pub mod kinds;

use std::time::Duration;

use jiff::Timestamp;
use sei_api::{FailedTask, PlanPhase, PlannedTask, TaskPlan, TaskStatus, k8s};
use serde_json::Value;
use uuid::Uuid;

/// Namespace of all task ids; part of the contract with running sidecars.
const TASK_ID_NAMESPACE: Uuid = Uuid::from_u128(0xb7e8_9c3a_4f12_4d8b_9a6e_1c2d_3e4f_5a6b);

/// The id of the task at `index`: UUID v5 of `<plan id>/<task type>/<index>`.
///
/// Stable across retries and restarts, another for every plan.
#[must_use]
pub fn task_id(plan_id: &str, task_type: &str, index: usize) -> Uuid {
    let name = format!("{plan_id}/{task_type}/{index}");
    Uuid::new_v5(&TASK_ID_NAMESPACE, name.as_bytes())
}

/// One task to be planned: its type as stored, its params as stored, how often it may fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The task type string of the contract.
    pub task_type: &'static str,
    /// The stored params.
    pub params: Value,
    /// Reported failures that are repeated before the task counts as failed.
    pub retries_max: u32,
}

/// A new plan of `entries`, nothing begun.
#[must_use]
pub fn build(id: Uuid, entries: Vec<Entry>) -> TaskPlan {
    let id = id.to_string();
    let tasks = entries
        .into_iter()
        .enumerate()
        .map(|(index, entry)| PlannedTask {
            type_: entry.task_type.to_owned(),
            id: task_id(&id, entry.task_type, index).to_string(),
            status: TaskStatus::Pending,
            params: Some(entry.params),
            max_retries: i64::from(entry.retries_max),
            ..PlannedTask::default()
        })
        .collect();
    TaskPlan { id: Some(id), phase: PlanPhase::Active, tasks, ..TaskPlan::default() }
}

/// Index of the task whose turn it is: the first that is not complete.
#[must_use]
pub fn current(plan: &TaskPlan) -> Option<usize> {
    plan.tasks.iter().position(|task| task.status != TaskStatus::Complete)
}

/// Is there a plan that is being worked on?
#[must_use]
pub fn is_active(plan: Option<&TaskPlan>) -> bool {
    plan.is_some_and(|plan| plan.phase == PlanPhase::Active)
}

/// The plan's id as text; empty when a stored plan lacks one.
#[must_use]
pub fn id_of(plan: &TaskPlan) -> &str {
    plan.id.as_deref().unwrap_or_default()
}

/// Stamps the time at which the task was begun; a later pass never moves it.
pub fn begin(task: &mut PlannedTask, now: Timestamp) {
    task.submitted_at.get_or_insert(k8s::Time(now));
}

/// Marks the task done.
pub fn complete(task: &mut PlannedTask, now: Timestamp) {
    begin(task, now);
    task.not_before = None;
    task.status = TaskStatus::Complete;
    task.error = None;
}

/// How long is left until the task may be begun again, at `now`.
#[must_use]
pub fn wait_of(task: &PlannedTask, now: Timestamp) -> Option<Duration> {
    let wait = task.not_before.as_ref()?.0.duration_since(now);
    wait.is_positive().then(|| wait.unsigned_abs())
}

/// Lets the task wait from `now` for `delay`.
pub fn put_off(task: &mut PlannedTask, now: Timestamp, delay: Duration) {
    // A time beyond all calendars is none: nothing waits for ever.
    task.not_before = now.checked_add(delay).ok().map(k8s::Time);
}

/// How many plans for the target of `plan` were made in a row, itself included.
#[must_use]
pub fn attempt(plan: &TaskPlan) -> u32 {
    u32::try_from(plan.attempt.unwrap_or(1)).unwrap_or(u32::MAX).max(1)
}

/// The task that failed the plan.
#[must_use]
pub fn failed_task(plan: &TaskPlan) -> Option<&PlannedTask> {
    plan.tasks.get(usize::try_from(plan.failed_task_index?).ok()?)
}

/// Ends the plan at task `index` with `error`, and keeps what a person needs to understand it.
pub fn fail(plan: &mut TaskPlan, index: usize, error: &str, now: Timestamp) {
    plan.phase = PlanPhase::Failed;
    plan.failed_task_index = i64::try_from(index).ok();
    let Some(task) = plan.tasks.get_mut(index) else { return };
    begin(task, now);
    task.status = TaskStatus::Failed;
    task.error = Some(error.to_owned());
    plan.failed_task_detail = Some(FailedTask {
        type_: task.type_.clone(),
        id: task.id.clone(),
        error: error.to_owned(),
        retry_count: task.retry_count,
        max_retries: task.max_retries,
    });
}

/// `task <type>: <error>` of a failed plan, else `unknown`.
#[must_use]
pub fn failure(plan: &TaskPlan) -> String {
    plan.failed_task_detail
        .as_ref()
        .map_or_else(|| "unknown".to_owned(), |it| format!("task {}: {}", it.type_, it.error))
}

#[cfg(test)]
mod tests;
