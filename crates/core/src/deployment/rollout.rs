//! Moving a fleet to a template: when it starts, when it is superseded, when it is complete.

use sei_api::condition::{Reason, Status, Type};
use sei_api::{Rollout, SeiNodeDeployment, SeiNodeDeploymentStatus, TaskPlan, k8s};

use crate::condition::{Conditions, Say, find, is_true};
use crate::deployment::children::{self, Place, Settles};
use crate::deployment::view::{Station, View};
use crate::deployment::{Observed, generation, name, namespace, rollback};
use crate::plan::{self, kinds::GroupTask};

/// What the fleet's rollout needs, before anything else is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// No rollout is in flight and none is needed.
    None,
    /// Start one, or replace the one in flight: the spec is no longer its target.
    Begin,
    /// The rollout in flight has lost its plan, or cannot read it: plan it anew.
    Replan,
    /// Go on with the plan in flight.
    Continue,
}

/// What the rollout needs.
///
/// The goal is compared with the *target* of a rollout in flight first, and only then with the
/// baseline: returning to the baseline in mid-flight supersedes like any other edit.
pub(super) fn turn(view: &View<'_>) -> Turn {
    let wanted = view.goal.hash();
    if let Some(rollout) = &view.status.rollout {
        if rollout.target_hash != wanted {
            return Turn::Begin;
        }
        let readable = view.status.plan.as_ref().is_some_and(is_readable);
        return if readable { Turn::Continue } else { Turn::Replan };
    }
    let baseline = view.status.template_hash.as_deref().unwrap_or_default();
    let target = view.goal.target();
    // A child that lost its fleet runs too: adopting it must not be a rollout without a record.
    let live = || {
        view.children.wanted.iter().filter_map(|it| match it.place {
            Place::Ours(node) | Place::Orphan(node) => Some(node),
            Place::Missing | Place::Leftover | Place::Foreign | Place::Unseen => None,
        })
    };
    let ran = live().any(|it| it.status.as_ref().is_some_and(|it| it.current_image.is_some()));
    let moved = live().any(|it| !children::asks_for(it, target));
    if baseline != wanted && ran && moved { Turn::Begin } else { Turn::None }
}

/// Starts a rollout to the goal, in memory: record, plan and conditions move together.
pub(super) fn begin(view: &View<'_>, status: &mut SeiNodeDeploymentStatus) {
    let target_hash = view.goal.hash().to_owned();
    let say = if view.goal.is_return {
        Say::yes(Reason::RollingBack, rollback::told(status))
    } else {
        Say::yes(Reason::TemplateChanged, change(status, &target_hash))
    };
    conditions(view.fleet, &mut status.conditions, view.seen).set(Type::RolloutInProgress, say);
    status.rollout = Some(record(target_hash, view));
    replan(view.fleet, status, view.seen);
}

/// A rollout to the template of this hash that starts now.
pub(super) fn record(target_hash: String, view: &View<'_>) -> Rollout {
    let started_at = k8s::Time(view.seen.now);
    Rollout { target_hash, started_at, last_progress_at: None, max_unavailable: None }
}

/// What a rollout to `target` does to the baseline.
fn change(status: &SeiNodeDeploymentStatus, target: &str) -> String {
    let baseline = status.template_hash.as_deref().filter(|it| !it.is_empty()).unwrap_or("none");
    format!("templateHash changed from {baseline} to {target}")
}

/// Says of a rollout in flight that it waits at the partition, or no longer does.
pub(super) fn tell_partition(view: &View<'_>, conditions: &mut Conditions<'_>) {
    let Some(rollout) = &view.status.rollout else { return };
    let changing = find(conditions.list, Type::RolloutInProgress)
        .is_some_and(|it| it.reason == Reason::TemplateChanged.as_str());
    if !changing {
        return;
    }
    let change = change(view.status, &rollout.target_hash);
    let message = match held(view) {
        Some(held) => format!("{change}; {held}"),
        None => change,
    };
    conditions.set(Type::RolloutInProgress, Say::yes(Reason::TemplateChanged, message));
}

/// Says how many children a rollout in flight may have down, if not all.
pub(super) fn tell_limit(view: &View<'_>, status: &mut SeiNodeDeploymentStatus) {
    let limit = view.strategy.limit(view.children.wanted.len());
    if let Some(rollout) = &mut status.rollout {
        rollout.max_unavailable = limit.and_then(|it| i32::try_from(it).ok());
    }
}

/// `k of n, held at partition p`, if the partition is all that is left in the way.
pub(super) fn held(view: &View<'_>) -> Option<String> {
    let partition = view.strategy.partition;
    (view.status.rollout.is_some() && progress(view) == Progress::Held)
        .then(|| format!("{} of {}, {HELD} {partition}", view.on_goal(), view.fleet.spec.replicas))
}

/// What is said of a rollout that waits at the partition.
const HELD: &str = "held at partition";

/// Does the status say that the rollout in flight waits at the partition?
#[must_use]
pub fn is_held(status: &SeiNodeDeploymentStatus) -> bool {
    let said = find(&status.conditions, Type::RolloutInProgress);
    said.is_some_and(|it| it.status == Status::True.as_str() && it.message.contains(HELD))
}

