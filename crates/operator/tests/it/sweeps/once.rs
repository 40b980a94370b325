//! No event is told more often than what it tells of came about.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use kube::api::ListParams;
use sei_api::k8s::Event;
use sei_api::{SeiNode, SeiNodeDeployment};
use sei_harness::history::Versions;
use sei_harness::suite::{TestEnv, cond, cond_true};

use super::stories::FLEET;
use crate::support::{plan_id, status};

/// Compares the events with the history. One may be missing where the operator died.
pub async fn told_once(env: &TestEnv) -> Result<()> {
    let fleets = env.history.deployments.versions()?.named(FLEET);
    let nodes = env.history.nodes.versions()?;
    // Of an object that came again under its name, each life for itself.
    let mut told: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for event in env.api::<Event>().list(&ListParams::default()).await?.items {
        ensure!(event.count.unwrap_or(1) <= 1 && event.series.is_none(), "told again: {event:?}");
        let uid = event.involved_object.uid.unwrap_or_default();
        let text = |it: Option<String>| it.unwrap_or_default();
        *told.entry((uid, text(event.reason), text(event.message))).or_default() += 1;
    }
    // Messages of one reason differ where the occurrences need not.
    let mut by_reason: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for ((uid, reason, message), count) in &told {
        *by_reason.entry((uid, reason)).or_default() += count;
        let moves = phase_changes(&nodes.of_uid(uid), message);
        let is_move = reason == "PhaseTransition";
        ensure!(!is_move || *count <= moves, "{moves} times, but told {count} times: {message}");
    }
    for ((uid, reason), count) in by_reason {
        let Some(came) = occurrences(&fleets.of_uid(uid), reason) else { continue };
        ensure!(count <= came, "{reason} came about {came} times, but was told {count} times");
    }
    Ok(())
}

/// How often a node's phase changed as `message` says.
fn phase_changes(node: &Versions<SeiNode>, message: &str) -> usize {
    changes(node, |was, is| {
        let phase = |it: &SeiNode| Some(it.status.as_ref()?.phase.as_ref()?.to_string());
        let (from, to) = (was.and_then(phase).unwrap_or_default(), phase(is).unwrap_or_default());
        from != to && message == format!("Phase changed from {from} to {to}")
    })
}

/// How often a fleet's history shows what events of `reason` tell of, where it can be counted.
fn occurrences(fleet: &Versions<SeiNodeDeployment>, reason: &str) -> Option<usize> {
    let turned = |kind: &str, on: bool| {
        changes(fleet, |was, is| {
            was.is_some_and(|it| cond_true(it, kind)) != on && cond_true(is, kind) == on
        })
    };
    let planned = |it: &SeiNodeDeployment| plan_id(it).is_some();
    Some(match reason {
        "PlanStarted" | "RolloutStarted" | "RolloutSuperseded" => {
            fleet.iter().filter_map(|it| plan_id(&it.object)).collect::<BTreeSet<_>>().len()
        }
        "PlanComplete" => changes(fleet, |was, is| was.is_some_and(planned) && !planned(is)),
        "RolloutComplete" => changes(fleet, |was, is| {
            let ends = was.is_some_and(|it| status(it).rollout.is_some());
            let said = cond(is, "RolloutInProgress").is_some_and(|it| it.reason == reason);
            ends && said && status(is).rollout.is_none()
        }),
        "Paused" => turned("Paused", true),
        "Unpaused" => turned("Paused", false),
        "HTTPRouteReady" => turned("RouteReady", true),
        _ => return None,
    })
}

/// Pairs of versions, one after the other, for which `is` holds.
fn changes<K>(versions: &Versions<K>, is: impl Fn(Option<&K>, &K) -> bool) -> usize {
    let all: Vec<&K> = versions.iter().map(|it| it.object.as_ref()).collect();
    let before = std::iter::once(None).chain(all.iter().copied().map(Some));
    before.zip(all.iter().copied()).filter(|(was, now)| is(*was, now)).count()
}
