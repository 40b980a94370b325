//! The writes that keep a fleet as it should be: its children and its Service.

use sei_api::{SeiNode, labels};

use crate::applied::is_applied;
use crate::deployment::children::{self, Place, Slot};
use crate::deployment::target::{self, Target};
use crate::deployment::view::View;
use crate::deployment::wave::Wave;
use crate::deployment::{owner, pause};
use crate::effect::{Desired, Effect, Resource, Target as Which};
use crate::node::Seen;
use crate::ownership::{Ownership, classify};
use crate::render;

/// What of a child is compared with the template.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sync<'a> {
    /// A rollout is in flight: only the images, and only of children whose turn it is.
    Target(&'a Wave),
    /// Every field we own.
    Everything,
}

impl Sync<'_> {
    /// May the child at this ordinal be given the goal's images?
    fn moves(self, ordinal: i32) -> bool {
        match self {
            Sync::Target(wave) => wave.moves(ordinal),
            Sync::Everything => true,
        }
    }
}

/// Writes that keep the fleet as it should be, in any order.
pub(super) fn writes(view: &View<'_>, sync: Sync<'_>) -> Vec<Effect> {
    let mut effects: Vec<Effect> = service(view).into_iter().collect();
    let revision = children::revision(view.fleet, &view.children, view.goal.target());
    let wanted = view.children.wanted.iter();
    effects.extend(wanted.filter_map(|slot| Child { view, slot, revision }.write(sync)));
    let surplus = view.children.surplus.iter();
    effects
        .extend(surplus.map(|node| Effect::Delete(Which::seen(Resource::SeiNode, &node.metadata))));
    effects
}

/// One wanted child and the revision that it is written with.
#[derive(Clone, Copy)]
struct Child<'a> {
    view: &'a View<'a>,
    slot: &'a Slot<'a>,
    revision: i64,
}

impl Child<'_> {
    fn write(self, sync: Sync<'_>) -> Option<Effect> {
        let moves = sync.moves(self.slot.ordinal);
        match self.slot.place {
            Place::Missing => {
                let object = self.render(self.images_of_new(moves));
                Some(Effect::Apply { object, over: None })
            }
            Place::Orphan(node) => {
                // Adopting a child must not move it before its turn.
                let own = target::of(&node.spec);
                let object = self.render(if moves { self.view.goal.target() } else { own });
                Some(Effect::Apply { object, over: node.metadata.uid.clone() })
            }
            Place::Ours(node) => self.update(node, sync),
            Place::Leftover | Place::Foreign | Place::Unseen => None,
        }
    }

    fn update(self, node: &SeiNode, sync: Sync<'_>) -> Option<Effect> {
        let goal = self.view.goal.target();
        let asked = self.asks_more(node);
        let stays = match sync {
            Sync::Target(wave) if wave.moves(self.slot.ordinal) => {
                children::asks_for(node, goal) && !asked
            }
            Sync::Target(_) if asked => return pause::frozen(node, |it| self.ask(it)),
            Sync::Target(_) => true,
            Sync::Everything => is_current(&self.render(goal), node),
        };
        let object = || self.render(goal);
        (!stays).then(|| Effect::Apply { object: object(), over: node.metadata.uid.clone() })
    }

    /// Images of a child that does not exist: the goal's, unless it would have been held back.
    fn images_of_new(&self, moves: bool) -> Target<'_> {
        let good = self.view.status.last_good.as_ref().filter(|_| !moves);
        good.map_or(self.view.goal.target(), |it| Target {
            image: &it.image,
            sidecar_image: it.sidecar_image.as_deref(),
        })
    }

    /// Does something besides the images have to reach the child during a rollout too: the end of
    /// a pause that we asked for, or the wish to try again?
    fn asks_more(self, node: &SeiNode) -> bool {
        let pauses = node.spec.paused && children::owns_pause(node);
        let token = |it: &sei_api::k8s::ObjectMeta| {
            it.annotations.as_ref().and_then(|it| it.get(labels::RETRY)).cloned()
        };
        let wished = token(&self.view.fleet.metadata);
        let resumes = pauses && !self.view.fleet.spec.template.spec.paused;
        resumes || (wished.is_some() && wished != token(&node.metadata))
    }

    /// Asks a child for that and nothing else.
    fn ask(self, node: &mut SeiNode) {
        node.spec.paused = self.view.fleet.spec.template.spec.paused;
        render::fleet::ask_again(self.view.fleet, &mut node.metadata);
    }

    fn render(self, images: Target<'_>) -> Box<Desired> {
        let mut child = render::fleet::child(self.view.fleet, self.slot.ordinal, self.revision);
        target::bring(&mut child, images);
        Box::new(Desired::SeiNode(child))
    }
}

/// The internal Service, unless it is as it should be or is not ours to write.
pub(super) fn service(view: &View<'_>) -> Option<Effect> {
    let desired = Desired::Service(render::fleet::internal_service(view.fleet));
    let live = match &view.seen.internal_service {
        Seen::Absent => return Some(Effect::Apply { object: desired.into(), over: None }),
        Seen::Here(live) => live,
        Seen::Stale | Seen::Unconfirmed | Seen::Unreadable(_) => return None,
    };
    let over = live.metadata.uid.clone();
    match classify(&live.metadata, owner(view.fleet)) {
        Ownership::Ours if is_current(&desired, live.as_ref()) => None,
        Ownership::Ours | Ownership::Orphan => Some(Effect::Apply { object: desired.into(), over }),
        Ownership::Leftover | Ownership::Foreign => None,
    }
}

fn is_current<T: serde::Serialize>(desired: &Desired, live: &T) -> bool {
    let manager = labels::NODEDEPLOYMENT_FIELD_MANAGER;
    match (desired.to_value(), serde_json::to_value(live)) {
        (Ok(desired), Ok(live)) => is_applied(&desired, &live, manager),
        (Err(_), _) | (_, Err(_)) => false,
    }
}
