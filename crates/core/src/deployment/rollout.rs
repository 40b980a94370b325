//! Moving a fleet to a template: when it starts, when it is superseded, when it is complete.

use sei_api::condition::{Reason, Type};
use sei_api::{Rollout, SeiNodeDeployment, SeiNodeDeploymentStatus, TaskPlan, k8s};

use crate::condition::{Conditions, Say, is_true};
use crate::deployment::children::{self, Children, Place};
use crate::deployment::hash::template_hash;
use crate::deployment::{Observed, generation, name, namespace};
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
/// The spec is compared with the *target* of a rollout in flight first, and only then with the
/// baseline: returning to the baseline in mid-flight supersedes like any other edit.
pub(super) fn turn(
    fleet: &SeiNodeDeployment,
    status: &SeiNodeDeploymentStatus,
    children: &Children<'_>,
) -> Turn {
    let wanted = template_hash(&fleet.spec.template.spec);
    if let Some(rollout) = &status.rollout {
        if rollout.target_hash != wanted {
            return Turn::Begin;
        }
        let readable = status.plan.as_ref().is_some_and(is_readable);
        return if readable { Turn::Continue } else { Turn::Replan };
    }
    let baseline = status.template_hash.as_deref().unwrap_or_default();
    let target = children::target(fleet);
    // A child that lost its fleet runs too: adopting it must not be a rollout without a record.
    let live = || {
        children.wanted.iter().filter_map(|it| match it.place {
            Place::Ours(node) | Place::Orphan(node) => Some(node),
            Place::Missing | Place::Leftover | Place::Foreign | Place::Unseen => None,
        })
    };
    let ran = live().any(|it| it.status.as_ref().is_some_and(|it| it.current_image.is_some()));
    let moved = live().any(|it| !children::asks_for(it, target));
    if baseline != wanted && ran && moved { Turn::Begin } else { Turn::None }
}

/// Starts a rollout to the template, in memory: record, plan and conditions move together.
pub(super) fn begin(
    fleet: &SeiNodeDeployment,
    status: &mut SeiNodeDeploymentStatus,
    seen: &Observed,
) {
    let wanted = template_hash(&fleet.spec.template.spec);
    let baseline = status.template_hash.as_deref().filter(|it| !it.is_empty()).unwrap_or("none");
    let message = format!("templateHash changed from {baseline} to {wanted}");
    let say = Say::yes(Reason::TemplateChanged, message);
    conditions(fleet, &mut status.conditions, seen).set(Type::RolloutInProgress, say);
    status.rollout = Some(Rollout {
        target_hash: wanted,
        started_at: k8s::Time(seen.now),
        last_progress_at: None,
    });
    replan(fleet, status, seen);
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
pub(super) fn complete(
    fleet: &SeiNodeDeployment,
    status: &mut SeiNodeDeploymentStatus,
    seen: &Observed,
) {
    status.plan = None;
    status.rollout = None;
    status.template_hash = Some(template_hash(&fleet.spec.template.spec));
    let mut conditions = conditions(fleet, &mut status.conditions, seen);
    let rollout = Say::no(Reason::RolloutComplete, "Deployment completed successfully");
    conditions.set(Type::RolloutInProgress, rollout);
    conditions
        .set(Type::PlanInProgress, Say::no(Reason::PlanComplete, "Plan completed successfully"));
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
    /// Every one was seen running the target for long enough.
    Complete,
    /// Every one runs the target; the youngest has to prove itself for this long.
    Settling(std::time::Duration),
    /// Some do not run the target.
    Moving,
}

/// How far the wanted children are; children that nobody wants any more do not count.
pub(super) fn progress(
    fleet: &SeiNodeDeployment,
    children: &Children<'_>,
    seen: &Observed,
    min_ready: std::time::Duration,
) -> Progress {
    let target = children::target(fleet);
    let mut longest = std::time::Duration::ZERO;
    for slot in &children.wanted {
        let Place::Ours(node) = slot.place else { return Progress::Moving };
        if !children::on_target(node, target) {
            return Progress::Moving;
        }
        match children::settles_at(seen.workloads.get(&slot.name), min_ready) {
            children::Settles::Now => {}
            children::Settles::Unknown => return Progress::Moving,
            children::Settles::At(time) => {
                let left = time.duration_since(seen.now);
                if left.is_positive() {
                    longest = longest.max(left.unsigned_abs());
                }
            }
        }
    }
    if longest.is_zero() { Progress::Complete } else { Progress::Settling(longest) }
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
