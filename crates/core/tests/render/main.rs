//! What is rendered, whole: the objects against golden files, the scripts by running them.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop the test")]

mod golden;
mod scripts;

use sei_api::SeiNode;
use sei_core::platform::{Platform, fixture};
use sei_core::render::{NodeObjects, node_objects};

/// The objects of `node` on the test platform.
fn rendered(node: &SeiNode) -> NodeObjects {
    node_objects(node, &platform())
}

fn platform() -> Platform {
    Platform::parse(&fixture::lookup).unwrap()
}
