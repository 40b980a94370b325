//! Growing, shrinking, and going without a trace.

use kube::api::DeleteParams;
use sei_api::SeiNodeDeployment;
use serde_json::json;

use crate::cluster::{FLEET, Sight, story};

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
        let fleets = story.api::<SeiNodeDeployment>();
        fleets.delete(FLEET, &DeleteParams::default()).await?;
        story.wait_for("gone with all that was made for it", leftovers).await?;
        Ok(())
    });
}

fn leftovers(sight: &Sight) -> Option<String> {
    let counts = [
        ("fleets", usize::from(sight.fleet.is_some())),
        ("nodes", sight.nodes.len()),
        ("StatefulSets", sight.sets.len()),
        ("pods", sight.pods.len()),
        ("claims", sight.claims.len()),
        ("services", sight.services.len()),
        ("config maps", sight.config_maps.len()),
    ];
    let left: Vec<_> = counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    (!left.is_empty()).then(|| left.join(", "))
}
