//! When a fleet is late, what it says then, and how that leaves again.

use std::sync::Arc;

use expect_test::expect;
use sei_api::condition::Type;
use sei_api::{PlanPhase, k8s};

use super::scene::Scene;
use crate::condition::find;
use crate::decision::{Requeue, Urgency};
use crate::deployment::{notices, urgency};
use crate::node::Seen;
use crate::node::tests::scene::at;

/// A rollout to `v2` that began so long ago; both children fail to pull its image.
fn stuck(fleet: &str, rollout: &str) -> Scene {
    Scene::new(&format!(
        "
        fleet image=v2 gen=2 {fleet}
        rollout target=v2 {rollout}
        plan at=await-spec-update
        child 0 image=v2 current=v1 plan=any why=ImagePullFailed
        child 1 image=v2 current=v1 plan=any why=ImagePullFailed
        "
    ))
}

fn stalled(scene: &Scene) -> String {
    let status = scene.round(None).status;
    let it = find(&status.conditions, Type::Stalled).unwrap();
    format!("{} {}", it.status, it.reason)
}

/// A second before its deadline, and then at it.
fn late() -> Scene {
    let mut scene = stuck("", "since=599");
    scene.seen.now = at(1);
    scene
}

#[test]
fn a_late_rollout_keeps_its_shape_and_names_what_all_nodes_say() {
    let scene = late();
    expect![[r#"
        plan     rollout: +update-node-specs, >await-spec-update
        kstatus  Ready=False Reconciling=False Stalled=True ImagePullFailed: no
                   progress within 10m: 0 of 2 nodes on target; s-0: ImagePullFailed:
                   about ImagePullFailed; s-1: ImagePullFailed: about ImagePullFailed;
                   edit spec.template, or set the annotation sei.io/retry to try again
        effects  none
        requeue  after 5s
        notice   Warning RolloutStalled: no progress within 10m: 0 of 2 nodes on
                   target; s-0: ImagePullFailed: about ImagePullFailed; s-1:
                   ImagePullFailed: about ImagePullFailed; edit spec.template, or set
                   the annotation sei.io/retry to try again
    "#]]
    .assert_eq(&scene.picture(None));
    let status = scene.round(None).status;
    assert_eq!(status.phase.unwrap().as_str(), "Upgrading");
    assert_eq!(status.plan.unwrap().phase, PlanPhase::Active);
    assert_eq!(status.rollout, scene.status.rollout);
}

#[test]
fn what_a_late_node_says_is_quoted_in_whole_words() {
    let mut scene = late();
    let seen = scene.seen.children.get_mut("s-0");
    let Some(Seen::Here(child)) = seen else { panic!("no child s-0") };
    let status = Arc::make_mut(child).status.as_mut().unwrap();
    let reconciling = status.conditions.iter_mut().find(|it| it.type_ == "Reconciling");
    let image = "ghcr.io/sei-protocol/seid:v2.0.0-missing";
    reconciling.unwrap().message = format!(
        "container \"seid-init\" of pod \"s-0-0\" cannot start since 2026-01-01T00:00:00Z: \
         image \"{image}\" cannot be pulled: not found"
    );
    let after = scene.round(None).status;
    let told = &find(&after.conditions, Type::Stalled).unwrap().message;
    let quoted = told.split("; ").nth(1).unwrap();
    let expected = format!(
        "s-0: ImagePullFailed: container \"seid-init\" of pod \"s-0-0\" cannot start since \
         2026-01-01T00:00:00Z: image \"{image}\" cannot…"
    );
    assert_eq!(quoted, expected);
}

#[test]
fn the_clock_starts_with_the_rollout_and_anew_with_each_child_that_advances() {
    let table = [
        ("in time", "", "since=599", "False Progressing"),
        ("late", "", "since=600", "True ImagePullFailed"),
        ("late by another deadline", "deadline=60", "since=60", "True ImagePullFailed"),
        ("in time by another deadline", "deadline=9999", "since=600", "False Progressing"),
        ("a child advanced", "", "since=9999 progress=599", "False Progressing"),
        ("and then none", "", "since=9999 progress=600", "True ImagePullFailed"),
    ];
    for (why, fleet, rollout, expected) in table {
        assert_eq!(stalled(&stuck(fleet, rollout)), expected, "{why}");
    }
}

#[test]
fn the_look_at_the_deadline_is_exact() {
    for (since, expected) in [("since=10", 5), ("since=598", 2), ("since=599", 1)] {
        let requeue = stuck("", since).round(None).requeue;
        assert_eq!(requeue, Requeue::After(std::time::Duration::from_secs(expected)), "{since}");
    }
}

#[test]
fn the_reason_is_what_all_say_or_the_deadline() {
    let table = [
        ("one word", "why=CrashLoop", "why=CrashLoop", "True CrashLoop"),
        ("two words", "why=CrashLoop", "why=OOMKilled", "True ProgressDeadlineExceeded"),
        ("one says nothing", "why=CrashLoop", "", "True ProgressDeadlineExceeded"),
        ("no diagnosis", "why=Progressing", "why=Progressing", "True ProgressDeadlineExceeded"),
        (
            "not its own fault",
            "why=ForeignObject",
            "why=ForeignObject",
            "True ProgressDeadlineExceeded",
        ),
        ("one is done", "why=CrashLoop", "done", "True CrashLoop"),
    ];
    for (why, zero, first, expected) in table {
        let child = |words: &str| match words {
            "done" => "image=v2".to_owned(),
            words => format!("image=v2 current=v1 {words}"),
        };
        let (zero, first) = (child(zero), child(first));
        let scene = Scene::new(&format!(
            "fleet image=v2 gen=2 \n rollout target=v2 since=600 \n child 0 {zero} \n child 1 {first}"
        ));
        assert_eq!(stalled(&scene), expected, "{why}");
    }
}

#[test]
fn it_leaves_by_itself_when_a_child_advances() {
    let mut scene = stuck("", "since=600");
    scene.status = scene.round(None).status;
    let healed = Scene::new("fleet image=v2 \n child 0 image=v2").seen.children["s-0"].clone();
    scene.seen.children.insert("s-0".to_owned(), healed);
    expect![[r#"
        counts   2 ready, 0 updated, 2 available -> 2 ready, 1 updated, 2 available
        kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                   template <v2>: 1 of 2 nodes on target
        effects  none
        requeue  after 5s
    "#]]
    .assert_eq(&scene.picture(None));
    let rollout = scene.round(None).status.rollout.unwrap();
    assert_eq!(rollout.last_progress_at, Some(k8s::Time(at(0))));
}

#[test]
fn a_node_that_crashes_again_and_again_is_late_also_while_it_runs() {
    let crashing = |pod: &str| {
        Scene::new(&format!(
            "
            fleet image=v2 gen=2
            rollout target=v2 since=900 progress=600
            plan at=await-spec-update
            child 0 image=v2 current=v2 why=CrashLoop
            child 1 image=v2 current=v2
            pod 0 {pod}
            pod 1 age=600
            "
        ))
    };
    let (down, up) = (crashing("waiting"), crashing("age=3"));
    assert_eq!([stalled(&down), stalled(&up)], ["True CrashLoop", "True CrashLoop"]);
    let (down, up) = (down.round(None).status, up.round(None).status);
    for (before, after) in [(&down, &up), (&up, &down)] {
        assert_eq!(notices(&crashing("waiting").fleet, before, after), []);
    }
}

#[test]
fn one_stall_is_told_once_and_written_once() {
    let mut scene = late();
    let first = scene.round(None);
    assert_eq!(urgency(&scene.status, &first.status), Urgency::Now);
    let told = notices(&scene.fleet, &scene.status, &first.status);
    assert_eq!(told.len(), 1);
    scene.status = first.status;
    scene.seen.now = at(4000);
    let later = scene.round(None);
    assert_eq!(urgency(&scene.status, &later.status), Urgency::None);
    // What the nodes say may change; that is no new stall.
    let crash = "image=v2 current=v1 plan=any why=CrashLoop";
    let others = Scene::new(&format!("fleet image=v2 \n child 0 {crash} \n child 1 {crash}"));
    scene.seen.children = others.seen.children;
    let changed = scene.round(None).status;
    assert_eq!(stalled(&scene), "True CrashLoop");
    assert_eq!(notices(&scene.fleet, &scene.status, &changed), []);
}

/// `Stalled` stays True, and its time where it was, while something else is said.
#[test]
fn a_stall_that_something_else_hid_is_another_only_if_the_rollout_got_on() {
    let hidden = stuck("\n service foreign", "since=600").round(None).status;
    let told = |rollout: &str| {
        let mut scene = stuck("", rollout);
        let rollout = scene.status.rollout.take();
        scene.status = hidden.clone();
        scene.status.rollout = rollout;
        scene.seen.now = at(3600);
        let after = scene.round(None).status;
        notices(&scene.fleet, &scene.status, &after)
    };
    let (same, again) = (told("since=600"), told("since=600"));
    assert_eq!(same.len(), 1);
    assert_eq!(same[0].reason, sei_api::event::Reason::RolloutStalled);
    assert_eq!(same[0].discriminator, again[0].discriminator);
    let other = told("since=600 progress=-60");
    assert_ne!(same[0].discriminator, other[0].discriminator);
}

#[test]
fn a_trouble_of_the_moment_does_not_end_a_stall() {
    let mut scene = stuck("\n service unreadable", "since=600");
    assert_eq!(stalled(&scene), "True ImagePullFailed");
    let unreadable = Scene::new("fleet \n child 1 unreadable").seen.children["s-1"].clone();
    scene.seen.children.insert("s-1".to_owned(), unreadable);
    assert_eq!(stalled(&scene), "True ProgressDeadlineExceeded");
}

#[test]
fn a_first_rollout_that_does_not_come_up_is_late_too() {
    let scene = |child: &str| {
        Scene::new(&format!(
            "fleet hash=none phase=Initializing deadline=60 \n child 0 {child} \n child 1 ours"
        ))
    };
    let table = [
        ("in time", "Initializing written=59 why=ImagePullFailed", "False Progressing"),
        ("late", "Initializing written=60 why=ImagePullFailed", "True ImagePullFailed"),
        ("its controller did not look", "new written=60", "True ProgressDeadlineExceeded"),
        (
            "up, and in a crash loop",
            "ours written=60 \n pod 0 waiting",
            "True ProgressDeadlineExceeded",
        ),
        ("given up", "Failed written=60", "True NodesFailed"),
        ("up", "ours written=60", "False Settled"),
    ];
    for (why, child, expected) in table {
        assert_eq!(stalled(&scene(child)), expected, "{why}");
    }
    let late = scene("Initializing written=60 why=ImagePullFailed");
    expect![[r#"
        kstatus  Ready=False Reconciling=False Stalled=True ImagePullFailed: no
                   progress within 1m: 1 of 2 nodes on target; s-0: ImagePullFailed:
                   about ImagePullFailed; edit spec.template, or set the annotation
                   sei.io/retry to try again
        effects  none
        requeue  after 600s
    "#]]
    .assert_eq(&late.picture(None));
}

#[test]
fn in_a_settled_fleet_only_a_new_child_can_be_late() {
    let table = [
        ("a new child", "Initializing written=600", "True ProgressDeadlineExceeded"),
        ("a plan of its own", "ours written=9999 plan=any", "False Progressing"),
        ("not ready", "ours written=9999 \n workload 0 ready=0", "False Settled"),
    ];
    for (why, child, expected) in table {
        assert_eq!(stalled(&Scene::new(&format!("fleet \n child 0 {child}"))), expected, "{why}");
    }
}
