//! What must hold in every stored version of a fleet, whatever happens to it.
//!
//! These rules catch wrong orders of operations without any luck in timing: the history has every
//! version, however short-lived.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sei_api::k8s::{ObjectMeta, Time};
use sei_api::{DeploymentPhase, SeiNode, SeiNodeDeployment, SeiNodeSpec};
use sei_harness::fixtures::{HASH_V1, HASH_V2, HASH_V3, IMAGE_V1, IMAGE_V2, IMAGE_V3};
use sei_harness::history::Versions;
use sei_harness::suite::{TestEnv, cond, cond_true};

use crate::support::{current_image, plan_id, status, target};

/// Image and template hash of a plain fleet.
const FIXTURES: [(&str, &str); 3] = [(IMAGE_V1, HASH_V1), (IMAGE_V2, HASH_V2), (IMAGE_V3, HASH_V3)];

/// A child that went less than this ago may still be in the operator's cache.
const STALE: Duration = Duration::from_secs(1);

/// Checks every version of `fleet` up to this one.
pub async fn hold(env: &TestEnv, fleet: &SeiNodeDeployment) -> Result<Versions<SeiNodeDeployment>> {
    let versions = env.history.deployments.through(fleet).await?;
    for version in versions.iter() {
        if let Err(why) = in_each(&version.object) {
            let status = serde_json::to_string_pretty(&version.object.status)?;
            anyhow::bail!("{why} in this version:\n{status}");
        }
    }
    for stretch in versions.unbroken() {
        plans_follow_targets(&stretch)?;
        starts_follow_targets(&stretch)?;
        baselines_follow_ends(&stretch)?;
        ends_come_in_one_piece(&stretch)?;
    }
    generations_speak_of_the_target(&versions)?;
    completion_is_true(env, &versions)?;
    ensure!(versions.len() > 1, "the history has too few versions to prove anything");
    Ok(versions)
}

fn in_each(fleet: &SeiNodeDeployment) -> Result<(), String> {
    let status = status(fleet);
    let (rollout, plan) = (status.rollout.is_some(), status.plan.is_some());
    let rules = [
        (
            rollout == cond_true(fleet, "RolloutInProgress"),
            "rollout is present exactly while RolloutInProgress is True",
        ),
        (!rollout || plan, "a rollout has a plan"),
        (
            plan == cond_true(fleet, "PlanInProgress"),
            "plan is present exactly while PlanInProgress",
        ),
        (
            !rollout || status.phase == Some(DeploymentPhase::Upgrading),
            "the phase is Upgrading during a rollout",
        ),
        (one_per_type(fleet), "one condition per type"),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        None => Ok(()),
        Some((_, rule)) => Err(format!("violated: {rule}")),
    }
}

fn one_per_type(fleet: &SeiNodeDeployment) -> bool {
    let conditions = &status(fleet).conditions;
    conditions
        .iter()
        .all(|it| conditions.iter().filter(|other| other.type_ == it.type_).count() == 1)
}

/// The plan's id changes exactly when a target appears or changes.
fn plans_follow_targets(versions: &Versions<SeiNodeDeployment>) -> Result<()> {
    let pairs = versions.sequence_of(|it| (target(it), plan_id(it)));
    for pair in pairs.windows(2) {
        let ((old_target, old_plan), (new_target, new_plan)) = (&pair[0], &pair[1]);
        ensure!(
            (old_target != new_target) && (old_plan != new_plan),
            "target and plan do not move together: {pair:?}"
        );
    }
    Ok(())
}

/// A start time is stamped once per target, and anew for the next one.
fn starts_follow_targets(versions: &Versions<SeiNodeDeployment>) -> Result<()> {
    let mut last: Option<(String, Time, Duration)> = None;
    for version in versions.iter() {
        let Some(rollout) = status(&version.object).rollout else {
            last = None;
            continue;
        };
        let (new, started) = (rollout.target_hash, rollout.started_at);
        let seen = match last.take() {
            Some((old, was, seen)) if old == new => {
                ensure!(was == started, "startedAt moved although the target did not: {new}");
                seen
            }
            Some((_, was, seen)) => {
                // Stored times are whole seconds: within one of them both starts look alike.
                let apart = version.at.saturating_sub(seen) > Duration::from_secs(1);
                ensure!(!apart || was.0 < started.0, "the next target kept startedAt: {new}");
                version.at
            }
            None => version.at,
        };
        last = Some((new, started, seen));
    }
    Ok(())
}

/// A rollout ends in one version: with its record goes the old baseline, and not before.
fn baselines_follow_ends(versions: &Versions<SeiNodeDeployment>) -> Result<()> {
    let pairs = versions.sequence_of(|it| (target(it), status(it).template_hash));
    for pair in pairs.windows(2) {
        let ((old, was), (new, is)) = (&pair[0], &pair[1]);
        match (old, new) {
            (Some(_), None) => ensure!(old == is, "an end without its baseline: {pair:?}"),
            (_, Some(_)) => ensure!(was == is, "the baseline moved in a rollout: {pair:?}"),
            (None, None) => {}
        }
    }
    Ok(())
}

