//! The end of a fleet.

use expect_test::expect;

use super::scene::{check, check_each, check_failing};
use crate::fault::Fault;

#[test]
fn says_so_first() {
    check(
        "fleet deleting gen=2 observed=1",
        expect![[r#"
        phase    Ready -> Terminating
        observed 1 -> 2
        kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                   being deleted
        effects  none
        requeue  next pass
    "#]],
    );
    check(
        "fleet deleting retain gen=2 observed=1",
        expect![[r#"
        phase    Ready -> Terminating
        observed 1 -> 2
        kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                   being deleted
        effects  none
        requeue  next pass
        notice   Normal RetainResources: Orphaning child SeiNodes and networking
                   resources
    "#]],
    );
}

#[test]
fn deletion_leaves_the_children_to_the_garbage_collector() {
    check(
        "fleet deleting phase=Terminating",
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                   being deleted
        effect   remove finalizer
        requeue  never
    "#]],
    );
}

#[test]
fn retention_lets_go_of_children_and_service_first() {
    check(
        "fleet deleting retain phase=Terminating",
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                   being deleted
        effect   own SeiNode s-0 by []
        effect   own SeiNode s-1 by []
        effect   own Service s-internal by []
        requeue  backoff
    "#]],
    );
}

#[test]
fn retention_leaves_alone_what_is_not_ours_or_going() {
    for whose in ["foreign", "theirs", "orphan", "leftover", "terminating"] {
        check(
            &format!(
                "fleet deleting retain phase=Terminating \n child 0 {whose} \n child 1 {whose} \n \
                 service {whose}"
            ),
            expect![[r#"
                kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                           being deleted
                effect   remove finalizer
                requeue  never
            "#]],
        );
    }
}

#[test]
fn retention_waits_for_what_it_cannot_see() {
    check_each(
        ["child 0 stale", "child 1 unreadable", "service stale", "service unreadable"]
            .map(|hidden| format!("fleet deleting retain phase=Terminating \n {hidden}")),
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                       being deleted
            effects  none
            requeue  backoff
        "#]],
    );
}

#[test]
fn retention_that_fails_keeps_the_finalizer() {
    check_failing(
        "fleet deleting retain phase=Terminating",
        Fault::transient("api server cannot be reached"),
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: api server
                       cannot be reached
            effect   own SeiNode s-0 by []
            effect   own SeiNode s-1 by []
            effect   own Service s-internal by []
            requeue  backoff
        "#]],
    );
}

#[test]
fn a_fleet_that_others_still_hold_is_left_to_them() {
    check(
        "fleet deleting released phase=Terminating",
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                   being deleted
        effects  none
        requeue  never
    "#]],
    );
}
