//! The task catalogue: every task that the operator sends, with typed params.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    AssembleGenesis, ConfigIntent, DiscoverPeers, GenerateGentx, GenerateIdentity,
    GovSoftwareUpgrade, GovVote, Params, TaskType, genesis::require,
};

pub(crate) mod stored;

/// A sidecar task with its params.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskSpec {
    /// See [`TaskType::AssembleAndUploadGenesis`].
    AssembleAndUploadGenesis(AssembleGenesis),
    /// See [`TaskType::AwaitCondition`].
    AwaitCondition(AwaitCondition),
    /// See [`TaskType::ConfigApply`].
    ConfigApply(ConfigIntent),
    /// See [`TaskType::ConfigValidate`].
    ConfigValidate,
    /// See [`TaskType::ConfigureGenesis`].
    ConfigureGenesis,
    /// See [`TaskType::ConfigureStateSync`].
    ConfigureStateSync(ConfigureStateSync),
    /// See [`TaskType::DiscoverPeers`].
    DiscoverPeers(DiscoverPeers),
    /// See [`TaskType::GenerateGentx`].
    GenerateGentx(GenerateGentx),
    /// See [`TaskType::GenerateIdentity`].
    GenerateIdentity(GenerateIdentity),
    /// See [`TaskType::GovSoftwareUpgrade`].
    GovSoftwareUpgrade(GovSoftwareUpgrade),
    /// See [`TaskType::GovVote`].
    GovVote(GovVote),
    /// See [`TaskType::MarkReady`].
    MarkReady,
    /// See [`TaskType::SetGenesisPeers`].
    SetGenesisPeers,
    /// See [`TaskType::SnapshotRestore`].
    SnapshotRestore {
        /// Take the highest snapshot at or below this height; 0 takes the newest.
        target_height: i64,
    },
    /// See [`TaskType::SnapshotUpload`].
    SnapshotUpload,
    /// See [`TaskType::UploadGenesisArtifacts`].
    UploadGenesisArtifacts {
        /// The SeiNode's name: where in the bucket the artifacts go.
        node_name: String,
    },
}

/// Params of `await-condition`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwaitCondition {
    /// What to wait for; there is no time limit.
    pub condition: AwaitedCondition,
    /// What to do then.
    pub action: Option<AwaitAction>,
}

/// What a node can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AwaitedCondition {
    /// Its latest block is at this height or above.
    Height {
        /// From 1.
        target_height: i64,
    },
}

/// What the sidecar does when the condition has come true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AwaitAction {
    /// Stops `seid`: SIGTERM, and SIGKILL after 30 s.
    SigtermSeid,
}

/// Params of `configure-state-sync`; zero values are not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigureStateSync {
    /// Start from the snapshot that `snapshot-restore` put on the disk.
    pub use_local_snapshot: bool,
    /// A Go duration, or empty for the mode's default.
    pub trust_period: String,
    /// Blocks to fetch backwards after the sync.
    pub backfill_blocks: i64,
}

/// Params that cannot be sent, or stored params that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// The sidecar would refuse them.
    #[error("{task_type}: {detail}")]
    Invalid {
        /// The task.
        task_type: TaskType,
        /// What is wrong.
        detail: String,
    },
    /// A stored plan holds something else than this task's params.
    #[error("deserializing {task_type} params: {detail}")]
    Stored {
        /// The task.
        task_type: TaskType,
        /// What is wrong.
        detail: String,
    },
}

impl TaskSpec {
    /// Its type.
    pub fn task_type(&self) -> TaskType {
        match self {
            Self::AssembleAndUploadGenesis(_) => TaskType::AssembleAndUploadGenesis,
            Self::AwaitCondition(_) => TaskType::AwaitCondition,
            Self::ConfigApply(_) => TaskType::ConfigApply,
            Self::ConfigValidate => TaskType::ConfigValidate,
            Self::ConfigureGenesis => TaskType::ConfigureGenesis,
            Self::ConfigureStateSync(_) => TaskType::ConfigureStateSync,
            Self::DiscoverPeers(_) => TaskType::DiscoverPeers,
            Self::GenerateGentx(_) => TaskType::GenerateGentx,
            Self::GenerateIdentity(_) => TaskType::GenerateIdentity,
            Self::GovSoftwareUpgrade(_) => TaskType::GovSoftwareUpgrade,
            Self::GovVote(_) => TaskType::GovVote,
            Self::MarkReady => TaskType::MarkReady,
            Self::SetGenesisPeers => TaskType::SetGenesisPeers,
            Self::SnapshotRestore { .. } => TaskType::SnapshotRestore,
            Self::SnapshotUpload => TaskType::SnapshotUpload,
            Self::UploadGenesisArtifacts { .. } => TaskType::UploadGenesisArtifacts,
        }
    }

