//! The mode of a node and what follows from it.

use sei_api::{SeiNodeSpec, labels};

use crate::platform::{Capacity, Platform};

/// What a node is for. Exactly one is set in an accepted spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Takes part in consensus.
    Validator,
    /// Keeps all history.
    Archive,
    /// Replays a chain in the shadow.
    Replayer,
    /// Follows the chain and answers requests.
    FullNode,
}

impl Mode {
    /// The mode of `spec`; `None` if it names none. The first of several counts, in the order of
    /// the variants.
    #[must_use]
    pub fn of(spec: &SeiNodeSpec) -> Option<Self> {
        let set = [
            (Self::Validator, spec.validator.is_some()),
            (Self::Archive, spec.archive.is_some()),
            (Self::Replayer, spec.replayer.is_some()),
            (Self::FullNode, spec.full_node.is_some()),
        ];
        set.into_iter().find_map(|(mode, is_set)| is_set.then_some(mode))
    }

    /// Value of the label [`labels::ROLE`].
    #[must_use]
    pub fn role(self) -> &'static str {
        match self {
            Self::Validator => labels::ROLE_VALIDATOR,
            Self::Archive => labels::ROLE_ARCHIVE,
            Self::Replayer => labels::ROLE_REPLAYER,
            Self::FullNode => labels::ROLE_NODE,
        }
    }

    /// The node pool it runs in.
    #[must_use]
    pub fn nodepool(self, platform: &Platform) -> &str {
        match self {
            Self::Archive => &platform.nodepool_archive,
            Self::Validator | Self::Replayer | Self::FullNode => &platform.nodepool,
        }
    }

    /// The volume and requests it gets.
    #[must_use]
    pub fn capacity(self, platform: &Platform) -> &Capacity {
        match self {
            Self::Archive => &platform.archive,
            Self::Validator | Self::Replayer | Self::FullNode => &platform.default,
        }
    }
}
