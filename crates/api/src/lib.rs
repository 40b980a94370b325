//! The sei.io/v1alpha1 wire types: schema and names, no behaviour.
//!
//! Types read everything a server may hold: unknown fields are ignored, unknown enum words are
//! kept, durations stay text. They write what a Go client of the same API writes: optional
//! fields vanish at their zero value, and a present empty object stays present.

mod absent;
mod crds;
mod deployment;
mod node;
mod omit;
mod plan;
mod saturate;
mod schema;
mod task;
mod words;

pub mod condition;
pub mod event;
pub mod gateway;
pub mod k8s;
pub mod labels;

pub use crds::{crd_document, crds};
pub use deployment::{
    DEFAULT_ACCOUNT_BALANCE, DEFAULT_MIN_READY_SECONDS, DEFAULT_PROGRESS_DEADLINE_SECONDS,
    DEFAULT_REPLICAS, DEFAULT_STAKING_AMOUNT, DeletionPolicy, DeploymentPhase, EndpointNode,
    Endpoints, GenesisAccount, GenesisConfig, GroupNode, InPlace, InternalService,
    InternalServicePorts, LastGood, Networking, NetworkingRoute, NetworkingStatus, OnFailure,
    PerPodService, PerPodServicePorts, Rollout, SeiNodeDeployment, SeiNodeDeploymentSpec,
    SeiNodeDeploymentStatus, SeiNodeTemplate, SeiNodeTemplateMeta, UpdateOrder, UpdateStrategy,
    UpdateStrategyType,
};
pub use node::{
    Archive, DEFAULT_KEY_NAME, DEFAULT_SIDECAR_PORT, DataVolume, DataVolumeImport, Ec2TagsSource,
    FullNode, GenesisCeremony, LabelSource, NodeKey, NodePhase, OperatorKeyring,
    OperatorKeyringSecret, PassphraseSecretRef, PeerSource, Replayer, ResultExport, S3Snapshot,
    SecretKeySource, SeiNode, SeiNodeSpec, SeiNodeStatus, ShadowResult, Sidecar, SigningKey,
    SnapshotGeneration, SnapshotPublish, SnapshotSource, StateSync, StaticSource,
    TendermintSnapshots, Validator, WhenDeleted,
};
pub use plan::{FailedTask, PlanPhase, PlanTarget, PlannedTask, TaskPlan, TaskStatus};
pub use task::{
    AwaitAction, AwaitCondition, AwaitConditionOutputs, AwaitHeight, AwaitNodesAtHeight,
    AwaitNodesAtHeightOutputs, DEFAULT_REQUIRE_PHASE, DEFAULT_REQUIRE_PHASE_TIMEOUT,
    GovSoftwareUpgrade, GovSoftwareUpgradeOutputs, GovVote, GovVoteOutputs, NodeRef, NodeTask,
    NodeTaskKind, NodeTaskOutputs, NodeTaskPhase, NodeTaskTarget, SeiNodeTask, SeiNodeTaskSpec,
    SeiNodeTaskStatus, UpdateNodeImage, UpdateNodeImageOutputs, VoteOption,
};

/// The API group of all kinds.
pub const GROUP: &str = "sei.io";

/// The only served and stored version.
pub const VERSION: &str = "v1alpha1";

/// `GROUP/VERSION`, as it stands in owner references.
pub const API_VERSION: &str = "sei.io/v1alpha1";
