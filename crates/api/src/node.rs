//! SeiNode: one seid process with its sidecar, volume and identity.

mod keys;
mod mode;
mod peers;
mod snapshot;

use std::collections::BTreeMap;

use kube::core::Rule;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::absent::absent_is_default;
use crate::k8s::{Condition, ResourceRequirements, Time};
use crate::plan::TaskPlan;
use crate::words::open_words;
use crate::{omit, saturate, schema};

pub use keys::{
    DEFAULT_KEY_NAME, NodeKey, OperatorKeyring, OperatorKeyringSecret, PassphraseSecretRef,
    SecretKeySource, SigningKey,
};
pub use mode::{
    Archive, FullNode, GenesisCeremony, Replayer, ResultExport, ShadowResult, Validator,
};
pub use peers::{Ec2TagsSource, LabelSource, PeerSource, StaticSource};
pub use snapshot::{
    S3Snapshot, SnapshotGeneration, SnapshotPublish, SnapshotSource, StateSync, TendermintSnapshots,
};

/// Port of the sidecar when `sidecar.port` is absent or zero.
pub const DEFAULT_SIDECAR_PORT: i32 = 7777;

const ONE_MODE: &str = "(has(self.fullNode) ? 1 : 0) + (has(self.archive) ? 1 : 0) + \
     (has(self.replayer) ? 1 : 0) + (has(self.validator) ? 1 : 0) == 1";

const SAME_MODE: &str = "has(self.fullNode) == has(oldSelf.fullNode) && \
     has(self.archive) == has(oldSelf.archive) && \
     has(self.replayer) == has(oldSelf.replayer) && \
     has(self.validator) == has(oldSelf.validator)";

/// On the whole spec, because a rule on `dataVolume` does not run when that is dropped. The
/// escape stands for `import`, a word that older servers reserve.
const IMPORT_STAYS: &str = "!has(oldSelf.dataVolume) || !has(oldSelf.dataVolume.__import__) || \
     (has(self.dataVolume) && has(self.dataVolume.__import__))";

/// On creation only. A name never changes, and a rule on the root runs with every write, also of
/// a status or finalizer: an object with a longer name from before the rule could not even be
/// deleted. 52 characters leave room for the revision label of the StatefulSet.
const NAME: &str = "oldSelf.hasValue() || (self.metadata.name.size() <= 52 && \
     self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$'))";

/// A node of a Sei chain. Exactly one mode (fullNode, archive, replayer, validator) is set.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[kube(
    group = "sei.io",
    version = "v1alpha1",
    kind = "SeiNode",
    plural = "seinodes",
    singular = "seinode",
    shortname = "snode",
    category = "sei",
    namespaced,
    status = "SeiNodeStatus",
    doc = "SeiNode is one node of a Sei chain: a seid process with its sidecar and data volume.",
    derive = "PartialEq",
    derive = "Default",
    validation = Rule::new(NAME)
        .message("metadata.name must be a DNS-1035 label of at most 52 characters")
        .optional_old_self(true),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(
        name = "Image",
        type_ = "string",
        json_path = ".status.currentImage",
        description = "The image that seid was last seen running"
    ),
    printcolumn(
        name = "Target",
        type_ = "string",
        json_path = ".spec.image",
        description = "The image that it is to run",
        priority = 1
    ),
    printcolumn(
        name = "Stalled",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Stalled\")].status",
        description = "Whether it makes no progress without help",
        priority = 1
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        description = "Why it is ready, or is not; docs/troubleshooting.md has a section for each",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = rules()))]
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct SeiNodeSpec {
    /// The chain the node belongs to. A label value, immutable.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::DNS_LABEL))]
    pub chain_id: String,
    /// The seid image. An edit rolls a running node.
    #[schemars(length(min = 1, max = 512))]
    pub image: String,
    /// Where peers come from. Replayers need at least one source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<PeerSource>,
    /// Dotted configuration keys to TOML values, on top of the defaults of the mode.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<String, String>,
    /// Settings of the sidecar container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sidecar: Option<Sidecar>,
    /// Labels of the pod; labels of the system win.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pod_labels: BTreeMap<String, String>,
    /// The data volume; absent means a claim made from the defaults of the mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_volume: Option<DataVolume>,
    /// Freeze the node: no plan is made or goes on. Its pod keeps running.
    #[serde(default, skip_serializing_if = "omit::zero")]
    pub paused: bool,
    /// Mode: a full (RPC) node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_node: Option<FullNode>,
    /// Mode: an archive node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<Archive>,
    /// Mode: shadow replay of a chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replayer: Option<Replayer>,
    /// Mode: a validator, signing or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validator: Option<Validator>,
}

