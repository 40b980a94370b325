//! The rules of a pass over a fleet, in order.
//!
//! 1. Being deleted: finalize.
//! 2. A spec that cannot work or is not built yet: say so, leave alone what runs.
//! 3. Paused: tell the children, and leave them as they are.
//! 4. The template is not the rollout's target: start a rollout, or supersede the one in flight.
//!    Its plan is stored before any child is touched.
//! 5. A rollout in flight that failed, where the strategy says so: start the return to the last
//!    good template, in the same way.
//! 6. A rollout in flight: bring the children's specs to the target, wave by wave, then wait until
//!    each was seen running it.
//! 7. No rollout: keep the children as the template says.
//! 8. With or without a rollout: missing children are created, surplus ones deleted, the internal
//!    Service is kept.
//! 9. Whatever the rest comes to, the public face is kept; nothing waits for it.

use sei_api::{SeiNodeDeployment, SeiNodeDeploymentStatus, k8s};

use crate::decision::{Decision, Requeue};
use crate::deployment::children::Place;
use crate::deployment::rollout::{self, Progress, Turn};
use crate::deployment::stall::{self, Clock};
use crate::deployment::upkeep::{self, Sync};
use crate::deployment::view::View;
use crate::deployment::{
    Env, Observed, doors, finalize, pause, report, retry, rollback, spec, wave,
};
use crate::node::Seen;
use crate::plan::{self, kinds::GroupTask};

type Status = SeiNodeDeploymentStatus;

/// What this fleet needs now.
pub fn decide(
    fleet: &SeiNodeDeployment,
    status: &Status,
    seen: &Observed,
    env: Env<'_>,
) -> Decision<Status> {
    if fleet.metadata.deletion_timestamp.is_some() {
        return finalize::decide(fleet, status, seen, env);
    }
    let mut next = status.clone();
    next.observed_generation = fleet.metadata.generation;
    pause::mark(fleet, &mut next, seen);
    if let Some(refusal) = spec::refusal(fleet) {
        report::refuse(fleet, &mut next, seen, refusal);
        return Decision::rest(next, Requeue::After(env.tempo.steady));
    }
    if fleet.spec.paused {
        let frozen = pause::freeze(&View::new(fleet, &next.clone(), seen, env), next);
        return doors::attend(fleet, seen, env, frozen);
    }
    rollback::forget(fleet, &mut next);
    retry::hear(fleet, &mut next, seen);
    let known = next.clone();
    let view = View::new(fleet, &known, seen, env);
    let clock = stall::clock(&view);
    let decision = match rollout::turn(&view) {
        Turn::Continue | Turn::Replan if rollback::is_due(&view, &clock) => {
            rollback::begin(&view, &clock, &mut next);
            Decision::rest(next, Requeue::NextPass)
        }
        Turn::Begin => {
            rollout::begin(&view, &mut next);
            Decision::rest(next, Requeue::NextPass)
        }
        Turn::Replan => {
            rollout::replan(fleet, &mut next, seen);
            Decision::rest(next, Requeue::NextPass)
        }
        Turn::Continue => step(&view, &clock, next),
        Turn::None => steady(&view, &clock, next),
    };
    doors::attend(fleet, seen, env, decision)
}

/// A rollout in flight: its current task.
fn step(view: &View<'_>, clock: &Clock, mut next: Status) -> Decision<Status> {
    let Some((index, task)) = rollout::current_task(&next) else {
        return Decision::rest(next, Requeue::Again);
    };
    let wave = wave::next(view, matches!(clock, Clock::Stalled(_)));
    let effects = upkeep::writes(view, Sync::Target(&wave));
    let is_first = next.plan.iter().flat_map(|it| &it.tasks).all(|it| it.submitted_at.is_none());
    if let Some(rollout) = next.rollout.as_mut().filter(|_| wave.is_new && !is_first) {
        rollout.last_progress_at = Some(k8s::Time(view.seen.now));
    }
    let rests = effects.is_empty();
    if let Some(task) = task_mut(&mut next, index) {
        plan::begin(task, view.seen.now);
    }
    let wait = wait(view, clock);
    let progress = rollout::progress(view);
    let requeue = match task {
        GroupTask::UpdateNodeSpecs => {
            let all_asked = wave.is_last && !is_unseen(view);
            if let Some(task) = task_mut(&mut next, index).filter(|_| all_asked) {
                plan::complete(task, view.seen.now);
            }
            if rests && all_asked { Requeue::Again } else { wait }
        }
        GroupTask::AwaitSpecUpdate => match progress {
            Progress::Complete if rests => {
                rollout::complete(view, &mut next);
                Requeue::NextPass
            }
            Progress::Settling(rest) => Requeue::After(rest).sooner(wait),
            Progress::Complete | Progress::Held | Progress::Moving => wait,
        },
    };
    Decision { effects, ..Decision::rest(next, requeue) }
}

/// When a rollout in flight has to be looked at although nothing changed.
fn wait(view: &View<'_>, clock: &Clock) -> Requeue {
    let poll = Requeue::After(view.env.tempo.task_poll_max);
    let settled = rollout::next_settled(view).map_or(Requeue::Never, Requeue::After);
    poll.sooner(settled).sooner(deadline(clock))
}

/// No rollout: the fleet is kept as the template says.
fn steady(view: &View<'_>, clock: &Clock, mut next: Status) -> Decision<Status> {
    rollout::clear(view.fleet, &mut next, view.seen);
    let effects = upkeep::writes(view, Sync::Everything);
    let rest = Requeue::After(view.env.tempo.steady);
    let requeue = match rollout::progress(view) {
        // The baseline is what was last seen fully rolled out, also the first time.
        Progress::Complete if effects.is_empty() => {
            rollout::settle(view, &mut next);
            rest
        }
        Progress::Settling(rest) => Requeue::After(rest),
        Progress::Complete | Progress::Held | Progress::Moving => rest,
    };
    let poll = Requeue::After(view.env.tempo.task_poll_max);
    let requeue = if is_blind(view) { requeue.sooner(poll) } else { requeue };
    Decision { effects, ..Decision::rest(next, requeue.sooner(deadline(clock))) }
}

/// When the fleet will be late.
fn deadline(clock: &Clock) -> Requeue {
    match clock {
        Clock::Runs(left) => Requeue::After(*left),
        Clock::Still | Clock::Stalled(_) => Requeue::Never,
    }
}

/// Is there something that we could not look at?
fn is_blind(view: &View<'_>) -> bool {
    let hidden = matches!(view.seen.internal_service, Seen::Stale | Seen::Unreadable(_));
    hidden || is_unseen(view)
}

/// Is there a child that we could not look at?
fn is_unseen(view: &View<'_>) -> bool {
    view.children.wanted.iter().any(|it| matches!(it.place, Place::Unseen))
}

fn task_mut(
    status: &mut SeiNodeDeploymentStatus,
    index: usize,
) -> Option<&mut sei_api::PlannedTask> {
    status.plan.as_mut()?.tasks.get_mut(index)
}
