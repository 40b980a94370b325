//! A change of the sidecar's image alone is a rollout like any other.

use anyhow::ensure;
use sei_api::k8s;
use sei_harness::fixtures::{IMAGE_V1, new_snd};
use sei_harness::suite::cond;
use serde_json::json;

use crate::invariants;
use crate::support::{expect, scenario, status, template_image};

const NAME: &str = "sidecars";
const OLD: &str = "ghcr.io/sei-protocol/seictl:v0.0.50";
const NEW: &str = "ghcr.io/sei-protocol/seictl:v0.0.51";

#[test]
fn a_sidecar_image_alone_rolls_the_fleet() {
    scenario("a_sidecar_image_alone_rolls_the_fleet", |env| async move {
        let fleet = new_snd(&env.ns, NAME).with_replicas(2).with_sidecar_image(OLD).build();
        env.create_snd(&fleet).await?;
        env.wait_settled(NAME, IMAGE_V1).await?;
        let change = json!({ "template": { "spec": { "sidecar": { "image": NEW } } } });
        env.patch_snd_spec(NAME, change).await?;
        let done = env
            .wait_for_status(NAME, "the rollout to be complete", |fleet| {
                let said = cond(fleet, "RolloutInProgress");
                let complete = said.is_some_and(|it| it.reason == "RolloutComplete");
                expect(complete && status(fleet).plan.is_none(), || format!("{said:?}"))
            })
            .await?;
        for child in env.list_children(&done).await? {
            let name = child.metadata.name.clone().unwrap_or_default();
            let set: k8s::StatefulSet = env.api().get(&name).await?;
            ensure!(template_image(&set, "sei-sidecar")? == NEW, "\"{name}\" kept its sidecar");
            let seen = child.status.and_then(|it| it.current_sidecar_image);
            ensure!(seen.as_deref() == Some(NEW), "\"{name}\" reports {seen:?}");
        }
        invariants::hold(&env, &done).await.map(drop)
    });
}
