//! What failed is tried again: by itself ever more rarely, and at once when it is asked for.

use expect_test::expect;

use super::scene::{Scene, at, check};
use crate::node::plans;

#[test]
fn an_asked_for_retry_does_not_wait_and_counts_anew() {
    check(
        "
        node Failed retry=a
        plan init at=config-apply failed=broken wait=600 attempt=4
        ",
        expect![[r#"
            plan     new init v1: ensure-data-pvc, apply-rbac-proxy-config,
                       apply-statefulset, apply-service, replace-pod, configure-genesis,
                       config-apply, config-validate, mark-ready
            phase    Failed -> Initializing
            image    none -> v1
            sidecar  none -> ghcr.io/sei-protocol/seictl
            used     none -> a
            kstatus  Ready=False Reconciling=True Stalled=False Retrying: after
                       config-apply: broken; task 1 of 9: ensure-data-pvc
            effects  none
            requeue  next pass
            notice   Normal PhaseTransition: Phase changed from Failed to Initializing
        "#]],
    );
}

#[test]
fn a_token_is_used_once() {
    check(
        "
        node Failed retry=a used=a
        plan init at=config-apply failed=broken wait=600 attempt=4
        ",
        expect![[r#"
            image    none -> v1
            sidecar  none -> ghcr.io/sei-protocol/seictl
            kstatus  Ready=False Reconciling=False Stalled=True SidecarTaskFailed:
                       config-apply: broken; retries at 2026-01-01T00:10:00Z, or set
                       sei.io/retry
            effects  none
            requeue  after 600s
        "#]],
    );
}

#[test]
fn another_token_is_another_retry() {
    check(
        "
        node Running image=v2 current=v1 retry=b used=a
        plan update at=replace-pod failed=broken wait=600
        workload image=v2
        ",
        expect![[r#"
            plan     none
            image    v1 -> v2
            used     a -> b
            kstatus  Ready=True Reconciling=False Stalled=False Ready: running v2
            effects  none
            requeue  after 30s
        "#]],
    );
}

#[test]
fn a_token_is_kept_while_the_workload_cannot_be_told() {
    check(
        "
        node Running current=v1 retry=a
        plan update at=replace-pod failed=x wait=600
        workload stale
        ",
        expect![[r#"
            kstatus  Ready=False Reconciling=False Stalled=True PlanFailed: replace-pod: x;
                       retries at 2026-01-01T00:10:00Z, or set sei.io/retry
            effects  none
            requeue  after 500ms
        "#]],
    );
}

#[test]
fn a_retry_ends_a_back_off_and_is_stored_before_the_repeat() {
    let words = "plan init at=configure-genesis retry=2 wait=20 \n sidecar task=failed run=2";
    check(
        &format!("node Initializing retry=a \n {words}"),
        expect![[r#"
            plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                       +apply-statefulset, +apply-service, +replace-pod, configure-genesis
                       #2, config-apply, config-validate, mark-ready
            image    none -> v1
            sidecar  none -> ghcr.io/sei-protocol/seictl
            used     none -> a
            kstatus  Ready=False Reconciling=True Stalled=False SidecarTaskFailed: task
                       configure-genesis fails; it is repeated by itself, see kubectl -n ns
                       logs fn-0-0 -c sei-sidecar
            effects  none
            requeue  next pass
        "#]],
    );
    let next = words.replace(" wait=20", "");
    check(
        &format!("node Initializing retry=a used=a \n {next}"),
        expect![[r#"
            plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                       +apply-statefulset, +apply-service, +replace-pod, >configure-genesis
                       #2, config-apply, config-validate, mark-ready
            image    none -> v1
            sidecar  none -> ghcr.io/sei-protocol/seictl
            kstatus  Ready=False Reconciling=True Stalled=False SidecarTaskFailed: task
                       configure-genesis fails; it is repeated by itself, see kubectl -n ns
                       logs fn-0-0 -c sei-sidecar
            effect   submit configure-genesis
            requeue  again
        "#]],
    );
    // Used, it does not cut short the next one.
    check(
        &format!("node Initializing retry=a used=a \n {words}"),
        expect![[r#"
            image    none -> v1
            sidecar  none -> ghcr.io/sei-protocol/seictl
            kstatus  Ready=False Reconciling=True Stalled=False SidecarTaskFailed: task
                       configure-genesis fails; it is repeated by itself, see kubectl -n ns
                       logs fn-0-0 -c sei-sidecar
            effects  none
            requeue  after 5s
        "#]],
    );
}

#[test]
fn a_token_without_anything_to_retry_is_used_up() {
    check(
        "node Running current=v1 retry=a",
        expect![[r#"
        used     none -> a
        kstatus  Ready=True Reconciling=False Stalled=False Ready: running v1
        effects  none
        requeue  after 30s
    "#]],
    );
}

#[test]
fn an_empty_token_is_none() {
    check(
        "node Running current=v1 retry=",
        expect![[r#"
        kstatus  Ready=True Reconciling=False Stalled=False Ready: running v1
        effects  none
        requeue  after 30s
    "#]],
    );
}

#[test]
fn a_paused_node_keeps_its_token_for_later() {
    check(
        "node Failed paused retry=a \n plan init at=config-apply failed=broken wait=600",
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
fn a_failed_plan_waits_longer_each_time() {
    let wait = |attempt: &str| {
        let scene = Scene::new(&format!(
            "node Initializing \n plan init at=config-apply begun=1 {attempt} \n \
             sidecar task=failed error=broken"
        ));
        let plan = scene.round(None).status.plan.unwrap();
        plans::held_for(&plan, at(0), &scene.tempo).unwrap().as_secs()
    };
    let waits = ["", "attempt=1", "attempt=2", "attempt=3", "attempt=6", "attempt=99"].map(wait);
    assert_eq!(waits, [60, 60, 120, 240, 1800, 1800]);
}

#[test]
fn a_repeat_tells_what_failed_before() {
    check(
        "node Failed \n plan init at=config-apply failed=broken wait=0 attempt=2",
        expect![[r#"
            plan     new init v1 attempt 3: ensure-data-pvc, apply-rbac-proxy-config,
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
    check(
        "
        node Initializing
        plan init at=ensure-data-pvc after=broken attempt=3
        claim unreadable
        ",
        expect![[r#"
            plan     init v1 attempt 3: >ensure-data-pvc (api server cannot be reached),
                       apply-rbac-proxy-config, apply-statefulset, apply-service,
                       replace-pod, configure-genesis, config-apply, config-validate,
                       mark-ready
            image    none -> v1
            sidecar  none -> ghcr.io/sei-protocol/seictl
            kstatus  Ready=False Reconciling=True Stalled=False Retrying: after
                       ensure-data-pvc: broken; task 1 of 9: ensure-data-pvc: api server
                       cannot be reached
            effects  none
            requeue  after 5s
        "#]],
    );
}

#[test]
fn an_edit_begins_anew() {
    let scene = Scene::new(
        "node Failed image=v2 gen=2 observed=1 \n \
         plan init target=v1 at=config-apply failed=broken wait=600 attempt=4",
    );
    let plan = scene.round(None).status.plan.unwrap();
    assert_eq!((plan.attempt, plan.failed_task_detail), (None, None));
}

/// A back-off stands still while the node is paused.
#[test]
fn a_pause_consumes_no_back_off() {
    let mut scene = Scene::new(
        "node Initializing \n plan init at=configure-genesis retry=2 wait=-50 \n \
         sidecar task=failed run=2 \n cond Paused True reason=Paused",
    );
    // Paused a minute ago, with ten seconds left; `Scene` says what follows from the spec.
    let paused = scene.status.conditions.iter_mut().find(|it| it.type_ == "Paused").unwrap();
    (paused.status, paused.last_transition_time.0) = ("True".to_owned(), at(-60));
    let after = scene.round(None).status.plan.unwrap();
    assert_eq!(after.tasks[5].not_before.as_ref().map(|it| it.0), Some(at(10)));
    assert_eq!(scene.decide().effects, []);
}
