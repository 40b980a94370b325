//! What cannot start must never look finished, must say why, and must heal.

use anyhow::{Context, Result};
use kube::api::{DeleteParams, PostParams};
use kube::{Api, ResourceExt};
use sei_api::condition::{Reason, Type};
use sei_api::event;
use sei_api::k8s::{PersistentVolume, Pod};
use sei_harness::history::StatusHistory;
use serde_json::{Value, json};

use crate::cluster::{
    Sight, Story, image, is_ready, lonely_story, start_operator, story, template_image,
};
use crate::diagnosis::{over, told};

/// How long a rollout may make no progress here, in seconds.
const DEADLINE: u32 = 5;
/// How long seid must run here, in seconds.
const MIN_READY: u32 = 2;

#[test]
fn bad_tag_ends_in_stalled_and_the_next_edit_heals_it() {
    story("bad-tag", |story| async move {
        story.create_fleet(2, "v1.0.0").await?;
        story.settled(2, "v1.0.0").await?;

        story.patch(impatient("missing", json!({}))).await?;
        let bad = image("missing");
        let words = ["pod \"fleet-1-0\"", &bad, "not found", "correct the image in the spec"];
        told(&story, "fleet-1", Reason::ImagePullFailed, &words).await?;
        told(&story, "fleet-0", Reason::ImagePullFailed, &["pod \"fleet-0-0\""]).await?;
        let stuck = stalled(&story, Reason::ImagePullFailed).await?;
        assert!(!stuck.is_true(Type::Ready), "a fleet that cannot pull is not Ready");
        assert!(stuck.is_true(Type::RolloutInProgress), "the rollout is not over");
        for node in &stuck.nodes {
            let seen = node.status.as_ref().and_then(|status| status.current_image.as_deref());
            assert_eq!(seen, Some(image("v1.0.0").as_str()), "nobody has seen another image run");
        }

        story.push("v1.0.0").await?;
        let healed = story.settled(2, "v1.0.0").await?;
        for node in ["fleet-0", "fleet-1"] {
            over(&healed, node, Reason::ImagePullFailed);
        }
        Ok(())
    });
}

#[test]
fn first_node_that_fails_stops_the_disruption_of_others() {
    story("one-by-one", |story| async move {
        story.create_fleet(3, "v1.0.0").await?;
        let before = story.settled(3, "v1.0.0").await?;

        story.patch(impatient("missing", json!({"maxUnavailable": 1}))).await?;
        told(&story, "fleet-2", Reason::ImagePullFailed, &["pod \"fleet-2-0\""]).await?;
        let stuck = stalled(&story, Reason::ImagePullFailed).await?;
        let said = stuck.condition(Type::Stalled).map(|it| it.message.as_str()).unwrap_or_default();
        assert!(said.contains("; 2 wait for others; "), "{said}");
        untouched(&before, &stuck, &["fleet-0", "fleet-1"]);

        story.push("v2.0.0").await?;
        let healed = story.settled(3, "v2.0.0").await?;
        over(&healed, "fleet-2", Reason::ImagePullFailed);
        Ok(())
    });
}

/// The pod alternates between ready and not, as its seid runs and crashes; what is said does not.
#[test]
fn crash_loop_is_told_once_and_ends_with_the_next_edit() {
    story("crash-loop", |story| async move {
        let pods = StatusHistory::<Pod>::watch(story.client.clone(), story.namespace).await?;
        story.create_fleet(1, "v1.0.0").await?;
        story.settled(1, "v1.0.0").await?;

        // seid runs for half a second, which a slow machine makes longer.
        let deadline = json!({"spec": {"progressDeadlineSeconds": 11}});
        story.patch(deadline).await?;
        story.push("crash").await?;
        let words = [
            "container \"seid\" of pod \"fleet-0-0\" does not stay up",
            "its last exit code is 1",
            "see kubectl -n crash-loop logs fleet-0-0 -c seid --previous",
        ];
        told(&story, "fleet-0", Reason::CrashLoop, &words).await?;
        stalled(&story, Reason::CrashLoop).await?;
        story.wait_for("crashing on", |sight| crashed_less_than(sight, 5)).await?;
        let ready = pods.versions()?.named("fleet-0-0").sequence_of(is_ready);
        assert!(ready.len() > 6, "the pod was never ready between crashes: {ready:?}");
        told(&story, "fleet-0", Reason::CrashLoop, &words).await?;
        stalled(&story, Reason::CrashLoop).await?;

        story.push("v2.0.0").await?;
        over(&story.settled(1, "v2.0.0").await?, "fleet-0", Reason::CrashLoop);
        Ok(())
    });
}

