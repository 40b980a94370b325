//! Other hands on our objects: labels, owner references, a status that is wiped, a status written
//! between our read and our write.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use kube::api::{Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Resource, ResourceExt as _};
use sei_api::k8s::{PersistentVolumeClaim, Service, StatefulSet};
use sei_api::{DeploymentPhase, SeiNode, SeiNodeDeployment, labels};
use sei_harness::fixtures::{HASH_V1, HASH_V2, IMAGE_V1, IMAGE_V2, new_snd};
use sei_harness::request_log::{Fault, Outcome, Requests};
use sei_harness::suite::{TestEnv, cond_true};
use sei_harness::wait::Progress;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::invariants;
use crate::rollout::everything_runs;
use crate::support::{expect, plan_id, scenario, settled, status, target, told};

const NAME: &str = "shared";

async fn settle(env: &TestEnv) -> Result<SeiNodeDeployment> {
    settled(env, &new_snd(&env.ns, NAME).with_replicas(2).build()).await?;
    env.get_snd(NAME).await
}

async fn patch<K>(env: &TestEnv, name: &str, change: Value) -> Result<()>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + DeserializeOwned + std::fmt::Debug,
{
    env.api::<K>().patch(name, &PatchParams::default(), &Patch::Merge(change)).await?;
    Ok(())
}

/// A label of somebody else's stays; a label of ours that was changed comes back.
async fn labels_are_kept<K>(env: &TestEnv, name: &str, ours: (&str, &str)) -> Result<()>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + DeserializeOwned + std::fmt::Debug,
{
    let change = json!({ "metadata": { "labels": { "team": "chain", ours.0: "changed" } } });
    patch::<K>(env, name, change).await?;
    env.wait_for(&format!("the label of \"{name}\" to come back"), || async {
        let object: K = env.api().get(name).await?;
        let label = |key: &str| object.labels().get(key).map(String::as_str);
        ensure!(label("team") == Some("chain"), "the other's label was taken away");
        Ok(match label(ours.0) {
            Some(value) if value == ours.1 => Progress::Ready(()),
            other => Progress::NotYet(format!("{} is {other:?}", ours.0)),
        })
    })
    .await?;
    Ok(())
}

#[test]
fn labels_of_others_stay_and_ours_come_back() {
    scenario("labels_of_others_stay_and_ours_come_back", |env| async move {
        settle(&env).await?;
        let node = "shared-0";
        labels_are_kept::<SeiNode>(&env, node, (labels::NODEDEPLOYMENT, NAME)).await?;
        labels_are_kept::<StatefulSet>(&env, node, (labels::NODE, node)).await?;
        labels_are_kept::<Service>(&env, node, (labels::NODE, node)).await?;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        let done = completes(&env, HASH_V2, IMAGE_V2).await?;
        invariants::hold(&env, &done).await?;
        for child in env.list_children(&done).await? {
            let theirs = child.labels().get("team").map(String::as_str);
            ensure!(theirs == (child.name_any() == node).then_some("chain"), "{theirs:?}");
        }
        Ok(())
    });
}

/// An object of ours that has lost its owner is taken back as it is: not made anew.
#[test]
fn orphans_are_adopted_as_they_are() {
    scenario("orphans_are_adopted_as_they_are", |env| async move {
        settle(&env).await?;
        env.kill_controllers().await;
        let orphaned = json!({ "metadata": { "ownerReferences": null } });
        let node = "shared-0";
        patch::<SeiNode>(&env, node, orphaned.clone()).await?;
        patch::<StatefulSet>(&env, node, orphaned.clone()).await?;
        patch::<Service>(&env, node, orphaned.clone()).await?;
        let claim = format!("data-{node}");
        patch::<PersistentVolumeClaim>(&env, &claim, orphaned).await?;
        let before = uids(&env, node).await?;
        env.start_controllers().await?;
        env.wait_for("the orphans to be adopted", || async {
            let child: SeiNode = env.api().get(node).await?;
            let set: StatefulSet = env.api().get(node).await?;
            let service: Service = env.api().get(node).await?;
            let claim: PersistentVolumeClaim = env.api().get(&claim).await?;
            let owner = |meta: &sei_api::k8s::ObjectMeta| {
                let mut all = meta.owner_references.iter().flatten();
                all.find(|it| it.controller == Some(true)).map(|it| it.name.clone())
            };
            let metas = [&child.metadata, &set.metadata, &service.metadata, &claim.metadata];
            let owners = metas.map(owner);
            let wanted = [NAME, node, node, node].map(|it| Some(it.to_owned()));
            Ok(if owners == wanted {
                Progress::Ready(())
            } else {
                Progress::NotYet(format!("{owners:?}"))
            })
        })
        .await?;
        ensure!(uids(&env, node).await? == before, "an orphan was made anew");
        let settled = env.wait_settled(NAME, IMAGE_V1).await?;
        told(&env, &settled, ("RolloutStarted", 0)).await?;
        Ok(())
    });
}

async fn uids(env: &TestEnv, name: &str) -> Result<[Option<String>; 3]> {
    let child: SeiNode = env.api().get(name).await?;
    let set: StatefulSet = env.api().get(name).await?;
    let service: Service = env.api().get(name).await?;
    Ok([child.metadata.uid, set.metadata.uid, service.metadata.uid])
}

