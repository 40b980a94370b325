//! The public face of a fleet: what is written for it, what is said of it, and that nothing waits
//! for it.

use expect_test::expect;

use super::scene::{Scene, check, check_failing};
use crate::deployment::notices;
use crate::fault::Fault;
use crate::node::tests::scene::at;

/// Coming and going with `spec.networking`.
mod upkeep {
    use super::*;

    #[test]
    fn a_new_fleet_gets_its_service_and_four_routes() {
        check(
            "fleet networking \n external absent \n routes none \n route evm absent \n \
             route rpc absent \n route rest absent \n route grpc absent \n name unknown",
            expect![[r#"
                kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
                effect   apply Service s-external
                effect   apply HttpRoute s-evm s-evm.test.platform.sei.io
                effect   apply HttpRoute s-rpc s-rpc.test.platform.sei.io
                effect   apply HttpRoute s-rest s-rest.test.platform.sei.io
                effect   apply HttpRoute s-grpc s-grpc.test.platform.sei.io
                requeue  after 600s
            "#]],
        );
    }

    #[test]
    fn a_published_fleet_is_left_in_peace() {
        check(
            "fleet networking",
            expect![[r#"
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effects  none
            requeue  after 600s
        "#]],
        );
    }

    #[test]
    fn validators_have_a_service_and_no_routes() {
        check(
            "fleet networking validator \n external absent",
            expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: bringing the
                       nodes to the spec
            effect   apply SeiNode s-0 v1 rev 1 forced
            effect   apply SeiNode s-1 v1 rev 1 forced
            effect   apply Service s-external
            requeue  after 600s
        "#]],
        );
    }

    #[test]
    fn what_was_edited_is_restored_and_orphans_are_adopted() {
        check(
            "fleet networking \n external changed \n route evm changed \n route rpc orphan",
            expect![[r#"
                kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
                effect   apply Service s-external forced
                effect   apply HttpRoute s-evm s-evm.test.platform.sei.io forced
                effect   apply HttpRoute s-rpc s-rpc.test.platform.sei.io forced
                requeue  after 600s
            "#]],
        );
    }

    #[test]
    fn without_networking_ours_is_pruned_and_nothing_else() {
        check(
            "fleet \n external ours \n route evm ours \n route rpc foreign \n route rest theirs \n \
             route grpc orphan",
            expect![[r#"
                kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
                effect   delete Service s-external
                effect   delete HttpRoute s-evm
                requeue  after 600s
            "#]],
        );
    }

    #[test]
    fn what_goes_already_is_not_deleted_again() {
        check(
            "fleet \n external terminating \n route evm terminating \n route rpc leftover",
            expect![[r#"
                kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
                effects  none
                requeue  after 600s
            "#]],
        );
    }

    #[test]
    fn a_paused_fleet_keeps_its_doors() {
        check(
            "fleet networking paused image=v2 gen=2 \n route evm changed",
            expect![[r#"
                kstatus  Ready=False Reconciling=False Stalled=False Paused: paused: 0 of 2
                           nodes on target; set spec.paused to false to go on
                effect   apply SeiNode s-0 v1 rev 1 forced
                effect   apply SeiNode s-1 v1 rev 1 forced
                effect   apply HttpRoute s-evm s-evm.test.platform.sei.io forced
                requeue  after 600s
            "#]],
        );
    }

    #[test]
    fn routes_of_another_mode_are_pruned() {
        check(
            "fleet networking validator \n route evm ours",
            expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: bringing the
                       nodes to the spec
            effect   apply SeiNode s-0 v1 rev 1 forced
            effect   apply SeiNode s-1 v1 rev 1 forced
            effect   delete HttpRoute s-evm
            requeue  after 600s
        "#]],
        );
    }

    #[test]
    fn a_cluster_without_the_kind_keeps_the_service() {
        check(
            "fleet networking \n routes missing \n external absent",
            expect![[r#"
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effect   apply Service s-external
            requeue  after 600s
        "#]],
        );
    }
}

/// What `RouteReady` and `RouteAccepted` say when the world turns from one face to another.
mod conditions {
    use super::*;

    fn turn(from: &str, to: &str, expected: expect_test::Expect) {
        let mut scene = Scene::new(&format!("fleet networking \n {from}"));
        scene.seen = Scene::new(&format!("fleet networking \n {to}")).seen;
        expected.assert_eq(&scene.picture(None));
    }

    fn turn_each(to: [String; 2], expected: expect_test::Expect) {
        let pictures = to.map(|it| {
            let mut scene = Scene::new("fleet networking");
            scene.seen = Scene::new(&format!("fleet networking \n {it}")).seen;
            scene.picture(None)
        });
        assert_eq!(pictures[0], pictures[1]);
        expected.assert_eq(&pictures[0]);
    }

    #[test]
    fn a_name_that_resolves_is_told_once() {
        turn(
            "name pending",
            "",
            expect![[r#"
            cond     RouteReady True HTTPRouteReady: 4 HTTPRoute(s) reconciled successfully
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effects  none
            requeue  after 600s
            notice   Normal HTTPRouteReady: HTTPRoute reconciled successfully
        "#]],
        );
        turn(
            "",
            "",
            expect![[r#"
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effects  none
            requeue  after 600s
        "#]],
        );
    }

    #[test]
    fn a_name_that_does_not_resolve_gates_nothing() {
        turn(
            "",
            "name pending \n child 1 absent",
            expect![[r#"
            phase    Ready -> Initializing
            counts   2 ready, 2 updated, 2 available -> 1 ready, 1 updated, 1 available
            cond     NodesReady False NodesInitializing: 1/2 nodes ready (0 initializing)
            cond     RouteReady False DNSPending: Waiting for route hostname to resolve in
                       DNS
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: bringing the
                       nodes to the spec
            effect   apply SeiNode s-1 v1 rev 1
            requeue  after 600s
            notice   Normal SeiNodeCreated: Created SeiNode s-1
        "#]],
        );
    }

    /// When the operator starts, nobody has looked yet.
    #[test]
    fn an_unknown_answer_changes_nothing() {
        turn(
            "",
            "name unknown",
            expect![[r#"
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effects  none
            requeue  after 600s
        "#]],
        );
        turn(
            "name pending",
            "name unknown",
            expect![[r#"
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effects  none
            requeue  after 600s
        "#]],
        );
        turn(
            "routes none",
            "name unknown",
            expect![[r#"
                cond     RouteReady False DNSPending: Waiting for route hostname to resolve in
                           DNS
                cond     RouteAccepted True Accepted: Gateway "istio-system/sei-gateway"
                           accepts 4 HTTPRoute(s)
                kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
                effects  none
                requeue  after 600s
            "#]],
        );
    }

    #[test]
    fn a_foreign_object_is_refused_and_left_alone() {
        turn_each(
            ["foreign", "theirs"].map(|whose| format!("route evm {whose}")),
            expect![[r#"
                cond     RouteReady False ForeignObject: HTTPRoute "s-evm" already exists and
                           is not controlled by SeiNodeDeployment "s"; delete or rename it
                kstatus  Ready=False Reconciling=False Stalled=True ForeignObject: HTTPRoute
                           "s-evm" already exists and is not controlled by SeiNodeDeployment
                           "s"; delete or rename it
                effects  none
                requeue  after 30s
                notice   Warning ForeignObject: HTTPRoute "s-evm" already exists and is not
                           controlled by SeiNodeDeployment "s"; delete or rename it
            "#]],
        );
        turn(
            "",
            "external foreign \n name pending",
            expect![[r#"
                cond     RouteReady False ForeignObject: Service "s-external" already exists
                           and is not controlled by SeiNodeDeployment "s"; delete or rename it
                kstatus  Ready=False Reconciling=False Stalled=True ForeignObject: Service
                           "s-external" already exists and is not controlled by
                           SeiNodeDeployment "s"; delete or rename it
                effects  none
                requeue  after 30s
                notice   Warning ForeignObject: Service "s-external" already exists and is not
                           controlled by SeiNodeDeployment "s"; delete or rename it
            "#]],
        );
    }

    #[test]
    fn a_dead_owners_object_is_waited_for() {
        turn_each(
            ["leftover", "terminating"].map(|whose| format!("route rest {whose}")),
            expect![[r#"
                cond     RouteReady False LeftoverObject: HTTPRoute "s-rest" is about to be
                           removed; it is created anew when it is gone
                kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
                effects  none
                requeue  after 600s
            "#]],
        );
    }

    #[test]
    fn a_cluster_that_loses_the_kind_says_so_whatever_the_name_does() {
        turn(
            "",
            "routes missing",
            expect![[r#"
            cond     RouteReady False CRDNotInstalled: Gateway API CRD (HTTPRoute) is not
                       installed
            cond     RouteAccepted False CRDNotInstalled: Gateway API CRD (HTTPRoute) is
                       not installed
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effects  none
            requeue  after 600s
            notice   Warning CRDNotInstalled: Gateway API CRD (HTTPRoute) is not installed;
                       HTTPRoute will not be created
        "#]],
        );
        turn(
            "name pending",
            "routes missing \n name pending",
            expect![[r#"
            cond     RouteReady False CRDNotInstalled: Gateway API CRD (HTTPRoute) is not
                       installed
            cond     RouteAccepted False CRDNotInstalled: Gateway API CRD (HTTPRoute) is
                       not installed
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effects  none
            requeue  after 600s
            notice   Warning CRDNotInstalled: Gateway API CRD (HTTPRoute) is not installed;
                       HTTPRoute will not be created
        "#]],
        );
        turn(
            "routes missing",
            "",
            expect![[r#"
            cond     RouteReady True HTTPRouteReady: 4 HTTPRoute(s) reconciled successfully
            cond     RouteAccepted True Accepted: Gateway "istio-system/sei-gateway"
                       accepts 4 HTTPRoute(s)
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effects  none
            requeue  after 600s
            notice   Normal HTTPRouteReady: HTTPRoute reconciled successfully
        "#]],
        );
    }

    /// Neither without the kind nor right after it came is `RouteReady` True.
    #[test]
    fn each_absence_of_the_kind_is_told_once() {
        let mut scene = Scene::new("fleet networking");
        let mut told = Vec::new();
        let new = "none \n route evm absent \n route rpc absent \n route rest absent \n \
                   route grpc absent \n name pending";
        let faces = ["missing", "unreadable", "missing", new, "missing"];
        for (minute, face) in (1..).zip(faces) {
            scene.seen = Scene::new(&format!("fleet networking \n routes {face}")).seen;
            scene.seen.now = at(60 * minute);
            let after = scene.round(None).status;
            told.extend(notices(&scene.fleet, &scene.status, &after));
            scene.status = after;
        }
        assert_eq!(told.len(), 3);
        assert!(told.iter().all(|it| it.reason.as_str() == "CRDNotInstalled"), "{told:?}");
        // The same name: it was gone all the while.
        assert_eq!(told[0].discriminator, told[1].discriminator);
        assert_ne!(told[1].discriminator, told[2].discriminator);
    }

    /// It comes back after it was deleted, and nobody edited the fleet in between.
    #[test]
    fn each_foreign_object_is_told() {
        let mut scene = Scene::new("fleet networking");
        let mut told = Vec::new();
        for (minute, route) in (1..).zip(["foreign", "foreign", "ours", "foreign"]) {
            scene.seen = Scene::new(&format!("fleet networking \n route evm {route}")).seen;
            scene.seen.now = at(60 * minute);
            let after = scene.round(None).status;
            told.extend(notices(&scene.fleet, &scene.status, &after));
            scene.status = after;
        }
        let told: Vec<_> = told.iter().filter(|it| it.reason.as_str() == "ForeignObject").collect();
        assert_eq!(told.len(), 2);
        assert_ne!(told[0].discriminator, told[1].discriminator);
    }

    #[test]
    fn routes_that_cannot_be_listed_are_not_ready() {
        turn(
            "",
            "routes unreadable",
            expect![[r#"
            cond     RouteReady False Retrying: the HTTPRoutes cannot be listed
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effects  none
            requeue  after 600s
        "#]],
        );
    }

    #[test]
    fn routes_that_are_still_to_be_listed_are_not_spoken_of() {
        turn(
            "",
            "routes unlisted",
            expect![[r#"
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effects  none
            requeue  after 600s
        "#]],
        );
    }

    #[test]
    fn what_cannot_be_looked_at_is_looked_at_again() {
        turn_each(
            ["external unreadable", "route evm unreadable"].map(str::to_owned),
            expect![[r#"
                cond     RouteReady False Retrying: api server cannot be reached
                kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
                effects  none
                requeue  after 5s
            "#]],
        );
    }

    #[test]
    fn the_word_of_the_gateway_is_passed_on() {
        turn(
            "",
            "gateway rest refused",
            expect![[r#"
            cond     RouteAccepted False NotAccepted: HTTPRoute "s-rest": NoAccepted: as it
                       happens
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effects  none
            requeue  after 600s
        "#]],
        );
        turn(
            "",
            "gateway grpc unresolved",
            expect![[r#"
            cond     RouteAccepted False RefsNotResolved: HTTPRoute "s-grpc":
                       NoResolvedRefs: as it happens
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effects  none
            requeue  after 600s
        "#]],
        );
        turn(
            "",
            "gateway rpc silent",
            expect![[r#"
            cond     RouteAccepted Unknown GatewayPending: Gateway
                       "istio-system/sei-gateway" has not answered for HTTPRoute "s-rpc"
                       yet
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effects  none
            requeue  after 600s
        "#]],
        );
    }

    #[test]
    fn removing_networking_ends_it() {
        let mut scene = Scene::new("fleet networking");
        scene.fleet.spec.networking = None;
        expect![[r#"
            cond     RouteReady False NotApplicable: spec.networking is not set
            cond     RouteAccepted False NotApplicable: spec.networking is not set
            kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
            effect   delete Service s-external
            effect   delete HttpRoute s-evm
            effect   delete HttpRoute s-grpc
            effect   delete HttpRoute s-rest
            effect   delete HttpRoute s-rpc
            requeue  after 600s
        "#]]
        .assert_eq(&scene.picture(None));
    }
}

/// Faults and rollouts.
mod beside {
    use super::*;

    #[test]
    fn a_failing_route_is_retried_and_undoes_nothing() {
        check_failing(
            "fleet networking image=v2 \n rollout target=v2 \n plan at=await-spec-update \n \
             child 0 image=v2 \n child 1 image=v2 \n route evm changed",
            Fault::transient("HTTPRoute \"s-evm\": the API server answered 500 (no reason)"),
            expect![[r#"
                plan     none
                rollout  <v2> since -60s -> none
                hash     <v1> -> <v2>
                phase    Upgrading -> Ready
                cond     RolloutInProgress False RolloutComplete: Deployment completed
                           successfully
                cond     PlanInProgress False PlanComplete: Plan completed successfully
                kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v2
                effects  none
                requeue  next pass
                notice   Normal RolloutComplete: Deployment rollout completed successfully
                notice   Normal PlanComplete: Plan completed successfully
            "#]],
        );
        check_failing(
            "fleet networking \n route evm changed",
            Fault::transient("HTTPRoute \"s-evm\": the API server answered 500 (no reason)"),
            expect![[r#"
                cond     RouteReady False Retrying: HTTPRoute "s-evm": the API server answered
                           500 (no reason)
                kstatus  Ready=True Reconciling=False Stalled=False Ready: all nodes run v1
                effect   apply HttpRoute s-evm s-evm.test.platform.sei.io forced
                requeue  backoff
            "#]],
        );
    }

    #[test]
    fn a_plan_that_begins_begins_alone() {
        check(
            "fleet networking image=v2 gen=2 observed=1 \n route evm changed",
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
}
