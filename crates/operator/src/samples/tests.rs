//! Which plan ended how, from the two statuses of a write.

use sei_api::PlannedTask;
use sei_core::condition::{Conditions, Say};

use super::*;

/// The status before and after: phase, plan, what is said of the update; then how plan `a` ended.
const NODE_WRITES: [&str; 15] = [
    "Running update:a UpdateStarted > Running update:a UpdateStarted > goes on",
    "Running update:a UpdateStarted > Running none UpdateComplete > node-update complete",
    "Running update:a UpdateStarted > Running none UpdateSuperseded > node-update superseded",
    "Running update:a UpdateStarted > Running update:b UpdateStarted > node-update superseded",
    "Running update:a UpdateStarted > Running approve:b UpdateComplete > node-update complete",
    "Running update:a UpdateStarted > Running failed:a UpdateStarted > node-update failed",
    "Running failed:a UpdateStarted > Running update:b UpdateStarted > goes on",
    "Initializing init:a NotStarted > Running none NotStarted > init complete",
    "Initializing init:a NotStarted > Running update:b UpdateStarted > init complete",
    "Initializing init:a NotStarted > Initializing init:b NotStarted > init superseded",
    "Running approve:a UpdateComplete > Running none UpdateComplete > mark-ready-reapply complete",
    "Running approve:a NotStarted > Running approve:b NotStarted > mark-ready-reapply superseded",
    "Running approve:a NotStarted > Terminating none NotStarted > mark-ready-reapply superseded",
    "Running strange:a NotStarted > Running update:b UpdateStarted > unknown superseded",
    "Running none UpdateComplete > Running update:a UpdateStarted > goes on",
];

#[test]
fn a_nodes_plan_ends_once_and_as_it_did() {
    for write in NODE_WRITES {
        let parts: Vec<&str> = write.split(" > ").collect();
        let (before, after) = (node_status(parts[0]), node_status(parts[1]));
        let told = node_end(&before, &after).map_or("goes on".to_owned(), |(plan, it)| {
            assert_eq!(plan.id.as_deref(), Some("a"), "{write}");
            format!("{} {}", it.plan_type.as_str(), it.outcome.as_str())
        });
        assert_eq!(told, parts[2], "{write}");
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

fn node_status(line: &str) -> SeiNodeStatus {
    let words: Vec<&str> = line.split(' ').collect();
    let named = |(kind, id): (&str, &str)| match kind {
        "update" => plan(id, &["apply-statefulset", "observe-image", "mark-ready"]),
        "failed" => TaskPlan { phase: PlanPhase::Failed, ..plan(id, &["observe-image"]) },
        "init" => plan(id, &["ensure-data-pvc", "mark-ready"]),
        "approve" => plan(id, &["mark-ready"]),
        _ => plan(id, &["await-eclipse"]),
    };
    let said = Reason::from_word(words[2]).unwrap();
    SeiNodeStatus {
        phase: Some(serde_json::from_value(words[0].into()).unwrap()),
        plan: words[1].split_once(':').map(named),
        conditions: conditions(&[(Type::NodeUpdateInProgress, said)]),
        ..SeiNodeStatus::default()
    }
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
