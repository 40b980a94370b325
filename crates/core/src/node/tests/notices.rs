//! What people hear about a node, and how soon a changed status is stored.

use sei_api::condition::{Reason, Type};
use sei_api::{NodePhase, SeiNodeStatus, TaskStatus, k8s};

use super::scene::{Scene, at};
use crate::condition::{Conditions, Say};
use crate::decision::Urgency;
use crate::node::{notices, urgency};

type Edit = fn(&mut SeiNodeStatus);

/// A node in the middle of its update.
fn scene() -> Scene {
    Scene::new("node Running image=v2 current=v1 \n workload image=v1 \n plan update begun=1")
}

/// Lets a condition of `status` say `say`.
fn say(status: &mut SeiNodeStatus, kind: Type, say: Say) {
    Conditions { list: &mut status.conditions, generation: 1, now: at(0) }.set(kind, say);
}

fn heard(before: Edit, after: Edit) -> Vec<String> {
    let scene = scene();
    let (mut old, mut new) = (scene.status.clone(), scene.status.clone());
    before(&mut old);
    after(&mut new);
    notices(&scene.node, &old, &new).iter().map(|it| it.reason.to_string()).collect()
}

#[test]
fn each_occurrence_is_told_once() {
    fn lost(status: &mut SeiNodeStatus) {
        say(status, Type::SidecarReady, Say::no(Reason::NotReady, ""));
    }
    fn unreachable(status: &mut SeiNodeStatus) {
        say(status, Type::SidecarReady, Say::unknown(Reason::Unreachable, ""));
    }
    fn failed(status: &mut SeiNodeStatus) {
        crate::plan::fail(status.plan.as_mut().unwrap(), 0, "broken", at(0));
    }
    fn foreign(status: &mut SeiNodeStatus) {
        say(status, Type::Stalled, Say::yes(Reason::ForeignObject, "a Service"));
    }
    fn terminating(status: &mut SeiNodeStatus) {
        status.phase = Some(NodePhase::Terminating);
    }
    fn initializing(status: &mut SeiNodeStatus) {
        status.phase = Some(NodePhase::Initializing);
    }
    let same: Edit = |_| {};
    let table: [(Edit, Edit, &[&str]); 11] = [
        (same, same, &[]),
        (initializing, same, &["PhaseTransition"]),
        (same, terminating, &[]),
        (same, failed, &["NodeFailed"]),
        (failed, failed, &[]),
        (same, lost, &["SidecarReadinessLost"]),
        (unreachable, lost, &["SidecarReadinessLost"]),
        (lost, lost, &[]),
        (lost, same, &["SidecarReadinessRestored"]),
        (unreachable, same, &[]),
        (same, foreign, &["ForeignObject"]),
    ];
    for (row, (before, after, expected)) in table.into_iter().enumerate() {
        assert_eq!(heard(before, after), expected, "row {row}");
    }
}

#[test]
fn a_normal_update_is_not_told_by_the_node() {
    let done: Edit = |status| {
        status.plan = None;
        status.current_image = Some("v2".to_owned());
        say(status, Type::NodeUpdateInProgress, Say::no(Reason::UpdateComplete, ""));
    };
    assert_eq!(heard(|_| {}, done), [""; 0]);
}

#[test]
fn a_second_failure_is_another_occurrence() {
    let scene = scene();
    let failed = |id: &str| {
        let mut status = scene.status.clone();
        let plan = status.plan.as_mut().unwrap();
        plan.id = Some(id.to_owned());
        crate::plan::fail(plan, 0, "broken", at(0));
        status
    };
    let told = notices(&scene.node, &failed("one"), &failed("two"));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].discriminator, "two");
}

#[test]
fn only_marks_that_unblock_nothing_may_wait() {
    fn task(status: &mut SeiNodeStatus) -> &mut sei_api::PlannedTask {
        &mut status.plan.as_mut().unwrap().tasks[0]
    }
    let table: [(&str, Edit, Urgency); 11] = [
        ("nothing", |_| {}, Urgency::None),
        ("done", |it| task(it).status = TaskStatus::Complete, Urgency::Mark),
        ("begun", |it| task(it).submitted_at = Some(k8s::Time(at(9))), Urgency::Mark),
        ("error", |it| task(it).error = Some("broken".to_owned()), Urgency::Mark),
        (
            "words",
            |it| {
                it.conditions.iter_mut().for_each(|it| {
                    if it.type_ == "Ready" {
                        it.message = "task 2".to_owned();
                    }
                })
            },
            Urgency::Mark,
        ),
        ("counted retry", |it| task(it).retry_count = 1, Urgency::Now),
        ("failed task", |it| task(it).status = TaskStatus::Failed, Urgency::Now),
        ("new plan", |it| it.plan.as_mut().unwrap().id = Some("x".to_owned()), Urgency::Now),
        ("no plan", |it| it.plan = None, Urgency::Now),
        ("image", |it| it.current_image = Some("v2".to_owned()), Urgency::Now),
        ("generation", |it| it.observed_generation = Some(7), Urgency::Now),
    ];
    let before = scene().status;
    for (what, edit, expected) in table {
        let mut after = before.clone();
        edit(&mut after);
        assert_eq!(urgency(&before, &after), expected, "{what}");
    }
}
