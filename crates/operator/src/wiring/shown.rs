//! What a scrape shows of the stores.

use std::sync::Arc;

use sei_api::condition::{Reason, Status, Type};
use sei_api::{PlanPhase, Rollout, SeiNodeDeploymentStatus, TaskPlan, k8s};
use sei_core::condition::find;
use sei_core::{deployment, plan};

use crate::cluster::Key;
use crate::cluster::stores::Stores;
use crate::metrics::{
    FleetSample, NodeSample, ObjectSample, PlanSample, RolloutSample, RouteSample, Snapshot,
};
use crate::sidecars::Sidecars;

/// Reads the stores for the metrics.
pub(super) struct Shown {
    pub(super) stores: Arc<Stores>,
    pub(super) sidecars: Arc<Sidecars>,
}

impl Snapshot for Shown {
    fn nodes(&self) -> Vec<NodeSample> {
        let nodes = self.stores.nodes.all();
        let sample = |node: &Arc<sei_api::SeiNode>| {
            let key = Key::of(k8s::Resource::meta(&**node));
            let status = node.status.as_ref();
            let said = Said {
                paused: node.spec.paused,
                conditions: status.map(|it| it.conditions.as_slice()).unwrap_or_default(),
                plan: status.and_then(|it| it.plan.as_ref()),
            };
            NodeSample {
                sidecar_ready: self.sidecars.last_ready(&key),
                object: object(key, said),
                phase: status.and_then(|it| it.phase.clone()),
            }
        };
        nodes.iter().map(sample).collect()
    }

    fn fleets(&self) -> Vec<FleetSample> {
        let fleets = self.stores.fleets.all();
        fleets.iter().map(|fleet| fleet_sample(fleet)).collect()
    }
}

fn fleet_sample(fleet: &sei_api::SeiNodeDeployment) -> FleetSample {
    let empty = SeiNodeDeploymentStatus::default();
    let status = fleet.status.as_ref().unwrap_or(&empty);
    let said = Said {
        paused: fleet.spec.paused,
        conditions: &status.conditions,
        plan: status.plan.as_ref(),
    };
    FleetSample {
        object: object(Key::of(k8s::Resource::meta(fleet)), said),
        phase: status.phase.clone(),
        replicas_desired: fleet.spec.replicas,
        replicas_ready: status.ready_replicas,
        replicas_updated: status.updated_replicas,
        rollout: status.rollout.as_ref().map(|it| rollout(status, it)),
        route_ready: route(&status.conditions, Type::RouteReady),
        route_accepted: route(&status.conditions, Type::RouteAccepted),
    }
}

/// What objects of both kinds say of themselves.
struct Said<'a> {
    paused: bool,
    conditions: &'a [k8s::Condition],
    plan: Option<&'a TaskPlan>,
}

fn object(key: Key, said: Said<'_>) -> ObjectSample {
    let is = |it: &&k8s::Condition, status: Status| it.status == status.as_str();
    let stalled = find(said.conditions, Type::Stalled).filter(|it| is(it, Status::True));
    let not_ready = find(said.conditions, Type::Ready).filter(|it| !is(it, Status::True));
    ObjectSample {
        namespace: key.namespace,
        name: key.name,
        paused: said.paused,
        stalled: stalled.map(reason),
        not_ready: not_ready.map(reason),
        plan: said.plan.map(|it| PlanSample {
            active: it.phase == PlanPhase::Active,
            failed: it.phase == PlanPhase::Failed,
            attempt: plan::attempt(it),
        }),
    }
}

fn rollout(status: &SeiNodeDeploymentStatus, rollout: &Rollout) -> RolloutSample {
    let started_at = rollout.started_at.0.as_second();
    let progress = rollout.last_progress_at.as_ref().map(|it| it.0.as_second());
    let current = status.template_hash.as_deref().filter(|it| !it.is_empty());
    RolloutSample {
        target_hash: hash(&rollout.target_hash),
        current_hash: current.map_or_else(|| "none".to_owned(), hash),
        started_at,
        progressed_at: progress.unwrap_or(started_at).max(started_at),
        held: deployment::is_held(status),
    }
}

/// Of a fleet that has routes, or should have.
fn route(conditions: &[k8s::Condition], kind: Type) -> Option<RouteSample> {
    let said = find(conditions, kind)?;
    let applies = said.reason != Reason::NotApplicable.as_str();
    applies
        .then(|| RouteSample { holds: said.status == Status::True.as_str(), reason: reason(said) })
}

/// The reason as a label: one of a closed set, whatever another version stored.
fn reason(said: &k8s::Condition) -> &'static str {
    Reason::from_word(&said.reason).map_or(OTHER, Reason::as_str)
}

/// A template's hash as a label: 16 hex digits, whatever another version stored.
fn hash(stored: &str) -> String {
    let is_hash = stored.len() == HASH_DIGITS && stored.bytes().all(|it| it.is_ascii_hexdigit());
    if is_hash { stored.to_owned() } else { OTHER.to_owned() }
}

/// A word that this version does not know.
const OTHER: &str = "other";
/// Digits of a template's hash.
const HASH_DIGITS: usize = 16;

#[cfg(test)]
mod tests;