absent_is_default!(SeiNodeSpec);

fn rules() -> [Rule; 5] {
    [
        Rule::new(ONE_MODE)
            .message("exactly one of fullNode, archive, replayer, or validator must be set"),
        Rule::new("!has(self.replayer) || (has(self.peers) && self.peers.size() > 0)")
            .message("peers is required when replayer mode is set"),
        Rule::new(SAME_MODE).message("the node mode is immutable"),
        Rule::new("self.chainId == oldSelf.chainId").message("chainId is immutable"),
        Rule::new(IMPORT_STAYS).message("dataVolume.import cannot be removed once set"),
    ]
}

/// Settings of the sidecar container.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sidecar {
    /// The sidecar image; absent or empty means the operator's default.
    #[serde(skip_serializing_if = "omit::blank")]
    pub image: Option<String>,
    /// The port on loopback; absent or zero means 7777. Clients use the proxy on 8443.
    #[serde(
        default,
        deserialize_with = "saturate::optional_int32",
        skip_serializing_if = "omit::none_or_zero"
    )]
    #[schemars(range(min = 1, max = 65535), extend("default" = DEFAULT_SIDECAR_PORT))]
    pub port: Option<i32>,
    /// Compute resources of the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::resource_requirements")]
    pub resources: Option<ResourceRequirements>,
}

/// The data volume of a node.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("!has(oldSelf.__import__) || has(self.__import__)")
    .message("import cannot be unset once configured"))]
#[serde(rename_all = "camelCase")]
pub struct DataVolume {
    /// Adopt an existing claim. It is never changed and never deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<DataVolumeImport>,
    /// What happens to the claim when the node is deleted; absent means Delete, for validators
    /// Retain. An imported claim is never deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when_deleted: Option<WhenDeleted>,
}

/// An existing claim that becomes the data volume.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataVolumeImport {
    /// Name of the PersistentVolumeClaim in the namespace of the node. Immutable.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_LABEL))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("pvcName is immutable"))]
    pub pvc_name: String,
}

open_words! {
    /// What happens to the claim of a deleted node.
    #[derive(Default)]
    WhenDeleted {
        /// It is deleted with the node.
        #[default]
        Delete = "Delete",
        /// It stays, without an owner; a later node of the same name adopts it.
        Retain = "Retain",
    }
}

/// What the controller last saw of a SeiNode.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SeiNodeStatus {
    /// The newest generation that this status speaks about; absent means none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where the node is in its life; absent means not seen yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<NodePhase>,
    /// The image that the running seid container was seen to run; absent means never seen.
    #[serde(skip_serializing_if = "omit::blank")]
    pub current_image: Option<String>,
    /// The image that the running sidecar container was seen to run; absent means never seen.
    #[serde(skip_serializing_if = "omit::blank")]
    pub current_sidecar_image: Option<String>,
    /// The conditions, one per type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// When `phase` last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_transition_time: Option<Time>,
    /// The plan in progress, or the failed one kept as diagnosis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<TaskPlan>,
    /// Peers of all label sources, sorted, without duplicates and without the node itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolved_peers: Vec<String>,
    /// The value of the annotation `sei.io/retry` that was last acted on; absent means none.
    #[serde(skip_serializing_if = "omit::blank")]
    pub last_retry_token: Option<String>,
    /// `host:port` under which peers reach the node. Not written yet.
    #[serde(skip_serializing_if = "omit::blank")]
    pub external_address: Option<String>,
}

open_words! {
    /// Where a node is in its life.
    NodePhase {
        /// Not used for nodes; the word is part of the API.
        Pending = "Pending",
        /// The first plan is stored.
        Initializing = "Initializing",
        /// The first plan completed.
        Running = "Running",
        /// The first plan failed.
        Failed = "Failed",
        /// The object is being deleted.
        Terminating = "Terminating",
    }
}
