//! The controllers by name: the words that metrics, logs and Kubernetes Events use for them.

use sei_api::labels;

/// One controller; each owns one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Controller {
    /// Owns `SeiNode`.
    Node,
    /// Owns `SeiNodeDeployment`.
    Deployment,
}

impl Controller {
    /// Every controller.
    pub const ALL: [Self; 2] = [Self::Node, Self::Deployment];

    /// The value of the label `controller`, as dashboards know it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Node => "seinode",
            Self::Deployment => "seinodedeployment",
        }
    }

    /// Who a Kubernetes Event says it comes from (`source.component`).
    #[must_use]
    pub const fn component(self) -> &'static str {
        match self {
            Self::Node => labels::NODE_COMPONENT,
            Self::Deployment => labels::NODEDEPLOYMENT_COMPONENT,
        }
    }
}
