//! Tests of the persisted plan.

use super::*;

#[test]
fn task_ids_are_those_of_the_contract() {
    let table = [
        (
            "00000000-0000-4000-8000-000000000001",
            "update-node-specs",
            0,
            "5c6d2776-e418-57c7-adb7-61994e3c9f3d",
        ),
        (
            "00000000-0000-4000-8000-000000000001",
            "await-spec-update",
            1,
            "928d7451-ef1f-533a-a454-242c59d781fd",
        ),
        (
            "00000000-0000-4000-8000-000000000000",
            "ensure-data-pvc",
            0,
            "73a3dbf5-7d96-5361-bf10-9e96a122450a",
        ),
        (
            "00000000-0000-4000-8000-000000000000",
            "mark-ready",
            4,
            "24a077ba-ec00-5269-89e1-b478d8c4b7e9",
        ),
        (
            "00000000-0000-4000-8000-000000000000",
            "configure-genesis",
            11,
            "58f99cba-554c-59e5-9813-cda25b87ca4a",
        ),
        (
            "11111111-2222-3333-4444-555555555555",
            "config-apply",
            0,
            "47a6f79d-4bc5-56a2-bec2-264d7fca8046",
        ),
        ("test-plan-retry", "configure-genesis", 0, "52870ba7-7f29-5143-8fa9-c17316f83728"),
    ];
    for (plan, kind, index, id) in table {
        assert_eq!(task_id(plan, kind, index).to_string(), id, "{plan}/{kind}/{index}");
    }
}

fn two_tasks() -> TaskPlan {
    let entry = |task_type, retries_max| Entry { task_type, params: Value::Null, retries_max };
    build(Uuid::nil(), vec![entry("apply-service", 0), entry("configure-genesis", 180)])
}

#[test]
fn a_new_plan_is_active_and_nothing_is_begun() {
    let plan = two_tasks();
    assert_eq!(plan.phase, PlanPhase::Active);
    assert_eq!(current(&plan), Some(0));
    assert_eq!(plan.tasks[0].max_retries, 0, "a zero budget is omitted");
    assert_eq!(plan.tasks[1].max_retries, 180);
    assert!(plan.tasks.iter().all(|task| task.submitted_at.is_none()));
}

#[test]
fn a_failed_task_ends_the_plan_and_keeps_its_words() {
    let mut plan = two_tasks();
    let now = Timestamp::UNIX_EPOCH;
    complete(&mut plan.tasks[0], now);
    fail(&mut plan, 1, "bucket is gone", now);
    assert_eq!(plan.phase, PlanPhase::Failed);
    assert_eq!(plan.failed_task_index, Some(1));
    assert_eq!(failure(&plan), "task configure-genesis: bucket is gone");
}

#[test]
fn a_start_time_is_stamped_once() {
    let mut plan = two_tasks();
    begin(&mut plan.tasks[0], Timestamp::UNIX_EPOCH);
    complete(&mut plan.tasks[0], Timestamp::from_second(60).unwrap());
    assert_eq!(plan.tasks[0].submitted_at, Some(k8s::Time(Timestamp::UNIX_EPOCH)));
}
