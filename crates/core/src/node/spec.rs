//! Which node specs can be worked with: all faults at once, each naming its field.
//!
//! The API server refuses most of it too; these rules are for objects that were stored before it
//! did, for values that only a later part would refuse, and for fields of the schema that this
//! version does not act on yet.

mod values;

use sei_api::condition::Reason;
use sei_api::{PeerSource, SeiNode, SeiNodeSpec, Validator};

use crate::name::NodeName;
use crate::render::ports;

/// Why a spec is not acted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `InvalidSpec` or `NotSupportedYet`.
    pub reason: Reason,
    /// The fields, what is wrong with them, what to do.
    pub message: String,
}

/// One field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecFault {
    /// Path from the root, such as `spec.image`.
    pub field: String,
    /// What is wrong.
    pub detail: String,
}

/// A label value and a DNS label hold 63 characters.
const LABEL_LENGTH_MAX: usize = 63;
/// The image field's own bound.
const IMAGE_LENGTH_MAX: usize = 512;

/// Why this node is not acted on; none if it is.
#[must_use]
pub fn refusal(node: &SeiNode) -> Option<Refusal> {
    let name = node.metadata.name.as_deref().unwrap_or_default();
    let mut faults = faults(&node.spec, "spec");
    if NodeName::parse(name).is_err() {
        let detail =
            format!("must be a DNS-1035 label of at most {} characters", NodeName::BYTES_MAX);
        faults.insert(0, SpecFault { field: "metadata.name".to_owned(), detail });
    }
    refuse(&faults, &unsupported(&node.spec, "spec"))
}

/// One refusal of both lists; broken rules come first.
#[must_use]
pub fn refuse(faults: &[SpecFault], unsupported: &[String]) -> Option<Refusal> {
    if !faults.is_empty() {
        let lines: Vec<String> =
            faults.iter().map(|it| format!("{}: {}", it.field, it.detail)).collect();
        return Some(Refusal { reason: Reason::InvalidSpec, message: lines.join("; ") });
    }
    if unsupported.is_empty() {
        return None;
    }
    let (fields, verb) =
        (unsupported.join(", "), if unsupported.len() == 1 { "is" } else { "are" });
    let message = format!("{fields} {verb} not supported yet; remove it, or wait for a release");
    Some(Refusal { reason: Reason::NotSupportedYet, message })
}

/// Fields of the schema that this version does not act on, by path under `root`.
#[must_use]
pub fn unsupported(spec: &SeiNodeSpec, root: &str) -> Vec<String> {
    let full = spec.full_node.as_ref();
    let archive = spec.archive.as_ref();
    let volume = spec.data_volume.as_ref();
    let present = [
        (full.is_some_and(|it| it.snapshot.is_some()), "fullNode.snapshot"),
        (full.is_some_and(|it| it.snapshot_generation.is_some()), "fullNode.snapshotGeneration"),
        (archive.is_some_and(|it| it.snapshot_generation.is_some()), "archive.snapshotGeneration"),
        (spec.replayer.is_some(), "replayer"),
        (volume.is_some_and(|it| it.import.is_some()), "dataVolume.import"),
    ];
    let validator = spec.validator.iter().flat_map(unsupported_of_validator);
    let present = present.into_iter().chain(validator);
    present.filter(|(there, _)| *there).map(|(_, path)| format!("{root}.{path}")).collect()
}