/// Plans the rollout in flight.
pub(super) fn replan(
    fleet: &SeiNodeDeployment,
    status: &mut SeiNodeDeploymentStatus,
    seen: &Observed,
) {
    let names: Vec<String> =
        children::ordinals(fleet).map(|it| children::child_name(fleet, it)).collect();
    let entries = [GroupTask::UpdateNodeSpecs, GroupTask::AwaitSpecUpdate]
        .map(|task| task.entry(name(fleet), namespace(fleet), &names));
    status.plan = Some(plan::build(seen.fresh_id, entries.into()));
    let say = Say::yes(Reason::PlanStarted, "Plan execution started");
    conditions(fleet, &mut status.conditions, seen).set(Type::PlanInProgress, say);
}

/// Ends the rollout: everything that says it is in flight goes in one write.
pub(super) fn complete(view: &View<'_>, status: &mut SeiNodeDeploymentStatus) {
    status.plan = None;
    status.rollout = None;
    settle(view, status);
    let rollout = if view.goal.is_return {
        Say::no(Reason::RolledBack, rollback::told(status))
    } else {
        Say::no(Reason::RolloutComplete, "Deployment completed successfully")
    };
    let mut conditions = conditions(view.fleet, &mut status.conditions, view.seen);
    conditions.set(Type::RolloutInProgress, rollout);
    conditions
        .set(Type::PlanInProgress, Say::no(Reason::PlanComplete, "Plan completed successfully"));
}

/// The goal was seen fully rolled out: it is the baseline, and what a rollback goes back to.
pub(super) fn settle(view: &View<'_>, status: &mut SeiNodeDeploymentStatus) {
    status.template_hash = Some(view.goal.hash().to_owned());
    status.last_good = Some(view.goal.template.clone());
}

/// Drops what another version left in flight and no rollout owns.
pub(super) fn clear(
    fleet: &SeiNodeDeployment,
    status: &mut SeiNodeDeploymentStatus,
    seen: &Observed,
) {
    let planned = status.plan.take().is_some();
    let plan = planned || is_true(&status.conditions, Type::PlanInProgress);
    let rollout = is_true(&status.conditions, Type::RolloutInProgress);
    let mut conditions = conditions(fleet, &mut status.conditions, seen);
    if plan {
        let say = Say::no(Reason::PlanFailed, "Plan failed: it belongs to no rollout");
        conditions.set(Type::PlanInProgress, say);
    }
    if rollout {
        let say = Say::no(Reason::RolloutFailed, "the rollout has no record");
        conditions.set(Type::RolloutInProgress, say);
    }
}

/// How far the wanted children are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Every one was seen running the goal for long enough.
    Complete,
    /// Every one that is not held runs the goal; the youngest has to prove itself for this long.
    Settling(std::time::Duration),
    /// Every one that is not held has proven itself, and some are held.
    Held,
    /// Some do not run the goal.
    Moving,
}

/// How far the wanted children are; children that nobody wants any more do not count.
pub(super) fn progress(view: &View<'_>) -> Progress {
    let mut longest = std::time::Duration::ZERO;
    for slot in view.free() {
        let Place::Ours(node) = slot.place else { return Progress::Moving };
        if !children::on_target(node, view.goal.target()) {
            return Progress::Moving;
        }
        match view.settles(slot) {
            Settles::Now => {}
            Settles::Unknown => return Progress::Moving,
            Settles::At(time) => {
                let left = time.duration_since(view.seen.now);
                if left.is_positive() {
                    longest = longest.max(left.unsigned_abs());
                }
            }
        }
    }
    let holds = view.children.wanted.iter().any(|slot| view.is_held(slot));
    match (longest.is_zero(), holds) {
        (true, false) => Progress::Complete,
        (true, true) => Progress::Held,
        (false, _) => Progress::Settling(longest),
    }
}

/// How long the youngest child on the goal has to prove itself; the next one may wait for that.
pub(super) fn next_settled(view: &View<'_>) -> Option<std::time::Duration> {
    let left = view.free().filter_map(|slot| match (view.station(slot), view.settles(slot)) {
        (Station::Arrived { .. }, Settles::At(time)) => Some(time.duration_since(view.seen.now)),
        (_, _) => None,
    });
    left.filter(|it| it.is_positive()).map(|it| it.unsigned_abs()).min()
}

/// The task whose turn it is in the fleet's plan.
pub(super) fn current_task(status: &SeiNodeDeploymentStatus) -> Option<(usize, GroupTask)> {
    let plan = status.plan.as_ref()?;
    let index = plan::current(plan)?;
    let task = GroupTask::read(&plan.tasks.get(index)?.type_).ok()?;
    Some((index, task))
}

pub(super) fn conditions<'a>(
    fleet: &SeiNodeDeployment,
    list: &'a mut Vec<k8s::Condition>,
    seen: &Observed,
) -> Conditions<'a> {
    Conditions { list, generation: generation(fleet), now: seen.now }
}

/// **Invariant `spec_always_heard`:** a stored plan that this version cannot carry out is replaced.
fn is_readable(stored: &TaskPlan) -> bool {
    plan::is_active(Some(stored))
        && plan::current(stored).is_some()
        && stored.tasks.iter().all(|task| GroupTask::read(&task.type_).is_ok())
}
