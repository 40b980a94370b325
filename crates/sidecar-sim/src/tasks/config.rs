//! Configuration files: `config-apply`, `config-validate`, `config-patch`, `config-reload`.

use std::collections::BTreeMap;

use sei_sidecar_api::{Params, ValueKind, override_key};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{AppliedConfig, Site, parse};
use crate::engine::Verdict;

const MODES: [&str; 4] = ["validator", "full", "seed", "archive"];

/// Keys whose value must be one of a list; empty is allowed for the last three.
const ENUMERATED: [(&str, &[&str]); 6] = [
    ("storage.pruning", &["default", "nothing", "everything", "custom"]),
    ("logging.format", &["plain", "text", "json"]),
    ("storage.state_commit.write_mode", &WRITE_MODES),
    ("storage.state_store.write_mode", &WRITE_MODES),
    ("storage.state_commit.read_mode", &READ_MODES),
    ("storage.state_store.read_mode", &READ_MODES),
];
const WRITE_MODES: [&str; 5] = ["", "cosmos_only", "dual_write", "split_write", "evm_only"];
const READ_MODES: [&str; 4] = ["", "cosmos_only", "evm_first", "split_read"];

/// Keys that must not be negative although their type allows it.
const NOT_NEGATIVE: [&str; 12] = [
    "mempool.cache_size",
    "mempool.max_tx_bytes",
    "mempool.max_txs_bytes",
    "mempool.size",
    "mempool.ttl_num_blocks",
    "metrics.max_open_connections",
    "network.p2p.recv_rate",
    "network.p2p.send_rate",
    "network.rpc.max_body_bytes",
    "network.rpc.max_header_bytes",
    "network.rpc.max_open_connections",
    "network.rpc.max_subscription_clients",
];

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Intent {
    mode: String,
    incremental: bool,
    overrides: BTreeMap<String, String>,
}

pub(super) fn check_apply(params: &Params) -> Result<(), String> {
    let intent: Intent = parse(params)?;
    if !intent.incremental {
        if intent.mode.is_empty() {
            let text = "config-apply: mode is required for non-incremental config resolution";
            return Err(text.to_owned());
        }
        if !MODES.contains(&intent.mode.as_str()) {
            return Err(format!("config-apply: invalid mode \"{}\"", intent.mode));
        }
    }
    for (name, value) in &intent.overrides {
        let key = override_key(name).ok_or_else(|| {
            format!("config-apply: applying overrides: unknown override key \"{name}\"")
        })?;
        accepts(key.kind, value).map_err(|why| {
            format!(
                "config-apply: applying overrides: applying override \"{name}\"=\"{value}\": {why}"
            )
        })?;
    }
    judge(&intent.overrides)
}

pub(super) fn apply(params: &Params, site: &mut Site<'_>) -> Verdict {
    match parse::<Intent>(params) {
        Ok(intent) => {
            let Intent { mode, overrides, .. } = intent;
            site.disk.config = Some(AppliedConfig { mode, overrides });
            site.disk.peers.clear();
            Verdict::Done
        }
        Err(text) => Verdict::Failed(text),
    }
}

pub(super) fn validate(_: &Params, site: &mut Site<'_>) -> Verdict {
    if site.disk.corrupt_config {
        let text = "config-validate: reading config: toml: line 1: expected key separator";
        return Verdict::Failed(text.to_owned());
    }
    Verdict::Done
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Patch {
    files: Map<String, Value>,
}

pub(super) fn check_patch(params: &Params) -> Result<(), String> {
    let patch: Patch = parse(params)?;
    if patch.files.is_empty() {
        return Err("config-patch: at least one file is required".to_owned());
    }
    Ok(())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reload {
    fields: BTreeMap<String, String>,
}

pub(super) fn check_reload(params: &Params) -> Result<(), String> {
    let reload: Reload = parse(params)?;
    match reload.fields.keys().find(|name| override_key(name).is_none()) {
        Some(name) => Err(format!("config-reload: unknown field \"{name}\"")),
        None => Ok(()),
    }
}

pub(super) fn patch(_: &Params, _: &mut Site<'_>) -> Verdict {
    Verdict::Done
}

/// Whether the sidecar takes the value: it reads integers as far as they go, so `12abc` is 12.
fn accepts(kind: ValueKind, value: &str) -> Result<(), String> {
    match kind {
        ValueKind::I64 | ValueKind::I32 | ValueKind::U64 | ValueKind::U32 | ValueKind::U16 => {
            accepts_integer(kind, value)
        }
        ValueKind::Unsettable => Err("unsupported field type: *bool".to_owned()),
        ValueKind::Text
        | ValueKind::Bool
        | ValueKind::F64
        | ValueKind::Duration
        | ValueKind::List => kind.check(value),
    }
}

fn accepts_integer(kind: ValueKind, value: &str) -> Result<(), String> {
    let text = value.trim_start();
    if text.is_empty() {
        return Err("EOF".to_owned());
    }
    let sign = usize::from(text.starts_with(['-', '+']));
    let digits = text[sign..].find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len() - sign);
    if digits == 0 {
        return Err("expected integer".to_owned());
    }
    let number = &text[..sign + digits];
    kind.check(number).map_err(|_| format!("value {number} overflows"))
}

/// The checks that follow the merge, for the keys that were overridden.
fn judge(overrides: &BTreeMap<String, String>) -> Result<(), String> {
    let findings: Vec<Value> = overrides
        .iter()
        .filter_map(|(name, value)| Some((name, finding(name, value)?)))
        .map(|(name, message)| json!({"severity": "ERROR", "field": name, "message": message}))
        .collect();
    if findings.is_empty() {
        return Ok(());
    }
    Err(format!("config validation failed: {}", Value::Array(findings)))
}

fn finding(name: &str, value: &str) -> Option<String> {
    if let Some((_, allowed)) = ENUMERATED.iter().find(|(key, _)| *key == name) {
        let listed = allowed.contains(&value);
        return (!listed).then(|| format!("invalid value \"{value}\""));
    }
    if NOT_NEGATIVE.contains(&name) {
        return value.trim_start().starts_with('-').then(|| "must be >= 0".to_owned());
    }
    (name == "chain.min_gas_prices" && value.is_empty()).then(|| "must not be empty".to_owned())
}
