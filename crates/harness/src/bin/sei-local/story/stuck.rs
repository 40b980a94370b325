//! A tag that does not exist: the rollout stops at the first node, says why, and heals.

use anyhow::Result;
use sei_api::SeiNode;
use sei_api::condition::{Reason, Status, Type};
use sei_api::k8s::ResourceExt;
use serde_json::json;

use super::{Teller, condition, pods_of};
use crate::fleet::View;
use crate::sample::{self, FLEET, REPLICAS, Version};

/// The node that is updated first, and those that wait for it.
const FIRST: &str = "demo-2";
const OTHERS: [&str; 2] = ["demo-0", "demo-1"];

/// Ends well only if the fleet was stalled for the right reason, and healed.
pub async fn tell(teller: &Teller<'_>) -> Result<()> {
    let Teller { screen, fleet, .. } = teller;
    screen.chapter(&format!("Create the fleet \"{FLEET}\": three full nodes, updated one by one"));
    let one_by_one = json!({"maxUnavailable": 1});
    teller.create(&sample::careful(one_by_one)?).await?;
    let before = pods_of(&fleet.view(), &OTHERS);

    screen.chapter("Push a tag that does not exist");
    teller.push("missing").await?;
    fleet.wait_for("telling what is wrong", told).await?;
    screen.done(&format!("{FIRST} says why: {}", Reason::ImagePullFailed));
    screen.waits("nothing advances for 15 s (progressDeadlineSeconds)");
    fleet.wait_for("stalled", stalled).await?;
    screen.done(&format!("the fleet is Stalled: {}", Reason::ImagePullFailed));
    let is_same = |view: &View| same(view, &before);
    fleet.wait_for("sparing the others", is_same).await?;
    screen.done("the others were spared: demo-0 and demo-1 serve v1.0.0 in the same pods");
    teller.types(&["get", "snd,seinodes"]).await?;
    let why = "jsonpath={.status.nodes[2].message}";
    teller.types(&["get", "snd", FLEET, "-o", why]).await?;

    screen.chapter("Correct the tag");
    teller.push(Version::V2.tag()).await?;
    teller.settled(REPLICAS, Version::V2.tag()).await?;
    fleet.wait_for("well again", not_stalled).await?;
    screen.done("the reason left with its cause; the bad pod was replaced though never ready");
    Ok(())
}

fn told(view: &View) -> Result<(), String> {
    let nodes = view.nodes();
    let says = |node: &&SeiNode| {
        let conditions = node.status.iter().flat_map(|it| &it.conditions);
        let mut ready = conditions.filter(|it| it.type_ == Type::Ready.as_str());
        node.name_any() == FIRST && ready.any(|it| it.reason == Reason::ImagePullFailed.as_str())
    };
    nodes.iter().find(says).map(|_| ()).ok_or_else(|| format!("{FIRST} does not say it"))
}

fn stalled(view: &View) -> Result<(), String> {
    let deployment = view.deployment(FLEET).ok_or("it is not there")?;
    let said = condition(&deployment, Type::Stalled).ok_or("it has no condition Stalled")?;
    let is_meant =
        said.status == Status::True.as_str() && said.reason == Reason::ImagePullFailed.as_str();
    is_meant.then_some(()).ok_or_else(|| format!("Stalled is {}, {}", said.status, said.reason))
}

fn not_stalled(view: &View) -> Result<(), String> {
    let deployment = view.deployment(FLEET).ok_or("it is not there")?;
    let said = condition(&deployment, Type::Stalled).ok_or("it has no condition Stalled")?;
    let is_over = said.status == Status::False.as_str();
    is_over.then_some(()).ok_or_else(|| format!("Stalled is {}, {}", said.status, said.reason))
}

fn same(view: &View, before: &[Option<String>]) -> Result<(), String> {
    (pods_of(view, &OTHERS) == before)
        .then_some(())
        .ok_or_else(|| "another node lost its pod".to_owned())
}
