//! Which specs are refused, and that each fault names its field.

use sei_api::condition::Reason;
use sei_api::{
    Archive, DataVolume, GenesisCeremony, NodeKey, OperatorKeyring, OperatorKeyringSecret,
    PeerSource, Replayer, SeiNode, Sidecar, SigningKey, SnapshotGeneration, SnapshotSource,
    StaticSource, Validator,
};

use super::scene::Scene;
use crate::node::spec::refusal;

type Edit = fn(&mut SeiNode);

fn refused(edit: Edit) -> Option<(Reason, String)> {
    let mut node = Scene::new("node new").node;
    edit(&mut node);
    refusal(&node).map(|it| (it.reason, it.message))
}

fn archive(node: &mut SeiNode, archive: Archive) {
    node.spec.full_node = None;
    node.spec.archive = Some(archive);
}

fn validator(node: &mut SeiNode, validator: Validator) {
    node.spec.full_node = None;
    node.spec.validator = Some(validator);
}

#[test]
fn a_good_spec_is_not() {
    let table: [Edit; 9] = [
        |_| {},
        |node| archive(node, Archive::default()),
        |node| validator(node, Validator::default()),
        |node| {
            let operator_keyring = Some(OperatorKeyring::default());
            validator(node, Validator { operator_keyring, ..Validator::default() });
        },
        |node| node.spec.sidecar = Some(Sidecar { port: Some(0), ..Sidecar::default() }),
        |node| node.spec.sidecar = Some(Sidecar { port: Some(9999), ..Sidecar::default() }),
        |node| node.spec.data_volume = Some(DataVolume::default()),
        |node| node.spec.image = "i".repeat(512),
        |node| {
            node.spec.pod_labels.insert("a.b/c_d".to_owned(), String::new());
        },
    ];
    for edit in table {
        assert_eq!(refused(edit), None);
    }
}

#[test]
fn what_is_not_built_yet_is() {
    let table: [(Edit, &str); 5] = [
        (
            |node| {
                let snapshot_generation = Some(SnapshotGeneration::default());
                archive(node, Archive { snapshot_generation });
            },
            "spec.archive.snapshotGeneration",
        ),
        (
            |node| {
                node.spec.full_node = None;
                node.spec.replayer = Some(Replayer::default());
            },
            "spec.replayer",
        ),
        (
            |node| {
                let full = node.spec.full_node.as_mut().unwrap();
                full.snapshot = Some(SnapshotSource::default());
            },
            "spec.fullNode.snapshot",
        ),
        (
            |node| {
                let full = node.spec.full_node.as_mut().unwrap();
                full.snapshot_generation = Some(SnapshotGeneration::default());
            },
            "spec.fullNode.snapshotGeneration",
        ),
        (
            |node| {
                let import = Some(sei_api::DataVolumeImport { pvc_name: "mine".to_owned() });
                node.spec.data_volume = Some(DataVolume { import, ..DataVolume::default() });
            },
            "spec.dataVolume.import",
        ),
    ];
    refused_for(table);
}

#[test]
fn a_validator_with_keys_or_a_past_is() {
    let table: [(Edit, &str); 5] = [
        (
            |node| {
                let snapshot = Some(SnapshotSource::default());
                validator(node, Validator { snapshot, ..Validator::default() });
            },
            "spec.validator.snapshot",
        ),
        (
            |node| {
                let genesis_ceremony = Some(GenesisCeremony::default());
                validator(node, Validator { genesis_ceremony, ..Validator::default() });
            },
            "spec.validator.genesisCeremony",
        ),
        (
            |node| {
                let signing_key = Some(SigningKey::default());
                validator(node, Validator { signing_key, ..Validator::default() });
            },
            "spec.validator.signingKey",
        ),
        (
            |node| {
                let node_key = Some(NodeKey::default());
                validator(node, Validator { node_key, ..Validator::default() });
            },
            "spec.validator.nodeKey",
        ),
        (
            |node| {
                let secret = Some(OperatorKeyringSecret::default());
                let operator_keyring = Some(OperatorKeyring { secret });
                validator(node, Validator { operator_keyring, ..Validator::default() });
            },
            "spec.validator.operatorKeyring.secret",
        ),
    ];
    refused_for(table);
}

fn refused_for<const N: usize>(table: [(Edit, &str); N]) {
    for (edit, field) in table {
        let message = format!("{field} is not supported yet; remove it, or wait for a release");
        assert_eq!(refused(edit), Some((Reason::NotSupportedYet, message)));
    }
}

#[test]
fn what_breaks_a_rule_is() {
    let table: [(Edit, &str); 14] = [
        (|node| node.metadata.name = Some("a.b".to_owned()), "metadata.name: "),
        (|node| node.metadata.name = Some("a".repeat(53)), "metadata.name: "),
        (|node| node.metadata.name = Some("0a".to_owned()), "metadata.name: "),
        (|node| node.spec.full_node = None, "spec: exactly one of "),
        (|node| node.spec.archive = Some(Archive::default()), "spec: exactly one of "),
        (|node| node.spec.chain_id.clear(), "spec.chainId: "),
        (|node| node.spec.chain_id = "Pacific_1".to_owned(), "spec.chainId: "),
        (|node| node.spec.image.clear(), "spec.image: "),
        (|node| node.spec.image = "i".repeat(513), "spec.image: "),
        (
            |node| node.spec.sidecar = Some(Sidecar { port: Some(65536), ..Sidecar::default() }),
            "spec.sidecar.port: must be between",
        ),
        (
            |node| node.spec.sidecar = Some(Sidecar { port: Some(8443), ..Sidecar::default() }),
            "spec.sidecar.port: 8443 is the pod's port ",
        ),
        (|node| node.spec.peers.push(PeerSource::default()), "spec.peers[0]: exactly one of "),
        (
            |node| {
                node.spec.pod_labels.insert("a b".to_owned(), "x".to_owned());
            },
            "spec.podLabels[\"a b\"]: is no valid label key",
        ),
        (
            |node| {
                node.spec.pod_labels.insert("a".to_owned(), "x y".to_owned());
            },
            "spec.podLabels[\"a\"]: is no valid label value",
        ),
    ];
    for (edit, start) in table {
        let (reason, message) = refused(edit).expect(start);
        assert_eq!(reason, Reason::InvalidSpec, "{message}");
        assert!(message.starts_with(start), "{message}");
    }
}

#[test]
fn all_faults_are_named_at_once() {
    let (reason, message) = refused(|node| {
        node.spec.image.clear();
        node.spec.full_node = None;
        node.spec.validator = Some(Validator::default());
        let both = PeerSource {
            static_: Some(StaticSource::default()),
            label: Some(sei_api::LabelSource::default()),
            ..PeerSource::default()
        };
        node.spec.peers.push(both);
    })
    .unwrap();
    assert_eq!(reason, Reason::InvalidSpec);
    assert_eq!(
        message,
        "spec.image: must have 1 to 512 characters; \
         spec.peers[0]: exactly one of ec2Tags, static, or label must be set"
    );
}
