//! A fleet is created, rolled out in place and deleted.

use anyhow::{Result, ensure};
use sei_api::{SeiNode, k8s};
use sei_harness::fixtures::{HASH_V1, HASH_V2, IMAGE_V1, IMAGE_V2, new_snd};
use sei_harness::suite::{TestEnv, cond, cond_true};

use crate::invariants;
use crate::support::{
    cluster_wide_scenario, current_image, expect, scenario, status, target, template_image,
};

const NAME: &str = "rollout-test";

#[test]
fn in_place_rollout_end_to_end() {
    scenario("in_place_rollout_end_to_end", |env| async move { end_to_end(&env).await });
}

/// The controllers as shipped: not limited to one namespace.
#[test]
fn in_place_rollout_cluster_wide() {
    cluster_wide_scenario(
        "in_place_rollout_cluster_wide",
        |env| async move { end_to_end(&env).await },
    );
}

async fn end_to_end(env: &TestEnv) -> Result<()> {
    let fleet = env.create_snd(&new_snd(&env.ns, NAME).with_replicas(3).build()).await?;
    let settled = env
        .wait_for_status(NAME, "the first template to be rolled out", |fleet| {
            let status = status(fleet);
            expect(status.template_hash.as_deref() == Some(HASH_V1), || {
                format!("templateHash {:?}", status.template_hash)
            })
        })
        .await?;
    let children = env.list_children(&fleet).await?;
    ensure!(children.len() == 3, "{} children", children.len());
    for child in &children {
        let owners = child.metadata.owner_references.clone().unwrap_or_default();
        let first = owners.first();
        ensure!(
            first
                .is_some_and(|it| Some(&it.uid) == fleet.metadata.uid.as_ref()
                    && it.controller == Some(true)),
            "owner references {owners:?}"
        );
    }
    ensure!(status(&settled).replicas == 3 && status(&settled).rollout.is_none());
    ensure!(!cond_true(&settled, "RolloutInProgress"), "a first convergence is no rollout");
    never_before_the_first_rollout(env, &settled).await?;

    env.wait_settled(NAME, IMAGE_V1).await?;
    env.patch_snd_image(NAME, IMAGE_V2).await?;
    let done = env
        .wait_for_status(NAME, "the rollout to be complete", |fleet| {
            invariants::complete(fleet, HASH_V2)
        })
        .await?;
    let versions = invariants::hold(env, &done).await?;
    let targets = versions.sequence_of(target);
    ensure!(targets == [None, Some(HASH_V2.to_owned()), None], "targets {targets:?}");
    everything_runs(env, &env.list_children(&done).await?, IMAGE_V2).await?;
    told_once(env, &done).await?;

    env.delete_snd(NAME).await?;
    env.wait_for_gone(NAME).await?;
    Ok(())
}

/// The baseline stays empty until every child was seen running, and no rollout is claimed before.
async fn never_before_the_first_rollout(
    env: &TestEnv,
    settled: &sei_api::SeiNodeDeployment,
) -> Result<()> {
    let versions = env.history.deployments.through(settled).await?;
    let hashes = versions.sequence_of(|it| status(it).template_hash.unwrap_or_default());
    ensure!(hashes == ["", HASH_V1], "templateHash went through {hashes:?}");
    versions.never("a rollout before the first edit", |it| status(it).rollout.is_some())
}

/// Spec, status, StatefulSet and its template agree on `image`.
pub async fn everything_runs(env: &TestEnv, children: &[SeiNode], image: &str) -> Result<()> {
    for child in children {
        let name = child.metadata.name.clone().unwrap_or_default();
        let set: k8s::StatefulSet = env.api().get(&name).await?;
        let seen = (child.spec.image.clone(), current_image(child), template_image(&set, "seid")?);
        let wanted = (image.to_owned(), image.to_owned(), image.to_owned());
        ensure!(seen == wanted, "\"{name}\" has (spec, current, StatefulSet) {seen:?}");
    }
    Ok(())
}

/// Each event of a rollout is there exactly once.
async fn told_once(env: &TestEnv, fleet: &sei_api::SeiNodeDeployment) -> Result<()> {
    let expected = [
        ("RolloutStarted", 1, format!("InPlace rollout started (target: {})", &HASH_V2[..8])),
        ("PlanStarted", 1, "Plan execution started".to_owned()),
        ("RolloutComplete", 1, "Deployment rollout completed successfully".to_owned()),
        ("PlanComplete", 1, "Plan completed successfully".to_owned()),
        ("RolloutSuperseded", 0, String::new()),
        ("SeiNodeCreated", 3, "Created SeiNode rollout-test-".to_owned()),
    ];
    for (reason, count, message) in expected {
        let what = format!("{count} event(s) {reason}");
        let events = env
            .wait_for(&what, || async {
                let events = env.list_events_for_snd(fleet, Some(reason)).await?;
                Ok(if events.len() == count {
                    sei_harness::wait::Progress::Ready(events)
                } else {
                    sei_harness::wait::Progress::NotYet(format!("{} of them", events.len()))
                })
            })
            .await?;
        for event in &events {
            let told = event.message.clone().unwrap_or_default();
            ensure!(told.starts_with(&message), "{reason} says \"{told}\"");
            ensure!(event.type_.as_deref() == Some("Normal"), "{reason} is {:?}", event.type_);
        }
    }
    let rollout = cond(fleet, "RolloutInProgress").map(|it| it.message.clone());
    ensure!(rollout.as_deref() == Some("Deployment completed successfully"), "{rollout:?}");
    Ok(())
}
