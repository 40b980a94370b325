//! Tasks against a running chain: waiting for a height, governance, export.

use sei_sidecar_api::Params;
use serde::Deserialize;

use super::{Site, parse, verdict};
use crate::{engine::Verdict, world::Keyring};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Await {
    condition: String,
    target_height: i64,
    action: String,
}

pub(super) fn check_await(params: &Params) -> Result<(), String> {
    let wanted: Await = parse(params)?;
    match (wanted.condition.as_str(), wanted.action.as_str()) {
        ("", _) => Err("condition is required".to_owned()),
        ("height", _) if wanted.target_height <= 0 => {
            Err(format!("targetHeight must be > 0, got {}", wanted.target_height))
        }
        ("height", "" | "SIGTERM_SEID") => Ok(()),
        ("height", action) => Err(format!("unknown action \"{action}\"")),
        (condition, _) => Err(format!("unknown condition \"{condition}\"")),
    }
}

pub(super) fn await_condition(params: &Params, site: &mut Site<'_>) -> Verdict {
    match parse::<Await>(params) {
        Err(text) => Verdict::Failed(text),
        Ok(wanted) if site.world.height.is_none_or(|height| height >= wanted.target_height) => {
            Verdict::Done
        }
        Ok(_) => Verdict::NotYet,
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Governance {
    chain_id: String,
    key_name: String,
    fees: String,
    memo: String,
    gas: u64,
}

pub(super) fn check_gov(params: &Params) -> Result<(), String> {
    let wanted: Governance = parse(params)?;
    if wanted.memo.contains("taskID=") {
        let text = "memo must not contain \"taskID=\" (reserved for engine-supplied task tag)";
        return Err(text.to_owned());
    }
    let amount = wanted.fees.trim_start_matches(|c: char| c.is_ascii_digit());
    if amount == "usei" {
        return Ok(());
    }
    Err(format!("fees \"{}\": denom \"{amount}\" not permitted (only \"usei\")", wanted.fees))
}

pub(super) fn gov(params: &Params, site: &mut Site<'_>) -> Verdict {
    verdict(parse::<Governance>(params).and_then(|wanted| may_sign(&wanted, site)))
}

fn may_sign(wanted: &Governance, site: &Site<'_>) -> Result<(), String> {
    match &site.env.keyring {
        Keyring::AnyKey => {}
        Keyring::Absent => {
            let text = "keyring not configured: set SEI_KEYRING_BACKEND/SEI_KEYRING_PASSPHRASE on \
                        the sidecar";
            return Err(text.to_owned());
        }
        Keyring::Only(keys) if keys.contains(&wanted.key_name) => {}
        Keyring::Only(_) => {
            let key = &wanted.key_name;
            return Err(format!("keyring entry \"{key}\": {key}.info: key not found"));
        }
    }
    match &site.env.chain_id {
        Some(chain) if *chain != wanted.chain_id => Err(format!(
            "chain mismatch: params.chainId=\"{}\" sidecar.SEI_CHAIN_ID=\"{chain}\"",
            wanted.chain_id
        )),
        Some(_) | None => Ok(()),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Export {
    bucket: String,
    region: String,
}

pub(super) fn check_export(params: &Params) -> Result<(), String> {
    let wanted: Export = parse(params)?;
    for (name, text) in [("bucket", &wanted.bucket), ("region", &wanted.region)] {
        if text.is_empty() {
            return Err(format!("result-export: missing required param '{name}'"));
        }
    }
    Ok(())
}
