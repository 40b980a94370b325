//! What must hold in every stored version of a fleet, whatever happens to it.
//!
//! These rules catch wrong orders of operations without any luck in timing: the history has every
//! version, however short-lived.

use anyhow::{Result, ensure};
use sei_api::{DeploymentPhase, SeiNodeDeployment};
use sei_harness::history::Versions;
use sei_harness::suite::{TestEnv, cond, cond_true};

use crate::support::{plan_id, status, target};

/// Checks every version of `fleet` up to this one.
pub async fn hold(env: &TestEnv, fleet: &SeiNodeDeployment) -> Result<Versions<SeiNodeDeployment>> {
    let versions = env.history.deployments.through(fleet).await?;
    for version in versions.iter() {
        if let Err(why) = in_each(&version.object) {
            let status = serde_json::to_string_pretty(&version.object.status)?;
            anyhow::bail!("{why} in this version:\n{status}");
        }
    }
    plans_follow_targets(&versions)?;
    starts_follow_targets(&versions)?;
    baselines_follow_ends(&versions)?;
    generations_never_fall(&versions)?;
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

/// A start time is stamped once per target.
fn starts_follow_targets(versions: &Versions<SeiNodeDeployment>) -> Result<()> {
    let starts = versions.sequence_of(|it| {
        let rollout = status(it).rollout;
        rollout.map(|it| (it.target_hash, it.started_at))
    });
    for pair in starts.windows(2) {
        if let [Some((old, _)), Some((new, _))] = pair {
            ensure!(old != new, "startedAt moved although the target did not: {pair:?}");
        }
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

/// The status never speaks about an older generation than before, and in a rollout about the one
/// whose template it rolls out.
fn generations_never_fall(versions: &Versions<SeiNodeDeployment>) -> Result<()> {
    let seen = versions.sequence_of(|it| status(it).observed_generation.unwrap_or_default());
    ensure!(seen.is_sorted(), "observedGeneration fell: {seen:?}");
    Ok(())
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
