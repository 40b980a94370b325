//! Names: which ones a node or a fleet may have, and the names of everything made from them.
//!
//! A name that passed here cannot become too long later: what is derived from it is proven to fit
//! when this crate is compiled.

use std::fmt;

use sei_api::k8s::ResourceExt;
use sei_api::{SeiNode, SeiNodeDeployment};

use crate::render::routes::Protocol;

/// Most bytes of a DNS label: Services, host names, label values.
const LABEL_BYTES_MAX: usize = 63;
/// Most bytes of a DNS name: other objects, fully qualified hosts.
const DOMAIN_BYTES_MAX: usize = 253;
/// What the StatefulSet controller appends for the label `controller-revision-hash`: a hyphen and
/// at most ten characters.
const REVISION_HASH_BYTES: usize = 11;
/// A hyphen and the highest ordinal: a fleet has at most 100 children.
const CHILD_SUFFIX_BYTES_MAX: usize = "-99".len();

const CLAIM_PREFIX: &str = "data-";
const PROXY_CONFIG_SUFFIX: &str = "-rbac-proxy-config";
const POD_SUFFIX: &str = "-0";
const INTERNAL_SUFFIX: &str = "-internal";
const EXTERNAL_SUFFIX: &str = "-external";
/// A hyphen and the longest protocol of a route.
const ROUTE_SUFFIX_BYTES_MAX: usize = "-grpc".len();
const CLUSTER_DOMAIN: &str = "svc.cluster.local";

/// Declares a name: a text of at most `BYTES_MAX` bytes.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $bytes_max:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Most bytes of such a name.
            pub const BYTES_MAX: usize = $bytes_max;

            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

name! {
    /// Name of a SeiNode, of its StatefulSet and of its headless Service.
    ///
    /// 52 is what the revision label of its pods leaves of 63.
    NodeName, 52
}
name! {
    /// Name of a SeiNodeDeployment. 49 is what `-99` leaves of a [`NodeName`].
    FleetName, 49
}
name! {
    /// Chain of a node: a label value.
    ChainId, LABEL_BYTES_MAX
}
name! {
    /// Name of the claim for a node's data.
    ClaimName, DOMAIN_BYTES_MAX
}
name! {
    /// Name of the ConfigMap with the access rules of a node's proxy.
    ConfigMapName, DOMAIN_BYTES_MAX
}
name! {
    /// Name of the only pod of a node; also its host name.
    PodName, LABEL_BYTES_MAX
}
name! {
    /// Name of a Service of a fleet.
    ServiceName, LABEL_BYTES_MAX
}
name! {
    /// Name of a route of a fleet; also the first label of its host names.
    RouteName, LABEL_BYTES_MAX
}

const _: () = {
    assert!(NodeName::BYTES_MAX + REVISION_HASH_BYTES <= LABEL_BYTES_MAX);
    assert!(NodeName::BYTES_MAX + POD_SUFFIX.len() <= PodName::BYTES_MAX);
    assert!(NodeName::BYTES_MAX + CLAIM_PREFIX.len() <= ClaimName::BYTES_MAX);
    assert!(NodeName::BYTES_MAX + PROXY_CONFIG_SUFFIX.len() <= ConfigMapName::BYTES_MAX);
    assert!(FleetName::BYTES_MAX + CHILD_SUFFIX_BYTES_MAX <= NodeName::BYTES_MAX);
    assert!(FleetName::BYTES_MAX + INTERNAL_SUFFIX.len() <= ServiceName::BYTES_MAX);
    assert!(FleetName::BYTES_MAX + EXTERNAL_SUFFIX.len() <= ServiceName::BYTES_MAX);
    assert!(FleetName::BYTES_MAX + ROUTE_SUFFIX_BYTES_MAX <= RouteName::BYTES_MAX);
    let dots = 3;
    let host = PodName::BYTES_MAX + NodeName::BYTES_MAX + LABEL_BYTES_MAX + CLUSTER_DOMAIN.len();
    assert!(host + dots <= DOMAIN_BYTES_MAX);
};

/// Why a text is not the name it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" must be a {form} of at most {bytes_max} characters: {rule}")]
pub struct NameFault {
    text: String,
    form: Form,
    bytes_max: usize,
    rule: Rule,
}

/// The rule that a text breaks; the first one in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// There is no text.
    #[error("it is empty")]
    Empty,
    /// Longer than the limit.
    #[error("it has {0}")]
    TooLong(usize),
    /// Only lower-case letters, digits and hyphens are allowed.
    #[error("it must not contain {0:?}")]
    Contains(char),
    /// A DNS-1035 label starts with a lower-case letter.
    #[error("it must start with a lower-case letter")]
    StartsWithoutLetter,
    /// A DNS-1123 label starts with a lower-case letter or a digit.
    #[error("it must start with a lower-case letter or a digit")]
    StartsWithoutAlphanumeric,
    /// The last character is a hyphen.
    #[error("it must end with a lower-case letter or a digit")]
    EndsWithoutAlphanumeric,
}