/// A rollout ends in one version: record, plan, both conditions and the phase go together. And only
/// there may it be said to be complete.
fn ends_come_in_one_piece(versions: &Versions<SeiNodeDeployment>) -> Result<()> {
    let mut before: Option<Arc<SeiNodeDeployment>> = None;
    for version in versions.iter() {
        let now = &version.object;
        if let Some(was) = before.replace(Arc::clone(now)) {
            let ends = target(&was).is_some() && target(now).is_none();
            let wiped = now.status.is_none();
            let status = status(now);
            if ends && !wiped {
                let planned = cond_true(now.as_ref(), "PlanInProgress") || status.plan.is_some();
                let upgrading = status.phase == Some(DeploymentPhase::Upgrading);
                ensure!(!planned && !upgrading, "an end in pieces: {status:?}");
            }
            let news = says_complete(now) && !says_complete(&was);
            ensure!(!news || ends, "RolloutComplete without a rollout that ends: {status:?}");
        }
    }
    Ok(())
}

fn says_complete(fleet: &SeiNodeDeployment) -> bool {
    cond(fleet, "RolloutInProgress").is_some_and(|it| it.reason == "RolloutComplete")
}

/// The status never speaks about an older generation than before, and in a rollout about the one
/// whose template it rolls out.
fn generations_speak_of_the_target(versions: &Versions<SeiNodeDeployment>) -> Result<()> {
    let mut templates: BTreeMap<i64, &SeiNodeSpec> = BTreeMap::new();
    let mut last = 0;
    for version in versions.iter() {
        let fleet = version.object.as_ref();
        let generation = fleet.metadata.generation.unwrap_or_default();
        // A paused fleet hears what is asked for, and its rollout stays at the template before.
        if !fleet.spec.paused {
            templates.insert(generation, &fleet.spec.template.spec);
        }
        let status = status(fleet);
        // Who wipes a status may also take this from it.
        let Some(seen) = status.observed_generation else { continue };
        ensure!(seen >= last, "observedGeneration fell from {last} to {seen}");
        last = seen;
        // A return goes to the template before, whatever the spec asks for.
        let (Some(target), None) = (target(fleet), &status.rejected_hash) else { continue };
        let plain = templates.get(&seen).filter(|it| it.sidecar.is_none());
        let fixture = FIXTURES.iter().find(|(image, _)| plain.is_some_and(|it| it.image == *image));
        if let Some((image, hash)) = fixture {
            ensure!(target == *hash, "generation {seen} asks for {image}, the target is {target}");
        }
    }
    Ok(())
}

/// When a rollout is said to be complete, every child that was wanted at that moment was there and
/// seen to run what the spec asks for.
fn completion_is_true(env: &TestEnv, versions: &Versions<SeiNodeDeployment>) -> Result<()> {
    let nodes = env.history.nodes.versions()?;
    let mut said = false;
    for version in versions.iter() {
        let fleet = version.object.as_ref();
        let news = says_complete(fleet) && !said;
        said = says_complete(fleet);
        let current = status(fleet).observed_generation == fleet.metadata.generation;
        if !news || !current || version.after_hole {
            continue;
        }
        let moment = number(&fleet.metadata)?;
        let mut children: BTreeMap<String, (bool, String)> = BTreeMap::new();
        let mut blind = false;
        for node in nodes.iter().filter(|it| owned(&it.object, fleet)) {
            if number(&node.object.metadata)? < moment {
                let name = node.object.metadata.name.clone().unwrap_or_default();
                let gone = node.deleted && node.at + STALE < version.at;
                children.insert(name, (gone, current_image(&node.object)));
            } else {
                blind |= node.after_hole;
            }
        }
        if blind {
            continue;
        }
        let wanted: BTreeSet<String> = (0..fleet.spec.replicas)
            .map(|ordinal| {
                format!("{}-{ordinal}", fleet.metadata.name.as_deref().unwrap_or_default())
            })
            .collect();
        children.retain(|name, (gone, _)| !*gone && wanted.contains(name));
        ensure!(
            children.len() == wanted.len(),
            "complete with {:?}, but {wanted:?} were wanted",
            children.keys()
        );
        let wanted = &fleet.spec.template.spec.image;
        ensure!(
            children.values().all(|(_, runs)| runs == wanted),
            "complete at {wanted}, but the children run {children:?}"
        );
    }
    Ok(())
}

fn owned(node: &SeiNode, fleet: &SeiNodeDeployment) -> bool {
    let mut owners = node.metadata.owner_references.iter().flatten();
    owners.any(|it| Some(&it.uid) == fleet.metadata.uid.as_ref())
}

/// The resourceVersion; one server counts those of all kinds in one row.
fn number(meta: &ObjectMeta) -> Result<u64> {
    let version = meta.resource_version.as_deref().context("no resourceVersion")?;
    Ok(version.parse()?)
}

/// The fleet says that its rollout is complete, in every field that says so.
pub fn complete(fleet: &SeiNodeDeployment, hash: &str) -> Result<(), String> {
    let status = status(fleet);
    let said = |kind: &str| {
        let it = cond(fleet, kind);
        it.map(|it| (it.status.clone(), it.reason.clone())).unwrap_or_default()
    };
    let ended = ("False".to_owned(), "RolloutComplete".to_owned());
    let planned = ("False".to_owned(), "PlanComplete".to_owned());
    let rules = [
        (status.plan.is_none(), "plan is absent"),
        (status.rollout.is_none(), "rollout is absent"),
        (said("RolloutInProgress") == ended, "RolloutInProgress is False/RolloutComplete"),
        (said("PlanInProgress") == planned, "PlanInProgress is False/PlanComplete"),
        (status.template_hash.as_deref() == Some(hash), "templateHash is the target"),
        (status.observed_generation == fleet.metadata.generation, "the status is current"),
        (status.phase == Some(DeploymentPhase::Ready), "the phase is Ready"),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        None => Ok(()),
        Some((_, rule)) => Err(format!("not yet: {rule}")),
    }
}
