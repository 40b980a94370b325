//! The tasks that the controller does itself, one look at a time.

use expect_test::expect;

use super::scene::{Scene, check, check_each, check_failing};
use crate::fault::{Class, Fault};

/// `ensure-data-pvc`.
mod claim {
    use super::*;

    #[test]
    fn is_created_where_there_is_none() {
        check(
            "node Initializing \n objects absent \n plan init",
            expect![[r#"
            plan     init v1: +ensure-data-pvc, apply-rbac-proxy-config, apply-statefulset,
                       apply-service, configure-genesis, config-apply, config-validate,
                       mark-ready
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 2 of 8:
                       apply-rbac-proxy-config
            effect   create Claim data-fn-0
            requeue  again
        "#]],
        );
    }

    #[test]
    fn of_this_node_is_left_as_it_is() {
        check(
            "node Initializing \n workload absent \n plan init",
            expect![[r#"
            plan     init v1: +ensure-data-pvc, apply-rbac-proxy-config, apply-statefulset,
                       apply-service, configure-genesis, config-apply, config-validate,
                       mark-ready
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 2 of 8:
                       apply-rbac-proxy-config
            effects  none
            requeue  again
        "#]],
        );
    }

    #[test]
    fn without_a_controller_is_adopted() {
        check(
            "node Initializing \n claim orphan \n workload absent \n plan init",
            expect![[r#"
            plan     init v1: +ensure-data-pvc, apply-rbac-proxy-config, apply-statefulset,
                       apply-service, configure-genesis, config-apply, config-validate,
                       mark-ready
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 2 of 8:
                       apply-rbac-proxy-config
            effect   own Claim data-fn-0 by [node-uid]
            requeue  again
        "#]],
        );
    }

    #[test]
    fn of_a_node_at_rest_is_taken_back_when_it_lost_its_owner() {
        check(
            "node Running current=v1 \n claim orphan",
            expect![[r#"
            kstatus  Ready=True Reconciling=False Stalled=False Ready: running v1
            effect   own Claim data-fn-0 by [node-uid]
            requeue  after 30s
        "#]],
        );
        for whose in ["ours", "foreign", "leftover", "terminating"] {
            let scene = Scene::new(&format!("node Running current=v1 \n claim {whose}"));
            assert_eq!(scene.decide().effects, [], "{whose}");
        }
    }

    #[test]
    fn of_a_predecessor_is_waited_for() {
        check_each(
            ["leftover", "terminating"].map(|whose| {
                format!("node Initializing \n claim {whose} \n workload absent \n plan init")
            }),
            expect![[r#"
                plan     init v1: >ensure-data-pvc (data PVC "data-fn-0" of a deleted SeiNode
                           is still there; the garbage collector removes it),
                           apply-rbac-proxy-config, apply-statefulset, apply-service,
                           configure-genesis, config-apply, config-validate, mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False LeftoverObject: task 1 of
                           8: ensure-data-pvc: data PVC "data-fn-0" of a deleted SeiNode is
                           still there; the garbage collector removes it
                effects  none
                requeue  after 5s
            "#]],
        );
    }

    #[test]
    fn of_somebody_else_fails_the_plan() {
        check_each(
            ["foreign", "theirs"].map(|whose| {
                format!("node Initializing \n claim {whose} \n workload absent \n plan init")
            }),
            expect![[r#"
                plan     init v1 Failed: !ensure-data-pvc (data PVC "data-fn-0" already exists
                           and is not owned by SeiNode "fn-0"; set
                           spec.dataVolume.import.pvcName to adopt, or delete the PVC),
                           apply-rbac-proxy-config, apply-statefulset, apply-service,
                           configure-genesis, config-apply, config-validate, mark-ready
                phase    Initializing -> Failed
                kstatus  Ready=False Reconciling=False Stalled=True ForeignObject:
                           ensure-data-pvc: data PVC "data-fn-0" already exists and is not
                           owned by SeiNode "fn-0"; set spec.dataVolume.import.pvcName to
                           adopt, or delete the PVC; retries at 2026-01-01T00:01:00Z, or set
                           sei.io/retry
                effects  none
                requeue  after 60s
                notice   Normal PhaseTransition: Phase changed from Initializing to Failed
                notice   Warning NodeFailed: ensure-data-pvc: data PVC "data-fn-0" already
                           exists and is not owned by SeiNode "fn-0"; set
                           spec.dataVolume.import.pvcName to adopt, or delete the PVC; retries
                           at 2026-01-01T00:01:00Z, or set sei.io/retry
            "#]],
        );
    }

    #[test]
    fn that_cannot_be_read_is_waited_for() {
        check(
            "node Initializing \n claim unreadable \n workload absent \n plan init",
            expect![[r#"
                plan     init v1: >ensure-data-pvc (api server cannot be reached),
                           apply-rbac-proxy-config, apply-statefulset, apply-service,
                           configure-genesis, config-apply, config-validate, mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 8:
                           ensure-data-pvc: api server cannot be reached
                effects  none
                requeue  after 5s
            "#]],
        );
    }

    #[test]
    fn created_by_somebody_else_meanwhile_is_looked_at_again() {
        check_failing(
            "node Initializing \n objects absent \n plan init",
            Fault::new(Class::Conflict, "already exists"),
            expect![[r#"
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 8:
                           ensure-data-pvc
                effect   create Claim data-fn-0
                requeue  backoff
            "#]],
        );
    }
}

/// `apply-statefulset`; `apply-service` and `apply-rbac-proxy-config` share its code.
mod workload {
    use super::*;

    #[test]
    fn is_applied_without_force_where_there_is_none() {
        check(
            "node Initializing \n objects absent \n plan init at=apply-statefulset",
            expect![[r#"
                plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                           +apply-statefulset, apply-service, configure-genesis, config-apply,
                           config-validate, mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 4 of 8:
                           apply-service
                effect   apply StatefulSet fn-0 v1
                requeue  again
            "#]],
        );
    }

    #[test]
    fn as_rendered_is_not_applied_again() {
        check(
            "node Initializing \n plan init at=apply-statefulset",
            expect![[r#"
            plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                       +apply-statefulset, apply-service, replace-pod, configure-genesis,
                       config-apply, config-validate, mark-ready
            image    none -> v1
            sidecar  none -> ghcr.io/sei-protocol/seictl
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 4 of 9:
                       apply-service
            effects  none
            requeue  again
        "#]],
        );
    }

    #[test]
    fn that_differs_is_applied_by_force() {
        check_each(
            ["changed", "orphan"].map(|how| {
                format!("node Initializing \n workload {how} \n plan init at=apply-statefulset")
            }),
            expect![[r#"
                plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                           +apply-statefulset, apply-service, replace-pod, configure-genesis,
                           config-apply, config-validate, mark-ready
                image    none -> v1
                sidecar  none -> ghcr.io/sei-protocol/seictl
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 4 of 9:
                           apply-service
                effect   apply StatefulSet fn-0 v1 forced
                requeue  again
            "#]],
        );
    }

    #[test]
    fn of_a_predecessor_is_never_applied_over() {
        check_each(
            ["leftover", "terminating"].map(|whose| {
                format!("node Initializing \n workload {whose} \n plan init at=apply-statefulset")
            }),
            expect![[r#"
                plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                           >apply-statefulset (StatefulSet "fn-0" of a deleted SeiNode is still
                           there; the garbage collector removes it), apply-service,
                           replace-pod, configure-genesis, config-apply, config-validate,
                           mark-ready
                image    none -> v1
                sidecar  none -> ghcr.io/sei-protocol/seictl
                kstatus  Ready=False Reconciling=True Stalled=False LeftoverObject: task 3 of
                           9: apply-statefulset: StatefulSet "fn-0" of a deleted SeiNode is
                           still there; the garbage collector removes it
                effects  none
                requeue  after 5s
            "#]],
        );
    }

    #[test]
    fn of_somebody_else_fails_the_plan() {
        check(
            "node Initializing \n workload foreign \n plan init at=apply-statefulset",
            expect![[r#"
                plan     init v1 Failed: +ensure-data-pvc, +apply-rbac-proxy-config,
                           !apply-statefulset (StatefulSet "fn-0" already exists and is not
                           controlled by SeiNode "fn-0"; delete or rename it), apply-service,
                           replace-pod, configure-genesis, config-apply, config-validate,
                           mark-ready
                phase    Initializing -> Failed
                image    none -> v1
                sidecar  none -> ghcr.io/sei-protocol/seictl
                kstatus  Ready=False Reconciling=False Stalled=True ForeignObject:
                           apply-statefulset: StatefulSet "fn-0" already exists and is not
                           controlled by SeiNode "fn-0"; delete or rename it; retries at
                           2026-01-01T00:01:00Z, or set sei.io/retry
                effects  none
                requeue  after 60s
                notice   Normal PhaseTransition: Phase changed from Initializing to Failed
                notice   Warning NodeFailed: apply-statefulset: StatefulSet "fn-0" already
                           exists and is not controlled by SeiNode "fn-0"; delete or rename it;
                           retries at 2026-01-01T00:01:00Z, or set sei.io/retry
            "#]],
        );
    }

    #[test]
    fn that_the_server_refuses_fails_the_plan() {
        check_failing(
            "node Initializing \n objects absent \n plan init at=apply-statefulset",
            Fault::terminal("StatefulSet \"fn-0\" is invalid: spec is immutable"),
            expect![[r#"
                plan     init v1 Failed: +ensure-data-pvc, +apply-rbac-proxy-config,
                           !apply-statefulset (StatefulSet "fn-0" is invalid: spec is
                           immutable), apply-service, configure-genesis, config-apply,
                           config-validate, mark-ready
                phase    Initializing -> Failed
                kstatus  Ready=False Reconciling=False Stalled=True PlanFailed:
                           apply-statefulset: StatefulSet "fn-0" is invalid: spec is immutable;
                           retries at 2026-01-01T00:01:00Z, or set sei.io/retry
                effect   apply StatefulSet fn-0 v1
                requeue  after 60s
                notice   Normal PhaseTransition: Phase changed from Initializing to Failed
                notice   Warning NodeFailed: apply-statefulset: StatefulSet "fn-0" is invalid:
                           spec is immutable; retries at 2026-01-01T00:01:00Z, or set
                           sei.io/retry
            "#]],
        );
    }

    #[test]
    fn that_cannot_be_written_now_says_why_and_keeps_its_turn() {
        check_failing(
            "
            node Running image=v2 current=v1 gen=2 observed=1
            workload image=v1
            plan update target=v2
            ",
            Fault::transient("api server cannot be reached"),
            expect![[r#"
                plan     update v2: apply-statefulset (api server cannot be reached),
                           apply-service, replace-pod, observe-image, mark-ready
                observed 1 -> 2
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 5:
                           apply-statefulset: api server cannot be reached
                effect   apply StatefulSet fn-0 v2 forced
                requeue  backoff
            "#]],
        );
    }

    #[test]
    fn of_a_lost_race_costs_no_attempt() {
        check_failing(
            "
            node Running image=v2 current=v1
            workload image=v1
            plan update target=v2
            ",
            Fault::new(Class::Conflict, "somebody else wrote first"),
            expect![[r#"
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 5:
                           apply-statefulset
                effect   apply StatefulSet fn-0 v2 forced
                requeue  backoff
            "#]],
        );
    }
}

#[test]
fn service_and_access_rules_are_applied_in_their_turn() {
    check(
        "node Initializing \n service absent \n plan init at=apply-service",
        expect![[r#"
        plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                   +apply-statefulset, +apply-service, replace-pod, configure-genesis,
                   config-apply, config-validate, mark-ready
        image    none -> v1
        sidecar  none -> ghcr.io/sei-protocol/seictl
        kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 5 of 9:
                   replace-pod
        effect   apply Service fn-0
        requeue  again
    "#]],
    );
    check(
        "node Initializing \n configmap foreign \n plan init at=apply-rbac-proxy-config",
        expect![[r#"
            plan     init v1 Failed: +ensure-data-pvc, !apply-rbac-proxy-config (ConfigMap
                       "fn-0-rbac-proxy-config" already exists and is not controlled by
                       SeiNode "fn-0"; delete or rename it), apply-statefulset,
                       apply-service, replace-pod, configure-genesis, config-apply,
                       config-validate, mark-ready
            phase    Initializing -> Failed
            image    none -> v1
            sidecar  none -> ghcr.io/sei-protocol/seictl
            kstatus  Ready=False Reconciling=False Stalled=True ForeignObject:
                       apply-rbac-proxy-config: ConfigMap "fn-0-rbac-proxy-config" already
                       exists and is not controlled by SeiNode "fn-0"; delete or rename it;
                       retries at 2026-01-01T00:01:00Z, or set sei.io/retry
            effects  none
            requeue  after 60s
            notice   Normal PhaseTransition: Phase changed from Initializing to Failed
            notice   Warning NodeFailed: apply-rbac-proxy-config: ConfigMap
                       "fn-0-rbac-proxy-config" already exists and is not controlled by
                       SeiNode "fn-0"; delete or rename it; retries at
                       2026-01-01T00:01:00Z, or set sei.io/retry
        "#]],
    );
}
