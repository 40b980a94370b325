//! Creation, rollout and supersession, seen from the pods.

use std::time::Duration;

use anyhow::Result;
use kube::ResourceExt;
use sei_api::event::Reason;
use sei_api::k8s::Pod;
use sei_harness::fixtures::HASH_V2;
use sei_harness::history::StatusHistory;

use crate::cluster::{Sight, Story, image, story, template_image, update_revision};

#[test]
fn created_fleet_runs_and_a_rollout_replaces_every_pod() {
    story("rollout", |story| async move {
        let pods = StatusHistory::<Pod>::watch(story.client.clone(), story.namespace).await?;
        story.create_fleet(3, "v1.0.0").await?;
        let before = story.settled(3, "v1.0.0").await?;
        assert_eq!(before.events_of(Reason::RolloutStarted), 0, "a first version is no rollout");
        claims_are_bound(&before);

        story.push("v2.0.0").await?;
        let after = story.settled(3, "v2.0.0").await?;

        each_pod_was_replaced_once(&pods, &before, &after)?;
        pods_are_at_their_update_revision(&after)?;
        told_once(&story, &[Reason::RolloutStarted, Reason::RolloutComplete]).await
    });
}

#[test]
fn superseded_rollout_ends_with_every_pod_on_the_last_version() {
    story("superseded", |story| async move {
        story.create_fleet(2, "v1.0.0").await?;
        story.settled(2, "v1.0.0").await?;
        story.push("v2.0.0").await?;
        let second = image("v2.0.0");
        story
            .wait_for("replacing a pod for v2.0.0", |sight| {
                let is_moving = sight.pod_images().contains(&second);
                (!is_moving).then(|| format!("pods are made for {:?}", sight.pod_images()))
            })
            .await?;

        story.push("v3.0.0").await?;
        let after = story.settled(2, "v3.0.0").await?;

        pods_are_at_their_update_revision(&after)?;
        told_once(&story, &[Reason::RolloutSuperseded, Reason::RolloutComplete]).await?;
        let sight = story.look().await?;
        let told = sight.messages_of(Reason::RolloutSuperseded);
        assert!(told[0].ends_with(&format!("(old target: {HASH_V2})")), "{told:?}");
        Ok(())
    });
}

#[test]
fn change_of_mind_in_mid_flight_returns_every_pod_to_the_first_version() {
    story("returned", |story| async move {
        story.create_fleet(2, "v1.0.0").await?;
        story.settled(2, "v1.0.0").await?;
        story.push("v2.0.0").await?;
        let second = image("v2.0.0");
        story
            .wait_for("in a StatefulSet", |sight| {
                let is_there = sight.sets.iter().any(|set| template_image(set) == second);
                (!is_there).then(|| format!("no StatefulSet asks for {second}"))
            })
            .await?;

        story.push("v1.0.0").await?;
        let after = story.settled(2, "v1.0.0").await?;

        let first = image("v1.0.0");
        let asked: Vec<&str> = after.sets.iter().map(template_image).collect();
        assert!(asked.iter().all(|image| *image == first), "StatefulSets ask for {asked:?}");
        pods_are_at_their_update_revision(&after)
    });
}

/// Events follow the write that they tell of; each is there once, then and a second later.
async fn told_once(story: &Story, reasons: &[Reason]) -> Result<()> {
    let counts = |sight: &Sight| -> Vec<usize> {
        reasons.iter().map(|reason| sight.events_of(*reason)).collect()
    };
    let once = vec![1; reasons.len()];
    let objection = |sight: &Sight| {
        let counts = counts(sight);
        (counts != once).then(|| format!("{reasons:?} were told {counts:?} times"))
    };
    story.wait_for("told", objection).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(counts(&story.look().await?), once, "{reasons:?}");
    Ok(())
}

/// One pod of the old version and one of the new per node, in this order, never both at once.
fn each_pod_was_replaced_once(
    pods: &StatusHistory<Pod>,
    before: &Sight,
    after: &Sight,
) -> Result<()> {
    let versions = pods.versions()?;
    for (old, new) in before.pods.iter().zip(&after.pods) {
        let name = old.name_any();
        let seen = versions.named(&name);
        let lives = seen.sequence_of(|pod| pod.uid());
        let life = |pod: &Pod| {
            let revision = pod.labels().get("controller-revision-hash").cloned();
            let phase = pod.status.as_ref().and_then(|it| it.phase.clone());
            let machine = pod.spec.as_ref().and_then(|it| it.node_name.clone());
            let terminates = pod.metadata.deletion_timestamp.is_some();
            format!("{:?} {revision:?} {phase:?} on {machine:?}, {terminates}", pod.uid())
        };
        let told = seen.sequence_of(life);
        assert_eq!(lives, [old.uid(), new.uid()], "lives of pod \"{name}\": {told:#?}");
    }
    Ok(())
}

fn claims_are_bound(sight: &Sight) {
    let phases: Vec<Option<&str>> = sight
        .claims
        .iter()
        .map(|claim| claim.status.as_ref().and_then(|status| status.phase.as_deref()))
        .collect();
    assert_eq!(phases, [Some("Bound"); 3]);
}

/// Under `OnDelete` only this says that what runs is what the template asks for.
fn pods_are_at_their_update_revision(sight: &Sight) -> Result<()> {
    for pod in &sight.pods {
        let owner = pod.labels().get("sei.io/node").map(String::as_str).unwrap_or_default();
        let set = sight.sets.iter().find(|set| set.name_any() == owner);
        let wanted = set.map(update_revision).transpose()?;
        let runs = pod.labels().get("controller-revision-hash").map(String::as_str);
        assert_eq!(runs, wanted, "pod \"{}\"", pod.name_any());
    }
    Ok(())
}
