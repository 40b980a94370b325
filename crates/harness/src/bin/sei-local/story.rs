//! What happens, in order: create, roll out, supersede, be refused.

use anyhow::{Context, Result};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use sei_api::condition::{Reason, Status, Type};
use sei_api::k8s::Condition;
use sei_api::{SeiNodeDeployment, event};
use serde_json::json;

use crate::fleet::{Fleet, View};
use crate::rows::{pod_image, tag};
use crate::sample::{self, FLEET, NAMESPACE, REFUSED, REPLICAS, Version};
use crate::screen::Screen;

/// Tells the story; ends well only if every pod runs v3 and the supersession was recorded.
pub async fn tell(client: &Client, screen: &Screen, fleet: &Fleet) -> Result<()> {
    let deployments: Api<SeiNodeDeployment> = Api::namespaced(client.clone(), NAMESPACE);
    screen.chapter(&format!("Create the fleet \"{FLEET}\": three full nodes, published"));
    deployments.create(&PostParams::default(), &sample::fleet()?).await?;
    screen.act(&format!("created SeiNodeDeployment {FLEET} with {}", Version::V1.tag()));
    fleet.wait_for("ready on v1.0.0", |view| settled(view, Version::V1)).await?;
    screen.done("the fleet is Ready, every pod runs v1.0.0");
    let hosts = fleet.wait_for("published", published).await?;
    screen.done(&format!("its four routes are applied; first host name: {hosts}"));

    screen.chapter("Roll out v2.0.0, and change your mind");
    push(&deployments, screen, Version::V2).await?;
    let moving = |view: &View| in_flight(view, Version::V2);
    fleet.wait_for("rolling out v2.0.0", moving).await?;
    screen.done("v2.0.0 is on its way");
    push(&deployments, screen, Version::V3).await?;
    fleet.wait_for("ready on v3.0.0", |view| settled(view, Version::V3)).await?;
    screen.done("the fleet is Ready, every pod runs v3.0.0");
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

async fn push(
    deployments: &Api<SeiNodeDeployment>,
    screen: &Screen,
    version: Version,
) -> Result<()> {
    let patch = json!({"spec": {"template": {"spec": {"image": version.image()}}}});
    deployments
        .patch(FLEET, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .with_context(|| format!("push {}", version.tag()))?;
    screen.act(&format!("pushed {}", version.tag()));
    Ok(())
}

/// Whether the fleet says that it is ready on a version, and its pods say the same.
fn settled(view: &View, version: Version) -> Result<(), String> {
    let deployment = view.deployment(FLEET).ok_or("it is not there")?;
    let ready = condition(&deployment, Type::Ready).ok_or("it has no condition Ready")?;
    let (nodes, image) = (view.nodes(), version.image());
    if nodes.len() != REPLICAS {
        return Err(format!("{} of {REPLICAS} nodes exist", nodes.len()));
    }
    for node in &nodes {
        let name = node.metadata.name.as_deref().unwrap_or_default();
        let pod = view.pod_of(name).ok_or_else(|| format!("\"{name}\" has no pod"))?;
        let runs = pod_image(&pod).unwrap_or_default();
        if runs != image || pod.metadata.deletion_timestamp.is_some() {
            return Err(format!("the pod of \"{name}\" is made for {}", tag(runs)));
        }
        let seen = node.status.as_ref().and_then(|status| status.current_image.as_deref());
        if seen != Some(image.as_str()) {
            return Err(format!("\"{name}\" is not seen to run {}", version.tag()));
        }
    }
    let status = deployment.status.as_ref();
    let observed = status.and_then(|status| status.observed_generation);
    if ready.status != Status::True.as_str() || observed != deployment.metadata.generation {
        return Err(format!("Ready is {}, {}: {}", ready.status, ready.reason, ready.message));
    }
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

fn condition(deployment: &SeiNodeDeployment, wanted: Type) -> Option<Condition> {
    let conditions = &deployment.status.as_ref()?.conditions;
    conditions.iter().find(|condition| condition.type_ == wanted.as_str()).cloned()
}
