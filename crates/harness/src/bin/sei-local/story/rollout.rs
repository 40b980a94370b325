//! Create, roll out, supersede, be refused.

use anyhow::{Context, Result};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use sei_api::condition::{Reason, Type};
use sei_api::event;
use serde_json::json;

use super::{Teller, condition};
use crate::fleet::View;
use crate::sample::{self, FLEET, REFUSED, REPLICAS, Version};

/// Ends well only if every pod runs v3 and the supersession was recorded.
pub async fn tell(teller: &Teller<'_>) -> Result<()> {
    let Teller { screen, fleet, deployments, .. } = teller;
    screen.chapter(&format!("Create the fleet \"{FLEET}\": three full nodes, published"));
    teller.create(&sample::published()?).await?;
    let hosts = fleet.wait_for("published", published).await?;
    screen.done(&format!("its four routes are applied; first host name: {hosts}"));

    screen.chapter("Roll out v2.0.0, and change your mind");
    push(teller, Version::V2).await?;
    let moving = |view: &View| in_flight(view, Version::V2);
    fleet.wait_for("rolling out v2.0.0", moving).await?;
    screen.done("v2.0.0 is on its way");
    push(teller, Version::V3).await?;
    teller.settled(REPLICAS, Version::V3.tag()).await?;
    fleet.wait_for("recorded as superseded and complete", recorded).await?;
    screen.done("the supersession is on record, as an event of its own");

    screen.chapter("Ask for something that is not built yet");
    deployments.create(&PostParams::default(), &sample::refused()?).await?;
    screen.act(&format!("created SeiNodeDeployment {REFUSED} that starts from a snapshot"));
    let refusal = fleet.wait_for("refused", refusal).await?;
    screen.done(&format!("refused, not ignored: {refusal}"));
    deployments.delete(REFUSED, &DeleteParams::default()).await?;
    Ok(())
}

/// Edits the image at once: a process takes long enough to miss the middle of a rollout.
async fn push(teller: &Teller<'_>, version: Version) -> Result<()> {
    let patch = json!({"spec": {"template": {"spec": {"image": version.image()}}}});
    teller
        .deployments
        .patch(FLEET, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .with_context(|| format!("push {}", version.tag()))?;
    teller.screen.act(&format!("pushed {}", version.tag()));
    Ok(())
}

/// Whether a child has begun to move to a version and the fleet is not done with it.
fn in_flight(view: &View, version: Version) -> Result<(), String> {
    let deployment = view.deployment(FLEET).ok_or("it is not there")?;
    let status = deployment.status.unwrap_or_default();
    status.rollout.ok_or("no rollout is in progress")?;
    let targets = |node: &sei_api::SeiNode| {
        let plan = node.status.as_ref()?.plan.as_ref()?;
        plan.target.as_ref()?.image.clone()
    };
    let image = Some(version.image());
    let moving = view.nodes().iter().any(|node| targets(node) == image);
    moving.then_some(()).ok_or_else(|| format!("no node has a plan for {}", version.tag()))
}

/// The first host name of a fleet whose routes are applied, whether it resolves or not.
fn published(view: &View) -> Result<String, String> {
    let deployment = view.deployment(FLEET).ok_or("it is not there")?;
    let ready = condition(&deployment, Type::RouteReady).ok_or("it has no condition RouteReady")?;
    let applied = [Reason::HttpRouteReady, Reason::DnsPending].map(Reason::as_str);
    if !applied.contains(&ready.reason.as_str()) {
        return Err(format!("RouteReady is {}, {}", ready.status, ready.reason));
    }
    let routes = deployment.status.and_then(|it| it.networking_status);
    let first = routes.and_then(|it| it.routes.into_iter().next());
    first.map(|it| it.hostname).ok_or_else(|| "it has no host name".to_owned())
}

fn recorded(view: &View) -> Result<(), String> {
    let wanted = [event::Reason::RolloutSuperseded, event::Reason::RolloutComplete];
    let missing = wanted.into_iter().find(|reason| !view.has_event(FLEET, *reason));
    missing.map_or(Ok(()), |reason| Err(format!("there is no event {reason}")))
}

/// What the operator says about the fleet that it refuses.
fn refusal(view: &View) -> Result<String, String> {
    let deployment = view.deployment(REFUSED).ok_or("it is not there")?;
    let ready = condition(&deployment, Type::Ready).ok_or("it has no condition Ready")?;
    if ready.reason != Reason::NotSupportedYet.as_str() {
        return Err(format!("Ready is {}, {}", ready.status, ready.reason));
    }
    if !view.has_event(REFUSED, event::Reason::NotSupportedYet) {
        return Err("there is no event about it".to_owned());
    }
    Ok(format!("{}: {}", ready.reason, ready.message))
}
