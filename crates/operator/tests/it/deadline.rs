//! `progressDeadlineSeconds` on a real API server: what a late fleet says, and how that leaves.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kube::api::{Patch, PatchParams};
use sei_api::{DeploymentPhase, PlanPhase, SeiNode, SeiNodeDeployment, labels};
use sei_harness::fixtures::{HASH_V2, HASH_V3, IMAGE_V1, IMAGE_V2, IMAGE_V3, new_snd};
use sei_harness::suite::{TestEnv, cond, cond_true};
use sei_harness::wait::check;
use serde_json::json;

use crate::invariants;
use crate::rollout::everything_runs;
use crate::status_writes::quiet;
use crate::support::{
    expect, plan_id, scenario, settled_then_late, status, target, told, told_each_stall,
    true_reason,
};

const NAME: &str = "late";

/// Seconds that these fleets may make no progress.
const DEADLINE: i32 = 3;
/// How long a stalled rollout is watched, and how often.
const HOLD: (Duration, Duration) = (Duration::from_secs(2), Duration::from_millis(500));

fn fleet(env: &TestEnv) -> SeiNodeDeployment {
    new_snd(&env.ns, NAME).with_replicas(2).build()
}

async fn stalls(env: &TestEnv) -> Result<SeiNodeDeployment> {
    let reason = "ProgressDeadlineExceeded";
    let stalled = env
        .wait_for_status(NAME, "the fleet to be Stalled", |fleet| {
            let is = true_reason(fleet, "Stalled");
            expect(is.as_deref() == Some(reason), || format!("Stalled {is:?}"))
        })
        .await?;
    let said = |kind: &str| cond(&stalled, kind).map(|it| (it.status.clone(), it.reason.clone()));
    let is = |status: &str, reason: &str| Some((status.to_owned(), reason.to_owned()));
    ensure!(said("Ready") == is("False", reason), "Ready {:?}", said("Ready"));
    ensure!(said("Reconciling") == is("False", "Retrying"), "{:?}", said("Reconciling"));
    let message = cond(&stalled, "Stalled").map(|it| it.message.clone()).unwrap_or_default();
    ensure!(message.starts_with("no progress within 3s: 0 of 2 nodes on target; "), "{message}");
    ensure!(message.contains("late-0: ") && message.contains("late-1: "), "{message}");
    ensure!(message.ends_with("set the annotation sei.io/retry to try again"), "{message}");
    Ok(stalled)
}

/// The stuck shape holds while the fleet is late; nothing is sent; it heals by itself.
#[test]
fn a_late_rollout_says_so_and_is_not_given_up() {
    scenario("a_late_rollout_says_so_and_is_not_given_up", |env| async move {
        settled_then_late(&env, &fleet(&env), DEADLINE).await?;
        let paused = env.faker.pause().await;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        let stalled = stalls(&env).await?;
        let rollout = status(&stalled).rollout.context("no rollout")?;
        let since = cond(&stalled, "Stalled").map(|it| it.last_transition_time.0);
        let took = since.context("no time")?.duration_since(rollout.started_at.0).as_secs();
        ensure!(took >= i64::from(DEADLINE), "stalled after {took} s");
        told(&env, &stalled, ("RolloutStalled", 1)).await?;

        quiet(&env).await?;
        let mark = env.requests.mark();
        let sample = || async { env.get_snd(NAME).await };
        let checks = [
            check("phase", Some(DeploymentPhase::Upgrading), |it: &SeiNodeDeployment| {
                status(it).phase
            }),
            check("rollout", Some(rollout), |it: &SeiNodeDeployment| status(it).rollout),
            check("plan", Some(PlanPhase::Active), |it: &SeiNodeDeployment| {
                status(it).plan.map(|it| it.phase)
            }),
            check("plan id", plan_id(&stalled), plan_id),
            check("in progress", true, |it: &SeiNodeDeployment| {
                cond_true(it, "RolloutInProgress") && cond_true(it, "PlanInProgress")
            }),
            check("readyReplicas", 2, |it: &SeiNodeDeployment| status(it).ready_replicas),
            check("NodesReady", true, |it: &SeiNodeDeployment| cond_true(it, "NodesReady")),
            check("Stalled", true, |it: &SeiNodeDeployment| cond_true(it, "Stalled")),
        ];
        env.consistently(HOLD, sample, &checks).await?;
        let about = |it: &&sei_harness::request_log::Record| it.name.starts_with(NAME);
        let sent = env.requests.since(mark);
        let sent: Vec<String> = sent.iter().filter(about).map(ToString::to_string).collect();
        ensure!(sent.is_empty(), "a stalled fleet sent:\n{}", sent.join("\n"));
        drop(paused);
        let done = completes(&env, HASH_V2, IMAGE_V2).await?;
        told_each_stall(&env, &done).await?;
        told(&env, &done, ("RolloutComplete", 1)).await?;
        Ok(())
    });
}

