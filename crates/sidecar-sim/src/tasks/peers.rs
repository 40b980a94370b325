//! Peers and what needs them: `discover-peers`, `configure-state-sync`.

use sei_sidecar_api::Params;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Site, parse, verdict};
use crate::engine::Verdict;

const P2P_PORT: u16 = 26656;

#[derive(Deserialize)]
struct Discover {
    sources: Option<Vec<Source>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    r#type: String,
    region: String,
    tags: Map<String, Value>,
    addresses: Vec<String>,
    endpoints: Vec<String>,
}

pub(super) fn check_discover(params: &Params) -> Result<(), String> {
    let discover: Discover = parse(params)?;
    let sources = discover.sources.filter(|sources| !sources.is_empty());
    let sources = sources.ok_or("discover-peers: missing required param 'sources'")?;
    for (index, source) in sources.iter().enumerate() {
        source.check().map_err(|why| format!("discover-peers: source[{index}]: {why}"))?;
    }
    Ok(())
}

/// The first source without a reachable peer fails the task.
pub(super) fn discover(params: &Params, site: &mut Site<'_>) -> Verdict {
    let sources = match parse::<Discover>(params) {
        Ok(discover) => discover.sources.unwrap_or_default(),
        Err(text) => return Verdict::Failed(text),
    };
    let mut peers: Vec<String> = Vec::new();
    for source in &sources {
        match source.peers(site) {
            Ok(found) => peers.extend(found),
            Err(text) => return Verdict::Failed(text),
        }
    }
    let mut unique = Vec::new();
    for peer in peers {
        if !unique.contains(&peer) {
            unique.push(peer);
        }
    }
    site.disk.peers = unique;
    Verdict::Done
}

impl Source {
    fn check(&self) -> Result<(), String> {
        let missing = |field: &str| Err(format!("{} source requires {field}", self.r#type));
        match self.r#type.as_str() {
            "ec2Tags" if self.region.is_empty() => missing("region"),
            "ec2Tags" if self.tags.is_empty() => missing("tags"),
            "static" if self.addresses.is_empty() => missing("addresses"),
            "dnsEndpoints" if self.endpoints.is_empty() => missing("endpoints"),
            "ec2Tags" | "static" | "dnsEndpoints" => Ok(()),
            other => Err(format!("unknown source type \"{other}\"")),
        }
    }

    fn peers(&self, site: &Site<'_>) -> Result<Vec<String>, String> {
        match self.r#type.as_str() {
            "ec2Tags" if site.world.ec2_regions.has(&self.region) => {
                Ok(vec![format!("instance@{}:{P2P_PORT}", self.region)])
            }
            "ec2Tags" => Err(format!(
                "no reachable peers found via ec2Tags in region {} (0 instances returned, 0 \
                 reachable)",
                self.region
            )),
            "static" => Ok(self.addresses.clone()),
            _ => self.peers_by_name(site),
        }
    }

    fn peers_by_name(&self, site: &Site<'_>) -> Result<Vec<String>, String> {
        let answering = self.endpoints.iter().filter(|host| site.world.answering_hosts.has(*host));
        let peers: Vec<String> = answering.map(|host| format!("node@{host}:{P2P_PORT}")).collect();
        if peers.is_empty() {
            let tried = self.endpoints.len();
            return Err(format!(
                "no reachable peers found via dnsEndpoints ({tried} endpoints tried)"
            ));
        }
        Ok(peers)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StateSync {
    use_local_snapshot: bool,
    trust_period: String,
    backfill_blocks: i64,
}

pub(super) fn check_state_sync(params: &Params) -> Result<(), String> {
    parse::<StateSync>(params).map(|_| ())
}

pub(super) fn state_sync(params: &Params, site: &mut Site<'_>) -> Verdict {
    verdict(parse::<StateSync>(params).and_then(|wanted| sync_source(&wanted, site)))
}

fn sync_source(wanted: &StateSync, site: &Site<'_>) -> Result<(), String> {
    if site.disk.peers.is_empty() {
        return Err("configure-state-sync: no peers in config.toml".to_owned());
    }
    if wanted.use_local_snapshot && site.disk.restored_height.is_none() {
        let directory = format!("{}/data/snapshots", site.env.home);
        return Err(format!(
            "configure-state-sync: discovering local snapshot height: no snapshot found in \
             {directory}"
        ));
    }
    Ok(())
}
