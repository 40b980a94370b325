//! "It stays so": samples taken to the end, each held against a list of named checks.

use std::fmt::{self, Debug};
use std::panic::Location;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// At least this share of the expected samples must have been taken.
const SAMPLES_PERCENT_MIN: u128 = 80;

/// One named check of a sample.
pub struct Check<S> {
    field: &'static str,
    wanted: String,
    got: Got<S>,
}

/// What was seen when it is not what is wanted.
type Got<S> = Box<dyn Fn(&S) -> Option<String> + Send + Sync>;

/// A check that `field` equals `wanted`.
pub fn check<S, T>(
    field: &'static str,
    wanted: T,
    got: impl Fn(&S) -> T + Send + Sync + 'static,
) -> Check<S>
where
    T: PartialEq + Debug + Send + Sync + 'static,
{
    let text = format!("{wanted:?}");
    let differs = move |sample: &S| {
        let got = got(sample);
        (got != wanted).then(|| format!("{got:?}"))
    };
    Check { field, wanted: text, got: Box::new(differs) }
}

/// It did not stay so, or could not be watched.
#[derive(Debug)]
pub struct Inconsistent {
    /// One line per failing field, or the reason why too little was seen.
    pub failures: Vec<String>,
    /// The state around it, when the caller could show it.
    pub dump: Option<String>,
    /// Who waited.
    pub location: &'static Location<'static>,
}

impl fmt::Display for Inconsistent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it did not stay so\n  at {}", self.location)?;
        for failure in &self.failures {
            write!(f, "\n  {failure}")?;
        }
        if let Some(dump) = &self.dump {
            write!(f, "\n{dump}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Inconsistent {}

/// Samples at once and at every interval until `total` has passed; all checks must hold each time.
///
/// A busy machine takes its samples late, which says nothing of what they show: the watch then
/// lasts until four fifths of them were taken.
///
/// # Errors
/// Lists every failing field of the first bad sample: field, wanted, got, time, sample number.
/// Also when samples failed and fewer than four fifths of them could be taken.
#[track_caller]
pub fn consistently<S, P, F>(
    total: Duration,
    every: Duration,
    sample: P,
    checks: &[Check<S>],
) -> impl Future<Output = Result<(), Inconsistent>>
where
    P: FnMut() -> F,
    F: Future<Output = anyhow::Result<S>>,
{
    let location = Location::caller();
    async move {
        watch(total, every, sample, checks).await.map_err(|failures| Inconsistent {
            failures,
            dump: None,
            location,
        })
    }
}

async fn watch<S, P, F>(
    total: Duration,
    every: Duration,
    mut sample: P,
    checks: &[Check<S>],
) -> Result<(), Vec<String>>
where
    P: FnMut() -> F,
    F: Future<Output = anyhow::Result<S>>,
{
    let start = Instant::now();
    let expected = total.as_nanos() / every.as_nanos().max(1) + 1;
    let enough = (expected * SAMPLES_PERCENT_MIN).div_ceil(100);
    let (mut taken, mut last_error) = (0, None);
    let mut due = start;
    while due <= start + total || (taken < enough && last_error.is_none()) {
        sleep_until(due).await;
        // A slow sample makes the next one late; those that were missed are not caught up.
        due = (due + every).max(Instant::now());
        match sample().await {
            Err(err) => last_error = Some(format!("{err:#}")),
            Ok(sample) => {
                taken += 1;
                let at = start.elapsed().as_secs_f64();
                let failures: Vec<String> = checks
                    .iter()
                    .filter_map(|check| Some((check, (check.got)(&sample)?)))
                    .map(|(Check { field, wanted, .. }, got)| {
                        format!(
                            "{field}: wanted {wanted}, got {got} (at {at:.1} s, sample {taken})"
                        )
                    })
                    .collect();
                if !failures.is_empty() {
                    return Err(failures);
                }
            }
        }
    }
    if taken < enough {
        let error = last_error.map_or(String::new(), |err| format!("; last error: {err}"));
        return Err(vec![format!("only {taken} of {expected} samples were taken{error}")]);
    }
    Ok(())
}
