//! The tasks of plans as closed lists: what a stored type and its params mean.

use sei_sidecar_api::{TaskSpec, TaskType};
use serde_json::{Value, json};

use crate::plan::Entry;

/// A task of a node's plan.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "lives for one look at one task")]
pub enum NodeTask {
    /// Create the data volume claim, or find it.
    EnsureDataPvc,
    /// Apply the access rules of the proxy in front of the sidecar.
    ApplyRbacProxyConfig,
    /// Apply the StatefulSet.
    ApplyStatefulset,
    /// Apply the headless Service.
    ApplyService,
    /// Delete pods of other revisions and wait until they are gone.
    ReplacePod,
    /// Wait until the target was seen running.
    ObserveImage,
    /// Work that the node's sidecar does.
    Sidecar(TaskSpec),
}

/// A task of a fleet's plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupTask {
    /// Bring every wanted child's spec to the target.
    UpdateNodeSpecs,
    /// Wait until every wanted child runs the target.
    AwaitSpecUpdate,
}

/// A stored task that this version cannot carry out; the text is shown to people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No such type, or one that is not built yet.
    #[error("unknown task type \"{0}\"")]
    Type(String),
    /// The params do not fit the type.
    #[error("{0}")]
    Params(String),
}

/// Attempts of tasks that wait for somebody else's upload: about 90 minutes of back-off.
const GENESIS_RETRIES_MAX: u32 = 180;
/// Peers may come up later than we do: about ten minutes of back-off.
const PEERS_RETRIES_MAX: u32 = 20;
/// Kept for compatibility; a pod replacement never reports a failure that counts.
const REPLACE_RETRIES_MAX: u32 = 3;

impl NodeTask {
    /// Reads a stored task.
    ///
    /// # Errors
    /// The type is not one of ours, or the params do not fit it.
    pub fn read(task_type: &str, params: Option<&Value>) -> Result<Self, Unreadable> {
        Ok(match task_type {
            "ensure-data-pvc" => Self::EnsureDataPvc,
            "apply-rbac-proxy-config" => Self::ApplyRbacProxyConfig,
            "apply-statefulset" => Self::ApplyStatefulset,
            "apply-service" => Self::ApplyService,
            "replace-pod" => Self::ReplacePod,
            "observe-image" => Self::ObserveImage,
            _ => {
                let sidecar: TaskType =
                    task_type.parse().map_err(|_| Unreadable::Type(task_type.to_owned()))?;
                let empty = json!({});
                let spec = TaskSpec::from_stored(sidecar, params.unwrap_or(&empty))
                    .map_err(|it| Unreadable::Params(it.to_string()))?;
                Self::Sidecar(spec)
            }
        })
    }

    /// The task type string of the contract.
    #[must_use]
    pub fn task_type(&self) -> &'static str {
        match self {
            Self::EnsureDataPvc => "ensure-data-pvc",
            Self::ApplyRbacProxyConfig => "apply-rbac-proxy-config",
            Self::ApplyStatefulset => "apply-statefulset",
            Self::ApplyService => "apply-service",
            Self::ReplacePod => "replace-pod",
            Self::ObserveImage => "observe-image",
            Self::Sidecar(spec) => spec.task_type().as_str(),
        }
    }

    /// The word of the contract that equals a stored task type; none if this version has none.
    #[must_use]
    pub fn word(task_type: &str) -> Option<&'static str> {
        let ours = [
            Self::EnsureDataPvc,
            Self::ApplyRbacProxyConfig,
            Self::ApplyStatefulset,
            Self::ApplyService,
            Self::ReplacePod,
            Self::ObserveImage,
        ];
        let ours = ours.iter().map(Self::task_type).find(|it| *it == task_type);
        ours.or_else(|| task_type.parse::<TaskType>().ok().map(TaskType::as_str))
    }

    /// How the task is stored in the plan of node `node` in `namespace`.
    #[must_use]
    pub fn entry(&self, node: &str, namespace: &str) -> Entry {
        let params = match self {
            Self::Sidecar(spec) => spec.to_stored(),
            Self::EnsureDataPvc
            | Self::ApplyRbacProxyConfig
            | Self::ApplyStatefulset
            | Self::ApplyService
            | Self::ReplacePod
            | Self::ObserveImage => json!({"nodeName": node, "namespace": namespace}),
        };
        Entry { task_type: self.task_type(), params, retries_max: self.retries_max() }
    }

    fn retries_max(&self) -> u32 {
        match self {
            Self::Sidecar(TaskSpec::ConfigureGenesis) => GENESIS_RETRIES_MAX,
            Self::Sidecar(TaskSpec::DiscoverPeers(_)) => PEERS_RETRIES_MAX,
            Self::ReplacePod => REPLACE_RETRIES_MAX,
            Self::Sidecar(_)
            | Self::EnsureDataPvc
            | Self::ApplyRbacProxyConfig
            | Self::ApplyStatefulset
            | Self::ApplyService
            | Self::ObserveImage => 0,
        }
    }
}

impl GroupTask {
    /// Reads a stored task.
    ///
    /// # Errors
    /// The type is not one of ours.
    pub fn read(task_type: &str) -> Result<Self, Unreadable> {
        match task_type {
            "update-node-specs" => Ok(Self::UpdateNodeSpecs),
            "await-spec-update" => Ok(Self::AwaitSpecUpdate),
            _ => Err(Unreadable::Type(task_type.to_owned())),
        }
    }

    /// The task type string of the contract.
    #[must_use]
    pub fn task_type(self) -> &'static str {
        match self {
            Self::UpdateNodeSpecs => "update-node-specs",
            Self::AwaitSpecUpdate => "await-spec-update",
        }
    }

    /// How the task is stored in the plan of `fleet` in `namespace` over the children `names`.
    #[must_use]
    pub fn entry(self, fleet: &str, namespace: &str, names: &[String]) -> Entry {
        let params = match self {
            Self::UpdateNodeSpecs => {
                json!({"groupName": fleet, "namespace": namespace, "nodeNames": names})
            }
            Self::AwaitSpecUpdate => json!({"namespace": namespace, "nodeNames": names}),
        };
        Entry { task_type: self.task_type(), params, retries_max: 0 }
    }
}
