//! The figures of a run, as they are published.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::driver::Pace;
use crate::scrape::Row;
use crate::stats::Spread;
use crate::usage::Memory;

mod goals;
mod plot;
mod table;

pub use plot::plot;
pub use table::table;

/// A run counts only if the machine was as fast after it as before.
const DRIFT_MAX_PERCENT: f64 = 25.;

/// All figures of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where it ran.
    pub machine: Machine,
    /// The hand-driven chain.
    pub chain: Chain,
    /// One fleet of two, rolled out with each driver.
    pub rollouts: Vec<Rollouts>,
    /// From the end of a stall to the end of the rollout.
    pub resume: Spread,
    /// From the edit that supersedes a rollout to the stored plan.
    pub supersede: Spread,
    /// Many fleets at once.
    pub crowd: Crowd,
    /// Growing numbers of fleets, rolled out at once.
    pub curve: Vec<Point>,
    /// One fleet, rolled out among growing numbers of idle ones.
    pub lone: Vec<Lone>,
    /// Fleets that nobody touches.
    pub idle: Idle,
    /// Starts among many fleets.
    pub start: Start,
    /// Memory with growing numbers of fleets.
    pub memory: Vec<Footprint>,
}

/// Where a run ran, and what was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// When the run ended.
    pub at: String,
    /// Processors.
    pub cores: usize,
    /// What the program says of itself.
    pub operator: String,
    /// Size of the program, in MB of 10⁶ bytes.
    pub binary_mb: f64,
}

/// The hand-driven chain, before and after.
#[derive(Clone, Debug, Serialize)]
pub struct Chain {
    /// Before the operator was measured.
    pub before: Spread,
    /// After it.
    pub after: Spread,
    /// Mean of both medians: what ratios refer to.
    pub mean_ms: f64,
    /// How far the medians are apart.
    pub drift_percent: f64,
    /// Whether the run counts.
    pub steady: bool,
}

/// Many rollouts of one fleet of two; counts are per rollout.
#[derive(Clone, Debug, Serialize)]
pub struct Rollouts {
    /// How StatefulSets were driven.
    pub driver: Pace,
    /// From the edit to the completion that a watch shows.
    pub took: Spread,
    /// All requests but LIST and WATCH, as the operator counts them.
    pub requests: f64,
    /// Listings: without kubelets, the API server has to confirm that there are no pods.
    pub lists: f64,
    /// Requests that change something, events included.
    pub writes: f64,
    /// Answers that somebody else was first.
    pub conflicts: f64,
    /// Accepted writes after which no watch showed a new version.
    pub no_op_writes: f64,
    /// Passes.
    pub passes: f64,
    /// CPU time of the operator, user and system.
    pub cpu_ms: f64,
    /// Requests of all rounds.
    pub by_kind: Vec<Row>,
}

/// Many fleets at once.
#[derive(Clone, Debug, Serialize)]
pub struct Crowd {
    /// How many.
    pub fleets: usize,
    /// From the first request to the last node that runs.
    pub created: AtOnce,
    /// From the first edit to the last completion.
    pub rolled_out: AtOnce,
    /// The chain of all of them by hand, at once.
    pub by_hand_ms: f64,
}

/// Something that many fleets did at once; counts are per fleet.
#[derive(Clone, Debug, Serialize)]
pub struct AtOnce {
    /// Until the last one was done, by round.
    pub all: Spread,
    /// Until each one was done.
    pub each: Spread,
    /// All requests but LIST and WATCH.
    pub requests: f64,
    /// Listings.
    pub lists: f64,
    /// Requests that change something.
    pub writes: f64,
    /// Answers that somebody else was first, in all.
    pub conflicts: u64,
    /// CPU time of the operator.
    pub cpu_ms: f64,
    /// Requests of all fleets and rounds.
    pub by_kind: Vec<Row>,
}

/// Some fleets rolled out at once.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// How many.
    pub fleets: usize,
    /// Until the last one was done; median of the rounds.
    pub last_ms: f64,
    /// Median of each fleet's time.
    pub p50_ms: f64,
    /// 99 of 100 fleets.
    pub p99_ms: f64,
}

/// Rollouts of one fleet among idle ones.
#[derive(Clone, Debug, Serialize)]
pub struct Lone {
    /// Fleets that are there.
    pub fleets: usize,
    /// From the edit to the completion.
    pub took: Spread,
    /// CPU time of the operator per rollout.
    pub cpu_ms: f64,
}

/// Fleets that nobody touches.
#[derive(Clone, Debug, Serialize)]
pub struct Idle {
    /// How many.
    pub fleets: usize,
    /// For how long.
    pub seconds: u64,
    /// Requests that change something.
    pub writes: u64,
    /// All requests but LIST and WATCH.
    pub requests: u64,
    /// Listings.
    pub lists: u64,
    /// Passes.
    pub passes: u64,
    /// CPU time of the operator.
    pub cpu_ms: f64,
}

/// Starts of the operator.
#[derive(Clone, Debug, Serialize)]
pub struct Start {
    /// Fleets that were there.
    pub fleets: usize,
    /// Fleets and nodes; each node has four more objects.
    pub objects: usize,
    /// From the start of the process to complete caches: passes begin then.
    pub ready: Spread,
    /// From the start of the process to the end of a rollout that waited for it.
    pub rolled_out: Spread,
    /// Listings of one start.
    pub lists: Vec<Row>,
}

/// Memory of the operator.
#[derive(Clone, Debug, Serialize)]
pub struct Footprint {
    /// Fleets of two that are there.
    pub fleets: usize,
    /// After all rollouts so far.
    pub worked: Memory,
    /// Of a process that has just started and rests.
    pub fresh: Memory,
}

impl Machine {
    /// This machine and `program`.
    ///
    /// # Errors
    /// The program cannot be read or run.
    pub async fn this(program: &Path) -> Result<Self> {
        let bytes = std::fs::metadata(program).context("look at the operator's program")?.len();
        let version = tokio::process::Command::new(program).arg("--version").output().await;
        let version = version.context("ask the operator for its version")?.stdout;
        Ok(Self {
            at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            operator: String::from_utf8_lossy(&version).trim().to_owned(),
            binary_mb: bytes as f64 / 1e6,
        })
    }
}

impl Chain {
    /// From the figures before and after.
    pub fn of(before: Spread, after: Spread) -> Self {
        let (low, high) = (before.p50_ms.min(after.p50_ms), before.p50_ms.max(after.p50_ms));
        let drift_percent = if low > 0. { (high / low - 1.) * 100. } else { 0. };
        Self {
            mean_ms: f64::midpoint(before.p50_ms, after.p50_ms),
            before,
            after,
            drift_percent,
            steady: drift_percent < DRIFT_MAX_PERCENT,
        }
    }
}
