//! A version that crashes: the fleet goes back to what ran, and leaves the spec to its owner.

use anyhow::Result;
use sei_api::condition::Reason;
use serde_json::json;

use super::{Teller, stalled};
use crate::fleet::View;
use crate::rows::{pod_image, tag};
use crate::sample::{self, FLEET, REPLICAS, Version, image};

/// A version that the local cluster's kubelets let crash.
const CRASHES: &str = "v2.0.0-crash";

/// Ends well only if the fleet went back by itself and then took the next version.
pub async fn tell(teller: &Teller<'_>) -> Result<()> {
    let Teller { screen, fleet, .. } = teller;
    screen.chapter(&format!("Create the fleet \"{FLEET}\": three full nodes that may go back"));
    let strategy = json!({"maxUnavailable": 1, "onFailure": "Rollback"});
    teller.create(&sample::careful(strategy)?).await?;

    screen.waits("v1.0.0 has to run for 10 s before it counts as good (minReadySeconds)");
    fleet.wait_for("worth going back to", is_good).await?;
    screen.done("status.lastGood is v1.0.0: a rollback goes there");

    screen.chapter("Push a version that crashes");
    teller.push(CRASHES).await?;
    screen.waits("nothing advances for 15 s (progressDeadlineSeconds)");
    fleet.wait_for("rolled back", rolled_back).await?;
    screen.done("every pod runs v1.0.0 again; nobody did anything");
    teller.types(&["get", "snd,seinodes"]).await?;
    let image = "jsonpath={.spec.template.spec.image}";
    teller.types(&["get", "snd", FLEET, "-o", image]).await?;
    let why = "jsonpath={.status.conditions[?(@.type==\"Stalled\")].message}";
    teller.types(&["get", "snd", FLEET, "-o", why]).await?;
    screen.done("the spec was not touched: what it asks for is not tried again as it is");

    screen.chapter("Push a version that works");
    teller.push(Version::V3.tag()).await?;
    teller.settled(REPLICAS, Version::V3.tag()).await
}

fn is_good(view: &View) -> Result<(), String> {
    let deployment = view.deployment(FLEET).ok_or("it is not there")?;
    let good = deployment.status.and_then(|it| it.last_good);
    good.map(|_| ()).ok_or_else(|| "it has no lastGood".to_owned())
}

fn rolled_back(view: &View) -> Result<(), String> {
    let deployment = view.deployment(FLEET).ok_or("it is not there")?;
    let asked = tag(&deployment.spec.template.spec.image).to_owned();
    if asked != CRASHES {
        return Err(format!("the spec was changed to {asked}"));
    }
    stalled(view, Reason::RolledBack)?;
    let first = image(Version::V1.tag());
    let back = |node: &sei_api::SeiNode| {
        let name = node.metadata.name.as_deref().unwrap_or_default();
        view.pod_of(name).as_ref().and_then(pod_image) == Some(first.as_str())
    };
    let nodes = view.nodes();
    let count = nodes.iter().filter(|node| back(node)).count();
    (count == REPLICAS).then_some(()).ok_or_else(|| format!("{count} pods run v1.0.0"))
}
