//! Which plan ended how, from the two statuses of a write.

use sei_api::PlannedTask;
use sei_core::condition::{Conditions, Say};

use super::*;

const UPDATE: [&str; 3] = ["apply-statefulset", "observe-image", "mark-ready"];

#[test]
fn a_nodes_plan_ends_once_and_as_it_did() {
    use NodePhase::{Initializing, Running, Terminating};
    use PlanOutcome::{Complete, Failed, Superseded};
    use PlanType::{Init, MarkReadyReapply, NodeUpdate, Unknown};
    let update = |id| Some(plan(id, &UPDATE));
    let init = |id| Some(plan(id, &["ensure-data-pvc", "mark-ready"]));
    let approve = |id| Some(plan(id, &["mark-ready"]));
    let strange = |id| Some(plan(id, &["await-eclipse"]));
    let at = |phase: NodePhase, plan, said| node_status(phase, plan, said);
    let (started, done) = (Reason::UpdateStarted, Reason::UpdateComplete);
    let dropped = Reason::UpdateSuperseded;
    let none = Reason::NotStarted;
    let table = [
        ("goes on", at(Running, update("a"), started), at(Running, update("a"), started), None),
        (
            "update complete",
            at(Running, update("a"), started),
            at(Running, None, done),
            Some((NodeUpdate, Complete)),
        ),
        (
            "nothing left to do",
            at(Running, update("a"), started),
            at(Running, None, dropped),
            Some((NodeUpdate, Superseded)),
        ),
        (
            "replaced",
            at(Running, update("a"), started),
            at(Running, update("b"), started),
            Some((NodeUpdate, Superseded)),
        ),
        (
            "complete, and another begun",
            at(Running, update("a"), started),
            at(Running, approve("b"), done),
            Some((NodeUpdate, Complete)),
        ),
        (
            "failed",
            at(Running, update("a"), started),
            at(Running, update("a").map(failed), started),
            Some((NodeUpdate, Failed)),
        ),
        (
            "repeated",
            at(Running, update("a").map(failed), started),
            at(Running, update("b"), started),
            None,
        ),
        (
            "init complete",
            at(Initializing, init("a"), none),
            at(Running, None, none),
            Some((Init, Complete)),
        ),
        (
            "init complete, and an update begun",
            at(Initializing, init("a"), none),
            at(Running, update("b"), started),
            Some((Init, Complete)),
        ),
        (
            "init replaced",
            at(Initializing, init("a"), none),
            at(Initializing, init("b"), none),
            Some((Init, Superseded)),
        ),
        (
            "approved",
            at(Running, approve("a"), done),
            at(Running, None, done),
            Some((MarkReadyReapply, Complete)),
        ),
        (
            "approved in vain",
            at(Running, approve("a"), done),
            at(Running, approve("b"), done),
            Some((MarkReadyReapply, Superseded)),
        ),
        (
            "deleted",
            at(Running, approve("a"), done),
            at(Terminating, None, done),
            Some((MarkReadyReapply, Superseded)),
        ),
        (
            "of another version",
            at(Running, strange("a"), none),
            at(Running, update("b"), started),
            Some((Unknown, Superseded)),
        ),
        ("none", at(Running, None, done), at(Running, update("a"), started), None),
    ];
    for (why, before, after, expected) in table {
        let ended = node_end(&before, &after).map(|(plan, it)| {
            assert_eq!(plan.id.as_deref(), Some("a"), "{why}");
            (it.plan_type, it.outcome)
        });
        assert_eq!(ended, expected, "{why}");
    }
}

