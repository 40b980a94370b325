//! The spec moves while a rollout is in flight: forwards, and back to where it came from.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sei_api::k8s::ObjectMeta;
use sei_api::{NodePhase, PlanPhase, SeiNode, SeiNodeDeployment, TaskStatus, k8s};
use sei_harness::fixtures::{HASH_V1, HASH_V2, HASH_V3, IMAGE_V1, IMAGE_V2, IMAGE_V3, new_snd};
use sei_harness::history::Versions;
use sei_harness::request_log::Record;
use sei_harness::status_faker::Mode;
use sei_harness::suite::{TestEnv, cond, cond_true};
use sei_harness::wait::{Progress, check};

use crate::invariants;
use crate::rollout::everything_runs;
use crate::status_writes::quiet;
use crate::support::{current_image, expect, plan_id, scenario, status, target, template_image};

const NAME: &str = "supersession";

/// How long a stalled plan is watched, and how often.
const STALL: (Duration, Duration) = (Duration::from_secs(2), Duration::from_millis(200));
/// Slowest look at an object with an active plan.
const TASK_POLL: Duration = Duration::from_secs(5);
/// How long a completed rollout is watched.
const HOLD: (Duration, Duration) = (Duration::from_secs(3), Duration::from_millis(200));

#[test]
fn in_place_rollout_supersession() {
    scenario("in_place_rollout_supersession", |env| async move {
        settle(&env, 2).await?;
        let paused = env.faker.pause().await;
        let second = begin_rollout(&env, IMAGE_V2, HASH_V2).await?;
        stalls(&env, &second).await?;

        let mark = env.requests.mark();
        let third = begin_rollout(&env, IMAGE_V3, HASH_V3).await?;
        ensure!(plan_id(&third) != plan_id(&second), "the plan was kept");
        superseded_once(&env, &third, HASH_V2).await?;
        ensure!(env.faker.is_paused(), "the faker must not help");
        children_ask_for(&env, &third, IMAGE_V3).await?;
        ensure!(!env.requests.since(mark).is_empty(), "the controllers sent nothing");
        drop(paused);

        let done = env
            .wait_for_status(NAME, "the third template to be rolled out", |fleet| {
                invariants::complete(fleet, HASH_V3)
            })
            .await?;
        let children = env.list_children(&done).await?;
        ensure!(children.len() == 2, "{} children", children.len());
        everything_runs(&env, &children, IMAGE_V3).await?;
        stays_complete(&env, HASH_V3).await?;
        superseded_once(&env, &done, HASH_V2).await?;
        history_of_supersession(&env, &done).await
    });
}

/// v1, v2 and back to v1 before v2 ran: the fleet returns, and nothing of v2 stays behind.
#[test]
fn rollback_in_mid_flight() {
    scenario("rollback_in_mid_flight", |env| async move {
        settle(&env, 2).await?;
        let paused = env.faker.pause().await;
        begin_rollout(&env, IMAGE_V2, HASH_V2).await?;
        workloads_ask_for(&env, IMAGE_V2).await?;

        let back = begin_rollout(&env, IMAGE_V1, HASH_V1).await?;
        superseded_once(&env, &back, HASH_V2).await?;
        children_ask_for(&env, &back, IMAGE_V1).await?;
        drop(paused);

        let done = env
            .wait_for_status(NAME, "the first template to be back", |fleet| {
                invariants::complete(fleet, HASH_V1)
            })
            .await?;
        everything_runs(&env, &env.list_children(&done).await?, IMAGE_V1).await?;
        stays_complete(&env, HASH_V1).await?;
        superseded_once(&env, &done, HASH_V2).await?;
        let versions = invariants::hold(&env, &done).await?;
        let targets: Vec<_> = versions.sequence_of(target).into_iter().flatten().collect();
        ensure!(targets == [HASH_V2, HASH_V1], "targets {targets:?}");
        versions.never("templateHash of the abandoned template", |it| {
            status(it).template_hash.as_deref() == Some(HASH_V2)
        })
    });
}

/// The StatefulSet controller has seen v2 but no pod of it was made: the child parks one task
/// further, and still nothing is claimed.
#[test]
fn a_child_parks_at_observe_image() {
    scenario("a_child_parks_at_observe_image", |env| async move {
        settle(&env, 1).await?;
        env.faker.set_mode(&format!("{NAME}-0"), Mode::ObservedNotUpdated);
        let fleet = begin_rollout(&env, IMAGE_V2, HASH_V2).await?;
        let child = format!("{NAME}-0");
        env.wait_for("the child to park at observe-image", || async {
            let node: SeiNode = env.api().get(&child).await?;
            let tasks = tasks(&node);
            let marks: Vec<&str> = tasks.iter().map(|(_, mark)| *mark).collect();
            Ok(if marks == ["Complete", "Complete", "Complete", "begun", "waiting"] {
                Progress::Ready(())
            } else {
                Progress::NotYet(format!("{tasks:?}"))
            })
        })
        .await?;
        stalls(&env, &fleet).await?;
        env.faker.set_mode(&child, Mode::RolledOut);
        let done = env
            .wait_for_status(NAME, "the rollout to be complete", |fleet| {
                invariants::complete(fleet, HASH_V2)
            })
            .await?;
        everything_runs(&env, &env.list_children(&done).await?, IMAGE_V2).await?;
        invariants::hold(&env, &done).await.map(drop)
    });
}

