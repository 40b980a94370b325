//! The end of a fleet.

use std::sync::Arc;

use expect_test::expect;
use sei_api::condition::Type;
use sei_api::{event, k8s};

use super::scene::{Scene, check, check_each, check_failing};
use crate::condition::find;
use crate::effect::{Effect, Resource};
use crate::fault::{Class, Fault};
use crate::node::Seen;

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
        ["child 0 stale", "service stale"]
            .map(|hidden| format!("fleet deleting retain phase=Terminating \n {hidden}")),
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                       being deleted
            effects  none
            requeue  backoff
        "#]],
    );
    check_each(
        ["child 1 unreadable", "service unreadable"]
            .map(|hidden| format!("fleet deleting retain phase=Terminating \n {hidden}")),
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: api server
                       cannot be reached
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
            notice   Warning DeleteFailed: Failed to orphan child SeiNodes and networking
                       resources: api server cannot be reached
        "#]],
    );
}

/// What lets go of objects of `kind` fails with `fault`.
fn refusing(kind: Resource, fault: Fault) -> impl Fn(&Effect) -> Option<Fault> {
    move |effect| {
        let Effect::SetOwners { target, .. } = effect else { return None };
        (target.resource == kind).then(|| fault.clone())
    }
}

#[test]
fn whatever_cannot_be_released_keeps_the_finalizer_and_is_told_once() {
    for kind in [Resource::SeiNode, Resource::Service, Resource::HttpRoute] {
        let mut scene = Scene::new("fleet networking deleting retain phase=Terminating");
        for attempt in 0..3 {
            assert!(!scene.decide().effects.contains(&Effect::RemoveFinalizer), "{kind:?}");
            let end = scene.round_where(refusing(kind, Fault::transient("no answer")));
            let ready = find(&end.status.conditions, Type::Ready).unwrap();
            assert_eq!((&*ready.reason, &*ready.message), ("Terminating", "no answer"));
            let told: Vec<_> = end.notices.iter().map(|it| (it.reason, &*it.message)).collect();
            let message = "Failed to orphan child SeiNodes and networking resources: no answer";
            let first = [(event::Reason::DeleteFailed, message)];
            assert_eq!(told, if attempt == 0 { &first[..] } else { &[] }, "{kind:?} {attempt}");
            scene.status = end.status;
        }
    }
}

#[test]
fn who_wrote_first_is_no_failure_of_the_clean_up() {
    for kind in [Resource::SeiNode, Resource::HttpRoute] {
        let scene = Scene::new("fleet networking deleting retain phase=Terminating");
        let end = scene.round_where(refusing(kind, Fault::new(Class::Conflict, "changed")));
        assert_eq!(end.notices, [], "{kind:?}");
    }
}

#[test]
fn what_retention_cannot_see_is_told_once() {
    for hidden in ["child 0 unreadable", "service unreadable"] {
        let words = format!("fleet deleting retain phase=Terminating \n {hidden}");
        let mut scene = Scene::new("fleet deleting retain phase=Terminating");
        scene.seen = Scene::new(&words).seen;
        let end = scene.round(None);
        let ready = find(&end.status.conditions, Type::Ready).unwrap();
        assert_eq!(ready.message, "api server cannot be reached", "{hidden}");
        assert_eq!(end.notices.len(), 1, "{hidden}");
        scene.status = end.status;
        assert_eq!(scene.round(None).notices, [], "{hidden}");
    }
}

#[test]
fn retention_waits_for_no_kind_that_is_missing() {
    check(
        "fleet networking deleting retain phase=Terminating \n routes missing",
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                   being deleted
        effect   own SeiNode s-0 by []
        effect   own SeiNode s-1 by []
        effect   own Service s-internal by []
        effect   own Service s-external by []
        requeue  backoff
    "#]],
    );
    check(
        "fleet networking deleting retain phase=Terminating \n routes missing \n \
         external orphan \n service orphan \n child 0 orphan \n child 1 orphan",
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Terminating: the fleet is
                       being deleted
            effect   remove finalizer
            requeue  never
        "#]],
    );
}

#[test]
fn retention_takes_off_our_owner_reference_and_no_other() {
    let mut scene = Scene::new("fleet deleting retain phase=Terminating");
    let other = k8s::OwnerReference {
        kind: "Team".to_owned(),
        name: "a".to_owned(),
        uid: "team".to_owned(),
        ..Default::default()
    };
    let Some(Seen::Here(child)) = scene.seen.children.get_mut("s-0") else { panic!("no s-0") };
    let owners = Arc::make_mut(child).metadata.owner_references.as_mut().unwrap();
    owners.insert(0, other.clone());
    let effects = scene.decide().effects;
    let kept = effects.iter().find_map(|it| match it {
        Effect::SetOwners { target, owners } if target.name == "s-0" => Some(owners),
        _ => None,
    });
    assert_eq!(kept, Some(&vec![other]));
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
