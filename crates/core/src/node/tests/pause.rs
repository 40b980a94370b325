//! A paused node: nothing is done, everything is still told.

use expect_test::expect;
use proptest::prelude::*;

use super::invariants::{fates, scenes};
use super::scene::{check, check_each};

#[test]
fn at_rest_stays_ready() {
    check(
        "node Running paused current=v1 gen=2 observed=1",
        expect![[r#"
        observed 1 -> 2
        kstatus  Ready=True Reconciling=False Stalled=False Ready: running v1
        effects  none
        requeue  after 30s
    "#]],
    );
}

#[test]
fn with_a_plan_in_flight_keeps_it_where_it_is() {
    check(
        "
        node Running paused image=v2 current=v1 gen=3 observed=2
        plan update at=replace-pod
        workload image=v2 rev=b
        pod rev=a image=v1
        cond NodeUpdateInProgress True reason=UpdateStarted
        ",
        expect![[r#"
            observed 2 -> 3
            kstatus  Ready=False Reconciling=False Stalled=False Paused: paused: task 3 of
                       5: replace-pod; set spec.paused to false to go on
            effects  none
            requeue  after 30s
        "#]],
    );
}

#[test]
fn keeps_a_plan_that_its_spec_no_longer_wants() {
    check(
        "
        node Running paused image=v3 current=v1 gen=3 observed=2
        plan update target=v2 at=observe-image
        workload image=v2 rev=b
        pod rev=b waiting
        ",
        expect![[r#"
            observed 2 -> 3
            kstatus  Ready=False Reconciling=False Stalled=False Paused: paused: task 4 of
                       5: observe-image; set spec.paused to false to go on
            effects  none
            requeue  after 30s
        "#]],
    );
}

#[test]
fn that_was_never_set_up_is_not() {
    check(
        "node new paused \n objects absent",
        expect![[r#"
        observed none -> 1
        cond     Paused True Paused: spec.paused is true: nothing is changed, what runs
                   goes on
        cond     NodeUpdateInProgress False NotStarted: no update yet
        cond     SidecarReady False NotStarted: not asked yet
        cond     ImportPVCReady False NotApplicable: the spec does not ask for it
        cond     SigningKeyReady False NotApplicable: the spec does not ask for it
        cond     NodeKeyReady False NotApplicable: the spec does not ask for it
        cond     OperatorKeyringReady False NotApplicable: the spec does not ask for it
        kstatus  Ready=False Reconciling=False Stalled=False Paused: paused: the node
                   is not set up yet; set spec.paused to false to go on
        effects  none
        requeue  after 30s
    "#]],
    );
}

#[test]
fn drifts_without_being_brought_back() {
    check_each(
        ["", "service absent", "sidecar health=503"].map(|trouble| {
            format!(
                "node Running paused image=v2 current=v1 gen=2 observed=1 \n workload image=v1 \n \
                 {trouble}"
            )
        }),
        expect![[r#"
            observed 1 -> 2
            kstatus  Ready=False Reconciling=False Stalled=False Paused: paused: image
                       drift detected: spec=v2 current=v1; set spec.paused to false to go
                       on
            effects  none
            requeue  after 30s
        "#]],
    );
}

#[test]
fn still_records_what_runs() {
    check(
        "
        node Running paused image=v2 current=v1
        plan update at=observe-image
        workload image=v2 rev=b
        ",
        expect![[r#"
            image    v1 -> v2
            kstatus  Ready=False Reconciling=False Stalled=False Paused: paused: task 4 of
                       5: observe-image; set spec.paused to false to go on
            effects  none
            requeue  after 30s
        "#]],
    );
}

#[test]
fn still_says_why_its_pod_does_not_come_up() {
    check(
        "
        node Running paused current=v1
        workload ready=0
        pod on=m1 bare
        container seid wait=ErrImagePull said=gone
        ",
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False ImagePullFailed: container
                       "seid" of pod "fn-0-0" cannot start since 2025-12-31T23:50:00Z:
                       image "v1" cannot be pulled: gone; correct the image in the spec, or
                       let the registry serve it
            effects  none
            requeue  after 30s
        "#]],
    );
}

#[test]
fn keeps_a_failed_plan_although_its_time_has_come() {
    check(
        "node Failed paused since=9999 \n plan init at=config-apply failed=broken wait=0",
        expect![[r#"
            image    none -> v1
            sidecar  none -> ghcr.io/sei-protocol/seictl
            kstatus  Ready=False Reconciling=False Stalled=True SidecarTaskFailed:
                       config-apply: broken; retries once spec.paused is false
            effects  none
            requeue  after 30s
        "#]],
    );
}

#[test]
fn is_deleted_all_the_same() {
    check(
        "node Terminating paused deleting current=v1",
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Terminating: the node is
                   being deleted
        effect   delete Claim data-fn-0
        requeue  backoff
    "#]],
    );
}

#[test]
fn goes_on_where_it_was() {
    check(
        "
        node Running image=v2 current=v1 gen=4 observed=3
        plan update at=replace-pod
        workload image=v2 rev=b
        pod rev=a image=v1
        cond Paused True reason=Paused
        ",
        expect![[r#"
            plan     update v2: +apply-statefulset, +apply-service, >replace-pod,
                       observe-image, mark-ready
            observed 3 -> 4
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 3 of 5:
                       replace-pod
            effect   delete Pod fn-0-0
            requeue  after 5s
        "#]],
    );
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// **Invariant `pause_freezes`:** whatever a paused node looks like, nothing is done for it,
    /// and its plan, its phase and the plan's conditions stay as they were.
    #[test]
    fn pause_freezes(mut scene in scenes(), fate in fates()) {
        scene.node.spec.paused = true;
        if scene.node.metadata.deletion_timestamp.is_some() {
            return Ok(());
        }
        prop_assert_eq!(&scene.decide().effects, &[]);
        let (before, after) = (&scene.status, scene.round(fate).status);
        prop_assert_eq!(&before.plan, &after.plan);
        prop_assert_eq!(&before.phase, &after.phase);
        let update = sei_api::condition::Type::NodeUpdateInProgress;
        let says = |status: &sei_api::SeiNodeStatus| {
            crate::condition::find(&status.conditions, update).map(|it| it.reason.clone())
        };
        prop_assert!(says(before).is_none() || says(before) == says(&after));
        let paused = crate::condition::is_true(&after.conditions, sei_api::condition::Type::Paused);
        prop_assert!(paused);
    }
}
