//! What a fleet's status says besides its rollout: counts, children, addresses, conditions.

mod addresses;
mod tally;
mod verdict;

use sei_api::condition::{Reason, Type};
use sei_api::{
    DeploymentPhase, GroupNode, NodePhase, SeiNode, SeiNodeDeployment, SeiNodeDeploymentStatus,
    k8s, labels,
};

use crate::condition::{Conditions, Say, is_true};
use crate::deployment::children::{self, Place};
use crate::deployment::view::View;
use crate::deployment::{Env, Observed, diagnosis, doors, name, pause, rollout, target};
use crate::fault::Fault;
use crate::node::spec::Refusal;
use tally::Tally;

pub(super) use verdict::{refusal, unreadable};

/// Says that the spec is refused; nothing new is created, what runs is left alone.
pub(super) fn refuse(
    fleet: &SeiNodeDeployment,
    status: &mut SeiNodeDeploymentStatus,
    seen: &Observed,
    refusal: Refusal,
) {
    let Refusal { reason, message } = refusal;
    let mut conditions = rollout::conditions(fleet, &mut status.conditions, seen);
    conditions.set(Type::Ready, Say::no(reason, message.clone()));
    conditions.set(Type::Stalled, Say::yes(reason, message.clone()));
    conditions.set(Type::Reconciling, Say::no(reason, message));
    seed(fleet, &mut conditions);
}

/// The end of a round, from which a status is summed up.
#[derive(Clone, Copy, Debug)]
pub(super) struct End<'a> {
    pub(super) fleet: &'a SeiNodeDeployment,
    pub(super) seen: &'a Observed,
    pub(super) env: Env<'a>,
    /// The fault that the round met.
    pub(super) trouble: Option<&'a Fault>,
    /// Children were written: what was seen of them is no longer all.
    pub(super) wrote: bool,
    /// What became of the public face.
    pub(super) doors: doors::Attended<'a>,
}

/// Sums `status` up.
pub(super) fn summarize(end: End<'_>, status: &mut SeiNodeDeploymentStatus) {
    let End { fleet, seen, env, .. } = end;
    pause::mark(fleet, status, seen);
    if status.phase == Some(DeploymentPhase::Terminating) {
        terminating(fleet, status, seen, end.trouble);
        return;
    }
    let known = status.clone();
    let view = View::new(fleet, &known, seen, env);
    // A child that we have just written is unseen for a moment. Its last count stands until then:
    // it is no less ready for having been written to.
    let unseen = view.children.wanted.iter().any(|it| matches!(it.place, Place::Unseen));
    let counted = !unseen || status.phase.is_none();
    let tally = if counted { Tally::of(&view) } else { Tally::reported(status) };
    status.replicas = fleet.spec.replicas;
    status.selector = Some(format!("{}={}", labels::NODEDEPLOYMENT, name(fleet)));
    if counted {
        count(&view, tally, status);
    }
    rollout::tell_limit(&view, status);
    let owned = if counted { view.children.owned.len() } else { status.nodes.len() };
    status.phase = Some(phase(fleet, status, owned, &tally));
    let verdict = verdict::of(end, &view, &tally);
    let mut conditions = rollout::conditions(fleet, &mut status.conditions, seen);
    if counted {
        conditions.set(Type::NodesReady, tally.nodes_ready(fleet));
    }
    if super::spec::refusal(fleet).is_some() {
        return;
    }
    rollout::tell_partition(&view, &mut conditions);
    verdict.tell(&mut conditions);
    doors::summarize(end, status);
    let mut conditions = rollout::conditions(fleet, &mut status.conditions, seen);
    seed(fleet, &mut conditions);
}

