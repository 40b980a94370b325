//! Sidecars that fail at their work or do not answer, beside pods that are well.

use kube::api::{Patch, PatchParams};
use sei_api::condition::Reason;
use sei_api::{SeiNode, event, labels};
use sei_sidecar_api::TaskType;
use sei_sidecar_sim::Target;
use serde_json::json;

use crate::cluster::{Sight, story};
use crate::diagnosis::{in_fleet, over, ready, told};

#[test]
fn task_that_fails_is_named_until_it_succeeds() {
    story("task-fails", |story| async move {
        let task = Target::any().in_namespace(story.namespace).task(TaskType::ConfigureGenesis);
        story.sidecars.fail_times(task, 1, "cannot fetch genesis.json: access denied");
        story.create_fleet(1, "v1.0.0").await?;
        let words = [
            "task configure-genesis fails since",
            "cannot fetch genesis.json: access denied",
            "it is repeated by itself",
            "see kubectl -n task-fails logs fleet-0-0 -c sei-sidecar",
        ];
        told(&story, "fleet-0", Reason::SidecarTaskFailed, &words).await?;
        over(&story.settled(1, "v1.0.0").await?, "fleet-0", Reason::SidecarTaskFailed);
        Ok(())
    });
}

/// What failed for good is held for a minute, unless somebody says that its cause is gone.
#[test]
fn plan_that_failed_is_tried_again_at_once_when_asked() {
    story("plan-fails", |story| async move {
        let task = Target::any().in_namespace(story.namespace).task(TaskType::ConfigApply);
        story.sidecars.fail_times(task, 1, "cannot write app.toml: read-only file system");
        story.create_fleet(1, "v1.0.0").await?;
        let failed = story.wait_for("failed, and told once", not_failed).await?;
        let said = ready(&failed, "fleet-0").map(|it| it.message.clone()).unwrap_or_default();
        assert!(
            said.contains("config-apply: cannot write app.toml: read-only file system"),
            "{said}"
        );
        assert!(said.ends_with(", or set sei.io/retry"), "{said}");

        let again = Patch::Merge(json!({"metadata": {"annotations": {labels::RETRY: "repaired"}}}));
        let nodes = story.api::<SeiNode>();
        nodes.patch("fleet-0", &PatchParams::default(), &again).await?;
        let healed = story.settled(1, "v1.0.0").await?;
        assert_eq!(ready(&healed, "fleet-0").map(|it| it.status.as_str()), Some("True"));
        assert_eq!(healed.messages_about("fleet-0", event::Reason::NodeFailed.as_str()).len(), 1);
        Ok(())
    });
}

fn not_failed(sight: &Sight) -> Option<String> {
    let said = ready(sight, "fleet-0").map(|it| it.reason.as_str());
    let events = sight.messages_about("fleet-0", event::Reason::NodeFailed.as_str()).len();
    let has_failed = said == Some(Reason::SidecarTaskFailed.as_str()) && events == 1;
    (!has_failed).then(|| format!("Ready is {said:?}, {events} events"))
}

#[test]
fn sidecar_that_does_not_answer_is_named_until_it_does() {
    story("silent", |story| async move {
        story.create_fleet(1, "v1.0.0").await?;
        story.settled(1, "v1.0.0").await?;
        let sidecar = story.sidecars.node(story.namespace, "fleet-0");
        sidecar.unreachable();
        let words = [
            "the sidecar of node \"fleet-0\" gives no usable answer since",
            "see kubectl -n silent logs fleet-0-0 -c sei-sidecar",
        ];
        told(&story, "fleet-0", Reason::SidecarUnreachable, &words).await?;
        sidecar.reachable();
        // The pods are ready all the time, and so is the fleet.
        let healed = story
            .wait_for("well again", |sight| {
                let said = ready(sight, "fleet-0").map(|it| it.status.as_str());
                let in_fleet = in_fleet(sight, "fleet-0");
                let is_well = said == Some("True") && in_fleet.is_none();
                (!is_well).then(|| format!("Ready is {said:?}, the fleet says {in_fleet:?}"))
            })
            .await?;
        over(&healed, "fleet-0", Reason::SidecarUnreachable);
        Ok(())
    });
}
