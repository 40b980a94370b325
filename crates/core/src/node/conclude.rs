//! What became of a round's effects, folded into the status.

use sei_api::condition::Type;
use sei_api::{SeiNode, SeiNodeStatus};

use crate::decision::{Conclusion, Decision, Requeue};
use crate::effect::{Outcome, worst};
use crate::fault::Class;
use crate::node::decide::Round;
use crate::node::{Env, Observed, executor, report};
use crate::plan;

/// The status after the effects of `decision`, which was taken on `before`.
///
/// A fault undoes the success that the decision counted on; it is part of the status, so that
/// nothing is retried in silence.
pub fn conclude(
    (node, before): (&SeiNode, &SeiNodeStatus),
    seen: &Observed,
    env: Env<'_>,
    (decision, outcomes): (Decision<SeiNodeStatus>, &[Outcome]),
) -> Conclusion<SeiNodeStatus> {
    let round = Round { node, before, seen, env };
    let Some(fault) = worst(outcomes).cloned() else {
        let mut status = decision.status;
        report::summarize(round, &mut status, None);
        return Conclusion { status, requeue: decision.requeue, notices: decision.notices };
    };
    // Only the steps of a plan in flight count on their effects; what replaced a plan does not.
    let worked_on = before.plan.as_ref().filter(|plan| executor::works_on(round, plan));
    let index = worked_on.and_then(plan::current);
    let mut status =
        if index.is_some() { undone(before, decision.status) } else { decision.status };
    let requeue = match (fault.class, index) {
        (Class::Terminal, Some(index)) => {
            let failed = executor::fail(round, status, index, &fault.detail);
            status = failed.status;
            failed.requeue
        }
        (Class::Waiting, _) => Requeue::After(env.tempo.task_poll_max),
        (Class::Conflict | Class::Transient | Class::Terminal, _) => {
            if fault.class != Class::Conflict
                && let Some(task) = status
                    .plan
                    .as_mut()
                    .and_then(|plan| index.and_then(|index| plan.tasks.get_mut(index)))
            {
                task.error = Some(fault.detail.clone());
            }
            Requeue::Backoff
        }
    };
    // Who wrote first is nobody's trouble: the next look shows what is there now.
    let trouble = Some(&fault).filter(|it| it.class != Class::Conflict);
    report::summarize(round, &mut status, trouble);
    Conclusion { status, requeue, notices: Vec::new() }
}

/// What was seen stays true; what the decision made of the plan counted on its effects.
fn undone(before: &SeiNodeStatus, decided: SeiNodeStatus) -> SeiNodeStatus {
    let mut status = SeiNodeStatus {
        plan: before.plan.clone(),
        phase: before.phase.clone(),
        phase_transition_time: before.phase_transition_time.clone(),
        ..decided
    };
    let update = Type::NodeUpdateInProgress.as_str();
    for condition in &mut status.conditions {
        let said = before.conditions.iter().find(|it| it.type_ == condition.type_);
        if let Some(said) = said.filter(|it| it.type_ == update) {
            condition.clone_from(said);
        }
    }
    status
}
