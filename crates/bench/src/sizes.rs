//! How much of everything a run does.

use std::time::Duration;

/// How much of everything a run does.
#[derive(Clone, Debug)]
pub struct Sizes {
    /// Rounds of the hand-driven chain, before and after.
    pub chain: usize,
    /// Rollouts of one fleet, with each driver.
    pub rollouts: usize,
    /// Rollouts that stall and are resumed, and as many that are superseded.
    pub stalls: usize,
    /// Fleets that are created and rolled out at once.
    pub crowd: usize,
    /// How often the crowd is rolled out.
    pub crowd_rollouts: usize,
    /// Fleets rolled out at once, for the plot; ascending, the last at most `crowd`.
    pub curve: Vec<usize>,
    /// Fleets that are left alone.
    pub idle: usize,
    /// How long they are watched.
    pub idle_for: Duration,
    /// Fleets at most.
    pub many: usize,
    /// Rollouts of one fleet among all others.
    pub lone: usize,
    /// Starts of the operator with all fleets there.
    pub starts: usize,
}

impl Sizes {
    /// What is published.
    pub fn full() -> Self {
        Self {
            chain: 30,
            rollouts: 50,
            stalls: 20,
            crowd: 100,
            crowd_rollouts: 5,
            curve: vec![1, 2, 5, 10, 20, 50, 100],
            idle: 500,
            idle_for: Duration::from_secs(60),
            many: 1000,
            lone: 10,
            starts: 5,
        }
    }

    /// A taste of everything.
    pub fn quick() -> Self {
        Self {
            chain: 8,
            rollouts: 10,
            stalls: 5,
            crowd: 20,
            crowd_rollouts: 2,
            curve: vec![1, 2, 5, 10, 20],
            idle: 40,
            idle_for: Duration::from_secs(5),
            many: 60,
            lone: 3,
            starts: 2,
        }
    }
}
