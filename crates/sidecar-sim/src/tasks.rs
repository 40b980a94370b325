//! What tasks do to a node's disk and to the world, one small model per family.
//!
//! A model keeps just enough to fail for the real reasons with the real texts: a task that needs
//! peers fails without peers. Files, chains and signatures are not modelled.

mod ceremony;
mod chain;
mod config;
mod genesis;
mod peers;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet};

use sei_sidecar_api::Params;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    engine::{TaskRow, Verdict},
    world::{SidecarEnv, World},
};

/// What a node's disk holds, as far as tasks care; lives as long as the volume.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Disk {
    /// Tasks that have left their marker: they succeed at once, whatever their params.
    pub(crate) markers: BTreeSet<String>,
    /// Whether the node key exists; an init container makes one, so it does unless a test says no.
    pub(crate) no_node_key: bool,
    /// What `config-apply` wrote last.
    pub(crate) config: Option<AppliedConfig>,
    /// `p2p.persistent-peers` in `config.toml`.
    pub(crate) peers: Vec<String>,
    /// The height of the restored snapshot.
    pub(crate) restored_height: Option<i64>,
    /// The files do not parse.
    pub(crate) corrupt_config: bool,
}

/// What `config-apply` wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppliedConfig {
    pub(crate) mode: String,
    pub(crate) overrides: BTreeMap<String, String>,
}

/// Where a task runs.
pub(crate) struct Site<'a> {
    pub(crate) disk: &'a mut Disk,
    pub(crate) env: &'a SidecarEnv,
    pub(crate) world: &'a mut World,
}

/// How a kind of task behaves.
struct Kind {
    name: &'static str,
    /// Leaves a marker on the disk.
    marker: bool,
    /// Runs until the process stops.
    endless: bool,
    /// What can be told from the params alone; a failure costs no time.
    check: fn(&Params) -> Result<(), String>,
    /// What it does when its time has come.
    run: fn(&Params, &mut Site<'_>) -> Verdict,
}

/// All 19 types that a sidecar serves.
const KINDS: [Kind; 19] = [
    Kind {
        marker: true,
        ..kind("assemble-and-upload-genesis", ceremony::check_assemble, ceremony::assemble)
    },
    kind("await-condition", chain::check_await, chain::await_condition),
    kind("config-apply", config::check_apply, config::apply),
    kind("config-patch", config::check_patch, config::patch),
    kind("config-reload", config::check_reload, config::patch),
    kind("config-validate", nothing_to_check, config::validate),
    Kind { marker: true, ..kind("configure-genesis", nothing_to_check, genesis::configure) },
    Kind {
        marker: true,
        ..kind("configure-state-sync", peers::check_state_sync, peers::state_sync)
    },
    kind("discover-peers", peers::check_discover, peers::discover),
    Kind { marker: true, ..kind("generate-gentx", ceremony::check_gentx, ceremony::gentx) },
    Kind {
        marker: true,
        ..kind("generate-identity", ceremony::check_identity, ceremony::identity)
    },
    kind("gov-software-upgrade", chain::check_gov, chain::gov),
    kind("gov-vote", chain::check_gov, chain::gov),
    kind("mark-ready", nothing_to_check, done),
    kind("result-export", chain::check_export, done),
    kind("set-genesis-peers", nothing_to_check, genesis::set_peers),
    Kind { marker: true, ..kind("snapshot-restore", snapshot::check_restore, snapshot::restore) },
    Kind { endless: true, ..kind("snapshot-upload", nothing_to_check, done) },
    Kind {
        marker: true,
        ..kind("upload-genesis-artifacts", ceremony::check_upload, ceremony::upload)
    },
];

/// Whether a sidecar has a handler for this type.
pub(crate) fn is_known(task_type: &str) -> bool {
    find(task_type).is_some()
}

/// Whether runs of this type end by themselves.
pub(crate) fn is_endless(task_type: &str) -> bool {
    find(task_type).is_some_and(|kind| kind.endless)
}

/// Whether the disk says that this has been done already.
pub(crate) fn has_marker(task_type: &str, disk: &Disk) -> bool {
    disk.markers.contains(task_type)
}

/// What can be told about a run from its params alone.
pub(crate) fn check(row: &TaskRow) -> Result<(), String> {
    find(&row.task_type).map_or(Ok(()), |kind| (kind.check)(&row.params))
}

/// Does the task.
pub(crate) fn run(row: &TaskRow, site: &mut Site<'_>) -> Verdict {
    let Some(kind) = find(&row.task_type) else {
        return Verdict::Failed("no handler registered for task type".to_owned());
    };
    if has_marker(kind.name, site.disk) {
        return Verdict::Done;
    }
    let verdict = (kind.run)(&row.params, site);
    if kind.marker && verdict == Verdict::Done {
        site.disk.markers.insert(kind.name.to_owned());
    }
    verdict
}

const fn kind(
    name: &'static str,
    check: fn(&Params) -> Result<(), String>,
    run: fn(&Params, &mut Site<'_>) -> Verdict,
) -> Kind {
    Kind { name, marker: false, endless: false, check, run }
}

fn find(task_type: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == task_type)
}

fn nothing_to_check(_: &Params) -> Result<(), String> {
    Ok(())
}

fn done(_: &Params, _: &mut Site<'_>) -> Verdict {
    Verdict::Done
}

/// Reads params into a task's own shape; only our spelling is understood.
fn parse<T: DeserializeOwned>(params: &Params) -> Result<T, String> {
    serde_json::from_value(Value::Object(params.clone()))
        .map_err(|error| format!("parsing params: {error}"))
}

/// The text of a failed read from a bucket.
fn no_such_key(task: &str, bucket: &str, key: &str) -> Verdict {
    Verdict::Failed(format!(
        "{task}: S3: object \"{key}\" not found in s3://{bucket} [hint: the snapshot or genesis \
         file may not have been uploaded yet]"
    ))
}

fn verdict(result: Result<(), String>) -> Verdict {
    match result {
        Ok(()) => Verdict::Done,
        Err(text) => Verdict::Failed(text),
    }
}

#[cfg(test)]
mod tests;
