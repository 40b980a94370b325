//! How many of a fleet's children are how far.

use sei_api::condition::Reason;
use sei_api::{NodePhase, SeiNodeDeployment, SeiNodeDeploymentStatus};

use crate::condition::Say;
use crate::deployment::children::{Place, Settles};
use crate::deployment::view::View;

/// How many of the wanted children are how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Running, and ready by their StatefulSet.
    pub(super) ready: i32,
    /// Seen running the goal, with nothing left to do.
    pub(super) updated: i32,
    /// Ready, and running for long enough.
    pub(super) available: i32,
    /// By their phase, as the three below.
    pub(super) running: i32,
    pub(super) failed: i32,
    pub(super) initializing: i32,
}

impl Tally {
    /// What is seen of the children.
    pub(super) fn of(view: &View<'_>) -> Self {
        let mut tally = Self { updated: view.on_goal(), ..Self::default() };
        for slot in &view.children.wanted {
            let Place::Ours(node) = slot.place else { continue };
            let ready = view.is_ready(slot, node);
            let settled = match view.settles(slot) {
                Settles::Now => true,
                Settles::At(time) => time <= view.seen.now,
                Settles::Unknown => false,
            };
            tally.ready += i32::from(ready);
            tally.available += i32::from(ready && settled);
            match node.status.as_ref().and_then(|it| it.phase.as_ref()) {
                Some(NodePhase::Failed) => tally.failed += 1,
                Some(NodePhase::Pending | NodePhase::Initializing) => tally.initializing += 1,
                Some(NodePhase::Running) => tally.running += 1,
                Some(NodePhase::Terminating | NodePhase::Unknown(_)) | None => {}
            }
        }
        tally
    }

    /// What the status says already.
    pub(super) fn reported(status: &SeiNodeDeploymentStatus) -> Self {
        let phase = |wanted: &[NodePhase]| {
            let nodes = status.nodes.iter().filter_map(|it| it.phase.as_ref());
            i32::try_from(nodes.filter(|it| wanted.contains(it)).count()).unwrap_or(i32::MAX)
        };
        Self {
            ready: status.ready_replicas,
            updated: status.updated_replicas,
            available: status.available_replicas,
            running: phase(&[NodePhase::Running]),
            failed: phase(&[NodePhase::Failed]),
            initializing: phase(&[NodePhase::Pending, NodePhase::Initializing]),
        }
    }

    /// What the condition NodesReady says.
    pub(super) fn nodes_ready(self, fleet: &SeiNodeDeployment) -> Say {
        let Self { ready, failed, initializing, .. } = self;
        let count = format!("{ready}/{} nodes ready", fleet.spec.replicas);
        if ready >= fleet.spec.replicas {
            Say::yes(Reason::AllNodesReady, count)
        } else if failed > 0 {
            let message = format!("{count} ({failed} failed, {initializing} initializing)");
            Say::no(Reason::NodesFailed, message)
        } else {
            Say::no(Reason::NodesInitializing, format!("{count} ({initializing} initializing)"))
        }
    }
}
