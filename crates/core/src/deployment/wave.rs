//! Which children may be brought to the goal now.
//!
//! - At most `maxUnavailable` children are down because of the update at one time. One that was
//!   moved counts until it has proven itself and its pod is ready; one that was down before the
//!   rollout began never does, and is moved without waiting.
//! - The first child that fails stops what would take down another one, and so does a passed
//!   deadline. A child has failed when its own diagnosis says so (see `diagnosis`).
//! - Children below the partition are held.
//! - Without a limit all move at once and nothing stops them: chains that halt at a height need it.

use std::collections::BTreeSet;

use crate::deployment::children::Slot;
use crate::deployment::view::{Station, View};

/// The ordinals that may be given the goal's images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wave {
    moves: BTreeSet<i32>,
    /// Some of `moves` were not asked to move before.
    pub(super) is_new: bool,
    /// Every child is asked to move, or was.
    pub(super) is_last: bool,
}

impl Wave {
    /// May the child at this ordinal be given the goal's images?
    pub(super) fn moves(&self, ordinal: i32) -> bool {
        self.moves.contains(&ordinal)
    }
}

/// The children that may be brought to the goal now. `is_stalled`: the deadline has passed.
pub(super) fn next(view: &View<'_>, is_stalled: bool) -> Wave {
    let mut moves = BTreeSet::new();
    let mut waiting = Vec::new();
    let mut budget = view.strategy.max_unavailable;
    let mut stops = is_stalled;
    let mut is_new = false;
    for slot in view.free() {
        match view.station(slot) {
            Station::Before { is_down: false } => waiting.push(slot),
            Station::Before { is_down: true } => {
                is_new = true;
                moves.insert(slot.ordinal);
            }
            asked => {
                budget = budget.saturating_sub(usize::from(asked.uses_budget()));
                stops |= asked.has_failed();
                moves.insert(slot.ordinal);
            }
        }
    }
    if view.strategy.limit(view.children.wanted.len()).is_none() {
        budget = waiting.len();
        stops = false;
    }
    let chosen = in_order(view, waiting).take(if stops { 0 } else { budget });
    for slot in chosen {
        is_new = true;
        moves.insert(slot.ordinal);
    }
    let is_last = moves.len() == view.children.wanted.len();
    Wave { moves, is_new, is_last }
}

/// The children that wait, first comes first.
fn in_order<'a>(
    view: &View<'_>,
    mut waiting: Vec<&'a Slot<'a>>,
) -> impl Iterator<Item = &'a Slot<'a>> {
    waiting.sort_by_key(|slot| if view.strategy.ascends { slot.ordinal } else { -slot.ordinal });
    waiting.into_iter()
}