#[test]
fn a_fleets_plan_ends_once_and_as_it_did() {
    use PlanOutcome::{Complete, Failed, Superseded};
    let rollout = |id| Some(plan(id, &["update-node-specs", "await-spec-update"]));
    let started = Reason::PlanStarted;
    let changed = Reason::TemplateChanged;
    let running = || fleet_status(rollout("a"), started, changed);
    let rejected = |mut status: SeiNodeDeploymentStatus| {
        status.rejected_hash = Some("0123".to_owned());
        status
    };
    let over = |plan, rollout| fleet_status(None, plan, rollout);
    let table = [
        ("goes on", running(), running(), None),
        (
            "complete",
            running(),
            over(Reason::PlanComplete, Reason::RolloutComplete),
            Some(Complete),
        ),
        ("rolled back", running(), over(Reason::PlanComplete, Reason::RolledBack), Some(Complete)),
        ("replaced", running(), fleet_status(rollout("b"), started, changed), Some(Superseded)),
        (
            "given up",
            running(),
            rejected(fleet_status(rollout("b"), started, Reason::RollingBack)),
            Some(Failed),
        ),
        (
            "without a record",
            running(),
            over(Reason::PlanFailed, Reason::RolloutFailed),
            Some(Failed),
        ),
        (
            "replaced while it returns",
            rejected(fleet_status(rollout("a"), started, Reason::RollingBack)),
            rejected(fleet_status(rollout("b"), started, Reason::RollingBack)),
            Some(Superseded),
        ),
        ("dropped", running(), over(started, changed), Some(Superseded)),
    ];
    for (why, before, after, expected) in table {
        let ended = fleet_end(&before, &after).map(|(_, it)| it.outcome);
        assert_eq!(ended, expected, "{why}");
    }
}

#[test]
fn retries_are_counted_with_the_write_that_stores_them() {
    let retried = |id, times| {
        let mut plan = plan(id, &["configure-genesis", "await-eclipse"]);
        plan.tasks[0].retry_count = times;
        plan.tasks[1].retry_count = times;
        plan
    };
    let (none, one, three) = (retried("a", 0), retried("a", 1), retried("a", 3));
    let other = retried("b", 3);
    let count = |before, after| Plans { before: Some(before), after: Some(after) }.retries();
    assert_eq!(count(&none, &one), [("configure-genesis", 1), ("other", 1)]);
    assert_eq!(count(&one, &three), [("configure-genesis", 2), ("other", 2)]);
    assert_eq!(count(&three, &one), []);
    assert_eq!(count(&none, &other), []);
    assert_eq!(Plans { before: None, after: Some(&one) }.retries(), []);
}

#[test]
fn a_task_type_is_one_of_a_closed_set() {
    for known in ["replace-pod", "config-apply", "await-spec-update", "mark-ready"] {
        assert_eq!(word(known), known);
    }
    for unknown in ["", "await-eclipse", "replace-pod ", "Replace-Pod"] {
        assert_eq!(word(unknown), "other", "{unknown}");
    }
}

fn plan(id: &str, tasks: &[&str]) -> TaskPlan {
    let task = |word: &&str| PlannedTask { type_: (*word).to_owned(), ..PlannedTask::default() };
    let tasks = tasks.iter().map(task).collect();
    TaskPlan { id: Some(id.to_owned()), tasks, ..TaskPlan::default() }
}

fn failed(plan: TaskPlan) -> TaskPlan {
    TaskPlan { phase: PlanPhase::Failed, ..plan }
}

fn node_status(phase: NodePhase, plan: Option<TaskPlan>, said: Reason) -> SeiNodeStatus {
    let conditions = conditions(&[(Type::NodeUpdateInProgress, said)]);
    SeiNodeStatus { phase: Some(phase), plan, conditions, ..SeiNodeStatus::default() }
}

fn fleet_status(
    plan: Option<TaskPlan>,
    of_plan: Reason,
    of_rollout: Reason,
) -> SeiNodeDeploymentStatus {
    let said = [(Type::PlanInProgress, of_plan), (Type::RolloutInProgress, of_rollout)];
    let conditions = conditions(&said);
    SeiNodeDeploymentStatus { plan, conditions, ..SeiNodeDeploymentStatus::default() }
}

fn conditions(said: &[(Type, Reason)]) -> Vec<k8s::Condition> {
    let mut list = Vec::new();
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    for (kind, reason) in said {
        Conditions { list: &mut list, generation: 1, now }.set(*kind, Say::no(*reason, ""));
    }
    list
}
