//! `sei.io/retry: <token>`: whatever failed is tried again now, once for each token.
//!
//! **Invariant `token_once`:** a token is stored as used in the same write as what it brings about,
//! before any effect of that: a crash neither loses it nor lets it count twice.

use jiff::Timestamp;
use sei_api::labels::RETRY;
use sei_api::{SeiNode, SeiNodeStatus, TaskPlan};

use crate::decision::{Decision, Requeue};
use crate::fault::cut;
use crate::plan;

/// An annotation may hold much more; what lies beyond tells no two tokens apart.
const TOKEN_BYTES_MAX: usize = 256;

/// Is there a token that was not used yet? It counts as used from here on.
pub(super) fn take(node: &SeiNode, next: &mut SeiNodeStatus) -> bool {
    let annotations = node.metadata.annotations.as_ref();
    let token = annotations.and_then(|it| it.get(RETRY)).filter(|it| !it.is_empty());
    let Some(token) = token.map(|it| cut(it.clone(), TOKEN_BYTES_MAX)) else { return false };
    let fresh = next.last_retry_token.as_ref() != Some(&token);
    next.last_retry_token = Some(token);
    fresh
}

/// Does the current task of this plan wait for its back-off?
pub(super) fn waives(plan: &TaskPlan, now: Timestamp) -> bool {
    let task = plan::current(plan).and_then(|index| plan.tasks.get(index));
    task.is_some_and(|task| plan::wait_of(task, now).is_some())
}

/// Ends the back-off of the current task. Its repeat belongs to the next pass, which begins when
/// the used token is stored.
pub(super) fn waive(mut next: SeiNodeStatus) -> Decision<SeiNodeStatus> {
    if let Some(plan) = next.plan.as_mut()
        && let Some(index) = plan::current(plan)
        && let Some(task) = plan.tasks.get_mut(index)
    {
        task.not_before = None;
    }
    Decision::rest(next, Requeue::NextPass)
}
