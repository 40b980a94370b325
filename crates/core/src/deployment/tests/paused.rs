//! A paused fleet: what freezes, what it says, and how it goes on.

use expect_test::expect;
use sei_api::k8s;

use super::scene::{Scene, check};
use crate::deployment::notices;
use crate::effect::{Desired, Effect};
use crate::node::tests::scene::at;

#[test]
fn an_idle_fleet_stays_ready_and_tells_its_children() {
    check(
        "fleet paused",
        expect![[r#"
        kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
        effect   apply SeiNode s-0 v1 rev 1 forced
        effect   apply SeiNode s-1 v1 rev 1 forced
        requeue  after 600s
    "#]],
    );
}

#[test]
fn a_pause_is_told_when_it_begins_and_when_it_ends() {
    let told = |before: &str, pauses: bool| {
        let mut scene = Scene::new(before);
        scene.fleet.spec.paused = pauses;
        let after = scene.round(None).status;
        let told = notices(&scene.fleet, &scene.status, &after);
        told.iter().map(|it| it.reason.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(told("fleet", true), "Paused");
    assert_eq!(told("fleet paused", true), "");
    assert_eq!(told("fleet paused", false), "Unpaused");
    assert_eq!(told("fleet", false), "");
}

#[test]
fn an_edit_waits_for_the_end_of_the_pause() {
    check(
        "
        fleet paused image=v2 gen=3
        pause since=30
        child 0 ours paused
        child 1 ours paused
        ",
        expect![[r#"
            kstatus  Ready=False Reconciling=False Stalled=False Paused: paused: 0 of 2
                       nodes on target; set spec.paused to false to go on
            effects  none
            requeue  after 600s
        "#]],
    );
}

#[test]
fn a_rollout_is_frozen_as_it_is() {
    check(
        "
        fleet paused image=v3 gen=3 unavailable=1
        rollout target=v2 since=9999
        plan at=await-spec-update
        child 0 image=v2 current=v1 plan=any
        ",
        expect![[r#"
            kstatus  Ready=False Reconciling=False Stalled=False Paused: paused: 0 of 2
                       nodes on target; set spec.paused to false to go on
            effect   apply SeiNode s-0 v2 rev 1 forced
            effect   apply SeiNode s-1 v1 rev 1 forced
            requeue  after 5s
        "#]],
    );
}

#[test]
fn nothing_is_created_or_deleted() {
    for input in
        ["fleet paused replicas=3", "fleet paused \n child 0 absent", "fleet paused replicas=1"]
    {
        let effects = Scene::new(input).decide().effects;
        let applies = |it: &Effect| matches!(it, Effect::Apply { over: Some(_), .. });
        assert!(effects.iter().all(applies), "{input}: {effects:?}");
    }
}

/// A pause tells a child nothing of a newer template, and takes nothing over that is not ours.
#[test]
fn a_child_is_frozen_as_it_was_written_last() {
    let scene = Scene::new("fleet paused image=v2 gen=3 label=a:b \n child 0 override=x:y rev=1");
    let effects = scene.decide().effects;
    let Effect::Apply { object, over } = &effects[0] else { panic!("{effects:?}") };
    let Desired::SeiNode(child) = object.as_ref() else { panic!("{object:?}") };
    let live = scene.seen.children["s-0"].here().unwrap();
    assert_eq!(over, &live.metadata.uid);
    assert_eq!(child.metadata.labels, live.metadata.labels);
    assert_eq!(child.metadata.owner_references, live.metadata.owner_references);
    assert!(child.spec.paused && child.spec.overrides.is_empty());
    let mut spec = live.spec.clone();
    spec.overrides.clear();
    spec.paused = true;
    assert_eq!(child.spec, spec);
}

#[test]
fn a_child_that_was_never_applied_is_taken_as_it_is() {
    let mut scene = Scene::new("fleet paused \n child 0 override=x:y");
    for child in scene.seen.children.values_mut() {
        let crate::node::Seen::Here(node) = child else { continue };
        std::sync::Arc::make_mut(node).metadata.managed_fields = None;
    }
    let effects = scene.decide().effects;
    let Effect::Apply { object, .. } = &effects[0] else { panic!("{effects:?}") };
    let Desired::SeiNode(child) = object.as_ref() else { panic!("{object:?}") };
    let live = scene.seen.children["s-0"].here().unwrap();
    assert_eq!(child.spec.overrides, live.spec.overrides);
    assert!(child.metadata.managed_fields.is_none() && child.metadata.uid.is_none());
}

#[test]
fn the_end_of_a_pause_wakes_the_children() {
    check(
        "fleet \n pause since=30 \n child 0 ours paused \n child 1 ours paused",
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: bringing the
                       nodes to the spec
            effect   apply SeiNode s-0 v1 rev 1 forced
            effect   apply SeiNode s-1 v1 rev 1 forced
            requeue  after 600s
        "#]],
    );
}

#[test]
fn the_end_of_a_pause_in_mid_rollout_wakes_a_child_without_moving_it_before_its_turn() {
    check(
        "
        fleet image=v2 gen=3 unavailable=1
        rollout target=v2 since=500
        pause since=400
        plan begun
        child 0 ours paused
        child 1 ours paused image=v2 current=v1
        ",
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                       template <v2>: 0 of 2 nodes on target
            effect   apply SeiNode s-0 v1 rev 1 forced
            effect   apply SeiNode s-1 v2 rev 1 forced
            requeue  after 5s
        "#]],
    );
}

/// 500 s after its start, 400 of which it was paused, a rollout has 500 of its 600 s left.
#[test]
fn the_clock_stands_still() {
    let input = "
        fleet image=v2 gen=3
        rollout target=v2 since=500
        pause since=400
        child 0 image=v2 current=v1 plan=any
        child 1 image=v2 current=v1 plan=any
    ";
    let rollout = Scene::new(input).decide().status.rollout.unwrap();
    assert_eq!(rollout.last_progress_at, Some(k8s::Time(at(-100))));
    assert_eq!(rollout.started_at, k8s::Time(at(-500)));
}

#[test]
fn a_child_that_somebody_else_paused_is_left_alone() {
    for input in [
        "fleet \n child 0 ours selfpaused",
        "fleet image=v2 gen=2 \n rollout target=v2 \n child 0 ours selfpaused image=v2 \n child 1 image=v2",
    ] {
        assert_eq!(Scene::new(input).decide().effects, [], "{input}");
    }
}

#[test]
fn a_paused_fleet_can_be_deleted() {
    check(
        "fleet paused deleting phase=Terminating",
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                   being deleted
        effect   remove finalizer
        requeue  never
    "#]],
    );
}
