//! What is shown of each node: a row, made from the objects, and the table of all rows; pure.

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use sei_api::condition::{Reason, Type};
use sei_api::k8s::{Condition, Pod, ResourceExt};
use sei_api::{NodePhase, PlanPhase, SeiNode, TaskPlan, TaskStatus};

/// One node as a person wants to see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    pub node: String,
    pub phase: String,
    /// The tag that the spec asks for.
    pub wanted: String,
    /// The tag that the operator has seen running.
    pub running: String,
    /// The plan in progress and the task it is at.
    pub plan: String,
    pub pod: String,
    /// What the node says of its trouble, in one word.
    pub says: String,
}

const NONE: &str = "-";
/// The container that is the node.
pub const SEID: &str = "seid";

impl Row {
    /// The row of a node and its pod, if it has one.
    pub fn new(node: &SeiNode, pod: Option<&Pod>) -> Self {
        let status = node.status.clone().unwrap_or_default();
        let running = status.current_image.as_deref();
        Self {
            node: node.name_any(),
            phase: status.phase.map_or(NONE.to_owned(), |phase| phase.to_string()),
            wanted: tag(&node.spec.image).to_owned(),
            running: running.map_or(NONE, tag).to_owned(),
            plan: status.plan.as_ref().map_or(NONE.to_owned(), plan),
            pod: pod.map_or(NONE.to_owned(), pod_words),
            says: trouble(&status.conditions).unwrap_or(NONE).to_owned(),
        }
    }

    /// The same in one line, for a log.
    pub fn line(&self) -> String {
        let Self { node, phase, wanted, running, plan, pod, says } = self;
        let says = if says == NONE { String::new() } else { format!("  says {says}") };
        format!("{node}  {phase}  spec {wanted}  running {running}  plan {plan}  pod {pod}{says}")
    }
}

/// The table of all nodes.
pub fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header([
        "node",
        "phase",
        "spec",
        "running",
        "plan: task",
        "pod",
        "says",
    ]);
    for row in rows {
        let Row { node, phase, wanted, running, plan, pod, says } = row;
        table.add_row([node, phase, wanted, running, plan, pod, says]);
    }
    table.to_string()
}

/// What stands behind the last colon of an image.
pub fn tag(image: &str) -> &str {
    image.rsplit_once(':').map_or(image, |(_, tag)| tag)
}

/// The image that a pod's spec names for `seid`.
pub fn pod_image(pod: &Pod) -> Option<&str> {
    let containers = &pod.spec.as_ref()?.containers;
    containers.iter().find(|container| container.name == SEID)?.image.as_deref()
}

fn plan(plan: &TaskPlan) -> String {
    match plan.phase {
        PlanPhase::Failed => return "failed".to_owned(),
        PlanPhase::Complete => return NONE.to_owned(),
        PlanPhase::Active | PlanPhase::Unknown(_) => {}
    }
    let task = plan.tasks.iter().find(|task| task.status != TaskStatus::Complete);
    let task = task.map_or("settling", |task| task.type_.as_str());
    format!("{}: {task}", plan_name(plan))
}

/// Why a node is not ready, unless it only waits for its turn, its task or its pod.
fn trouble(conditions: &[Condition]) -> Option<&str> {
    let ready = conditions.iter().find(|it| it.type_ == Type::Ready.as_str())?;
    let calm = [Reason::Ready, Reason::Progressing, Reason::NotReady, Reason::Terminating];
    (!calm.iter().any(|it| it.as_str() == ready.reason)).then_some(&ready.reason)
}

/// A plan has no name of its own; its tasks tell.
fn plan_name(plan: &TaskPlan) -> &'static str {
    let has = |name: &str| plan.tasks.iter().any(|task| task.type_ == name);
    if plan.target_phase == Some(NodePhase::Running) && has("ensure-data-pvc") {
        "init"
    } else if has("replace-pod") {
        "update"
    } else {
        "mark-ready"
    }
}

fn pod_words(pod: &Pod) -> String {
    if pod.metadata.deletion_timestamp.is_some() {
        return "Terminating".to_owned();
    }
    let status = pod.status.clone().unwrap_or_default();
    let init = status.init_container_statuses.iter().flatten();
    let all = init.chain(status.container_statuses.iter().flatten());
    let waiting = all.filter_map(|it| it.state.as_ref()?.waiting.as_ref()?.reason.clone());
    // Those that wait for others say nothing.
    let waiting = waiting.into_iter().find(|it| it != "PodInitializing");
    let conditions = status.conditions.unwrap_or_default();
    let is_ready = conditions.iter().any(|it| it.type_ == "Ready" && it.status == "True");
    let phase = status.phase.unwrap_or_default();
    match waiting {
        Some(reason) => reason,
        None if is_ready => format!("{phase}, ready"),
        None => phase,
    }
}

#[cfg(test)]
mod tests {
    //! Rows say what the objects say.

    use serde_json::json;

    use super::*;

    fn node(status: serde_json::Value) -> SeiNode {
        serde_json::from_value(json!({
            "apiVersion": sei_api::API_VERSION,
            "kind": "SeiNode",
            "metadata": {"name": "demo-0"},
            "spec": {"chainId": "c", "image": "registry.example/seid:v2", "fullNode": {}},
            "status": status,
        }))
        .unwrap()
    }

    fn pod(status: serde_json::Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"name": "demo-0-0"}, "status": status})).unwrap()
    }

    #[test]
    fn update_in_progress_shows_both_images_and_the_task() {
        let node = node(json!({
            "phase": "Running",
            "currentImage": "registry.example/seid:v1",
            "plan": {"id": "p", "phase": "Active", "tasks": [
                {"type": "apply-statefulset", "id": "1", "status": "Complete"},
                {"type": "replace-pod", "id": "2", "status": "Pending"},
            ]},
        }));
        let pod = pod(json!({
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
        }));
        assert_eq!(
            Row::new(&node, Some(&pod)).line(),
            "demo-0  Running  spec v2  running v1  plan update: replace-pod  pod Running, ready"
        );
    }

    #[test]
    fn node_nobody_has_seen_yet_is_empty() {
        let line = Row::new(&node(json!({})), None).line();
        assert_eq!(line, "demo-0  -  spec v2  running -  plan -  pod -");
    }

    #[test]
    fn failed_pull_is_named() {
        let container = |name: &str, reason: &str| {
            json!({
                "name": name, "image": "", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": reason}},
            })
        };
        let pod = pod(json!({
            "phase": "Pending",
            "initContainerStatuses": [container("seid-init", "ImagePullBackOff")],
            "containerStatuses": [container("seid", "PodInitializing")],
        }));
        assert_eq!(Row::new(&node(json!({})), Some(&pod)).pod, "ImagePullBackOff");
    }
}
