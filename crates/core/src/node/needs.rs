//! Which reads a round asks for beyond the caches.

use std::collections::BTreeSet;
use std::time::Duration;

use sei_api::{NodePhase, PlanPhase, SeiNode, SeiNodeStatus};
use sei_sidecar_api::TaskSpec;
use uuid::Uuid;

use crate::effect::Resource;
use crate::node::Env;
use crate::plan::{self, kinds::NodeTask};

/// Reads beyond the caches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Objects whose absence from the cache must be confirmed by the API server before anything is
    /// concluded from it: a foreign object may lack the label that the cache is filtered by.
    pub confirm: BTreeSet<Resource>,
    /// The same for pods: that there are none counts only when the API server says so.
    pub confirm_pods: bool,
    /// Ask the sidecar for this task.
    pub task: Option<Uuid>,
    /// Ask the sidecar whether it is ready; an answer up to this old will do.
    pub health: Option<Duration>,
    /// Ask for the machine under the pod if [`crate::node::suspect`] names one; an answer up to
    /// this old will do.
    pub host: Option<Duration>,
}

/// What this node's next round asks for.
#[must_use]
pub fn needs(node: &SeiNode, status: &SeiNodeStatus, env: Env<'_>) -> Needs {
    if node.metadata.deletion_timestamp.is_some() {
        return Needs { confirm: BTreeSet::from([Resource::Claim]), ..Needs::default() };
    }
    if node.spec.paused {
        let host = Some(env.tempo.health_max_age);
        return Needs { confirm_pods: is_unseen(node, status), host, ..Needs::default() };
    }
    let active = status.plan.as_ref().filter(|plan| plan::is_active(Some(plan)));
    let mut needs = match active {
        Some(plan) => task_needs(plan),
        None => Needs {
            confirm: BTreeSet::from([
                Resource::StatefulSet,
                Resource::Service,
                Resource::ConfigMap,
            ]),
            ..Needs::default()
        },
    };
    if status.plan.as_ref().is_some_and(|it| it.phase == PlanPhase::Failed) {
        // What kept the plan from its end may be somebody's claim.
        needs.confirm.insert(Resource::Claim);
    }
    needs.host = Some(env.tempo.health_max_age);
    if status.phase == Some(NodePhase::Running) && active.is_none() {
        needs.confirm_pods |= is_unseen(node, status);
        needs.health = Some(env.tempo.health_max_age);
    }
    needs
}

/// Was the node never seen as its spec wants it?
fn is_unseen(node: &SeiNode, status: &SeiNodeStatus) -> bool {
    status.current_image.as_deref() != Some(node.spec.image.as_str())
        || status.current_sidecar_image.is_none()
}

fn task_needs(plan: &sei_api::TaskPlan) -> Needs {
    let mut needs = Needs::default();
    let Some(task) = plan::current(plan).and_then(|index| plan.tasks.get(index)) else {
        return needs;
    };
    match NodeTask::read(&task.type_, task.params.as_ref()) {
        Ok(NodeTask::EnsureDataPvc) => needs.confirm.insert(Resource::Claim),
        Ok(NodeTask::ApplyRbacProxyConfig) => needs.confirm.insert(Resource::ConfigMap),
        Ok(NodeTask::ApplyStatefulset) => needs.confirm.insert(Resource::StatefulSet),
        Ok(NodeTask::ApplyService) => needs.confirm.insert(Resource::Service),
        Ok(NodeTask::ReplacePod | NodeTask::ObserveImage) => {
            needs.confirm_pods = true;
            needs.confirm.insert(Resource::StatefulSet)
        }
        Ok(NodeTask::Sidecar(spec)) => {
            needs.task = Uuid::parse_str(&task.id).ok();
            needs.health = (spec == TaskSpec::MarkReady).then_some(Duration::ZERO);
            needs.confirm.insert(Resource::StatefulSet)
        }
        Err(_) => false,
    };
    needs
}
