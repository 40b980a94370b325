//! The rules of a pass, in their order, and which of two neighbours goes first.

use expect_test::expect;

use super::scene::{check, check_each};

/// Rule 1: being deleted.
mod deletion {
    use super::*;

    #[test]
    fn says_so_before_anything_is_deleted() {
        check(
            "node Running current=v1 deleting gen=2 observed=1",
            expect![[r#"
            phase    Running -> Terminating
            observed 1 -> 2
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: the node is
                       being deleted
            effects  none
            requeue  next pass
        "#]],
        );
    }

    #[test]
    fn deletes_the_claim_that_this_node_controls() {
        check(
            "node Terminating current=v1 deleting",
            expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: the node is
                       being deleted
            effect   delete Claim data-fn-0
            requeue  backoff
        "#]],
        );
    }

    #[test]
    fn never_deletes_the_claim_of_anybody_else() {
        check_each(
            ["foreign", "theirs", "orphan", "leftover"]
                .map(|whose| format!("node Terminating current=v1 deleting \n claim {whose}")),
            expect![[r#"
                kstatus  Ready=False Reconciling=True Stalled=False Terminating: the node is
                           being deleted
                effect   remove finalizer
                requeue  never
            "#]],
        );
    }

    #[test]
    fn lets_go_of_a_claim_that_is_to_stay() {
        check_each(
            ["keep", "validator", "validator keep"]
                .map(|it| format!("node Terminating current=v1 deleting {it}")),
            expect![[r#"
                kstatus  Ready=False Reconciling=True Stalled=False Terminating: the node is
                           being deleted
                effect   own Claim data-fn-0 by []
                requeue  backoff
            "#]],
        );
        check_each(
            ["keep \n claim orphan", "validator \n claim foreign", "validator \n claim absent"]
                .map(|it| format!("node Terminating current=v1 deleting {it}")),
            expect![[r#"
                kstatus  Ready=False Reconciling=True Stalled=False Terminating: the node is
                           being deleted
                effect   remove finalizer
                requeue  never
            "#]],
        );
    }

    #[test]
    fn deletes_the_claim_of_a_validator_only_when_told_to() {
        check(
            "node Terminating current=v1 deleting validator drop",
            expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: the node is
                       being deleted
            effect   delete Claim data-fn-0
            requeue  backoff
        "#]],
        );
    }

    #[test]
    fn never_deletes_an_imported_claim() {
        check(
            "node Terminating current=v1 deleting import drop",
            expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: the node is
                       being deleted
            effect   remove finalizer
            requeue  never
        "#]],
        );
    }

    #[test]
    fn lets_go_once_the_claim_is_going_or_gone() {
        check_each(
            ["terminating", "absent"]
                .map(|place| format!("node Terminating current=v1 deleting \n claim {place}")),
            expect![[r#"
                kstatus  Ready=False Reconciling=True Stalled=False Terminating: the node is
                           being deleted
                effect   remove finalizer
                requeue  never
            "#]],
        );
    }

    #[test]
    fn waits_while_the_claim_cannot_be_told() {
        check_each(
            ["stale", "unreadable"]
                .map(|place| format!("node Terminating current=v1 deleting \n claim {place}")),
            expect![[r#"
                kstatus  Ready=False Reconciling=True Stalled=False Terminating: the node is
                           being deleted
                effects  none
                requeue  backoff
            "#]],
        );
    }

    #[test]
    fn leaves_a_node_to_those_who_still_hold_it() {
        check(
            "node Terminating current=v1 deleting released",
            expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: the node is
                       being deleted
            effects  none
            requeue  never
        "#]],
        );
    }

    #[test]
    fn goes_before_refusal() {
        check(
            "node Terminating current=v1 deleting replayer",
            expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: the node is
                       being deleted
            effect   delete Claim data-fn-0
            requeue  backoff
        "#]],
        );
    }
}

/// Rule 2: refusal.
mod refusal {
    use super::*;

    #[test]
    fn of_a_new_node_creates_nothing() {
        check(
            "node new replayer \n objects absent",
            expect![[r#"
                observed none -> 1
                cond     Paused False NotPaused: spec.paused is false
                cond     NodeUpdateInProgress False NotStarted: no update yet
                cond     SidecarReady False NotStarted: not asked yet
                cond     ImportPVCReady False NotApplicable: the spec does not ask for it
                cond     SigningKeyReady False NotApplicable: the spec does not ask for it
                cond     NodeKeyReady False NotApplicable: the spec does not ask for it
                cond     OperatorKeyringReady False NotApplicable: the spec does not ask for it
                kstatus  Ready=False Reconciling=False Stalled=True NotSupportedYet:
                           spec.replayer is not supported yet; remove it, or wait for a release
                effects  none
                requeue  after 600s
                notice   Warning NotSupportedYet: spec.replayer is not supported yet; remove
                           it, or wait for a release
            "#]],
        );
    }

    #[test]
    fn leaves_alone_what_runs() {
        check(
            "node Running replayer current=v1 gen=2 observed=1 \n service absent",
            expect![[r#"
                observed 1 -> 2
                kstatus  Ready=False Reconciling=False Stalled=True NotSupportedYet:
                           spec.replayer is not supported yet; remove it, or wait for a release
                effects  none
                requeue  after 600s
                notice   Warning NotSupportedYet: spec.replayer is not supported yet; remove
                           it, or wait for a release
            "#]],
        );
    }

    #[test]
    fn goes_before_the_plan_in_flight() {
        check(
            "
            node Running replayer image=v2 current=v1 gen=2 observed=1
            plan update target=v2
            workload image=v1
            ",
            expect![[r#"
                observed 1 -> 2
                kstatus  Ready=False Reconciling=False Stalled=True NotSupportedYet:
                           spec.replayer is not supported yet; remove it, or wait for a release
                effects  none
                requeue  after 600s
                notice   Warning NotSupportedYet: spec.replayer is not supported yet; remove
                           it, or wait for a release
            "#]],
        );
    }
}

/// Rule 3: what was seen running is recorded.
mod evidence_is_recorded {
    use super::*;

    #[test]
    fn although_a_plan_is_superseded() {
        check(
            "
            node Running image=v3 current=v1 gen=3 observed=2
            plan update target=v2 at=observe-image
            workload image=v2
            ",
            expect![[r#"
                plan     new update v3: apply-statefulset, apply-service, replace-pod,
                           observe-image, mark-ready
                image    v1 -> v2
                observed 2 -> 3
                cond     NodeUpdateInProgress True UpdateStarted: image drift detected: spec=v3
                           current=v2
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 5:
                           apply-statefulset
                effects  none
                requeue  next pass
            "#]],
        );
    }

    #[test]
    fn although_a_failed_plan_is_held() {
        check(
            "
            node Running image=v2 current=v1
            plan update target=v2 at=mark-ready failed=broken wait=240
            workload image=v2
            ",
            expect![[r#"
                image    v1 -> v2
                kstatus  Ready=False Reconciling=False Stalled=True SidecarTaskFailed:
                           mark-ready: broken; retries at 2026-01-01T00:04:00Z, or set
                           sei.io/retry
                effects  none
                requeue  after 240s
            "#]],
        );
    }
}

/// Rule 4: the plan in flight.
mod plan_in_flight {
    use super::*;

    #[test]
    fn goes_on_while_its_target_is_the_spec() {
        check(
            "
            node Running image=v2 current=v1
            plan update target=v2
            workload image=v1
            ",
            expect![[r#"
                plan     update v2: +apply-statefulset, apply-service, replace-pod,
                           observe-image, mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 2 of 5:
                           apply-service
                effect   apply StatefulSet fn-0 v2 forced
                requeue  again
            "#]],
        );
    }

    #[test]
    fn second_edit_supersedes_running_update() {
        check(
            "
            node Running image=v3 current=v1 gen=3 observed=2
            plan update target=v2 at=observe-image
            workload image=v2
            pod rev=b
            cond NodeUpdateInProgress True reason=UpdateStarted
            ",
            expect![[r#"
                plan     new update v3: apply-statefulset, apply-service, replace-pod,
                           observe-image, mark-ready
                observed 2 -> 3
                cond     NodeUpdateInProgress True UpdateStarted: image drift detected: spec=v3
                           current=v1
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 5:
                           apply-statefulset
                effects  none
                requeue  next pass
            "#]],
        );
    }

    #[test]
    fn return_to_what_runs_ends_an_update_that_wrote_nothing() {
        check(
            "
            node Running image=v1 current=v1 gen=3 observed=2
            plan update target=v2
            cond NodeUpdateInProgress True reason=UpdateStarted
            ",
            expect![[r#"
                plan     none
                observed 2 -> 3
                cond     NodeUpdateInProgress False UpdateSuperseded: plan
                           00000000-0000-0000-0000-000000000001 superseded by a change of the
                           spec
                kstatus  Ready=True Reconciling=False Stalled=False Ready: running v1
                effects  none
                requeue  after 30s
            "#]],
        );
    }

    #[test]
    fn return_to_what_runs_rolls_back_a_written_workload() {
        check(
            "
            node Running image=v1 current=v1 gen=3 observed=2
            plan update target=v2 at=replace-pod
            workload image=v2
            pod rev=b
            cond NodeUpdateInProgress True reason=UpdateStarted
            ",
            expect![[r#"
                plan     new update v1: apply-statefulset, apply-service, replace-pod,
                           observe-image, mark-ready
                observed 2 -> 3
                cond     NodeUpdateInProgress True UpdateStarted: image drift detected: spec=v1
                           current=v2
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 5:
                           apply-statefulset
                effects  none
                requeue  next pass
            "#]],
        );
    }

    #[test]
    fn sidecar_edit_supersedes_too() {
        check(
            "
            node Running image=v2 sidecar=s2 current=v1 gen=3 observed=2
            plan update target=v2 sidecar=s1
            workload image=v1 sidecar=s0
            ",
            expect![[r#"
                plan     new update v2+s2: apply-statefulset, apply-service, replace-pod,
                           observe-image, mark-ready
                sidecar  ghcr.io/sei-protocol/seictl -> s0
                observed 2 -> 3
                cond     NodeUpdateInProgress True UpdateStarted: image drift detected: spec=v2
                           current=v1
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 5:
                           apply-statefulset
                effects  none
                requeue  next pass
            "#]],
        );
    }

    #[test]
    fn edit_during_initialisation_replaces_the_plan_and_the_pod() {
        check(
            "
            node Initializing image=v2 gen=2 observed=1
            plan init target=v1 at=configure-genesis
            workload image=v1
            pod waiting
            ",
            expect![[r#"
                plan     new init v2: ensure-data-pvc, apply-rbac-proxy-config,
                           apply-statefulset, apply-service, replace-pod, configure-genesis,
                           config-apply, config-validate, mark-ready
                observed 1 -> 2
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 9:
                           ensure-data-pvc
                effects  none
                requeue  next pass
            "#]],
        );
    }

    #[test]
    fn edit_of_the_overrides_during_initialisation_is_heard() {
        check(
            "
            node Initializing override=chain.min_retain_blocks:7 gen=2 observed=1
            plan init override=none at=config-apply
            ",
            expect![[r#"
                plan     new init v1: ensure-data-pvc, apply-rbac-proxy-config,
                           apply-statefulset, apply-service, replace-pod, configure-genesis,
                           config-apply, config-validate, mark-ready
                image    none -> v1
                sidecar  none -> ghcr.io/sei-protocol/seictl
                observed 1 -> 2
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 9:
                           ensure-data-pvc
                effects  none
                requeue  next pass
            "#]],
        );
    }

    #[test]
    fn starts_over_when_its_workload_is_gone() {
        check(
            "
            node Running current=v1
            plan mark-ready begun=60
            workload absent
            sidecar task=down
            ",
            expect![[r#"
                plan     new update v1: apply-statefulset, apply-service, replace-pod,
                           observe-image, mark-ready
                cond     NodeUpdateInProgress True UpdateStarted: image drift detected: spec=v1
                           current=v1
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 5:
                           apply-statefulset
                effects  none
                requeue  next pass
            "#]],
        );
        check(
            "
            node Initializing
            plan init at=configure-genesis
            workload absent
            sidecar task=down
            ",
            expect![[r#"
                plan     new init v1: ensure-data-pvc, apply-rbac-proxy-config,
                           apply-statefulset, apply-service, configure-genesis, config-apply,
                           config-validate, mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 8:
                           ensure-data-pvc
                effects  none
                requeue  next pass
            "#]],
        );
    }

    #[test]
    fn edit_supersedes_a_re_approval() {
        check(
            "
            node Running image=v2 current=v1 gen=2 observed=1
            plan mark-ready target=v1
            workload image=v1
            ",
            expect![[r#"
                plan     new update v2: apply-statefulset, apply-service, replace-pod,
                           observe-image, mark-ready
                observed 1 -> 2
                cond     NodeUpdateInProgress True UpdateStarted: image drift detected: spec=v2
                           current=v1
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 5:
                           apply-statefulset
                effects  none
                requeue  next pass
            "#]],
        );
    }

    #[test]
    fn of_another_version_that_names_no_target_is_replaced() {
        check(
            "
            node Running image=v2 current=v1
            plan update target=none
            workload image=v1
            cond NodeUpdateInProgress True reason=UpdateStarted
            ",
            expect![[r#"
                plan     new update v2: apply-statefulset, apply-service, replace-pod,
                           observe-image, mark-ready
                cond     NodeUpdateInProgress True UpdateStarted: image drift detected: spec=v2
                           current=v1
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 5:
                           apply-statefulset
                effects  none
                requeue  next pass
            "#]],
        );
    }

    #[test]
    fn of_another_version_that_is_complete_is_settled() {
        check(
            "
            node Running current=v1
            plan update complete
            cond NodeUpdateInProgress True reason=UpdateStarted
            ",
            expect![[r#"
                plan     none
                cond     NodeUpdateInProgress False UpdateComplete: plan
                           00000000-0000-0000-0000-000000000001 completed
                kstatus  Ready=True Reconciling=False Stalled=False Ready: running v1
                effects  none
                requeue  after 30s
            "#]],
        );
    }

    #[test]
    fn is_not_followed_by_a_plan_that_starts_at_once() {
        check(
            "
            node Initializing
            plan init at=mark-ready begun=1
            sidecar task=completed
            ",
            expect![[r#"
                plan     none
                phase    Initializing -> Running
                image    none -> v1
                sidecar  none -> ghcr.io/sei-protocol/seictl
                cond     SidecarReady True Ready: sidecar returned 200
                kstatus  Ready=True Reconciling=False Stalled=False Ready: running v1
                effects  none
                requeue  again
                notice   Normal PhaseTransition: Phase changed from Initializing to Running
            "#]],
        );
    }
}
