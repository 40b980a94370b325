//! The images a fleet is to run: those of its spec, or those it went back to.

use sei_api::{LastGood, SeiNode, SeiNodeDeployment, SeiNodeDeploymentStatus, SeiNodeSpec};

use crate::deployment::hash::template_hash;
use crate::render::sidecar_image;

/// The images of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    pub(super) image: &'a str,
    /// None leaves the sidecar's image to the operator.
    pub(super) sidecar_image: Option<&'a str>,
}

/// Where the children are to be brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Goal {
    /// The template that has these images, and its hash.
    pub(super) template: LastGood,
    /// The template of the spec was given up; this is the last good one.
    pub(super) is_return: bool,
}

impl Goal {
    /// The images.
    pub(super) fn target(&self) -> Target<'_> {
        let LastGood { image, sidecar_image, .. } = &self.template;
        Target { image, sidecar_image: sidecar_image.as_deref() }
    }

    /// Hash of the template.
    pub(super) fn hash(&self) -> &str {
        &self.template.hash
    }
}

/// Where the children are to be brought, as the status has it.
///
/// That is the template of the spec, unless that very template was given up and there is one to
/// go back to.
pub(super) fn goal(fleet: &SeiNodeDeployment, status: &SeiNodeDeploymentStatus) -> Goal {
    let asked = of_template(fleet);
    let rejected = status.rejected_hash.as_deref() == Some(asked.hash.as_str());
    match &status.last_good {
        Some(good) if rejected => Goal { template: good.clone(), is_return: true },
        Some(_) | None => Goal { template: asked, is_return: false },
    }
}

/// The template of the spec, as a record of it.
pub(super) fn of_template(fleet: &SeiNodeDeployment) -> LastGood {
    let spec = &fleet.spec.template.spec;
    let Target { image, sidecar_image } = of(spec);
    LastGood {
        hash: template_hash(spec),
        image: image.to_owned(),
        sidecar_image: sidecar_image.map(str::to_owned),
    }
}

/// The images of a node's spec.
pub(super) fn of(spec: &SeiNodeSpec) -> Target<'_> {
    Target { image: &spec.image, sidecar_image: sidecar_image(spec) }
}

/// Gives a node these images; a sidecar that was there for its image alone goes with it.
pub(super) fn bring(node: &mut SeiNode, target: Target<'_>) {
    target.image.clone_into(&mut node.spec.image);
    if of(&node.spec).sidecar_image == target.sidecar_image {
        return;
    }
    let mut sidecar = node.spec.sidecar.take().unwrap_or_default();
    sidecar.image = target.sidecar_image.map(str::to_owned);
    node.spec.sidecar = Some(sidecar).filter(|it| *it != sei_api::Sidecar::default());
}
