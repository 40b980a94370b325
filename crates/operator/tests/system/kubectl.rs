//! What people type, and what they see: the commands of `docs/kubectl.md`.

use anyhow::{Context, Result};
use sei_harness::fixtures::HASH_V2;
use serde_json::json;

use crate::cluster::{Story, story};

/// How the tables of both kinds begin.
const FLEETS: [&str; 2] = [
    "NAME READY REPLICAS PHASE AGE",
    "NAME READY REPLICAS PHASE TARGET UPDATED STALLED REASON IMAGE AGE",
];
const NODES: [&str; 2] = ["NAME PHASE IMAGE AGE", "NAME PHASE IMAGE TARGET STALLED REASON AGE"];

const V1: &str = "ghcr.io/sei-protocol/seid:v1.0.0";
const V2: &str = "ghcr.io/sei-protocol/seid:v2.0.0";

#[test]
fn a_fleet_is_listed_described_awaited_and_scaled() {
    story("kubectl", |story| async move {
        story.create_fleet(2, "v1.0.0").await?;
        ready(&story).await?;
        story.kubectl(&["wait", "--for=condition=Ready", "snode/fleet-0", WAIT]).await?;
        table(&story, &["snd"], (FLEETS[0], "fleet 2 2 Ready")).await?;
        let row = format!("fleet 2 2 Ready 2 False Ready {V1}");
        table(&story, &["snd", "-o", "wide"], (FLEETS[1], &row)).await?;
        table(&story, &["snode"], (NODES[0], &format!("fleet-0 Running {V1}"))).await?;
        let row = format!("fleet-0 Running {V1} {V1} False Ready");
        table(&story, &["snode", "-o", "wide"], (NODES[1], &row)).await?;
        let all = story.kubectl(&["get", "sei"]).await?;
        for object in ["seinode.sei.io/fleet-1", "seinodedeployment.sei.io/fleet"] {
            assert!(all.contains(object), "{all}");
        }

        story.push("v2.0.0").await?;
        // The rollout's record is there until the fleet runs v2, and this is what it then holds.
        let target = format!("--for=jsonpath={{.status.rollout.targetHash}}={HASH_V2}");
        story.kubectl(&["wait", &target, "snd/fleet", WAIT]).await?;
        let done = format!("--for=jsonpath={{.status.templateHash}}={HASH_V2}");
        story.kubectl(&["wait", &done, "snd/fleet", WAIT]).await?;
        let over = "--for=condition=RolloutInProgress=False";
        story.kubectl(&["wait", over, "snd/fleet", WAIT]).await?;
        let parts = ["Type: Stalled", "RolloutComplete", "Plan execution started"];
        described(&story, &["snd", "fleet"], &parts).await?;
        let image = format!("Current Image: {V2}");
        described(&story, &["snode", "fleet-0"], &[&image, "PhaseTransition"]).await?;

        let scaled = ["scale", "snd/fleet", "--current-replicas=2", "--replicas=3"];
        let said = story.kubectl(&scaled).await?;
        assert_eq!(said, "seinodedeployment.sei.io/fleet scaled\n");
        story
            .kubectl(&["wait", "--for=jsonpath={.status.readyReplicas}=3", "snd/fleet", WAIT])
            .await?;
        ready(&story).await?;
        let again = story.kubectl(&scaled).await.err().context("scaled from a wrong number")?;
        assert!(again.to_string().contains("Expected replicas to be 2, was 3"), "{again}");
        let node = story.kubectl(&["scale", "snode/fleet-0", "--replicas=2"]).await.err();
        assert!(node.is_some(), "a node is one node");
        Ok(())
    });
}

#[test]
fn a_stuck_rollout_is_seen_in_each_list() {
    story("kubectl-stuck", |story| async move {
        story.create_fleet(2, "v1.0.0").await?;
        ready(&story).await?;
        story.patch(json!({"spec": {"progressDeadlineSeconds": 5}})).await?;
        story.push("v9.9.9-missing").await?;
        story.kubectl(&["wait", "--for=condition=Stalled", "snd/fleet", WAIT]).await?;
        let bad = "ghcr.io/sei-protocol/seid:v9.9.9-missing";
        let fleet = ["snd", "-o", "wide"];
        let row = table(&story, &fleet, (FLEETS[1], "fleet")).await?;
        assert!(row.contains(&format!("Upgrading {}", target(&story).await?)), "{row}");
        assert!(row.contains(&format!(" True ImagePullFailed {bad}")), "{row}");
        let row = format!("fleet-0 Running {V1} {bad} False ImagePullFailed");
        table(&story, &["snode", "-o", "wide"], (NODES[1], &row)).await?;
        story.kubectl(&["get", "pods"]).await?;
        described(&story, &["snode", "fleet-0"], &["Warning ImagePullFailed"]).await?;

        story.push("v1.0.0").await?;
        ready(&story).await
    });
}

const WAIT: &str = "--timeout=90s";

async fn ready(story: &Story) -> Result<()> {
    let said = story.kubectl(&["wait", "--for=condition=Ready", "snd/fleet", WAIT]).await?;
    assert_eq!(said, "seinodedeployment.sei.io/fleet condition met\n");
    Ok(())
}

async fn target(story: &Story) -> Result<String> {
    story.kubectl(&["get", "snd", "fleet", "-o", "jsonpath={.status.rollout.targetHash}"]).await
}

/// What `kubectl describe` prints holds these, blanks made one.
async fn described(story: &Story, what: &[&str], parts: &[&str]) -> Result<()> {
    let printed = story.kubectl(&[&["describe"], what].concat()).await?;
    let words = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(words.contains(part), "no {part:?} in\n{printed}");
    }
    Ok(())
}

/// The first row of what `kubectl get` prints, blanks made one, once its head and its beginning are
/// these. `docs/kubectl.md` shows a table with this head.
async fn table(story: &Story, what: &[&str], (head, row): (&str, &str)) -> Result<String> {
    let printed = story.kubectl(&[&["get"], what].concat()).await?;
    let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = printed.lines().map(squeezed).collect();
    assert_eq!(lines[0], head, "{printed}");
    assert!(lines[1].starts_with(row), "{printed} does not begin with {row:?}");
    let book = include_str!("../../../../docs/kubectl.md");
    assert!(book.lines().any(|line| squeezed(line) == head), "docs/kubectl.md has no {head:?}");
    Ok(lines[1].clone())
}
