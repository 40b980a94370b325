//! What the controller last saw of a SeiNodeTask.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::k8s::{Condition, Time};
use crate::plan::TaskStatus;
use crate::words::open_words;
use crate::{omit, schema};

/// What the controller last saw of a SeiNodeTask.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SeiNodeTaskStatus {
    /// The newest generation that this status speaks about; absent means none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How far the work is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<NodeTaskPhase>,
    /// The task on the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<NodeTask>,
    /// What the work yielded, by kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<NodeTaskOutputs>,
    /// When `phase` last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_transition_time: Option<Time>,
    /// When the controller first saw the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the target was first seen in another phase; cleared once it is met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_first_observed_at: Option<Time>,
    /// The conditions, one per type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
}

/// The task on the node.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeTask {
    /// UUID v5 of `<metadata.uid>/<spec.kind>/0`.
    pub id: String,
    /// How far the task is.
    pub status: TaskStatus,
    /// Why it failed; the literal `timeout` when it took too long.
    #[serde(skip_serializing_if = "omit::blank")]
    pub err: Option<String>,
    /// When it was first accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Time>,
}

/// What the work yielded. The field of the kind is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeTaskOutputs {
    /// Of GovSoftwareUpgrade. Not written yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gov_software_upgrade: Option<GovSoftwareUpgradeOutputs>,
    /// Of GovVote. Not written yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gov_vote: Option<GovVoteOutputs>,
    /// Of AwaitCondition. Not written yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub await_condition: Option<AwaitConditionOutputs>,
    /// Of UpdateNodeImage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_node_image: Option<UpdateNodeImageOutputs>,
    /// Of AwaitNodesAtHeight. Not written yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub await_nodes_at_height: Option<AwaitNodesAtHeightOutputs>,
}

/// What a software upgrade proposal yielded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GovSoftwareUpgradeOutputs {
    /// Hash of the transaction.
    #[serde(skip_serializing_if = "omit::blank")]
    pub tx_hash: Option<String>,
    /// Height of its block.
    #[serde(default, skip_serializing_if = "omit::zero")]
    pub height: i64,
    /// The proposal.
    #[serde(default, skip_serializing_if = "omit::zero")]
    pub proposal_id: i64,
}

/// What a vote yielded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GovVoteOutputs {
    /// Hash of the transaction.
    #[serde(skip_serializing_if = "omit::blank")]
    pub tx_hash: Option<String>,
    /// Height of its block.
    #[serde(default, skip_serializing_if = "omit::zero")]
    pub height: i64,
}

/// What an awaited condition yielded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AwaitConditionOutputs {
    /// The value that met the condition.
    #[serde(default, skip_serializing_if = "omit::zero")]
    pub observed_value: i64,
}

/// What an image update yielded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateNodeImageOutputs {
    /// The image that runs.
    #[serde(skip_serializing_if = "omit::blank")]
    pub applied_image: Option<String>,
}

/// What a wait for a height yielded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AwaitNodesAtHeightOutputs {
    /// The height that was seen.
    #[serde(default, skip_serializing_if = "omit::zero")]
    pub current_height: i64,
}

open_words! {
    /// How far the work of a SeiNodeTask is.
    NodeTaskPhase {
        /// Waiting for the target.
        Pending = "Pending",
        /// The task is on its way.
        Running = "Running",
        /// Done, for good.
        Complete = "Complete",
        /// Failed, for good.
        Failed = "Failed",
    }
}