/// "Stuck" is told from "dead": a fleet with a plan is passed again at least every five seconds,
/// and that costs no request.
#[test]
fn a_parked_plan_is_passed_without_a_request() {
    scenario("a_parked_plan_is_passed_without_a_request", |env| async move {
        settle(&env, 1).await?;
        let _paused = env.faker.pause().await;
        begin_rollout(&env, IMAGE_V2, HASH_V2).await?;
        quiet(&env).await?;
        let mark = env.requests.mark();
        env.assert_reconciling(NAME, 2 * TASK_POLL).await?;
        let about = |it: &Record| it.name == NAME;
        let sent: Vec<String> = env
            .requests
            .since(mark)
            .iter()
            .filter(|it| about(it))
            .map(ToString::to_string)
            .collect();
        ensure!(sent.is_empty(), "a parked plan caused:\n{}", sent.join("\n"));
        Ok(())
    });
}

async fn settle(env: &TestEnv, replicas: i32) -> Result<()> {
    env.create_snd(&new_snd(&env.ns, NAME).with_replicas(replicas).build()).await?;
    env.wait_settled(NAME, IMAGE_V1).await?;
    env.wait_for_status(NAME, "the baseline", |fleet| {
        let hash = status(fleet).template_hash;
        expect(hash.as_deref() == Some(HASH_V1), || format!("templateHash {hash:?}"))
    })
    .await?;
    Ok(())
}

/// Pushes `image` and waits for the version that records the rollout to it.
async fn begin_rollout(env: &TestEnv, image: &str, hash: &str) -> Result<SeiNodeDeployment> {
    let pushed = env.patch_snd_image(NAME, image).await?;
    let generation = pushed.metadata.generation;
    let version = env
        .history
        .deployments
        .eventually(&format!("a rollout to {hash}"), |version| {
            target(&version.object).as_deref() == Some(hash)
        })
        .await?;
    let fleet = version.as_ref().clone();
    let said = cond(&fleet, "RolloutInProgress").context("no condition")?;
    ensure!(said.status == "True" && said.reason == "TemplateChanged", "{said:?}");
    ensure!(
        said.message == format!("templateHash changed from {HASH_V1} to {hash}"),
        "{}",
        said.message
    );
    ensure!(status(&fleet).observed_generation == generation, "the status is not current");
    Ok(fleet)
}

/// While the StatefulSets do not move, nothing is claimed and nothing is given up.
async fn stalls(env: &TestEnv, fleet: &SeiNodeDeployment) -> Result<()> {
    let plan = plan_id(fleet);
    let old = vec![IMAGE_V1.to_owned(); usize::try_from(fleet.spec.replicas)?];
    let sample = || async {
        let fleet = env.get_snd(NAME).await?;
        let children = env.list_children(&fleet).await?;
        Ok((fleet, children))
    };
    type Sample = (SeiNodeDeployment, Vec<SeiNode>);
    let images: fn(&Sample) -> Vec<String> =
        |(_, children)| children.iter().map(current_image).collect();
    let checks = [
        check("plan id", plan, |(fleet, _): &Sample| plan_id(fleet)),
        check("await-spec-update complete", false, |(fleet, _): &Sample| {
            let plan = status(fleet).plan.unwrap_or_default();
            plan.tasks.get(1).is_some_and(|it| it.status == TaskStatus::Complete)
        }),
        check("currentImage", old, images),
        check("children Running", true, |(_, children): &Sample| {
            let phase = |it: &SeiNode| it.status.as_ref().and_then(|it| it.phase.clone());
            children.iter().all(|it| phase(it) == Some(NodePhase::Running))
        }),
        check("plan phase", Some(PlanPhase::Active), |(fleet, _): &Sample| {
            status(fleet).plan.map(|it| it.phase)
        }),
    ];
    Ok(env.consistently(STALL, sample, &checks).await?)
}

/// Exactly one event names the target that was given up, in full.
async fn superseded_once(env: &TestEnv, fleet: &SeiNodeDeployment, old: &str) -> Result<()> {
    let events = env
        .wait_for("the event RolloutSuperseded", || async {
            let events = env.list_events_for_snd(fleet, Some("RolloutSuperseded")).await?;
            Ok(match events.len() {
                0 => Progress::NotYet("no event".to_owned()),
                _ => Progress::Ready(events),
            })
        })
        .await?;
    ensure!(events.len() == 1, "{} events RolloutSuperseded", events.len());
    let event = &events[0];
    let message = event.message.as_deref().unwrap_or_default();
    ensure!(
        message
            == format!("Spec changed during active rollout, replacing plan (old target: {old})"),
        "{message}"
    );
    let regarding = &event.involved_object;
    let about = (regarding.kind.as_deref(), regarding.name.as_deref(), regarding.uid.as_ref());
    ensure!(
        about == (Some("SeiNodeDeployment"), Some(NAME), fleet.metadata.uid.as_ref()),
        "{about:?}"
    );
    Ok(())
}

