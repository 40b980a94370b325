//! Keys of labels and annotations, finalizers, field managers and reporting components.

/// Label: the SeiNode that an object belongs to. The only selector of its StatefulSet and Service.
pub const NODE: &str = "sei.io/node";

/// Label: the chain of a node, equal to `spec.chainId`.
pub const CHAIN: &str = "sei.io/chain";

/// Label: the role of a node, one of the `ROLE_*` values.
pub const ROLE: &str = "sei.io/role";

/// Label: what a helper object is for. The only value is [`COMPONENT_BOOTSTRAP`].
pub const COMPONENT: &str = "sei.io/component";

/// Label: the SeiNodeDeployment that a child, its pod or a group object belongs to.
pub const NODEDEPLOYMENT: &str = "sei.io/nodedeployment";

/// Label: the decimal ordinal of a child; on child SeiNodes only.
pub const NODEDEPLOYMENT_ORDINAL: &str = "sei.io/nodedeployment-ordinal";

/// Label: the decimal generation that brought the current template hash; in no selector.
pub const REVISION: &str = "sei.io/revision";

/// Annotation: which controller manages a group object, valued [`MANAGED_BY_NODEDEPLOYMENT`].
pub const MANAGED_BY: &str = "sei.io/managed-by";

/// Annotation: any word; a new one asks the controller to try again now what failed or stalled.
pub const RETRY: &str = "sei.io/retry";

/// Value of [`ROLE`] of a full node.
pub const ROLE_NODE: &str = "node";
/// Value of [`ROLE`] of a validator.
pub const ROLE_VALIDATOR: &str = "validator";
/// Value of [`ROLE`] of an archive node.
pub const ROLE_ARCHIVE: &str = "archive";
/// Value of [`ROLE`] of a replayer.
pub const ROLE_REPLAYER: &str = "replayer";

/// Value of [`COMPONENT`] on the bootstrap Job, its pod and its Service.
pub const COMPONENT_BOOTSTRAP: &str = "bootstrap";

/// Value of [`MANAGED_BY`] on the internal Service and the routes of a SeiNodeDeployment.
pub const MANAGED_BY_NODEDEPLOYMENT: &str = "seinodedeployment";

/// Finalizer of a SeiNodeDeployment.
pub const NODEDEPLOYMENT_FINALIZER: &str = "sei.io/seinodedeployment-finalizer";

/// Finalizer of a SeiNode.
pub const NODE_FINALIZER: &str = "sei.io/seinode-finalizer";

/// Field manager of what a SeiNodeDeployment applies.
pub const NODEDEPLOYMENT_FIELD_MANAGER: &str = "seinodedeployment-controller";

/// Field manager of what a SeiNode applies.
pub const NODE_FIELD_MANAGER: &str = "seinode-controller";

/// Field manager of the image patch of a SeiNodeTask.
pub const TASK_FIELD_MANAGER: &str = "seinode-task-controller";

/// Reporting component of events on a SeiNodeDeployment.
pub const NODEDEPLOYMENT_COMPONENT: &str = "seinodedeployment-controller";

/// Reporting component of events on a SeiNode.
pub const NODE_COMPONENT: &str = "seinode-controller";

/// Reporting component of events on a SeiNodeTask.
pub const TASK_COMPONENT: &str = "seinodetask-controller";
