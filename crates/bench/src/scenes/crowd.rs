//! Many fleets are created, and rolled out, at once.

use anyhow::Result;
use tokio::time::sleep;

use super::{AFTERMATH, millis};
use crate::report::{AtOnce, Point};
use crate::scrape::Requests;
use crate::stage::Stage;
use crate::stats::Spread;

/// Names of the fleets from `first` on, before `end`.
pub fn names(first: usize, end: usize) -> Vec<String> {
    (first..end).map(|number| format!("fleet-{number:04}")).collect()
}

/// Creates `names` at once.
pub async fn create(stage: &mut Stage, names: &[String]) -> Result<AtOnce> {
    let image = stage.next_image();
    let before = stage.operator()?.read().await?;
    let arrivals = stage.create(names, &image).await?;
    sleep(AFTERMATH).await;
    let after = stage.operator()?.read().await?;
    let all = Spread::of(&[arrivals.last()]);
    let sent = after.scrape.since(&before.scrape);
    Ok(AtOnce::of(
        (all, Spread::of(&arrivals.each())),
        &sent,
        (after.cpu - before.cpu, names.len()),
    ))
}

/// Rolls `names` out at once, again and again.
pub async fn rollouts(stage: &mut Stage, names: &[String], rounds: usize) -> Result<AtOnce> {
    let (mut last, mut each) = (Vec::new(), Vec::new());
    let before = stage.operator()?.read().await?;
    for _ in 0..rounds {
        let image = stage.next_image();
        let arrivals = stage.roll_out(names, &image).await?;
        last.push(arrivals.last());
        each.extend(arrivals.each());
        sleep(AFTERMATH).await;
    }
    let after = stage.operator()?.read().await?;
    let sent: Requests = after.scrape.since(&before.scrape);
    let rollouts = names.len() * rounds;
    let spreads = (Spread::of(&last), Spread::of(&each));
    Ok(AtOnce::of(spreads, &sent, (after.cpu - before.cpu, rollouts)))
}

/// Rolls growing parts of `names` out at once.
pub async fn curve(stage: &mut Stage, names: &[String], counts: &[usize]) -> Result<Vec<Point>> {
    let mut points = Vec::with_capacity(counts.len());
    for &count in counts {
        let some = names.get(..count).unwrap_or(names);
        // As many rollouts at every point, so that few fleets are measured as well as many.
        let rounds = (20 / count).max(2);
        let (mut last, mut each) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let image = stage.next_image();
            let arrivals = stage.roll_out(some, &image).await?;
            last.push(arrivals.last());
            each.extend(arrivals.each());
            sleep(AFTERMATH).await;
        }
        let (last, each) = (Spread::of(&last), Spread::of(&each));
        points.push(Point {
            fleets: count,
            last_ms: last.p50_ms,
            p50_ms: each.p50_ms,
            p99_ms: each.p99_ms,
        });
    }
    Ok(points)
}

impl AtOnce {
    /// From how long all and each took, what was sent, and the CPU time of how many.
    fn of(
        (all, each): (Spread, Spread),
        sent: &Requests,
        (cpu, fleets): (std::time::Duration, usize),
    ) -> Self {
        let per_fleet = |count: u64| count as f64 / fleets.max(1) as f64;
        Self {
            all,
            each,
            requests: per_fleet(sent.charged()),
            lists: per_fleet(sent.lists()),
            writes: per_fleet(sent.writes()),
            conflicts: sent.conflicts(),
            cpu_ms: millis(cpu) / fleets.max(1) as f64,
            by_kind: sent.rows(),
        }
    }
}
