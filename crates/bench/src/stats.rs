//! Durations of many rounds in a few figures.

use std::time::Duration;

use serde::Serialize;

/// Durations of many rounds, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// How many.
    pub rounds: usize,
    /// The shortest.
    pub min_ms: f64,
    /// Half of them are at most this.
    pub p50_ms: f64,
    /// 99 of 100 are at most this; of fewer than 100, the longest.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl Spread {
    /// The figures of `rounds`; all zero if there is none.
    pub fn of(rounds: &[Duration]) -> Self {
        let mut sorted: Vec<f64> = rounds.iter().map(|it| it.as_secs_f64() * 1e3).collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(min), Some(max)) = (sorted.first(), sorted.last()) else {
            return Self::default();
        };
        Self {
            rounds: sorted.len(),
            min_ms: *min,
            p50_ms: quantile(&sorted, 50),
            p99_ms: quantile(&sorted, 99),
            max_ms: *max,
        }
    }
}

/// The smallest value that `percent` of all values do not exceed.
fn quantile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(millis: &[u64]) -> (f64, f64, f64, f64) {
        let rounds: Vec<_> = millis.iter().copied().map(Duration::from_millis).collect();
        let it = Spread::of(&rounds);
        (it.min_ms, it.p50_ms, it.p99_ms, it.max_ms)
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        assert_eq!(of(&[]), (0., 0., 0., 0.));
        assert_eq!(of(&[7]), (7., 7., 7., 7.));
        assert_eq!(of(&[4, 1, 3, 2]), (1., 2., 4., 4.));
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(of(&hundred), (1., 50., 99., 100.));
    }
}
