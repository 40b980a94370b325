//! What surrounds the sidecars: buckets, peers, the chain; and what one sidecar is told about it.

use std::collections::BTreeSet;

/// Everything outside of the sidecars that their tasks depend on; shared by all of them.
///
/// Generous by default: everything that is asked for is there.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Objects of the genesis bucket, by key, e.g. `loadnet-1/genesis.json`.
    pub genesis_objects: Available<String>,
    /// Heights of the chain's published snapshots.
    pub snapshots: Available<i64>,
    /// Hosts whose node answers when it is asked for its id.
    pub answering_hosts: Available<String>,
    /// Regions in which instances are found by tag.
    pub ec2_regions: Available<String>,
    /// The chain's height; absent means that every height has been reached.
    pub height: Option<i64>,
}

/// What there is of something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Available<T> {
    /// Whatever is asked for.
    #[default]
    Everything,
    /// Only these.
    Only(BTreeSet<T>),
}

/// What a sidecar's environment tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SidecarEnv {
    /// The chain. Absent in the simulator means: whatever chain a task speaks of.
    pub chain_id: Option<String>,
    /// Where `seid` lives on the disk.
    pub home: String,
    /// The bucket of genesis artifacts.
    pub genesis_bucket: String,
    /// The bucket of snapshots.
    pub snapshot_bucket: String,
    /// The keys that can sign.
    pub keyring: Keyring,
}

/// The sidecar's keyring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Keyring {
    /// Holds whatever key is asked for.
    #[default]
    AnyKey,
    /// Is not configured.
    Absent,
    /// Holds these keys.
    Only(BTreeSet<String>),
}

impl<T: Ord> Available<T> {
    /// Exactly these.
    pub fn only(items: impl IntoIterator<Item = T>) -> Self {
        Self::Only(items.into_iter().collect())
    }

    /// Whether it is there.
    pub fn has<Q: Ord + ?Sized>(&self, item: &Q) -> bool
    where
        T: std::borrow::Borrow<Q>,
    {
        match self {
            Self::Everything => true,
            Self::Only(items) => items.contains(item),
        }
    }

    /// Adds one.
    pub fn put(&mut self, item: T) {
        match self {
            Self::Everything => {}
            Self::Only(items) => {
                items.insert(item);
            }
        }
    }
}

impl SidecarEnv {
    pub(crate) fn chain(&self) -> &str {
        self.chain_id.as_deref().unwrap_or("any-chain")
    }
}

impl Default for SidecarEnv {
    fn default() -> Self {
        Self {
            chain_id: None,
            home: "/.sei".to_owned(),
            genesis_bucket: "sim-genesis".to_owned(),
            snapshot_bucket: "sim-snapshots".to_owned(),
            keyring: Keyring::AnyKey,
        }
    }
}
