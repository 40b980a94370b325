//! SeiNodeDeployment: a fleet of SeiNodes made from one template.

mod status;
mod strategy;

use std::collections::BTreeMap;

use kube::core::Rule;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::absent::absent_is_default;
use crate::node::SeiNodeSpec;
use crate::words::open_words;
use crate::{omit, saturate, schema};

pub use status::{
    DeploymentPhase, EndpointNode, Endpoints, GroupNode, InternalService, InternalServicePorts,
    LastGood, NetworkingRoute, NetworkingStatus, PerPodService, PerPodServicePorts, Rollout,
    SeiNodeDeploymentStatus,
};
pub use strategy::{
    DEFAULT_MIN_READY_SECONDS, InPlace, OnFailure, UpdateOrder, UpdateStrategy, UpdateStrategyType,
};

/// Children of a deployment that does not say how many.
pub const DEFAULT_REPLICAS: i32 = 1;

/// `progressDeadlineSeconds` when absent.
pub const DEFAULT_PROGRESS_DEADLINE_SECONDS: i32 = 600;

/// `genesis.stakingAmount` when absent.
pub const DEFAULT_STAKING_AMOUNT: &str = "10000000usei";

/// `genesis.accountBalance` when absent.
pub const DEFAULT_ACCOUNT_BALANCE: &str =
    "1000000000000000000000usei,1000000000000000000000uusdc,1000000000000000000000uatom";

/// Two replicas with one consensus key sign twice, which the chain punishes for good.
const ONE_SIGNER: &str = "self.replicas == 1 || !has(self.template.spec.validator) || \
     !has(self.template.spec.validator.signingKey)";

/// A node that still proves itself must not count as one that makes no progress. Kubernetes has
/// the same rule for its Deployments; the numbers are the defaults of the two fields.
const DEADLINE: &str = "(has(self.progressDeadlineSeconds) ? self.progressDeadlineSeconds : 600) > \
     (has(self.updateStrategy) && has(self.updateStrategy.inPlace) && \
     has(self.updateStrategy.inPlace.minReadySeconds) ? \
     self.updateStrategy.inPlace.minReadySeconds : 0)";

const ONE_IMPORTER: &str = "self.replicas == 1 || !has(self.template.spec.dataVolume) || \
     !has(self.template.spec.dataVolume.__import__)";

/// On creation only: a name never changes, and a rule on the root runs with every write, also of
/// a status or finalizer. 49 characters leave room for the ordinal of a child.
const NAME: &str = "oldSelf.hasValue() || (self.metadata.name.size() <= 49 && \
     self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$'))";

/// A fleet of SeiNodes made from one template.
#[derive(CustomResource, Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[kube(
    group = "sei.io",
    version = "v1alpha1",
    kind = "SeiNodeDeployment",
    plural = "seinodedeployments",
    singular = "seinodedeployment",
    shortname = "snd",
    category = "sei",
    namespaced,
    status = "SeiNodeDeploymentStatus",
    doc = "SeiNodeDeployment is a fleet of SeiNodes made from one template.",
    derive = "PartialEq",
    derive = "Default",
    validation = Rule::new(NAME)
        .message("metadata.name must be a DNS-1035 label of at most 49 characters")
        .optional_old_self(true),
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(name = "Ready", type_ = "integer", json_path = ".status.readyReplicas"),
    printcolumn(name = "Replicas", type_ = "integer", json_path = ".status.replicas"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(
        name = "Target",
        type_ = "string",
        json_path = ".status.rollout.targetHash",
        priority = 1
    ),
    printcolumn(
        name = "Updated",
        type_ = "integer",
        json_path = ".status.updatedReplicas",
        description = "Nodes on the template of the spec",
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
    printcolumn(
        name = "Image",
        type_ = "string",
        json_path = ".spec.template.spec.image",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = rules()))]
