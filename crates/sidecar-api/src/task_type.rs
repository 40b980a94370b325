//! The closed list of tasks that the operator may send.

use std::{fmt, str::FromStr};

/// A sidecar task's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskType {
    /// Fetches all gentxs, builds the genesis file and publishes it; runs on one node per fleet.
    AssembleAndUploadGenesis,
    /// Waits until the chain reaches a height, then may stop `seid`.
    AwaitCondition,
    /// Writes `config.toml` and `app.toml` from an intent.
    ConfigApply,
    /// Reads both files back and judges them.
    ConfigValidate,
    /// Puts the chain's genesis file in place.
    ConfigureGenesis,
    /// Sets up state sync from the peers that are already configured.
    ConfigureStateSync,
    /// Resolves peer sources and writes the persistent peers.
    DiscoverPeers,
    /// Creates and signs the validator's genesis transaction.
    GenerateGentx,
    /// Creates the node's keys.
    GenerateIdentity,
    /// Sends a software-upgrade proposal; never safe to repeat.
    GovSoftwareUpgrade,
    /// Votes on a proposal.
    GovVote,
    /// Opens the gate in front of `seid`.
    MarkReady,
    /// Writes the persistent peers of a genesis fleet.
    SetGenesisPeers,
    /// Downloads a snapshot.
    SnapshotRestore,
    /// Uploads snapshots for as long as the sidecar runs.
    SnapshotUpload,
    /// Publishes this validator's genesis transaction and identity.
    UploadGenesisArtifacts,
}

impl TaskType {
    /// All of them, in alphabetical order of the wire string.
    pub const ALL: [Self; 16] = [
        Self::AssembleAndUploadGenesis,
        Self::AwaitCondition,
        Self::ConfigApply,
        Self::ConfigValidate,
        Self::ConfigureGenesis,
        Self::ConfigureStateSync,
        Self::DiscoverPeers,
        Self::GenerateGentx,
        Self::GenerateIdentity,
        Self::GovSoftwareUpgrade,
        Self::GovVote,
        Self::MarkReady,
        Self::SetGenesisPeers,
        Self::SnapshotRestore,
        Self::SnapshotUpload,
        Self::UploadGenesisArtifacts,
    ];

    /// The word on the wire and in stored plans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AssembleAndUploadGenesis => "assemble-and-upload-genesis",
            Self::AwaitCondition => "await-condition",
            Self::ConfigApply => "config-apply",
            Self::ConfigValidate => "config-validate",
            Self::ConfigureGenesis => "configure-genesis",
            Self::ConfigureStateSync => "configure-state-sync",
            Self::DiscoverPeers => "discover-peers",
            Self::GenerateGentx => "generate-gentx",
            Self::GenerateIdentity => "generate-identity",
            Self::GovSoftwareUpgrade => "gov-software-upgrade",
            Self::GovVote => "gov-vote",
            Self::MarkReady => "mark-ready",
            Self::SetGenesisPeers => "set-genesis-peers",
            Self::SnapshotRestore => "snapshot-restore",
            Self::SnapshotUpload => "snapshot-upload",
            Self::UploadGenesisArtifacts => "upload-genesis-artifacts",
        }
    }
}

/// The string names no task that the operator sends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown task type \"{0}\"")]
pub struct UnknownTaskType(pub String);

impl FromStr for TaskType {
    type Err = UnknownTaskType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|task_type| task_type.as_str() == text)
            .ok_or_else(|| UnknownTaskType(text.to_owned()))
    }
}

impl fmt::Display for TaskType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl serde::Serialize for TaskType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for TaskType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wire_string_reads_back_and_the_list_is_sorted() {
        for task_type in TaskType::ALL {
            assert_eq!(task_type.as_str().parse(), Ok(task_type));
        }
        assert!(TaskType::ALL.is_sorted_by_key(|task_type| task_type.as_str()));
        assert!("config-patch".parse::<TaskType>().is_err());
    }
}
