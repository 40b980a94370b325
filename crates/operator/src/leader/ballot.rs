//! Whether a lease may be taken, by how long it was seen unchanged.

use std::time::Duration;

use sei_api::k8s;
use tokio::time::Instant;

use super::holder;

/// What a candidate may do with the lease that it has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Vote {
    /// It is free, or its holder has been silent for too long.
    Take,
    /// Its holder may be alive.
    Wait {
        /// Who that is.
        holder: String,
    },
}

/// What a candidate remembers between two looks at the lease.
#[derive(Debug)]
pub(super) struct Ballot {
    /// Patience with a lease that does not tell its own.
    duration: Duration,
    seen: Option<Sighting>,
}

#[derive(Debug)]
struct Sighting {
    record: k8s::LeaseSpec,
    since: Instant,
}

impl Ballot {
    pub(super) fn new(duration: Duration) -> Self {
        Self { duration, seen: None }
    }

    /// Judges `lease`, read at `now`.
    ///
    /// The record's own times are only compared with themselves: whether they have moved. So it
    /// does not matter whose clock is wrong, and a candidate that has just started always waits
    /// one full duration before it takes what another holds.
    pub(super) fn vote(&mut self, lease: &k8s::Lease, now: Instant) -> Vote {
        let record = lease.spec.clone().unwrap_or_default();
        let holder = holder(lease);
        if holder.is_empty() {
            return Vote::Take;
        }
        let told = record.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let patience = told.map_or(self.duration, Duration::from_secs);
        let since = match &self.seen {
            Some(sighting) if sighting.record == record => sighting.since,
            Some(_) | None => now,
        };
        self.seen = Some(Sighting { record, since });
        if now.duration_since(since) > patience {
            Vote::Take
        } else {
            Vote::Wait { holder: holder.to_owned() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(holder: &str, renewed: i64, seconds: Option<i32>) -> k8s::Lease {
        let spec = k8s::LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            renew_time: Some(k8s::MicroTime(jiff::Timestamp::from_second(renewed).unwrap())),
            lease_duration_seconds: seconds,
            ..k8s::LeaseSpec::default()
        };
        k8s::Lease { spec: Some(spec), ..k8s::Lease::default() }
    }

    #[test]
    fn a_lease_is_taken_once_it_was_seen_unchanged_for_its_duration() {
        let start = Instant::now();
        // Seconds since the start, holder, renewal, duration in the record; may it be taken?
        let story = [
            (0, lease("a", 1, Some(15)), false),
            (15, lease("a", 1, Some(15)), false),
            (16, lease("a", 2, Some(15)), false),
            (31, lease("a", 2, Some(15)), false),
            (32, lease("a", 2, Some(15)), true),
            (33, lease("b", 2, Some(15)), false),
            (34, lease("", 3, Some(1)), true),
            (35, lease("c", 4, None), false),
            (45, lease("c", 4, None), false),
            (46, lease("c", 4, None), true),
        ];
        let mut ballot = Ballot::new(Duration::from_secs(10));
        for (second, lease, take) in story {
            let vote = ballot.vote(&lease, start + Duration::from_secs(second));
            assert_eq!(vote == Vote::Take, take, "at {second} s");
        }
    }

    #[test]
    fn another_machines_clock_decides_nothing() {
        let (start, mut ballot) = (Instant::now(), Ballot::new(Duration::from_secs(15)));
        for ancient_or_future in [0, 4_000_000_000] {
            let lease = lease("a", ancient_or_future, Some(15));
            assert_eq!(ballot.vote(&lease, start), Vote::Wait { holder: "a".to_owned() });
        }
    }

    #[test]
    fn an_empty_lease_is_free() {
        let mut ballot = Ballot::new(Duration::from_secs(15));
        assert_eq!(ballot.vote(&k8s::Lease::default(), Instant::now()), Vote::Take);
    }
}
