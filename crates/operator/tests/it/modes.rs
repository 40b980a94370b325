//! What a node is for decides what it asks of the cluster and how `seid` is configured.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use sei_api::{Archive, InPlace, NodePhase, SeiNodeSpec, k8s};
use sei_harness::fixtures::{IMAGE_V1, IMAGE_V2, new_snd};
use sei_harness::suite::{TestEnv, cond, cond_true};
use sei_sidecar_api::TaskType;
use serde_json::json;

use crate::invariants;
use crate::strategy::moved_one_by_one;
use crate::support::{expect, scenario, status};

/// What a mode asks for.
struct Asked {
    role: &'static str,
    pool: &'static str,
    storage: &'static str,
    memory: &'static str,
    config: &'static str,
}

#[test]
fn an_archive_fleet_comes_up_and_rolls() {
    scenario("an_archive_fleet_comes_up_and_rolls", |env| async move {
        let asked = Asked {
            role: "archive",
            pool: "sei-archive",
            storage: "40Ti",
            memory: "448Gi",
            config: "archive",
        };
        let archive = |node: &mut SeiNodeSpec| {
            node.full_node = None;
            node.archive = Some(Archive::default());
        };
        let fleet = new_snd(&env.ns, "history").with(|it| archive(&mut it.template.spec)).build();
        lives_as(&env, &fleet, &asked).await
    });
}

#[test]
fn a_validator_fleet_without_keys_comes_up_and_rolls() {
    scenario("a_validator_fleet_without_keys_comes_up_and_rolls", |env| async move {
        let asked = Asked {
            role: "validator",
            pool: "sei-node",
            storage: "2000Gi",
            memory: "32Gi",
            config: "validator",
        };
        // The server must not fill in a limit where the strategy says something else.
        let in_place = InPlace { min_ready_seconds: Some(0), ..InPlace::default() };
        let fleet = new_snd(&env.ns, "signers").with_validator().with_replicas(3);
        let fleet = fleet.with(|spec| {
            spec.update_strategy.get_or_insert_default().in_place = Some(in_place);
        });
        let fleet = fleet.build();
        lives_as(&env, &fleet, &asked).await?;
        moved_one_by_one(&env)?;
        let versions = env.history.deployments.versions()?;
        let rollouts = versions.iter().filter_map(|it| it.object.status.as_ref()?.rollout.as_ref());
        let limits: BTreeSet<_> = rollouts.map(|it| it.max_unavailable).collect();
        ensure!(limits == BTreeSet::from([Some(1)]), "{limits:?}");
        Ok(())
    });
}

#[test]
fn a_validator_with_a_key_is_refused_and_left_alone() {
    scenario("a_validator_with_a_key_is_refused_and_left_alone", |env| async move {
        env.create_snd(&new_snd(&env.ns, "keyed").with_validator().build()).await?;
        env.wait_settled("keyed", IMAGE_V1).await?;
        let secret = |name: &str| json!({ "secret": { "secretName": name } });
        let keys = json!({ "signingKey": secret("signing"), "nodeKey": secret("identity") });
        let change = json!({ "template": { "spec": { "image": IMAGE_V2, "validator": keys } } });
        env.patch_snd_spec("keyed", change).await?;
        let refused = env
            .wait_for_status("keyed", "a refusal", |fleet| {
                let stalled = cond(fleet, "Stalled");
                let refused = stalled.is_some_and(|it| it.reason == "NotSupportedYet");
                expect(refused, || format!("{stalled:?}"))
            })
            .await?;
        let message = cond(&refused, "Stalled").map(|it| it.message.clone()).unwrap_or_default();
        for field in ["validator.signingKey", "validator.nodeKey"] {
            ensure!(message.contains(&format!("spec.template.spec.{field}")), "{message}");
        }
        for child in env.list_children(&refused).await? {
            ensure!(child.spec.image == IMAGE_V1, "the child was changed");
        }
        Ok(())
    });
}

async fn lives_as(env: &TestEnv, fleet: &sei_api::SeiNodeDeployment, asked: &Asked) -> Result<()> {
    let name = fleet.metadata.name.as_deref().context("the fleet has no name")?;
    env.create_snd(fleet).await?;
    let up = env
        .wait_for_status(name, "the fleet to be ready", |fleet| {
            expect(cond_true(fleet, "Ready"), || format!("{:?}", cond(fleet, "Ready")))
        })
        .await?;
    for child in env.list_children(&up).await? {
        let name = child.metadata.name.clone().context("the child has no name")?;
        let phase = child.status.as_ref().and_then(|it| it.phase.clone());
        ensure!(phase == Some(NodePhase::Running), "\"{name}\" is {phase:?}");
        workload(env, &name, asked).await?;
    }
    let mut tasks = env.sidecars.submissions();
    tasks.retain(|it| it.task_type == TaskType::ConfigApply.as_str());
    let modes: Vec<_> = tasks.iter().map(|it| it.params["mode"].clone()).collect();
    ensure!(!modes.is_empty() && modes.iter().all(|it| it == asked.config), "{modes:?}");

    env.patch_snd_image(name, IMAGE_V2).await?;
    let done = env
        .wait_for_status(name, "the rollout to be complete", |fleet| {
            let said = cond(fleet, "RolloutInProgress");
            let complete = said.is_some_and(|it| it.reason == "RolloutComplete");
            expect(complete && status(fleet).plan.is_none(), || format!("{said:?}"))
        })
        .await?;
    invariants::hold(env, &done).await.map(drop)
}

/// The objects of one child ask for what its mode needs.
async fn workload(env: &TestEnv, name: &str, asked: &Asked) -> Result<()> {
    let set: k8s::StatefulSet = env.api().get(name).await?;
    let set = json!(set);
    let pod = &set["spec"]["template"]["spec"];
    ensure!(set["metadata"]["labels"]["sei.io/role"] == asked.role, "{}", set["metadata"]);
    ensure!(pod["tolerations"][0]["value"] == asked.pool, "{}", pod["tolerations"]);
    let memory = &pod["containers"][0]["resources"]["requests"]["memory"];
    ensure!(memory == asked.memory, "{memory}");
    let claim: k8s::PersistentVolumeClaim = env.api().get(&format!("data-{name}")).await?;
    let storage = json!(claim)["spec"]["resources"]["requests"]["storage"].clone();
    ensure!(storage == asked.storage, "{storage}");
    Ok(())
}
