//! Replacing and observing pods, and tasks that cannot be read, one look at a time.

use expect_test::expect;

use super::scene::{Scene, check};
use crate::effect::Effect;

/// `replace-pod`.
mod replace_pod {
    use super::*;

    #[test]
    fn deletes_a_pod_of_another_revision() {
        check(
            "
            node Running image=v2 current=v1
            workload image=v2 rev=b
            pod rev=a image=v1
            plan update at=replace-pod
            ",
            expect![[r#"
                plan     update v2: +apply-statefulset, +apply-service, >replace-pod,
                           observe-image, mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 3 of 5:
                           replace-pod
                effect   delete Pod fn-0-0
                requeue  after 5s
            "#]],
        );
    }

    #[test]
    fn deletes_a_pod_without_a_revision() {
        check(
            "
            node Running image=v2 current=v1
            workload image=v2 rev=b
            pod unlabelled image=v1
            plan update at=replace-pod
            ",
            expect![[r#"
                plan     update v2: +apply-statefulset, +apply-service, >replace-pod,
                           observe-image, mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 3 of 5:
                           replace-pod
                effect   delete Pod fn-0-0
                requeue  after 5s
            "#]],
        );
    }

    #[test]
    fn waits_until_the_old_pod_is_gone() {
        check(
            "
            node Running image=v2 current=v1
            workload image=v2 rev=b
            pod rev=a image=v1 terminating
            plan update at=replace-pod
            ",
            expect![[r#"
                plan     update v2: +apply-statefulset, +apply-service, >replace-pod (pod
                           "fn-0-0" of the old revision is terminating), observe-image,
                           mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 3 of 5:
                           replace-pod: pod "fn-0-0" of the old revision is terminating
                effects  none
                requeue  after 5s
            "#]],
        );
    }

    #[test]
    fn leaves_pods_of_others_alone() {
        check(
            "
            node Running image=v2 current=v1
            workload image=v2 rev=b
            pod rev=a image=v1 theirs
            plan update at=replace-pod
            ",
            expect![[r#"
                plan     update v2: +apply-statefulset, +apply-service, +replace-pod,
                           +observe-image, mark-ready
                image    v1 -> v2
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 5 of 5:
                           mark-ready
                effects  none
                requeue  again
            "#]],
        );
    }

    #[test]
    fn is_done_when_only_the_new_revision_is_left() {
        check(
            "
            node Running image=v2 current=v1
            workload image=v2 rev=b
            pod rev=b waiting
            plan update at=replace-pod
            ",
            expect![[r#"
                plan     update v2: +apply-statefulset, +apply-service, +replace-pod,
                           >observe-image (container "seid" of pod "fn-0-0" does not run yet),
                           mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 4 of 5:
                           observe-image: container "seid" of pod "fn-0-0" does not run yet
                effects  none
                requeue  after 5s
            "#]],
        );
    }

    /// The pod is the new one; the cache, or somebody, has brought the old StatefulSet back.
    #[test]
    fn asks_again_instead_of_believing_a_stray_template() {
        for task in ["replace-pod", "observe-image"] {
            let scene = Scene::new(&format!(
                "
                node Running image=v2 current=v1
                workload image=v1 rev=a
                pod rev=b image=v2
                plan update at={task}
                "
            ));
            let effects = scene.decide().effects;
            let is_apply = |it: &Effect| matches!(it, Effect::Apply { over: Some(_), .. });
            assert!(effects.len() == 1 && effects.iter().all(is_apply), "{task}: {effects:?}");
        }
    }

    #[test]
    fn waits_for_the_revision_of_the_newest_template() {
        check(
            "
            node Running image=v2 current=v1
            workload image=v2 gen=2 seen=1
            pod rev=a image=v1
            plan update at=replace-pod
            ",
            expect![[r#"
                plan     update v2: +apply-statefulset, +apply-service, >replace-pod (the
                           StatefulSet controller has not seen the new template yet),
                           observe-image, mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 3 of 5:
                           replace-pod: the StatefulSet controller has not seen the new
                           template yet
                effects  none
                requeue  after 5s
            "#]],
        );
    }

    #[test]
    fn starts_over_when_the_workload_is_gone() {
        check(
            "
            node Running image=v2 current=v1
            workload absent
            plan update at=replace-pod
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
    fn waits_for_a_list_of_pods() {
        check(
            "
            node Running image=v2 current=v1
            workload image=v2 rev=b
            pods unreadable
            plan update at=replace-pod
            ",
            expect![[r#"
                plan     update v2: +apply-statefulset, +apply-service, >replace-pod (api
                           server cannot be reached), observe-image, mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 3 of 5:
                           replace-pod: api server cannot be reached
                effects  none
                requeue  after 5s
            "#]],
        );
    }
}

/// A pod of a failed revision never blocks the way back, whatever became of it and whatever the
/// StatefulSet says of its current revision, which is `a` again.
#[test]
fn a_pod_that_never_ran_is_replaced_on_the_way_back() {
    let pods = [
        "pod rev=b image=v2 waiting",
        "pod rev=b image=v2 bare",
        "pod rev=b image=v2 bare \n podcond PodScheduled False since=60 said=full",
        "pod rev=b image=v2 on=m1 bare \n container seid-init wait=ImagePullBackOff",
        "pod rev=b image=v2 on=m1 \n container seid wait=CrashLoopBackOff restarts=9",
    ];
    for pod in pods {
        for task in ["replace-pod", "observe-image"] {
            let scene = Scene::new(&format!(
                "node Running current=v1 \n workload ready=0 \n {pod} \n plan update at={task}"
            ));
            let effects = scene.decide().effects;
            let deletes = matches!(&*effects, [Effect::Delete(it)] if it.name == "fn-0-0");
            assert!(deletes, "{task}: {pod}: {effects:?}");
        }
    }
}

/// `observe-image`.
mod observe_image {
    use super::*;

    #[test]
    fn is_done_when_the_target_was_seen_running() {
        check(
            "
            node Running image=v2 current=v1
            workload image=v2 rev=b
            plan update at=observe-image
            ",
            expect![[r#"
                plan     update v2: +apply-statefulset, +apply-service, +replace-pod,
                           +observe-image, mark-ready
                image    v1 -> v2
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 5 of 5:
                           mark-ready
                effects  none
                requeue  again
            "#]],
        );
    }

    #[test]
    fn waits_for_a_container_that_does_not_run() {
        check(
            "
            node Running image=v2 current=v1
            workload image=v2 rev=b
            pod rev=b waiting
            plan update at=observe-image
            ",
            expect![[r#"
                plan     update v2: +apply-statefulset, +apply-service, +replace-pod,
                           >observe-image (container "seid" of pod "fn-0-0" does not run yet),
                           mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 4 of 5:
                           observe-image: container "seid" of pod "fn-0-0" does not run yet
                effects  none
                requeue  after 5s
            "#]],
        );
    }

    #[test]
    fn replaces_a_pod_of_an_old_revision_that_came_back() {
        check(
            "
            node Running image=v2 current=v1
            workload image=v2 rev=b
            pod rev=a image=v1
            plan update at=observe-image
            ",
            expect![[r#"
                plan     update v2: +apply-statefulset, +apply-service, +replace-pod,
                           >observe-image, mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 4 of 5:
                           observe-image
                effect   delete Pod fn-0-0
                requeue  after 5s
            "#]],
        );
    }
}

/// Plans of others.
mod unreadable {
    use super::*;

    #[test]
    fn task_type_fails_the_plan() {
        check(
            "node Running current=v1 \n plan update garbage=type",
            expect![[r#"
                plan     update v1 Failed: !launch-rocket (unknown task type "launch-rocket"),
                           apply-service, replace-pod, observe-image, mark-ready
                kstatus  Ready=False Reconciling=False Stalled=True PlanFailed: launch-rocket:
                           unknown task type "launch-rocket"; retries at 2026-01-01T00:01:00Z,
                           or set sei.io/retry
                effects  none
                requeue  after 60s
                notice   Warning NodeFailed: launch-rocket: unknown task type "launch-rocket";
                           retries at 2026-01-01T00:01:00Z, or set sei.io/retry
            "#]],
        );
    }

    #[test]
    fn params_of_the_configuration_are_planned_anew() {
        check(
            "node Initializing \n plan init at=config-apply garbage=params",
            expect![[r#"
            plan     new init v1: ensure-data-pvc, apply-rbac-proxy-config,
                       apply-statefulset, apply-service, replace-pod, configure-genesis,
                       config-apply, config-validate, mark-ready
            image    none -> v1
            sidecar  none -> ghcr.io/sei-protocol/seictl
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 9:
                       ensure-data-pvc
            effects  none
            requeue  next pass
        "#]],
        );
    }

    #[test]
    fn task_id_fails_the_plan() {
        check(
            "node Running current=v1 \n plan mark-ready garbage=id",
            expect![[r#"
                plan     mark-ready v1 Failed: !mark-ready (invalid task UUID "no-uuid")
                kstatus  Ready=False Reconciling=False Stalled=True SidecarTaskFailed:
                           mark-ready: invalid task UUID "no-uuid"; retries at
                           2026-01-01T00:01:00Z, or set sei.io/retry
                effects  none
                requeue  after 60s
                notice   Warning NodeFailed: mark-ready: invalid task UUID "no-uuid"; retries
                           at 2026-01-01T00:01:00Z, or set sei.io/retry
            "#]],
        );
    }
}
