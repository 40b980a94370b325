//! `spec.paused` on a real API server: how a paused fleet differs from a stuck one, and how it
//! goes on.

use std::time::Duration;

use anyhow::{Result, ensure};
use sei_api::{DeploymentPhase, PlanPhase, SeiNode, SeiNodeDeployment};
use sei_harness::fixtures::{HASH_V1, HASH_V2, IMAGE_V1, IMAGE_V2, IMAGE_V3, new_snd};
use sei_harness::suite::{TestEnv, cond_true};
use sei_harness::wait::{Progress, check};
use serde_json::json;

use crate::invariants;
use crate::rollout::everything_runs;
use crate::support::{
    asked, current_image, expect, plan_id, scenario, settled, settled_then_late, status, told,
    true_reason,
};

const STUCK: &str = "stuck";
const PAUSED: &str = "paused";

/// How long both are watched, and how often.
const HOLD: (Duration, Duration) = (Duration::from_secs(4), Duration::from_millis(500));

async fn set_pause(env: &TestEnv, name: &str, paused: bool) -> Result<SeiNodeDeployment> {
    env.patch_snd_spec(name, json!({"paused": paused})).await?;
    let fleet = env
        .wait_for_status(name, "the pause to be seen", |fleet| {
            expect(cond_true(fleet, "Paused") == paused, || format!("{:?}", fleet.status))
        })
        .await?;
    env.wait_for("the children to be told", || async {
        let children = env.list_children(&fleet).await?;
        let told = children.iter().all(|it| it.spec.paused == paused);
        Ok(if told { Progress::Ready(()) } else { Progress::NotYet("not all".to_owned()) })
    })
    .await?;
    Ok(fleet)
}

/// What one look at a fleet shows.
#[derive(Clone, Debug)]
struct Sample {
    fleet: SeiNodeDeployment,
    children: Vec<SeiNode>,
    started: usize,
    complete: usize,
}

async fn sample(env: &TestEnv, name: &str) -> Result<Sample> {
    let fleet = env.get_snd(name).await?;
    let children = env.list_children(&fleet).await?;
    let started = env.list_events_for_snd(&fleet, Some("RolloutStarted")).await?.len();
    let complete = env.list_events_for_snd(&fleet, Some("RolloutComplete")).await?.len();
    Ok(Sample { fleet, children, started, complete })
}

