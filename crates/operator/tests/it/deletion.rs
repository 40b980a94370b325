//! How fleets and nodes leave.

use anyhow::{Result, ensure};
use sei_api::k8s::{PersistentVolumeClaim, Service};
use sei_api::{SeiNode, labels};
use sei_harness::fixtures::{IMAGE_V1, new_snd};
use sei_harness::request_log::{Requests, Verb};
use sei_harness::suite::TestEnv;
use sei_harness::wait::Progress;
use serde_json::json;

use crate::support::scenario;

const NAME: &str = "leaving";

/// Everything of the fleet goes: children, their claims, the Service.
#[test]
fn delete_takes_children_and_claims_along() {
    scenario("delete_takes_children_and_claims_along", |env| async move {
        env.create_snd(&new_snd(&env.ns, NAME).with_replicas(2).build()).await?;
        env.wait_settled(NAME, IMAGE_V1).await?;
        env.delete_snd(NAME).await?;
        env.wait_for_gone(NAME).await?;
        gone(&env).await?;
        for delete in env.requests.matching(&Requests::any().verb(Verb::Delete)) {
            let conditions = &delete.body["preconditions"];
            let both = conditions["uid"].is_string() && conditions["resourceVersion"].is_string();
            ensure!(both, "a delete without preconditions: {delete} {}", delete.body);
        }
        Ok(())
    });
}

/// `Retain` lets go of the children; a fleet of the same name takes them over as they are.
#[test]
fn retained_children_are_adopted_by_the_next_fleet() {
    scenario("retained_children_are_adopted_by_the_next_fleet", |env| async move {
        let fleet = new_snd(&env.ns, NAME).with_replicas(2).build();
        env.create_snd(&fleet).await?;
        env.wait_settled(NAME, IMAGE_V1).await?;
        env.patch_snd_spec(NAME, json!({ "deletionPolicy": "Retain" })).await?;
        let uids = uids(&env).await?;
        env.delete_snd(NAME).await?;
        env.wait_for_gone(NAME).await?;
        ensure!(uids == self::uids(&env).await?, "the children did not survive");
        for node in env.api::<SeiNode>().list(&Default::default()).await?.items {
            let owners = node.metadata.owner_references.unwrap_or_default();
            ensure!(owners.is_empty(), "owner references {owners:?}");
        }
        env.create_snd(&fleet).await?;
        let heir = env.wait_settled(NAME, IMAGE_V1).await?;
        ensure!(env.list_children(&heir).await?.len() == 2);
        ensure!(uids == self::uids(&env).await?, "the children were made anew");
        Ok(())
    });
}

/// A claim of somebody else at the name of a node's volume survives the node that wanted it.
#[test]
fn owned_deletes() {
    scenario("owned_deletes", |env| async move {
        let claims = env.api::<PersistentVolumeClaim>();
        let foreign: PersistentVolumeClaim = serde_json::from_value(json!({
            "metadata": { "name": "data-leaving-0" },
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": { "requests": { "storage": "1Gi" } }
            }
        }))?;
        let foreign = claims.create(&Default::default(), &foreign).await?;
        env.create_snd(&new_snd(&env.ns, NAME).build()).await?;
        env.wait_for("the node to fail", || async {
            let node = env.api::<SeiNode>().get_opt("leaving-0").await?;
            let failed = node.and_then(|it| it.status).and_then(|it| it.phase);
            Ok(match failed {
                Some(sei_api::NodePhase::Failed) => Progress::Ready(()),
                other => Progress::NotYet(format!("phase {other:?}")),
            })
        })
        .await?;
        env.delete_snd(NAME).await?;
        env.wait_for_gone(NAME).await?;
        env.wait_for("the node to be gone", || async {
            let node = env.api::<SeiNode>().get_opt("leaving-0").await?;
            Ok(match node {
                None => Progress::Ready(()),
                Some(_) => Progress::NotYet("it is there".to_owned()),
            })
        })
        .await?;
        let left = claims.get("data-leaving-0").await?;
        let same = left.metadata.uid == foreign.metadata.uid
            && left.metadata.resource_version == foreign.metadata.resource_version;
        ensure!(same, "the foreign claim was touched: {:?}", left.metadata);
        Ok(())
    });
}

async fn gone(env: &TestEnv) -> Result<()> {
    env.wait_for("nothing of the fleet to be left", || async {
        let nodes = env.api::<SeiNode>().list(&Default::default()).await?.items.len();
        let claims = env.api::<PersistentVolumeClaim>().list(&Default::default()).await?;
        let services = env.api::<Service>().list(&Default::default()).await?.items;
        let of_fleet = |it: &&Service| {
            it.metadata.labels.as_ref().is_some_and(|it| it.contains_key(labels::NODEDEPLOYMENT))
        };
        let services = services.iter().filter(of_fleet).count();
        let left = (nodes, claims.items.len(), services);
        Ok(if left == (0, 0, 0) {
            Progress::Ready(())
        } else {
            Progress::NotYet(format!("(nodes, claims, Services) = {left:?}"))
        })
    })
    .await?;
    Ok(())
}

async fn uids(env: &TestEnv) -> Result<Vec<Option<String>>> {
    let nodes = env.api::<SeiNode>().list(&Default::default()).await?.items;
    Ok(nodes.into_iter().map(|it| it.metadata.uid).collect())
}
