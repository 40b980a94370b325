//! How soon a changed status of a node has to be stored.

use sei_api::condition::Type;
use sei_api::{SeiNodeStatus, TaskStatus};

use crate::decision::Urgency;

/// Marks on tasks of a plan in flight unblock nothing and may ride the next write; everything
/// else is stored in the pass that found it.
#[must_use]
pub fn urgency(before: &SeiNodeStatus, after: &SeiNodeStatus) -> Urgency {
    Urgency::of(before, after, unmarked)
}

/// The status without what may wait.
fn unmarked(status: &SeiNodeStatus) -> SeiNodeStatus {
    let mut bare = status.clone();
    for task in bare.plan.iter_mut().flat_map(|plan| &mut plan.tasks) {
        if task.status == TaskStatus::Complete {
            task.status = TaskStatus::Pending;
        }
        task.submitted_at = None;
        task.error = None;
        task.not_before = None;
    }
    // Their messages follow the current task.
    let followers = [Type::Ready, Type::Reconciling];
    for condition in &mut bare.conditions {
        if followers.iter().any(|it| it.as_str() == condition.type_) {
            condition.message.clear();
        }
    }
    bare
}
