//! The operator starts where many fleets are, and what it then weighs.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, sleep};

use super::AFTERMATH;
use crate::report::{Footprint, Start};
use crate::sizes::Sizes;
use crate::stage::Stage;
use crate::stats::Spread;
use crate::usage::Memory;

/// A fresh process has done its first passes after this.
const FIRST_PASSES: Duration = Duration::from_secs(3);

/// Memory with `fleets` fleets: after all that was done so far, and of a process that just started.
pub async fn memory(stage: &mut Stage, fleets: usize) -> Result<Footprint> {
    let worked = stage.operator()?.memory()?;
    stage.stop_operator().await?;
    stage.start_operator().await?;
    sleep(FIRST_PASSES).await;
    let fresh: Memory = stage.operator()?.memory()?;
    Ok(Footprint { fleets, worked, fresh })
}

/// Starts the operator again and again. A fleet was edited while it was away: its rollout shows
/// when it is at work.
pub async fn starts(stage: &mut Stage, fleet: &str, sizes: &Sizes) -> Result<Start> {
    let (mut ready, mut rolled_out) = (Vec::new(), Vec::new());
    let mut lists = Vec::new();
    for _ in 0..sizes.starts {
        stage.stop_operator().await?;
        let image = stage.next_image();
        stage.edit(fleet, &image).await?;
        let begun = Instant::now();
        stage.spawn_operator()?.ready().await?;
        ready.push(begun.elapsed());
        lists =
            stage.operator()?.read().await?.scrape.since(&crate::scrape::Scrape::default()).rows();
        let done = stage.complete(&[fleet.to_owned()], &image).await?;
        let done = done.get(fleet).context("the fleet was not seen")?;
        rolled_out.push(done.at - begun);
        sleep(AFTERMATH).await;
    }
    lists.retain(|row| row.verb == "list");
    Ok(Start {
        fleets: sizes.many,
        objects: sizes.many * 3,
        ready: Spread::of(&ready),
        rolled_out: Spread::of(&rolled_out),
        lists,
    })
}
