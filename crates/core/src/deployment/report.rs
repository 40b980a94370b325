//! What a fleet's status says besides its rollout: counts, children, addresses, conditions.

use sei_api::condition::{Reason, Status, Type};
use sei_api::{
    DeploymentPhase, EndpointNode, Endpoints, GroupNode, InternalService, InternalServicePorts,
    NodePhase, PerPodService, PerPodServicePorts, SeiNode, SeiNodeDeployment,
    SeiNodeDeploymentStatus, k8s, labels,
};

use crate::condition::{Conditions, Say, find, is_true};
use crate::deployment::children::{self, Children, Place, Settles};
use crate::deployment::{Env, Observed, doors, name, namespace, owner, rollout};
use crate::fault::Fault;
use crate::node::Seen;
use crate::node::spec::Refusal;
use crate::ownership::{Ownership, classify};
use crate::render::ports::{self, Port};
use crate::verdict::Verdict;

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
    let End { fleet, seen, env, trouble, .. } = end;
    if status.phase == Some(DeploymentPhase::Terminating) {
        terminating(fleet, status, seen, trouble);
        return;
    }
    let children = children::read(fleet, seen);
    // A child that we have just written is unseen for a moment. Its last count stands until then:
    // it is no less ready for having been written to.
    let unseen = children.wanted.iter().any(|it| matches!(it.place, Place::Unseen));
    let counted = !unseen || status.phase.is_none();
    let tally =
        if counted { Tally::of(fleet, &children, seen, env) } else { Tally::reported(status) };
    status.replicas = fleet.spec.replicas;
    status.selector = Some(format!("{}={}", labels::NODEDEPLOYMENT, name(fleet)));
    if counted {
        status.ready_replicas = tally.ready;
        status.updated_replicas = tally.updated;
        status.available_replicas = tally.available;
        status.nodes = children.owned.iter().map(|it| group_node(fleet, it)).collect();
        status.incumbent_nodes = children.owned.iter().map(|it| child(it)).collect();
        addresses(fleet, status, seen, &children);
    }
    let owned = if counted { children.owned.len() } else { status.nodes.len() };
    status.phase = Some(phase(fleet, status, owned, &tally));
    let verdict = verdict(end, status, &children, &tally);
    let mut conditions = rollout::conditions(fleet, &mut status.conditions, seen);
    if counted {
        conditions.set(Type::NodesReady, tally.nodes_ready(fleet));
    }
    if super::spec::refusal(fleet).is_some() {
        return;
    }
    verdict.tell(&mut conditions);
    doors::summarize(end, status);
    let mut conditions = rollout::conditions(fleet, &mut status.conditions, seen);
    seed(fleet, &mut conditions);
}

/// How many of the wanted children are how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    ready: i32,
    updated: i32,
    available: i32,
    running: i32,
    failed: i32,
    initializing: i32,
}

