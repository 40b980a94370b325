//! Where a node's peers come from.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Params, ParamsError, TaskType};

/// Params of `discover-peers`: the sources, asked in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoverPeers {
    /// At least one; the sidecar removes duplicates, keeping the first.
    pub sources: Vec<PeerSource>,
}

/// One place to find peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerSource {
    /// Running EC2 instances that carry all these tags.
    Ec2Tags {
        /// The AWS region.
        region: String,
        /// Tag key to value.
        tags: BTreeMap<String, String>,
    },
    /// Peers written out as `{nodeId}@{host}:{port}`, taken verbatim.
    Static {
        /// The peers.
        addresses: Vec<String>,
    },
    /// Host names whose node is asked for its id; hosts that do not answer are skipped.
    DnsEndpoints {
        /// The host names, without port.
        endpoints: Vec<String>,
    },
}

impl DiscoverPeers {
    pub(crate) fn validate(&self) -> Result<(), ParamsError> {
        if self.sources.is_empty() {
            return Err(invalid("at least one source is required"));
        }
        for (index, source) in self.sources.iter().enumerate() {
            if let Some(field) = source.missing_field() {
                let kind = source.kind();
                let text = format!("source[{index}] {kind} missing required field {field}");
                return Err(invalid(text));
            }
        }
        Ok(())
    }

    pub(crate) fn to_params(&self) -> Params {
        let sources = self.sources.iter().map(PeerSource::to_value).collect();
        Params::from_iter([("sources".to_owned(), Value::Array(sources))])
    }

    pub(crate) fn from_canonical(value: Value) -> Result<Self, ParamsError> {
        let raw: RawDiscoverPeers = crate::spec::stored::read(TaskType::DiscoverPeers, value)?;
        let sources = raw.sources.into_iter().enumerate().map(|(i, source)| source.typed(i));
        Ok(Self { sources: sources.collect::<Result<_, _>>()? })
    }
}

impl PeerSource {
    /// The word on the wire.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ec2Tags { .. } => "ec2Tags",
            Self::Static { .. } => "static",
            Self::DnsEndpoints { .. } => "dnsEndpoints",
        }
    }

    fn missing_field(&self) -> Option<&'static str> {
        match self {
            Self::Ec2Tags { region, .. } if region.is_empty() => Some("Region"),
            Self::Ec2Tags { tags, .. } if tags.is_empty() => Some("Tags"),
            Self::Static { addresses } if addresses.is_empty() => Some("Addresses"),
            Self::DnsEndpoints { endpoints } if endpoints.is_empty() => Some("Endpoints"),
            Self::Ec2Tags { .. } | Self::Static { .. } | Self::DnsEndpoints { .. } => None,
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Ec2Tags { region, tags } => {
                json!({"type": self.kind(), "region": region, "tags": tags})
            }
            Self::Static { addresses } => json!({"type": self.kind(), "addresses": addresses}),
            Self::DnsEndpoints { endpoints } => {
                json!({"type": self.kind(), "endpoints": endpoints})
            }
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawDiscoverPeers {
    sources: Vec<RawSource>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawSource {
    r#type: String,
    region: String,
    tags: BTreeMap<String, String>,
    addresses: Vec<String>,
    endpoints: Vec<String>,
}

impl RawSource {
    fn typed(self, index: usize) -> Result<PeerSource, ParamsError> {
        match self.r#type.as_str() {
            "ec2Tags" => Ok(PeerSource::Ec2Tags { region: self.region, tags: self.tags }),
            "static" => Ok(PeerSource::Static { addresses: self.addresses }),
            "dnsEndpoints" => Ok(PeerSource::DnsEndpoints { endpoints: self.endpoints }),
            other => Err(invalid(format!("source[{index}] unknown type \"{other}\""))),
        }
    }
}

fn invalid(text: impl Into<String>) -> ParamsError {
    ParamsError::invalid(TaskType::DiscoverPeers, text)
}
