//! Objects of tests, built in domain words.

use sei_api::{
    FullNode, Networking, SeiNodeDeployment, SeiNodeDeploymentSpec, SeiNodeSpec, SeiNodeTemplate,
    Sidecar, UpdateStrategy, UpdateStrategyType, Validator,
};

/// The chain of the fixtures.
pub const CHAIN_ID: &str = "pacific-1";

/// The image a fixture starts with.
pub const IMAGE_V1: &str = "ghcr.io/sei-protocol/seid:v1.0.0";
/// The first update.
pub const IMAGE_V2: &str = "ghcr.io/sei-protocol/seid:v2.0.0";
/// The second update.
pub const IMAGE_V3: &str = "ghcr.io/sei-protocol/seid:v3.0.0";

/// Template hash of a fixture at [`IMAGE_V1`].
pub const HASH_V1: &str = "9c13d843e3cbbdb0";
/// Template hash of a fixture at [`IMAGE_V2`].
pub const HASH_V2: &str = "753bf0c944503efa";
/// Template hash of a fixture at [`IMAGE_V3`].
pub const HASH_V3: &str = "51277ed91a4f8b69";

/// A SeiNodeDeployment in the making; see [`new_snd`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SndBuilder {
    snd: SeiNodeDeployment,
}

/// A fleet of one full node at [`IMAGE_V1`], updated in place, without networking.
pub fn new_snd(namespace: &str, name: &str) -> SndBuilder {
    let spec = SeiNodeDeploymentSpec {
        replicas: 1,
        template: SeiNodeTemplate {
            metadata: None,
            spec: SeiNodeSpec {
                chain_id: CHAIN_ID.to_owned(),
                image: IMAGE_V1.to_owned(),
                full_node: Some(FullNode::default()),
                ..SeiNodeSpec::default()
            },
        },
        update_strategy: Some(UpdateStrategy {
            type_: Some(UpdateStrategyType::InPlace),
            ..UpdateStrategy::default()
        }),
        ..SeiNodeDeploymentSpec::default()
    };
    let mut snd = SeiNodeDeployment::new(name, spec);
    snd.metadata.namespace = Some(namespace.to_owned());
    SndBuilder { snd }
}

impl SndBuilder {
    /// With `replicas` children.
    pub fn with_replicas(mut self, replicas: i32) -> Self {
        self.snd.spec.replicas = replicas;
        self
    }

    /// At this seid image.
    pub fn with_image(mut self, image: &str) -> Self {
        self.node().image = image.to_owned();
        self
    }

    /// With this sidecar image instead of the operator's default.
    pub fn with_sidecar_image(mut self, image: &str) -> Self {
        let sidecar = Sidecar { image: Some(image.to_owned()), ..Sidecar::default() };
        self.node().sidecar = Some(sidecar);
        self
    }

    /// Published outside the cluster.
    pub fn with_networking(mut self) -> Self {
        self.snd.spec.networking = Some(Networking::default());
        self
    }

    /// Validators instead of full nodes.
    pub fn with_validator(mut self) -> Self {
        let node = self.node();
        node.full_node = None;
        node.validator = Some(Validator::default());
        self
    }

    /// With anything else that a test needs.
    pub fn with(mut self, change: impl FnOnce(&mut SeiNodeDeploymentSpec)) -> Self {
        change(&mut self.snd.spec);
        self
    }

    /// The object, not stored yet.
    pub fn build(self) -> SeiNodeDeployment {
        self.snd
    }

    fn node(&mut self) -> &mut SeiNodeSpec {
        &mut self.snd.spec.template.spec
    }
}
