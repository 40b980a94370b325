//! How an update reaches the children, read from the spec: how many, which, in what order, by when.

use std::time::Duration;

use sei_api::k8s::IntOrString;
use sei_api::{DEFAULT_PROGRESS_DEADLINE_SECONDS, OnFailure, SeiNodeDeployment, UpdateOrder};

use crate::deployment::children;
use crate::node::spec::SpecFault;
use crate::tempo::Tempo;

/// `spec.updateStrategy.inPlace`, with defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Strategy {
    /// How many children the update may have down at one time; at least one.
    pub(super) max_unavailable: usize,
    /// Children below this ordinal are held.
    pub(super) partition: i32,
    /// How long an updated `seid` must have run without a restart before it counts.
    pub(super) min_ready: Duration,
    /// The lowest ordinal comes first.
    pub(super) ascends: bool,
    /// A rollout that fails is rolled back.
    pub(super) rolls_back: bool,
    /// How long a rollout may make no progress before it counts as stalled.
    pub(super) deadline: Duration,
}

impl Strategy {
    /// `max_unavailable`, if it keeps an update of so many children from taking all down.
    pub(super) fn limit(&self, replicas: usize) -> Option<usize> {
        Some(self.max_unavailable).filter(|it| *it < replicas)
    }
}

/// The most a field of the schema may say.
const ORDINAL_MAX: i32 = 100;
/// The most a field of the schema may say: a day.
const MIN_READY_SECONDS_MAX: i32 = 86_400;

/// The strategy of this fleet.
pub(super) fn read(fleet: &SeiNodeDeployment, tempo: &Tempo) -> Strategy {
    let in_place = fleet.spec.update_strategy.as_ref().and_then(|it| it.in_place.as_ref());
    let min_ready = in_place.and_then(|it| it.min_ready_seconds).map(seconds);
    let deadline = fleet.spec.progress_deadline_seconds.map(seconds);
    let order = in_place.and_then(|it| it.order.as_ref());
    let on_failure = in_place.and_then(|it| it.on_failure.as_ref());
    let replicas = children::ordinals(fleet).len();
    let max_unavailable = in_place.and_then(|it| it.max_unavailable.as_ref());
    // A chain needs two thirds of its validators' power, so they go one by one.
    let unasked = if fleet.spec.template.spec.validator.is_some() { 1 } else { replicas };
    Strategy {
        max_unavailable: max_unavailable.and_then(|it| count(it, replicas)).unwrap_or(unasked),
        partition: in_place.and_then(|it| it.partition).unwrap_or_default(),
        min_ready: min_ready.unwrap_or(tempo.min_ready),
        ascends: order == Some(&UpdateOrder::OrdinalAscending),
        rolls_back: on_failure == Some(&OnFailure::Rollback),
        deadline: deadline.unwrap_or(tempo.progress_deadline),
    }
}

/// Rules that the strategy breaks, for specs that were stored before the schema had them.
pub(super) fn faults(fleet: &SeiNodeDeployment) -> Vec<SpecFault> {
    let mut faults = Vec::new();
    let mut check = |holds: bool, field: &str, detail: &str| {
        if !holds {
            faults.push(SpecFault { field: field.to_owned(), detail: detail.to_owned() });
        }
    };
    let deadline = fleet.spec.progress_deadline_seconds;
    check(deadline.is_none_or(|it| it >= 1), "spec.progressDeadlineSeconds", "must be at least 1");
    let in_place = fleet.spec.update_strategy.as_ref().and_then(|it| it.in_place.as_ref());
    let Some(in_place) = in_place else { return faults };
    let mut check = |holds: bool, field: &str, detail: &str| {
        check(holds, &format!("spec.updateStrategy.inPlace.{field}"), detail);
    };
    let share = in_place.max_unavailable.as_ref();
    let known = share.is_none_or(|it| count(it, 1).is_some());
    let detail = "must be a count from 1 to 100, or a percentage from 1% to 100%";
    check(known, "maxUnavailable", detail);
    let partition = in_place.partition.unwrap_or_default();
    check((0..=ORDINAL_MAX).contains(&partition), "partition", "must be between 0 and 100");
    let min_ready = in_place.min_ready_seconds.unwrap_or_default();
    let known = (0..=MIN_READY_SECONDS_MAX).contains(&min_ready);
    check(known, "minReadySeconds", "must be between 0 and 86400");
    let deadline = deadline.unwrap_or(DEFAULT_PROGRESS_DEADLINE_SECONDS);
    let detail = "must be less than spec.progressDeadlineSeconds";
    check(min_ready < deadline, "minReadySeconds", detail);
    let known = !matches!(in_place.order, Some(UpdateOrder::Unknown(_)));
    check(known, "order", "must be OrdinalDescending or OrdinalAscending");
    let known = !matches!(in_place.on_failure, Some(OnFailure::Unknown(_)));
    check(known, "onFailure", "must be Hold or Rollback");
    faults
}

/// A share of `replicas` as a count; rounded down as in a Deployment of Kubernetes, but at least
/// one, because an update that may take nothing down never starts.
fn count(share: &IntOrString, replicas: usize) -> Option<usize> {
    match share {
        IntOrString::Int(count) => {
            usize::try_from(*count).ok().filter(|it| (1..=ORDINAL_MAX as usize).contains(it))
        }
        IntOrString::String(text) => {
            let percent: usize = text.strip_suffix('%')?.parse().ok()?;
            (1..=100).contains(&percent).then(|| (replicas * percent / 100).max(1))
        }
    }
}

fn seconds(number: i32) -> Duration {
    Duration::from_secs(number.max(0).unsigned_abs().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down_but_never_to_nothing() {
        let text = |it: &str| IntOrString::String(it.to_owned());
        let table = [
            (IntOrString::Int(1), 3, Some(1)),
            (IntOrString::Int(5), 3, Some(5)),
            (IntOrString::Int(0), 3, None),
            (IntOrString::Int(101), 3, None),
            (text("100%"), 3, Some(3)),
            (text("50%"), 3, Some(1)),
            (text("25%"), 3, Some(1)),
            (text("34%"), 100, Some(34)),
            (text("0%"), 3, None),
            (text("101%"), 3, None),
            (text("3"), 3, None),
            (text("all"), 3, None),
            (text("-1%"), 3, None),
        ];
        for (share, replicas, expected) in table {
            assert_eq!(count(&share, replicas), expected, "{share:?} of {replicas}");
        }
    }
}
