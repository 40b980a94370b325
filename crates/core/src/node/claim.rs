//! The data volume's claim: created once, never changed; when its owner goes, it goes or stays.

use sei_api::{SeiNode, SeiNodeSpec, WhenDeleted, k8s};

use crate::effect::{Desired, Effect, Resource, Target};
use crate::fault::Fault;
use crate::node::decide::Round;
use crate::node::infra::{Step, unseen};
use crate::node::{Seen, name, owner};
use crate::ownership::{Ownership, classify};
use crate::render::{self, mode::Mode};

/// Creates the claim, or adopts one without a controller that carries our label.
pub(super) fn ensure(round: Round<'_>) -> Step {
    let desired = || render::claim(round.node, round.env.platform);
    let live = match &round.seen.claim {
        Seen::Absent => return Step::Act(Effect::Create(Desired::Claim(desired()).into())),
        Seen::Here(live) => live,
        other => return unseen(other, "PersistentVolumeClaim"),
    };
    match classify(&live.metadata, owner(round.node)) {
        Ownership::Ours => Step::Done,
        Ownership::Orphan => Step::Act(adopt(round, live)),
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

/// Takes back the claim of a node at rest if it lost its owner: without one it would be left behind
/// when the node goes.
pub(super) fn regain(round: Round<'_>) -> Option<Effect> {
    let live = round.seen.claim.here()?;
    let is_orphan = classify(&live.metadata, owner(round.node)) == Ownership::Orphan;
    is_orphan.then(|| adopt(round, live))
}

fn adopt(round: Round<'_>, live: &k8s::PersistentVolumeClaim) -> Effect {
    let desired = render::claim(round.node, round.env.platform);
    let mut owners = live.metadata.owner_references.clone().unwrap_or_default();
    owners.extend(desired.metadata.owner_references.into_iter().flatten());
    let target = Target::seen(Resource::Claim, &live.metadata);
    Effect::SetOwners { target, owners }
}

/// What becomes of the claim when its node goes, if it is ours: controlled by this node's UID.
///
/// **Invariant `owned_deletes`:** a claim of anybody else is left alone, whatever its name.
pub(super) fn parting(node: &SeiNode, claim: &k8s::PersistentVolumeClaim) -> Option<Effect> {
    let uid = owner(node).uid;
    let ours = crate::ownership::controlled_by(&claim.metadata, uid);
    if !ours || claim.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let target = Target::seen(Resource::Claim, &claim.metadata);
    if !stays(&node.spec) {
        return Some(Effect::Delete(target));
    }
    // Without an owner it survives the node; a later node of the name finds it by its label.
    let mut owners = claim.metadata.owner_references.clone().unwrap_or_default();
    owners.retain(|it| it.uid != uid);
    Some(Effect::SetOwners { target, owners })
}

/// Does the claim outlive its node? A validator's data holds its signing state.
fn stays(spec: &SeiNodeSpec) -> bool {
    match spec.data_volume.as_ref().and_then(|it| it.when_deleted.as_ref()) {
        Some(WhenDeleted::Retain) => true,
        // A word that this version does not know is no leave to delete data.
        Some(WhenDeleted::Unknown(_)) => true,
        Some(WhenDeleted::Delete) => false,
        None => Mode::of(spec) == Some(Mode::Validator),
    }
}

fn claim_name(claim: &k8s::PersistentVolumeClaim) -> &str {
    claim.metadata.name.as_deref().unwrap_or_default()
}
