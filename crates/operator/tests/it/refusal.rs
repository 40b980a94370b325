//! What is in the schema but not built is refused by name; what runs is left alone.

use anyhow::{Result, ensure};
use sei_api::k8s;
use sei_api::{FullNode, SeiNode, SeiNodeDeployment};
use sei_harness::fixtures::{IMAGE_V1, new_snd};
use sei_harness::suite::{TestEnv, cond, cond_true};
use sei_harness::wait::Progress;
use serde_json::json;

use crate::support::{expect, scenario};

#[test]
fn a_snapshot_is_refused_and_nothing_is_created() {
    scenario("a_snapshot_is_refused_and_nothing_is_created", |env| async move {
        let snapshot = json!({ "stateSync": {} });
        let full_node: FullNode = serde_json::from_value(json!({ "snapshot": snapshot }))?;
        let fleet = new_snd(&env.ns, "restored")
            .with(|spec| spec.template.spec.full_node = Some(full_node))
            .build();
        let fleet = env.create_snd(&fleet).await?;
        let refused = refusal_of(&env, "restored").await?;
        let stalled = cond(&refused, "Stalled").map(|it| it.message.clone()).unwrap_or_default();
        ensure!(stalled.contains("spec.template.spec.fullNode.snapshot"), "{stalled}");
        ensure!(!cond_true(&refused, "Ready"));
        ensure!(env.list_children(&fleet).await?.is_empty(), "a child was created");
        let services = env.api::<k8s::Service>().list(&Default::default()).await?;
        ensure!(services.items.is_empty(), "a Service was created");
        warned_once(&env, &fleet).await?;

        // The way out that the message names works.
        let without = json!({ "template": { "spec": { "fullNode": { "snapshot": null } } } });
        env.patch_snd_spec("restored", without).await?;
        env.wait_settled("restored", IMAGE_V1).await?;
        Ok(())
    });
}

#[test]
fn a_running_fleet_is_left_alone_when_its_spec_is_refused() {
    scenario("a_running_fleet_is_left_alone_when_its_spec_is_refused", |env| async move {
        env.create_snd(&new_snd(&env.ns, "running").with_replicas(2).build()).await?;
        let before = env.wait_settled("running", IMAGE_V1).await?;
        let specs = |nodes: Vec<SeiNode>| nodes.into_iter().map(|it| it.spec).collect::<Vec<_>>();
        let children = specs(env.list_children(&before).await?);

        let snapshot = json!({ "stateSync": {} });
        let change = json!({ "template": { "spec": { "fullNode": { "snapshot": snapshot } } } });
        env.patch_snd_spec("running", change).await?;
        let refused = refusal_of(&env, "running").await?;
        let message = cond(&refused, "Stalled").map(|it| it.message.clone()).unwrap_or_default();
        ensure!(message.contains("spec.template.spec.fullNode.snapshot"), "{message}");
        let after = specs(env.list_children(&refused).await?);
        ensure!(children == after, "the children were changed");
        Ok(())
    });
}

async fn refusal_of(env: &TestEnv, name: &str) -> Result<SeiNodeDeployment> {
    let refused = env
        .wait_for_status(name, "a refusal", |fleet| {
            let stalled = cond(fleet, "Stalled");
            let refused =
                stalled.is_some_and(|it| it.status == "True" && it.reason == "NotSupportedYet");
            expect(refused, || format!("{stalled:?}"))
        })
        .await?;
    Ok(refused)
}

async fn warned_once(env: &TestEnv, fleet: &SeiNodeDeployment) -> Result<()> {
    let events = env
        .wait_for("a warning", || async {
            let events = env.list_events_for_snd(fleet, Some("NotSupportedYet")).await?;
            Ok(match events.len() {
                0 => Progress::NotYet("no event".to_owned()),
                _ => Progress::Ready(events),
            })
        })
        .await?;
    ensure!(events.len() == 1 && events[0].type_.as_deref() == Some("Warning"), "{events:?}");
    Ok(())
}
