//! Every bound and pace of the shell in one value, so that tests shorten them.
//!
//! The paces of the decisions are in `sei_core::tempo::Tempo`.

use std::time::Duration;

/// How much at once, how long at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Passes of one controller that run side by side.
    pub passes_at_once: usize,
    /// Effects of one decision that run side by side.
    pub effects_at_once: usize,
    /// Nothing that leaves the process waits longer for its answer.
    pub request_timeout: Duration,
    /// A watch is ended by the server after this long. Load balancers drop a connection that was
    /// silent for 240 s.
    pub watch_timeout: Duration,
    /// What a silent connection is given beyond `watch_timeout` before it counts as dead.
    pub watch_grace: Duration,
    /// First wait of a watch after an error.
    pub watch_backoff_first: Duration,
    /// Longest wait of a watch after an error.
    pub watch_backoff_max: Duration,
    /// How often a kind that the cluster does not have is asked for: it may be installed later.
    pub absent_kind_poll: Duration,
    /// First wait of an object after a failed pass.
    pub backoff_first: Duration,
    /// Longest wait of an object after failed passes.
    pub backoff_max: Duration,
    /// Longest wait of an object whose status somebody else wrote first.
    pub conflict_max: Duration,
    /// An object that was put off because the cache is behind is looked at again after this long,
    /// if no watch event comes first.
    pub stale_retry: Duration,
    /// A cache that is behind our own write for this long is asked past, once.
    pub stale_max: Duration,
    /// Host names that are looked up side by side.
    pub lookups_at_once: usize,
    /// A host name that was not found within this counts as not found.
    pub lookup_timeout: Duration,
    /// First wait before a name that was not found is looked up again.
    pub lookup_pause_first: Duration,
    /// Longest wait before a name that was not found is looked up again.
    pub lookup_pause_max: Duration,
    /// Wait before a name that was found is looked up again.
    pub lookup_pause_resolved: Duration,
    /// What running passes are given when the process leaves; queued events and the lease want
    /// their share of the same five seconds.
    pub stop_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            passes_at_once: 64,
            effects_at_once: 16,
            request_timeout: Duration::from_secs(10),
            watch_timeout: Duration::from_secs(200),
            watch_grace: Duration::from_secs(5),
            watch_backoff_first: Duration::from_millis(800),
            watch_backoff_max: Duration::from_secs(30),
            absent_kind_poll: Duration::from_secs(3),
            backoff_first: Duration::from_millis(5),
            backoff_max: Duration::from_secs(30),
            conflict_max: Duration::from_secs(1),
            stale_retry: Duration::from_secs(1),
            stale_max: Duration::from_secs(5),
            lookups_at_once: 16,
            lookup_timeout: Duration::from_secs(5),
            lookup_pause_first: Duration::from_secs(1),
            lookup_pause_max: Duration::from_secs(10),
            lookup_pause_resolved: Duration::from_secs(300),
            stop_grace: Duration::from_secs(2),
        }
    }
}

impl Limits {
    /// A store that has heard nothing for this long is dead.
    #[must_use]
    pub fn silence_max(&self) -> Duration {
        self.watch_timeout * 2
    }
}
