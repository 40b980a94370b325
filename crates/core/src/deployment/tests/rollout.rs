//! The end of a rollout, and what failing writes leave of it.

use expect_test::expect;

use super::scene::{Scene, check, check_failing};
use crate::fault::{Class, Fault};

#[test]
fn completion_flips_everything_in_one_write() {
    check(
        "
        fleet image=v2 gen=2
        rollout target=v2
        plan at=await-spec-update
        child 0 image=v2
        child 1 image=v2
        ",
        expect![[r#"
            plan     none
            rollout  <v2> since -60s -> none
            hash     <v1> -> <v2>
            phase    Upgrading -> Ready
            cond     RolloutInProgress False RolloutComplete: Deployment completed
                       successfully
            cond     PlanInProgress False PlanComplete: Plan completed successfully
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v2
            effects  none
            requeue  next pass
            notice   Normal RolloutComplete: Deployment rollout completed successfully
            notice   Normal PlanComplete: Plan completed successfully
        "#]],
    );
}

#[test]
fn completion_waits_until_seid_has_proved_itself() {
    check(
        "
        fleet image=v2 gen=2
        rollout target=v2
        plan at=await-spec-update
        child 0 image=v2
        child 1 image=v2
        pod 1 age=8
        ",
        expect![[r#"
            plan     rollout: +update-node-specs, >await-spec-update
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                       template <v2>: 2 of 2 nodes on target
            effects  none
            requeue  after 2s
        "#]],
    );
}

#[test]
fn completion_waits_until_the_fleet_has_its_size() {
    check(
        "
        fleet image=v2 gen=3 replicas=1
        rollout target=v2
        plan at=await-spec-update
        child 0 image=v2
        child 1 image=v2
        ",
        expect![[r#"
            plan     rollout: +update-node-specs, >await-spec-update
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                       template <v2>: 1 of 1 nodes on target
            effect   delete SeiNode s-1
            requeue  after 5s
            notice   Normal SeiNodeDeleted: Scaled down SeiNode s-1
        "#]],
    );
}

#[test]
fn completion_of_a_return_to_the_baseline() {
    check(
        "
        fleet gen=3
        rollout target=v1
        plan at=await-spec-update
        ",
        expect![[r#"
            plan     none
            rollout  <v1> since -60s -> none
            phase    Upgrading -> Ready
            cond     RolloutInProgress False RolloutComplete: Deployment completed
                       successfully
            cond     PlanInProgress False PlanComplete: Plan completed successfully
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effects  none
            requeue  next pass
            notice   Normal RolloutComplete: Deployment rollout completed successfully
            notice   Normal PlanComplete: Plan completed successfully
        "#]],
    );
}

#[test]
fn a_failing_write_keeps_the_task_and_says_why() {
    check_failing(
        "fleet image=v2 gen=3 observed=2 \n rollout target=v2",
        Fault::transient("api server cannot be reached"),
        expect![[r#"
            observed 2 -> 3
            kstatus  Ready=False Reconciling=True Stalled=False Retrying: api server cannot
                       be reached
            effect   apply SeiNode s-0 v2 rev 3 forced
            effect   apply SeiNode s-1 v2 rev 3 forced
            requeue  backoff
        "#]],
    );
}

#[test]
fn a_lost_race_is_no_trouble() {
    check_failing(
        "fleet \n service changed",
        Fault::new(Class::Conflict, "somebody else wrote first"),
        expect![[r#"
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effect   apply Service s-internal forced
            requeue  backoff
        "#]],
    );
}

#[test]
fn a_child_that_could_not_be_created_is_not_told() {
    let scene = Scene::new("fleet \n child 1 absent");
    let failed = scene.round(Some(Fault::transient("api server cannot be reached")));
    assert_eq!(failed.notices, []);
    assert_eq!(scene.round(None).notices.len(), 1);
}
