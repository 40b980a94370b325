//! Reading a chain's genesis: `configure-genesis`, `set-genesis-peers`.

use sei_sidecar_api::Params;

use super::{Site, no_such_key};
use crate::engine::Verdict;

/// Chains whose genesis file comes with the sidecar.
const EMBEDDED: [&str; 3] = ["pacific-1", "atlantic-2", "arctic-1"];

pub(super) fn configure(_: &Params, site: &mut Site<'_>) -> Verdict {
    let chain = site.env.chain();
    if EMBEDDED.contains(&chain) {
        return Verdict::Done;
    }
    let key = format!("{chain}/genesis.json");
    if site.world.genesis_objects.has(&key) {
        Verdict::Done
    } else {
        no_such_key("configure-genesis", &site.env.genesis_bucket, &key)
    }
}

pub(super) fn set_peers(_: &Params, site: &mut Site<'_>) -> Verdict {
    let key = format!("{}/peers.json", site.env.chain());
    if !site.world.genesis_objects.has(&key) {
        return no_such_key("set-genesis-peers", &site.env.genesis_bucket, &key);
    }
    if site.disk.no_node_key {
        let text = format!("set-genesis-peers: reading node_key.json: {}", missing(site));
        return Verdict::Failed(text);
    }
    site.disk.peers = vec!["genesis-peers".to_owned()];
    Verdict::Done
}

fn missing(site: &Site<'_>) -> String {
    format!("open {}/config/node_key.json: no such file or directory", site.env.home)
}
