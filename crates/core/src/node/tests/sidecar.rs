//! The tasks that a node's sidecar does: poll first, submit what it does not know.

use expect_test::expect;

use super::scene::{check, check_each, check_failing};
use crate::fault::Fault;

/// The task of the plan in flight.
fn at(task: &str, sidecar: &str) -> String {
    format!("node Initializing current=v1 \n plan init {task} \n sidecar {sidecar}")
}

#[test]
fn unknown_task_is_handed_in_and_asked_for_at_once() {
    check(
        &at("at=configure-genesis", "task=none"),
        expect![[r#"
        plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                   +apply-statefulset, +apply-service, +replace-pod,
                   >configure-genesis, config-apply, config-validate, mark-ready
        kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 6 of 9:
                   configure-genesis
        effect   submit configure-genesis
        requeue  again
    "#]],
    );
}

#[test]
fn running_task_is_never_handed_in_again() {
    check(
        &at("at=configure-genesis begun=1", "task=running"),
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 6 of 9:
                   configure-genesis
        effects  none
        requeue  after 500ms
    "#]],
    );
}

#[test]
fn polls_grow_with_the_age_of_the_task() {
    for (begun, poll) in [(0, "500ms"), (4, "1s"), (8, "2s"), (3600, "5s")] {
        let picture = super::scene::Scene::new(&at(
            &format!("at=configure-genesis begun={begun}"),
            "task=running",
        ))
        .picture(None);
        assert!(picture.contains(&format!("requeue  after {poll}\n")), "{begun}: {picture}");
    }
}

#[test]
fn word_of_a_later_sidecar_is_no_end() {
    check(
        &at("at=configure-genesis begun=1", "task=paused"),
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 6 of 9:
                   configure-genesis
        effects  none
        requeue  after 500ms
    "#]],
    );
}

#[test]
fn completed_task_gives_way_to_the_next() {
    check(
        &at("at=configure-genesis begun=1", "task=completed"),
        expect![[r#"
        plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                   +apply-statefulset, +apply-service, +replace-pod,
                   +configure-genesis, config-apply, config-validate, mark-ready
        kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 7 of 9:
                   config-apply
        effects  none
        requeue  again
    "#]],
    );
}

#[test]
fn forgotten_task_is_handed_in_again() {
    check(
        &at("at=configure-genesis begun=5", "task=none"),
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 6 of 9:
                   configure-genesis
        effect   submit configure-genesis
        requeue  again
    "#]],
    );
}

#[test]
fn sidecar_that_takes_and_forgets_does_not_make_us_spin() {
    check(
        &at("at=configure-genesis begun=4", "task=none"),
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 6 of 9:
                   configure-genesis
        effects  none
        requeue  after 1s
    "#]],
    );
}

#[test]
fn refused_hand_in_fails_the_plan() {
    check_failing(
        &at("at=config-apply", "task=none"),
        Fault::terminal("sidecar rejected config-apply task: unknown key"),
        expect![[r#"
            plan     init v1 Failed: +ensure-data-pvc, +apply-rbac-proxy-config,
                       +apply-statefulset, +apply-service, +replace-pod,
                       +configure-genesis, !config-apply (sidecar rejected config-apply
                       task: unknown key), config-validate, mark-ready
            phase    Initializing -> Failed
            kstatus  Ready=False Reconciling=False Stalled=True SidecarTaskFailed:
                       config-apply: sidecar rejected config-apply task: unknown key;
                       retries at 2026-01-01T00:01:00Z, or set sei.io/retry
            effect   submit config-apply
                       {"incremental":false,"mode":"full","overrides":{"logging.level":"info"},"targetVersion":0}
            requeue  after 60s
            notice   Normal PhaseTransition: Phase changed from Initializing to Failed
            notice   Warning NodeFailed: config-apply: sidecar rejected config-apply task:
                       unknown key; retries at 2026-01-01T00:01:00Z, or set sei.io/retry
        "#]],
    );
}

#[test]
fn hand_in_that_did_not_arrive_has_not_begun() {
    check_failing(
        &at("at=config-apply", "task=none"),
        Fault::transient("sidecar unreachable: cannot connect"),
        expect![[r#"
            plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                       +apply-statefulset, +apply-service, +replace-pod,
                       +configure-genesis, config-apply (sidecar unreachable: cannot
                       connect), config-validate, mark-ready
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 7 of 9:
                       config-apply: sidecar unreachable: cannot connect
            effect   submit config-apply
                       {"incremental":false,"mode":"full","overrides":{"logging.level":"info"},"targetVersion":0}
            requeue  backoff
        "#]],
    );
}

#[test]
fn unreachable_sidecar_is_asked_again() {
    check(
        &at("at=configure-genesis begun=100", "task=down"),
        expect![[r#"
        plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                   +apply-statefulset, +apply-service, +replace-pod, >configure-genesis
                   (sidecar unreachable: cannot connect), config-apply,
                   config-validate, mark-ready
        kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 6 of 9:
                   configure-genesis: sidecar unreachable: cannot connect
        effects  none
        requeue  after 5s
    "#]],
    );
}

#[test]
fn answer_that_no_attempt_can_change_fails_the_plan() {
    check(
        &at("at=config-apply", "task=rejected"),
        expect![[r#"
            plan     init v1 Failed: +ensure-data-pvc, +apply-rbac-proxy-config,
                       +apply-statefulset, +apply-service, +replace-pod,
                       +configure-genesis, !config-apply (sidecar rejected config-apply
                       task: unknown key), config-validate, mark-ready
            phase    Initializing -> Failed
            kstatus  Ready=False Reconciling=False Stalled=True SidecarTaskFailed:
                       config-apply: sidecar rejected config-apply task: unknown key;
                       retries at 2026-01-01T00:01:00Z, or set sei.io/retry
            effects  none
            requeue  after 60s
            notice   Normal PhaseTransition: Phase changed from Initializing to Failed
            notice   Warning NodeFailed: config-apply: sidecar rejected config-apply task:
                       unknown key; retries at 2026-01-01T00:01:00Z, or set sei.io/retry
        "#]],
    );
}

/// Failures and their budget.
mod failure {
    use super::*;

    #[test]
    fn without_a_budget_fails_the_plan() {
        check(
            &at("at=config-apply begun=9", "task=failed run=1 error=broken"),
            expect![[r#"
                plan     init v1 Failed: +ensure-data-pvc, +apply-rbac-proxy-config,
                           +apply-statefulset, +apply-service, +replace-pod,
                           +configure-genesis, !config-apply (broken), config-validate,
                           mark-ready
                phase    Initializing -> Failed
                kstatus  Ready=False Reconciling=False Stalled=True SidecarTaskFailed:
                           config-apply: broken; retries at 2026-01-01T00:01:00Z, or set
                           sei.io/retry
                effects  none
                requeue  after 60s
                notice   Normal PhaseTransition: Phase changed from Initializing to Failed
                notice   Warning NodeFailed: config-apply: broken; retries at
                           2026-01-01T00:01:00Z, or set sei.io/retry
            "#]],
        );
    }

    #[test]
    fn without_words_gets_some() {
        check(
            &at("at=config-apply begun=9", "task=failed"),
            expect![[r#"
                plan     init v1 Failed: +ensure-data-pvc, +apply-rbac-proxy-config,
                           +apply-statefulset, +apply-service, +replace-pod,
                           +configure-genesis, !config-apply (task
                           c69888d7-45f8-529e-bb72-1c6e1b451ef1 failed with unknown error),
                           config-validate, mark-ready
                phase    Initializing -> Failed
                kstatus  Ready=False Reconciling=False Stalled=True SidecarTaskFailed:
                           config-apply: task c69888d7-45f8-529e-bb72-1c6e1b451ef1 failed with
                           unknown error; retries at 2026-01-01T00:01:00Z, or set sei.io/retry
                effects  none
                requeue  after 60s
                notice   Normal PhaseTransition: Phase changed from Initializing to Failed
                notice   Warning NodeFailed: config-apply: task
                           c69888d7-45f8-529e-bb72-1c6e1b451ef1 failed with unknown error;
                           retries at 2026-01-01T00:01:00Z, or set sei.io/retry
            "#]],
        );
    }

    #[test]
    fn with_a_budget_is_counted_before_it_is_repeated() {
        check(
            &at("at=configure-genesis begun=9", "task=failed run=1 error=missing ended=3"),
            expect![[r#"
                plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                           +apply-statefulset, +apply-service, +replace-pod, configure-genesis
                           #1 (missing), config-apply, config-validate, mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False SidecarTaskFailed: task
                           configure-genesis fails since 2026-01-01T00:00:00Z: missing; it is
                           repeated by itself, see kubectl -n ns logs fn-0-0 -c sei-sidecar
                effects  none
                requeue  after 5s
                notice   Warning SidecarTaskFailed: task configure-genesis fails since
                           2026-01-01T00:00:00Z: missing; it is repeated by itself, see kubectl
                           -n ns logs fn-0-0 -c sei-sidecar
            "#]],
        );
    }

    #[test]
    fn that_was_counted_is_not_counted_twice() {
        check(
            &at("at=configure-genesis retry=1 wait=7", "task=failed run=1 error=missing"),
            expect![[r#"
                kstatus  Ready=False Reconciling=True Stalled=False SidecarTaskFailed: task
                           configure-genesis fails; it is repeated by itself, see kubectl -n ns
                           logs fn-0-0 -c sei-sidecar
                effects  none
                requeue  after 5s
            "#]],
        );
    }

    #[test]
    fn waits_for_what_is_left_of_its_back_off() {
        check(
            &at("at=configure-genesis retry=1 wait=1", "task=failed run=1 error=missing"),
            expect![[r#"
                kstatus  Ready=False Reconciling=True Stalled=False SidecarTaskFailed: task
                           configure-genesis fails; it is repeated by itself, see kubectl -n ns
                           logs fn-0-0 -c sei-sidecar
                effects  none
                requeue  after 1s
            "#]],
        );
    }

    #[test]
    fn is_repeated_after_its_back_off() {
        check_each(
            ["wait=0", "wait=-600", "", "wait=31"].map(|wait| {
                at(&format!("at=configure-genesis retry=1 {wait}"), "task=failed run=1")
            }),
            expect![[r#"
                plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                           +apply-statefulset, +apply-service, +replace-pod, >configure-genesis
                           #1, config-apply, config-validate, mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False SidecarTaskFailed: task
                           configure-genesis fails; it is repeated by itself, see kubectl -n ns
                           logs fn-0-0 -c sei-sidecar
                effect   submit configure-genesis
                requeue  again
            "#]],
        );
    }

    #[test]
    fn of_the_repeat_is_another_one() {
        check(
            &at("at=configure-genesis retry=1 begun=9", "task=failed run=2 error=missing"),
            expect![[r#"
                plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                           +apply-statefulset, +apply-service, +replace-pod, configure-genesis
                           #2 (missing), config-apply, config-validate, mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False SidecarTaskFailed: task
                           configure-genesis fails: missing; it is repeated by itself, see
                           kubectl -n ns logs fn-0-0 -c sei-sidecar
                effects  none
                requeue  after 5s
            "#]],
        );
    }

    #[test]
    fn with_an_exhausted_budget_fails_the_plan() {
        check(
            &at("at=configure-genesis retry=180", "task=failed run=181 error=missing"),
            expect![[r#"
                plan     init v1 Failed: +ensure-data-pvc, +apply-rbac-proxy-config,
                           +apply-statefulset, +apply-service, +replace-pod, !configure-genesis
                           #180 (missing), config-apply, config-validate, mark-ready
                phase    Initializing -> Failed
                kstatus  Ready=False Reconciling=False Stalled=True SidecarTaskFailed:
                           configure-genesis: missing; retries at 2026-01-01T00:01:00Z, or set
                           sei.io/retry
                effects  none
                requeue  after 60s
                notice   Normal PhaseTransition: Phase changed from Initializing to Failed
                notice   Warning NodeFailed: configure-genesis: missing; retries at
                           2026-01-01T00:01:00Z, or set sei.io/retry
            "#]],
        );
    }

    #[test]
    fn backs_off_also_before_a_sidecar_that_forgot_it() {
        check(
            &at("at=configure-genesis retry=1 wait=7", "task=none"),
            expect![[r#"
                kstatus  Ready=False Reconciling=True Stalled=False SidecarTaskFailed: task
                           configure-genesis fails; it is repeated by itself, see kubectl -n ns
                           logs fn-0-0 -c sei-sidecar
                effects  none
                requeue  after 5s
            "#]],
        );
    }
}

/// `mark-ready`.
mod mark_ready {
    use super::*;

    #[test]
    fn is_done_when_the_gate_is_open() {
        check(
            &at("at=mark-ready begun=1", "task=completed health=ready"),
            expect![[r#"
            plan     none
            phase    Initializing -> Running
            cond     SidecarReady True Ready: sidecar returned 200
            kstatus  Ready=True Reconciling=False Stalled=False Ready: running v1
            effects  none
            requeue  again
            notice   Normal PhaseTransition: Phase changed from Initializing to Running
        "#]],
        );
    }

    #[test]
    fn of_a_sidecar_that_restarted_since_is_done_again_under_a_new_id() {
        check(
            &at("at=mark-ready begun=60", "task=completed health=503"),
            expect![[r#"
            plan     new mark-ready v1: mark-ready
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 1 of 1:
                       mark-ready
            effects  none
            requeue  next pass
        "#]],
        );
    }

    #[test]
    fn of_a_running_node_is_done_again_under_a_new_id() {
        check(
            "
            node Running current=v1
            plan mark-ready begun=60
            sidecar task=completed health=503
            ",
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
    fn that_does_not_open_the_gate_does_not_make_us_spin() {
        check(
            &at("at=mark-ready begun=1", "task=completed health=503"),
            expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 9 of 9:
                       mark-ready
            effects  none
            requeue  after 500ms
        "#]],
        );
    }

    #[test]
    fn waits_for_a_gate_that_cannot_be_seen() {
        check(
            &at("at=mark-ready begun=1", "task=completed health=down"),
            expect![[r#"
                plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                           +apply-statefulset, +apply-service, +replace-pod,
                           +configure-genesis, +config-apply, +config-validate, >mark-ready
                           (sidecar unreachable: cannot connect)
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 9 of 9:
                           mark-ready: sidecar unreachable: cannot connect
                effects  none
                requeue  after 500ms
            "#]],
        );
    }
}

/// `discover-peers`.
mod peers {
    use super::*;

    #[test]
    fn are_looked_up_when_they_are_handed_in() {
        check(
            "
            node Initializing current=v1 peers=label,static,ec2
            plan init at=discover-peers
            peer name=fn-2
            peer name=fn-1
            peer name=fn-2
            peer name=fn-0
            peer name=fn-0 namespace=other
            peer name=fn-3 chain=c2
            peer name=fn-4 deleting
            ",
            expect![[r#"
                plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                           +apply-statefulset, +apply-service, +replace-pod,
                           +configure-genesis, +config-apply, >discover-peers, config-validate,
                           mark-ready
                peers     -> fn-0-0.fn-0.other.svc.cluster.local
                           fn-1-0.fn-1.ns.svc.cluster.local fn-2-0.fn-2.ns.svc.cluster.local
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 8 of 10:
                           discover-peers
                effect   submit discover-peers
                           {"sources":[{"endpoints":["fn-0-0.fn-0.other.svc.cluster.local","fn-1-0.fn-1.ns.svc.cluster.local","fn-2-0.fn-2.ns.svc.cluster.local"],"type":"dnsEndpoints"},{"addresses":["id@host:26656"],"type":"static"},{"region":"eu-central-1","tags":{"Name":"sei"},"type":"ec2Tags"}]}
                requeue  again
            "#]],
        );
    }

    #[test]
    fn nobody_yet_is_waited_for() {
        check(
            "
            node Initializing current=v1 peers=label
            plan init at=discover-peers
            peer name=fn-0
            ",
            expect![[r#"
                plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                           +apply-statefulset, +apply-service, +replace-pod,
                           +configure-genesis, +config-apply, discover-peers (no SeiNode
                           matches the label selectors of spec.peers yet), config-validate,
                           mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 8 of 10:
                           discover-peers: no SeiNode matches the label selectors of spec.peers
                           yet
                effects  none
                requeue  after 5s
            "#]],
        );
    }

    #[test]
    fn nobody_yet_does_not_hold_up_the_fixed_ones() {
        check(
            "
            node Initializing current=v1 peers=label,static
            plan init at=discover-peers
            ",
            expect![[r#"
                plan     init v1: +ensure-data-pvc, +apply-rbac-proxy-config,
                           +apply-statefulset, +apply-service, +replace-pod,
                           +configure-genesis, +config-apply, >discover-peers, config-validate,
                           mark-ready
                kstatus  Ready=False Reconciling=True Stalled=False Progressing: task 8 of 10:
                           discover-peers
                effect   submit discover-peers
                           {"sources":[{"addresses":["id@host:26656"],"type":"static"}]}
                requeue  again
            "#]],
        );
    }
}
