//! The rules of a pass over a fleet, in order.
//!
//! 1. Being deleted: finalize.
//! 2. A spec that cannot work or is not built yet: say so, leave alone what runs.
//! 3. The template is not the rollout's target: start a rollout, or supersede the one in flight.
//!    Its plan is stored before any child is touched.
//! 4. A rollout in flight: bring the children's specs to the target, then wait until each was seen
//!    running it.
//! 5. No rollout: keep the children as the template says.
//! 6. With or without a rollout: missing children are created, surplus ones deleted, the internal
//!    Service is kept.
//! 7. Whatever the rest comes to, the public face is kept; nothing waits for it.

use sei_api::{SeiNode, SeiNodeDeployment, SeiNodeDeploymentStatus, labels};

use crate::applied::is_applied;
use crate::decision::{Decision, Requeue};
use crate::deployment::children::{self, Children, Place, Slot};
use crate::deployment::rollout::{self, Progress, Turn};
use crate::deployment::{Env, Observed, doors, finalize, owner, report, spec};
use crate::effect::{Desired, Effect, Resource, Target};
use crate::node::Seen;
use crate::ownership::{Ownership, classify};
use crate::plan::{self, kinds::GroupTask};
use crate::render;

/// What this fleet needs now.
pub fn decide(
    fleet: &SeiNodeDeployment,
    status: &SeiNodeDeploymentStatus,
    seen: &Observed,
    env: Env<'_>,
) -> Decision<SeiNodeDeploymentStatus> {
    if fleet.metadata.deletion_timestamp.is_some() {
        return finalize::decide(fleet, status, seen, env);
    }
    let mut next = status.clone();
    next.observed_generation = fleet.metadata.generation;
    if let Some(refusal) = spec::refusal(fleet) {
        report::refuse(fleet, &mut next, seen, refusal);
        return Decision::rest(next, Requeue::After(env.tempo.steady));
    }
    let children = children::read(fleet, seen);
    let round = Round { fleet, seen, env, children: &children };
    let decision = match rollout::turn(fleet, &next, &children) {
        Turn::Begin => {
            rollout::begin(fleet, &mut next, seen);
            Decision::rest(next, Requeue::NextPass)
        }
        Turn::Replan => {
            rollout::replan(fleet, &mut next, seen);
            Decision::rest(next, Requeue::NextPass)
        }
        Turn::Continue => round.step(next),
        Turn::None => round.steady(next),
    };
    doors::attend(fleet, seen, env, decision)
}

#[derive(Clone, Copy)]
struct Round<'a> {
    fleet: &'a SeiNodeDeployment,
    seen: &'a Observed,
    env: Env<'a>,
    children: &'a Children<'a>,
}

