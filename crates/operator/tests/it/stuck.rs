//! A rollout whose pods do not come: nothing is claimed, nothing is given up, and it heals by
//! itself.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sei_api::{DeploymentPhase, PlanPhase, SeiNode, SeiNodeDeployment, k8s};
use sei_harness::fixtures::{HASH_V2, IMAGE_V1, IMAGE_V2, new_snd};
use sei_harness::suite::{TestEnv, cond, cond_true};
use sei_harness::wait::{Check, Progress, WaitOpts, check};

use crate::invariants;
use crate::rollout::everything_runs;
use crate::supersession::tasks;
use crate::support::{asked, current_image, expect, scenario, settled, status, target};

const NAME: &str = "stuck";

/// How long the stall is watched, and how often.
const STALL: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(500));
/// What is left to do once the cause is gone.
const RECOVERY: WaitOpts =
    WaitOpts { timeout: Duration::from_secs(60), interval: Duration::from_millis(500) };

/// Scenario E.
#[test]
fn inplace_rollout_stuck_on_await_spec_update() {
    scenario("inplace_rollout_stuck_on_await_spec_update", |env| async move {
        settled(&env, &new_snd(&env.ns, NAME).with_replicas(2).build()).await?;
        let paused = env.faker.pause().await;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        env.wait_for_status(NAME, "the rollout", |fleet| {
            let rolling = target(fleet).as_deref() == Some(HASH_V2);
            expect(rolling && cond_true(fleet, "RolloutInProgress"), || format!("{fleet:?}"))
        })
        .await?;
        asked(&env, NAME, &[IMAGE_V2, IMAGE_V2]).await?;
        parked(&env, "stuck-0").await?;
        let before = env.get_snd(NAME).await?;

        let shape = stuck_shape(&before);
        let stall = env.consistently(STALL, || sample(&env), &shape);
        // "Stuck" is told from "dead": somebody looked at the fleet meanwhile.
        let (stall, alive) = tokio::join!(stall, env.assert_reconciling(NAME, STALL.0));
        stall?;
        alive?;
        for child in env.list_children(&before).await? {
            let images = (child.spec.image.clone(), current_image(&child));
            ensure!(images == (IMAGE_V2.to_owned(), IMAGE_V1.to_owned()), "{images:?}");
        }
        parked(&env, "stuck-1").await?;
        let printed = printed(&env, "Phase").await?;
        ensure!(printed == "Upgrading", "`kubectl get` shows phase {printed}");
        drop(paused);

        let done = env
            .wait_for_with(RECOVERY, "the rollout to be complete", || async {
                let fleet = env.get_snd(NAME).await?;
                Ok(match invariants::complete(&fleet, HASH_V2) {
                    Ok(()) => Progress::Ready(fleet),
                    Err(why) => Progress::NotYet(why),
                })
            })
            .await?;
        everything_runs(&env, &env.list_children(&done).await?, IMAGE_V2).await?;
        history(&env, &done).await
    });
}

/// The fleet's cell in the column of that name, as `kubectl get` prints it.
async fn printed(env: &TestEnv, column: &str) -> Result<serde_json::Value> {
    let path = format!("/apis/sei.io/v1alpha1/namespaces/{}/seinodedeployments/{NAME}", env.ns);
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let request = http::Request::get(path).header("Accept", accept).body(Vec::new())?;
    let table: serde_json::Value = env.client.request(request).await?;
    let columns = table["columnDefinitions"].as_array().context("no columns")?;
    let at = columns.iter().position(|it| it["name"] == column).context("no such column")?;
    Ok(table["rows"][0]["cells"][at].clone())
}

/// The child waits for the StatefulSet controller at replace-pod, and nothing after it has begun.
async fn parked(env: &TestEnv, child: &str) -> Result<()> {
    env.wait_for(&format!("\"{child}\" to park at replace-pod"), || async {
        let tasks = tasks(&env.api::<SeiNode>().get(child).await?);
        let marks: Vec<&str> = tasks.iter().map(|(_, mark)| *mark).collect();
        let is_parked = marks == ["Complete", "Complete", "begun", "waiting", "waiting"]
            && tasks[2].0 == "replace-pod";
        Ok(if is_parked { Progress::Ready(()) } else { Progress::NotYet(format!("{tasks:?}")) })
    })
    .await?;
    Ok(())
}

/// The fleet, and how many events say that its rollout is complete.
type Sample = (SeiNodeDeployment, usize);

async fn sample(env: &TestEnv) -> Result<Sample> {
    let fleet = env.get_snd(NAME).await?;
    let complete = env.list_events_for_snd(&fleet, Some("RolloutComplete")).await?.len();
    Ok((fleet, complete))
}

/// What a stuck rollout looks like, in every field that an on-call engineer reads.
fn stuck_shape(before: &SeiNodeDeployment) -> [Check<Sample>; 12] {
    let is_true =
        |kind: &'static str| check(kind, true, move |(fleet, _): &Sample| cond_true(fleet, kind));
    let started = |fleet: &SeiNodeDeployment| -> Option<k8s::Time> {
        status(fleet).rollout.map(|it| it.started_at)
    };
    let plan = |fleet: &SeiNodeDeployment| status(fleet).plan.map(|it| (it.id, it.phase));
    let id = status(before).plan.and_then(|it| it.id);
    [
        check("rollout", Some(HASH_V2.to_owned()), |(fleet, _): &Sample| target(fleet)),
        is_true("RolloutInProgress"),
        is_true("PlanInProgress"),
        check("plan", Some((id, PlanPhase::Active)), move |(fleet, _): &Sample| plan(fleet)),
        check("phase", Some(DeploymentPhase::Upgrading), |(fleet, _): &Sample| status(fleet).phase),
        check("readyReplicas", 2, |(fleet, _): &Sample| status(fleet).ready_replicas),
        is_true("NodesReady"),
        check("NodesReady", Some("2/2 nodes ready".to_owned()), |(fleet, _): &Sample| {
            cond(fleet, "NodesReady").map(|it| it.message.clone())
        }),
        check("startedAt", started(before), move |(fleet, _): &Sample| started(fleet)),
        check("RolloutComplete events", 0, |(_, complete): &Sample| *complete),
        check("Paused", false, |(fleet, _): &Sample| cond_true(fleet, "Paused")),
        check("Stalled", false, |(fleet, _): &Sample| cond_true(fleet, "Stalled")),
    ]
}

async fn history(env: &TestEnv, done: &SeiNodeDeployment) -> Result<()> {
    let versions = invariants::hold(env, done).await?;
    let starts = versions.sequence_of(|it| status(it).rollout.map(|it| it.started_at));
    ensure!(starts.iter().flatten().count() == 1, "startedAt went through {starts:?}");
    let nodes = env.history.nodes.versions()?;
    for name in ["stuck-0", "stuck-1"] {
        let images = nodes.named(name).sequence_of(current_image);
        ensure!(images == ["", IMAGE_V1, IMAGE_V2], "\"{name}\" reported {images:?}");
    }
    Ok(())
}
