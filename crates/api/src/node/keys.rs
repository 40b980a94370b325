//! The keys of a validator: consensus key, P2P key and operator keyring, each from Secrets.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{omit, schema};

/// Keyring entry when `operatorKeyring.secret.keyName` is absent.
pub const DEFAULT_KEY_NAME: &str = "node_admin";

/// Source of the consensus key. Only together with a node key.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("has(self.secret)")
    .message("exactly one signing key source must be set"))]
#[serde(rename_all = "camelCase")]
pub struct SigningKey {
    /// A Secret with the data key `priv_validator_key.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretKeySource>,
}

/// Source of the P2P identity. Only together with a signing key.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("has(self.secret)")
    .message("exactly one node key source must be set"))]
#[serde(rename_all = "camelCase")]
pub struct NodeKey {
    /// A Secret with the data key `node_key.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretKeySource>,
}

/// A Secret in the namespace of the node that holds one key.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeySource {
    /// Name of the Secret. Immutable.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_LABEL))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("secretName is immutable"))]
    pub secret_name: String,
}

/// Keyring of the operator account, used by the sidecar. Without `secret` it is the unencrypted
/// test keyring on the data volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperatorKeyring {
    /// A keyring of the file backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<OperatorKeyringSecret>,
}

/// A Secret that holds a file-backend keyring.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperatorKeyringSecret {
    /// Name of the Secret with `<key>.info` and `<hex>.address` data keys. Immutable.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_LABEL))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("secretName is immutable"))]
    pub secret_name: String,
    /// The keyring entry; absent or empty means `node_admin`.
    #[serde(skip_serializing_if = "omit::blank")]
    #[schemars(
        length(max = 64),
        regex(pattern = schema::KEY_NAME),
        extend("default" = DEFAULT_KEY_NAME)
    )]
    pub key_name: Option<String>,
    /// Where the passphrase of the keyring is.
    pub passphrase_secret_ref: PassphraseSecretRef,
}

/// One data key of a Secret that holds a passphrase.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PassphraseSecretRef {
    /// Name of the Secret. Immutable.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_LABEL))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("passphrase secretName is immutable"))]
    pub secret_name: String,
    /// The data key in that Secret.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}
