//! The rules of a pass over a node without a plan in flight, in their order.

use expect_test::expect;

use super::scene::{Scene, check};

/// Rule 5: a failed plan.
mod failed_plan {
    use super::*;

    #[test]
    fn is_held_as_diagnosis() {
        check(
            "
            node Failed since=60
            plan init at=config-apply failed=broken wait=240
            ",
            expect![[r#"
                image    none -> v1
                sidecar  none -> ghcr.io/sei-protocol/seictl
                kstatus  Ready=False Reconciling=False Stalled=True SidecarTaskFailed:
                           config-apply: broken; retries at 2026-01-01T00:04:00Z, or set
                           sei.io/retry
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
            plan init at=config-apply failed=broken wait=0
            ",
            expect![[r#"
                plan     new init v1 attempt 2: ensure-data-pvc, apply-rbac-proxy-config,
                           apply-statefulset, apply-service, replace-pod, configure-genesis,
                           config-apply, config-validate, mark-ready
                phase    Failed -> Initializing
                image    none -> v1
                sidecar  none -> ghcr.io/sei-protocol/seictl
                kstatus  Ready=False Reconciling=True Stalled=False Retrying: after
                           config-apply: broken; task 1 of 9: ensure-data-pvc
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
            plan init at=config-apply failed=broken wait=240 attempt=3
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
            plan update target=v2 at=replace-pod failed=broken wait=200
            workload image=v2
            pod rev=b
            ",
            expect![[r#"
                kstatus  Ready=False Reconciling=False Stalled=True PlanFailed: replace-pod:
                           broken; retries at 2026-01-01T00:03:20Z, or set sei.io/retry
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
            plan update target=v2 at=replace-pod failed=broken wait=0 attempt=2
            workload image=v2
            pod rev=b
            ",
            expect![[r#"
                plan     new update v2 attempt 3: apply-statefulset, apply-service,
                           replace-pod, observe-image, mark-ready
                cond     NodeUpdateInProgress True UpdateStarted: image drift detected: spec=v2
                           current=v1
                kstatus  Ready=False Reconciling=True Stalled=False Retrying: after
                           replace-pod: broken; task 1 of 5: apply-statefulset
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
                cond     Paused False NotPaused: spec.paused is false
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
                cond     Paused False NotPaused: spec.paused is false
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

    /// No watch event comes for what the API server did not answer.
    #[test]
    fn never_seen_running_soon_asks_again_for_pods() {
        check(
            "node Running current=none \n workload image=v1 \n pods unreadable",
            expect![[r#"
                kstatus  Ready=False Reconciling=True Stalled=False Retrying: api server cannot
                           be reached
                effects  none
                requeue  after 500ms
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

#[test]
fn a_pod_that_cannot_be_told_is_replaced_before_it_is_set_up() {
    let table = [("ours", true), ("stale", true), ("unreadable", true), ("absent", false)];
    for (place, expected) in table {
        let plan = Scene::new(&format!("node new \n workload {place}")).round(None).status.plan;
        let replaces = plan.unwrap().tasks.iter().any(|it| it.type_ == "replace-pod");
        assert_eq!(replaces, expected, "{place}");
    }
}

#[test]
fn a_plan_without_tasks_is_nobodys() {
    let mut scene = Scene::new("node Initializing \n plan init");
    scene.status.plan.as_mut().unwrap().tasks.clear();
    let after = scene.round(None).status;
    assert_eq!(after.phase, Some(sei_api::NodePhase::Initializing));
    assert_eq!(after.plan.unwrap().tasks.len(), 9);
}