/// A validator without keys of its own makes them at its first start and keeps them on its volume;
/// its sidecar's keyring is then the test keyring, so an empty `operatorKeyring` asks for nothing.
fn unsupported_of_validator(validator: &Validator) -> [(bool, &'static str); 5] {
    let keyring = validator.operator_keyring.as_ref();
    [
        (validator.snapshot.is_some(), "validator.snapshot"),
        (validator.genesis_ceremony.is_some(), "validator.genesisCeremony"),
        (validator.signing_key.is_some(), "validator.signingKey"),
        (validator.node_key.is_some(), "validator.nodeKey"),
        (keyring.is_some_and(|it| it.secret.is_some()), "validator.operatorKeyring.secret"),
    ]
}

/// Rules that this spec breaks, by path under `root`.
#[must_use]
pub fn faults(spec: &SeiNodeSpec, root: &str) -> Vec<SpecFault> {
    let mut found = Vec::new();
    let mut check = |holds: bool, field: &str, detail: &str| {
        if !holds {
            found.push(SpecFault { field: format!("{root}{field}"), detail: detail.to_owned() });
        }
    };
    let modes = [
        spec.full_node.is_some(),
        spec.archive.is_some(),
        spec.replayer.is_some(),
        spec.validator.is_some(),
    ];
    let one = modes.iter().filter(|it| **it).count() == 1;
    check(one, "", "exactly one of fullNode, archive, replayer, or validator must be set");
    check(is_label(&spec.chain_id), ".chainId", "must be a label value of at most 63 characters");
    let image = (1..=IMAGE_LENGTH_MAX).contains(&spec.image.len());
    check(image, ".image", "must have 1 to 512 characters");
    check(values::is_image(&spec.image), ".image", "must not hold blanks");
    let port = spec.sidecar.as_ref().and_then(|it| it.port).filter(|it| *it != 0);
    let in_range = port.is_none_or(|it| (1..=i32::from(u16::MAX)).contains(&it));
    check(in_range, ".sidecar.port", "must be between 1 and 65535");
    if let Some(other) = port.and_then(ports::taken) {
        let detail = format!("{} is the pod's port \"{}\"", other.number, other.name);
        check(false, ".sidecar.port", &detail);
    }
    for (index, peer) in spec.peers.iter().enumerate() {
        let one = "exactly one of ec2Tags, static, or label must be set";
        check(sources(peer) == 1, &format!(".peers[{index}]"), one);
    }
    let peers = spec.peers.iter().enumerate();
    let wrong = peers.flat_map(|(index, peer)| values::of_peer(index, peer));
    for (field, detail) in wrong.chain(spec.sidecar.iter().flat_map(values::of_sidecar)) {
        check(false, &field, detail);
    }
    for (key, value) in &spec.pod_labels {
        let field = format!(".podLabels[\"{key}\"]");
        check(is_label_key(key), &field, "is no valid label key");
        check(value.is_empty() || is_label_value(value), &field, "is no valid label value");
    }
    found
}

/// Is `text` a label key: an optional DNS prefix and a name (Kubernetes, "Labels and Selectors")?
#[must_use]
pub fn is_label_key(text: &str) -> bool {
    match text.split_once('/') {
        None => is_label_value(text),
        Some((prefix, name)) => {
            let dns = prefix.split('.').all(is_label);
            dns && prefix.len() <= PREFIX_LENGTH_MAX && is_label_value(name)
        }
    }
}

/// Is `text` a non-empty label value (Kubernetes, "Labels and Selectors")?
#[must_use]
pub fn is_label_value(text: &str) -> bool {
    let edge = |it: char| it.is_ascii_alphanumeric();
    text.len() <= LABEL_LENGTH_MAX
        && text.starts_with(edge)
        && text.ends_with(edge)
        && text.chars().all(|it| edge(it) || matches!(it, '-' | '_' | '.'))
}

/// A DNS subdomain holds 253 characters.
const PREFIX_LENGTH_MAX: usize = 253;

fn is_label(text: &str) -> bool {
    let edge = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
    (1..=LABEL_LENGTH_MAX).contains(&text.len())
        && text.starts_with(edge)
        && text.ends_with(edge)
        && text.chars().all(|it| edge(it) || it == '-')
}

fn sources(peer: &PeerSource) -> usize {
    [peer.ec2_tags.is_some(), peer.static_.is_some(), peer.label.is_some()]
        .iter()
        .filter(|it| **it)
        .count()
}
