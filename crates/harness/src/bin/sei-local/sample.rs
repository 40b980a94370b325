//! The objects of the story: the sample fleet, its images, and one that must be refused.

use sei_api::{FullNode, Networking, SeiNodeDeployment};
use serde_json::{Value, json};

/// Where the story plays.
pub const NAMESPACE: &str = "sei";
/// The fleet that is rolled out.
pub const FLEET: &str = "demo";
/// The fleet that asks for what is not built.
pub const REFUSED: &str = "refused";
/// How many nodes the fleet has.
pub const REPLICAS: usize = 3;

/// A version of the node's image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V1,
    V2,
    V3,
}

impl Version {
    /// What stands behind the colon of the image.
    pub fn tag(self) -> &'static str {
        match self {
            Self::V1 => "v1.0.0",
            Self::V2 => "v2.0.0",
            Self::V3 => "v3.0.0",
        }
    }

    /// The whole image.
    pub fn image(self) -> String {
        image(self.tag())
    }
}

/// The node's image with this tag.
pub fn image(tag: &str) -> String {
    format!("ghcr.io/sei-protocol/seid:{tag}")
}

/// How long a careful fleet waits for progress, in seconds: a pod comes up within it. The stories
/// name it.
const DEADLINE: u32 = 15;

/// The fleet, published.
pub fn published() -> serde_json::Result<SeiNodeDeployment> {
    deployment(FLEET, REPLICAS, json!({"networking": Networking::default()}))
}

/// The fleet with so many nodes.
pub fn fleet(replicas: usize) -> serde_json::Result<SeiNodeDeployment> {
    deployment(FLEET, replicas, json!({}))
}

/// The fleet that is updated as `in_place` says, and soon notices that it does not get on.
pub fn careful(in_place: Value) -> serde_json::Result<SeiNodeDeployment> {
    let strategy = json!({"type": "InPlace", "inPlace": in_place});
    let more = json!({"updateStrategy": strategy, "progressDeadlineSeconds": DEADLINE});
    deployment(FLEET, REPLICAS, more)
}

/// A fleet whose nodes start from a snapshot, which this build refuses.
pub fn refused() -> serde_json::Result<SeiNodeDeployment> {
    let mut fleet = deployment(REFUSED, 1, json!({}))?;
    let snapshot = json!({"snapshot": {"stateSync": {}}});
    fleet.spec.template.spec.full_node = Some(serde_json::from_value(snapshot)?);
    Ok(fleet)
}

fn deployment(name: &str, replicas: usize, more: Value) -> serde_json::Result<SeiNodeDeployment> {
    let mut object = json!({
        "apiVersion": sei_api::API_VERSION,
        "kind": "SeiNodeDeployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "template": {"spec": {
                "chainId": "pacific-1",
                "image": Version::V1.image(),
                "fullNode": FullNode::default(),
            }},
            "updateStrategy": {"type": "InPlace"},
        },
    });
    if let (Some(spec), Value::Object(more)) = (object["spec"].as_object_mut(), more) {
        spec.extend(more);
    }
    serde_json::from_value(object)
}
