//! What people hear about a fleet: a function of the status before and after a commit.

use sei_api::condition::{Reason as Because, Status, Type};
use sei_api::event::Reason;
use sei_api::{DeploymentPhase, SeiNodeDeployment, SeiNodeDeploymentStatus};

use crate::condition::find;
use crate::deployment::{doors, finalize, generation, rollback, stall};
use crate::notice::Notice;
use crate::verdict;

/// Characters of a hash that are enough to recognise it.
const HASH_SHORT: usize = 8;

/// The Kubernetes Events of one commit, in the order in which things happened.
#[must_use]
pub fn notices(
    fleet: &SeiNodeDeployment,
    before: &SeiNodeDeploymentStatus,
    after: &SeiNodeDeploymentStatus,
) -> Vec<Notice> {
    let mut told = ended(before, after);
    told.extend(begun(before, after));
    told.extend(paused(before, after));
    told.extend(stalled(before, after));
    told.extend(retained(fleet, before, after));
    told.extend(doors::notices(before, after));
    told.extend(verdict::refusal(&before.conditions, &after.conditions, generation(fleet)));
    told
}

fn begun(before: &SeiNodeDeploymentStatus, after: &SeiNodeDeploymentStatus) -> Vec<Notice> {
    let plan = plan_id(after);
    let mut told = Vec::new();
    let returns = find(&after.conditions, Type::RolloutInProgress)
        .filter(|it| it.reason == Because::RollingBack.as_str());
    if let Some(returning) = returns {
        if plan != plan_id(before) && before.rejected_hash != after.rejected_hash {
            let message = returning.message.clone();
            told.push(Notice::warning(Reason::RollbackStarted, message, plan));
        }
    } else if let Some(rollout) = &after.rollout {
        let old = before.rollout.as_ref().map(|it| it.target_hash.as_str());
        if let Some(old) = old.filter(|old| *old != rollout.target_hash) {
            let message =
                format!("Spec changed during active rollout, replacing plan (old target: {old})");
            told.push(Notice::normal(Reason::RolloutSuperseded, message, plan));
        }
        if old != Some(rollout.target_hash.as_str()) {
            let short: String = rollout.target_hash.chars().take(HASH_SHORT).collect();
            let message = format!("InPlace rollout started (target: {short})");
            told.push(Notice::normal(Reason::RolloutStarted, message, plan));
        }
    }
    if !plan.is_empty() && plan != plan_id(before) {
        let message = "Plan execution started".to_owned();
        told.push(Notice::normal(Reason::PlanStarted, message, plan));
    }
    told
}

fn ended(before: &SeiNodeDeploymentStatus, after: &SeiNodeDeploymentStatus) -> Vec<Notice> {
    let plan = plan_id(before);
    let over = |kind: Type, reason: Because| {
        find(&after.conditions, kind).is_some_and(|it| it.reason == reason.as_str())
    };
    let mut told = Vec::new();
    let rolled_out = before.rollout.is_some() && after.rollout.is_none();
    if rolled_out && over(Type::RolloutInProgress, Because::RolloutComplete) {
        let message = "Deployment rollout completed successfully".to_owned();
        told.push(Notice::normal(Reason::RolloutComplete, message, plan));
    }
    if rolled_out && over(Type::RolloutInProgress, Because::RolledBack) {
        told.push(Notice::warning(Reason::RolledBack, rollback::told(after), plan));
    }
    if before.plan.is_some() && after.plan.is_none() {
        if over(Type::PlanInProgress, Because::PlanComplete) {
            let message = "Plan completed successfully".to_owned();
            told.push(Notice::normal(Reason::PlanComplete, message, plan));
        }
        if over(Type::PlanInProgress, Because::PlanFailed) {
            told.push(Notice::warning(Reason::PlanFailed, "Plan failed".to_owned(), plan));
        }
    }
    told
}

/// The pause began or ended.
fn paused(before: &SeiNodeDeploymentStatus, after: &SeiNodeDeploymentStatus) -> Option<Notice> {
    let was = find(&before.conditions, Type::Paused);
    let is = find(&after.conditions, Type::Paused)?;
    let paused = is.status == Status::True.as_str();
    let same = was.map_or(!paused, |it| it.status == is.status);
    let since = is.last_transition_time.0.to_string();
    let reason = if paused { Reason::Paused } else { Reason::Unpaused };
    (!same).then(|| Notice::normal(reason, is.message.clone(), &since))
}

/// The deadline passed: told once per stall, whatever is said of it later.
fn stalled(before: &SeiNodeDeploymentStatus, after: &SeiNodeDeploymentStatus) -> Option<Notice> {
    let late = |it: &SeiNodeDeploymentStatus| {
        let said = find(&it.conditions, Type::Stalled)?;
        let late = said.status == Status::True.as_str() && stall::is_word(&said.reason);
        late.then(|| said.clone())
    };
    let is = late(after).filter(|_| late(before).is_none())?;
    // Something else may have kept `Stalled` True, and its time, since an earlier stall.
    let rollout = after.rollout.as_ref();
    let progress = rollout.map(|it| it.last_progress_at.as_ref().unwrap_or(&it.started_at).0);
    let progress = progress.map(|it| it.to_string()).unwrap_or_default();
    let stall = format!("{}/{progress}", is.last_transition_time.0);
    Some(Notice::warning(Reason::RolloutStalled, is.message, &stall))
}

fn retained(
    fleet: &SeiNodeDeployment,
    before: &SeiNodeDeploymentStatus,
    after: &SeiNodeDeploymentStatus,
) -> Option<Notice> {
    let leaving = after.phase == Some(DeploymentPhase::Terminating) && before.phase != after.phase;
    (leaving && finalize::retains(fleet)).then(|| {
        let message = "Orphaning child SeiNodes and networking resources".to_owned();
        Notice::normal(Reason::RetainResources, message, "")
    })
}

fn plan_id(status: &SeiNodeDeploymentStatus) -> &str {
    status.plan.as_ref().and_then(|it| it.id.as_deref()).unwrap_or_default()
}
