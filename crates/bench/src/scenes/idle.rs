//! Fleets that nobody touches.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

use super::{AFTERMATH, millis};
use crate::report::Idle;
use crate::stage::Stage;

/// Fleets that were just made come to rest within this.
const PATIENCE: Duration = Duration::from_secs(30);

/// Watches `fleets` fleets for `time` while nothing happens.
pub async fn watch(stage: &Stage, fleets: usize, time: Duration) -> Result<Idle> {
    rest(stage).await?;
    let before = stage.operator()?.read().await?;
    sleep(time).await;
    let after = stage.operator()?.read().await?;
    let sent = after.scrape.since(&before.scrape);
    Ok(Idle {
        fleets,
        seconds: time.as_secs(),
        writes: sent.writes(),
        requests: sent.charged(),
        lists: sent.lists(),
        passes: after.scrape.passes - before.scrape.passes,
        cpu_ms: millis(after.cpu - before.cpu),
    })
}

/// Waits until nothing was written for a while.
async fn rest(stage: &Stage) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut before = stage.operator()?.read().await?.scrape;
    while Instant::now() < deadline {
        sleep(AFTERMATH).await;
        let after = stage.operator()?.read().await?.scrape;
        if after.since(&before).writes() == 0 {
            return Ok(());
        }
        before = after;
    }
    bail!("fleets that nobody touches are written to after {PATIENCE:?}")
}
