//! How the public face leaves with its fleet.

use expect_test::expect;

use super::scene::{Scene, check, check_each, check_failing};
use crate::fault::Fault;

#[test]
fn the_service_goes_first() {
    check(
        "fleet networking deleting phase=Terminating",
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                   being deleted
        effect   delete Service s-external
        requeue  after 500ms
    "#]],
    );
}

#[test]
fn then_the_routes() {
    check(
        "fleet networking deleting phase=Terminating \n external terminating \n \
         route rpc theirs \n route rest orphan",
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                       being deleted
            effect   delete HttpRoute s-evm
            effect   delete HttpRoute s-grpc
            requeue  after 500ms
        "#]],
    );
}

#[test]
fn then_the_finalizer() {
    check_each(
        [
            "external absent \n routes none",
            "external absent \n routes missing",
            "external terminating \n routes none \n route evm terminating",
            "external foreign \n routes none \n route evm foreign \n route rpc leftover",
        ]
        .map(|face| format!("fleet networking deleting phase=Terminating \n {face}")),
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                       being deleted
            effect   remove finalizer
            requeue  never
        "#]],
    );
}

#[test]
fn a_fleet_that_never_had_routes_waits_for_no_list() {
    check(
        "fleet deleting phase=Terminating \n routes unlisted",
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                   being deleted
        effect   remove finalizer
        requeue  never
    "#]],
    );
}

#[test]
fn what_is_hidden_keeps_the_finalizer_and_is_told_once() {
    check(
        "fleet networking deleting phase=Terminating \n routes unreadable",
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Terminating: the HTTPRoutes
                   cannot be listed
        effects  none
        requeue  backoff
    "#]],
    );
    let mut scene =
        Scene::new("fleet networking deleting phase=Terminating \n external unreadable");
    scene.status = scene.round(None).status;
    assert_eq!(scene.round(None).notices, []);
}

#[test]
fn our_own_write_is_waited_for() {
    check_each(
        ["external stale", "route evm stale", "routes unlisted"]
            .map(|face| format!("fleet networking deleting phase=Terminating \n {face}")),
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                       being deleted
            effects  none
            requeue  after 500ms
        "#]],
    );
}

#[test]
fn a_failing_clean_up_is_told_and_retried() {
    check_failing(
        "fleet networking deleting phase=Terminating",
        Fault::transient("Service \"s-external\": the API server answered 500 (no reason)"),
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: Service
                       "s-external": the API server answered 500 (no reason)
            effect   delete Service s-external
            requeue  backoff
            notice   Warning DeleteFailed: Failed to clean up networking resources: Service
                       "s-external": the API server answered 500 (no reason)
        "#]],
    );
}

#[test]
fn retention_lets_go_of_everything() {
    check(
        "fleet networking deleting retain phase=Terminating",
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                   being deleted
        effect   own SeiNode s-0 by []
        effect   own SeiNode s-1 by []
        effect   own Service s-internal by []
        effect   own Service s-external by []
        effect   own HttpRoute s-evm by []
        effect   own HttpRoute s-grpc by []
        effect   own HttpRoute s-rest by []
        effect   own HttpRoute s-rpc by []
        requeue  backoff
    "#]],
    );
}
