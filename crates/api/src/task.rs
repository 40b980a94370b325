//! SeiNodeTask: one piece of work on one SeiNode, done once.

mod status;

use kube::core::Rule;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::absent::absent_is_default;
use crate::node::NodePhase;
use crate::words::open_words;
use crate::{omit, saturate, schema};

pub use status::{
    AwaitConditionOutputs, AwaitNodesAtHeightOutputs, GovSoftwareUpgradeOutputs, GovVoteOutputs,
    NodeTask, NodeTaskOutputs, NodeTaskPhase, SeiNodeTaskStatus, UpdateNodeImageOutputs,
};

/// `target.requirePhase` when absent.
pub const DEFAULT_REQUIRE_PHASE: NodePhase = NodePhase::Running;

/// `target.requirePhaseTimeout` when absent, as stored.
pub const DEFAULT_REQUIRE_PHASE_TIMEOUT: &str = "5m";

const ONE_PAYLOAD: &str = "(has(self.govSoftwareUpgrade) ? 1 : 0) + (has(self.govVote) ? 1 : 0) + \
     (has(self.awaitCondition) ? 1 : 0) + (has(self.updateNodeImage) ? 1 : 0) + \
     (has(self.awaitNodesAtHeight) ? 1 : 0) == 1";

/// One piece of work on one SeiNode. Exactly the payload that `kind` names is set.
#[expect(clippy::duplicated_attributes, reason = "each printcolumn has a type of its own")]
#[derive(CustomResource, Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[kube(
    group = "sei.io",
    version = "v1alpha1",
    kind = "SeiNodeTask",
    plural = "seinodetasks",
    singular = "seinodetask",
    shortname = "snt",
    category = "sei",
    namespaced,
    status = "SeiNodeTaskStatus",
    doc = "SeiNodeTask is one piece of work on one SeiNode, done once.",
    derive = "PartialEq",
    derive = "Default",
    printcolumn(name = "Kind", type_ = "string", json_path = ".spec.kind"),
    printcolumn(name = "Target", type_ = "string", json_path = ".spec.target.nodeRef.name"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = rules()))]
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct SeiNodeTaskSpec {
    /// What to do. Immutable.
    pub kind: NodeTaskKind,
    /// The SeiNode to do it on. Immutable.
    pub target: NodeTaskTarget,
    /// Seconds from `status.startedAt` until the task times out; absent or zero means never.
    #[serde(
        default,
        deserialize_with = "saturate::optional_int32",
        skip_serializing_if = "omit::none_or_zero"
    )]
    #[schemars(range(min = 0, max = i32::MAX))]
    pub timeout_seconds: Option<i32>,
    /// Payload of GovSoftwareUpgrade. Immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gov_software_upgrade: Option<GovSoftwareUpgrade>,
    /// Payload of GovVote. Immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gov_vote: Option<GovVote>,
    /// Payload of AwaitCondition. Immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub await_condition: Option<AwaitCondition>,
    /// Payload of UpdateNodeImage. Immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_node_image: Option<UpdateNodeImage>,
    /// Payload of AwaitNodesAtHeight. Immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub await_nodes_at_height: Option<AwaitNodesAtHeight>,
}

absent_is_default!(SeiNodeTaskSpec);

fn rules() -> [Rule; 8] {
    [
        Rule::new(ONE_PAYLOAD).message(
            "exactly one of govSoftwareUpgrade, govVote, awaitCondition, updateNodeImage, or \
         awaitNodesAtHeight must be set",
        ),
        Rule::new("self.kind != 'GovSoftwareUpgrade' || has(self.govSoftwareUpgrade)")
            .message("spec.govSoftwareUpgrade is required when kind=GovSoftwareUpgrade"),
        Rule::new("self.kind != 'GovVote' || has(self.govVote)")
            .message("spec.govVote is required when kind=GovVote"),
        Rule::new("self.kind != 'AwaitCondition' || has(self.awaitCondition)")
            .message("spec.awaitCondition is required when kind=AwaitCondition"),
        Rule::new("self.kind != 'UpdateNodeImage' || has(self.updateNodeImage)")
            .message("spec.updateNodeImage is required when kind=UpdateNodeImage"),
        Rule::new("self.kind != 'AwaitNodesAtHeight' || has(self.awaitNodesAtHeight)")
            .message("spec.awaitNodesAtHeight is required when kind=AwaitNodesAtHeight"),
        Rule::new("self.kind == oldSelf.kind").message("spec.kind is immutable"),
        Rule::new("self.target == oldSelf.target").message("spec.target is immutable"),
    ]
}

/// What an object without a spec reads as: no kind that could be done.
impl Default for SeiNodeTaskSpec {
    fn default() -> Self {
        Self {
            kind: NodeTaskKind::Unknown(String::new()),
            target: NodeTaskTarget::default(),
            timeout_seconds: None,
            gov_software_upgrade: None,
            gov_vote: None,
            await_condition: None,
            update_node_image: None,
            await_nodes_at_height: None,
        }
    }
}

/// The SeiNode a task works on.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeTaskTarget {
    /// The SeiNode.
    pub node_ref: NodeRef,
    /// Phase that the node must show before the task starts; absent means Running.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Running"))]
    pub require_phase: Option<NodePhase>,
    /// Bound on the wait for that phase, as a Go duration; absent means `5m`.
    #[serde(skip_serializing_if = "omit::blank")]
    #[schemars(length(max = 32), extend("default" = DEFAULT_REQUIRE_PHASE_TIMEOUT))]
    #[x_kube(
        validation = Rule::new("self.matches('^([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h))+$')")
            .message("must be a Go duration such as 5m")
    )]
    pub require_phase_timeout: Option<String>,
}