/// A row of the contrast matrix: the field, what a stuck fleet shows, what a paused one shows.
type Row = (&'static str, &'static str, &'static str, fn(&Sample) -> String);

/// How a rollout that does not get on differs from a pause before the edit.
const MATRIX: [Row; 13] = [
    ("phase", "Upgrading", "Ready", |it| {
        status(&it.fleet).phase.as_ref().map(ToString::to_string).unwrap_or_default()
    }),
    ("rollout", "true", "false", |it| status(&it.fleet).rollout.is_some().to_string()),
    ("plan", "Active", "absent", |it| {
        let phase = status(&it.fleet).plan.map(|it| it.phase.to_string());
        phase.unwrap_or_else(|| "absent".to_owned())
    }),
    ("RolloutInProgress", "true", "false", |it| {
        cond_true(&it.fleet, "RolloutInProgress").to_string()
    }),
    ("PlanInProgress", "true", "false", |it| cond_true(&it.fleet, "PlanInProgress").to_string()),
    ("Paused", "false", "true", |it| cond_true(&it.fleet, "Paused").to_string()),
    ("Stalled", "false", "false", |it| cond_true(&it.fleet, "Stalled").to_string()),
    ("readyReplicas", "2", "2", |it| status(&it.fleet).ready_replicas.to_string()),
    ("NodesReady", "true", "true", |it| cond_true(&it.fleet, "NodesReady").to_string()),
    ("RolloutStarted", "1", "0", |it| it.started.to_string()),
    ("RolloutComplete", "0", "0", |it| it.complete.to_string()),
    ("spec.image", IMAGE_V2, IMAGE_V1, |it| all(it, |node| node.spec.image.clone())),
    ("currentImage", IMAGE_V1, IMAGE_V1, |it| all(it, current_image)),
];

/// What both children show, or all that they do if they differ.
fn all(sample: &Sample, field: fn(&SeiNode) -> String) -> String {
    let mut seen: Vec<String> = sample.children.iter().map(field).collect();
    seen.dedup();
    seen.join(" and ")
}

#[test]
fn paused_is_told_from_stuck() {
    scenario("paused_is_told_from_stuck", |env| async move {
        for name in [STUCK, PAUSED] {
            settled(&env, &new_snd(&env.ns, name).with_replicas(2).build()).await?;
        }
        set_pause(&env, PAUSED, true).await?;
        let frozen = env.faker.pause().await;
        for name in [STUCK, PAUSED] {
            env.patch_snd_image(name, IMAGE_V2).await?;
        }
        let stuck = env
            .wait_for_status(STUCK, "the rollout", |fleet| {
                expect(status(fleet).rollout.is_some(), || "no rollout".to_owned())
            })
            .await?;
        told(&env, &stuck, ("RolloutStarted", 1)).await?;
        asked(&env, STUCK, &[IMAGE_V2, IMAGE_V2]).await?;
        let heard = env
            .wait_for_status(PAUSED, "the edit to be heard", |fleet| {
                let seen = status(fleet).observed_generation == fleet.metadata.generation;
                expect(seen, || "not current".to_owned())
            })
            .await?;
        ensure!(true_reason(&heard, "Paused").as_deref() == Some("Paused"));
        let stuck_rows = MATRIX.map(|(field, stuck, _, got)| check(field, stuck.to_owned(), got));
        let paused_rows =
            MATRIX.map(|(field, _, paused, got)| check(field, paused.to_owned(), got));
        tokio::try_join!(
            async { env.consistently(HOLD, || sample(&env, STUCK), &stuck_rows).await },
            async { env.consistently(HOLD, || sample(&env, PAUSED), &paused_rows).await },
        )?;
        let still = status(&env.get_snd(STUCK).await?).rollout.map(|it| it.started_at);
        ensure!(still == status(&stuck).rollout.map(|it| it.started_at), "startedAt moved");
        drop(frozen);
        set_pause(&env, PAUSED, false).await?;
        for name in [STUCK, PAUSED] {
            let done = env
                .wait_for_status(name, "the rollout to be complete", |fleet| {
                    invariants::complete(fleet, HASH_V2)
                })
                .await?;
            everything_runs(&env, &env.list_children(&done).await?, IMAGE_V2).await?;
            invariants::hold(&env, &done).await?;
            told(&env, &done, ("RolloutStarted", 1)).await?;
        }
        let done = env.get_snd(PAUSED).await?;
        told(&env, &done, ("Paused", 1)).await?;
        told(&env, &done, ("Unpaused", 1)).await?;
        Ok(())
    });
}

/// Paused in mid-rollout everything stays as it is, however long: the deadline, too, stands still.
#[test]
fn a_pause_in_mid_rollout_freezes_it() {
    scenario("a_pause_in_mid_rollout_freezes_it", |env| async move {
        let snd = new_snd(&env.ns, PAUSED).with_replicas(2).build();
        settled_then_late(&env, &snd, 2).await?;
        let frozen = env.faker.pause().await;
        env.patch_snd_image(PAUSED, IMAGE_V2).await?;
        asked(&env, PAUSED, &[IMAGE_V2, IMAGE_V2]).await?;
        let paused = set_pause(&env, PAUSED, true).await?;
        // Neither the StatefulSets nor an edit move anything now.
        drop(frozen);
        env.patch_snd_image(PAUSED, IMAGE_V3).await?;
        let before = status(&paused);
        let checks = [
            check("rollout", before.rollout.clone(), |it: &Sample| status(&it.fleet).rollout),
            check("plan", plan_id(&paused), |it: &Sample| plan_id(&it.fleet)),
            check("plan phase", Some(PlanPhase::Active), |it: &Sample| {
                status(&it.fleet).plan.map(|it| it.phase)
            }),
            check("phase", Some(DeploymentPhase::Upgrading), |it: &Sample| status(&it.fleet).phase),
            check("in progress", true, |it: &Sample| cond_true(&it.fleet, "RolloutInProgress")),
            check("Paused", true, |it: &Sample| cond_true(&it.fleet, "Paused")),
            check("Stalled", false, |it: &Sample| cond_true(&it.fleet, "Stalled")),
            check("Ready", false, |it: &Sample| cond_true(&it.fleet, "Ready")),
            check("templateHash", Some(HASH_V1.to_owned()), |it: &Sample| {
                status(&it.fleet).template_hash
            }),
            check("spec.image", IMAGE_V2.to_owned(), |it: &Sample| {
                all(it, |node| node.spec.image.clone())
            }),
        ];
        env.consistently(HOLD, || sample(&env, PAUSED), &checks).await?;
        env.patch_snd_image(PAUSED, IMAGE_V2).await?;
        set_pause(&env, PAUSED, false).await?;
        let done = env
            .wait_for_status(PAUSED, "the rollout to be complete", |fleet| {
                invariants::complete(fleet, HASH_V2)
            })
            .await?;
        everything_runs(&env, &env.list_children(&done).await?, IMAGE_V2).await?;
        told(&env, &done, ("RolloutStarted", 1)).await?;
        Ok(())
    });
}

/// Nothing is created or removed meanwhile; deletion is not held up.
#[test]
fn a_paused_fleet_is_not_scaled_and_can_be_deleted() {
    scenario("a_paused_fleet_is_not_scaled_and_can_be_deleted", |env| async move {
        settled(&env, &new_snd(&env.ns, PAUSED).with_replicas(2).build()).await?;
        set_pause(&env, PAUSED, true).await?;
        env.patch_snd_spec(PAUSED, json!({"replicas": 3})).await?;
        let two = check("children", 2, |it: &Sample| it.children.len());
        env.consistently(HOLD, || sample(&env, PAUSED), &[two]).await?;
        env.delete_snd(PAUSED).await?;
        env.wait_for_gone(PAUSED).await?;
        env.wait_for("the children to be gone", || async {
            let left = env.api::<SeiNode>().list(&Default::default()).await?.items.len();
            Ok(if left == 0 { Progress::Ready(()) } else { Progress::NotYet(left.to_string()) })
        })
        .await?;
        Ok(())
    });
}