async fn completes(env: &TestEnv, hash: &str, image: &str) -> Result<SeiNodeDeployment> {
    let done = env
        .wait_for_status(NAME, "the rollout to be complete", |fleet| {
            invariants::complete(fleet, hash)
        })
        .await?;
    ensure!(!cond_true(&done, "Stalled") && cond_true(&done, "Ready"), "{:?}", done.status);
    everything_runs(env, &env.list_children(&done).await?, image).await?;
    invariants::hold(env, &done).await?;
    Ok(done)
}

/// An edit ends a stall at once, and the new rollout has its whole time.
#[test]
fn the_next_edit_has_a_clock_of_its_own() {
    scenario("the_next_edit_has_a_clock_of_its_own", |env| async move {
        settled_then_late(&env, &fleet(&env), DEADLINE).await?;
        let paused = env.faker.pause().await;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        stalls(&env).await?;
        env.patch_snd_image(NAME, IMAGE_V3).await?;
        let begun = env
            .history
            .deployments
            .eventually("a rollout to v3", |it| target(&it.object).as_deref() == Some(HASH_V3))
            .await?;
        ensure!(!cond_true(begun.as_ref(), "Stalled"), "a new rollout is not late");
        stalls(&env).await?;
        drop(paused);
        let done = completes(&env, HASH_V3, IMAGE_V3).await?;
        told_each_stall(&env, &done).await?;
        Ok(())
    });
}

/// A new token starts the clock anew, and is handed on to the children.
#[test]
fn a_token_asks_for_another_try() {
    scenario("a_token_asks_for_another_try", |env| async move {
        settled_then_late(&env, &fleet(&env), DEADLINE).await?;
        let paused = env.faker.pause().await;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        stalls(&env).await?;
        let token = json!({"metadata": {"annotations": {labels::RETRY: "once"}}});
        let patch = Patch::Merge(token);
        env.api::<SeiNodeDeployment>().patch(NAME, &PatchParams::default(), &patch).await?;
        let heard = env
            .wait_for_status(NAME, "the token to be heard", |fleet| {
                let token = status(fleet).last_retry_token;
                expect(token.as_deref() == Some("once"), || format!("{token:?}"))
            })
            .await?;
        ensure!(!cond_true(&heard, "Stalled"), "the clock starts anew");
        let stalled = stalls(&env).await?;
        told(&env, &stalled, ("RolloutStalled", 2)).await?;
        for child in env.list_children(&stalled).await? {
            let annotations = child.metadata.annotations.unwrap_or_default();
            ensure!(annotations.get(labels::RETRY).map(String::as_str) == Some("once"));
        }
        drop(paused);
        completes(&env, HASH_V2, IMAGE_V2).await.map(drop)
    });
}

/// The first template of a new fleet has a deadline too, without a rollout.
#[test]
fn a_new_fleet_that_does_not_come_up_is_late() {
    scenario("a_new_fleet_that_does_not_come_up_is_late", |env| async move {
        let paused = env.faker.pause().await;
        let snd = env.create_snd(&fleet(&env)).await?;
        env.wait_for_status(NAME, "both nodes to initialise", |fleet| {
            let nodes = status(fleet).nodes.len();
            expect(nodes == 2, || format!("{nodes} nodes"))
        })
        .await?;
        env.patch_snd_spec(NAME, json!({ "progressDeadlineSeconds": DEADLINE })).await?;
        let stalled = stalls(&env).await?;
        ensure!(status(&stalled).rollout.is_none(), "no rollout is claimed");
        told(&env, &snd, ("RolloutStalled", 1)).await?;
        quiet(&env).await?;
        drop(paused);
        let up = env
            .wait_for_status(NAME, "the fleet to be Ready", |fleet| {
                let up = cond_true(fleet, "Ready") && !cond_true(fleet, "Stalled");
                expect(up, || format!("Stalled {:?}", true_reason(fleet, "Stalled")))
            })
            .await?;
        told_each_stall(&env, &up).await?;
        let nodes: Vec<SeiNode> = env.list_children(&up).await?;
        everything_runs(&env, &nodes, IMAGE_V1).await
    });
}
