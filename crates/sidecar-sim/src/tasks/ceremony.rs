//! Starting a chain: `generate-identity`, `generate-gentx`, the artifacts, and their assembly.

use sei_sidecar_api::Params;
use serde::Deserialize;

use super::{Site, no_such_key, parse};
use crate::engine::Verdict;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Ceremony {
    chain_id: String,
    moniker: String,
    staking_amount: String,
    account_balance: String,
    node_name: String,
    namespace: String,
    nodes: Vec<Node>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Node {
    name: String,
}

pub(super) fn check_identity(params: &Params) -> Result<(), String> {
    let wanted: Ceremony = parse(params)?;
    require("generate-identity", &[("chainId", &wanted.chain_id), ("moniker", &wanted.moniker)])
}

pub(super) fn identity(_: &Params, site: &mut Site<'_>) -> Verdict {
    site.disk.no_node_key = false;
    Verdict::Done
}

pub(super) fn check_gentx(params: &Params) -> Result<(), String> {
    let wanted: Ceremony = parse(params)?;
    let fields = [
        ("chainId", &wanted.chain_id),
        ("stakingAmount", &wanted.staking_amount),
        ("accountBalance", &wanted.account_balance),
    ];
    require("generate-gentx", &fields)
}

pub(super) fn gentx(_: &Params, site: &mut Site<'_>) -> Verdict {
    if site.disk.no_node_key {
        let text = "generate-gentx: reading node_key.json: no such file or directory";
        return Verdict::Failed(text.to_owned());
    }
    Verdict::Done
}

pub(super) fn check_upload(params: &Params) -> Result<(), String> {
    let wanted: Ceremony = parse(params)?;
    require("upload-genesis-artifacts", &[("nodeName", &wanted.node_name)])
}

pub(super) fn upload(params: &Params, site: &mut Site<'_>) -> Verdict {
    let node = match parse::<Ceremony>(params) {
        Ok(wanted) => wanted.node_name,
        Err(text) => return Verdict::Failed(text),
    };
    if !site.disk.markers.contains("generate-gentx") {
        let text = format!(
            "upload-genesis-artifacts: no gentx JSON file found in {}/config/gentx",
            site.env.home
        );
        return Verdict::Failed(text);
    }
    for artifact in ["gentx.json", "identity.json"] {
        site.world.genesis_objects.put(format!("{}/{node}/{artifact}", site.env.chain()));
    }
    Verdict::Done
}

pub(super) fn check_assemble(params: &Params) -> Result<(), String> {
    let wanted: Ceremony = parse(params)?;
    let fields = [("accountBalance", &wanted.account_balance), ("namespace", &wanted.namespace)];
    require("assemble-and-upload-genesis", &fields)?;
    if wanted.nodes.is_empty() {
        return Err("assemble-and-upload-genesis: missing required param 'nodes'".to_owned());
    }
    Ok(())
}

pub(super) fn assemble(params: &Params, site: &mut Site<'_>) -> Verdict {
    const TASK: &str = "assemble-and-upload-genesis";
    let nodes = match parse::<Ceremony>(params) {
        Ok(wanted) => wanted.nodes,
        Err(text) => return Verdict::Failed(text),
    };
    let chain = site.env.chain();
    for artifact in ["gentx.json", "identity.json"] {
        for node in &nodes {
            let key = format!("{chain}/{}/{artifact}", node.name);
            if !site.world.genesis_objects.has(&key) {
                return no_such_key(TASK, &site.env.genesis_bucket, &key);
            }
        }
    }
    for result in ["genesis.json", "peers.json"] {
        site.world.genesis_objects.put(format!("{chain}/{result}"));
    }
    Verdict::Done
}

fn require(task: &str, fields: &[(&str, &String)]) -> Result<(), String> {
    match fields.iter().find(|(_, text)| text.is_empty()) {
        Some((field, _)) => Err(format!("{task}: missing required param '{field}'")),
        None => Ok(()),
    }
}
