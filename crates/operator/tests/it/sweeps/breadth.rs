//! How many points of a sweep are disturbed, how many at once, and what is told of it.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::judge::Verdict;

/// Set by `cargo xtask sweeps`: a file for one row of JSON per sweep. Then every case is told, else
/// a choice.
const REPORT: &str = "SEI_SWEEPS_REPORT";
/// Threads of one sweep; [`super::telling`] bounds the tellings of all sweeps.
const LANES: usize = 8;
/// As many failures are shown in full.
const SHOWN: usize = 3;

/// A disturbed telling takes no more requests, lists and watches aside: as many again, for what is
/// done twice and what a slow machine adds, and some for the shortest stories. A hot loop sends
/// hundreds.
const fn bound(calm: usize) -> usize {
    calm * 2 + 16
}

/// A sweep under way.
pub struct Sweep {
    /// What is done.
    pub sweep: &'static str,
    /// To which story.
    pub story: &'static str,
    /// Requests on top of the bound: what an outage of many requests may cost.
    pub allowance: usize,
    /// Cases that are told by the tests alone.
    pub choice: usize,
    /// Of a hundred disturbances, as many come about. Less than all where a disturbed telling need
    /// not send each request of the undisturbed one.
    pub met: usize,
}

/// Whether every case is told.
pub fn is_whole() -> bool {
    std::env::var_os(REPORT).is_some()
}

impl Sweep {
    /// Disturbs a story once for each of the cases, and fails if one does not converge.
    ///
    /// `calm` is the number of requests of the undisturbed telling; `disturb` also returns whether
    /// the disturbance came about: a telling that nothing disturbs proves nothing.
    ///
    /// # Errors
    /// One case did not converge, or too few came about; shows the first few.
    pub fn over<C: Sync + Display>(
        &self,
        (cases, calm): (&[C], usize),
        disturb: impl Fn(&C) -> Result<(Verdict, bool)> + Sync,
    ) -> Result<()> {
        let begun = Instant::now();
        let chosen = self.chosen(cases);
        let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
        let lane = || {
            while let Some(case) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                let result = disturb(case).and_then(|(verdict, met)| {
                    let bound = bound(calm) + self.allowance;
                    let within = verdict.requests <= bound;
                    ensure!(within, "{} requests, bound {bound}", verdict.requests);
                    Ok((verdict, met))
                });
                tally.lock().unwrap_or_else(PoisonError::into_inner).add(case, result);
            }
        };
        std::thread::scope(|scope| {
            (0..LANES).for_each(|_| drop(scope.spawn(lane)));
        });
        let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.tell((chosen.len(), calm), &tally, begun.elapsed())?;
        let Tally { met, failures, unmet, .. } = tally;
        let shown = failures.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n\n");
        ensure!(failures.is_empty(), "{} of {} failed:\n{shown}", failures.len(), chosen.len());
        let needed = self.needed(chosen.len());
        ensure!(met >= needed, "{met} came about, not {needed}; these did not: {unmet:#?}");
        Ok(())
    }

    /// Disturbances that have to come about; never none.
    fn needed(&self, cases: usize) -> usize {
        (cases * self.met / 100).max(1)
    }

    /// All cases, or some that lie evenly among them.
    fn chosen<'a, C>(&self, cases: &'a [C]) -> Vec<&'a C> {
        // Odd, so that what comes in pairs is taken from either side.
        let step = if is_whole() { 1 } else { cases.len().div_ceil(self.choice.max(1)).max(1) | 1 };
        cases.iter().step_by(step).collect()
    }

    fn tell(&self, (cases, calm): (usize, usize), tally: &Tally, took: Duration) -> Result<()> {
        let row = json!({
            "sweep": self.sweep, "story": self.story, "cases": cases, "met": tally.met,
            "needed": self.needed(cases), "unmet": tally.unmet,
            "failed": tally.failures.len(), "requests": calm,
            "worst": tally.worst.requests, "bound": bound(calm) + self.allowance,
            "untold": tally.worst.untold, "seconds": took.as_secs_f64(),
        });
        // Past the capture of the test runner; a closed standard error must not fail a sweep.
        let _ = writeln!(std::io::stderr(), "sweep {row}");
        if let Some(path) = std::env::var_os(REPORT) {
            let file = OpenOptions::new().append(true).create(true).open(path);
            file.and_then(|mut it| writeln!(it, "{row}")).context("write the report")?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Tally {
    met: usize,
    worst: Verdict,
    failures: Vec<String>,
    unmet: Vec<String>,
}

impl Tally {
    fn add(&mut self, case: &impl Display, result: Result<(Verdict, bool)>) {
        match result {
            Ok((verdict, met)) => {
                match met {
                    true => self.met += 1,
                    false => self.unmet.push(case.to_string()),
                }
                self.worst.requests = self.worst.requests.max(verdict.requests);
                self.worst.untold = self.worst.untold.max(verdict.untold);
            }
            Err(err) => self.failures.push(format!("{err:#}")),
        }
    }
}
