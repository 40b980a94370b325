//! Growing, shrinking, and going: without a trace, without the volumes, or without being noticed.

use anyhow::{Result, ensure};
use kube::ResourceExt;
use kube::api::DeleteParams;
use sei_api::SeiNodeDeployment;
use sei_api::k8s::ObjectMeta;
use serde_json::json;

use crate::cluster::{FLEET, Sight, Story, is_ready, story};

#[test]
fn fleet_grows_and_shrinks() {
    story("scaled", |story| async move {
        story.create_fleet(1, "v1.0.0").await?;
        story.settled(1, "v1.0.0").await?;
        story.patch(json!({"spec": {"replicas": 3}})).await?;
        story.settled(3, "v1.0.0").await?;
        story.patch(json!({"spec": {"replicas": 1}})).await?;
        story.settled(1, "v1.0.0").await?;
        Ok(())
    });
}

#[test]
fn deleted_fleet_leaves_nothing_behind() {
    story("deleted", |story| async move {
        story.create_fleet(2, "v1.0.0").await?;
        let before = story.settled(2, "v1.0.0").await?;
        assert_eq!((before.claims.len(), before.config_maps.len()), (2, 2));
        delete(&story).await?;
        story.wait_for("gone with all that was made for it", |it| leftovers(it, 0)).await?;
        Ok(())
    });
}

#[test]
fn volumes_that_are_to_stay_stay_alone() {
    story("volumes-kept", |story| async move {
        let keep = json!({"dataVolume": {"whenDeleted": "Retain"}});
        let keep = json!({"spec": {"template": {"spec": keep}}});
        story.create_fleet_with(2, "v1.0.0", keep).await?;
        let before = story.settled(2, "v1.0.0").await?;
        delete(&story).await?;
        let after = story.wait_for("gone but for its volumes", |it| leftovers(it, 2)).await?;
        let uids = |sight: &Sight| sight.claims.iter().map(ResourceExt::uid).collect::<Vec<_>>();
        assert_eq!(uids(&before), uids(&after), "the volumes are the same");
        assert!(after.claims.iter().all(|it| it.metadata.owner_references.is_none()));

        story.create_fleet(2, "v1.0.0").await?;
        let again = story.settled(2, "v1.0.0").await?;
        assert_eq!(uids(&before), uids(&again), "the next fleet takes them as they are");
        Ok(())
    });
}

/// The garbage collector, too, leaves alone what has no owner.
#[test]
fn retained_nodes_keep_serving_and_the_next_fleet_adopts_them() {
    story("retained", |story| async move {
        let retain = json!({"spec": {"deletionPolicy": "Retain"}});
        story.create_fleet_with(2, "v1.0.0", retain).await?;
        let before = story.settled(2, "v1.0.0").await?;
        delete(&story).await?;
        story
            .wait_for("gone", |sight| sight.fleet.is_some().then(|| "it is there".to_owned()))
            .await?;
        // A collector that wanted them would have them within this time.
        for _ in 0..10 {
            same_and_serving(&before, &story.look().await?)?;
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        let orphans = story.look().await?;
        assert!(orphans.nodes.iter().all(|it| it.metadata.owner_references.is_none()));

        story.create_fleet(2, "v1.0.0").await?;
        let after = story.settled(2, "v1.0.0").await?;
        same_and_serving(&before, &after)?;
        let heir = after.fleet.as_ref().and_then(ResourceExt::uid);
        assert!(after.nodes.iter().all(|it| owner(&it.metadata) == heir.as_deref()));
        delete(&story).await?;
        story.wait_for("gone with all that it took over", |it| leftovers(it, 0)).await?;
        Ok(())
    });
}

async fn delete(story: &Story) -> Result<()> {
    let fleets = story.api::<SeiNodeDeployment>();
    fleets.delete(FLEET, &DeleteParams::default()).await?;
    Ok(())
}

fn owner(meta: &ObjectMeta) -> Option<&str> {
    meta.owner_references.as_ref()?.first().map(|it| it.uid.as_str())
}

/// The same nodes, StatefulSets, volumes and pods, and the pods are ready.
fn same_and_serving(before: &Sight, after: &Sight) -> Result<()> {
    let uids = |sight: &Sight| {
        let nodes = sight.nodes.iter().map(ResourceExt::uid);
        let sets = sight.sets.iter().map(ResourceExt::uid);
        let claims = sight.claims.iter().map(ResourceExt::uid);
        let pods = sight.pods.iter().map(ResourceExt::uid);
        nodes.chain(sets).chain(claims).chain(pods).collect::<Vec<_>>()
    };
    ensure!(uids(before) == uids(after), "something went or was made anew");
    ensure!(after.pods.iter().all(is_ready), "a pod is not ready");
    Ok(())
}

/// What is left of a fleet beyond `volumes` claims.
fn leftovers(sight: &Sight, volumes: usize) -> Option<String> {
    let counts = [
        ("fleets", usize::from(sight.fleet.is_some()), 0),
        ("nodes", sight.nodes.len(), 0),
        ("StatefulSets", sight.sets.len(), 0),
        ("pods", sight.pods.len(), 0),
        ("claims", sight.claims.len(), volumes),
        ("services", sight.services.len(), 0),
        ("config maps", sight.config_maps.len(), 0),
    ];
    let left: Vec<_> = counts
        .into_iter()
        .filter(|(_, count, wanted)| count != wanted)
        .map(|(what, count, _)| format!("{count} {what}"))
        .collect();
    (!left.is_empty()).then(|| left.join(", "))
}
