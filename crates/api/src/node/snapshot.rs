//! Snapshots a node starts from and snapshots it makes.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{omit, saturate};

/// What a node starts from. Exactly one of `s3` and `stateSync` is set.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(
    validation = Rule::new("has(self.s3) != has(self.stateSync)")
        .message("exactly one of s3 or stateSync must be set"),
    validation = Rule::new(
        "!has(self.bootstrapImage) || self.bootstrapImage == '' || has(self.s3)"
    )
    .message("bootstrapImage requires s3")
)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotSource {
    /// Restore from the platform's snapshot bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3Snapshot>,
    /// Tendermint state sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_sync: Option<StateSync>,
    /// How old a trusted block may be, as a Go duration such as `168h0m0s`.
    #[serde(skip_serializing_if = "omit::blank")]
    #[schemars(length(max = 32))]
    #[x_kube(
        validation = Rule::new("self == '' || self.matches('^([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h))+$')")
            .message("must be a Go duration such as 168h")
    )]
    pub trust_period: Option<String>,
    /// How many blocks to fetch backwards after state sync.
    #[serde(default, skip_serializing_if = "omit::zero")]
    #[schemars(range(min = 0))]
    pub backfill_blocks: i64,
    /// The seid image of the one-shot bootstrap Job. Needs `s3`.
    #[serde(skip_serializing_if = "omit::blank")]
    pub bootstrap_image: Option<String>,
}

/// A restore from the snapshot bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct S3Snapshot {
    /// The height to reach after the restore.
    #[schemars(range(min = 1))]
    pub target_height: i64,
}

/// Tendermint state sync. Presence is the whole setting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct StateSync {}

/// Which snapshots a node makes.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("has(self.tendermint)")
    .message("snapshotGeneration needs tendermint; omit it to disable"))]
#[serde(rename_all = "camelCase")]
pub struct SnapshotGeneration {
    /// Tendermint state-sync snapshots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tendermint: Option<TendermintSnapshots>,
}

/// Tendermint state-sync snapshots.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("!has(self.publish) || self.keepRecent >= 2")
    .message("keepRecent must be at least 2 when publish is set"))]
#[serde(rename_all = "camelCase")]
pub struct TendermintSnapshots {
    /// How many snapshots stay on disk; at least 2 with `publish`.
    #[serde(deserialize_with = "saturate::int32")]
    #[schemars(range(min = 1, max = i32::MAX))]
    pub keep_recent: i32,
    /// Upload the snapshots. Presence is the whole setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish: Option<SnapshotPublish>,
}

/// Upload of snapshots. Presence is the whole setting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SnapshotPublish {}
