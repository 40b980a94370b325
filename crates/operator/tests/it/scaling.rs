//! Children come and go with `replicas`, through the scale subresource too.

use anyhow::ensure;
use kube::api::{Patch, PatchParams};
use sei_api::SeiNodeDeployment;
use sei_harness::fixtures::{HASH_V2, IMAGE_V1, IMAGE_V2, new_snd};
use sei_harness::wait::Progress;
use serde_json::json;

use crate::invariants;
use crate::rollout::everything_runs;
use crate::support::{scenario, target};

const NAME: &str = "scaled";

#[test]
fn scale_subresource_adds_and_removes_children() {
    scenario("scale_subresource_adds_and_removes_children", |env| async move {
        env.create_snd(&new_snd(&env.ns, NAME).with_replicas(2).build()).await?;
        let fleet = env.wait_settled(NAME, IMAGE_V1).await?;
        for replicas in [3, 1] {
            let body = json!({ "spec": { "replicas": replicas } });
            env.api::<SeiNodeDeployment>()
                .patch_scale(NAME, &PatchParams::default(), &Patch::Merge(body))
                .await?;
            env.wait_settled(NAME, IMAGE_V1).await?;
            let children = env.list_children(&fleet).await?;
            ensure!(children.len() == replicas, "{} children", children.len());
        }
        let scale = env.api::<SeiNodeDeployment>().get_scale(NAME).await?;
        let selector = scale.status.and_then(|it| it.selector);
        ensure!(selector.as_deref() == Some("sei.io/nodedeployment=scaled"), "{selector:?}");
        let versions = env.history.deployments.versions()?;
        versions.never("a rollout because of scaling", |it| target(it).is_some())
    });
}

/// A child that is deleted in mid-rollout comes back at the target, and the rollout completes.
#[test]
fn a_child_deleted_in_mid_rollout_comes_back_at_the_target() {
    scenario("a_child_deleted_in_mid_rollout_comes_back_at_the_target", |env| async move {
        env.create_snd(&new_snd(&env.ns, NAME).with_replicas(2).build()).await?;
        let fleet = env.wait_settled(NAME, IMAGE_V1).await?;
        let old = env.list_children(&fleet).await?;
        let paused = env.faker.pause().await;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        env.history
            .deployments
            .eventually("the rollout", |it| target(&it.object).as_deref() == Some(HASH_V2))
            .await?;
        env.api::<sei_api::SeiNode>().delete("scaled-1", &Default::default()).await?;
        let uid = old[1].metadata.uid.clone();
        env.wait_for("another child of that name", || async {
            let children = env.list_children(&fleet).await?;
            let new = children.iter().find(|it| it.metadata.name.as_deref() == Some("scaled-1"));
            Ok(match new {
                Some(node) if node.metadata.uid != uid => Progress::Ready(()),
                Some(_) => Progress::NotYet("the old one is there".to_owned()),
                None => Progress::NotYet("none".to_owned()),
            })
        })
        .await?;
        drop(paused);
        let done = env
            .wait_for_status(NAME, "the rollout to be complete", |fleet| {
                invariants::complete(fleet, HASH_V2)
            })
            .await?;
        everything_runs(&env, &env.list_children(&done).await?, IMAGE_V2).await?;
        invariants::hold(&env, &done).await.map(drop)
    });
}
