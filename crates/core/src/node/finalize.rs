//! The end of a node: Terminating, its claim, its finalizer, in this order.

use sei_api::{NodePhase, SeiNode, SeiNodeStatus, labels};

use crate::decision::{Decision, Requeue};
use crate::effect::Effect;
use crate::node::{Observed, Seen, claim};

/// What a node that is being deleted needs now.
///
/// The StatefulSet, the Service and the access rules go with their owner; the garbage collector
/// does that. The claim is deleted or let go by us, and only if this node controls it.
pub(super) fn decide(
    node: &SeiNode,
    status: &SeiNodeStatus,
    seen: &Observed,
) -> Decision<SeiNodeStatus> {
    let ours = node.metadata.finalizers.iter().flatten().any(|it| it == labels::NODE_FINALIZER);
    if !ours {
        return Decision::rest(status.clone(), Requeue::Never);
    }
    if status.phase != Some(NodePhase::Terminating) {
        let mut next = status.clone();
        next.phase = Some(NodePhase::Terminating);
        next.observed_generation = node.metadata.generation;
        return Decision::rest(next, Requeue::NextPass);
    }
    let imported = node.spec.data_volume.as_ref().is_some_and(|it| it.import.is_some());
    let effect = match &seen.claim {
        // An imported volume was there before the node, and stays.
        _ if imported => Effect::RemoveFinalizer,
        Seen::Here(live) => claim::parting(node, live).unwrap_or(Effect::RemoveFinalizer),
        Seen::Absent => Effect::RemoveFinalizer,
        Seen::Stale | Seen::Unconfirmed | Seen::Unreadable(_) => {
            return Decision::rest(status.clone(), Requeue::Backoff);
        }
    };
    // The watch tells that the claim is going or let go, and the finalizer follows.
    let requeue = if effect == Effect::RemoveFinalizer { Requeue::Never } else { Requeue::Backoff };
    let mut decision = Decision::rest(status.clone(), requeue);
    decision.effects.push(effect);
    decision
}
