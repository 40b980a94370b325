//! One word on a fleet: which of the things that can be said of it is said.
//!
//! First match wins: somebody else's object in the way; failed children, outside a rollout; a
//! pause; a template that was given up; a passed deadline; a fault; work in progress; rest.

use sei_api::condition::Reason;
use sei_api::{NodePhase, SeiNodeDeploymentStatus, k8s};

use super::tally::Tally;
use super::{End, name_of};
use crate::deployment::children::{Children, Place};
use crate::deployment::stall::{self, Clock, Stall};
use crate::deployment::view::View;
use crate::deployment::{Observed, doors, name, owner, rollback, rollout};
use crate::fault::{DETAIL_BYTES_MAX, Fault, shorten};
use crate::node::Seen;
use crate::ownership::{Ownership, classify};
use crate::verdict::Verdict;

/// The word on this fleet.
pub(super) fn of(end: End<'_>, view: &View<'_>, tally: &Tally) -> Verdict {
    let View { fleet, status, seen, children, .. } = view;
    if let Some(message) = foreign(view) {
        return Verdict::Stalled(Reason::ForeignObject, message);
    }
    if tally.failed > 0 && status.rollout.is_none() {
        return Verdict::Stalled(Reason::NodesFailed, failed_nodes(children));
    }
    let wanted = fleet.spec.replicas;
    let done = format!("{} of {wanted} nodes on target", tally.updated);
    if fleet.spec.paused {
        return paused(view, tally, &done);
    }
    if view.goal.is_return && status.rollout.is_none() {
        return Verdict::Stalled(Reason::RolledBack, given_up(status));
    }
    // What was written a moment ago is not late.
    let fresh = end.wrote && status.rollout.is_none();
    if let (false, Clock::Stalled(stall)) = (fresh, stall::clock(view)) {
        return stalled(view, stall);
    }
    if let Some(fault) = end.trouble.or_else(|| unreadable(seen)) {
        return Verdict::Working(Reason::Retrying, fault.detail.clone());
    }
    if let Some(rollout) = &status.rollout {
        let done = rollout::held(view).unwrap_or(done);
        let reason = if view.goal.is_return { Reason::RollingBack } else { Reason::Progressing };
        let verb = if view.goal.is_return { "going back to" } else { "rolling out" };
        return Verdict::Working(
            reason,
            format!("{verb} template {}: {done}", rollout.target_hash),
        );
    }
    at_rest(view, tally, end.wrote)
}

/// No rollout, nothing in the way.
fn at_rest(view: &View<'_>, tally: &Tally, wrote: bool) -> Verdict {
    let wanted = view.fleet.spec.replicas;
    if let Some(object) = leftover(view) {
        let message =
            format!("{object} is about to be removed; it is created anew when it is gone");
        return Verdict::Working(Reason::LeftoverObject, message);
    }
    let unseen = view.children.wanted.iter().any(|it| matches!(it.place, Place::Unseen));
    if wrote || unseen {
        return Verdict::Working(Reason::Progressing, "bringing the nodes to the spec".to_owned());
    }
    if tally.updated < wanted {
        let done = format!("{} of {wanted} nodes on target", tally.updated);
        return Verdict::Working(Reason::Progressing, done);
    }
    if tally.ready < wanted {
        return Verdict::Waiting(Reason::NotReady, format!("{}/{wanted} nodes ready", tally.ready));
    }
    Verdict::Ready(format!("all nodes run {}", view.goal.target().image))
}

/// A paused fleet is ready all the same if it is what its spec asks for.
fn paused(view: &View<'_>, tally: &Tally, done: &str) -> Verdict {
    let wanted = view.fleet.spec.replicas;
    let rests = view.status.rollout.is_none() && !view.goal.is_return;
    if rests && tally.updated >= wanted && tally.ready >= wanted {
        return Verdict::Ready(format!("all nodes run {}", view.goal.target().image));
    }
    Verdict::Paused(format!("paused: {done}; set spec.paused to false to go on"))
}

/// What was given up, and the next step.
fn given_up(status: &SeiNodeDeploymentStatus) -> String {
    with_next_step(rollback::told(status), "")
}

/// No progress in time, and the next step.
fn stalled(view: &View<'_>, stall: Stall) -> Verdict {
    let lost = view.strategy.rolls_back && view.status.last_good.is_none();
    let why = match lost {
        true => "there is no template to roll back to: none was fully rolled out yet; ",
        false => "",
    };
    Verdict::Stalled(stall.reason, with_next_step(stall.message, why))
}

/// The next step is what a person needs: whatever has to be cut, it is not that.
fn with_next_step(message: String, more: &str) -> String {
    let step = "edit spec.template, or set the annotation sei.io/retry to try again";
    let room = DETAIL_BYTES_MAX.saturating_sub(step.len() + more.len() + 2);
    format!("{}; {more}{step}", shorten(message, room))
}

/// Why something that has to be looked at cannot be.
pub(in crate::deployment) fn unreadable(seen: &Observed) -> Option<&Fault> {
    fn fault<T>(seen: &Seen<T>) -> Option<&Fault> {
        match seen {
            Seen::Unreadable(fault) => Some(fault),
            Seen::Here(_) | Seen::Absent | Seen::Unconfirmed | Seen::Stale => None,
        }
    }
    fault(&seen.internal_service).or_else(|| seen.children.values().find_map(fault))
}

/// Objects of somebody else at our names, and what to do about them.
fn foreign(view: &View<'_>) -> Option<String> {
    let View { fleet, seen, children, .. } = view;
    let foreign_child =
        children.wanted.iter().find(|it| matches!(it.place, Place::Foreign)).map(|it| &it.name);
    if let Some(child) = foreign_child {
        return Some(refusal("SeiNode", child, name(fleet)));
    }
    let theirs = |it: &&k8s::Service| classify(&it.metadata, owner(fleet)) == Ownership::Foreign;
    if let Some(service) = seen.internal_service.here().filter(theirs) {
        let service = service.metadata.name.as_deref().unwrap_or_default();
        return Some(refusal("Service", service, name(fleet)));
    }
    let (kind, object) = doors::foreign(fleet, seen, view.env)?;
    Some(refusal(kind, &object, name(fleet)))
}

/// Why an object of somebody else stops us, and what to do about it.
pub(in crate::deployment) fn refusal(kind: &str, object: &str, fleet: &str) -> String {
    format!(
        "{kind} \"{object}\" already exists and is not controlled by SeiNodeDeployment \
         \"{fleet}\"; delete or rename it"
    )
}

/// What a predecessor left at one of our names and its owner has not let go of yet.
fn leftover(view: &View<'_>) -> Option<String> {
    let mut wanted = view.children.wanted.iter();
    if let Some(slot) = wanted.find(|it| matches!(it.place, Place::Leftover)) {
        return Some(format!("SeiNode \"{}\"", slot.name));
    }
    let Seen::Here(service) = &view.seen.internal_service else { return None };
    let is_leftover = classify(&service.metadata, owner(view.fleet)) == Ownership::Leftover;
    let name = service.metadata.name.as_deref().unwrap_or_default();
    is_leftover.then(|| format!("Service \"{name}\""))
}

fn failed_nodes(children: &Children<'_>) -> String {
    let failed: Vec<String> = children
        .owned
        .iter()
        .filter(|it| it.status.as_ref().is_some_and(|it| it.phase == Some(NodePhase::Failed)))
        .map(|it| name_of(it))
        .collect();
    format!("failed: {}; see their condition Stalled", failed.join(", "))
}
