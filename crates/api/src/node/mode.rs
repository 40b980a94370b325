//! The four modes of a node.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::{NodeKey, OperatorKeyring, SigningKey};
use super::snapshot::{SnapshotGeneration, SnapshotSource};

/// A full (RPC) node. An empty object is a valid full node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FullNode {
    /// What to start from; absent means block sync from genesis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotSource>,
    /// Which snapshots the node makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_generation: Option<SnapshotGeneration>,
}

/// An archive node. It always starts from genesis.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Archive {
    /// Which snapshots the node makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_generation: Option<SnapshotGeneration>,
}

/// Shadow replay of a chain from a snapshot.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replayer {
    /// What to start from; must be `s3`.
    pub snapshot: SnapshotSource,
    /// Where results go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_export: Option<ResultExport>,
}

/// Where the results of a replayer go. Not read yet.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultExport {
    /// Comparison with the canonical chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow_result: Option<ShadowResult>,
}

/// Comparison of a replay with the canonical chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShadowResult {
    /// RPC URL of the canonical chain.
    pub canonical_rpc: String,
}

/// A validator. An empty object is a valid validator that does not sign.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Validator {
    /// What to start from; absent means block sync from genesis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotSource>,
    /// Part in a genesis ceremony; stamped by the SeiNodeDeployment controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genesis_ceremony: Option<GenesisCeremony>,
    /// Source of the consensus key. Only together with `nodeKey`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<SigningKey>,
    /// Source of the P2P identity. Only together with `signingKey`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_key: Option<NodeKey>,
    /// Keyring of the operator account, used by the sidecar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator_keyring: Option<OperatorKeyring>,
}

/// The part of one validator in a genesis ceremony.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GenesisCeremony {
    /// The chain that is founded.
    pub chain_id: String,
    /// Self-delegation of the validator's gentx, in coin notation.
    pub staking_amount: String,
    /// Funds of the validator's genesis account, in coin notation.
    pub account_balance: String,
    /// Ordinal of the validator in the group.
    pub index: i32,
}
