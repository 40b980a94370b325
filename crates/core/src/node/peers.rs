//! Who is a peer, and in what order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sei_api::SeiNode;
use sei_sidecar_api::{DiscoverPeers, PeerSource};

use crate::node::{name, namespace};

/// SeiNodes by label: what the shell looks up for a node's label sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerQuery {
    /// Where to look.
    pub namespace: String,
    /// Labels that must all match.
    pub selector: BTreeMap<String, String>,
}

/// The look-ups of this node's label sources.
#[must_use]
pub fn queries(node: &SeiNode) -> Vec<PeerQuery> {
    let labels = node.spec.peers.iter().filter_map(|source| source.label.as_ref());
    labels
        .map(|label| PeerQuery {
            namespace: label
                .namespace
                .clone()
                .filter(|it| !it.is_empty())
                .unwrap_or_else(|| namespace(node).to_owned()),
            selector: label.selector.clone(),
        })
        .collect()
}

impl PeerQuery {
    /// Does this node match?
    #[must_use]
    pub fn matches(&self, node: &SeiNode) -> bool {
        let labels = node.metadata.labels.as_ref();
        namespace(node) == self.namespace
            && self
                .selector
                .iter()
                .all(|(key, value)| labels.and_then(|it| it.get(key)).is_some_and(|it| it == value))
    }
}

/// Names of the peers: sorted, without duplicates, without the node itself, without nodes that
/// are being deleted or belong to another chain.
pub(super) fn resolve(node: &SeiNode, found: &[Arc<SeiNode>]) -> Vec<String> {
    let peers: BTreeSet<String> = found
        .iter()
        .filter(|peer| (name(peer), namespace(peer)) != (name(node), namespace(node)))
        .filter(|peer| peer.metadata.deletion_timestamp.is_none())
        .filter(|peer| peer.spec.chain_id == node.spec.chain_id)
        .map(|peer| {
            let (name, namespace) = (name(peer), namespace(peer));
            format!("{name}-0.{name}.{namespace}.svc.cluster.local")
        })
        .collect();
    peers.into_iter().collect()
}

/// The sources of `discover-peers`: one per entry of the spec, in order. Label entries that found
/// nobody are left out; every other label entry carries the whole union.
pub(super) fn discover(node: &SeiNode, resolved: &[String]) -> DiscoverPeers {
    let sources = node.spec.peers.iter().filter_map(|source| {
        if let Some(ec2) = &source.ec2_tags {
            let (region, tags) = (ec2.region.clone(), ec2.tags.clone());
            return Some(PeerSource::Ec2Tags { region, tags });
        }
        if let Some(fixed) = &source.static_ {
            return Some(PeerSource::Static { addresses: fixed.addresses.clone() });
        }
        let found = source.label.is_some() && !resolved.is_empty();
        found.then(|| PeerSource::DnsEndpoints { endpoints: resolved.to_vec() })
    });
    DiscoverPeers { sources: sources.collect() }
}
