//! Randomness as a value: fresh ids and jitter, replaced by tests and by the simulator.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

/// Gives ids that nobody has had before. Cloning shares the same source.
#[derive(Clone)]
pub struct Ids(Arc<dyn Fn() -> Uuid + Send + Sync>);

impl Ids {
    /// Random UUIDs, version 4.
    #[must_use]
    pub fn random() -> Self {
        Self::from_fn(Uuid::new_v4)
    }

    /// Ids that `fresh` makes.
    pub fn from_fn(fresh: impl Fn() -> Uuid + Send + Sync + 'static) -> Self {
        Self(Arc::new(fresh))
    }

    /// An id that was not given before.
    #[must_use]
    pub fn fresh(&self) -> Uuid {
        (self.0)()
    }

    /// Between half of `delay` and all of it, so that many who wait for the same thing do not come
    /// back at the same instant.
    #[must_use]
    pub fn jitter(&self, delay: Duration) -> Duration {
        let byte = self.fresh().as_bytes()[0];
        delay / 2 + delay / 2 * u32::from(byte) / u32::from(u8::MAX)
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_between_half_and_all() {
        let (low, high) = (Ids::from_fn(Uuid::nil), Ids::from_fn(Uuid::max));
        let delay = Duration::from_secs(8);
        assert_eq!(low.jitter(delay), Duration::from_secs(4));
        assert_eq!(high.jitter(delay), delay);
    }
}
