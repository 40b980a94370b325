//! What is counted about plans: a function of the status before and after a commit.

use std::time::Duration;

use sei_api::{
    NodePhase, PlanPhase, SeiNode, SeiNodeDeployment, SeiNodeDeploymentStatus, SeiNodeStatus,
    TaskPlan,
};

use crate::context::Context;
use crate::controller::Controller;
use crate::kind::Written;
use crate::metrics::{PlanEnd, PlanOutcome, PlanType};

/// A node's status was written.
pub fn node(context: &Context, node: &SeiNode, change: Written<'_, SeiNodeStatus>) {
    let before = change.before.plan.as_ref();
    let (Some(plan), Some(outcome)) = (before, outcome(before, change.after.plan.as_ref())) else {
        return;
    };
    let plan_type = if change.before.phase != Some(NodePhase::Running) {
        PlanType::Init
    } else if plan.tasks.len() == 1 {
        PlanType::MarkReadyReapply
    } else {
        PlanType::NodeUpdate
    };
    let namespace = node.metadata.namespace.as_deref().unwrap_or_default();
    let ended = Ended { controller: Controller::Node, namespace, plan_type, outcome };
    count(context, ended, (plan, change.after.plan.as_ref()));
}

/// A fleet's status was written.
pub fn fleet(
    context: &Context,
    fleet: &SeiNodeDeployment,
    change: Written<'_, SeiNodeDeploymentStatus>,
) {
    let before = change.before.plan.as_ref();
    let (Some(plan), Some(outcome)) = (before, outcome(before, change.after.plan.as_ref())) else {
        return;
    };
    let namespace = fleet.metadata.namespace.as_deref().unwrap_or_default();
    let plan_type = PlanType::Rollout;
    let ended = Ended { controller: Controller::Deployment, namespace, plan_type, outcome };
    count(context, ended, (plan, change.after.plan.as_ref()));
}

struct Ended<'a> {
    controller: Controller,
    namespace: &'a str,
    plan_type: PlanType,
    outcome: PlanOutcome,
}

/// How an active plan ended in this write; `None` if it goes on or was superseded.
fn outcome(before: Option<&TaskPlan>, after: Option<&TaskPlan>) -> Option<PlanOutcome> {
    let before = before.filter(|plan| plan.phase == PlanPhase::Active)?;
    match after {
        None => Some(PlanOutcome::Complete),
        Some(after) if after.id == before.id && after.phase == PlanPhase::Failed => {
            Some(PlanOutcome::Failed)
        }
        Some(_) => None,
    }
}

fn count(context: &Context, ended: Ended<'_>, (before, after): (&TaskPlan, Option<&TaskPlan>)) {
    let begun = before.tasks.first().and_then(|task| task.submitted_at.as_ref());
    let took = begun.map_or(Duration::ZERO, |begun| {
        let took = context.clock.now().duration_since(begun.0);
        if took.is_negative() { Duration::ZERO } else { took.unsigned_abs() }
    });
    let end = PlanEnd { plan_type: ended.plan_type, outcome: ended.outcome, took };
    context.metrics.plan_ended(ended.controller, ended.namespace, end);
    let failed = after.and_then(|plan| plan.failed_task_detail.as_ref());
    if let (PlanOutcome::Failed, Some(task)) = (ended.outcome, failed) {
        context.metrics.task_failed(ended.controller, ended.namespace, &task.type_);
    }
}