impl Tally {
    fn of(
        fleet: &SeiNodeDeployment,
        children: &Children<'_>,
        seen: &Observed,
        env: Env<'_>,
    ) -> Self {
        let target = children::target(fleet);
        let mut tally = Self::default();
        for slot in &children.wanted {
            let Place::Ours(node) = slot.place else { continue };
            let workload = seen.workloads.get(&slot.name);
            let ready = children::is_ready(node, workload);
            let settled = match children::settles_at(workload, env.tempo.min_ready) {
                Settles::Now => true,
                Settles::At(time) => time <= seen.now,
                Settles::Unknown => false,
            };
            tally.ready += i32::from(ready);
            tally.updated += i32::from(children::on_target(node, target));
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
    fn reported(status: &SeiNodeDeploymentStatus) -> Self {
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

    fn nodes_ready(self, fleet: &SeiNodeDeployment) -> Say {
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

fn verdict(
    end: End<'_>,
    status: &SeiNodeDeploymentStatus,
    children: &Children<'_>,
    tally: &Tally,
) -> Verdict {
    let End { fleet, seen, trouble, wrote, .. } = end;
    let trouble = trouble.or_else(|| unreadable(seen));
    if let Some(message) = foreign(end, children) {
        return Verdict::Stalled(Reason::ForeignObject, message);
    }
    let wanted = fleet.spec.replicas;
    if tally.failed > 0 && status.rollout.is_none() {
        return Verdict::Stalled(Reason::NodesFailed, failed_nodes(children));
    }
    if let Some(fault) = trouble {
        return Verdict::Working(Reason::Retrying, fault.detail.clone());
    }
    let done = format!("{} of {wanted} nodes on target", tally.updated);
    if let Some(rollout) = &status.rollout {
        let message = format!("rolling out template {}: {done}", rollout.target_hash);
        return Verdict::Working(Reason::Progressing, message);
    }
    if let Some(name) = leftover(children) {
        let message = format!(
            "SeiNode \"{name}\" is about to be removed; it is created anew when it is gone"
        );
        return Verdict::Working(Reason::LeftoverObject, message);
    }
    let unseen = children.wanted.iter().any(|it| matches!(it.place, Place::Unseen));
    if wrote || unseen {
        return Verdict::Working(Reason::Progressing, "bringing the nodes to the spec".to_owned());
    }
    if tally.updated < wanted {
        return Verdict::Working(Reason::Progressing, done);
    }
    if tally.ready < wanted {
        return Verdict::Waiting(Reason::NotReady, format!("{}/{wanted} nodes ready", tally.ready));
    }
    Verdict::Ready(format!("all nodes run {}", fleet.spec.template.spec.image))
}

/// Why something that has to be looked at cannot be.
fn unreadable(seen: &Observed) -> Option<&Fault> {
    fn fault<T>(seen: &Seen<T>) -> Option<&Fault> {
        match seen {
            Seen::Unreadable(fault) => Some(fault),
            Seen::Here(_) | Seen::Absent | Seen::Unconfirmed | Seen::Stale => None,
        }
    }
    fault(&seen.internal_service).or_else(|| seen.children.values().find_map(fault))
}

/// Objects of somebody else at our names, and what to do about them.
fn foreign(end: End<'_>, children: &Children<'_>) -> Option<String> {
    let End { fleet, seen, env, .. } = end;
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
    let (kind, object) = doors::foreign(fleet, seen, env)?;
    Some(refusal(kind, &object, name(fleet)))
}

/// Why an object of somebody else stops us, and what to do about it.
pub(super) fn refusal(kind: &str, object: &str, fleet: &str) -> String {
    format!(
        "{kind} \"{object}\" already exists and is not controlled by SeiNodeDeployment \
         \"{fleet}\"; delete or rename it"
    )
}

fn leftover<'a>(children: &'a Children<'_>) -> Option<&'a str> {
    let slot = children.wanted.iter().find(|it| matches!(it.place, Place::Leftover))?;
    Some(&slot.name)
}

fn failed_nodes(children: &Children<'_>) -> String {
    let failed: Vec<String> = children
        .owned
        .iter()
        .filter(|it| it.status.as_ref().is_some_and(|it| it.phase == Some(NodePhase::Failed)))
        .map(|it| child(it))
        .collect();
    format!("failed: {}; see their condition Stalled", failed.join(", "))
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

/// A child, and why it is not on target.
fn group_node(fleet: &SeiNodeDeployment, node: &SeiNode) -> GroupNode {
    let status = node.status.as_ref();
    let conditions = status.map(|it| it.conditions.as_slice()).unwrap_or_default();
    let on_target = children::on_target(node, children::target(fleet));
    let why = [(Type::Stalled, Status::True), (Type::Reconciling, Status::True)]
        .into_iter()
        .find_map(|(kind, said)| find(conditions, kind).filter(|it| it.status == said.as_str()))
        .filter(|_| !on_target);
    GroupNode {
        name: child(node),
        phase: status.and_then(|it| it.phase.clone()),
        current_image: status.and_then(|it| it.current_image.clone()),
        reason: why.map(|it| it.reason.clone()),
        message: why.map(|it| it.message.clone()),
    }
}

fn addresses(
    fleet: &SeiNodeDeployment,
    status: &mut SeiNodeDeploymentStatus,
    seen: &Observed,
    children: &Children<'_>,
) {
    let (name, namespace) = (name(fleet), namespace(fleet));
    let service = format!("{name}-internal");
    let applied = seen
        .internal_service
        .here()
        .is_some_and(|it| classify(&it.metadata, owner(fleet)) == Ownership::Ours);
    if applied || matches!(seen.internal_service, Seen::Stale) {
        status.internal_service = Some(InternalService {
            name: service.clone(),
            namespace: namespace.to_owned(),
            ports: InternalServicePorts {
                rpc: ports::RPC.number,
                evm_http: ports::EVM_RPC.number,
                rest: ports::REST.number,
            },
        });
    }
    let numbered = || children.owned.iter().filter(|it| children::ordinal_of(it).is_some());
    status.per_pod_services = numbered()
        .map(|it| PerPodService {
            name: child(it),
            namespace: namespace.to_owned(),
            ports: PerPodServicePorts {
                evm_http: ports::EVM_RPC.number,
                evm_ws: ports::EVM_WS.number,
            },
        })
        .collect();
    let url = |scheme: &str, host: &str, port: Port| {
        format!("{scheme}://{host}.{namespace}.svc:{}", port.number)
    };
    let has_service = status.internal_service.is_some();
    let nodes: Vec<EndpointNode> = numbered()
        .map(|it| EndpointNode {
            name: child(it),
            evm_json_rpc: Some(url("http", &child(it), ports::EVM_RPC)),
            evm_ws: Some(url("ws", &child(it), ports::EVM_WS)),
        })
        .collect();
    status.endpoints = (has_service || !nodes.is_empty()).then(|| Endpoints {
        tendermint_rpc: has_service.then(|| url("http", &service, ports::RPC)),
        tendermint_rest: has_service.then(|| url("http", &service, ports::REST)),
        nodes,
    });
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

fn child(node: &SeiNode) -> String {
    node.metadata.name.clone().unwrap_or_default()
}
