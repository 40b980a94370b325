//! Keeping a fleet as it should be, in steady state and beside a rollout.

use expect_test::expect;

use super::scene::check;

/// Rule 5: no rollout.
mod steady {
    use super::*;

    #[test]
    fn rests_when_everything_is_as_it_should_be() {
        check(
            "fleet",
            expect![[r#"
                kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
                effects  none
                requeue  after 600s
            "#]],
        );
    }

    #[test]
    fn creates_the_children_of_a_new_fleet_and_keeps_no_baseline() {
        check(
            "fleet new \n child 0 absent \n child 1 absent \n service absent",
            expect![[r#"
                phase    none -> Pending
                observed none -> 1
                cond     Paused False NotPaused: spec.paused is not set
                cond     NodesReady False NodesInitializing: 0/2 nodes ready (0 initializing)
                cond     RouteReady False NotApplicable: spec.networking is not set
                cond     RouteAccepted False NotApplicable: spec.networking is not set
                cond     PlanInProgress False NotStarted: no plan yet
                cond     RolloutInProgress False NotStarted: no rollout yet
                cond     GenesisCeremonyNeeded False NotApplicable: spec.genesis is not set
                cond     GenesisCeremonyComplete False NotApplicable: spec.genesis is not set
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: bringing the
                           nodes to the spec
                effect   apply Service s-internal
                effect   apply SeiNode s-0 v1 rev 1
                effect   apply SeiNode s-1 v1 rev 1
                requeue  after 600s
                notice   Normal SeiNodeCreated: Created SeiNode s-0
                notice   Normal SeiNodeCreated: Created SeiNode s-1
            "#]],
        );
    }

    #[test]
    fn takes_as_baseline_what_was_seen_fully_rolled_out() {
        check(
            "fleet hash=none phase=Initializing",
            expect![[r#"
                hash     none -> <v1>
                kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
                effects  none
                requeue  after 600s
            "#]],
        );
    }

    #[test]
    fn takes_no_baseline_while_a_child_does_not_run() {
        check(
            "fleet hash=none phase=Initializing \n child 1 Initializing",
            expect![[r#"
                kstatus  Ready=False Reconciling=False Stalled=True ProgressDeadlineExceeded:
                           no progress within 10m: 1 of 2 nodes on target; s-1: says nothing
                           about its newest spec; edit spec.template, or set the annotation
                           sei.io/retry to try again
                effects  none
                requeue  after 600s
            "#]],
        );
    }

    #[test]
    fn brings_other_fields_to_the_children_without_a_rollout() {
        check(
            "fleet label=a:b gen=2 observed=1",
            expect![[r#"
                observed 1 -> 2
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: bringing the
                           nodes to the spec
                effect   apply SeiNode s-0 v1 rev 1 forced
                effect   apply SeiNode s-1 v1 rev 1 forced
                requeue  after 600s
            "#]],
        );
    }

    #[test]
    fn takes_back_an_edit_of_a_child() {
        check(
            "fleet \n child 1 edited=v9",
            expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: bringing the
                       nodes to the spec
            effect   apply SeiNode s-1 v1 rev 1 forced
            requeue  after 600s
        "#]],
        );
    }

    #[test]
    fn leaves_alone_what_others_added_to_a_child() {
        check(
            "fleet \n child 1 override=x:y",
            expect![[r#"
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effects  none
            requeue  after 600s
        "#]],
        );
    }

    #[test]
    fn drops_a_plan_of_another_version() {
        check(
            "fleet phase=Initializing \n plan stray",
            expect![[r#"
                plan     none
                phase    Initializing -> Ready
                cond     PlanInProgress False PlanFailed: Plan failed: it belongs to no rollout
                kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
                effects  none
                requeue  after 600s
                notice   Warning PlanFailed: Plan failed
            "#]],
        );
    }
}

/// Rule 6: with or without a rollout.
mod writes {
    use super::*;

    #[test]
    fn creates_missing_children_at_the_target() {
        check(
            "fleet replicas=3 gen=2 observed=1 \n child 2 absent",
            expect![[r#"
            observed 1 -> 2
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: bringing the
                       nodes to the spec
            effect   apply SeiNode s-2 v1 rev 1
            requeue  after 600s
            notice   Normal SeiNodeCreated: Created SeiNode s-2
        "#]],
        );
        check(
            "
            fleet image=v2 gen=3
            rollout target=v2
            plan at=await-spec-update
            child 0 image=v2 rev=2
            child 1 absent
            ",
            expect![[r#"
                plan     rollout: +update-node-specs, >await-spec-update
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                           template <v2>: 1 of 2 nodes on target
                effect   apply SeiNode s-1 v2 rev 2
                requeue  after 5s
                notice   Normal SeiNodeCreated: Created SeiNode s-1
            "#]],
        );
    }

    #[test]
    fn deletes_surplus_children() {
        check(
            "fleet replicas=1 gen=2 observed=1",
            expect![[r#"
                observed 1 -> 2
                kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
                effect   delete SeiNode s-1
                requeue  after 600s
                notice   Normal SeiNodeDeleted: Scaled down SeiNode s-1
            "#]],
        );
        check(
            "
            fleet image=v2 replicas=1 gen=3
            rollout target=v2
            plan at=await-spec-update
            child 0 image=v2 current=v1
            ",
            expect![[r#"
                plan     rollout: +update-node-specs, >await-spec-update
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                           template <v2>: 0 of 1 nodes on target
                effect   delete SeiNode s-1
                requeue  after 5s
                notice   Normal SeiNodeDeleted: Scaled down SeiNode s-1
            "#]],
        );
    }

    #[test]
    fn keeps_the_service() {
        check(
            "fleet \n service absent",
            expect![[r#"
                kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
                effect   apply Service s-internal
                requeue  after 600s
            "#]],
        );
        check(
            "fleet \n service changed",
            expect![[r#"
                kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
                effect   apply Service s-internal forced
                requeue  after 600s
            "#]],
        );
    }
}
