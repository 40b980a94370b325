//! The annotation `sei.io/retry`: somebody asks to try again now what failed or stalled.

use sei_api::{SeiNodeDeployment, SeiNodeDeploymentStatus, k8s, labels};

use crate::deployment::Observed;
use crate::fault::cut;

/// What is kept of a token; it only has to differ from the one before.
const TOKEN_BYTES_MAX: usize = 253;

/// Acts on a token that was not acted on yet: a template that was given up gets another chance,
/// and the clock of a rollout starts anew. The children get the token too (see `upkeep`).
pub(super) fn hear(
    fleet: &SeiNodeDeployment,
    status: &mut SeiNodeDeploymentStatus,
    seen: &Observed,
) {
    let annotations = fleet.metadata.annotations.as_ref();
    let token = annotations.and_then(|it| it.get(labels::RETRY)).filter(|it| !it.is_empty());
    let token = token.map(|it| cut(it.clone(), TOKEN_BYTES_MAX));
    if token.is_none() || token == status.last_retry_token {
        return;
    }
    status.last_retry_token = token;
    status.rejected_hash = None;
    if let Some(rollout) = &mut status.rollout {
        rollout.last_progress_at = Some(k8s::Time(seen.now));
    }
}
