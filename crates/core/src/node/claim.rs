//! The data volume's claim: created once, never changed, deleted only by its owner.

use sei_api::k8s;

use crate::effect::{Desired, Effect, Resource, Target};
use crate::fault::Fault;
use crate::node::decide::Round;
use crate::node::infra::{Step, unseen};
use crate::node::{Seen, name, owner};
use crate::ownership::{Ownership, classify};
use crate::render;

/// Creates the claim, or adopts one without a controller that carries our label.
pub(super) fn ensure(round: Round<'_>) -> Step {
    let desired = || render::node_objects(round.node, round.env.platform).claim;
    let live = match &round.seen.claim {
        Seen::Absent => return Step::Act(Effect::Create(Desired::Claim(desired()).into())),
        Seen::Here(live) => live,
        other => return unseen(other, "PersistentVolumeClaim"),
    };
    match classify(&live.metadata, owner(round.node)) {
        Ownership::Ours => Step::Done,
        Ownership::Orphan => {
            let mut owners = live.metadata.owner_references.clone().unwrap_or_default();
            owners.extend(desired().metadata.owner_references.into_iter().flatten());
            let target = Target::seen(Resource::Claim, &live.metadata);
            Step::Act(Effect::SetOwners { target, owners })
        }
        Ownership::Leftover => Step::Wait(Fault::waiting(format!(
            "data PVC \"{}\" of a deleted SeiNode is still there; the garbage collector removes it",
            claim_name(live)
        ))),
        Ownership::Foreign => Step::Fatal(format!(
            "data PVC \"{}\" already exists and is not owned by SeiNode \"{}\"; set \
             spec.dataVolume.import.pvcName to adopt, or delete the PVC",
            claim_name(live),
            name(round.node)
        )),
    }
}

/// The deletion of the claim, if it is ours to delete: controlled by this node's UID.
///
/// **Invariant `owned_deletes`:** a claim of anybody else is left alone, whatever its name.
pub(super) fn deletion(claim: &k8s::PersistentVolumeClaim, node_uid: &str) -> Option<Effect> {
    let ours = crate::ownership::controlled_by(&claim.metadata, node_uid);
    let going = claim.metadata.deletion_timestamp.is_some();
    (ours && !going).then(|| Effect::Delete(Target::seen(Resource::Claim, &claim.metadata)))
}

fn claim_name(claim: &k8s::PersistentVolumeClaim) -> &str {
    claim.metadata.name.as_deref().unwrap_or_default()
}
