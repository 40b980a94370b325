//! When a fleet has made no progress for too long, and what it then says.
//!
//! The clock of a rollout starts with it, and anew with each child that arrives or is moved. While
//! all that is left is held by the partition, nothing is late. Without a rollout, only children
//! that never came up can be late; their clock starts when we last wrote one of them, or when one
//! of them came up.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sei_api::NodePhase;
use sei_api::condition::{Reason, Status, Type};

use crate::condition::find;
use crate::deployment::children::{Place, Settles, Slot};
use crate::deployment::diagnosis;
use crate::deployment::view::{Station, View, written_at};
use crate::fault::shorten;

/// What the clock says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// Nothing can be late.
    Still,
    /// It has this long to make progress.
    Runs(Duration),
    /// It made no progress in time.
    Stalled(Stall),
}

/// Why a fleet does not get on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stall {
    /// What all late children say, else `ProgressDeadlineExceeded`.
    pub(super) reason: Reason,
    /// How long, which children, and why.
    pub(super) message: String,
}

/// Late children that a message names.
const NODES_SHOWN: usize = 5;
/// What a message quotes of each.
const QUOTE_BYTES_MAX: usize = 160;

/// What the clock of this fleet says.
pub(super) fn clock(view: &View<'_>) -> Clock {
    let late: Vec<&Slot<'_>> = view.free().filter(|slot| is_late(view, slot)).collect();
    let Some(since) = (if late.is_empty() { None } else { started(view) }) else {
        return Clock::Still;
    };
    let deadline = SignedDuration::try_from(view.strategy.deadline).unwrap_or(SignedDuration::MAX);
    let left = deadline.saturating_sub(view.seen.now.duration_since(since));
    if left.is_positive() {
        return Clock::Runs(left.unsigned_abs());
    }
    Clock::Stalled(stall(view, deadline, &late))
}

/// Does a fleet say this of a stall, and of nothing else?
pub(super) fn is_word(reason: &str) -> bool {
    let word = Reason::from_word(reason);
    word == Some(Reason::ProgressDeadlineExceeded) || word.is_some_and(diagnosis::is_word)
}

/// Would the fleet be further if this child were? One that was not asked to move yet would not:
/// either others hold it up, or its turn is now.
fn is_late(view: &View<'_>, slot: &Slot<'_>) -> bool {
    let is_moving = match view.station(slot) {
        Station::Before { .. } | Station::Done => false,
        // It is on the goal: ready late, it is in the way of those that wait for it. One that does
        // not stay up is on the goal by turns; its fleet is late all the while.
        Station::Arrived { has_failed } => has_failed || waiting(view) > 0,
        Station::Gone | Station::Unseen | Station::OnItsWay { .. } => true,
    };
    if !is_moving || view.status.rollout.is_some() {
        return is_moving;
    }
    let Place::Ours(node) = slot.place else { return false };
    let phase = node.status.as_ref().and_then(|it| it.phase.as_ref());
    let rests = matches!(phase, Some(NodePhase::Running | NodePhase::Failed));
    view.status.template_hash.is_none() || !rests
}

/// Children that wait for their turn.
fn waiting(view: &View<'_>) -> usize {
    view.free().filter(|slot| matches!(view.station(slot), Station::Before { .. })).count()
}

/// When the clock started.
fn started(view: &View<'_>) -> Option<Timestamp> {
    if view.has_advanced {
        return Some(view.seen.now);
    }
    if let Some(rollout) = &view.status.rollout {
        let progress = rollout.last_progress_at.as_ref().map(|it| it.0);
        return Some(progress.map_or(rollout.started_at.0, |it| it.max(rollout.started_at.0)));
    }
    let resumed = find(&view.status.conditions, Type::Paused)
        .filter(|it| it.status == Status::False.as_str())
        .map(|it| it.last_transition_time.0);
    let moved = view.children.wanted.iter().filter_map(|slot| {
        let Place::Ours(node) = slot.place else { return None };
        let status = node.status.as_ref();
        let is_up = status.is_some_and(|it| it.phase == Some(NodePhase::Running));
        let came_up = status.and_then(|it| it.phase_transition_time.as_ref()).map(|it| it.0);
        let created = node.metadata.creation_timestamp.as_ref().map(|it| it.0);
        written_at(node).max(created).max(came_up.filter(|_| is_up))
    });
    moved.chain(resumed).max()
}

fn stall(view: &View<'_>, deadline: SignedDuration, late: &[&Slot<'_>]) -> Stall {
    let reasons = late.iter().map(|slot| reason(slot));
    let common = reasons.reduce(|one, other| one.filter(|_| one == other)).flatten();
    let count = format!("{} of {} nodes on target", view.on_goal(), view.fleet.spec.replicas);
    let mut parts = vec![format!("no progress within {deadline:#}: {count}")];
    parts.extend(late.iter().take(NODES_SHOWN).map(|slot| quote(view, slot)));
    let more = late.len().saturating_sub(NODES_SHOWN);
    parts.extend((more > 0).then(|| format!("{more} more")));
    let waiting = waiting(view);
    parts.extend((waiting > 0).then(|| format!("{waiting} wait for others")));
    Stall { reason: common.unwrap_or(Reason::ProgressDeadlineExceeded), message: parts.join("; ") }
}

fn reason(slot: &Slot<'_>) -> Option<Reason> {
    let Place::Ours(node) = slot.place else { return None };
    diagnosis::reason(node)
}

/// The child and what it says.
fn quote(view: &View<'_>, slot: &Slot<'_>) -> String {
    let name = &slot.name;
    let node = match slot.place {
        Place::Ours(node) => node,
        Place::Missing => return format!("{name}: does not exist"),
        Place::Orphan(_) => return format!("{name}: is not adopted yet"),
        Place::Leftover => return format!("{name}: waits until its predecessor is gone"),
        Place::Foreign => return format!("{name}: its name is taken"),
        Place::Unseen => return format!("{name}: cannot be read"),
    };
    let settles = view.settles(slot);
    match diagnosis::why(node) {
        Some(it) => {
            let said = format!("{name}: {}: {}", it.reason, it.message);
            shorten(said, QUOTE_BYTES_MAX)
        }
        None if settles == Settles::Unknown => format!("{name}: seid does not run"),
        None => format!("{name}: says nothing about its newest spec"),
    }
}