impl Round<'_> {
    fn step(self, mut next: SeiNodeDeploymentStatus) -> Decision<SeiNodeDeploymentStatus> {
        let Some((index, task)) = rollout::current_task(&next) else {
            return Decision::rest(next, Requeue::Again);
        };
        let upkeep = self.upkeep(Sync::Target);
        match task {
            GroupTask::UpdateNodeSpecs => {
                let waits = self.children.wanted.iter().any(|it| matches!(it.place, Place::Unseen));
                if let Some(task) = task_mut(&mut next, index) {
                    plan::begin(task, self.seen.now);
                    if !waits {
                        plan::complete(task, self.seen.now);
                    }
                }
                let idle = upkeep.is_empty() && !waits;
                let poll = Requeue::After(self.env.tempo.task_poll_max);
                let requeue = if idle { Requeue::Again } else { poll };
                Decision { effects: upkeep, ..Decision::rest(next, requeue) }
            }
            GroupTask::AwaitSpecUpdate => self.await_update(next, index, upkeep),
        }
    }

    fn await_update(
        self,
        mut next: SeiNodeDeploymentStatus,
        index: usize,
        upkeep: Vec<Effect>,
    ) -> Decision<SeiNodeDeploymentStatus> {
        if let Some(task) = task_mut(&mut next, index) {
            plan::begin(task, self.seen.now);
        }
        let poll = Requeue::After(self.env.tempo.task_poll_max);
        let progress = self.progress();
        let requeue = match progress {
            Progress::Complete if upkeep.is_empty() => {
                rollout::complete(self.fleet, &mut next, self.seen);
                Requeue::NextPass
            }
            Progress::Settling(rest) => Requeue::After(rest).sooner(poll),
            Progress::Complete | Progress::Moving => poll,
        };
        Decision { effects: upkeep, ..Decision::rest(next, requeue) }
    }

    fn steady(self, mut next: SeiNodeDeploymentStatus) -> Decision<SeiNodeDeploymentStatus> {
        rollout::clear(self.fleet, &mut next, self.seen);
        let upkeep = self.upkeep(Sync::Everything);
        let requeue = match self.progress() {
            // The baseline is what was last seen fully rolled out, also the first time.
            Progress::Complete if upkeep.is_empty() => {
                let hash = super::template_hash(&self.fleet.spec.template.spec);
                next.template_hash = Some(hash);
                Requeue::After(self.env.tempo.steady)
            }
            Progress::Settling(rest) => Requeue::After(rest),
            Progress::Complete | Progress::Moving => Requeue::After(self.env.tempo.steady),
        };
        let poll = Requeue::After(self.env.tempo.task_poll_max);
        let requeue = if self.is_blind() { requeue.sooner(poll) } else { requeue };
        Decision { effects: upkeep, ..Decision::rest(next, requeue) }
    }

    /// Is there something that we could not look at?
    fn is_blind(self) -> bool {
        let hidden = matches!(self.seen.internal_service, Seen::Stale | Seen::Unreadable(_));
        hidden || self.children.wanted.iter().any(|it| matches!(it.place, Place::Unseen))
    }

    fn progress(self) -> Progress {
        rollout::progress(self.fleet, self.children, self.seen, self.env.tempo.min_ready)
    }

    /// Writes that keep the fleet as it should be.
    fn upkeep(self, sync: Sync) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.service().into_iter().collect();
        let revision = children::revision(self.fleet, self.children);
        effects.extend(self.children.wanted.iter().filter_map(|it| self.child(it, revision, sync)));
        effects.extend(
            self.children
                .surplus
                .iter()
                .map(|node| Effect::Delete(Target::seen(Resource::SeiNode, &node.metadata))),
        );
        effects
    }

    fn child(self, slot: &Slot<'_>, revision: i64, sync: Sync) -> Option<Effect> {
        let desired = || Box::new(Desired::SeiNode(self.render(slot, revision)));
        match slot.place {
            Place::Missing => Some(Effect::Apply { object: desired(), over: None }),
            Place::Orphan(node) => {
                Some(Effect::Apply { object: desired(), over: node.metadata.uid.clone() })
            }
            Place::Ours(node) => {
                let object = desired();
                let current = match sync {
                    Sync::Target => children::asks_for(node, children::target(self.fleet)),
                    Sync::Everything => is_current(&object, node),
                };
                (!current).then(|| Effect::Apply { object, over: node.metadata.uid.clone() })
            }
            Place::Leftover | Place::Foreign | Place::Unseen => None,
        }
    }

    fn render(self, slot: &Slot<'_>, revision: i64) -> SeiNode {
        render::fleet::child(self.fleet, slot.ordinal, revision)
    }

    /// The internal Service, unless it is as it should be or is not ours to write.
    fn service(self) -> Option<Effect> {
        let desired = Desired::Service(render::fleet::internal_service(self.fleet));
        let live = match &self.seen.internal_service {
            Seen::Absent => return Some(Effect::Apply { object: desired.into(), over: None }),
            Seen::Here(live) => live,
            Seen::Stale | Seen::Unconfirmed | Seen::Unreadable(_) => return None,
        };
        let over = live.metadata.uid.clone();
        match classify(&live.metadata, owner(self.fleet)) {
            Ownership::Ours if is_current(&desired, live.as_ref()) => None,
            Ownership::Ours | Ownership::Orphan => {
                Some(Effect::Apply { object: desired.into(), over })
            }
            Ownership::Leftover | Ownership::Foreign => None,
        }
    }
}

/// What of a child is compared with the template.
#[derive(Clone, Copy)]
enum Sync {
    /// Only the images: a rollout is in flight.
    Target,
    /// Every field we own.
    Everything,
}

fn is_current<T: serde::Serialize>(desired: &Desired, live: &T) -> bool {
    let manager = labels::NODEDEPLOYMENT_FIELD_MANAGER;
    match (desired.to_value(), serde_json::to_value(live)) {
        (Ok(desired), Ok(live)) => is_applied(&desired, &live, manager),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

fn task_mut(
    status: &mut SeiNodeDeploymentStatus,
    index: usize,
) -> Option<&mut sei_api::PlannedTask> {
    status.plan.as_mut()?.tasks.get_mut(index)
}
