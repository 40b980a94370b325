//! More nodes, then fewer: what stays is not touched.

use anyhow::Result;
use sei_api::event;

use super::{Teller, pods_of};
use crate::fleet::View;
use crate::sample::{self, FLEET, REPLICAS, Version};

const GROWN: usize = 5;
const SHRUNK: usize = 2;
const STAY: [&str; SHRUNK] = ["demo-0", "demo-1"];

/// Ends well only if the nodes that stay kept their pods.
pub async fn tell(teller: &Teller<'_>) -> Result<()> {
    let Teller { screen, fleet, .. } = teller;
    let v1 = Version::V1.tag();
    screen.chapter(&format!("Create the fleet \"{FLEET}\": three full nodes"));
    teller.create(&sample::fleet(REPLICAS)?).await?;
    let before = pods_of(&fleet.view(), &STAY);

    screen.chapter("Scale it to five");
    teller.scale(GROWN).await?;
    teller.settled(GROWN, v1).await?;
    teller.types(&["get", "snd,seinodes"]).await?;

    screen.chapter("Scale it to two");
    teller.scale(SHRUNK).await?;
    fleet.wait_for("without its pods", shrunk).await?;
    teller.settled(SHRUNK, v1).await?;
    let is_same = |view: &View| {
        let same = pods_of(view, &STAY) == before;
        same.then_some(()).ok_or_else(|| "a node that stays lost its pod".to_owned())
    };
    fleet.wait_for("left alone", is_same).await?;
    screen.done("demo-0 and demo-1 kept their pods all the time; no rollout was started");
    teller.types(&["get", "pods,pvc", "-o", "name"]).await?;
    screen.done("the volumes of the others went with them (dataVolume.whenDeleted: Delete)");
    Ok(())
}

fn shrunk(view: &View) -> Result<(), String> {
    if view.has_event(FLEET, event::Reason::RolloutStarted) {
        return Err("scaling started a rollout".to_owned());
    }
    let left = (SHRUNK..GROWN).filter(|index| view.pod_of(&format!("{FLEET}-{index}")).is_some());
    let left = left.count();
    (left == 0).then_some(()).ok_or_else(|| format!("{left} pods are left"))
}
