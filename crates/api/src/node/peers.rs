//! Where the peers of a node come from.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::omit;

/// A sum, because a list literal per item exceeds the cost that a server grants.
const ONE_SOURCE: &str = "(has(self.ec2Tags) ? 1 : 0) + (has(self.static) ? 1 : 0) + \
     (has(self.label) ? 1 : 0) == 1";

/// One source of peers. Exactly one field is set.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new(ONE_SOURCE)
    .message("exactly one of ec2Tags, static, or label must be set"))]
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
    #[schemars(length(min = 1))]
    pub region: String,
    /// The tags; all must match.
    #[schemars(extend("minProperties" = 1))]
    pub tags: BTreeMap<String, String>,
}

/// Fixed peers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaticSource {
    /// Addresses of the form `nodeId@host:port`.
    #[schemars(length(min = 1))]
    pub addresses: Vec<String>,
}

/// SeiNodes that carry all of some labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabelSource {
    /// The labels; all must match.
    #[schemars(extend("minProperties" = 1))]
    pub selector: BTreeMap<String, String>,
    /// The namespace to search; absent or empty means the node's own.
    #[serde(skip_serializing_if = "omit::blank")]
    pub namespace: Option<String>,
}
