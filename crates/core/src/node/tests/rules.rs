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
    fn never_deletes_an_imported_claim() {
        check(
            "node Terminating current=v1 deleting import",
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
            "node Terminating current=v1 deleting archive",
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
            "node new archive \n objects absent",
            expect![[r#"
            observed none -> 1
            cond     NodeUpdateInProgress False NotStarted: no update yet
            cond     SidecarReady False NotStarted: not asked yet
            cond     ImportPVCReady False NotApplicable: the spec does not ask for it
            cond     SigningKeyReady False NotApplicable: the spec does not ask for it
            cond     NodeKeyReady False NotApplicable: the spec does not ask for it
            cond     OperatorKeyringReady False NotApplicable: the spec does not ask for it
            kstatus  Ready=False Reconciling=False Stalled=True NotSupportedYet:
                       spec.archive is not supported yet; remove it, or wait for a release
            effects  none
            requeue  after 600s
            notice   Warning NotSupportedYet: spec.archive is not supported yet; remove it,
                       or wait for a release
        "#]],
        );
    }

    #[test]
    fn leaves_alone_what_runs() {
        check(
            "node Running archive current=v1 gen=2 observed=1 \n service absent",
            expect![[r#"
            observed 1 -> 2
            kstatus  Ready=False Reconciling=False Stalled=True NotSupportedYet:
                       spec.archive is not supported yet; remove it, or wait for a release
            effects  none
            requeue  after 600s
            notice   Warning NotSupportedYet: spec.archive is not supported yet; remove it,
                       or wait for a release
        "#]],
        );
    }

    #[test]
    fn goes_before_the_plan_in_flight() {
        check(
            "
            node Running archive image=v2 current=v1 gen=2 observed=1
            plan update target=v2
            workload image=v1
            ",
            expect![[r#"
                observed 1 -> 2
                kstatus  Ready=False Reconciling=False Stalled=True NotSupportedYet:
                           spec.archive is not supported yet; remove it, or wait for a release
                effects  none
                requeue  after 600s
                notice   Warning NotSupportedYet: spec.archive is not supported yet; remove it,
                           or wait for a release
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
            plan update target=v2 at=mark-ready failed=broken
            workload image=v2
            ",
            expect![[r#"
                image    v1 -> v2
                kstatus  Ready=False Reconciling=False Stalled=True PlanFailed: task
                           mark-ready: broken; it is retried by itself, or edit the spec
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

/// Rule 5: a failed plan.
mod failed_plan {
    use super::*;

    #[test]
    fn is_held_as_diagnosis() {
        check(
            "
            node Failed since=60
            plan init at=config-apply failed=broken
            ",
            expect![[r#"
                image    none -> v1
                sidecar  none -> ghcr.io/sei-protocol/seictl
                kstatus  Ready=False Reconciling=False Stalled=True PlanFailed: task
                           config-apply: broken; it is retried by itself, or edit the spec
                effects  none
                requeue  after 240s
            "#]],
        );
    }

    #[test]
    fn is_tried_again_after_its_back_off() {
        check(
            "
            node Failed since=300
            plan init at=config-apply failed=broken
            ",
            expect![[r#"
                plan     new init v1: ensure-data-pvc, apply-rbac-proxy-config,
                           apply-statefulset, apply-service, replace-pod, configure-genesis,
                           config-apply, config-validate, mark-ready
                phase    Failed -> Initializing
                image    none -> v1
                sidecar  none -> ghcr.io/sei-protocol/seictl
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 9:
                           ensure-data-pvc
                effects  none
                requeue  next pass
                notice   Normal PhaseTransition: Phase changed from Failed to Initializing
            "#]],
        );
    }

    #[test]
    fn is_replaced_by_an_edit_of_any_field() {
        check(
            "
            node Failed since=60 gen=2 observed=1
            plan init at=config-apply failed=broken
            ",
            expect![[r#"
                plan     new init v1: ensure-data-pvc, apply-rbac-proxy-config,
                           apply-statefulset, apply-service, replace-pod, configure-genesis,
                           config-apply, config-validate, mark-ready
                phase    Failed -> Initializing
                image    none -> v1
                sidecar  none -> ghcr.io/sei-protocol/seictl
                observed 1 -> 2
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 9:
                           ensure-data-pvc
                effects  none
                requeue  next pass
                notice   Normal PhaseTransition: Phase changed from Failed to Initializing
            "#]],
        );
    }

    #[test]
    fn of_an_update_is_held_with_the_phase_running() {
        check(
            "
            node Running image=v2 current=v1
            plan update target=v2 at=replace-pod failed=broken begun=100
            workload image=v2
            pod rev=b
            ",
            expect![[r#"
                kstatus  Ready=False Reconciling=False Stalled=True PlanFailed: task
                           replace-pod: broken; it is retried by itself, or edit the spec
                effects  none
                requeue  after 200s
            "#]],
        );
    }

    #[test]
    fn of_an_update_is_tried_again_after_its_back_off() {
        check(
            "
            node Running image=v2 current=v1
            plan update target=v2 at=replace-pod failed=broken begun=300
            workload image=v2
            pod rev=b
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
}

/// Rule 6: a node that never ran.
mod initialisation {
    use super::*;

    #[test]
    fn stores_the_plan_before_its_first_effect() {
        check(
            "node new \n objects absent",
            expect![[r#"
            plan     new init v1: ensure-data-pvc, apply-rbac-proxy-config,
                       apply-statefulset, apply-service, configure-genesis, config-apply,
                       config-validate, mark-ready
            phase    none -> Initializing
            observed none -> 1
            cond     NodeUpdateInProgress False NotStarted: no update yet
            cond     SidecarReady False NotStarted: not asked yet
            cond     ImportPVCReady False NotApplicable: the spec does not ask for it
            cond     SigningKeyReady False NotApplicable: the spec does not ask for it
            cond     NodeKeyReady False NotApplicable: the spec does not ask for it
            cond     OperatorKeyringReady False NotApplicable: the spec does not ask for it
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 8:
                       ensure-data-pvc
            effects  none
            requeue  next pass
            notice   Normal PhaseTransition: Phase changed from  to Initializing
        "#]],
        );
    }

    #[test]
    fn of_a_failed_node_without_a_plan_starts_again() {
        check(
            "node Failed \n workload image=v1",
            expect![[r#"
            plan     new init v1: ensure-data-pvc, apply-rbac-proxy-config,
                       apply-statefulset, apply-service, replace-pod, configure-genesis,
                       config-apply, config-validate, mark-ready
            phase    Failed -> Initializing
            image    none -> v1
            sidecar  none -> ghcr.io/sei-protocol/seictl
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 9:
                       ensure-data-pvc
            effects  none
            requeue  next pass
            notice   Normal PhaseTransition: Phase changed from Failed to Initializing
        "#]],
        );
    }

    #[test]
    fn goes_before_drift() {
        check(
            "node new image=v2 \n workload image=v1",
            expect![[r#"
            plan     new init v2: ensure-data-pvc, apply-rbac-proxy-config,
                       apply-statefulset, apply-service, replace-pod, configure-genesis,
                       config-apply, config-validate, mark-ready
            phase    none -> Initializing
            image    none -> v1
            sidecar  none -> ghcr.io/sei-protocol/seictl
            observed none -> 1
            cond     NodeUpdateInProgress False NotStarted: no update yet
            cond     SidecarReady False NotStarted: not asked yet
            cond     ImportPVCReady False NotApplicable: the spec does not ask for it
            cond     SigningKeyReady False NotApplicable: the spec does not ask for it
            cond     NodeKeyReady False NotApplicable: the spec does not ask for it
            cond     OperatorKeyringReady False NotApplicable: the spec does not ask for it
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 9:
                       ensure-data-pvc
            effects  none
            requeue  next pass
            notice   Normal PhaseTransition: Phase changed from  to Initializing
        "#]],
        );
    }
}

/// Rule 7: a running node.
mod running {
    use super::*;

    #[test]
    fn rests_when_everything_is_as_it_should_be() {
        check(
            "node Running current=v1",
            expect![[r#"
            kstatus  Ready=True Reconciling=False Stalled=False Ready: running v1
            effects  none
            requeue  after 30s
        "#]],
        );
    }

    #[test]
    fn drift_goes_before_re_approval() {
        check(
            "
            node Running image=v2 current=v1 gen=2 observed=1
            workload image=v1
            sidecar health=503
            ",
            expect![[r#"
                plan     new update v2: apply-statefulset, apply-service, replace-pod,
                           observe-image, mark-ready
                observed 1 -> 2
                cond     SidecarReady False NotReady: sidecar returned 503, re-issuing
                           mark-ready
                cond     NodeUpdateInProgress True UpdateStarted: image drift detected: spec=v2
                           current=v1
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 5:
                           apply-statefulset
                effects  none
                requeue  next pass
                notice   Warning SidecarReadinessLost: sidecar Healthz returned 503; controller
                           will re-issue mark-ready
            "#]],
        );
    }

    #[test]
    fn re_approval_goes_before_repair() {
        check(
            "node Running current=v1 \n sidecar health=503 \n service absent",
            expect![[r#"
            plan     new mark-ready v1: mark-ready
            cond     SidecarReady False NotReady: sidecar returned 503, re-issuing
                       mark-ready
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 1:
                       mark-ready
            effects  none
            requeue  next pass
            notice   Warning SidecarReadinessLost: sidecar Healthz returned 503; controller
                       will re-issue mark-ready
        "#]],
        );
    }

    #[test]
    fn repairs_the_service_and_the_access_rules_side_by_side() {
        check(
            "node Running current=v1 \n service changed \n configmap absent",
            expect![[r#"
            kstatus  Ready=True Reconciling=False Stalled=False Ready: running v1
            effect   apply Service fn-0
            effect   apply ConfigMap fn-0-rbac-proxy-config
            requeue  after 30s
        "#]],
        );
    }

    #[test]
    fn shows_a_foreign_service_and_leaves_it_alone() {
        check(
            "node Running current=v1 \n service foreign",
            expect![[r#"
            kstatus  Ready=False Reconciling=False Stalled=True ForeignObject: Service
                       "fn-0" already exists and is not controlled by SeiNode "fn-0";
                       delete or rename it
            effects  none
            requeue  after 30s
        "#]],
        );
    }

    #[test]
    fn is_not_re_approved_while_its_sidecar_cannot_be_asked() {
        check(
            "node Running current=v1 \n sidecar health=down",
            expect![[r#"
            cond     SidecarReady Unknown Unreachable: sidecar Healthz error: sidecar
                       unreachable: cannot connect
            kstatus  Ready=True Reconciling=False Stalled=False Ready: running v1
            effects  none
            requeue  after 30s
        "#]],
        );
    }

    #[test]
    fn hears_no_edit_until_its_own_write_to_the_workload_is_seen() {
        check(
            "
            node Running image=v2 current=v1 gen=2 observed=1
            workload image=v1 stale
            ",
            expect![[r#"
                kstatus  Ready=False Reconciling=False Stalled=False NotReady: pod "fn-0-0" is
                           not ready
                effects  none
                requeue  after 500ms
            "#]],
        );
    }

    #[test]
    fn says_that_its_workload_cannot_be_read() {
        check(
            "
            node Running image=v2 current=v1 gen=2 observed=1
            workload image=v1 unreadable
            ",
            expect![[r#"
                kstatus  Ready=False Reconciling=True Stalled=False Retrying: api server cannot
                           be reached
                effects  none
                requeue  after 500ms
            "#]],
        );
    }

    #[test]
    fn without_a_workload_gets_it_back() {
        check(
            "node Running current=v1 \n workload absent \n pods none",
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
    }

    #[test]
    fn never_seen_running_is_no_drift() {
        check(
            "node Running current=none \n pod waiting",
            expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: the node was
                       not seen running yet
            effects  none
            requeue  after 30s
        "#]],
        );
    }
}