/// A SeiNode in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeRef {
    /// Name of the SeiNode.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_LABEL))]
    pub name: String,
}

/// Submit a governance proposal for a software upgrade.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("self == oldSelf").message("spec.govSoftwareUpgrade is immutable"))]
#[serde(rename_all = "camelCase")]
pub struct GovSoftwareUpgrade {
    /// The chain to propose on.
    #[schemars(length(min = 1))]
    pub chain_id: String,
    /// Title of the proposal.
    #[schemars(length(min = 1))]
    pub title: String,
    /// Description of the proposal.
    #[schemars(length(min = 1))]
    pub description: String,
    /// Name of the upgrade handler.
    #[schemars(length(min = 1))]
    pub upgrade_name: String,
    /// Height at which the upgrade happens.
    #[schemars(range(min = 1))]
    pub upgrade_height: i64,
    /// Initial deposit, in coin notation, usei only.
    #[schemars(length(min = 1))]
    pub initial_deposit: String,
    /// Fees, in coin notation, usei only.
    #[schemars(length(min = 1))]
    pub fees: String,
    /// Gas limit.
    #[schemars(range(min = 1))]
    pub gas: i64,
    /// Keyring entry that signs; absent means the target's own.
    #[serde(skip_serializing_if = "omit::blank")]
    #[schemars(regex(pattern = schema::KEY_NAME))]
    pub key_name: Option<String>,
    /// Free text of the upgrade plan.
    #[serde(skip_serializing_if = "omit::blank")]
    pub upgrade_info: Option<String>,
    /// Memo of the transaction; the sidecar appends the task id.
    #[serde(skip_serializing_if = "omit::blank")]
    pub memo: Option<String>,
}

/// Vote on a governance proposal.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("self == oldSelf").message("spec.govVote is immutable"))]
#[serde(rename_all = "camelCase")]
pub struct GovVote {
    /// The chain to vote on.
    #[schemars(length(min = 1))]
    pub chain_id: String,
    /// The proposal.
    #[schemars(range(min = 1))]
    pub proposal_id: i64,
    /// The vote.
    pub option: VoteOption,
    /// Fees, in coin notation, usei only.
    #[schemars(length(min = 1))]
    pub fees: String,
    /// Gas limit.
    #[schemars(range(min = 1))]
    pub gas: i64,
    /// Keyring entry that signs; absent means the target's own.
    #[serde(skip_serializing_if = "omit::blank")]
    #[schemars(regex(pattern = schema::KEY_NAME))]
    pub key_name: Option<String>,
    /// Memo of the transaction; the sidecar appends the task id.
    #[serde(skip_serializing_if = "omit::blank")]
    pub memo: Option<String>,
}

/// Wait until the node meets a condition. Exactly one condition is set.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(
    validation = Rule::new("has(self.height)")
        .message("exactly one condition must be set (currently: height)"),
    validation = Rule::new("self == oldSelf").message("spec.awaitCondition is immutable")
)]
#[serde(rename_all = "camelCase")]
pub struct AwaitCondition {
    /// Wait for a block height.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<AwaitHeight>,
    /// What to do once the condition is met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<AwaitAction>,
}

/// A block height to wait for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AwaitHeight {
    /// The local height must be at least this.
    #[schemars(range(min = 1))]
    pub target_height: i64,
}

/// Set the image of the target and wait until it runs.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("self == oldSelf").message("spec.updateNodeImage is immutable"))]
#[serde(rename_all = "camelCase")]
pub struct UpdateNodeImage {
    /// The seid image.
    #[schemars(length(min = 1, max = 512))]
    pub image: String,
}

/// Wait until the node reaches a height.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("self == oldSelf").message("spec.awaitNodesAtHeight is immutable"))]
#[serde(rename_all = "camelCase")]
pub struct AwaitNodesAtHeight {
    /// The height must be at least this.
    #[schemars(range(min = 1))]
    pub target_height: i64,
}

open_words! {
    /// What a SeiNodeTask does.
    NodeTaskKind {
        /// Submit a proposal for a software upgrade.
        GovSoftwareUpgrade = "GovSoftwareUpgrade",
        /// Vote on a proposal.
        GovVote = "GovVote",
        /// Wait for a condition.
        AwaitCondition = "AwaitCondition",
        /// Set the image of the target.
        UpdateNodeImage = "UpdateNodeImage",
        /// Wait for a height.
        AwaitNodesAtHeight = "AwaitNodesAtHeight",
    }
}

open_words! {
    /// A governance vote. YAML authors quote `"yes"` and `"no"`.
    VoteOption {
        /// For the proposal.
        Yes = "yes",
        /// Against the proposal.
        No = "no",
        /// Counted, for neither side.
        Abstain = "abstain",
        /// Against, and burn the deposit.
        NoWithVeto = "no_with_veto",
        /// The same in the spelling of the command line.
        NoWithVetoDashed = "no-with-veto",
    }
}

open_words! {
    /// What happens once an awaited condition is met.
    AwaitAction {
        /// Stop seid.
        SigtermSeid = "SIGTERM_SEID",
    }
}