    /// Checks the params before they are sent; a failure is final until the spec changes.
    ///
    /// # Errors
    /// [`ParamsError::Invalid`], whose text starts with the task's type.
    pub fn validate(&self) -> Result<(), ParamsError> {
        match self {
            Self::AssembleAndUploadGenesis(params) => params.validate(),
            Self::AwaitCondition(params) => params.validate(),
            Self::ConfigApply(intent) => intent.validate(),
            Self::DiscoverPeers(params) => params.validate(),
            Self::GenerateGentx(params) => params.validate(),
            Self::GenerateIdentity(params) => params.validate(),
            Self::GovSoftwareUpgrade(params) => params.validate(),
            Self::GovVote(params) => params.validate(),
            Self::UploadGenesisArtifacts { node_name } => {
                require(TaskType::UploadGenesisArtifacts, &[("NodeName", node_name)])
            }
            Self::ConfigValidate
            | Self::ConfigureGenesis
            | Self::ConfigureStateSync(_)
            | Self::MarkReady
            | Self::SetGenesisPeers
            | Self::SnapshotRestore { .. }
            | Self::SnapshotUpload => Ok(()),
        }
    }

    /// The params as they go over the wire; `None` when the key is left out.
    pub fn to_params(&self) -> Option<Params> {
        match self {
            Self::AssembleAndUploadGenesis(params) => Some(params.to_params()),
            Self::AwaitCondition(params) => Some(params.to_params()),
            Self::ConfigApply(intent) => Some(intent.to_params()),
            Self::ConfigureStateSync(params) => params.to_params(),
            Self::DiscoverPeers(params) => Some(params.to_params()),
            Self::GenerateGentx(params) => Some(params.to_params()),
            Self::GenerateIdentity(params) => Some(params.to_params()),
            Self::GovSoftwareUpgrade(params) => Some(params.to_params()),
            Self::GovVote(params) => Some(params.to_params()),
            Self::SnapshotRestore { target_height } => (*target_height > 0)
                .then(|| Params::from_iter([("targetHeight".into(), (*target_height).into())])),
            Self::UploadGenesisArtifacts { node_name } => {
                Some(Params::from_iter([("nodeName".into(), node_name.as_str().into())]))
            }
            Self::ConfigValidate
            | Self::ConfigureGenesis
            | Self::MarkReady
            | Self::SetGenesisPeers
            | Self::SnapshotUpload => None,
        }
    }

    /// The params as they are kept in a plan: an object, `{}` when there are none.
    ///
    /// The wire shape, but for `config-apply`, whose zero members are left out.
    pub fn to_stored(&self) -> Value {
        let stored = match self {
            Self::ConfigApply(intent) => Some(intent.to_stored()),
            other => other.to_params(),
        };
        Value::Object(stored.unwrap_or_default())
    }

