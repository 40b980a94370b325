//! What the controller last saw of a SeiNodeDeployment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::k8s::{Condition, Time};
use crate::node::NodePhase;
use crate::plan::TaskPlan;
use crate::words::open_words;
use crate::{omit, schema};

/// What the controller last saw of a SeiNodeDeployment.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SeiNodeDeploymentStatus {
    /// The newest generation that this status speaks about; absent means none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Hash of the template that was last seen fully rolled out, 16 hex digits; absent means none.
    #[serde(skip_serializing_if = "omit::blank")]
    pub template_hash: Option<String>,
    /// Where the fleet is in its life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<DeploymentPhase>,
    /// Children asked for; the scale subresource reads it.
    #[serde(default, skip_serializing_if = "omit::zero")]
    pub replicas: i32,
    /// Children that are Running and whose pod is ready.
    #[serde(default, skip_serializing_if = "omit::zero")]
    pub ready_replicas: i32,
    /// Children on the template of the spec.
    #[serde(default, skip_serializing_if = "omit::zero")]
    pub updated_replicas: i32,
    /// Children that have been ready for long enough to count on.
    #[serde(default, skip_serializing_if = "omit::zero")]
    pub available_replicas: i32,
    /// Label selector of the children's pods; the scale subresource reads it.
    #[serde(skip_serializing_if = "omit::blank")]
    pub selector: Option<String>,
    /// The children, by ordinal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend(
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["name"]
    ))]
    pub nodes: Vec<GroupNode>,
    /// The group plan in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<TaskPlan>,
    /// Hash of the founded genesis file. Not written yet.
    #[serde(skip_serializing_if = "omit::blank")]
    pub genesis_hash: Option<String>,
    /// Where the founded genesis file is. Not written yet.
    #[serde(rename = "genesisS3URI", skip_serializing_if = "omit::blank")]
    pub genesis_s3_uri: Option<String>,
    /// Names of the children that exist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incumbent_nodes: Vec<String>,
    /// The rollout in progress; absent means none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// The template of `templateHash`, as far as a rollback needs it; absent means none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_good: Option<LastGood>,
    /// Hash of the template that was rolled back, until the spec asks for another one; absent
    /// means none.
    #[serde(skip_serializing_if = "omit::blank")]
    pub rejected_hash: Option<String>,
    /// The value of the annotation `sei.io/retry` that was last acted on; absent means none.
    #[serde(skip_serializing_if = "omit::blank")]
    pub last_retry_token: Option<String>,
    /// The routes of the fleet; absent without networking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub networking_status: Option<NetworkingStatus>,
    /// The Service over all children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_service: Option<InternalService>,
    /// The Service of each child, by ordinal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend(
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["name"]
    ))]
    pub per_pod_services: Vec<PerPodService>,
    /// URLs of the fleet and of each child.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Endpoints>,
    /// The conditions, one per type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
}

/// One child as the deployment sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupNode {
    /// Name of the SeiNode.
    pub name: String,
    /// Its phase; absent means not seen by its controller yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<NodePhase>,
    /// The image that its seid was seen to run.
    #[serde(skip_serializing_if = "omit::blank")]
    pub current_image: Option<String>,
    /// Why the child is not on target, in one word; absent when it is.
    #[serde(skip_serializing_if = "omit::blank")]
    pub reason: Option<String>,
    /// The same for people.
    #[serde(skip_serializing_if = "omit::blank")]
    pub message: Option<String>,
}

/// A rollout in progress.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// Hash of the template that is rolled out.
    pub target_hash: String,
    /// When it started; set anew by each supersession.
    pub started_at: Time,
    /// When a child last advanced; absent means not since `startedAt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_progress_at: Option<Time>,
    /// How many children it may have down at one time; absent means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_unavailable: Option<i32>,
}

/// The template that was last seen fully rolled out, as far as a rollback needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastGood {
    /// Its hash, equal to `templateHash`.
    pub hash: String,
    /// Its seid image.
    pub image: String,
    /// Its sidecar image; absent means that it left it to the operator.
    #[serde(skip_serializing_if = "omit::blank")]
    pub sidecar_image: Option<String>,
}

/// The routes of a fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkingStatus {
    /// The host names, in the order of protocols.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<NetworkingRoute>,
}

/// One host name of a fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkingRoute {
    /// The host name.
    pub hostname: String,
    /// `evm`, `rpc`, `rest` or `grpc`.
    #[serde(skip_serializing_if = "omit::blank")]
    pub protocol: Option<String>,
}

/// The Service over all children.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InternalService {
    /// Name of the Service.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its ports.
    pub ports: InternalServicePorts,
}

/// Ports of the Service over all children.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InternalServicePorts {
    /// Tendermint RPC.
    pub rpc: i32,
    /// EVM JSON-RPC over HTTP.
    pub evm_http: i32,
    /// Cosmos REST.
    pub rest: i32,
}

/// The Service of one child.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PerPodService {
    /// Name of the Service, equal to the child's.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its ports.
    pub ports: PerPodServicePorts,
}

/// Ports of the Service of one child.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PerPodServicePorts {
    /// EVM JSON-RPC over HTTP.
    pub evm_http: i32,
    /// EVM JSON-RPC over WebSocket.
    pub evm_ws: i32,
}

/// URLs of a fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Endpoints {
    /// Tendermint RPC of the fleet.
    #[serde(skip_serializing_if = "omit::blank")]
    pub tendermint_rpc: Option<String>,
    /// Cosmos REST of the fleet.
    #[serde(skip_serializing_if = "omit::blank")]
    pub tendermint_rest: Option<String>,
    /// URLs of each child, by ordinal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend(
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["name"]
    ))]
    pub nodes: Vec<EndpointNode>,
}

/// URLs of one child.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointNode {
    /// Name of the child.
    #[schemars(length(min = 1))]
    pub name: String,
    /// EVM JSON-RPC over HTTP.
    #[serde(skip_serializing_if = "omit::blank")]
    pub evm_json_rpc: Option<String>,
    /// EVM JSON-RPC over WebSocket.
    #[serde(skip_serializing_if = "omit::blank")]
    pub evm_ws: Option<String>,
}

open_words! {
    /// Where a fleet is in its life.
    DeploymentPhase {
        /// No child exists.
        Pending = "Pending",
        /// Children are coming up.
        Initializing = "Initializing",
        /// Every child is ready.
        Ready = "Ready",
        /// A rollout is in progress.
        Upgrading = "Upgrading",
        /// Some children failed, others are ready.
        Degraded = "Degraded",
        /// Every child failed.
        Failed = "Failed",
        /// The object is being deleted.
        Terminating = "Terminating",
    }
}
