//! What is counted about plans: a function of the status before and after a commit.

use std::time::Duration;

use sei_api::condition::{Reason, Type};
use sei_api::{
    NodePhase, PlanPhase, SeiNode, SeiNodeDeployment, SeiNodeDeploymentStatus, SeiNodeStatus,
    TaskPlan, k8s,
};
use sei_core::condition::find;
use sei_core::plan::kinds::{GroupTask, NodeTask};

use crate::context::Context;
use crate::controller::Controller;
use crate::kind::Written;
use crate::metrics::{PlanEnd, PlanOutcome, PlanType};

/// A node's status was written.
pub fn node(context: &Context, node: &SeiNode, change: Written<'_, SeiNodeStatus>) {
    let plans = Plans { before: change.before.plan.as_ref(), after: change.after.plan.as_ref() };
    let namespace = node.metadata.namespace.as_deref().unwrap_or_default();
    let place = (Controller::Node, namespace);
    plans.count_retries(context, place);
    if let Some((plan, ended)) = node_end(change.before, change.after) {
        plans.count_end(context, place, (plan, ended));
    }
}

/// A fleet's status was written.
pub fn fleet(
    context: &Context,
    fleet: &SeiNodeDeployment,
    change: Written<'_, SeiNodeDeploymentStatus>,
) {
    let plans = Plans { before: change.before.plan.as_ref(), after: change.after.plan.as_ref() };
    let namespace = fleet.metadata.namespace.as_deref().unwrap_or_default();
    let place = (Controller::Deployment, namespace);
    plans.count_retries(context, place);
    if let Some((plan, ended)) = fleet_end(change.before, change.after) {
        plans.count_end(context, place, (plan, ended));
    }
}

/// What kind of plan ended in a write, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ended {
    plan_type: PlanType,
    outcome: PlanOutcome,
}

/// The node's plan that ended in this write.
fn node_end<'a>(before: &'a SeiNodeStatus, after: &SeiNodeStatus) -> Option<(&'a TaskPlan, Ended)> {
    let plan = left(before.plan.as_ref(), after.plan.as_ref())?;
    let plan_type = node_plan_type(before, plan);
    let arrived = match plan_type {
        PlanType::Init => after.phase == Some(NodePhase::Running),
        PlanType::NodeUpdate => {
            says(&after.conditions, Type::NodeUpdateInProgress, Reason::UpdateComplete)
        }
        PlanType::MarkReadyReapply | PlanType::Rollout | PlanType::Unknown => {
            after.plan.is_none() && after.phase == before.phase
        }
    };
    let outcome = match outcome_in_place(plan, after.plan.as_ref()) {
        Some(outcome) => outcome,
        None if arrived => PlanOutcome::Complete,
        None => PlanOutcome::Superseded,
    };
    Some((plan, Ended { plan_type, outcome }))
}

/// The fleet's plan that ended in this write.
fn fleet_end<'a>(
    before: &'a SeiNodeDeploymentStatus,
    after: &SeiNodeDeploymentStatus,
) -> Option<(&'a TaskPlan, Ended)> {
    let plan = left(before.plan.as_ref(), after.plan.as_ref())?;
    let known = plan.tasks.iter().all(|task| GroupTask::read(&task.type_).is_ok());
    let plan_type = if known { PlanType::Rollout } else { PlanType::Unknown };
    let gone =
        |reason| after.plan.is_none() && says(&after.conditions, Type::PlanInProgress, reason);
    // A rollback puts its own plan in the place of the one that did not come to its end.
    let given_up = says(&after.conditions, Type::RolloutInProgress, Reason::RollingBack)
        && before.rejected_hash != after.rejected_hash;
    let outcome = match outcome_in_place(plan, after.plan.as_ref()) {
        Some(outcome) => outcome,
        None if gone(Reason::PlanComplete) => PlanOutcome::Complete,
        None if gone(Reason::PlanFailed) || given_up => PlanOutcome::Failed,
        None => PlanOutcome::Superseded,
    };
    Some((plan, Ended { plan_type, outcome }))
}