/// The children's specs reach `image` while the plan is in flight.
async fn children_ask_for(env: &TestEnv, fleet: &SeiNodeDeployment, image: &str) -> Result<()> {
    env.wait_for(&format!("the children to ask for {image}"), || async {
        let children = env.list_children(fleet).await?;
        let images: Vec<String> = children.iter().map(|it| it.spec.image.clone()).collect();
        let all = images.len() == 2 && images.iter().all(|it| it == image);
        Ok(if all { Progress::Ready(()) } else { Progress::NotYet(format!("{images:?}")) })
    })
    .await?;
    let now = env.get_snd(NAME).await?;
    ensure!(status(&now).plan.is_some(), "the plan had ended before the children were written");
    Ok(())
}

async fn workloads_ask_for(env: &TestEnv, image: &str) -> Result<()> {
    for ordinal in 0..2 {
        let name = format!("{NAME}-{ordinal}");
        env.wait_for(&format!("StatefulSet \"{name}\" to ask for {image}"), || async {
            let set: k8s::StatefulSet = env.api().get(&name).await?;
            let seen = template_image(&set, "seid")?;
            Ok(if seen == image { Progress::Ready(()) } else { Progress::NotYet(seen) })
        })
        .await?;
    }
    Ok(())
}

async fn stays_complete(env: &TestEnv, hash: &'static str) -> Result<()> {
    let sample = || async { env.get_snd(NAME).await };
    let checks = [check("completion", Ok(()), |fleet: &SeiNodeDeployment| {
        invariants::complete(fleet, hash)
    })];
    Ok(env.consistently(HOLD, sample, &checks).await?)
}

async fn history_of_supersession(env: &TestEnv, done: &SeiNodeDeployment) -> Result<()> {
    let versions = invariants::hold(env, done).await?;
    let targets = versions.sequence_of(target);
    let wanted = [None, Some(HASH_V2.to_owned()), Some(HASH_V3.to_owned()), None];
    ensure!(targets == wanted, "targets {targets:?}");
    let hashes = versions.sequence_of(|it| status(it).template_hash.unwrap_or_default());
    ensure!(hashes == ["", HASH_V1, HASH_V3], "templateHash went through {hashes:?}");
    let truth = versions.sequence_of(|it| cond_true(it, "RolloutInProgress"));
    ensure!(truth == [false, true, false], "RolloutInProgress went through {truth:?}");

    let nodes = env.history.nodes.versions()?;
    let sets = env.history.stateful_sets.versions()?;
    for ordinal in 0..2 {
        let name = format!("{NAME}-{ordinal}");
        let images = nodes.named(&name).sequence_of(current_image);
        ensure!(images == ["", IMAGE_V1, IMAGE_V3], "\"{name}\" reported {images:?}");
        stored_before_heard(&versions, &nodes.named(&name), (HASH_V2, IMAGE_V2))?;
        stored_before_heard(&versions, &nodes.named(&name), (HASH_V3, IMAGE_V3))?;
        let templates =
            sets.named(&name).sequence_of(|it| template_image(it, "seid").unwrap_or_default());
        ensure!(templates.last().map(String::as_str) == Some(IMAGE_V3), "{templates:?}");
    }
    Ok(())
}

/// A child hears of a template only after the rollout to it was stored.
fn stored_before_heard(
    fleets: &Versions<SeiNodeDeployment>,
    nodes: &Versions<SeiNode>,
    (hash, image): (&str, &str),
) -> Result<()> {
    fn revision(version: Option<&ObjectMeta>) -> Result<u64> {
        let version = version.and_then(|it| it.resource_version.as_ref());
        Ok(version.context("no version")?.parse()?)
    }
    let stored = fleets.first(|it| target(it).as_deref() == Some(hash));
    let heard = nodes.first(|it| it.spec.image == image);
    let stored = revision(stored.map(|it| &it.object.metadata))?;
    let heard = revision(heard.map(|it| &it.object.metadata))?;
    ensure!(stored < heard, "a child asked for {image} before the rollout to it was stored");
    Ok(())
}

/// Type and mark of each task of a node's plan.
pub fn tasks(node: &SeiNode) -> Vec<(String, &'static str)> {
    let plan = node.status.as_ref().and_then(|it| it.plan.clone()).unwrap_or_default();
    plan.tasks
        .into_iter()
        .map(|task| {
            let mark = match (&task.status, &task.submitted_at) {
                (TaskStatus::Complete, _) => "Complete",
                (TaskStatus::Pending, Some(_)) => "begun",
                (TaskStatus::Pending, None) => "waiting",
                (TaskStatus::Failed | TaskStatus::Unknown(_), _) => "Failed",
            };
            (task.type_, mark)
        })
        .collect()
}
