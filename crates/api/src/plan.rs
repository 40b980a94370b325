//! The persisted plan of a SeiNode or SeiNodeDeployment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::k8s::Time;
use crate::node::NodePhase;
use crate::words::open_words;
use crate::{omit, schema};

/// Ordered work, stored in status before any of it is done.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskPlan {
    /// UUID v4, fresh for each plan.
    #[serde(skip_serializing_if = "omit::blank")]
    pub id: Option<String>,
    /// How far the plan as a whole is.
    pub phase: PlanPhase,
    /// The tasks in the order in which they run. Always written, also when empty.
    pub tasks: Vec<PlannedTask>,
    /// Phase that the object enters when the plan completes; absent leaves it as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_phase: Option<NodePhase>,
    /// Phase that the object enters when the plan fails; absent leaves it as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_phase: Option<NodePhase>,
    /// Index in `tasks` of the task that failed the plan. Zero is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::plain_integer")]
    pub failed_task_index: Option<i64>,
    /// What failed, kept for whoever reads the object later. In a plan that repeats a failed one:
    /// what failed then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_task_detail: Option<FailedTask>,
    /// How many plans for this target were made in a row, this one included; absent means that it
    /// is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::plain_integer")]
    pub attempt: Option<i64>,
    /// What the plan was built for. A plan whose target left the spec is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<PlanTarget>,
}

/// The images a plan brings to the workload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanTarget {
    /// The seid image.
    #[serde(skip_serializing_if = "omit::blank")]
    pub image: Option<String>,
    /// The sidecar image; absent when the spec leaves it to the operator.
    #[serde(skip_serializing_if = "omit::blank")]
    pub sidecar_image: Option<String>,
}

/// One task of a plan.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedTask {
    /// The task type, such as `config-apply`.
    #[serde(rename = "type")]
    pub type_: String,
    /// UUID v5 of `<planId>/<type>/<index>`.
    pub id: String,
    /// How far the task is.
    pub status: TaskStatus,
    /// The payload: field names of the sidecar for its tasks, camelCase for the controller's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any_json")]
    pub params: Option<serde_json::Value>,
    /// When the task was first accepted; cleared by a retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Time>,
    /// When the task is begun again at the earliest; of a failed task: when its plan is made anew.
    /// Absent means that nothing is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// Why the task failed, or what it waits for.
    #[serde(skip_serializing_if = "omit::blank")]
    pub error: Option<String>,
    /// How often the task may be retried.
    #[serde(default, skip_serializing_if = "omit::zero")]
    #[schemars(schema_with = "schema::plain_integer")]
    pub max_retries: i64,
    /// How often the task was retried.
    #[serde(default, skip_serializing_if = "omit::zero")]
    #[schemars(schema_with = "schema::plain_integer")]
    pub retry_count: i64,
}

/// The task that failed a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedTask {
    /// The task type.
    #[serde(rename = "type")]
    pub type_: String,
    /// The task id.
    pub id: String,
    /// Why it failed.
    pub error: String,
    /// How often it was retried.
    #[schemars(schema_with = "schema::plain_integer")]
    pub retry_count: i64,
    /// How often it might have been retried.
    #[schemars(schema_with = "schema::plain_integer")]
    pub max_retries: i64,
}

open_words! {
    /// How far a plan is.
    #[derive(Default)]
    PlanPhase {
        /// Stored; its tasks run.
        #[default]
        Active = "Active",
        /// Every task completed.
        Complete = "Complete",
        /// A task failed for good.
        Failed = "Failed",
    }
}

open_words! {
    /// How far a task is. A submitted task stays Pending, with `submittedAt`, until it is done.
    #[derive(Default)]
    TaskStatus {
        /// Not done.
        #[default]
        Pending = "Pending",
        /// Done.
        Complete = "Complete",
        /// Failed for good.
        Failed = "Failed",
    }
}
