//! How soon a changed status of a fleet has to be stored.

use sei_api::condition::Type;
use sei_api::{SeiNodeDeploymentStatus, TaskStatus};

use crate::decision::Urgency;

/// Marks on tasks and counts of children unblock nothing and may ride the next write; everything
/// else is stored in the pass that found it.
#[must_use]
pub fn urgency(before: &SeiNodeDeploymentStatus, after: &SeiNodeDeploymentStatus) -> Urgency {
    Urgency::of(before, after, unmarked)
}

/// The status without what may wait.
fn unmarked(status: &SeiNodeDeploymentStatus) -> SeiNodeDeploymentStatus {
    let mut bare = SeiNodeDeploymentStatus {
        ready_replicas: 0,
        updated_replicas: 0,
        available_replicas: 0,
        nodes: Vec::new(),
        incumbent_nodes: Vec::new(),
        per_pod_services: Vec::new(),
        endpoints: None,
        ..status.clone()
    };
    if let Some(rollout) = &mut bare.rollout {
        rollout.last_progress_at = None;
    }
    for task in bare.plan.iter_mut().flat_map(|plan| &mut plan.tasks) {
        if task.status == TaskStatus::Complete {
            task.status = TaskStatus::Pending;
        }
        task.submitted_at = None;
    }
    let counting = [Type::NodesReady, Type::Ready, Type::Reconciling, Type::Stalled];
    for condition in &mut bare.conditions {
        if counting.iter().any(|it| it.as_str() == condition.type_) {
            condition.message.clear();
        }
    }
    bare
}
