//! What a round knows about a fleet, worked out once: its children and how far each of them is.

use jiff::Timestamp;
use sei_api::condition::{Status, Type};
use sei_api::{NodePhase, SeiNode, SeiNodeDeployment, SeiNodeDeploymentStatus};

use crate::condition::find;
use crate::deployment::children::{self, Children, Place, Settles, Slot};
use crate::deployment::strategy::{self, Strategy};
use crate::deployment::target::{self, Goal};
use crate::deployment::{Env, Observed, diagnosis};

/// A fleet in the eyes of one round.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) fleet: &'a SeiNodeDeployment,
    pub(super) status: &'a SeiNodeDeploymentStatus,
    pub(super) seen: &'a Observed,
    pub(super) env: Env<'a>,
    pub(super) children: Children<'a>,
    /// Where the children are to be brought.
    pub(super) goal: Goal,
    /// How fast and how far.
    pub(super) strategy: Strategy,
    /// More children are on the goal of a rollout than when they were counted last.
    pub(super) has_advanced: bool,
}

/// How far one wanted child is on its way to the goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Station {
    /// There is no child of ours to speak of.
    Gone,
    /// It was written a moment ago, and is not seen since.
    Unseen,
    /// It was not asked to move yet. `is_down`: moving it takes nothing from the users.
    Before { is_down: bool },
    /// It was asked to move and has not arrived. `took_down`: it served before.
    OnItsWay { took_down: bool, has_failed: bool },
    /// It was seen running the goal; it has yet to prove itself, or to become ready. `has_failed`:
    /// it runs now and does not stay up, so that it is here and on its way by turns.
    Arrived { has_failed: bool },
    /// It was seen running the goal for long enough, and is ready.
    Done,
}

impl Station {
    /// Is the child down because of the update, or may it still be?
    pub(super) fn uses_budget(self) -> bool {
        matches!(self, Self::Unseen | Self::Arrived { .. } | Self::OnItsWay { took_down: true, .. })
    }

    /// Did the child fail on the goal?
    pub(super) fn has_failed(self) -> bool {
        matches!(self, Self::OnItsWay { has_failed: true, .. } | Self::Arrived { has_failed: true })
    }
}

impl<'a> View<'a> {
    pub(super) fn new(
        fleet: &'a SeiNodeDeployment,
        status: &'a SeiNodeDeploymentStatus,
        seen: &'a Observed,
        env: Env<'a>,
    ) -> Self {
        let mut view = Self {
            fleet,
            status,
            seen,
            env,
            children: children::read(fleet, seen),
            goal: target::goal(fleet, status),
            strategy: strategy::read(fleet, env.tempo),
            has_advanced: false,
        };
        view.has_advanced = view.advances();
        view
    }

    /// A rollout that has just begun counts for the first time.
    fn advances(&self) -> bool {
        let began = self.status.rollout.as_ref().map(|it| it.started_at.0);
        let counted = began.is_some_and(|began| began < self.seen.now);
        counted && !self.fleet.spec.paused && self.on_goal() > self.status.updated_replicas
    }

    /// When this child's `seid` will have run long enough.
    pub(super) fn settles(&self, slot: &Slot<'_>) -> Settles {
        children::settles_at(self.seen.workloads.get(&slot.name), self.strategy.min_ready)
    }

    /// Is this child Running and ready by its StatefulSet?
    pub(super) fn is_ready(&self, slot: &Slot<'_>, node: &SeiNode) -> bool {
        children::is_ready(node, self.seen.workloads.get(&slot.name))
    }

    /// Is this child kept where it is by the partition? A return knows no partition: what it held
    /// back runs the good template still.
    pub(super) fn is_held(&self, slot: &Slot<'_>) -> bool {
        let below = slot.ordinal < self.strategy.partition;
        let moves_on = match slot.place {
            Place::Ours(node) | Place::Orphan(node) => children::asks_for(node, self.goal.target()),
            Place::Missing | Place::Leftover | Place::Foreign | Place::Unseen => false,
        };
        self.status.rollout.is_some() && !self.goal.is_return && below && !moves_on
    }

    /// How far this child is.
    pub(super) fn station(&self, slot: &Slot<'_>) -> Station {
        let node = match slot.place {
            Place::Ours(node) => node,
            Place::Orphan(node) if children::asks_for(node, self.goal.target()) => {
                return Station::OnItsWay { took_down: false, has_failed: false };
            }
            Place::Orphan(node) => {
                return Station::Before { is_down: !self.is_ready(slot, node) };
            }
            Place::Missing | Place::Leftover | Place::Foreign => return Station::Gone,
            Place::Unseen => return Station::Unseen,
        };
        if !children::asks_for(node, self.goal.target()) {
            return Station::Before { is_down: !self.is_ready(slot, node) };
        }
        let settles = self.settles(slot);
        if !children::on_target(node, self.goal.target()) || settles == Settles::Unknown {
            let took_down = ran(node) && !self.was_down(node);
            return Station::OnItsWay { took_down, has_failed: diagnosis::has_failed(node) };
        }
        let settled = match settles {
            Settles::Now => true,
            Settles::At(time) => time <= self.seen.now,
            Settles::Unknown => false,
        };
        if settled && self.is_ready(slot, node) {
            return Station::Done;
        }
        Station::Arrived { has_failed: diagnosis::has_failed(node) }
    }

    /// The wanted children that are not asked to stay where they are.
    pub(super) fn free(&self) -> impl Iterator<Item = &Slot<'a>> {
        self.children.wanted.iter().filter(|slot| !self.is_held(slot))
    }

    /// Wanted children that run the goal.
    pub(super) fn on_goal(&self) -> i32 {
        self.count(|node| children::on_target(node, self.goal.target()))
    }

    /// Wanted children of ours of which `holds`.
    pub(super) fn count(&self, holds: impl Fn(&SeiNode) -> bool) -> i32 {
        let ours = self.children.wanted.iter().filter_map(|slot| match slot.place {
            Place::Ours(node) => Some(node),
            Place::Missing
            | Place::Orphan(_)
            | Place::Leftover
            | Place::Foreign
            | Place::Unseen => None,
        });
        i32::try_from(ours.filter(|node| holds(node)).count()).unwrap_or(i32::MAX)
    }

    /// Was this child down before the rollout began? Then it is not the update that took it down.
    fn was_down(&self, node: &SeiNode) -> bool {
        let began = self.status.rollout.as_ref().map(|it| it.started_at.0);
        let ready = node.status.iter().find_map(|it| find(&it.conditions, Type::Ready));
        ready.is_some_and(|it| {
            let since = it.last_transition_time.0;
            it.status != Status::True.as_str() && began.is_some_and(|began| since < began)
        })
    }
}

/// Did this child ever serve? What was never up is not taken down.
fn ran(node: &SeiNode) -> bool {
    let status = node.status.as_ref();
    status.is_some_and(|it| it.phase == Some(NodePhase::Running) && it.current_image.is_some())
}

/// When we last wrote this child's spec, as the API server has it.
pub(super) fn written_at(node: &SeiNode) -> Option<Timestamp> {
    children::own_entry(node).and_then(|it| it.time.as_ref()).map(|it| it.0)
}
