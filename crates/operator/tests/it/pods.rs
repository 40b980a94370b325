//! Rollouts of fleets that have pods: an image that no registry has, and every way out of it.

use std::time::Duration;

use anyhow::{Result, ensure};
use sei_api::k8s::{IntOrString, Pod};
use sei_api::{InPlace, SeiNode, SeiNodeDeployment, SeiNodeDeploymentSpec};
use sei_harness::fixtures::{HASH_V1, HASH_V2, HASH_V3, IMAGE_V1, IMAGE_V2, IMAGE_V3, new_snd};
use sei_harness::pod_player::PodPlayer;
use sei_harness::suite::{TestEnv, cond, cond_true};
use sei_harness::wait::check;
use serde_json::json;

use crate::invariants;
use crate::rollout::everything_runs;
use crate::support::{
    asked_images, current_image, expect, scenario, settled, status, told, told_each_stall,
    true_reason,
};

const NAME: &str = "pulled";

/// How long it is watched that nothing more happens, and how often.
const HOLD: (Duration, Duration) = (Duration::from_secs(2), Duration::from_millis(250));

/// A settled fleet with pods, and its registry without v2.
async fn settle(
    env: &TestEnv,
    replicas: i32,
    change: impl FnOnce(&mut SeiNodeDeploymentSpec),
) -> Result<PodPlayer> {
    env.faker.stop().await;
    let pods = PodPlayer::start((*env.client).clone(), &env.ns);
    let fleet = new_snd(&env.ns, NAME).with_replicas(replicas).with(change);
    settled(env, &fleet.build()).await?;
    pods.unpublish(IMAGE_V2);
    env.patch_snd_spec(NAME, json!({ "progressDeadlineSeconds": 3 })).await?;
    Ok(pods)
}

/// Late because of its image, with so many nodes still up.
async fn stalled(env: &TestEnv, up: i32) -> Result<SeiNodeDeployment> {
    Ok(env
        .wait_for_status(NAME, "the fleet to be Stalled by its image", |fleet| {
            let seen = (true_reason(fleet, "Stalled"), status(fleet).ready_replicas);
            let wanted = (Some("ImagePullFailed".to_owned()), up);
            expect(seen == wanted, || format!("(Stalled, ready) {seen:?}"))
        })
        .await?)
}

async fn completes(env: &TestEnv, hash: &str, image: &str) -> Result<SeiNodeDeployment> {
    let done = env
        .wait_for_status(NAME, &format!("{hash} to be rolled out"), |fleet| {
            let ready = cond_true(fleet, "Ready") && !cond_true(fleet, "Stalled");
            invariants::complete(fleet, hash).and_then(|()| {
                expect(ready, || format!("Stalled {:?}", true_reason(fleet, "Stalled")))
            })
        })
        .await?;
    let children = env.list_children(&done).await?;
    everything_runs(env, &children, image).await?;
    for child in &children {
        let name = child.metadata.name.clone().unwrap_or_default();
        let pod: Pod = env.api().get(&format!("{name}-0")).await?;
        let images = pod.spec.iter().flat_map(|it| &it.containers);
        let seid = images.filter(|it| it.name == "seid").find_map(|it| it.image.clone());
        ensure!(seid.as_deref() == Some(image), "the pod of \"{name}\" runs {seid:?}");
    }
    invariants::hold(env, &done).await?;
    Ok(done)
}

/// No version of the fleet claims v2, none of a child says that it ran.
fn never_claimed(env: &TestEnv) -> Result<()> {
    env.history
        .deployments
        .versions()?
        .never("v2 as the baseline", |it| status(it).template_hash.as_deref() == Some(HASH_V2))?;
    env.history.nodes.versions()?.never("v2 as running", |it| current_image(it) == IMAGE_V2)
}

