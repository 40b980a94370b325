//! Creation, rollout and supersession, seen from the pods.

use anyhow::Result;
use kube::ResourceExt;
use sei_api::condition::Type;
use sei_api::event::Reason;

use crate::cluster::{FLEET, image, story, update_revision};

#[test]
fn created_fleet_runs_and_a_rollout_replaces_every_pod() {
    story("rollout", |story| async move {
        story.create_fleet(2, "v1.0.0").await?;
        let before = story.settled(2, "v1.0.0").await?;
        assert_eq!(before.events_of(Reason::RolloutStarted), 0, "a first version is no rollout");

        story.push("v2.0.0").await?;
        let after = story.settled(2, "v2.0.0").await?;

        let old = before.pod_uids();
        assert!(after.pod_uids().iter().all(|uid| !old.contains(uid)), "a pod was not replaced");
        pods_are_at_their_update_revision(&after)?;
        assert_eq!(after.events_of(Reason::RolloutStarted), 1);
        Ok(())
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
        assert_eq!(after.events_of(Reason::RolloutSuperseded), 1);
        Ok(())
    });
}

#[test]
fn change_of_mind_in_mid_flight_returns_every_pod_to_the_first_version() {
    story("returned", |story| async move {
        story.create_fleet(2, "v1.0.0").await?;
        story.settled(2, "v1.0.0").await?;
        story.push("v2.0.0").await?;
        story
            .wait_for("rolling out", |sight| {
                let is_rolling = sight.is_true(Type::RolloutInProgress);
                (!is_rolling).then(|| format!("\"{FLEET}\" has no rollout in progress"))
            })
            .await?;

        story.push("v1.0.0").await?;
        let after = story.settled(2, "v1.0.0").await?;

        pods_are_at_their_update_revision(&after)
    });
}

/// Under `OnDelete` only this says that what runs is what the template asks for.
fn pods_are_at_their_update_revision(sight: &crate::cluster::Sight) -> Result<()> {
    for pod in &sight.pods {
        let owner = pod.labels().get("sei.io/node").map(String::as_str).unwrap_or_default();
        let set = sight.sets.iter().find(|set| set.name_any() == owner);
        let wanted = set.map(update_revision).transpose()?;
        let runs = pod.labels().get("controller-revision-hash").map(String::as_str);
        assert_eq!(runs, wanted, "pod \"{}\"", pod.name_any());
    }
    Ok(())
}
