//! What happens to a fleet while its rollout is half done: another edit, back and forth, more or
//! fewer children, and a deadline that ran for the template before.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sei_api::{SeiNode, SeiNodeDeployment};
use sei_harness::fixtures::{HASH_V1, HASH_V2, HASH_V3, IMAGE_V1, IMAGE_V2, IMAGE_V3, new_snd};
use sei_harness::status_faker::Mode;
use sei_harness::suite::{TestEnv, cond, cond_true};
use sei_harness::wait::Progress;
use serde_json::json;

use crate::invariants;
use crate::rollout::everything_runs;
use crate::support::{
    asked, current_image, expect, plan_id, scenario, settled, settled_then_late, status, target,
    told, true_reason,
};

const NAME: &str = "half";

async fn settle(env: &TestEnv, replicas: i32) -> Result<()> {
    settled(env, &new_snd(&env.ns, NAME).with_replicas(replicas).build()).await
}

/// A version that records a rollout to `hash`.
async fn rolls(env: &TestEnv, hash: &str) -> Result<SeiNodeDeployment> {
    Ok(env
        .wait_for_status(NAME, &format!("a rollout to {hash}"), |fleet| {
            let is = target(fleet);
            expect(is.as_deref() == Some(hash), || format!("target {is:?}"))
        })
        .await?)
}

async fn completes(env: &TestEnv, hash: &str, image: &str) -> Result<SeiNodeDeployment> {
    let done = ends(env, hash).await?;
    everything_runs(env, &env.list_children(&done).await?, image).await?;
    Ok(done)
}

async fn ends(env: &TestEnv, hash: &str) -> Result<SeiNodeDeployment> {
    let done = env
        .wait_for_status(NAME, &format!("{hash} to be rolled out"), |fleet| {
            invariants::complete(fleet, hash)
        })
        .await?;
    Ok(done)
}

/// Until the child is gone: a fleet is done before the last of its surplus is.
async fn leaves(env: &TestEnv, child: &str) -> Result<()> {
    env.wait_for(&format!("\"{child}\" to be gone"), || async {
        let node: Option<SeiNode> = env.api().get_opt(child).await?;
        Ok(node.map_or(Progress::Ready(()), |_| Progress::NotYet("it is there".to_owned())))
    })
    .await?;
    Ok(())
}

/// Until the child runs `image` and has nothing left to do.
async fn arrives(env: &TestEnv, child: &str, image: &str) -> Result<()> {
    env.wait_for(&format!("\"{child}\" to run {image}"), || async {
        let node: SeiNode = env.api().get(child).await?;
        let plan = node.status.as_ref().is_some_and(|it| it.plan.is_some());
        let runs = current_image(&node);
        Ok(if runs == image && !plan {
            Progress::Ready(())
        } else {
            Progress::NotYet(format!("runs {runs}, has a plan: {plan}"))
        })
    })
    .await?;
    Ok(())
}

/// v3 arrives when one child runs v2 and the other does not: both end at v3, the one that never ran
/// v2 never claims it, and v2 is never the fleet's baseline.
#[test]
fn an_edit_finds_one_child_done_and_one_not() {
    scenario("an_edit_finds_one_child_done_and_one_not", |env| async move {
        settle(&env, 2).await?;
        env.faker.set_mode("half-1", Mode::Frozen);
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        arrives(&env, "half-0", IMAGE_V2).await?;
        let second = rolls(&env, HASH_V2).await?;

        env.patch_snd_image(NAME, IMAGE_V3).await?;
        let third = rolls(&env, HASH_V3).await?;
        ensure!(plan_id(&third) != plan_id(&second), "the plan was kept");
        arrives(&env, "half-0", IMAGE_V3).await?;
        asked(&env, NAME, &[IMAGE_V3, IMAGE_V3]).await?;
        env.wait_for_status(NAME, "one of two at v3", |fleet| {
            let updated = status(fleet).updated_replicas;
            let waits = cond_true(fleet, "RolloutInProgress");
            expect(waits && updated == 1, || format!("{updated} updated, in progress: {waits}"))
        })
        .await?;
        env.faker.set_mode("half-1", Mode::RolledOut);

        let done = completes(&env, HASH_V3, IMAGE_V3).await?;
        told(&env, &done, ("RolloutSuperseded", 1)).await?;
        told(&env, &done, ("RolloutComplete", 1)).await?;
        let fleets = invariants::hold(&env, &done).await?;
        fleets.never("a baseline that was never reached", |it| {
            status(it).template_hash.as_deref() == Some(HASH_V2)
        })?;
        let nodes = env.history.nodes.versions()?;
        let ran = |name: &str| nodes.named(name).sequence_of(current_image);
        ensure!(ran("half-0") == ["", IMAGE_V1, IMAGE_V2, IMAGE_V3], "{:?}", ran("half-0"));
        ensure!(ran("half-1") == ["", IMAGE_V1, IMAGE_V3], "{:?}", ran("half-1"));
        Ok(())
    });
}