/// Nobody makes a volume; an administrator does.
#[test]
fn volume_that_does_not_bind_is_named_until_it_does() {
    story("no-volumes", |story| async move {
        story.create_fleet(1, "v1.0.0").await?;
        let words = [
            "data PVC \"data-fleet-0\" of storage class \"gp3-10k-750\" gives no volume",
            "see kubectl -n no-volumes describe pvc data-fleet-0",
        ];
        let stuck = told(&story, "fleet-0", Reason::VolumeNotBound, &words).await?;
        assert!(!stuck.is_true(Type::Ready), "a fleet without volumes is not Ready");

        let claim = stuck.claims.first().context("no claim")?;
        let volumes: Api<PersistentVolume> = Api::all(story.client.clone());
        let spec = claim.spec.as_ref().context("a claim without spec")?;
        let volume = json!({
            "metadata": {"name": "made-by-hand"},
            "spec": {
                "accessModes": spec.access_modes,
                "capacity": spec.resources.as_ref().and_then(|it| it.requests.as_ref()),
                "storageClassName": spec.storage_class_name,
                "claimRef": {"namespace": story.namespace, "name": claim.name_any()},
                "hostPath": {"path": "/nowhere"},
            },
        });
        volumes.create(&PostParams::default(), &serde_json::from_value(volume)?).await?;
        over(&story.settled(1, "v1.0.0").await?, "fleet-0", Reason::VolumeNotBound);
        Ok(())
    });
}

#[test]
fn pod_deleted_by_hand_comes_back_and_is_no_rollout() {
    story("lost-pod", |story| async move {
        let pods = StatusHistory::<Pod>::watch(story.client.clone(), story.namespace).await?;
        story.create_fleet(2, "v1.0.0").await?;
        let before = story.settled(2, "v1.0.0").await?;
        story.api::<Pod>().delete("fleet-0-0", &DeleteParams::default()).await?;
        story
            .wait_for("in a new pod", |sight| {
                let uids = [before.pod("fleet-0"), sight.pod("fleet-0")].map(|it| it?.uid());
                let is_new = uids[1].is_some() && uids[0] != uids[1];
                (!is_new).then(|| format!("the pods are {uids:?}"))
            })
            .await?;
        let after = story.settled(2, "v1.0.0").await?;

        untouched(&before, &after, &["fleet-1"]);
        let lives = pods.versions()?.named("fleet-0-0").sequence_of(|pod| pod.uid());
        assert_eq!(lives.len(), 2, "{lives:?}");
        assert_eq!(after.events_of(event::Reason::RolloutStarted), 0, "a lost pod is no rollout");
        for reason in [Reason::PodNotCreated, Reason::CrashLoop, Reason::NodeUnreachable] {
            let told = after.messages_about("fleet-0", reason.as_str());
            assert!(told.is_empty(), "nothing is wrong: {told:?}");
        }
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
        assert_eq!(after.events_of(event::Reason::RolloutStarted), 1);
        assert_eq!(after.events_of(event::Reason::RolloutSuperseded), 0);
        next.stop().await
    });
}

/// An edit to a version, of a fleet that soon says that it is stuck and soon that it is done.
fn impatient(tag: &str, mut in_place: Value) -> Value {
    in_place["minReadySeconds"] = json!(MIN_READY);
    json!({"spec": {
        "progressDeadlineSeconds": DEADLINE,
        "updateStrategy": {"inPlace": in_place},
        "template": {"spec": {"image": image(tag)}},
    }})
}

/// Waits until the fleet is stalled with `reason`; that is told once, and nothing is completed.
async fn stalled(story: &Story, reason: Reason) -> Result<Sight> {
    let objection = |sight: &Sight| {
        let said = sight.condition(Type::Stalled).map(|it| (&*it.status, &*it.reason));
        let events = sight.events_of(event::Reason::RolloutStalled);
        let is_stalled = said == Some(("True", reason.as_str())) && events == 1;
        (!is_stalled).then(|| format!("Stalled is {said:?}, {events} events"))
    };
    let stuck = story.wait_for(&format!("stalled with {reason}"), objection).await?;
    assert_eq!(stuck.events_of(event::Reason::RolloutComplete), 0, "nothing was completed");
    Ok(stuck)
}

/// The pods of these nodes are the same, and ready.
fn untouched(before: &Sight, after: &Sight, nodes: &[&str]) {
    for node in nodes {
        let (old, new) = (before.pod(node), after.pod(node));
        assert_eq!(old.map(ResourceExt::uid), new.map(ResourceExt::uid), "the pod of \"{node}\"");
        assert!(new.is_some_and(is_ready), "the pod of \"{node}\" is not ready");
    }
}

fn crashed_less_than(sight: &Sight, wanted: i32) -> Option<String> {
    let statuses =
        sight.pod("fleet-0").and_then(|pod| pod.status.as_ref()?.container_statuses.as_ref());
    let seid = statuses.into_iter().flatten().find(|it| it.name == "seid");
    let restarts = seid.map_or(0, |it| it.restart_count);
    (restarts < wanted).then(|| format!("seid was started again {restarts} times"))
}
