//! The rules of a pass over a fleet, in their order, and which of two neighbours goes first.

use expect_test::expect;

use super::scene::{check, check_each};

/// Rules 1 and 2.
mod refusal {
    use super::*;

    #[test]
    fn creates_nothing() {
        check(
            "fleet new genesis \n child 0 absent \n child 1 absent \n service absent",
            expect![[r#"
                phase    none -> Pending
                observed none -> 1
                cond     Paused False NotPaused: spec.paused is not set
                cond     RouteReady False NotApplicable: spec.networking is not set
                cond     RouteAccepted False NotApplicable: spec.networking is not set
                cond     PlanInProgress False NotStarted: no plan yet
                cond     RolloutInProgress False NotStarted: no rollout yet
                cond     GenesisCeremonyNeeded False NotStarted: spec.genesis is not supported
                           yet
                cond     GenesisCeremonyComplete False NotStarted: spec.genesis is not
                           supported yet
                cond     NodesReady False NodesInitializing: 0/2 nodes ready (0 initializing)
                kstatus  Ready=False Reconciling=False Stalled=True NotSupportedYet:
                           spec.genesis is not supported yet; remove it, or wait for a release
                effects  none
                requeue  after 600s
                notice   Warning NotSupportedYet: spec.genesis is not supported yet; remove it,
                           or wait for a release
            "#]],
        );
    }

    #[test]
    fn leaves_alone_what_runs() {
        check(
            "fleet genesis image=v2 replicas=1 gen=2 observed=1",
            expect![[r#"
                observed 1 -> 2
                cond     RouteReady False NotApplicable: spec.networking is not set
                cond     RouteAccepted False NotApplicable: spec.networking is not set
                cond     PlanInProgress False NotStarted: no plan yet
                cond     RolloutInProgress False NotStarted: no rollout yet
                cond     GenesisCeremonyNeeded False NotStarted: spec.genesis is not supported
                           yet
                cond     GenesisCeremonyComplete False NotStarted: spec.genesis is not
                           supported yet
                kstatus  Ready=False Reconciling=False Stalled=True NotSupportedYet:
                           spec.genesis is not supported yet; remove it, or wait for a release
                effects  none
                requeue  after 600s
                notice   Warning NotSupportedYet: spec.genesis is not supported yet; remove it,
                           or wait for a release
            "#]],
        );
    }

    #[test]
    fn goes_before_supersession() {
        check(
            "
            fleet genesis image=v3 gen=3 observed=2
            rollout target=v2
            ",
            expect![[r#"
                observed 2 -> 3
                cond     RouteReady False NotApplicable: spec.networking is not set
                cond     RouteAccepted False NotApplicable: spec.networking is not set
                cond     GenesisCeremonyNeeded False NotStarted: spec.genesis is not supported
                           yet
                cond     GenesisCeremonyComplete False NotStarted: spec.genesis is not
                           supported yet
                kstatus  Ready=False Reconciling=False Stalled=True NotSupportedYet:
                           spec.genesis is not supported yet; remove it, or wait for a release
                effects  none
                requeue  after 600s
                notice   Warning NotSupportedYet: spec.genesis is not supported yet; remove it,
                           or wait for a release
            "#]],
        );
    }

    #[test]
    fn comes_after_deletion() {
        check(
            "fleet genesis deleting phase=Terminating",
            expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                       being deleted
            effect   remove finalizer
            requeue  never
        "#]],
        );
    }
}

/// Rule 3: a rollout starts, or is superseded.
mod start {
    use super::*;

    #[test]
    fn stores_rollout_plan_and_conditions_before_any_child_is_touched() {
        check(
            "fleet image=v2 gen=2 observed=1",
            expect![[r#"
            plan     new rollout: update-node-specs, await-spec-update
            rollout  none -> <v2> since 0s
            phase    Ready -> Upgrading
            observed 1 -> 2
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
    }

    #[test]
    fn forward_supersedes() {
        check(
            "
            fleet image=v3 gen=3 observed=2
            rollout target=v2
            plan at=await-spec-update
            child 0 image=v2 current=v1
            ",
            expect![[r#"
                plan     new rollout: update-node-specs, await-spec-update
                rollout  <v2> since -60s -> <v3> since 0s
                observed 2 -> 3
                cond     RolloutInProgress True TemplateChanged: templateHash changed from
                           <v1> to <v3>
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                           template <v3>: 0 of 2 nodes on target
                effects  none
                requeue  next pass
                notice   Normal RolloutSuperseded: Spec changed during active rollout,
                           replacing plan (old target: <v2>)
                notice   Normal RolloutStarted: InPlace rollout started (target: <v3:8>)
                notice   Normal PlanStarted: Plan execution started
            "#]],
        );
    }

    #[test]
    fn back_to_the_baseline_supersedes() {
        check(
            "
            fleet image=v1 gen=3 observed=2
            rollout target=v2
            child 0 image=v2 current=v1
            ",
            expect![[r#"
                plan     new rollout: update-node-specs, await-spec-update
                rollout  <v2> since -60s -> <v1> since 0s
                observed 2 -> 3
                cond     RolloutInProgress True TemplateChanged: templateHash changed from
                           <v1> to <v1>
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                           template <v1>: 1 of 2 nodes on target
                effects  none
                requeue  next pass
                notice   Normal RolloutSuperseded: Spec changed during active rollout,
                           replacing plan (old target: <v2>)
                notice   Normal RolloutStarted: InPlace rollout started (target: <v1:8>)
                notice   Normal PlanStarted: Plan execution started
            "#]],
        );
    }

    #[test]
    fn of_the_same_target_is_none() {
        check(
            "
            fleet image=v2 gen=3 observed=2 label=a:b
            rollout target=v2
            plan at=await-spec-update
            child 0 image=v2 current=v1
            child 1 image=v2 current=v1
            ",
            expect![[r#"
                plan     rollout: +update-node-specs, >await-spec-update
                observed 2 -> 3
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                           template <v2>: 0 of 2 nodes on target
                effects  none
                requeue  after 5s
            "#]],
        );
    }

    #[test]
    fn of_a_sidecar_image_alone() {
        check(
            "
            fleet image=v1 sidecar=t2 hash=v1+t1 gen=2 observed=1
            child 0 sidecar=t1
            child 1 sidecar=t1
            ",
            expect![[r#"
                plan     new rollout: update-node-specs, await-spec-update
                rollout  none -> <v1+t2> since 0s
                phase    Ready -> Upgrading
                observed 1 -> 2
                cond     PlanInProgress True PlanStarted: Plan execution started
                cond     RolloutInProgress True TemplateChanged: templateHash changed from
                           <v1+t1> to <v1+t2>
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                           template <v1+t2>: 0 of 2 nodes on target
                effects  none
                requeue  next pass
                notice   Normal RolloutStarted: InPlace rollout started (target: <v1+t2:8>)
                notice   Normal PlanStarted: Plan execution started
            "#]],
        );
    }

    #[test]
    fn needs_one_child_that_ran() {
        check(
            "
            fleet image=v2 hash=none phase=Initializing gen=2 observed=1
            child 0 Initializing
            child 1 new
            ",
            expect![[r#"
                observed 1 -> 2
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: bringing the
                           nodes to the spec
                effect   apply SeiNode s-0 v2 rev 2 forced
                effect   apply SeiNode s-1 v2 rev 2 forced
                requeue  after 600s
            "#]],
        );
        check(
            "
            fleet image=v2 hash=none phase=Initializing gen=2 observed=1
            child 0 Initializing
            ",
            expect![[r#"
                plan     new rollout: update-node-specs, await-spec-update
                rollout  none -> <v2> since 0s
                phase    Initializing -> Upgrading
                observed 1 -> 2
                cond     PlanInProgress True PlanStarted: Plan execution started
                cond     RolloutInProgress True TemplateChanged: templateHash changed from none
                           to <v2>
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                           template <v2>: 0 of 2 nodes on target
                effects  none
                requeue  next pass
                notice   Normal RolloutStarted: InPlace rollout started (target: <v2:8>)
                notice   Normal PlanStarted: Plan execution started
            "#]],
        );
    }

    #[test]
    fn before_orphans_that_run_another_image_are_adopted() {
        check(
            "fleet new image=v2 \n child 0 orphan \n child 1 orphan",
            expect![[r#"
                plan     new rollout: update-node-specs, await-spec-update
                rollout  none -> <v2> since 0s
                phase    none -> Upgrading
                observed none -> 1
                cond     Paused False NotPaused: spec.paused is not set
                cond     RolloutInProgress True TemplateChanged: templateHash changed from none
                           to <v2>
                cond     PlanInProgress True PlanStarted: Plan execution started
                cond     NodesReady False NodesInitializing: 0/2 nodes ready (0 initializing)
                cond     RouteReady False NotApplicable: spec.networking is not set
                cond     RouteAccepted False NotApplicable: spec.networking is not set
                cond     GenesisCeremonyNeeded False NotApplicable: spec.genesis is not set
                cond     GenesisCeremonyComplete False NotApplicable: spec.genesis is not set
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                           template <v2>: 0 of 2 nodes on target
                effects  none
                requeue  next pass
                notice   Normal RolloutStarted: InPlace rollout started (target: <v2:8>)
                notice   Normal PlanStarted: Plan execution started
            "#]],
        );
    }

    #[test]
    fn goes_before_scaling() {
        check(
            "fleet image=v2 replicas=3 gen=2 observed=1",
            expect![[r#"
            plan     new rollout: update-node-specs, await-spec-update
            rollout  none -> <v2> since 0s
            phase    Initializing -> Upgrading
            observed 1 -> 2
            cond     PlanInProgress True PlanStarted: Plan execution started
            cond     RolloutInProgress True TemplateChanged: templateHash changed from
                       <v1> to <v2>
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                       template <v2>: 0 of 3 nodes on target
            effects  none
            requeue  next pass
            notice   Normal RolloutStarted: InPlace rollout started (target: <v2:8>)
            notice   Normal PlanStarted: Plan execution started
        "#]],
        );
    }
}

/// Rule 4: a rollout in flight.
mod in_flight {
    use super::*;

    #[test]
    fn brings_the_specs_of_all_children_to_the_target() {
        check(
            "fleet image=v2 gen=2 \n rollout target=v2",
            expect![[r#"
            plan     rollout: +update-node-specs, await-spec-update
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                       template <v2>: 0 of 2 nodes on target
            effect   apply SeiNode s-0 v2 rev 2 forced
            effect   apply SeiNode s-1 v2 rev 2 forced
            requeue  after 5s
        "#]],
        );
    }

    #[test]
    fn goes_on_when_all_specs_are_there() {
        check(
            "
            fleet image=v2 gen=2
            rollout target=v2
            child 0 image=v2 current=v1
            child 1 image=v2 current=v1
            ",
            expect![[r#"
                plan     rollout: +update-node-specs, await-spec-update
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                           template <v2>: 0 of 2 nodes on target
                effects  none
                requeue  again
            "#]],
        );
    }

    #[test]
    fn waits_for_a_child_that_it_has_just_written() {
        check(
            "
            fleet image=v2 gen=2
            rollout target=v2
            child 0 image=v2 current=v1
            child 1 stale
            ",
            expect![[r#"
                plan     rollout: >update-node-specs, await-spec-update
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                           template <v2>: 0 of 2 nodes on target
                effects  none
                requeue  after 5s
            "#]],
        );
    }

    #[test]
    fn is_planned_anew_when_its_plan_is_lost_or_unreadable() {
        check_each(
            ["none", "unknown"]
                .map(|how| format!("fleet image=v2 gen=2 \n rollout target=v2 \n plan {how}")),
            expect![[r#"
                plan     new rollout: update-node-specs, await-spec-update
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                           template <v2>: 0 of 2 nodes on target
                effects  none
                requeue  next pass
                notice   Normal PlanStarted: Plan execution started
            "#]],
        );
    }

    #[test]
    fn moves_a_child_back_that_somebody_edited() {
        check(
            "
            fleet image=v2 gen=2
            rollout target=v2
            plan at=await-spec-update
            child 0 image=v3 current=v2
            child 1 image=v2
            ",
            expect![[r#"
                plan     rollout: +update-node-specs, >await-spec-update
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                           template <v2>: 1 of 2 nodes on target
                effect   apply SeiNode s-0 v2 rev 1 forced
                requeue  after 5s
            "#]],
        );
    }

    #[test]
    fn touches_nothing_but_images() {
        check(
            "
            fleet image=v2 gen=2 label=a:b
            rollout target=v2
            plan at=await-spec-update
            child 0 image=v2 current=v1
            child 1 image=v2 current=v1 override=x:y
            ",
            expect![[r#"
                plan     rollout: +update-node-specs, >await-spec-update
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                           template <v2>: 0 of 2 nodes on target
                effects  none
                requeue  after 5s
            "#]],
        );
    }
}