/// Each change of mind is a rollout of its own, told once, while nothing moves; the last one wins.
#[test]
fn there_and_back_and_there_again() {
    scenario("there_and_back_and_there_again", |env| async move {
        settle(&env, 2).await?;
        let paused = env.faker.pause().await;
        let mut plans = Vec::new();
        for (image, hash) in [(IMAGE_V2, HASH_V2), (IMAGE_V1, HASH_V1), (IMAGE_V2, HASH_V2)] {
            env.patch_snd_image(NAME, image).await?;
            plans.push(plan_id(&rolls(&env, hash).await?).context("a rollout has a plan")?);
        }
        let distinct: std::collections::BTreeSet<_> = plans.iter().collect();
        ensure!(distinct.len() == 3, "plans {plans:?}");
        drop(paused);

        let done = completes(&env, HASH_V2, IMAGE_V2).await?;
        let messages = told(&env, &done, ("RolloutSuperseded", 2)).await?;
        for old in [HASH_V2, HASH_V1] {
            ensure!(messages.iter().filter(|it| it.contains(old)).count() == 1, "{messages:?}");
        }
        told(&env, &done, ("RolloutStarted", 3)).await?;
        told(&env, &done, ("RolloutComplete", 1)).await?;
        let versions = invariants::hold(&env, &done).await?;
        let targets: Vec<_> = versions.sequence_of(target).into_iter().flatten().collect();
        ensure!(targets == [HASH_V2, HASH_V1, HASH_V2], "targets {targets:?}");
        Ok(())
    });
}

/// As fast as the API server takes them, with nothing held back: whatever of it was noticed, the
/// fleet runs the last template, and nothing of the others stays behind.
#[test]
fn edits_faster_than_anyone_can_follow() {
    scenario("edits_faster_than_anyone_can_follow", |env| async move {
        settle(&env, 2).await?;
        for _ in 0..5 {
            for image in [IMAGE_V2, IMAGE_V1, IMAGE_V3, IMAGE_V2] {
                env.patch_snd_image(NAME, image).await?;
            }
        }
        let done = completes(&env, HASH_V2, IMAGE_V2).await?;
        let versions = invariants::hold(&env, &done).await?;
        let targets = versions.sequence_of(target);
        let moves = |wanted: fn(&[Option<String>]) -> bool| {
            targets.windows(2).filter(|pair| wanted(pair)).count()
        };
        // One event for each start, change and end that was stored.
        let started = moves(|pair| pair[1].is_some());
        let superseded = moves(|pair| pair[0].is_some() && pair[1].is_some());
        let completed = moves(|pair| pair[1].is_none());
        told(&env, &done, ("RolloutStarted", started)).await?;
        told(&env, &done, ("RolloutSuperseded", superseded)).await?;
        told(&env, &done, ("RolloutComplete", completed)).await?;
        Ok(())
    });
}

