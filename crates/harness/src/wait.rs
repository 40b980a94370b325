//! Waiting with a deadline, and watching that something stays so.
//!
//! A failure says who waited, for what, for how long, and what was seen last.

use std::fmt::{self, Debug};
use std::panic::Location;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

mod consistently;

pub use consistently::{Check, Inconsistent, check, consistently};

/// Between two probes, unless said otherwise.
pub const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// How long helpers wait, unless said otherwise.
pub const POLL_TIMEOUT: Duration = Duration::from_secs(30);

/// What a probe saw.
#[derive(Debug)]
pub enum Progress<T> {
    /// It is so; this is the proof.
    Ready(T),
    /// Not yet, and this is what is missing.
    NotYet(String),
}

/// How long and how often to probe.
#[derive(Clone, Copy, Debug)]
pub struct WaitOpts {
    /// After this the wait fails.
    pub timeout: Duration,
    /// Between the starts of two probes.
    pub interval: Duration,
}

impl Default for WaitOpts {
    fn default() -> Self {
        Self { timeout: POLL_TIMEOUT, interval: POLL_INTERVAL }
    }
}

/// The deadline passed.
#[derive(Debug)]
pub struct TimedOut {
    /// What was waited for.
    pub what: String,
    /// How long.
    pub elapsed: Duration,
    /// How often it was probed.
    pub probes: usize,
    /// What was missing at the last probe that could tell.
    pub last_why: Option<String>,
    /// The last failure of a probe.
    pub last_error: Option<String>,
    /// The state around it, when the caller could show it.
    pub dump: Option<String>,
    /// Who waited.
    pub location: &'static Location<'static>,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed.as_secs_f64();
        write!(f, "timeout after {seconds:.1} s waiting for: {}", self.what)?;
        write!(f, "\n  at {}", self.location)?;
        write!(f, "\n  probes: {}", self.probes)?;
        if let Some(why) = &self.last_why {
            write!(f, "\n  last seen: {why}")?;
        }
        if let Some(err) = &self.last_error {
            write!(f, "\n  last error: {err}")?;
        }
        if let Some(dump) = &self.dump {
            write!(f, "\n{dump}")?;
        }
        Ok(())
    }
}

impl std::error::Error for TimedOut {}

/// Probes every 200 ms for 30 s; see [`wait_for_with`].
///
/// # Errors
/// When the deadline passes.
#[track_caller]
pub fn wait_for<T, P, F>(
    what: &str,
    probe: P,
) -> impl Future<Output = Result<T, TimedOut>> + use<T, P, F>
where
    P: FnMut() -> F,
    F: Future<Output = anyhow::Result<Progress<T>>>,
{
    wait_for_with(WaitOpts::default(), what, probe)
}

/// Probes at once, then at each interval, and a last time at the deadline.
///
/// A probe that fails is tried again: NotFound reads as "not yet", anything else is kept for the
/// message.
///
/// # Errors
/// When the deadline passes.
#[track_caller]
pub fn wait_for_with<T, P, F>(
    opts: WaitOpts,
    what: &str,
    probe: P,
) -> impl Future<Output = Result<T, TimedOut>> + use<T, P, F>
where
    P: FnMut() -> F,
    F: Future<Output = anyhow::Result<Progress<T>>>,
{
    // Taken here, because `track_caller` does not reach into an async block.
    let location = Location::caller();
    poll(opts, what.to_owned(), probe, location)
}

async fn poll<T, P, F>(
    opts: WaitOpts,
    what: String,
    mut probe: P,
    location: &'static Location<'static>,
) -> Result<T, TimedOut>
where
    P: FnMut() -> F,
    F: Future<Output = anyhow::Result<Progress<T>>>,
{
    let start = Instant::now();
    let deadline = start + opts.timeout;
    let mut seen = Seen::default();
    loop {
        let next = Instant::now() + opts.interval;
        let is_last = Instant::now() >= deadline;
        seen.probes += 1;
        // A probe that hangs must not outlive the deadline by more than an interval.
        match tokio::time::timeout_at(deadline + opts.interval, probe()).await {
            Ok(Ok(Progress::Ready(proof))) => return Ok(proof),
            Ok(Ok(Progress::NotYet(why))) => seen.why = Some(why),
            Ok(Err(err)) if is_not_found(&err) => seen.why = Some("not found".to_owned()),
            Ok(Err(err)) => seen.error = Some(format!("{err:#}")),
            Err(_) => seen.error = Some("the probe did not return".to_owned()),
        }
        if is_last || Instant::now() > deadline {
            return Err(TimedOut {
                what,
                elapsed: start.elapsed(),
                probes: seen.probes,
                last_why: seen.why,
                last_error: seen.error,
                dump: None,
                location,
            });
        }
        sleep_until(next.min(deadline)).await;
    }
}

#[derive(Default)]
struct Seen {
    probes: usize,
    why: Option<String>,
    error: Option<String>,
}

fn is_not_found(err: &anyhow::Error) -> bool {
    matches!(err.downcast_ref(), Some(kube::Error::Api(status)) if status.code == 404)
}

#[cfg(test)]
mod tests;
