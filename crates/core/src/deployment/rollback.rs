//! Going back to the template that was last seen fully rolled out.
//!
//! The spec is never edited: `status.rejectedHash` names the template that was given up, and as
//! long as the spec asks for that very one, the fleet's goal is `status.lastGood`. Everything
//! follows from these two, so a crash loses nothing.

use sei_api::SeiNodeDeploymentStatus;
use sei_api::condition::{Reason, Type};

use crate::condition::{Say, find};
use crate::deployment::children::Place;
use crate::deployment::stall::Clock;
use crate::deployment::view::View;
use crate::deployment::{diagnosis, rollout, target};

/// Has the rollout in flight failed, so that its children are to go back?
pub(super) fn is_due(view: &View<'_>, clock: &Clock) -> bool {
    view.strategy.rolls_back
        && view.status.rollout.is_some()
        && !view.goal.is_return
        && way_back(view).is_some()
        && (matches!(clock, Clock::Stalled(_)) || all_gave_up(view))
}

/// The image to go back to, if there is one other than the goal.
pub(super) fn way_back<'a>(view: &View<'a>) -> Option<&'a str> {
    let good = view.status.last_good.as_ref()?;
    (good.hash != view.goal.hash()).then_some(good.image.as_str())
}

/// Starts the return, in memory: record, plan and conditions move together.
pub(super) fn begin(view: &View<'_>, clock: &Clock, status: &mut SeiNodeDeploymentStatus) {
    let Some(good) = status.last_good.clone() else { return };
    let why = match clock {
        Clock::Stalled(stall) => stall.message.as_str(),
        Clock::Still | Clock::Runs(_) => "the plan of every node failed",
    };
    let given_up = view.goal.hash();
    let message = format!(
        "template {given_up} was given up; the nodes go back to {} (template {}); {why}",
        good.image, good.hash,
    );
    status.rejected_hash = Some(given_up.to_owned());
    status.rollout = Some(rollout::record(good.hash, view));
    let say = Say::yes(Reason::RollingBack, message);
    rollout::conditions(view.fleet, &mut status.conditions, view.seen)
        .set(Type::RolloutInProgress, say);
    rollout::replan(view.fleet, status, view.seen);
}

/// What was given up and why, as it was said when the return began.
pub(super) fn told(status: &SeiNodeDeploymentStatus) -> String {
    let words = [Reason::RollingBack, Reason::RolledBack].map(Reason::as_str);
    let said = find(&status.conditions, Type::RolloutInProgress)
        .filter(|it| words.contains(&it.reason.as_str()));
    said.map_or_else(|| "the template was given up".to_owned(), |it| it.message.clone())
}

/// Forgets what was given up once the spec asks for another template.
pub(super) fn forget(fleet: &sei_api::SeiNodeDeployment, status: &mut SeiNodeDeploymentStatus) {
    if status.rejected_hash.is_some() && !target::goal(fleet, status).is_return {
        status.rejected_hash = None;
    }
}

/// Did every wanted child give up by itself?
fn all_gave_up(view: &View<'_>) -> bool {
    let wanted = &view.children.wanted;
    !wanted.is_empty()
        && wanted.iter().all(|slot| match slot.place {
            Place::Ours(node) => {
                super::children::asks_for(node, view.goal.target()) && diagnosis::has_given_up(node)
            }
            Place::Missing
            | Place::Orphan(_)
            | Place::Leftover
            | Place::Foreign
            | Place::Unseen => false,
        })
}
