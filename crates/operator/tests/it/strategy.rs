//! `updateStrategy.inPlace` on a real API server: how many children move at one time, which, and
//! in what order.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use sei_api::k8s::IntOrString;
use sei_api::{InPlace, SeiNode, SeiNodeDeployment, UpdateOrder, k8s};
use sei_harness::fixtures::{HASH_V1, HASH_V2, IMAGE_V1, IMAGE_V2, new_snd};
use sei_harness::status_faker::Mode;
use sei_harness::suite::{TestEnv, cond, cond_true};
use sei_harness::wait::{Progress, check};
use serde_json::json;

use crate::invariants;
use crate::rollout::everything_runs;
use crate::support::{
    asked_images, current_image, expect, scenario, settled, settled_then_late, status, target,
    true_reason,
};

const NAME: &str = "waves";

/// How long it is watched that nothing more moves, and how often.
const HOLD: (Duration, Duration) = (Duration::from_secs(2), Duration::from_millis(500));

fn fleet(env: &TestEnv, replicas: i32, in_place: InPlace) -> SeiNodeDeployment {
    let fleet = new_snd(&env.ns, NAME).with_replicas(replicas);
    let strategy = |spec: &mut sei_api::SeiNodeDeploymentSpec| {
        spec.update_strategy.get_or_insert_default().in_place = Some(in_place);
    };
    fleet.with(strategy).build()
}

fn at_most(count: i32) -> InPlace {
    InPlace { max_unavailable: Some(IntOrString::Int(count)), ..InPlace::default() }
}

/// The children that ask for v2 are exactly these, and it stays so.
async fn only_these_move(env: &TestEnv, moved: &[usize]) -> Result<()> {
    let fleet = env.get_snd(NAME).await?;
    let replicas = usize::try_from(fleet.spec.replicas)?;
    let image = |ordinal| if moved.contains(&ordinal) { IMAGE_V2 } else { IMAGE_V1 };
    let wanted: Vec<String> = (0..replicas).map(|it| image(it).to_owned()).collect();
    env.wait_for(&format!("the children {moved:?} to ask for v2"), || async {
        let asked = asked_images(env, &fleet).await?;
        Ok(if asked == wanted {
            Progress::Ready(())
        } else {
            Progress::NotYet(format!("{asked:?}"))
        })
    })
    .await?;
    let sample = || async {
        let now = env.get_snd(NAME).await?;
        let asked = asked_images(env, &now).await?;
        Ok((now, asked))
    };
    type Sample = (SeiNodeDeployment, Vec<String>);
    let checks = [
        check("images asked for", wanted.clone(), |(_, asked): &Sample| asked.clone()),
        check("in progress", true, |(fleet, _): &Sample| cond_true(fleet, "RolloutInProgress")),
        check("stalled", None, |(fleet, _): &Sample| true_reason(fleet, "Stalled")),
    ];
    Ok(env.consistently(HOLD, sample, &checks).await?)
}

async fn completes(env: &TestEnv) -> Result<SeiNodeDeployment> {
    let done = env
        .wait_for_status(NAME, "the rollout to be complete", |fleet| {
            invariants::complete(fleet, HASH_V2)
        })
        .await?;
    everything_runs(env, &env.list_children(&done).await?, IMAGE_V2).await?;
    invariants::hold(env, &done).await?;
    Ok(done)
}

/// No child was asked for v2 before each one above it ran it.
pub(crate) fn moved_one_by_one(env: &TestEnv) -> Result<()> {
    let mut last: BTreeMap<String, SeiNode> = BTreeMap::new();
    for version in env.history.nodes.versions()?.iter() {
        let node = version.object.as_ref();
        let name = node.metadata.name.clone().unwrap_or_default();
        let was = last.insert(name.clone(), node.clone());
        let moves = was.is_some_and(|it| it.spec.image == IMAGE_V1) && node.spec.image == IMAGE_V2;
        let above = last.range(name.clone()..).skip(1);
        for (other, node) in above.filter(|_| moves) {
            let plan = node.status.as_ref().is_some_and(|it| it.plan.is_some());
            ensure!(
                current_image(node) == IMAGE_V2 && !plan,
                "\"{name}\" was asked to move before \"{other}\" had arrived"
            );
        }
    }
    Ok(())
}

/// Each child is asked to move only when every one above it has arrived.
#[test]
fn one_after_the_other() {
    scenario("one_after_the_other", |env| async move {
        settled(&env, &fleet(&env, 3, at_most(1))).await?;
        env.faker.set_mode(&format!("{NAME}-2"), Mode::Frozen);
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        // A relabelled template must not take the images along.
        env.patch_snd_spec(NAME, json!({"template": {"metadata": {"labels": {"a": "b"}}}})).await?;
        only_these_move(&env, &[2]).await?;
        env.faker.set_mode(&format!("{NAME}-2"), Mode::RolledOut);
        completes(&env).await?;
        moved_one_by_one(&env)
    });
}

