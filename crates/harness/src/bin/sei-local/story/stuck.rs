//! A tag that does not exist: the rollout stops at the first node and says why; a scale is heard
//! all the same, and a rollback ends it.

use anyhow::Result;
use sei_api::SeiNode;
use sei_api::condition::{Reason, Status, Type};
use sei_api::event;
use sei_api::k8s::ResourceExt;
use serde_json::json;

use super::{Teller, condition, pods_of, stalled};
use crate::fleet::View;
use crate::sample::{self, FLEET, REPLICAS, Version};

/// The node that is updated first, and those that wait for it.
const FIRST: &str = "demo-2";
const OTHERS: [&str; 2] = ["demo-0", "demo-1"];
/// What the fleet is scaled to while it is stuck, and the node that this makes.
const GROWN: usize = REPLICAS + 1;
const NEW: &str = "demo-3";

/// Ends well only if the fleet was stalled for the right reason, heard the scale, and went back.
pub async fn tell(teller: &Teller<'_>) -> Result<()> {
    let Teller { screen, fleet, .. } = teller;
    let v1 = Version::V1.tag();
    screen.chapter(&format!("Create the fleet \"{FLEET}\": three full nodes, updated one by one"));
    let one_by_one = json!({"maxUnavailable": 1});
    teller.create(&sample::careful(one_by_one)?).await?;
    let before = pods_of(&fleet.view(), &OTHERS);
    let is_same = |view: &View| same(view, &before);

    screen.chapter("Push a tag that does not exist");
    teller.push("missing").await?;
    fleet.wait_for("telling what is wrong", |view| told(view, FIRST)).await?;
    screen.done(&format!("{FIRST} says why: {}", Reason::ImagePullFailed));
    screen.waits("nothing advances for 15 s (progressDeadlineSeconds)");
    fleet.wait_for("stalled", |view| stalled(view, Reason::ImagePullFailed)).await?;
    screen.done(&format!("the fleet is Stalled: {}", Reason::ImagePullFailed));
    fleet.wait_for("sparing the others", is_same).await?;
    screen.done("the others were spared: demo-0 and demo-1 serve v1.0.0 in the same pods");
    look(teller).await?;
    let why = "jsonpath={.status.nodes[2].message}";
    teller.types(&["get", "snd", FLEET, "-o", why]).await?;

    screen.chapter("Scale it to four while it is stuck");
    teller.scale(GROWN).await?;
    fleet.wait_for("telling the same of the new node", |view| told(view, NEW)).await?;
    screen
        .done(&format!("the scale was heard: {NEW} is made for what the spec asks, and fails too"));
    fleet.wait_for("stalled still", |view| stalled(view, Reason::ImagePullFailed)).await?;
    fleet.wait_for("sparing the others", is_same).await?;
    screen.done("it changed nothing else: Stalled as before, demo-0 and demo-1 in the same pods");
    look(teller).await?;

    screen.chapter("Roll back: push the tag that ran before");
    teller.push(v1).await?;
    teller.settled(GROWN, v1).await?;
    fleet.wait_for("well again", not_stalled).await?;
    fleet.wait_for("on record as superseded", superseded).await?;
    screen.done("the reason left with its cause; the bad pods were replaced though never ready");
    fleet.wait_for("sparing the others", is_same).await?;
    screen.done("demo-0 and demo-1 served v1.0.0 in the same pods from beginning to end");
    look(teller).await
}

/// What a person looks at first.
async fn look(teller: &Teller<'_>) -> Result<()> {
    teller.types(&["get", "snd,seinodes"]).await?;
    let why = "jsonpath={.status.conditions[?(@.type==\"Stalled\")].message}";
    teller.types(&["get", "snd", FLEET, "-o", why]).await
}

fn told(view: &View, name: &str) -> Result<(), String> {
    let nodes = view.nodes();
    let says = |node: &&SeiNode| {
        let conditions = node.status.iter().flat_map(|it| &it.conditions);
        let mut ready = conditions.filter(|it| it.type_ == Type::Ready.as_str());
        node.name_any() == name && ready.any(|it| it.reason == Reason::ImagePullFailed.as_str())
    };
    nodes.iter().find(says).map(|_| ()).ok_or_else(|| format!("{name} does not say it"))
}

fn not_stalled(view: &View) -> Result<(), String> {
    let deployment = view.deployment(FLEET).ok_or("it is not there")?;
    let said = condition(&deployment, Type::Stalled).ok_or("it has no condition Stalled")?;
    let is_over = said.status == Status::False.as_str();
    is_over.then_some(()).ok_or_else(|| format!("Stalled is {}, {}", said.status, said.reason))
}

fn superseded(view: &View) -> Result<(), String> {
    let reason = event::Reason::RolloutSuperseded;
    let is_there = view.has_event(FLEET, reason);
    is_there.then_some(()).ok_or_else(|| format!("there is no event {reason}"))
}

fn same(view: &View, before: &[Option<String>]) -> Result<(), String> {
    (pods_of(view, &OTHERS) == before)
        .then_some(())
        .ok_or_else(|| "another node lost its pod".to_owned())
}
