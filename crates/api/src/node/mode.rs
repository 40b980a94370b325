//! The four modes of a node.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::saturate;

use super::keys::{NodeKey, OperatorKeyring, SigningKey};
use super::snapshot::{SnapshotGeneration, SnapshotSource};

// A missing `secret` is guarded in each comparison of Secrets: of a key it is refused by the key's
// own rule, once; of the keyring it means the test keyring.

const SIGNING_KEY_IS_NOT_NODE_KEY: &str = "!has(self.signingKey) || \
     !has(self.signingKey.secret) || !has(self.nodeKey) || !has(self.nodeKey.secret) || \
     self.signingKey.secret.secretName != self.nodeKey.secret.secretName";

const KEYRING_IS_NOT_SIGNING_KEY: &str = "!has(self.operatorKeyring) || \
     !has(self.operatorKeyring.secret) || !has(self.signingKey) || \
     !has(self.signingKey.secret) || \
     self.operatorKeyring.secret.secretName != self.signingKey.secret.secretName";

const KEYRING_IS_NOT_NODE_KEY: &str = "!has(self.operatorKeyring) || \
     !has(self.operatorKeyring.secret) || !has(self.nodeKey) || !has(self.nodeKey.secret) || \
     self.operatorKeyring.secret.secretName != self.nodeKey.secret.secretName";

const KEYRING_IS_NOT_PASSPHRASE: &str = "!has(self.operatorKeyring) || \
     !has(self.operatorKeyring.secret) || self.operatorKeyring.secret.secretName != \
     self.operatorKeyring.secret.passphraseSecretRef.secretName";

const PASSPHRASE_IS_NOT_SIGNING_KEY: &str = "!has(self.operatorKeyring) || \
     !has(self.operatorKeyring.secret) || !has(self.signingKey) || \
     !has(self.signingKey.secret) || \
     self.operatorKeyring.secret.passphraseSecretRef.secretName != \
     self.signingKey.secret.secretName";

const PASSPHRASE_IS_NOT_NODE_KEY: &str = "!has(self.operatorKeyring) || \
     !has(self.operatorKeyring.secret) || !has(self.nodeKey) || !has(self.nodeKey.secret) || \
     self.operatorKeyring.secret.passphraseSecretRef.secretName != \
     self.nodeKey.secret.secretName";

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
#[x_kube(validation = Rule::new("has(self.snapshot.s3)").message("replayer requires snapshot.s3"))]
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
#[x_kube(validation = Rule::new("has(self.shadowResult)")
    .message("resultExport needs shadowResult; omit it to disable"))]
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
    #[schemars(length(min = 1))]
    pub canonical_rpc: String,
}

/// A validator. An empty object is a valid validator that does not sign.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(
    validation = Rule::new("has(self.signingKey) == has(self.nodeKey)")
        .message("signingKey and nodeKey must be set together (validators get both or neither)"),
    validation = Rule::new(SIGNING_KEY_IS_NOT_NODE_KEY).message(
        "signingKey and nodeKey must reference distinct Secrets — packing both keys in one \
         Secret collapses the bootstrap-pod trust boundary"
    ),
    validation = Rule::new(KEYRING_IS_NOT_SIGNING_KEY).message(
        "operatorKeyring and signingKey must reference distinct Secrets — collapsing them into \
         one Secret would force the sidecar/seid trust boundary to evaporate"
    ),
    validation = Rule::new(KEYRING_IS_NOT_NODE_KEY)
        .message("operatorKeyring and nodeKey must reference distinct Secrets"),
    validation = Rule::new(KEYRING_IS_NOT_PASSPHRASE)
        .message("operatorKeyring data Secret and passphrase Secret must be distinct"),
    validation = Rule::new(PASSPHRASE_IS_NOT_SIGNING_KEY)
        .message("operatorKeyring passphrase Secret must not equal signingKey Secret"),
    validation = Rule::new(PASSPHRASE_IS_NOT_NODE_KEY)
        .message("operatorKeyring passphrase Secret must not equal nodeKey Secret"),
    validation = Rule::new("!has(oldSelf.signingKey) || has(self.signingKey)")
        .message("signingKey cannot be removed once set"),
    validation = Rule::new("!has(self.signingKey) || !has(self.genesisCeremony)")
        .message("signingKey and genesisCeremony are mutually exclusive")
)]
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
    #[schemars(length(min = 1))]
    pub chain_id: String,
    /// Self-delegation of the validator's gentx, in coin notation.
    #[schemars(length(min = 1))]
    pub staking_amount: String,
    /// Funds of the validator's genesis account, in coin notation.
    #[schemars(length(min = 1))]
    pub account_balance: String,
    /// Ordinal of the validator in the group.
    #[serde(deserialize_with = "saturate::int32")]
    #[schemars(range(min = 0, max = i32::MAX))]
    pub index: i32,
}