#[serde(rename_all = "camelCase", remote = "Self")]
#[schemars(transform = schema::require_replicas)]
pub struct SeiNodeDeploymentSpec {
    /// How many children, named `<name>-0` to `<name>-(n-1)`.
    #[serde(default = "default_replicas", deserialize_with = "saturate::int32")]
    #[schemars(range(min = 1, max = 100))]
    pub replicas: i32,
    /// What the children are made from.
    pub template: SeiNodeTemplate,
    /// What happens to the children when the deployment is deleted; absent means Delete.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Delete"))]
    pub deletion_policy: Option<DeletionPolicy>,
    /// Found a new chain with the children as its validators. Immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genesis: Option<GenesisConfig>,
    /// Publish the fleet outside the cluster. Presence is the whole setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub networking: Option<Networking>,
    /// How a template change reaches the children; absent means in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_strategy: Option<UpdateStrategy>,
    /// How long a rollout may make no progress, in seconds, before it counts as stalled; absent
    /// means 600. The clock starts anew with each node that advances, and stands still while the
    /// fleet is paused or its remaining nodes are held by the partition.
    #[serde(
        default,
        deserialize_with = "saturate::optional_int32",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(range(min = 1, max = 2147483647))]
    pub progress_deadline_seconds: Option<i32>,
    /// Freeze the fleet: no plan goes on, nothing of the template reaches a child, no child is
    /// created or deleted. Pods keep running.
    #[serde(default, skip_serializing_if = "omit::zero")]
    pub paused: bool,
}

absent_is_default!(SeiNodeDeploymentSpec);

fn rules() -> [Rule; 6] {
    [
        Rule::new("!has(self.genesis) || has(self.template.spec.validator)").message(
            "genesis is meaningful only for validator-role deployments (full nodes inherit genesis \
         from the validator ceremony's S3 artifact); remove spec.genesis or set \
         template.spec.validator: {}",
        ),
        Rule::new("has(self.genesis) == has(oldSelf.genesis)")
            .message("spec.genesis cannot be added or removed after creation"),
        Rule::new("!has(self.genesis) || self.genesis.chainId == self.template.spec.chainId")
            .message("spec.genesis.chainId must equal spec.template.spec.chainId"),
        Rule::new(ONE_SIGNER).message("validator.signingKey requires replicas: 1"),
        Rule::new(ONE_IMPORTER).message("dataVolume.import requires replicas: 1"),
        Rule::new(DEADLINE).message(
            "progressDeadlineSeconds must be greater than updateStrategy.inPlace.minReadySeconds",
        ),
    ]
}

/// What the children are made from.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SeiNodeTemplate {
    /// Labels and annotations of the children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<SeiNodeTemplateMeta>,
    /// The spec of the children.
    pub spec: SeiNodeSpec,
}

/// Labels and annotations of the children.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SeiNodeTemplateMeta {
    /// Labels of the children and of their pods.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations of the children.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A genesis ceremony: the children found a new chain.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("self == oldSelf")
    .message("spec.genesis is immutable after creation"))]
#[serde(rename_all = "camelCase")]
pub struct GenesisConfig {
    /// The chain to found; equal to the template's.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::DNS_LABEL))]
    pub chain_id: String,
    /// Self-delegation of each validator's gentx, in coin notation.
    #[serde(skip_serializing_if = "omit::blank")]
    #[schemars(extend("default" = DEFAULT_STAKING_AMOUNT))]
    pub staking_amount: Option<String>,
    /// Funds of each validator's genesis account, in coin notation.
    #[serde(skip_serializing_if = "omit::blank")]
    #[schemars(extend("default" = DEFAULT_ACCOUNT_BALANCE))]
    pub account_balance: Option<String>,
    /// Further genesis accounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<GenesisAccount>,
    /// Dotted keys to JSON values, merged over the genesis defaults.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::any_json_values")]
    pub overrides: BTreeMap<String, serde_json::Value>,
    /// How long the ceremony may take, as a Go duration such as `15m`. Not read yet.
    #[serde(skip_serializing_if = "omit::blank")]
    #[schemars(length(max = 32))]
    #[x_kube(
        validation = Rule::new("self.matches('^([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h))+$')")
            .message("must be a Go duration such as 15m")
    )]
    pub max_ceremony_duration: Option<String>,
}

/// An account that exists from genesis on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GenesisAccount {
    /// The bech32 address.
    #[schemars(length(min = 1))]
    pub address: String,
    /// The funds, in coin notation.
    #[schemars(length(min = 1))]
    pub balance: String,
}

/// Publication outside the cluster. Presence is the whole setting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Networking {}

open_words! {
    /// What happens to the children of a deleted deployment.
    #[derive(Default)]
    DeletionPolicy {
        /// They are deleted with it.
        #[default]
        Delete = "Delete",
        /// They stay, without an owner.
        Retain = "Retain",
    }
}

impl Default for SeiNodeDeploymentSpec {
    fn default() -> Self {
        Self {
            replicas: DEFAULT_REPLICAS,
            template: SeiNodeTemplate::default(),
            deletion_policy: None,
            genesis: None,
            networking: None,
            update_strategy: None,
            progress_deadline_seconds: None,
            paused: false,
        }
    }
}

fn default_replicas() -> i32 {
    DEFAULT_REPLICAS
}
