//! `onFailure: Rollback` on a real API server: back to the last good template, and on from there.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sei_api::{InPlace, OnFailure, SeiNodeDeployment};
use sei_harness::fixtures::{HASH_V1, HASH_V2, HASH_V3, IMAGE_V1, IMAGE_V2, IMAGE_V3, new_snd};
use sei_harness::status_faker::Mode;
use sei_harness::suite::{TestEnv, cond, cond_true};
use sei_harness::wait::check;
use serde_json::json;

use crate::invariants;
use crate::rollout::everything_runs;
use crate::support::{
    asked_images, expect, scenario, settled_then_late, status, target, told, true_reason,
};

const NAME: &str = "back";

/// How long the end of a rollback is watched, and how often.
const HOLD: (Duration, Duration) = (Duration::from_secs(2), Duration::from_millis(500));

fn fleet(env: &TestEnv) -> SeiNodeDeployment {
    let strategy = |spec: &mut sei_api::SeiNodeDeploymentSpec| {
        let in_place = InPlace {
            on_failure: Some(OnFailure::Rollback),
            min_ready_seconds: Some(0),
            ..InPlace::default()
        };
        spec.update_strategy.get_or_insert_default().in_place = Some(in_place);
    };
    new_snd(&env.ns, NAME).with_replicas(2).with(strategy).build()
}

/// v2 reaches one of two children only; both are back at v1 in the end.
async fn rolled_back(env: &TestEnv) -> Result<SeiNodeDeployment> {
    let stuck = format!("{NAME}-1");
    env.faker.set_mode(&stuck, Mode::Frozen);
    env.patch_snd_image(NAME, IMAGE_V2).await?;
    env.history
        .deployments
        .eventually("the return to be stored", |it| {
            status(&it.object).rejected_hash.as_deref() == Some(HASH_V2)
        })
        .await?;
    env.faker.set_mode(&stuck, Mode::RolledOut);
    let end = env
        .wait_for_status(NAME, "the return to be complete", |fleet| {
            let is = true_reason(fleet, "Stalled");
            expect(is.as_deref() == Some("RolledBack"), || format!("Stalled {is:?}"))
        })
        .await?;
    Ok(end)
}

/// The end of a rollback, in every field that says so.
fn shape(fleet: &SeiNodeDeployment) -> Result<(), String> {
    let status = status(fleet);
    let said = |kind: &str| cond(fleet, kind).map(|it| format!("{}/{}", it.status, it.reason));
    let rules = [
        (status.rollout.is_none() && status.plan.is_none(), "nothing is in flight"),
        (said("RolloutInProgress").as_deref() == Some("False/RolledBack"), "RolloutInProgress"),
        (said("PlanInProgress").as_deref() == Some("False/PlanComplete"), "PlanInProgress"),
        (said("Stalled").as_deref() == Some("True/RolledBack"), "Stalled"),
        (said("Ready").as_deref() == Some("False/RolledBack"), "Ready"),
        (status.template_hash.as_deref() == Some(HASH_V1), "templateHash"),
        (status.last_good.is_some_and(|it| it.image == IMAGE_V1), "lastGood"),
        (status.rejected_hash.as_deref() == Some(HASH_V2), "rejectedHash"),
        ((status.ready_replicas, status.updated_replicas) == (2, 0), "replicas"),
        (fleet.spec.template.spec.image == IMAGE_V2, "the spec is never edited"),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        None => Ok(()),
        Some((_, rule)) => Err(format!("violated: {rule}")),
    }
}

#[test]
fn a_template_that_does_not_come_up_is_rolled_back() {
    scenario("a_template_that_does_not_come_up_is_rolled_back", |env| async move {
        settled_then_late(&env, &fleet(&env), 3).await?;
        let end = rolled_back(&env).await?;
        everything_runs(&env, &env.list_children(&end).await?, IMAGE_V1).await?;
        let sample = || async { env.get_snd(NAME).await };
        env.consistently(HOLD, sample, &[check("shape", Ok(()), shape)]).await?;
        let versions = invariants::hold(&env, &end).await?;
        let targets: Vec<_> = versions.sequence_of(target).into_iter().flatten().collect();
        ensure!(targets == [HASH_V2, HASH_V1], "targets {targets:?}");
        versions.never("RolloutComplete of a template that was given up", |it| {
            cond(it, "RolloutInProgress").is_some_and(|it| it.reason == "RolloutComplete")
        })?;
        for (reason, count) in [
            ("RolloutStarted", 1),
            ("RollbackStarted", 1),
            ("RolledBack", 1),
            ("PlanStarted", 2),
            ("PlanComplete", 1),
        ] {
            told(&env, &end, (reason, count)).await?;
        }
        for reason in ["RolloutSuperseded", "RolloutComplete"] {
            let events = env.list_events_for_snd(&end, Some(reason)).await?;
            ensure!(events.is_empty(), "{} events {reason}", events.len());
        }
        Ok(())
    });
}

#[test]
fn the_edit_after_a_rollback_starts_anew() {
    scenario("the_edit_after_a_rollback_starts_anew", |env| async move {
        settled_then_late(&env, &fleet(&env), 3).await?;
        rolled_back(&env).await?;
        // How fast the third template is rolled out is the machine's affair.
        let edit = json!({
            "progressDeadlineSeconds": 600,
            "template": { "spec": { "image": IMAGE_V3 } },
        });
        env.patch_snd_spec(NAME, edit).await?;
        let done = env
            .wait_for_status(NAME, "the third template to be rolled out", |fleet| {
                invariants::complete(fleet, HASH_V3)
            })
            .await?;
        ensure!(status(&done).rejected_hash.is_none(), "{:?}", status(&done).rejected_hash);
        ensure!(cond_true(&done, "Ready") && !cond_true(&done, "Stalled"));
        everything_runs(&env, &env.list_children(&done).await?, IMAGE_V3).await?;
        invariants::hold(&env, &done).await.map(drop)
    });
}

/// Restarted in the middle of a return, the operator goes on with it: status is its only memory.
#[test]
fn a_return_survives_the_operator() {
    scenario("a_return_survives_the_operator", |env| async move {
        settled_then_late(&env, &fleet(&env), 3).await?;
        let _paused = env.faker.pause().await;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        let turned = env
            .history
            .deployments
            .eventually("the return to be stored", |it| {
                status(&it.object).rejected_hash.as_deref() == Some(HASH_V2)
            })
            .await?;
        env.kill_controllers().await;
        let before = status(&env.get_snd(NAME).await?).rollout.context("no rollout")?;
        env.faker.resume();
        env.start_controllers().await?;
        let end = env.wait_for_status(NAME, "the end of the return", shape).await?;
        ensure!(status(&turned).rollout.is_some_and(|it| it.target_hash == before.target_hash));
        ensure!(asked_images(&env, &end).await? == [IMAGE_V1, IMAGE_V1]);
        everything_runs(&env, &env.list_children(&end).await?, IMAGE_V1).await?;
        told(&env, &end, ("RolledBack", 1)).await?;
        invariants::hold(&env, &end).await.map(drop)
    });
}
