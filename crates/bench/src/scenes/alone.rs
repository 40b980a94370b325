//! One fleet is rolled out, stalls, is superseded.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sei_api::SeiNodeDeployment;
use tokio::time::{Instant, sleep};

use super::{AFTERMATH, millis};
use crate::driver::Pace;
use crate::report::{Lone, Rollouts};
use crate::scrape::Requests;
use crate::stage::{REPLICAS, Stage};
use crate::stats::Spread;

/// Rolls `fleet` out again and again, and counts what that takes.
pub async fn rollouts(
    stage: &mut Stage,
    fleet: &str,
    pace: Pace,
    rounds: usize,
) -> Result<Rollouts> {
    stage.drive(pace);
    // The first one is not counted: connections are opened, code is paged in.
    repeat(stage, fleet, 1).await?;
    let (before, stored) = (stage.operator()?.read().await?, Stored::now(stage));
    let took = repeat(stage, fleet, rounds).await?;
    let after = stage.operator()?.read().await?;
    let sent = after.scrape.since(&before.scrape);
    let each = |count: u64| count as f64 / rounds as f64;
    Ok(Rollouts {
        driver: pace,
        took: Spread::of(&took),
        requests: each(sent.charged()),
        lists: each(sent.lists()),
        writes: each(sent.writes()),
        conflicts: each(sent.conflicts()),
        no_op_writes: each(stored.unchanged(stage, &sent)?),
        passes: each(after.scrape.passes - before.scrape.passes),
        cpu_ms: millis(after.cpu - before.cpu) / rounds as f64,
        by_kind: sent.rows(),
    })
}

/// Rolls `fleet` out while `fleets` are there in all.
pub async fn lone(
    stage: &mut Stage,
    fleet: &str,
    (fleets, rounds): (usize, usize),
) -> Result<Lone> {
    let before = stage.operator()?.read().await?;
    let took = repeat(stage, fleet, rounds).await?;
    let after = stage.operator()?.read().await?;
    let cpu_ms = millis(after.cpu - before.cpu) / rounds as f64;
    Ok(Lone { fleets, took: Spread::of(&took), cpu_ms })
}

/// From the end of a stall to the end of the rollout, and from the edit that supersedes it to the
/// plan that does.
pub async fn stalls(stage: &mut Stage, fleet: &str, rounds: usize) -> Result<(Spread, Spread)> {
    let (mut resumed, mut superseded) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let first = stage.next_image();
        stage.driver.stall(true);
        stage.edit(fleet, &first).await?;
        everywhere(stage, fleet, &first).await?;
        sleep(AFTERMATH).await;
        let third = stage.next_image();
        superseded.push(supersede(stage, fleet, &third).await?);
        everywhere(stage, fleet, &third).await?;
        sleep(AFTERMATH).await;
        let begun = Instant::now();
        stage.driver.stall(false);
        let done = stage.complete(&[fleet.to_owned()], &third).await?;
        let sight = done.get(fleet).context("the fleet was not seen")?;
        resumed.push(sight.at - begun);
        sleep(AFTERMATH).await;
    }
    Ok((Spread::of(&resumed), Spread::of(&superseded)))
}

async fn repeat(stage: &mut Stage, fleet: &str, rounds: usize) -> Result<Vec<Duration>> {
    let names = [fleet.to_owned()];
    let mut took = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let image = stage.next_image();
        took.push(stage.roll_out(&names, &image).await?.last());
        sleep(AFTERMATH).await;
    }
    Ok(took)
}

/// Waits until each StatefulSet of a stalled rollout asks for `image`.
async fn everywhere(stage: &Stage, fleet: &str, image: &str) -> Result<()> {
    let names = (0..REPLICAS).map(|ordinal| format!("{fleet}-{ordinal}")).collect();
    let asks = |set: &sei_api::k8s::StatefulSet| {
        let pod = set.spec.as_ref().and_then(|it| it.template.spec.as_ref());
        pod.is_some_and(|pod| pod.containers.iter().any(|it| it.image.as_deref() == Some(image)))
    };
    stage.sets.until_all(names, "StatefulSet with the image", asks).await?;
    Ok(())
}

async fn supersede(stage: &Stage, fleet: &str, image: &str) -> Result<Duration> {
    let plan = |fleet: &SeiNodeDeployment| fleet.status.as_ref()?.plan.as_ref()?.id.clone();
    let old = plan(&*stage.fleets.get(fleet)?);
    let begun = Instant::now();
    stage.edit(fleet, image).await?;
    let new = |fleet: &SeiNodeDeployment| plan(fleet).is_some_and(|id| Some(id) != old);
    Ok(stage.fleets.until(fleet, "plan of the superseding edit", new).await?.at - begun)
}

/// Versions that were stored so far, by kind.
struct Stored {
    fleets: u64,
    nodes: u64,
    sets: u64,
}

impl Stored {
    /// Of fleets everything but the user's edits; of StatefulSets everything but the driver's
    /// statuses: what is left are the operator's writes.
    fn now(stage: &Stage) -> Self {
        let (fleets, nodes, sets) =
            (stage.fleets.versions(), stage.nodes.versions(), stage.sets.versions());
        Self { fleets: fleets.all - fleets.edits, nodes: nodes.all, sets: sets.edits }
    }

    /// How many of the writes that were accepted since changed nothing.
    fn unchanged(&self, stage: &Stage, sent: &Requests) -> Result<u64> {
        let now = Self::now(stage);
        let changed = now.fleets - self.fleets + now.nodes - self.nodes + now.sets - self.sets;
        let accepted = ["seinodedeployments", "seinodes", "statefulsets"];
        let accepted: u64 = accepted.into_iter().map(|plural| sent.accepted(plural)).sum();
        ensure!(accepted >= changed, "{accepted} writes were counted, {changed} versions stored");
        Ok(accepted - changed)
    }
}
