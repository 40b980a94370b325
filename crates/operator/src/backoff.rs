//! Growing pauses after failures in a row: one rule for objects and watches.

use std::time::Duration;

/// Failures in a row and the pause that follows them: `first`, doubling up to `max`.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    /// No failure yet.
    #[must_use]
    pub fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, failures: 0 }
    }

    /// Counts a failure and gives the pause before the next attempt. Never less than `first`.
    pub fn fail(&mut self) -> Duration {
        let doublings = self.failures.min(DOUBLINGS_MAX);
        self.failures = self.failures.saturating_add(1);
        self.first.saturating_mul(1 << doublings).min(self.max)
    }

    /// It worked: the next failure is the first again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// 2^20 times the first pause exceeds every useful maximum; more would overflow.
const DOUBLINGS_MAX: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_maximum_and_starts_again_after_success() {
        let mut backoff = Backoff::new(Duration::from_millis(5), Duration::from_secs(30));
        let pauses: Vec<u128> = (0..15).map(|_| backoff.fail().as_millis()).collect();
        assert_eq!(pauses[..4], [5, 10, 20, 40]);
        assert_eq!(pauses[12..], [20_480, 30_000, 30_000]);
        backoff.reset();
        assert_eq!(backoff.fail(), Duration::from_millis(5));
    }
}
