//! Where the peers of a node come from.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::omit;

/// One source of peers. Exactly one field is set.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerSource {
    /// EC2 instances by tag, discovered by the sidecar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ec2_tags: Option<Ec2TagsSource>,
    /// Fixed addresses.
    #[serde(rename = "static", skip_serializing_if = "Option::is_none")]
    pub static_: Option<StaticSource>,
    /// SeiNodes by label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<LabelSource>,
}

/// EC2 instances that carry all of some tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ec2TagsSource {
    /// The AWS region.
    pub region: String,
    /// The tags; all must match.
    pub tags: BTreeMap<String, String>,
}

/// Fixed peers.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StaticSource {
    /// Addresses of the form `nodeId@host:port`.
    pub addresses: Vec<String>,
}

/// SeiNodes that carry all of some labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabelSource {
    /// The labels; all must match.
    pub selector: BTreeMap<String, String>,
    /// The namespace to search; absent or empty means the node's own.
    #[serde(skip_serializing_if = "omit::blank")]
    pub namespace: Option<String>,
}