/// The children, counted and one by one.
fn count(view: &View<'_>, tally: Tally, status: &mut SeiNodeDeploymentStatus) {
    let children = &view.children;
    if let Some(rollout) = status.rollout.as_mut().filter(|_| view.has_advanced) {
        rollout.last_progress_at = Some(k8s::Time(view.seen.now));
    }
    let rests = view.goal.is_return && status.rollout.is_none();
    let asked = target::of(&view.fleet.spec.template.spec);
    status.ready_replicas = tally.ready;
    status.updated_replicas = match rests {
        true => view.count(|node| children::on_target(node, asked)),
        false => tally.updated,
    };
    status.available_replicas = tally.available;
    status.nodes = children.owned.iter().map(|it| group_node(view, it)).collect();
    status.incumbent_nodes = children.owned.iter().map(|it| name_of(it)).collect();
    addresses::fill(view, status);
}

/// A child, and why it is not on target, or what is wrong with it though it is.
fn group_node(view: &View<'_>, node: &SeiNode) -> GroupNode {
    let status = node.status.as_ref();
    let on_target = children::on_target(node, view.goal.target());
    let why = diagnosis::why(node).filter(|_| !on_target || diagnosis::reason(node).is_some());
    let going = node.metadata.deletion_timestamp.is_some().then_some(NodePhase::Terminating);
    GroupNode {
        name: name_of(node),
        phase: going.or_else(|| status.and_then(|it| it.phase.clone())),
        current_image: status.and_then(|it| it.current_image.clone()),
        reason: why.map(|it| it.reason.clone()),
        message: why.map(|it| it.message.clone()),
    }
}

/// First match wins.
fn phase(
    fleet: &SeiNodeDeployment,
    status: &SeiNodeDeploymentStatus,
    owned: usize,
    tally: &Tally,
) -> DeploymentPhase {
    let owned = i32::try_from(owned).unwrap_or(i32::MAX);
    if is_true(&status.conditions, Type::RolloutInProgress) {
        DeploymentPhase::Upgrading
    } else if is_true(&status.conditions, Type::PlanInProgress) {
        let rollout = status.rollout.is_some();
        if rollout { DeploymentPhase::Upgrading } else { DeploymentPhase::Initializing }
    } else if owned == 0 {
        DeploymentPhase::Pending
    } else if tally.ready == fleet.spec.replicas {
        DeploymentPhase::Ready
    } else if tally.failed == owned {
        DeploymentPhase::Failed
    } else if tally.failed > 0 && tally.running > 0 {
        DeploymentPhase::Degraded
    } else {
        DeploymentPhase::Initializing
    }
}

fn terminating(
    fleet: &SeiNodeDeployment,
    status: &mut SeiNodeDeploymentStatus,
    seen: &Observed,
    trouble: Option<&Fault>,
) {
    let message = trouble.map_or("the fleet is being deleted", |it| it.detail.as_str()).to_owned();
    let mut conditions = rollout::conditions(fleet, &mut status.conditions, seen);
    conditions.set(Type::Ready, Say::no(Reason::Terminating, message.clone()));
    conditions.set(Type::Reconciling, Say::yes(Reason::Terminating, message));
    conditions.set(Type::Stalled, Say::no(Reason::Progressing, "work is in progress"));
    conditions.seed(Type::NodesReady, Say::no(Reason::NotStarted, "no node was counted yet"));
    seed(fleet, &mut conditions);
}

/// Conditions that nothing has set yet say so.
fn seed(fleet: &SeiNodeDeployment, conditions: &mut Conditions<'_>) {
    let of = |asked: bool, field: &str| match asked {
        true => Say::no(Reason::NotStarted, format!("{field} is not supported yet")),
        false => Say::no(Reason::NotApplicable, format!("{field} is not set")),
    };
    let genesis = of(fleet.spec.genesis.is_some(), "spec.genesis");
    doors::seed(fleet, conditions);
    conditions.seed(Type::PlanInProgress, Say::no(Reason::NotStarted, "no plan yet"));
    conditions.seed(Type::RolloutInProgress, Say::no(Reason::NotStarted, "no rollout yet"));
    conditions.seed(Type::GenesisCeremonyNeeded, genesis.clone());
    conditions.seed(Type::GenesisCeremonyComplete, genesis);
}

fn name_of(node: &SeiNode) -> String {
    node.metadata.name.clone().unwrap_or_default()
}
