//! What cannot start must never look finished, and must heal.

use kube::api::DeleteParams;
use sei_api::condition::Type;
use sei_api::event::Reason;
use sei_api::k8s::Pod;

use crate::cluster::{
    Sight, image, lonely_story, seid_image, start_operator, story, template_image,
};

#[test]
fn bad_tag_never_ends_in_ready_and_a_rollback_heals_it() {
    story("bad-tag", |story| async move {
        story.create_fleet(2, "v1.0.0").await?;
        story.settled(2, "v1.0.0").await?;

        story.push("missing").await?;
        let stuck = story.wait_for("failing to pull", not_all_failing_to_pull).await?;
        assert!(!stuck.is_true(Type::Ready), "a fleet that cannot pull is not Ready");
        assert!(stuck.is_true(Type::RolloutInProgress), "the rollout is not over");
        assert_eq!(stuck.events_of(Reason::RolloutComplete), 0, "nothing was completed");
        let bad = image("missing");
        for node in &stuck.nodes {
            let seen = node.status.as_ref().and_then(|status| status.current_image.as_deref());
            assert_ne!(seen, Some(bad.as_str()), "nobody has seen this image run");
        }

        story.push("v1.0.0").await?;
        story.settled(2, "v1.0.0").await?;
        Ok(())
    });
}

#[test]
fn lost_pod_comes_back_ready_by_itself() {
    story("lost-pod", |story| async move {
        story.create_fleet(1, "v1.0.0").await?;
        let before = story.settled(1, "v1.0.0").await?.pod_uids();
        story.api::<Pod>().delete("fleet-0-0", &DeleteParams::default()).await?;
        story
            .wait_for("in a new pod", |sight| {
                let uids = sight.pod_uids();
                let is_new = uids.len() == 1 && uids != before;
                (!is_new).then(|| format!("the pods are {uids:?}"))
            })
            .await?;
        let after = story.settled(1, "v1.0.0").await?;
        assert_eq!(after.events_of(Reason::RolloutStarted), 0, "a lost pod is no rollout");
        Ok(())
    });
}

/// The operator is killed as soon as a StatefulSet asks for the new version; the next one goes on
/// where it stood, and tells nothing twice.
#[test]
fn killed_operator_is_continued_by_the_next() {
    lonely_story("killed", |story, cluster| async move {
        let first = start_operator(&cluster).await?;
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
        // Dropping it kills the process where it stands.
        drop(first);

        let next = start_operator(&cluster).await?;
        let after = story.settled(2, "v2.0.0").await?;
        assert_eq!(after.events_of(Reason::RolloutStarted), 1);
        assert_eq!(after.events_of(Reason::RolloutSuperseded), 0);
        next.stop().await
    });
}

fn not_all_failing_to_pull(sight: &Sight) -> Option<String> {
    let failing = sight.pods.iter().filter(|pod| is_failing_to_pull(pod)).count();
    (failing < 2).then(|| format!("{failing} of 2 pods fail to pull"))
}

fn is_failing_to_pull(pod: &Pod) -> bool {
    let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    let reasons = statuses.into_iter().flatten().filter_map(|container| {
        let waiting = container.state.as_ref()?.waiting.as_ref()?;
        (container.name == "seid").then_some(waiting.reason.as_deref()?)
    });
    seid_image(pod) == image("missing") && reasons.eq(["ImagePullBackOff"])
}
