//! The rules of a pass over a node, in order.
//!
//! 1. Being deleted: finalize.
//! 2. A spec that cannot work or is not built yet: say so, leave alone what runs.
//! 3. What was seen running is recorded, whatever else happens.
//! 4. Paused: nothing else, until it no longer is.
//! 5. A plan in flight whose target left the spec, or whose workload is gone, is replaced; else its
//!    current task goes on.
//! 6. A failed plan is held until the spec changes, a retry is asked for, or its time has come.
//! 7. A node that never ran, or failed: initialise.
//! 8. A running node: drift first, then re-approval of its sidecar, then repair of its Service,
//!    its access rules and the workload's labels and owner, then rest.

use jiff::Timestamp;
use sei_api::condition::{Reason, Status, Type};
use sei_api::{NodePhase, PlanPhase, SeiNode, SeiNodeStatus, TaskPlan, k8s};
use sei_sidecar_api::Health;

use crate::condition::{Conditions, Say, find};
use crate::decision::{Decision, Requeue};
use crate::node::infra::Step;
use crate::node::{
    Env, Observed, Pods, Seen, claim, diagnosis, drift, evidence, executor, finalize, generation,
    infra, peers, plans, report, retry, spec,
};
use crate::plan;

/// One round's view of one node.
#[derive(Clone, Copy)]
pub(super) struct Round<'a> {
    pub(super) node: &'a SeiNode,
    pub(super) before: &'a SeiNodeStatus,
    pub(super) seen: &'a Observed,
    pub(super) env: Env<'a>,
}

/// What this node needs now.
pub fn decide(
    node: &SeiNode,
    status: &SeiNodeStatus,
    seen: &Observed,
    env: Env<'_>,
) -> Decision<SeiNodeStatus> {
    if node.metadata.deletion_timestamp.is_some() {
        return finalize::decide(node, status, seen);
    }
    let mut next = status.clone();
    let edited = next.observed_generation != node.metadata.generation;
    next.observed_generation = node.metadata.generation;
    if let Some(refusal) = spec::refusal(node) {
        report::refuse(node, &mut next, seen.now, refusal);
        return Decision::rest(next, Requeue::After(env.tempo.steady));
    }
    next.resolved_peers = peers::resolve(node, &seen.peers);
    evidence::stamp(&mut next, seen);
    let round = Round { node, before: status, seen, env };
    if node.spec.paused {
        // Whatever becomes of the pod is still told; its watch wakes us.
        return Decision::rest(next, Requeue::After(env.tempo.health_max_age));
    }
    round.probe(&mut next);
    if let Some(paused) = paused_since(status)
        && let Some(plan) = next.plan.as_mut()
    {
        plans::resume(plan, paused, seen.now);
    }
    let retry = retry::take(node, &mut next);
    round.advance(next, Heard { edited, retry })
}

/// Since when the node was paused, if it was until now.
fn paused_since(before: &SeiNodeStatus) -> Option<Timestamp> {
    let paused = find(&before.conditions, Type::Paused)?;
    (paused.status == Status::True.as_str()).then_some(paused.last_transition_time.0)
}

/// What a person asked for since the last pass.
#[derive(Clone, Copy)]
struct Heard {
    /// The spec was edited.
    edited: bool,
    /// Whatever failed is to be tried again now.
    retry: bool,
}

