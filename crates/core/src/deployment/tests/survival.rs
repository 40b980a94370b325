//! Whatever is stored, by whomever, a round survives it: nothing panics, nothing of others goes.

use std::sync::Arc;

use proptest::prelude::*;
use sei_api::{SeiNode, SeiNodeDeploymentSpec, SeiNodeDeploymentStatus, k8s};

use super::invariants::{fates, scenes, seen_meta};
use super::scene::Scene;
use crate::decision::{Conclusion, Requeue};
use crate::deployment::{needs, notices, spec, urgency};
use crate::effect::Effect;
use crate::node::Seen;
use crate::node::tests::arbitrary::{any_of, around, schema, text_of};
use crate::node::tests::survival::takes_away;
use crate::node::tests::world::check_conditions;
use crate::ownership::controlled_by;
use crate::{plan, render};

/// Scenes whose spec, status and children are anybody's, or nearly ours.
fn stored() -> impl Strategy<Value = Scene> {
    let kind = "SeiNodeDeployment";
    let (specs, statuses) = (schema(kind, "spec"), schema(kind, "status"));
    let node = (schema("SeiNode", "spec"), schema("SeiNode", "status"));
    scenes().prop_flat_map(move |scene| {
        let spec: BoxedStrategy<SeiNodeDeploymentSpec> = prop_oneof![
            3 => Just(scene.fleet.spec.clone()),
            3 => around(&scene.fleet.spec, &specs),
            1 => any_of(&specs),
        ]
        .boxed();
        let status: BoxedStrategy<SeiNodeDeploymentStatus> = prop_oneof![
            4 => around(&scene.status, &statuses),
            1 => any_of(&statuses),
        ]
        .boxed();
        let children: Vec<_> =
            scene.seen.children.iter().map(|(name, it)| child(name, it, &node)).collect();
        let name = prop::option::weighted(0.1, text_of());
        (Just(scene), spec, status, children, name).prop_map(stored_scene)
    })
}

type Child = (String, Seen<SeiNode>);

/// A child that the cache has, changed by anybody.
fn child(
    name: &str,
    seen: &Seen<SeiNode>,
    (spec, status): &(serde_json::Value, serde_json::Value),
) -> BoxedStrategy<Child> {
    let name = name.to_owned();
    let Seen::Here(node) = seen else { return Just((name, seen.clone())).boxed() };
    let node = Arc::clone(node);
    let status = around(&node.status.clone().unwrap_or_default(), status);
    let parts = (around(&node.spec, spec), status);
    let changed = parts.prop_map(move |(spec, status)| {
        let metadata = node.metadata.clone();
        let node = SeiNode { metadata, spec, status: Some(status) };
        (name.clone(), Seen::Here(Arc::new(node)))
    });
    changed.boxed()
}

fn stored_scene(
    (mut scene, spec, status, children, name): (
        Scene,
        SeiNodeDeploymentSpec,
        SeiNodeDeploymentStatus,
        Vec<Child>,
        Option<String>,
    ),
) -> Scene {
    scene.fleet.spec = spec;
    scene.fleet.status = Some(status.clone());
    scene.status = status;
    scene.seen.children = children.into_iter().collect();
    if let Some(name) = name {
        scene.fleet.metadata.name = Some(name);
    }
    scene
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        max_local_rejects: 1_000_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_stored_fleet_is_survived(scene in stored(), fate in fates(), ordinal in any::<i32>()) {
        let (fleet, before) = (&scene.fleet, &scene.status);
        let _ = (needs(fleet, scene.env()), spec::refusal(fleet));
        let _ = render::fleet::child(fleet, ordinal, i64::from(ordinal));
        let _ = render::fleet::internal_service(fleet);
        let _ = render::fleet::external_service(fleet);
        let _ = render::routes::routes(fleet, &scene.env().platform.gateway);
        for effect in scene.decide().effects {
            if let Effect::Delete(target) = effect {
                let uid = fleet.metadata.uid.as_deref().unwrap_or_default();
                let owned = |it: &k8s::ObjectMeta| {
                    controlled_by(it, uid) && it.uid.as_deref() == Some(&target.uid)
                };
                prop_assert!(seen_meta(&scene, &target).is_some_and(owned));
            }
        }
        let end = scene.round(fate);
        let _ = (notices(fleet, before, &end.status), urgency(before, &end.status));
        check_conditions(&before.conditions, &end.status.conditions);
        prop_assert!(is_alive(&scene, &end));
    }
}

/// Good specs, each with children and a public face that are as it says.
const GOOD: &[&str] = &[
    "fleet",
    "fleet retain",
    "fleet rollback deadline=30",
    "fleet unavailable=1",
    "fleet paused \n child 0 ours paused \n child 1 ours paused",
    "fleet networking",
    "fleet networking retain",
    "fleet networking validator",
];

/// Rounds that follow from one stored status.
const ROUNDS: usize = 4;

fn any_status() -> impl Strategy<Value = Scene> {
    let statuses = schema("SeiNodeDeployment", "status");
    prop::sample::select(GOOD).prop_flat_map(move |words| {
        let scene = Scene::new(words);
        let status = prop_oneof![around(&scene.status, &statuses), any_of(&statuses)];
        (Just(scene), status).prop_map(|(mut scene, status)| {
            scene.status = status;
            scene
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: None,
        max_local_rejects: 1_000_000,
        ..ProptestConfig::default()
    })]

    /// A status is only a memory: a wrong one takes nothing away that the spec asks for.
    #[test]
    fn no_status_takes_away_what_the_spec_asks_for(mut scene in any_status(), fate in fates()) {
        for round in 0..ROUNDS {
            let effects = scene.decide().effects;
            prop_assert!(!effects.iter().any(takes_away), "round {round}: {effects:?}");
            scene.status = scene.round(fate.clone().filter(|_| round == 0)).status;
        }
    }
}

/// A plan in flight is looked at again soon, unless the spec stops everything.
fn is_alive(scene: &Scene, end: &Conclusion<SeiNodeDeploymentStatus>) -> bool {
    let plan = end.status.plan.as_ref();
    let in_flight = plan::is_active(plan) && spec::refusal(&scene.fleet).is_none();
    let leaving = scene.fleet.metadata.deletion_timestamp.is_some();
    match end.requeue {
        Requeue::Again | Requeue::NextPass | Requeue::Backoff => true,
        Requeue::After(delay) => !in_flight || leaving || delay <= scene.env().tempo.task_poll_max,
        Requeue::Never => leaving,
    }
}
