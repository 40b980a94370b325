//! What travels: a submitted task, a task's row, a node's id, a sidecar's health.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{TaskSpec, TaskType};

/// The params of a task on the wire.
///
/// The sidecar passes numbers through IEEE doubles: integers above 2^53 lose precision.
pub type Params = serde_json::Map<String, Value>;

/// The body of a submit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskRequest {
    /// The caller's id for this task: the key under which a repeat is recognised.
    pub id: Uuid,
    /// What to do.
    #[serde(rename = "type")]
    pub task_type: TaskType,
    /// With what; the key is left out when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<Params>,
}

/// A task's row as the sidecar shows it.
///
/// Read tolerantly: unknown fields are ignored, `run` defaults to 1, and a time that cannot be
/// read is absent, because no decision hangs on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskResult {
    /// The id it was submitted under.
    pub id: Uuid,
    /// Its type, verbatim: other writers may have submitted types that this crate does not know.
    #[serde(rename = "type", default)]
    pub task_type: String,
    /// Where it stands.
    pub status: TaskStatus,
    /// How often it has been started, from 1.
    #[serde(default = "first_run", deserialize_with = "run_or_first")]
    pub run: u64,
    /// The params of the newest run; absent when there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Params>,
    /// Why it failed; only with [`TaskStatus::Failed`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When its newest run was submitted.
    #[serde(
        default,
        deserialize_with = "time_if_readable",
        skip_serializing_if = "Option::is_none"
    )]
    pub submitted_at: Option<Timestamp>,
    /// When its newest run ended; absent while it runs.
    #[serde(
        default,
        deserialize_with = "time_if_readable",
        skip_serializing_if = "Option::is_none"
    )]
    pub completed_at: Option<Timestamp>,
    /// What it found out; only later sidecars fill it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum TaskStatus {
    /// Accepted and not ended.
    Running,
    /// Ended well; final.
    Completed,
    /// Ended badly; runs again when its id is submitted again.
    Failed,
    /// A word of a later sidecar, kept for the log. Not an end: poll on.
    Unknown(String),
}

/// Whether the gate in front of `seid` is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// A `mark-ready` task has succeeded in this sidecar process (200).
    Ready,
    /// None has, or the sidecar has restarted since (503).
    NotReady,
}

/// The sidecar's own word for its readiness; says the same as [`Health`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum SidecarState {
    /// The gate is closed.
    Initializing,
    /// The gate is open.
    Ready,
    /// A word of a later sidecar.
    Unknown(String),
}

/// A node's p2p identity: never empty, safe to put in front of `@host` in a peer list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct NodeId(String);

/// The text is no node id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("node id is empty or holds other characters than letters and digits")]
pub struct InvalidNodeId;

impl TaskRequest {
    /// The request that submits `spec` under `id`.
    pub fn new(id: Uuid, spec: &TaskSpec) -> Self {
        Self { id, task_type: spec.task_type(), params: spec.to_params() }
    }
}

impl NodeId {
    /// Reads a node id; real ones are 40 lower-case hex digits.
    ///
    /// # Errors
    /// The text is empty or holds anything but ASCII letters and digits.
    pub fn parse(text: &str) -> Result<Self, InvalidNodeId> {
        let sound = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if sound { Ok(Self(text.to_owned())) } else { Err(InvalidNodeId) }
    }

    /// The id as it is written in peer lists.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for TaskStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "running" => Self::Running,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            _ => Self::Unknown(word),
        }
    }
}

impl From<TaskStatus> for String {
    fn from(status: TaskStatus) -> Self {
        match status {
            TaskStatus::Running => "running".into(),
            TaskStatus::Completed => "completed".into(),
            TaskStatus::Failed => "failed".into(),
            TaskStatus::Unknown(word) => word,
        }
    }
}

impl From<String> for SidecarState {
    fn from(word: String) -> Self {
        match word.as_str() {
            "Initializing" => Self::Initializing,
            "Ready" => Self::Ready,
            _ => Self::Unknown(word),
        }
    }
}

impl From<SidecarState> for String {
    fn from(state: SidecarState) -> Self {
        match state {
            SidecarState::Initializing => "Initializing".into(),
            SidecarState::Ready => "Ready".into(),
            SidecarState::Unknown(word) => word,
        }
    }
}

fn first_run() -> u64 {
    1
}

fn run_or_first<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(Option::<u64>::deserialize(deserializer)?.unwrap_or(1).max(1))
}

fn time_if_readable<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_str().and_then(|text| text.parse().ok()))
}

#[cfg(test)]
mod tests;