    /// Reads params from a plan, in our spelling (`chainId`) or any other case (`ChainID`).
    ///
    /// Missing members and `null` count as zero, so that what is missing is told by
    /// [`TaskSpec::validate`] in the words that users know.
    ///
    /// # Errors
    /// [`ParamsError::Stored`] when a member has the wrong JSON type; [`ParamsError::Invalid`]
    /// when a member is a word outside of its closed list.
    pub fn from_stored(task_type: TaskType, params: &Value) -> Result<Self, ParamsError> {
        let value = stored::canonical(params);
        Ok(match task_type {
            TaskType::AssembleAndUploadGenesis => {
                Self::AssembleAndUploadGenesis(stored::read(task_type, value)?)
            }
            TaskType::AwaitCondition => {
                Self::AwaitCondition(AwaitCondition::from_canonical(value)?)
            }
            TaskType::ConfigApply => Self::ConfigApply(ConfigIntent::from_canonical(value)?),
            TaskType::ConfigValidate => Self::ConfigValidate,
            TaskType::ConfigureGenesis => Self::ConfigureGenesis,
            TaskType::ConfigureStateSync => {
                Self::ConfigureStateSync(stored::read(task_type, value)?)
            }
            TaskType::DiscoverPeers => Self::DiscoverPeers(DiscoverPeers::from_canonical(value)?),
            TaskType::GenerateGentx => Self::GenerateGentx(stored::read(task_type, value)?),
            TaskType::GenerateIdentity => Self::GenerateIdentity(stored::read(task_type, value)?),
            TaskType::GovSoftwareUpgrade => {
                Self::GovSoftwareUpgrade(stored::read(task_type, value)?)
            }
            TaskType::GovVote => Self::GovVote(GovVote::from_canonical(value)?),
            TaskType::MarkReady => Self::MarkReady,
            TaskType::SetGenesisPeers => Self::SetGenesisPeers,
            TaskType::SnapshotRestore => {
                let raw: RawRestore = stored::read(task_type, value)?;
                Self::SnapshotRestore { target_height: raw.target_height }
            }
            TaskType::SnapshotUpload => Self::SnapshotUpload,
            TaskType::UploadGenesisArtifacts => {
                let raw: RawArtifacts = stored::read(task_type, value)?;
                Self::UploadGenesisArtifacts { node_name: raw.node_name }
            }
        })
    }
}

impl AwaitCondition {
    fn validate(&self) -> Result<(), ParamsError> {
        match self.condition {
            AwaitedCondition::Height { target_height } if target_height <= 0 => {
                Err(invalid_await("height condition requires TargetHeight > 0"))
            }
            AwaitedCondition::Height { .. } => Ok(()),
        }
    }

    fn to_params(&self) -> Params {
        let AwaitedCondition::Height { target_height } = self.condition;
        let mut params = Params::from_iter([
            ("condition".to_owned(), "height".into()),
            ("targetHeight".to_owned(), target_height.into()),
        ]);
        if let Some(AwaitAction::SigtermSeid) = self.action {
            params.insert("action".to_owned(), "SIGTERM_SEID".into());
        }
        params
    }

    fn from_canonical(value: Value) -> Result<Self, ParamsError> {
        let raw: RawAwait = stored::read(TaskType::AwaitCondition, value)?;
        let condition = match raw.condition.as_str() {
            "height" => AwaitedCondition::Height { target_height: raw.target_height },
            other => return Err(invalid_await(format!("unknown condition \"{other}\""))),
        };
        let action = match raw.action.as_str() {
            "" => None,
            "SIGTERM_SEID" => Some(AwaitAction::SigtermSeid),
            other => return Err(invalid_await(format!("unknown action \"{other}\""))),
        };
        Ok(Self { condition, action })
    }
}

impl ConfigureStateSync {
    fn to_params(&self) -> Option<Params> {
        let mut params = Params::new();
        if self.use_local_snapshot {
            params.insert("useLocalSnapshot".to_owned(), true.into());
        }
        if !self.trust_period.is_empty() {
            params.insert("trustPeriod".to_owned(), self.trust_period.as_str().into());
        }
        if self.backfill_blocks != 0 {
            params.insert("backfillBlocks".to_owned(), self.backfill_blocks.into());
        }
        (!params.is_empty()).then_some(params)
    }
}

impl ParamsError {
    pub(crate) fn invalid(task_type: TaskType, detail: impl Into<String>) -> Self {
        Self::Invalid { task_type, detail: detail.into() }
    }

    pub(crate) fn stored(task_type: TaskType, detail: impl Into<String>) -> Self {
        Self::Stored { task_type, detail: detail.into() }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawAwait {
    condition: String,
    target_height: i64,
    action: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawRestore {
    target_height: i64,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawArtifacts {
    node_name: String,
}

fn invalid_await(text: impl Into<String>) -> ParamsError {
    ParamsError::invalid(TaskType::AwaitCondition, text)
}

#[cfg(test)]
mod tests;
