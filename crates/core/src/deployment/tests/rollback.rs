//! Going back to the last good template, step by step.

use expect_test::expect;
use sei_api::condition::Type;

use super::scene::{Scene, check};
use crate::condition::find;
use crate::deployment::{notices, target};
use crate::node::Seen;

const LATE: &str = "
    fleet image=v2 gen=2 rollback
    rollout target=v2 since=600
    plan at=await-spec-update
    child 0 image=v2 current=v1 plan=any why=CrashLoop
    child 1 image=v2
";

#[test]
fn a_late_rollout_turns_round_in_one_write_and_touches_no_child_before() {
    check(
        LATE,
        expect![[r#"
            plan     new rollout: update-node-specs, await-spec-update
            rollout  <v2> since -600s -> <v1> since 0s
            counts   2 ready, 1 updated, 2 available -> 2 ready, 0 updated, 2 available
            cond     RolloutInProgress True RollingBack: template <v2> was
                       given up; the nodes go back to v1 (template <v1>); no
                       progress within 10m: 1 of 2 nodes on target; s-0: CrashLoop: about
                       CrashLoop
            kstatus  Ready=False Reconciling=True Stalled=False RollingBack: going back to
                       template <v1>: 0 of 2 nodes on target
            effects  none
            requeue  next pass
            notice   Warning RollbackStarted: template <v2> was given up; the
                       nodes go back to v1 (template <v1>); no progress within
                       10m: 1 of 2 nodes on target; s-0: CrashLoop: about CrashLoop
            notice   Normal PlanStarted: Plan execution started
        "#]],
    );
}

#[test]
fn without_a_last_good_template_it_is_held_and_says_so() {
    check(
        &LATE.replace("rollback", "rollback good=none hash=none"),
        expect![[r#"
            plan     rollout: +update-node-specs, >await-spec-update
            kstatus  Ready=False Reconciling=False Stalled=True CrashLoop: no progress
                       within 10m: 1 of 2 nodes on target; s-0: CrashLoop: about CrashLoop;
                       there is no template to roll back to: none was fully rolled out yet;
                       edit spec.template, or set the annotation sei.io/retry to try again
            effects  none
            requeue  after 5s
        "#]],
    );
}

#[test]
fn by_default_it_is_held() {
    let status = Scene::new(&LATE.replace("rollback", "")).round(None).status;
    assert_eq!(status.rejected_hash, None);
    assert_eq!(find(&status.conditions, Type::Stalled).unwrap().status, "True");
}

#[test]
fn it_waits_for_the_deadline_unless_every_node_gave_up() {
    let begins = |zero: &str, first: &str| {
        let scene = Scene::new(&format!(
            "
            fleet image=v2 gen=2 rollback
            rollout target=v2
            child 0 {zero}
            child 1 {first}
            "
        ));
        scene.round(None).status.rejected_hash.is_some()
    };
    let pull = "image=v2 current=v1 why=ImagePullFailed";
    let failed = "Failed image=v2";
    assert!(!begins(pull, pull));
    assert!(!begins(failed, pull));
    assert!(begins(failed, failed));
    assert!(begins(failed, "image=v2 current=v1 why=PlanFailed"));
    assert!(begins(failed, "image=v2 current=v1 why=SidecarTaskFailed plan=Failed"));
    assert!(!begins("Failed", "Failed"), "they did not fail on this template");
}

#[test]
fn the_children_go_back_wave_by_wave() {
    check(
        "
        fleet image=v2 gen=2 rollback unavailable=1 partition=1
        rollout target=v2 back
        child 0 image=v2
        child 1 image=v2 current=v1 why=CrashLoop since=100
        workload 1 ready=0
        ",
        expect![[r#"
            plan     rollout: +update-node-specs, await-spec-update
            kstatus  Ready=False Reconciling=True Stalled=False RollingBack: going back to
                       template <v1>: 0 of 2 nodes on target
            effect   apply SeiNode s-0 v1 rev 2 forced
            effect   apply SeiNode s-1 v1 rev 2 forced
            requeue  after 5s
        "#]],
    );
}

#[test]
fn it_ends_as_stalled_and_not_as_complete() {
    check(
        "
        fleet image=v2 gen=2 rollback
        rollout target=v2 back
        plan at=await-spec-update
        ",
        expect![[r#"
            plan     none
            rollout  <v1> since -60s -> none
            phase    Upgrading -> Ready
            counts   2 ready, 2 updated, 2 available -> 2 ready, 0 updated, 2 available
            cond     RolloutInProgress False RolledBack: template <v2> was
                       given up; the nodes go back to v1 (template <v1>); the
                       plan of every node failed
            cond     PlanInProgress False PlanComplete: Plan completed successfully
            kstatus  Ready=False Reconciling=False Stalled=True RolledBack: template
                       <v2> was given up; the nodes go back to v1 (template
                       <v1>); the plan of every node failed; edit
                       spec.template, or set the annotation sei.io/retry to try again
            effects  none
            requeue  next pass
            notice   Warning RolledBack: template <v2> was given up; the nodes
                       go back to v1 (template <v1>); the plan of every node
                       failed
            notice   Normal PlanComplete: Plan completed successfully
        "#]],
    );
}

const ENDED: &str = "fleet image=v2 gen=2 rollback rejected=v2";

#[test]
fn the_given_up_template_is_not_tried_again_by_itself() {
    check(
        ENDED,
        expect![[r#"
        kstatus  Ready=False Reconciling=False Stalled=True RolledBack: the template
                   was given up; edit spec.template, or set the annotation sei.io/retry
                   to try again
        effects  none
        requeue  after 600s
    "#]],
    );
    let scene = Scene::new(ENDED);
    let status = scene.round(None).status;
    assert_eq!((status.updated_replicas, status.ready_replicas), (0, 2));
}

#[test]
fn a_new_child_of_it_runs_the_last_good_images() {
    check(
        &format!("{ENDED} replicas=3 \n child 2 absent"),
        expect![[r#"
        kstatus  Ready=False Reconciling=False Stalled=True RolledBack: the template
                   was given up; edit spec.template, or set the annotation sei.io/retry
                   to try again
        effect   apply SeiNode s-2 v1 rev 1
        requeue  after 600s
        notice   Normal SeiNodeCreated: Created SeiNode s-2
    "#]],
    );
}

#[test]
fn the_next_edit_starts_anew() {
    check(
        "fleet image=v3 gen=3 rollback rejected=v2",
        expect![[r#"
        plan     new rollout: update-node-specs, await-spec-update
        rollout  none -> <v3> since 0s
        phase    Ready -> Upgrading
        cond     PlanInProgress True PlanStarted: Plan execution started
        cond     RolloutInProgress True TemplateChanged: templateHash changed from
                   <v1> to <v3>
        kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                   template <v3>: 0 of 2 nodes on target
        effects  none
        requeue  next pass
        notice   Normal RolloutStarted: InPlace rollout started (target: <v3:8>)
        notice   Normal PlanStarted: Plan execution started
    "#]],
    );
}

#[test]
fn an_edit_to_the_last_good_template_ends_it() {
    check(
        "fleet gen=3 rollback rejected=v2",
        expect![[r#"
        kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
        effects  none
        requeue  after 600s
    "#]],
    );
}

#[test]
fn an_edit_on_the_way_back_supersedes() {
    check(
        "
        fleet image=v3 gen=3 rollback
        rollout target=v2 back
        child 0 image=v2
        ",
        expect![[r#"
            plan     new rollout: update-node-specs, await-spec-update
            rollout  <v1> since -60s -> <v3> since 0s
            cond     RolloutInProgress True TemplateChanged: templateHash changed from
                       <v1> to <v3>
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                       template <v3>: 0 of 2 nodes on target
            effects  none
            requeue  next pass
            notice   Normal RolloutSuperseded: Spec changed during active rollout,
                       replacing plan (old target: <v1>)
            notice   Normal RolloutStarted: InPlace rollout started (target: <v3:8>)
            notice   Normal PlanStarted: Plan execution started
        "#]],
    );
}

#[test]
fn a_new_token_tries_again_and_the_same_does_not() {
    check(
        &format!("{ENDED} retry=a"),
        expect![[r#"
        plan     new rollout: update-node-specs, await-spec-update
        rollout  none -> <v2> since 0s
        phase    Ready -> Upgrading
        cond     PlanInProgress True PlanStarted: Plan execution started
        cond     RolloutInProgress True TemplateChanged: templateHash changed from
                   <v1> to <v2>
        kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                   template <v2>: 0 of 2 nodes on target
        effects  none
        requeue  next pass
        notice   Normal RolloutStarted: InPlace rollout started (target: <v2:8>)
        notice   Normal PlanStarted: Plan execution started
    "#]],
    );
    let again = Scene::new(&format!("{ENDED} retry=a heard=a")).round(None).status;
    assert!(again.rollout.is_none() && again.rejected_hash.is_some());
}

#[test]
fn a_token_starts_the_clock_anew_and_reaches_the_children() {
    check(
        "
        fleet image=v2 gen=2 retry=a
        rollout target=v2 since=9999
        plan at=await-spec-update
        child 0 image=v2 current=v1 plan=any why=CrashLoop
        child 1 image=v2
        ",
        expect![[r#"
            plan     rollout: +update-node-specs, >await-spec-update
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                       template <v2>: 1 of 2 nodes on target
            effect   apply SeiNode s-0 v2 rev 1 forced
            effect   apply SeiNode s-1 v2 rev 1 forced
            requeue  after 5s
        "#]],
    );
}

/// A return that is late itself is held: there is nothing further back.
#[test]
fn a_return_is_never_turned_round() {
    check(
        "
        fleet image=v2 gen=2 rollback
        rollout target=v2 back since=600
        plan at=await-spec-update
        child 0 image=v2
        child 1 ours current=v2 plan=any why=CrashLoop
        ",
        expect![[r#"
            plan     rollout: +update-node-specs, >await-spec-update
            kstatus  Ready=False Reconciling=True Stalled=False RollingBack: going back to
                       template <v1>: 0 of 2 nodes on target
            effect   apply SeiNode s-0 v1 rev 1 forced
            requeue  after 5s
        "#]],
    );
}

#[test]
fn a_sidecar_image_goes_back_too() {
    let mut scene = Scene::new(
        "
        fleet image=v2 sidecar=t2 gen=2 rollback hash=v1+t1 rejected=v2+t2
        child 0 image=v1 sidecar=t1
        child 1 image=v1 sidecar=t1
        ",
    );
    assert_eq!(scene.decide().effects, []);
    scene.status.last_good.as_mut().unwrap().sidecar_image = None;
    let effects = scene.decide().effects;
    assert_eq!(effects.len(), 2, "{effects:?}");
    let goal = target::goal(&scene.fleet, &scene.status);
    let mut child = scene.seen.children["s-0"].here().cloned().unwrap();
    target::bring(&mut child, goal.target());
    assert_eq!(child.spec.sidecar, None);
}

/// Every step follows from the stored status: a fleet that is walked through one by one, with its
/// children obeying, ends where it should.
#[test]
fn a_whole_rollback_needs_no_memory() {
    let mut scene = Scene::new(LATE);
    let mut told = Vec::new();
    for _ in 0..6 {
        let end = scene.round(None);
        told.extend(notices(&scene.fleet, &scene.status, &end.status));
        scene.status = end.status;
        let back = Scene::new("fleet").seen;
        if scene
            .status
            .rollout
            .as_ref()
            .is_some_and(|it| it.target_hash == target::goal(&scene.fleet, &scene.status).hash())
        {
            scene.seen.children = back.children;
        }
    }
    let reasons: Vec<String> = told.iter().map(|it| it.reason.to_string()).collect();
    assert_eq!(reasons, ["RollbackStarted", "PlanStarted", "RolledBack", "PlanComplete"]);
    assert!(scene.seen.children.values().all(|it| matches!(it, Seen::Here(_))));
    let stalled = find(&scene.status.conditions, Type::Stalled).unwrap();
    assert_eq!((stalled.status.as_str(), stalled.reason.as_str()), ("True", "RolledBack"));
    assert_eq!(scene.fleet.spec.template.spec.image, "v2", "the spec is never edited");
}
