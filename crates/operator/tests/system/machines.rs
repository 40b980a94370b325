//! Machines that are missing, silent or emptied: what is said of their nodes, and how they heal.
//!
//! Archive nodes ask for a pool of their own, so that nobody else is hit.

use anyhow::{Context, Result};
use kube::Api;
use kube::api::{DeleteParams, EvictParams, Patch, PatchParams};
use sei_api::condition::Reason;
use sei_api::event;
use sei_api::k8s::{Node, Pod, ResourceExt};
use sei_harness::local::machines::{self, Power};
use serde_json::json;

use crate::cluster::{Sight, Story, story};
use crate::diagnosis::{in_fleet, over, ready, told};

/// The pool that archive nodes ask for.
const POOL: &str = "sei-archive";

#[test]
fn nodes_wait_for_a_machine_outlive_its_silence_and_move_off_it() {
    story("machines", |story| async move {
        let mode = json!({"fullNode": null, "archive": {}});
        let archive = json!({"spec": {"template": {"spec": mode}}});
        story.create_fleet_with(1, "v1.0.0", archive).await?;
        let words =
            ["pod \"fleet-0-0\" fits on no machine", "untolerated taint", "add or free a machine"];
        told(&story, "fleet-0", Reason::Unschedulable, &words).await?;
        machines::join(&story.client, "archive-a", POOL).await?;
        let before = story.settled(1, "v1.0.0").await?;
        over(&before, "fleet-0", Reason::Unschedulable);
        assert_eq!(host(&before), Some("archive-a"));

        machines::switch(&story.client, "archive-a", Power::Off).await?;
        let words = ["node \"archive-a\" is not ready", "Kubelet stopped posting node status"];
        told(&story, "fleet-0", Reason::NodeUnreachable, &words).await?;
        machines::switch(&story.client, "archive-a", Power::On).await?;
        let after = story.settled(1, "v1.0.0").await?;
        over(&after, "fleet-0", Reason::NodeUnreachable);
        assert_eq!(before.pod_uids(), after.pod_uids(), "the pod was there all the time");

        machines::join(&story.client, "archive-b", POOL).await?;
        drain(&story, "archive-a").await?;
        story
            .wait_for("on the other machine", |sight| {
                let host = host(sight);
                (host != Some("archive-b")).then(|| format!("the pod is on {host:?}"))
            })
            .await?;
        let moved = story.settled(1, "v1.0.0").await?;
        assert_eq!(moved.claims.len(), 1, "with its volume");
        assert_eq!(moved.events_of(event::Reason::RolloutStarted), 0, "no rollout");

        lost_for_good(&story, "archive-b", "archive-a").await
    });
}

/// The machine under the only pod never comes back. Once somebody has taken its Node away, as a
/// cloud's controller does, the pods of it are collected, and the node starts elsewhere.
async fn lost_for_good(story: &Story, lost: &str, spare: &str) -> Result<()> {
    machines::switch(&story.client, lost, Power::Off).await?;
    let unreachable = Reason::NodeUnreachable;
    story
        .wait_for("unreachable again", |sight| {
            let said = ready(sight, "fleet-0").map(|it| it.reason.clone());
            (said.as_deref() != Some(unreachable.as_str())).then(|| format!("Ready says {said:?}"))
        })
        .await?;
    let nodes: Api<Node> = Api::all(story.client.clone());
    let uncordon = Patch::Merge(json!({"spec": {"unschedulable": null}}));
    nodes.patch(spare, &PatchParams::default(), &uncordon).await?;
    nodes.delete(lost, &DeleteParams::default()).await?;
    story
        .wait_for("on the spare machine", |sight| {
            let host = host(sight);
            (host != Some(spare)).then(|| format!("the pod is on {host:?}"))
        })
        .await?;
    let healed = story.settled(1, "v1.0.0").await?;
    assert_eq!(in_fleet(&healed, "fleet-0"), None);
    assert_eq!(healed.claims.len(), 1, "with its volume");
    let told = healed.messages_about("fleet-0", unreachable.as_str());
    assert_eq!(told.len(), 2, "once for each machine: {told:?}");
    assert_eq!(healed.events_of(event::Reason::RolloutStarted), 0, "no rollout");
    Ok(())
}

/// What `kubectl drain` does.
async fn drain(story: &Story, machine: &str) -> Result<()> {
    let nodes: Api<Node> = Api::all(story.client.clone());
    let cordon = Patch::Merge(json!({"spec": {"unschedulable": true}}));
    nodes.patch(machine, &PatchParams::default(), &cordon).await?;
    let pods = story.api::<Pod>();
    let pod = story.look().await?.pods.pop().context("no pod")?;
    pods.evict(&pod.name_any(), &EvictParams::default()).await?;
    Ok(())
}

/// The machine under the only pod.
fn host(sight: &Sight) -> Option<&str> {
    sight.pod("fleet-0")?.spec.as_ref()?.node_name.as_deref()
}
