//! The platform that nodes run on: the operator's settings, checked once and whole.
//!
//! Where the raw values come from is the shell's business; here they arrive as a lookup by name.
//! `SEI_STORAGE_CLASS_DEFAULT` and `SEI_RESULT_EXPORT_{BUCKET,REGION,PREFIX}` may be set, but
//! nothing reads them.

use std::fmt;

use crate::quantity::Nanos;

pub mod fixture;

/// Settings that shape what nodes run on. Every text is trimmed and not empty, every quantity is
/// one that the API server accepts and greater than zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// Node pool of every mode but archive; also the value of their toleration.
    pub nodepool: String,
    /// Node pool of archive nodes; also the value of their toleration.
    pub nodepool_archive: String,
    /// Key of the taint that the node pools carry.
    pub toleration_key: String,
    /// ServiceAccount of node pods. It exists in each namespace that has nodes; the operator does
    /// not create it.
    pub service_account: String,
    /// Data volumes and requests of every mode but archive.
    pub default: Capacity,
    /// Data volumes and requests of archive nodes.
    pub archive: Capacity,
    /// Where snapshots are restored from and uploaded to.
    pub snapshot: Bucket,
    /// Where genesis artifacts are.
    pub genesis: Bucket,
    /// The gateway that public routes attach to.
    pub gateway: Gateway,
    /// Images that the operator adds to each pod.
    pub images: Images,
}

/// What one node of a class asks of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// StorageClass of the data volume.
    pub storage_class: String,
    /// Size of the data volume, a quantity.
    pub storage_size: String,
    /// CPU request of `seid`, a quantity.
    pub cpu: String,
    /// Memory request of `seid`, a quantity.
    pub memory: String,
}

/// An object-store bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
}

/// The gateway that public routes attach to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Domain of every route.
    pub domain: String,
    /// Second domain of every route, which carries the fleet's namespace too.
    pub public_domain: Option<String>,
}

/// Images that the operator adds to each pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// The sidecar, where the node names none.
    pub sidecar: String,
    /// The proxy in front of the sidecar.
    pub rbac_proxy: String,
    /// The metrics exporter beside `seid`.
    pub exporter: String,
}

/// Everything that is wrong with the settings, in the order of [`Platform::parse`]. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformFaults(Vec<PlatformFault>);

/// One setting that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlatformFault {
    /// Absent, empty or blank.
    #[error("{name} is required")]
    Missing {
        /// The environment variable.
        name: &'static str,
    },
    /// Not a quantity, or not more than zero.
    #[error("{name} must be a quantity greater than zero, such as {example}: \"{value}\"")]
    NotAQuantity {
        /// The environment variable.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it could hold.
        example: &'static str,
    },
}

impl Platform {
    /// Checks the settings that `lookup` knows by the name of their environment variable.
    ///
    /// # Errors
    ///
    /// Every setting that is missing or wrong, always in the same order: scheduling, storage,
    /// requests, buckets, gateway, images.
    pub fn parse(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, PlatformFaults> {
        let mut read = Reader { lookup, faults: Vec::new() };
        let nodepool = read.text("SEI_NODEPOOL_NAME");
        let nodepool_archive = read.text("SEI_NODEPOOL_ARCHIVE");
        let toleration_key = read.text("SEI_TOLERATION_KEY");
        let service_account = read.text("SEI_SERVICE_ACCOUNT");
        let storage_class = read.text("SEI_STORAGE_CLASS_PERF");
        let storage_class_archive = read.text("SEI_STORAGE_CLASS_ARCHIVE");
        let storage_size = read.quantity("SEI_STORAGE_SIZE_DEFAULT", "2000Gi");
        let storage_size_archive = read.quantity("SEI_STORAGE_SIZE_ARCHIVE", "40Ti");
        let archive = Capacity {
            storage_class: storage_class_archive,
            storage_size: storage_size_archive,
            cpu: read.quantity("SEI_RESOURCE_CPU_ARCHIVE", "48"),
            memory: read.quantity("SEI_RESOURCE_MEM_ARCHIVE", "448Gi"),
        };
        let default = Capacity {
            storage_class,
            storage_size,
            cpu: read.quantity("SEI_RESOURCE_CPU_DEFAULT", "4"),
            memory: read.quantity("SEI_RESOURCE_MEM_DEFAULT", "32Gi"),
        };
        let platform = Self {
            nodepool,
            nodepool_archive,
            toleration_key,
            service_account,
            default,
            archive,
            snapshot: read.bucket("SEI_SNAPSHOT_BUCKET", "SEI_SNAPSHOT_REGION"),
            genesis: read.bucket("SEI_GENESIS_BUCKET", "SEI_GENESIS_REGION"),
            gateway: read.gateway(),
            images: read.images(),
        };
        if read.faults.is_empty() { Ok(platform) } else { Err(PlatformFaults(read.faults)) }
    }
}

impl PlatformFaults {
    /// Each fault, in order.
    pub fn iter(&self) -> impl Iterator<Item = &PlatformFault> {
        self.0.iter()
    }
}

impl fmt::Display for PlatformFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for PlatformFaults {}

/// Reads settings one by one and remembers what is wrong with them.
struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<PlatformFault>,
}

impl Reader<'_> {
    fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn text(&mut self, name: &'static str) -> String {
        let value = self.optional(name);
        if value.is_none() {
            self.faults.push(PlatformFault::Missing { name });
        }
        value.unwrap_or_default()
    }

    fn quantity(&mut self, name: &'static str, example: &'static str) -> String {
        let value = self.text(name);
        if !value.is_empty() && !Nanos::parse(&value).is_some_and(Nanos::is_positive) {
            self.faults.push(PlatformFault::NotAQuantity { name, value: value.clone(), example });
        }
        value
    }

    fn bucket(&mut self, name: &'static str, region: &'static str) -> Bucket {
        Bucket { name: self.text(name), region: self.text(region) }
    }

    fn gateway(&mut self) -> Gateway {
        Gateway {
            name: self.text("SEI_GATEWAY_NAME"),
            namespace: self.text("SEI_GATEWAY_NAMESPACE"),
            domain: self.text("SEI_GATEWAY_DOMAIN"),
            public_domain: self.optional("SEI_GATEWAY_PUBLIC_DOMAIN"),
        }
    }

    fn images(&mut self) -> Images {
        Images {
            sidecar: self.text("SEI_SIDECAR_IMAGE"),
            rbac_proxy: self.text("SEI_KUBE_RBAC_PROXY_IMAGE"),
            exporter: self.text("SEI_COSMOS_EXPORTER_IMAGE"),
        }
    }
}

#[cfg(test)]
mod tests;
