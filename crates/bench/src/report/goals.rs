//! What the project wants of the figures.

use super::{Report, Rollouts};
use crate::driver::Pace;

/// One goal and what became of it.
pub struct Goal {
    /// What is wanted.
    pub what: String,
    /// How much of it at most.
    pub most: f64,
    /// How much it is.
    pub is: f64,
    /// In what.
    pub unit: &'static str,
}

impl Goal {
    /// Whether it is reached.
    pub fn is_met(&self) -> bool {
        self.is <= self.most
    }
}

/// All goals. Those of crowds are for a hundred fleets: a smaller crowd says nothing about them.
pub fn goals(report: &Report) -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut add = |what: &str, most: f64, is: f64, unit| {
        goals.push(Goal { what: what.to_owned(), most, is, unit });
    };
    if let Some(one) = report.rollouts.iter().find(|it| it.driver == Pace::Immediate) {
        add("rollout of 2, p50", 60., one.took.p50_ms, "ms");
        add("rollout of 2, p99", 250., one.took.p99_ms, "ms");
        add("rollout of 2, p50 / chain", 2., ratio(one, report), "×");
        add("requests of a rollout", 16., one.requests, "");
        add("conflicts of a rollout", 0., one.conflicts, "");
        add("no-op writes of a rollout", 0., one.no_op_writes, "");
        add("CPU of a rollout", 5., one.cpu_ms, "ms");
    }
    add("resume after a stall, p50", 30., report.resume.p50_ms, "ms");
    add("plan of a superseding edit, p50", 10., report.supersede.p50_ms, "ms");
    if report.crowd.fleets >= 100 {
        add("100 fleets created", 6000., report.crowd.created.all.p50_ms, "ms");
        add("100 fleets rolled out", 3000., report.crowd.rolled_out.all.p50_ms, "ms");
    }
    add("writes of idle fleets", 0., report.idle.writes as f64, "");
    add("start to first pass, p50", 700., report.start.ready.p50_ms, "ms");
    for (fleets, most) in [(1, 15.), (100, 20.), (1000, 45.)] {
        if let Some(found) = report.memory.iter().find(|it| it.fleets == fleets) {
            let most_used = found.worked.rss_mb.max(found.fresh.rss_mb);
            add(&format!("memory with {fleets} fleets"), most, most_used, "MB");
        }
    }
    add("program", 15., report.machine.binary_mb, "MB");
    goals
}

/// How many times as long as the chain by hand.
pub fn ratio(rollouts: &Rollouts, report: &Report) -> f64 {
    if report.chain.mean_ms > 0. { rollouts.took.p50_ms / report.chain.mean_ms } else { 0. }
}