/// The plan that was worked on before the write, unless it still is.
fn left<'a>(before: Option<&'a TaskPlan>, after: Option<&TaskPlan>) -> Option<&'a TaskPlan> {
    let before = before.filter(|plan| plan.phase == PlanPhase::Active)?;
    let goes_on = after.is_some_and(|it| it.id == before.id && it.phase == PlanPhase::Active);
    (!goes_on).then_some(before)
}

/// How the plan ended, where it is still there to tell.
fn outcome_in_place(plan: &TaskPlan, after: Option<&TaskPlan>) -> Option<PlanOutcome> {
    let after = after.filter(|it| it.id == plan.id)?;
    match after.phase {
        PlanPhase::Failed => Some(PlanOutcome::Failed),
        PlanPhase::Complete => Some(PlanOutcome::Complete),
        _ => None,
    }
}

fn node_plan_type(before: &SeiNodeStatus, plan: &TaskPlan) -> PlanType {
    let has = |word: &str| plan.tasks.iter().any(|task| task.type_ == word);
    if plan.tasks.iter().any(|task| NodeTask::word(&task.type_).is_none()) {
        PlanType::Unknown
    } else if before.phase != Some(NodePhase::Running) {
        PlanType::Init
    } else if has(NodeTask::ObserveImage.task_type()) {
        PlanType::NodeUpdate
    } else {
        PlanType::MarkReadyReapply
    }
}

fn says(conditions: &[k8s::Condition], kind: Type, reason: Reason) -> bool {
    find(conditions, kind).is_some_and(|it| it.reason == reason.as_str())
}

/// A plan before and after a write.
#[derive(Clone, Copy)]
struct Plans<'a> {
    before: Option<&'a TaskPlan>,
    after: Option<&'a TaskPlan>,
}

impl Plans<'_> {
    fn count_end(
        self,
        context: &Context,
        (controller, namespace): (Controller, &str),
        (plan, Ended { plan_type, outcome }): (&TaskPlan, Ended),
    ) {
        let begun = plan.tasks.first().and_then(|task| task.submitted_at.as_ref());
        let took = begun.map_or(Duration::ZERO, |begun| {
            let took = context.clock.now().duration_since(begun.0);
            if took.is_negative() { Duration::ZERO } else { took.unsigned_abs() }
        });
        context.metrics.plan_ended(controller, namespace, PlanEnd { plan_type, outcome, took });
        let failed = self.after.and_then(|plan| plan.failed_task_detail.as_ref());
        if let (PlanOutcome::Failed, Some(task)) = (outcome, failed) {
            context.metrics.task_failed(controller, namespace, word(&task.type_));
        }
    }

    fn count_retries(self, context: &Context, (controller, namespace): (Controller, &str)) {
        for (task_type, retries) in self.retries() {
            context.metrics.task_retried(controller, namespace, (task_type, retries));
        }
    }

    /// The tasks that were counted up in this write, and by how much.
    fn retries(self) -> Vec<(&'static str, u64)> {
        let (Some(before), Some(after)) = (self.before, self.after) else { return Vec::new() };
        if before.id != after.id {
            return Vec::new();
        }
        let tasks = before.tasks.iter().zip(&after.tasks);
        let counted = tasks.filter_map(|(before, after)| {
            let more = u64::try_from(after.retry_count.saturating_sub(before.retry_count)).ok()?;
            (more > 0).then(|| (word(&after.type_), more))
        });
        counted.collect()
    }
}

/// The task type as a label: one of a closed set, whatever another version stored.
fn word(task_type: &str) -> &'static str {
    let group = || GroupTask::read(task_type).ok().map(GroupTask::task_type);
    NodeTask::word(task_type).or_else(group).unwrap_or(OTHER)
}

/// A word that this version does not know.
const OTHER: &str = "other";

#[cfg(test)]
mod tests;