/// A child that is added in mid-rollout starts at the target; the rollout and its plan stay.
#[test]
fn a_child_added_in_mid_rollout_starts_at_the_target() {
    scenario("a_child_added_in_mid_rollout_starts_at_the_target", |env| async move {
        settle(&env, 2).await?;
        let paused = env.faker.pause().await;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        let before = rolls(&env, HASH_V2).await?;
        asked(&env, NAME, &[IMAGE_V2, IMAGE_V2]).await?;
        env.patch_snd_spec(NAME, json!({ "replicas": 3 })).await?;
        asked(&env, NAME, &[IMAGE_V2, IMAGE_V2, IMAGE_V2]).await?;
        let after = env.get_snd(NAME).await?;
        ensure!(plan_id(&after) == plan_id(&before), "scaling replaced the plan");
        drop(paused);

        let done = completes(&env, HASH_V2, IMAGE_V2).await?;
        ensure!(status(&done).ready_replicas == 3, "{:?}", status(&done).ready_replicas);
        told(&env, &done, ("RolloutStarted", 1)).await?;
        let versions = invariants::hold(&env, &done).await?;
        // Done is done: the new child counts, too.
        let early = |it: &SeiNodeDeployment| {
            it.spec.replicas == 3 && target(it).is_none() && status(it).ready_replicas < 3
        };
        versions.never("completion without the third child", early)?;
        let nodes = env.history.nodes.versions()?;
        let specs = nodes.named("half-2").sequence_of(|it| it.spec.image.clone());
        ensure!(specs == [IMAGE_V2], "the new child asked for {specs:?}");
        Ok(())
    });
}

/// The child that holds up the rollout is taken away: what is left is done, so the rollout is.
#[test]
fn a_child_removed_in_mid_rollout_is_not_waited_for() {
    scenario("a_child_removed_in_mid_rollout_is_not_waited_for", |env| async move {
        settle(&env, 3).await?;
        env.faker.set_mode("half-2", Mode::Frozen);
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        for child in ["half-0", "half-1"] {
            arrives(&env, child, IMAGE_V2).await?;
        }
        let waits = rolls(&env, HASH_V2).await?;
        env.patch_snd_spec(NAME, json!({ "replicas": 2 })).await?;
        let done = ends(&env, HASH_V2).await?;
        leaves(&env, "half-2").await?;
        everything_runs(&env, &env.list_children(&done).await?, IMAGE_V2).await?;
        told(&env, &done, ("RolloutComplete", 1)).await?;
        told(&env, &done, ("RolloutSuperseded", 0)).await?;
        let versions = invariants::hold(&env, &done).await?;
        let plans: Vec<_> = versions.sequence_of(plan_id).into_iter().flatten().collect();
        ensure!(plans == [plan_id(&waits).unwrap_or_default()], "plans {plans:?}");
        Ok(())
    });
}

/// The clock of the template before is not the clock of this one.
#[test]
fn an_edit_before_the_deadline_starts_the_clock_anew() {
    scenario("an_edit_before_the_deadline_starts_the_clock_anew", |env| async move {
        const DEADLINE: Duration = Duration::from_secs(6);
        let snd = new_snd(&env.ns, NAME).with_replicas(2).build();
        settled_then_late(&env, &snd, DEADLINE.as_secs().try_into()?).await?;
        let paused = env.faker.pause().await;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        rolls(&env, HASH_V2).await?;
        // Half of the first clock passes; it would ring in the middle of the second.
        tokio::time::sleep(DEADLINE.mul_f64(0.5)).await;
        env.patch_snd_image(NAME, IMAGE_V3).await?;
        rolls(&env, HASH_V3).await?;
        let stalled = env
            .wait_for_status(NAME, "the fleet to be Stalled", |fleet| {
                let is = true_reason(fleet, "Stalled");
                expect(is.as_deref() == Some("ProgressDeadlineExceeded"), || format!("{is:?}"))
            })
            .await?;
        let versions = invariants::hold(&env, &stalled).await?;
        let late = versions.first(|it| cond_true(it, "Stalled")).context("never stalled")?;
        ensure!(target(&late.object).as_deref() == Some(HASH_V3), "v2's clock rang");
        let began = status(&late.object).rollout.context("no rollout")?.started_at.0;
        let rang =
            cond(late.object.as_ref(), "Stalled").context("no condition")?.last_transition_time.0;
        // Stored times are whole seconds: up to one of them is lost.
        let took = rang.duration_since(began).as_secs() + 1;
        ensure!(took >= DEADLINE.as_secs().try_into()?, "it rang after {took} s");
        told(&env, &stalled, ("RolloutStalled", 1)).await?;
        drop(paused);
        completes(&env, HASH_V3, IMAGE_V3).await?;
        Ok(())
    });
}