impl Round<'_> {
    fn advance(self, mut next: SeiNodeStatus, heard: Heard) -> Decision<SeiNodeStatus> {
        let plan = next.plan.take();
        match plan {
            Some(plan) if executor::works_on(self, &plan) => {
                let waived = heard.retry && retry::waives(&plan, self.seen.now);
                next.plan = Some(plan);
                if waived { retry::waive(next) } else { executor::step(self, next) }
            }
            Some(plan) if plan.phase == PlanPhase::Active => self.supersede(next, &plan),
            Some(plan) if plan.phase == PlanPhase::Failed => self.failed(next, plan, heard),
            Some(plan) if plan.phase == PlanPhase::Complete => {
                executor::end_update(self, &mut next, executor::completed(&plan));
                self.begin(next)
            }
            Some(_) | None => self.begin(next),
        }
    }

    /// The spec moved under a plan in flight: what it would have done is no longer wanted.
    ///
    /// An update that another one follows never ended: its condition stays True throughout.
    fn supersede(self, next: SeiNodeStatus, old: &TaskPlan) -> Decision<SeiNodeStatus> {
        let mut decision = self.begin(next);
        let plan = decision.status.plan.as_ref();
        if plan.is_none_or(|it| it.id != old.id && !plans::is_update(it)) {
            let message = format!("plan {} superseded by a change of the spec", plan::id_of(old));
            let say = Say::no(Reason::UpdateSuperseded, message);
            executor::end_update(self, &mut decision.status, say);
        }
        decision
    }

    /// A failed plan stays as diagnosis until somebody changed something or its time has come.
    fn failed(
        self,
        mut next: SeiNodeStatus,
        failed: TaskPlan,
        heard: Heard,
    ) -> Decision<SeiNodeStatus> {
        let wanted = !heard.edited && plans::still_wanted(&failed, self.node);
        if wanted
            && !heard.retry
            && let Some(wait) = plans::held_for(&failed, self.seen.now, self.env.tempo)
        {
            next.plan = Some(failed);
            return Decision::rest(next, Requeue::After(wait));
        }
        let mut decision = self.begin(next);
        let new = decision.status.plan.as_mut().filter(|it| it.id != failed.id);
        if let Some(plan) = new.filter(|_| wanted) {
            plans::repeat(plan, failed, heard.retry);
        }
        decision
    }

    fn begin(self, next: SeiNodeStatus) -> Decision<SeiNodeStatus> {
        if next.phase == Some(NodePhase::Running) { self.running(next) } else { self.init(next) }
    }

    fn init(self, mut next: SeiNodeStatus) -> Decision<SeiNodeStatus> {
        next.plan = Some(plans::init(self.node, self.seen));
        self.enter(&mut next, NodePhase::Initializing);
        Decision::rest(next, Requeue::NextPass)
    }

    fn running(self, mut next: SeiNodeStatus) -> Decision<SeiNodeStatus> {
        // Without the workload nothing can be said about drift; a status that advanced its
        // generation without a plan would claim that there is none.
        if matches!(self.seen.statefulset, Seen::Stale | Seen::Unreadable(_)) {
            let rest = Requeue::After(self.env.tempo.task_poll_first);
            return Decision::rest(self.before.clone(), rest);
        }
        if let Some(message) = drift::find(self.node, &next, self.seen) {
            let say = Say::yes(Reason::UpdateStarted, message);
            self.conditions(&mut next.conditions).set(Type::NodeUpdateInProgress, say);
            next.plan = Some(plans::update(self.node, self.seen.fresh_id));
            return Decision::rest(next, Requeue::NextPass);
        }
        let lost = find(&next.conditions, Type::SidecarReady).is_some_and(|it| {
            it.status == Status::False.as_str() && it.reason == Reason::NotReady.as_str()
        });
        if lost {
            next.plan = Some(plans::mark_ready(self.node, self.seen.fresh_id));
            return Decision::rest(next, Requeue::NextPass);
        }
        self.repair(next)
    }

    /// The marks of the workload, the Service, the access rules and the owner of the claim stay as
    /// rendered; none of them restarts a pod.
    fn repair(self, next: SeiNodeStatus) -> Decision<SeiNodeStatus> {
        let tempo = self.env.tempo;
        // Nobody tells that a container has run for long enough.
        let ill = diagnosis::of_pod(self).is_some();
        let rest = match &self.seen.pods {
            // What was asked past the cache, no watch event will answer.
            Pods::Unreadable(_) => tempo.task_poll_first,
            Pods::Known(_) | Pods::Unconfirmed if ill => tempo.min_ready,
            Pods::Known(_) | Pods::Unconfirmed => tempo.health_max_age,
        };
        let mut decision = Decision::rest(next, Requeue::After(rest.min(tempo.health_max_age)));
        decision.effects.extend(infra::marks(self));
        decision.effects.extend(claim::regain(self));
        for step in [infra::service(self), infra::config_map(self)] {
            match step {
                Step::Act(effect) => decision.effects.push(effect),
                // A foreign object is shown by the report and left alone.
                Step::Done | Step::Wait(_) | Step::Fatal(_) => {}
            }
        }
        decision
    }

    /// What the sidecar last said of itself; only a running node at rest is asked.
    fn probe(self, next: &mut SeiNodeStatus) {
        let Some(health) = &self.seen.health else { return };
        // A plan ends with the sidecar's release: until then its gate is closed because of us.
        if next.phase != Some(NodePhase::Running) || plan::is_active(next.plan.as_ref()) {
            return;
        }
        let say = match health {
            Ok(Health::Ready) => Say::yes(Reason::Ready, "sidecar returned 200"),
            Ok(Health::NotReady) => {
                Say::no(Reason::NotReady, "sidecar returned 503, re-issuing mark-ready")
            }
            Err(error) => {
                Say::unknown(Reason::Unreachable, format!("sidecar Healthz error: {error}"))
            }
        };
        self.conditions(&mut next.conditions).set(Type::SidecarReady, say);
    }

    /// Moves to `phase`; the transition time moves only when the phase does.
    pub(super) fn enter(self, next: &mut SeiNodeStatus, phase: NodePhase) {
        if next.phase.as_ref() != Some(&phase) {
            next.phase = Some(phase);
            next.phase_transition_time = Some(k8s::Time(self.seen.now));
        }
    }

    pub(super) fn conditions(self, list: &mut Vec<k8s::Condition>) -> Conditions<'_> {
        Conditions { list, generation: generation(self.node), now: self.seen.now }
    }
}
