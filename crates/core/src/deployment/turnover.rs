//! Children that come and go, each told once: when the API server confirms it or, if its answer was
//! lost or whoever listened died, when the child is seen to have come or gone.
//!
//! The status is the memory: `incumbentNodes` names the children whose coming was told, and
//! `nodes[].phase` is `Terminating` for those whose going was.

use std::time::Duration;

use sei_api::event::Reason;
use sei_api::{GroupNode, NodePhase, SeiNode, SeiNodeDeployment, SeiNodeDeploymentStatus};

use crate::deployment::{Observed, children, generation};
use crate::effect::{Desired, Effect, Outcome, Resource};
use crate::node::Seen;
use crate::notice::Notice;

/// The coming of a child that is older is news to nobody: its status was wiped, or it was adopted.
const NEWS: Duration = Duration::from_mins(10);

/// What a round's `effects` did to the children, marked in `status`; and what is to be told of it.
pub(super) fn confirmed<'a>(
    fleet: &SeiNodeDeployment,
    effects: impl Iterator<Item = (&'a Effect, &'a Outcome)>,
    status: &mut SeiNodeDeploymentStatus,
) -> Vec<Notice> {
    let mut told = Vec::new();
    for (effect, outcome) in effects {
        let Outcome::Done { uid } = outcome else { continue };
        match effect {
            Effect::Apply { object, over: None } => {
                if let Desired::SeiNode(child) = object.as_ref() {
                    let name = child.metadata.name.as_deref().unwrap_or_default();
                    told.push(came(name, uid.as_deref()));
                    mark_came(fleet, name, status);
                }
            }
            Effect::Delete(target) if target.resource == Resource::SeiNode => {
                told.push(went(fleet, &target.name));
                let child = status.nodes.iter_mut().find(|it| it.name == target.name);
                child.into_iter().for_each(|it| it.phase = Some(NodePhase::Terminating));
            }
            Effect::Apply { .. }
            | Effect::Create(_)
            | Effect::SetOwners { .. }
            | Effect::Delete(_)
            | Effect::RemoveFinalizer
            | Effect::Submit(_) => {}
        }
    }
    told
}

/// What is to be told of children that `after` shows to have come or gone since `before`.
pub(super) fn witnessed(
    fleet: &SeiNodeDeployment,
    seen: &Observed,
    before: &SeiNodeDeploymentStatus,
    after: &SeiNodeDeploymentStatus,
) -> Vec<Notice> {
    let fresh = after.incumbent_nodes.iter().filter(|it| !before.incumbent_nodes.contains(it));
    let is_surplus = |name: &str| ordinal(fleet, name).is_some_and(|it| it >= fleet.spec.replicas);
    // One that is to go may have been out of sight for a moment.
    let arrivals = fresh.filter(|it| !is_surplus(it)).filter_map(|name| {
        let Seen::Here(child) = seen.children.get(name)? else { return None };
        let uid = child.metadata.uid.as_deref();
        is_news(fleet, child, seen).then(|| came(name, uid))
    });
    let departures = before
        .nodes
        .iter()
        .filter(|was| is_surplus(&was.name) && !is_going(was) && goes(seen, after, &was.name));
    arrivals.chain(departures.map(|it| went(fleet, &it.name))).collect()
}

fn is_going(child: &GroupNode) -> bool {
    child.phase == Some(NodePhase::Terminating)
}

/// Is this child being deleted, or gone?
fn goes(seen: &Observed, after: &SeiNodeDeploymentStatus, name: &str) -> bool {
    match after.nodes.iter().find(|it| it.name == name) {
        Some(child) => is_going(child),
        None => matches!(seen.children.get(name), None | Some(Seen::Absent)),
    }
}

/// Was this child made by this fleet, and lately? A fleet that adopts a child is younger.
fn is_news(fleet: &SeiNodeDeployment, child: &SeiNode, seen: &Observed) -> bool {
    let Some(made) = child.metadata.creation_timestamp.as_ref().map(|it| it.0) else {
        return false;
    };
    let begun = fleet.metadata.creation_timestamp.as_ref().map(|it| it.0);
    let age = Duration::try_from(seen.now.duration_since(made)).unwrap_or_default();
    begun.is_none_or(|begun| made >= begun) && age <= NEWS
}

fn came(name: &str, uid: Option<&str>) -> Notice {
    let message = format!("Created SeiNode {name}");
    Notice::normal(Reason::SeiNodeCreated, message, uid.unwrap_or_default())
}

/// Not by the UID of the child, which may have been gone before it was seen to go.
fn went(fleet: &SeiNodeDeployment, name: &str) -> Notice {
    let message = format!("Scaled down SeiNode {name}");
    let which = format!("{name}/{}", generation(fleet));
    Notice::normal(Reason::SeiNodeDeleted, message, &which)
}

fn mark_came(fleet: &SeiNodeDeployment, name: &str, status: &mut SeiNodeDeploymentStatus) {
    let names = &mut status.incumbent_nodes;
    if !names.iter().any(|it| it == name) {
        names.push(name.to_owned());
        names.sort_by_key(|it| ordinal(fleet, it).unwrap_or(i32::MAX));
    }
}

/// The ordinal in a child's name.
fn ordinal(fleet: &SeiNodeDeployment, name: &str) -> Option<i32> {
    let ordinal = name.rsplit_once('-')?.1.parse().ok()?;
    (children::child_name(fleet, ordinal) == name).then_some(ordinal)
}
