//! Whether a disturbed telling ended as the undisturbed one did.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sei_harness::suite::TestEnv;
use sei_harness::wait::{Progress, WaitOpts};

use super::picture::{Counts, Picture, events, runs};
use super::stories::FLEET;
use super::telling::Account;
use crate::invariants;

/// The end state is there within this, once the users have what they want.
const SETTLE: WaitOpts =
    WaitOpts { timeout: Duration::from_secs(20), interval: Duration::from_millis(50) };

/// What a judged telling adds to the report.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verdict {
    /// Requests from the start of the deed to its end, but for lists and watches.
    pub requests: usize,
    /// Events that the undisturbed telling has and this one lacks.
    pub untold: usize,
}

/// What may be missing in the end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Leniency {
    /// Events: an operator that dies between a write and its event tells by the condition alone.
    Untold,
    /// Nothing.
    None,
}

/// Waits for the end state of `calm` and compares everything else with it.
pub async fn judge(
    env: &TestEnv,
    calm: &Account,
    mark: usize,
    leniency: Leniency,
) -> Result<Verdict> {
    env.wait_for_with(SETTLE, "the end state of the undisturbed telling", || async {
        let difference = calm.picture.difference(&Picture::take(env).await?);
        Ok(match difference.is_empty() {
            true => Progress::Ready(()),
            false => Progress::NotYet(difference),
        })
    })
    .await?;
    if leniency == Leniency::None {
        env.wait_for_with(SETTLE, "every event to be posted", || async {
            let untold = beyond(&calm.posted(), &events(env).await?);
            Ok(match untold.is_empty() {
                true => Progress::Ready(()),
                false => Progress::NotYet(format!("{untold:?}")),
            })
        })
        .await?;
    }
    // What was said is delivered when the operator leaves.
    env.stop_controllers().await?;
    let told = events(env).await?;
    let mut expected = calm.events.clone();
    if leniency == Leniency::None {
        // The one thing that is told of a request that failed, and once.
        expected.entry(format!("{FLEET} DeleteFailed")).or_insert(1);
    }
    let excess = beyond(&told, &expected);
    ensure!(excess.is_empty(), "told more often than undisturbed: {excess:?}");
    let (runs, twice) = runs(env);
    ensure!(twice.is_none(), "a sidecar task ran again: {twice:?}");
    ensure!(runs == calm.runs, "sidecar tasks {runs:?}, undisturbed {:?}", calm.runs);
    let fleets = env.history.deployments.versions()?.named(FLEET);
    let last = fleets.last().context("no fleet in the history")?;
    invariants::hold(env, &last.object).await?;
    let sent = env.requests.since(mark);
    Ok(Verdict {
        requests: sent.iter().filter(|it| super::is_counted(it)).count(),
        untold: beyond(&calm.events, &told).values().sum(),
    })
}

/// What `these` has more of than `those`.
fn beyond(these: &Counts, those: &Counts) -> Counts {
    let more = |(key, count): (&String, &usize)| {
        let excess = count.saturating_sub(those.get(key).copied().unwrap_or_default());
        (excess > 0).then(|| (key.clone(), excess))
    };
    these.iter().filter_map(more).collect()
}