#[test]
fn a_share_from_the_lowest_ordinal_on() {
    scenario("a_share_from_the_lowest_ordinal_on", |env| async move {
        let strategy = InPlace {
            max_unavailable: Some(IntOrString::String("50%".to_owned())),
            order: Some(UpdateOrder::OrdinalAscending),
            ..InPlace::default()
        };
        settled(&env, &fleet(&env, 4, strategy)).await?;
        for ordinal in [0, 1] {
            env.faker.set_mode(&format!("{NAME}-{ordinal}"), Mode::Frozen);
        }
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        only_these_move(&env, &[0, 1]).await?;
        env.faker.set_mode(&format!("{NAME}-1"), Mode::RolledOut);
        only_these_move(&env, &[0, 1, 2, 3]).await?;
        env.faker.set_mode(&format!("{NAME}-0"), Mode::RolledOut);
        completes(&env).await.map(drop)
    });
}

/// A child that is down already moves at once and keeps nobody waiting.
#[test]
fn a_child_that_is_down_uses_no_budget() {
    scenario("a_child_that_is_down_uses_no_budget", |env| async move {
        settled(&env, &fleet(&env, 3, at_most(1))).await?;
        env.faker.set_mode(&format!("{NAME}-0"), Mode::ObservedNotUpdated);
        env.wait_for_status(NAME, "one child to be down", |fleet| {
            let ready = status(fleet).ready_replicas;
            expect(ready == 2, || format!("{ready} ready"))
        })
        .await?;
        env.faker.set_mode(&format!("{NAME}-2"), Mode::Frozen);
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        only_these_move(&env, &[0, 2]).await?;
        for ordinal in [0, 2] {
            env.faker.set_mode(&format!("{NAME}-{ordinal}"), Mode::RolledOut);
        }
        completes(&env).await.map(drop)
    });
}

#[test]
fn a_strategy_that_changes_in_mid_rollout_takes_effect_at_once() {
    scenario("a_strategy_that_changes_in_mid_rollout_takes_effect_at_once", |env| async move {
        settled(&env, &fleet(&env, 3, at_most(1))).await?;
        let paused = env.faker.pause().await;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        only_these_move(&env, &[2]).await?;
        let started = status(&env.get_snd(NAME).await?).rollout.map(|it| it.started_at);
        let limit = |count: i32| json!({"updateStrategy": {"inPlace": {"maxUnavailable": count}}});
        env.patch_snd_spec(NAME, limit(2)).await?;
        only_these_move(&env, &[1, 2]).await?;
        env.patch_snd_spec(NAME, limit(3)).await?;
        only_these_move(&env, &[0, 1, 2]).await?;
        let now = status(&env.get_snd(NAME).await?).rollout.map(|it| it.started_at);
        ensure!(now == started, "the same rollout goes on: {started:?}, {now:?}");
        drop(paused);
        completes(&env).await.map(drop)
    });
}

/// Held by the partition: in progress, never late; what is made anew below it keeps the old image.
#[test]
fn a_partition_holds_and_lets_go() {
    scenario("a_partition_holds_and_lets_go", |env| async move {
        let strategy = InPlace { partition: Some(2), min_ready_seconds: Some(0), ..at_most(1) };
        settled_then_late(&env, &fleet(&env, 3, strategy), 1).await?;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        let held = env
            .wait_for_status(NAME, "the rollout to be held", |fleet| {
                let said = cond(fleet, "RolloutInProgress").map(|it| it.message.clone());
                let said = said.unwrap_or_default();
                expect(said.ends_with("1 of 3, held at partition 2"), || said.clone())
            })
            .await?;
        let said = cond(&held, "Ready").map(|it| it.message.clone()).unwrap_or_default();
        ensure!(said.ends_with("1 of 3, held at partition 2"), "{said}");
        only_these_move(&env, &[2]).await?;

        let name = format!("{NAME}-0");
        env.api::<SeiNode>().delete(&name, &kube::api::DeleteParams::default()).await?;
        let gone = env.list_children(&held).await?;
        let uid = gone.iter().find(|it| it.metadata.name.as_ref() == Some(&name));
        let uid = uid.and_then(|it| it.metadata.uid.clone());
        env.wait_for("the child to come back as it was", || async {
            let node: Option<SeiNode> = env.api().get_opt(&name).await?;
            let anew = node.filter(|it| it.metadata.uid != uid);
            let current = anew.as_ref().map(current_image).unwrap_or_default();
            Ok(if current == IMAGE_V1 { Progress::Ready(()) } else { Progress::NotYet(current) })
        })
        .await?;
        only_these_move(&env, &[2]).await?;
        let baseline = status(&env.get_snd(NAME).await?).template_hash;
        ensure!(baseline.as_deref() == Some(HASH_V1), "{baseline:?}");

        let open = json!({"updateStrategy": {"inPlace": {"partition": 0}}});
        env.patch_snd_spec(NAME, open).await?;
        let done = completes(&env).await?;
        let versions = env.history.deployments.through(&done).await?;
        let targets = versions.sequence_of(target);
        ensure!(targets == [None, Some(HASH_V2.to_owned()), None], "one rollout: {targets:?}");
        let sets: Vec<k8s::StatefulSet> = env.api().list(&Default::default()).await?.items;
        ensure!(sets.len() == 3, "{} StatefulSets", sets.len());
        Ok(())
    });
}