/// Which alphabet rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Lower-case letters, digits, hyphens; starts with a letter.
    Dns1035,
    /// The same, but may start with a digit.
    Dns1123,
}

impl NameFault {
    /// The rule that is broken.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns1035 => "DNS-1035 label",
            Self::Dns1123 => "DNS-1123 label",
        })
    }
}

impl NodeName {
    /// Checks the name of a SeiNode.
    ///
    /// # Errors
    ///
    /// The first rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        check(text, Form::Dns1035, Self::BYTES_MAX).map(|()| Self(text.to_owned()))
    }

    /// The name of a stored node, which [`NodeName::parse`] or the server has checked.
    ///
    /// An unchecked one harms nobody: what is made from it, the server refuses.
    #[must_use]
    pub fn of(node: &SeiNode) -> Self {
        Self(node.name_any())
    }

    /// The claim that holds this node's data, where it does not import one.
    #[must_use]
    pub fn claim(&self) -> ClaimName {
        ClaimName(format!("{CLAIM_PREFIX}{self}"))
    }

    /// The ConfigMap with the access rules of this node's proxy.
    #[must_use]
    pub fn proxy_config(&self) -> ConfigMapName {
        ConfigMapName(format!("{self}{PROXY_CONFIG_SUFFIX}"))
    }

    /// This node's only pod.
    #[must_use]
    pub fn pod(&self) -> PodName {
        PodName(format!("{self}{POD_SUFFIX}"))
    }

    /// The host under which the cluster reaches this node's pod.
    #[must_use]
    pub fn host(&self, namespace: &str) -> String {
        format!("{self}{POD_SUFFIX}.{self}.{namespace}.{CLUSTER_DOMAIN}")
    }
}

impl FleetName {
    /// Checks the name of a SeiNodeDeployment.
    ///
    /// # Errors
    ///
    /// The first rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        check(text, Form::Dns1035, Self::BYTES_MAX).map(|()| Self(text.to_owned()))
    }

    /// The name of a stored fleet, which [`FleetName::parse`] or the server has checked.
    ///
    /// An unchecked one harms nobody: what is made from it, the server refuses.
    #[must_use]
    pub fn of(fleet: &SeiNodeDeployment) -> Self {
        Self(fleet.name_any())
    }

    /// The child of this ordinal.
    #[must_use]
    pub fn child(&self, ordinal: i32) -> NodeName {
        NodeName(format!("{self}-{ordinal}"))
    }

    /// The Service that reaches all ready children.
    #[must_use]
    pub fn internal_service(&self) -> ServiceName {
        ServiceName(format!("{self}{INTERNAL_SUFFIX}"))
    }

    /// The Service behind the fleet's routes.
    #[must_use]
    pub fn external_service(&self) -> ServiceName {
        ServiceName(format!("{self}{EXTERNAL_SUFFIX}"))
    }

    /// The route of this protocol.
    #[must_use]
    pub fn route(&self, protocol: Protocol) -> RouteName {
        RouteName(format!("{self}-{}", protocol.as_str()))
    }
}

impl ChainId {
    /// Checks the chain of a node.
    ///
    /// # Errors
    ///
    /// The first rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        check(text, Form::Dns1123, Self::BYTES_MAX).map(|()| Self(text.to_owned()))
    }
}

fn check(text: &str, form: Form, bytes_max: usize) -> Result<(), NameFault> {
    match broken_rule(text, form, bytes_max) {
        Some(rule) => Err(NameFault { text: text.to_owned(), form, bytes_max, rule }),
        None => Ok(()),
    }
}

fn broken_rule(text: &str, form: Form, bytes_max: usize) -> Option<Rule> {
    let letter = |c: char| c.is_ascii_lowercase();
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if text.is_empty() {
        return Some(Rule::Empty);
    }
    if text.len() > bytes_max {
        return Some(Rule::TooLong(text.len()));
    }
    if let Some(c) = text.chars().find(|c| !alphanumeric(*c) && *c != '-') {
        return Some(Rule::Contains(c));
    }
    match form {
        Form::Dns1035 if !text.starts_with(letter) => Some(Rule::StartsWithoutLetter),
        Form::Dns1123 if !text.starts_with(alphanumeric) => Some(Rule::StartsWithoutAlphanumeric),
        Form::Dns1035 | Form::Dns1123 if !text.ends_with(alphanumeric) => {
            Some(Rule::EndsWithoutAlphanumeric)
        }
        Form::Dns1035 | Form::Dns1123 => None,
    }
}

#[cfg(test)]
mod tests;
