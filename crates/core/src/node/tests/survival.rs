//! Whatever is stored, by whomever, a round survives it: nothing panics, nothing of others goes.

use std::sync::Arc;

use proptest::prelude::*;
use sei_api::{SeiNode, SeiNodeSpec, SeiNodeStatus, k8s};
use sei_sidecar_api::{Health, TaskResult, TaskStatus as Row};

use super::arbitrary::{any_of, around, schema, text_of};
use super::invariants::{fates, scenes};
use super::scene::Scene;
use crate::decision::Requeue;
use crate::effect::{Effect, Resource};
use crate::node::{Pods, needs, notices, peer_queries, spec, urgency};
use crate::ownership::controlled_by;
use crate::{plan, render};

/// Scenes whose spec and status are anybody's, or nearly ours.
fn stored() -> impl Strategy<Value = Scene> {
    let (specs, statuses) = (schema("SeiNode", "spec"), schema("SeiNode", "status"));
    scenes().prop_flat_map(move |scene| {
        let spec: BoxedStrategy<SeiNodeSpec> = prop_oneof![
            3 => Just(scene.node.spec.clone()),
            3 => around(&scene.node.spec, &specs),
            1 => any_of(&specs),
        ]
        .boxed();
        let status: BoxedStrategy<SeiNodeStatus> = prop_oneof![
            4 => around(&scene.status, &statuses),
            1 => any_of(&statuses),
        ]
        .boxed();
        let name = prop::option::weighted(0.1, text_of());
        (Just(scene), spec, status, name).prop_map(|(mut scene, spec, status, name)| {
            scene.node.spec = spec;
            scene.node.status = Some(status.clone());
            scene.status = status;
            if let Some(name) = name {
                scene.node.metadata.name = Some(name);
            }
            scene
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        max_local_rejects: 1_000_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_stored_node_is_survived(scene in stored(), fate in fates()) {
        let (node, before, env) = (&scene.node, &scene.status, scene.env());
        let _ = (needs(node, before, env), peer_queries(node), spec::refusal(node));
        let _ = render::node_objects(node, &scene.platform);
        for effect in scene.decide().effects {
            if let Effect::Delete(target) = effect {
                prop_assert!(is_owned(&scene, target.resource, &target.uid));
            }
        }
        let end = scene.round(fate);
        let _ = (notices(node, before, &end.status), urgency(before, &end.status));
        super::world::check_conditions(&before.conditions, &end.status.conditions);
        prop_assert!(is_alive(node, &end.status, end.requeue, env.tempo.task_poll_max));
    }
}

/// Good specs, each with a workload and a volume that are as it says.
const GOOD: &[&str] = &[
    "node Running current=v1",
    "node Running current=v1 validator",
    "node Running current=v1 archive",
    "node Running current=v1 paused",
    "node Running current=v1 keep",
    "node Running current=v1 peers=label,static",
];

/// What the sidecar may answer, whatever is asked of it.
const ANSWERS: &[Option<Row>] =
    &[None, Some(Row::Running), Some(Row::Completed), Some(Row::Failed)];

/// Rounds that follow from one stored status.
const ROUNDS: usize = 6;

fn any_status() -> impl Strategy<Value = Scene> {
    let statuses = schema("SeiNode", "status");
    prop::sample::select(GOOD).prop_flat_map(move |words| {
        let scene = Scene::new(words);
        let status = prop_oneof![around(&scene.status, &statuses), any_of(&statuses)];
        (Just(scene), status).prop_map(|(mut scene, status)| {
            scene.status = status;
            scene
        })
    })
}

/// Lets the sidecar answer for the current task, if there is one.
fn answer(scene: &mut Scene, answer: Option<&Row>) {
    let plan = scene.status.plan.as_ref();
    let task = plan.and_then(|plan| plan.tasks.get(plan::current(plan)?));
    let row = task.zip(answer).map(|(task, row)| TaskResult {
        id: task.id.parse().unwrap_or_default(),
        task_type: task.type_.clone(),
        status: row.clone(),
        run: 1,
        params: None,
        error: None,
        submitted_at: None,
        completed_at: None,
        result: None,
    });
    scene.seen.task = Some(Ok(row));
    scene.seen.health = Some(Ok(Health::Ready));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        max_local_rejects: 1_000_000,
        ..ProptestConfig::default()
    })]

    /// A status is only a memory: a wrong one takes nothing away that the spec asks for.
    #[test]
    fn no_status_takes_away_what_the_spec_asks_for(
        mut scene in any_status(),
        row in prop::sample::select(ANSWERS),
        fate in fates(),
    ) {
        for round in 0..ROUNDS {
            answer(&mut scene, row.as_ref());
            let effects = scene.decide().effects;
            prop_assert!(!effects.iter().any(takes_away), "round {round}: {effects:?}");
            scene.status = scene.round(fate.clone().filter(|_| round == 0)).status;
        }
    }
}

/// Does it leave less than there was?
pub(crate) fn takes_away(effect: &Effect) -> bool {
    match effect {
        Effect::Delete(_) | Effect::SetOwners { .. } | Effect::RemoveFinalizer => true,
        Effect::Apply { .. } | Effect::Create(_) | Effect::Submit(_) => false,
    }
}

/// Is this an object that the node or its StatefulSet controls?
fn is_owned(scene: &Scene, resource: Resource, uid: &str) -> bool {
    let is = |meta: &k8s::ObjectMeta, owner: Option<&String>| {
        meta.uid.as_deref() == Some(uid) && owner.is_some_and(|it| controlled_by(meta, it))
    };
    let set = scene.seen.statefulset.here().and_then(|it| it.metadata.uid.as_ref());
    match (resource, &scene.seen.pods) {
        (Resource::Claim, _) => {
            let claim = scene.seen.claim.here();
            claim.is_some_and(|it| is(&it.metadata, scene.node.metadata.uid.as_ref()))
        }
        (Resource::Pod, Pods::Known(pods)) => {
            pods.iter().any(|it: &Arc<k8s::Pod>| is(&it.metadata, set))
        }
        _ => false,
    }
}

/// A plan in flight is looked at again soon, unless the spec stops everything.
fn is_alive(
    node: &SeiNode,
    after: &SeiNodeStatus,
    requeue: Requeue,
    at_most: std::time::Duration,
) -> bool {
    let stopped = node.spec.paused || spec::refusal(node).is_some();
    let in_flight = plan::is_active(after.plan.as_ref()) && !stopped;
    let leaving = node.metadata.deletion_timestamp.is_some();
    match requeue {
        Requeue::Again | Requeue::NextPass | Requeue::Backoff => true,
        Requeue::After(delay) => !in_flight || leaving || delay <= at_most,
        Requeue::Never => leaving,
    }
}