/// A tag that does not exist ends in `Stalled`, says why, and the next edit heals it: the pods that
/// never were ready are replaced.
#[test]
fn a_bad_tag_stalls_and_the_next_edit_heals_it() {
    scenario("a_bad_tag_stalls_and_the_next_edit_heals_it", |env| async move {
        let _pods = settle(&env, 2, |_| ()).await?;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        let late = stalled(&env, 0).await?;
        let message = cond(&late, "Stalled").map(|it| it.message.clone()).unwrap_or_default();
        ensure!(message.contains("pulled-0") && message.contains(IMAGE_V2), "{message}");
        for child in env.list_children(&late).await? {
            let reason = cond(&child, "Ready").map(|it| it.reason.clone());
            ensure!(reason.as_deref() == Some("ImagePullFailed"), "{reason:?}");
        }
        for node in status(&late).nodes {
            ensure!(node.reason.as_deref() == Some("ImagePullFailed"), "{node:?}");
        }
        let sample = || async { env.get_snd(NAME).await };
        let shape = check("shape", (true, true, 0), |it: &SeiNodeDeployment| {
            let rolls = cond_true(it, "RolloutInProgress") && cond_true(it, "PlanInProgress");
            (rolls, cond_true(it, "Stalled"), status(it).ready_replicas)
        });
        env.consistently(HOLD, sample, &[shape]).await?;
        told(&env, &late, ("RolloutStalled", 1)).await?;
        told(&env, &late, ("RolloutComplete", 0)).await?;

        env.patch_snd_image(NAME, IMAGE_V3).await?;
        let done = completes(&env, HASH_V3, IMAGE_V3).await?;
        never_claimed(&env)?;
        told(&env, &done, ("RolloutSuperseded", 1)).await?;
        told(&env, &done, ("RolloutComplete", 1)).await?;
        Ok(())
    });
}

/// Back to the template before: its pods replace those of the revision that never came up, and the
/// StatefulSet keeps nothing of it.
#[test]
fn the_way_back_leads_past_a_failed_revision() {
    scenario("the_way_back_leads_past_a_failed_revision", |env| async move {
        let _pods = settle(&env, 2, |_| ()).await?;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        stalled(&env, 0).await?;
        env.patch_snd_image(NAME, IMAGE_V1).await?;
        completes(&env, HASH_V1, IMAGE_V1).await?;
        never_claimed(&env)
    });
}

/// It heals by itself when the cause goes: the tag is pushed after all.
#[test]
fn a_tag_that_is_pushed_late_is_rolled_out() {
    scenario("a_tag_that_is_pushed_late_is_rolled_out", |env| async move {
        let pods = settle(&env, 2, |_| ()).await?;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        stalled(&env, 0).await?;
        pods.publish(IMAGE_V2);
        let done = completes(&env, HASH_V2, IMAGE_V2).await?;
        told_each_stall(&env, &done).await?;
        told(&env, &done, ("RolloutComplete", 1)).await?;
        Ok(())
    });
}

/// The first node that does not come up is the last one that is taken down.
#[test]
fn the_first_failing_node_keeps_the_others_up() {
    scenario("the_first_failing_node_keeps_the_others_up", |env| async move {
        let one = |spec: &mut SeiNodeDeploymentSpec| {
            let one = InPlace { max_unavailable: Some(IntOrString::Int(1)), ..InPlace::default() };
            spec.update_strategy.get_or_insert_default().in_place = Some(one);
        };
        let pods = settle(&env, 3, one).await?;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        let late = stalled(&env, 2).await?;
        ensure!(asked_images(&env, &late).await? == [IMAGE_V1, IMAGE_V1, IMAGE_V2]);
        let sample = || async {
            let fleet = env.get_snd(NAME).await?;
            let children = env.list_children(&fleet).await?;
            Ok((status(&fleet).ready_replicas, children))
        };
        type Sample = (i32, Vec<SeiNode>);
        let asked = |(_, children): &Sample| -> Vec<String> {
            children.iter().map(|it| it.spec.image.clone()).collect()
        };
        let wanted = [IMAGE_V1, IMAGE_V1, IMAGE_V2].map(str::to_owned).to_vec();
        let checks = [
            check("readyReplicas", 2, |(ready, _): &Sample| *ready),
            check("images asked for", wanted, asked),
        ];
        env.consistently(HOLD, sample, &checks).await?;
        pods.publish(IMAGE_V2);
        completes(&env, HASH_V2, IMAGE_V2).await?;
        crate::strategy::moved_one_by_one(&env)
    });
}
