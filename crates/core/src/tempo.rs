//! Every pace and patience of the decisions in one value, so that tests shorten them.

use std::time::Duration;

/// How long, how often. Units are in the types; nothing else in this crate names a duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tempo {
    /// First poll after a task was handed to a sidecar; most tasks end within a second.
    pub task_poll_first: Duration,
    /// Slowest poll of a running sidecar task, and the pace of retries against one that does not
    /// answer. An object with an active plan is passed at least this often.
    pub task_poll_max: Duration,
    /// First back-off after a failed attempt of a task: 10 s, then doubling.
    pub task_backoff_first: Duration,
    /// Longest back-off between two attempts of a task.
    pub task_backoff_max: Duration,
    /// How old the answer of a health probe may be in steady state.
    pub health_max_age: Duration,
    /// How often an object of somebody else at one of our names is looked at: without our label it
    /// is in no watch.
    pub foreign_poll: Duration,
    /// Safety net: a settled object is looked at this often although nothing changed.
    pub steady: Duration,
    /// How long a mark that unblocks nothing may wait for the object's next status write.
    pub mark_delay: Duration,
    /// How long `seid` must have run without a restart before a rollout counts as complete.
    pub min_ready: Duration,
    /// How long a pod may be set up before that counts as trouble: attaching a volume takes a
    /// minute where all is well.
    pub start_patience: Duration,
    /// How long a pod may outlive its grace period: the kubelet still unmounts its volumes then.
    pub stop_patience: Duration,
    /// How long a running sidecar may give no usable answer; one that has just been started needs
    /// a moment.
    pub sidecar_patience: Duration,
    /// How old an unbound claim may be: a volume is made for it within seconds where all is well.
    pub claim_patience: Duration,
    /// A container that ran for longer is in no crash loop: the kubelet, too, forgets its crashes
    /// after this time.
    pub crash_memory: Duration,
    /// How long a rollout may make no progress before it counts as stalled, where the fleet does
    /// not say.
    pub progress_deadline: Duration,
    /// First wait before a failed plan is made anew by itself; it doubles with every failure.
    pub failed_retry_first: Duration,
    /// Longest wait between two plans of which the first failed.
    pub failed_retry_max: Duration,
}

impl Default for Tempo {
    fn default() -> Self {
        Self {
            task_poll_first: Duration::from_millis(500),
            task_poll_max: Duration::from_secs(5),
            task_backoff_first: Duration::from_secs(10),
            task_backoff_max: Duration::from_secs(30),
            health_max_age: Duration::from_secs(30),
            foreign_poll: Duration::from_secs(30),
            steady: Duration::from_secs(600),
            mark_delay: Duration::from_millis(250),
            min_ready: Duration::from_secs(10),
            start_patience: Duration::from_secs(120),
            stop_patience: Duration::from_secs(30),
            sidecar_patience: Duration::from_secs(30),
            claim_patience: Duration::from_secs(10),
            crash_memory: Duration::from_secs(600),
            progress_deadline: Duration::from_secs(600),
            failed_retry_first: Duration::from_secs(60),
            failed_retry_max: Duration::from_secs(1800),
        }
    }
}

impl Tempo {
    /// Delay before the attempt after `failures` failed ones: 10 s, 20 s, then 30 s for ever by
    /// default. Zero failures count as one, so a failing task can never spin.
    #[must_use]
    pub fn task_backoff(&self, failures: u32) -> Duration {
        doubled(self.task_backoff_first, failures).min(self.task_backoff_max)
    }

    /// Delay before a plan is made anew after `failures` of them failed: 1 min, 2 min, 4 min, at
    /// most 30 min by default. Zero failures count as one.
    #[must_use]
    pub fn failed_retry(&self, failures: u32) -> Duration {
        doubled(self.failed_retry_first, failures).min(self.failed_retry_max)
    }

    /// Next poll of a task that has been running for `running`: a quarter of its age, within the
    /// first and the slowest poll, so that short tasks end quickly and long ones cost little.
    #[must_use]
    pub fn task_poll(&self, running: Duration) -> Duration {
        (running / 4).clamp(self.task_poll_first, self.task_poll_max)
    }
}

/// `first`, doubled with every failure after the first.
fn doubled(first: Duration, failures: u32) -> Duration {
    first.saturating_mul(1 << failures.saturating_sub(1).min(DOUBLINGS_MAX))
}

/// 2^16 times the first back-off exceeds every useful maximum; more would overflow.
const DOUBLINGS_MAX: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backs_off_10_20_30_30_seconds() {
        let tempo = Tempo::default();
        let seconds: Vec<u64> = (1..=5).map(|n| tempo.task_backoff(n).as_secs()).collect();
        assert_eq!(seconds, [10, 20, 30, 30, 30]);
        assert_eq!(tempo.task_backoff(0), tempo.task_backoff(1));
        assert_eq!(tempo.task_backoff(u32::MAX), tempo.task_backoff_max);
    }

    #[test]
    fn makes_failed_plans_anew_ever_more_rarely() {
        let tempo = Tempo::default();
        let minutes: Vec<u64> = (0..8).map(|n| tempo.failed_retry(n).as_secs() / 60).collect();
        assert_eq!(minutes, [1, 1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(tempo.failed_retry(u32::MAX), tempo.failed_retry_max);
    }

    #[test]
    fn polls_faster_at_first() {
        let tempo = Tempo::default();
        assert_eq!(tempo.task_poll(Duration::ZERO), tempo.task_poll_first);
        assert_eq!(tempo.task_poll(Duration::from_secs(8)), Duration::from_secs(2));
        assert_eq!(tempo.task_poll(Duration::from_secs(3600)), tempo.task_poll_max);
    }
}
