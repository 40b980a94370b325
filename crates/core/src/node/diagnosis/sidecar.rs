//! What the sidecar answers, or that it does not.

use jiff::Timestamp;
use sei_api::condition::{Reason, Status, Type};
use sei_api::{PlannedTask, SeiNodeStatus, k8s};
use sei_sidecar_api::Class;

use super::{Cause, changed_at, is_over, pods_of, says};
use crate::condition::find;
use crate::node::decide::Round;
use crate::node::evidence::SIDECAR;
use crate::node::{Pods, name, namespace};
use crate::plan::{self, kinds::NodeTask};

/// What is wrong with the sidecar or with its current task.
pub(super) fn causes(round: Round<'_>, status: &SeiNodeStatus) -> Vec<Cause> {
    [failing(round, status), unreachable(round, status)].into_iter().flatten().collect()
}

/// When the node last got on: a task was begun, its phase or what it does changed, a pause ended.
pub(super) fn last_progress(status: &SeiNodeStatus) -> Option<Timestamp> {
    let tasks = status.plan.iter().flat_map(|plan| &plan.tasks);
    let begun = tasks.filter_map(|it| it.submitted_at.as_ref()).map(|it| it.0);
    let entered = status.phase_transition_time.as_ref().map(|it| it.0);
    let said = [Type::NodeUpdateInProgress, Type::SidecarReady, Type::Paused]
        .into_iter()
        .filter_map(|kind| find(&status.conditions, kind))
        .map(|it| it.last_transition_time.0);
    begun.chain(entered).chain(said).max()
}

/// A task of the sidecar that failed and is repeated.
fn failing(round: Round<'_>, status: &SeiNodeStatus) -> Option<Cause> {
    let task = current(status).filter(|it| it.retry_count > 0)?;
    Some(Cause {
        reason: Reason::SidecarTaskFailed,
        needs_help: false,
        what: format!("task {} fails", task.type_),
        since: first_failure(round, task),
        because: String::new(),
        said: task.error.clone().unwrap_or_default(),
        next: format!("it is repeated by itself, {}", see_logs(round)),
    })
}

/// A sidecar that should answer by now and does not.
fn unreachable(round: Round<'_>, status: &SeiNodeStatus) -> Option<Cause> {
    let Round { seen, env, .. } = round;
    let (error, quiet) = if plan::is_active(status.plan.as_ref()) {
        current(status)?;
        let answers = [seen.task.as_ref().and_then(|it| it.as_ref().err()), health_error(round)];
        (answers.into_iter().flatten().next()?, last_progress(status))
    } else {
        (health_error(round)?, unknown_since(status))
    };
    if error.class() == Class::Permanent {
        return None;
    }
    let up = match running_since(round) {
        Up::Since(up) => up,
        Up::Unknown => None,
        Up::Down => return None,
    };
    let since = quiet.max(up);
    is_over(since, env.tempo.sidecar_patience, seen.now).then(|| Cause {
        reason: Reason::SidecarUnreachable,
        needs_help: false,
        what: format!("the sidecar of node \"{}\" gives no usable answer", name(round.node)),
        since,
        because: error.to_string(),
        said: String::new(),
        next: see_logs(round),
    })
}

/// The current task of the active plan, if it is the sidecar's.
fn current(status: &SeiNodeStatus) -> Option<&PlannedTask> {
    let plan = status.plan.as_ref().filter(|it| plan::is_active(Some(it)))?;
    let task = plan.tasks.get(plan::current(plan)?)?;
    let kind = NodeTask::read(&task.type_, task.params.as_ref()).ok()?;
    matches!(kind, NodeTask::Sidecar(_)).then_some(task)
}

/// When `task` failed for the first time, if that is now.
fn first_failure(round: Round<'_>, task: &PlannedTask) -> Option<Timestamp> {
    let tasks = round.before.plan.iter().flat_map(|plan| &plan.tasks);
    let counted = tasks.filter(|it| it.id == task.id).any(|it| it.retry_count > 0);
    (!counted).then_some(round.seen.now)
}

/// The id of the sidecar's task that `status` is about: the same for each of its failures.
pub(super) fn task_id(status: &SeiNodeStatus) -> Option<&str> {
    Some(&current(status)?.id)
}

fn health_error<'a>(round: Round<'a>) -> Option<&'a sei_sidecar_api::SidecarError> {
    round.seen.health.as_ref().and_then(|it| it.as_ref().err())
}

/// Since when a node at rest does not know how its sidecar is.
fn unknown_since(status: &SeiNodeStatus) -> Option<Timestamp> {
    let said = find(&status.conditions, Type::SidecarReady)?;
    (said.status == Status::Unknown.as_str()).then_some(said.last_transition_time.0)
}

/// Is the sidecar's container up?
enum Up {
    /// It runs, since then.
    Since(Option<Timestamp>),
    /// Nothing is known of a pod.
    Unknown,
    /// It does not run: whatever keeps it from that is the cause.
    Down,
}

fn running_since(round: Round<'_>) -> Up {
    if matches!(&round.seen.pods, Pods::Unconfirmed | Pods::Unreadable(_)) {
        return Up::Unknown;
    }
    let mut pods = pods_of(round.node, &round.seen.pods).peekable();
    if pods.peek().is_none() {
        return Up::Unknown;
    }
    let running = pods.filter(|it| it.metadata.deletion_timestamp.is_none()).find_map(started);
    running.map_or(Up::Down, Up::Since)
}

/// When the sidecar's container was started, if it runs.
fn started(pod: &k8s::Pod) -> Option<Option<Timestamp>> {
    let mut all = pod.status.as_ref()?.init_container_statuses.iter().flatten();
    let running = match all.find(|it| it.name == SIDECAR) {
        Some(sidecar) => sidecar.state.as_ref()?.running.as_ref()?.started_at.as_ref(),
        // A kubelet that tells nothing of it says at least that all of them run.
        None if says(pod, "Ready", "True") => return Some(changed_at(pod, "Ready")),
        None => return None,
    };
    Some(running.map(|it| it.0))
}

fn see_logs(round: Round<'_>) -> String {
    let node = name(round.node);
    format!("see kubectl -n {} logs {node}-0 -c {SIDECAR}", namespace(round.node))
}