/// Takes away all that the operator remembers of the object.
async fn wipe<K>(env: &TestEnv, name: &str) -> Result<()>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + DeserializeOwned + std::fmt::Debug,
{
    let nothing = Patch::Merge(json!({ "status": null }));
    env.api::<K>().patch_status(name, &PatchParams::default(), &nothing).await?;
    Ok(())
}

/// Status is the operator's memory. Without it, it looks again, and restarts nothing.
#[test]
fn a_status_wiped_at_rest_is_written_anew() {
    scenario("a_status_wiped_at_rest_is_written_anew", |env| async move {
        let before = settle(&env).await?;
        let sets = generations(&env).await?;
        let submitted = env.sidecars.submitted_count();
        wipe::<SeiNodeDeployment>(&env, NAME).await?;
        let again = env
            .wait_for_status(NAME, "the fleet's status to be back", |fleet| {
                let is = status(fleet);
                let back =
                    is.template_hash.as_deref() == Some(HASH_V1) && cond_true(fleet, "Ready");
                expect(back, || format!("{:?}, {:?}", is.phase, is.template_hash))
            })
            .await?;
        ensure!(status(&again).phase == Some(DeploymentPhase::Ready));
        ensure!(status(&again).ready_replicas == status(&before).ready_replicas);
        ensure!(env.sidecars.submitted_count() == submitted, "sidecars were asked again");

        wipe::<SeiNode>(&env, "shared-0").await?;
        let settled = env.wait_settled(NAME, IMAGE_V1).await?;
        ensure!(generations(&env).await? == sets, "a StatefulSet was changed");
        told(&env, &settled, ("RolloutStarted", 0)).await?;
        Ok(())
    });
}

/// Wiped in mid-rollout, the record of it is gone; what the user asked for is still done.
#[test]
fn a_status_wiped_in_mid_rollout_still_ends_at_the_target() {
    scenario("a_status_wiped_in_mid_rollout_still_ends_at_the_target", |env| async move {
        settle(&env).await?;
        let paused = env.faker.pause().await;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        env.wait_for_status(NAME, "the rollout", |fleet| {
            let is = target(fleet);
            expect(is.as_deref() == Some(HASH_V2), || format!("target {is:?}"))
        })
        .await?;
        wipe::<SeiNodeDeployment>(&env, NAME).await?;
        for child in ["shared-0", "shared-1"] {
            wipe::<SeiNode>(&env, child).await?;
        }
        let early = |it: &SeiNodeDeployment| status(it).template_hash.as_deref() == Some(HASH_V2);
        tokio::time::sleep(Duration::from_secs(1)).await;
        env.history.deployments.versions()?.never("a baseline before it runs", early)?;
        drop(paused);
        env.wait_for_status(NAME, "the fleet to be at v2", |fleet| {
            let is = status(fleet);
            let there = is.template_hash.as_deref() == Some(HASH_V2) && cond_true(fleet, "Ready");
            expect(there, || format!("{:?}, {:?}", is.phase, is.template_hash))
        })
        .await?;
        let settled = env.wait_settled(NAME, IMAGE_V2).await?;
        everything_runs(&env, &env.list_children(&settled).await?, IMAGE_V2).await
    });
}

async fn generations(env: &TestEnv) -> Result<Vec<Option<i64>>> {
    let sets = env.api::<StatefulSet>().list(&Default::default()).await?;
    Ok(sets.items.into_iter().map(|it| it.metadata.generation).collect())
}

async fn completes(env: &TestEnv, hash: &str, image: &str) -> Result<SeiNodeDeployment> {
    let done = env
        .wait_for_status(NAME, "the rollout to be complete", |fleet| {
            invariants::complete(fleet, hash)
        })
        .await?;
    everything_runs(env, &env.list_children(&done).await?, image).await?;
    Ok(done)
}

/// Two writers of one status: the operator's write is held, another comes first. Ours is answered
/// 409, the other's value stays, and nothing is planned or told twice.
#[test]
fn a_status_write_never_hides_another() {
    scenario("a_status_write_never_hides_another", |env| async move {
        settle(&env).await?;
        let to_status = Requests::writes().subresource("status").name(NAME);
        let held = env.requests.inject(to_status.clone(), Fault::Hold, 1);
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        held.met(1).await;
        let condition = json!({
            "type": "Audited", "status": "True", "reason": "ByHand", "message": "a third party's",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        let add = json!([{ "op": "add", "path": "/status/conditions/-", "value": condition }]);
        let theirs = Patch::Json::<()>(serde_json::from_value(add)?);
        env.api::<SeiNodeDeployment>().patch_status(NAME, &PatchParams::default(), &theirs).await?;
        let released = Instant::now();
        held.release();
        let done = completes(&env, HASH_V2, IMAGE_V2).await?;
        let took = released.elapsed();
        ensure!(took < Duration::from_secs(5), "it took {took:?}");
        ensure!(cond_true(&done, "Audited"), "the other's condition is gone: {:?}", done.status);
        drop(held);

        let conflicts = env.requests.matching(&to_status);
        let answered =
            |code: u16| conflicts.iter().filter(|it| it.outcome == Outcome::Answered(code)).count();
        ensure!(answered(409) == 1, "{} of 409: {conflicts:?}", answered(409));
        let versions = env.history.deployments.through(&done).await?;
        let plans: Vec<_> = versions.sequence_of(plan_id).into_iter().flatten().collect();
        ensure!(plans.len() == 1, "plans {plans:?}");
        told(&env, &done, ("RolloutStarted", 1)).await?;
        told(&env, &done, ("RolloutComplete", 1)).await?;
        Ok(())
    });
}
