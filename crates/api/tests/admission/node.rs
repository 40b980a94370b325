//! Rows about the spec of a node, which is also the spec of a template.

use crate::cases::{Case, Update};

const SIGNING_AND_NODE_KEY: &str = "{fullNode: null, validator: {\
    signingKey: {secret: {secretName: s}}, nodeKey: {secret: {secretName: m}}}}";

const KEYRING: &str = "{fullNode: null, validator: {operatorKeyring: {secret: {\
    secretName: k, passphraseSecretRef: {secretName: p, key: v}}}}}";

const IMPORT: &str = "{dataVolume: {import: {pvcName: p}}}";

/// A DNS label of 63 characters.
const LONG: &str = "{chainId: a23456789-123456789-123456789-123456789-123456789-123456789-234}";

/// Created as a SeiNode and as a template.
pub const CASES: &[Case] = &[
    Case {
        name: "chainId is required",
        pass: "{}",
        fail: "{chainId: null}",
        errors: &[("spec.chainId", "Required value")],
    },
    Case {
        name: "chainId is not empty",
        pass: "{chainId: a}",
        fail: "{chainId: ''}",
        errors: &[("spec.chainId", "in body should be at least 1 chars long")],
    },
    Case {
        name: "chainId is a label value",
        pass: LONG,
        fail: "{chainId: a23456789-123456789-123456789-123456789-123456789-123456789-2345}",
        errors: &[("spec.chainId", "may not be more than 63 bytes")],
    },
    Case {
        name: "chainId has the form of a DNS label",
        pass: "{chainId: 1-a}",
        fail: "{chainId: A_b}",
        errors: &[("spec.chainId", "in body should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'")],
    },
    Case {
        name: "image is required",
        pass: "{}",
        fail: "{image: null}",
        errors: &[("spec.image", "Required value")],
    },
    Case {
        name: "image is not empty",
        pass: "{image: a}",
        fail: "{image: ''}",
        errors: &[("spec.image", "spec.image in body should be at least 1 chars long")],
    },
    Case {
        name: "one mode, not two",
        pass: "{fullNode: null, archive: {}}",
        fail: "{archive: {}}",
        errors: &[("spec", "exactly one of fullNode, archive, replayer, or validator must be set")],
    },
    Case {
        name: "one mode, not none",
        pass: "{fullNode: null, validator: {}}",
        fail: "{fullNode: null}",
        errors: &[("spec", "exactly one of fullNode, archive, replayer, or validator must be set")],
    },
    Case {
        name: "a replayer has peers",
        pass: "{fullNode: null, replayer: {snapshot: {s3: {targetHeight: 1}}}, \
               peers: [{static: {addresses: [a]}}]}",
        fail: "{fullNode: null, replayer: {snapshot: {s3: {targetHeight: 1}}}}",
        errors: &[("spec", "peers is required when replayer mode is set")],
    },
    Case {
        name: "a replayer has more than an empty list of peers",
        pass: "{peers: []}",
        fail: "{fullNode: null, replayer: {snapshot: {s3: {targetHeight: 1}}}, peers: []}",
        errors: &[("spec", "peers is required when replayer mode is set")],
    },
    Case {
        name: "a peer source, not none",
        pass: "{peers: [{label: {selector: {a: b}}}, {ec2Tags: {region: r, tags: {a: b}}}]}",
        fail: "{peers: [{}]}",
        errors: &[("spec.peers[0]", "exactly one of ec2Tags, static, or label must be set")],
    },
    Case {
        name: "a peer source, not two",
        pass: "{peers: [{static: {addresses: ['']}}]}",
        fail: "{peers: [{static: {addresses: [a]}}, \
               {static: {addresses: [a]}, label: {selector: {a: b}}}]}",
        errors: &[("spec.peers[1]", "exactly one of ec2Tags, static, or label must be set")],
    },
    Case {
        name: "fixed peers are named",
        pass: "{peers: [{static: {addresses: [a]}}]}",
        fail: "{peers: [{static: {addresses: []}}]}",
        errors: &[("spec.peers[0].static.addresses", "in body should have at least 1 items")],
    },
    Case {
        name: "labels of peers are named",
        pass: "{peers: [{label: {selector: {a: b}, namespace: ''}}]}",
        fail: "{peers: [{label: {selector: {}}}]}",
        errors: &[("spec.peers[0].label.selector", "should have at least 1 properties")],
    },
    Case {
        name: "tags and region of peers are named",
        pass: "{peers: [{ec2Tags: {region: r, tags: {a: ''}}}]}",
        fail: "{peers: [{ec2Tags: {region: '', tags: {}}}]}",
        errors: &[
            ("spec.peers[0].ec2Tags.region", "in body should be at least 1 chars long"),
            ("spec.peers[0].ec2Tags.tags", "should have at least 1 properties"),
        ],
    },
    Case {
        name: "overrides are text",
        pass: "{overrides: {a.b: '1'}}",
        fail: "{overrides: {a.b: 1}}",
        errors: &[("spec.overrides.a.b", "must be of type string: \"integer\"")],
    },
    Case {
        name: "the sidecar listens on a port",
        pass: "{sidecar: {port: 65535}}",
        fail: "{sidecar: {port: 65536}}",
        errors: &[("spec.sidecar.port", "in body should be less than or equal to 65535")],
    },
    Case {
        name: "the sidecar listens on a port that a client can name",
        pass: "{sidecar: {port: 1}}",
        fail: "{sidecar: {port: 0}}",
        errors: &[("spec.sidecar.port", "in body should be greater than or equal to 1")],
    },
    Case {
        name: "quantities have their form",
        pass: "{sidecar: {resources: {limits: {cpu: 1, memory: 1.5Gi}, requests: {cpu: 500m}}}}",
        fail: "{sidecar: {resources: {limits: {cpu: abc}}}}",
        errors: &[(
            "spec.sidecar.resources.limits.cpu",
            r"in body should match '^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$'",
        )],
    },
    Case {
        name: "a resource claim is listed once",
        pass: "{sidecar: {resources: {claims: [{name: a}, {name: b, request: r}]}}}",
        fail: "{sidecar: {resources: {claims: [{name: a}, {name: a}]}}}",
        errors: &[("spec.sidecar.resources.claims[1]", "Duplicate value: {\"name\":\"a\"}")],
    },
    Case {
        name: "an imported claim has a name without dots",
        pass: IMPORT,
        fail: "{dataVolume: {import: {pvcName: a.b}}}",
        errors: &[(
            "spec.dataVolume.import.pvcName",
            "in body should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'",
        )],
    },
    Case {
        name: "an imported claim is named",
        pass: "{dataVolume: {}}",
        fail: "{dataVolume: {import: {}}}",
        errors: &[("spec.dataVolume.import.pvcName", "Required value")],
    },
    Case {
        name: "a claim goes or stays",
        pass: "{dataVolume: {whenDeleted: Retain}}",
        fail: "{dataVolume: {whenDeleted: Recycle}}",
        errors: &[(
            "spec.dataVolume.whenDeleted",
            "Unsupported value: \"Recycle\": supported values: \"Delete\", \"Retain\"",
        )],
    },
    Case {
        name: "a node is paused or not",
        pass: "{paused: true}",
        fail: "{paused: 'yes'}",
        errors: &[("spec.paused", "must be of type boolean: \"string\"")],
    },
    Case {
        name: "a snapshot has a source",
        pass: "{fullNode: {snapshot: {stateSync: {}}}}",
        fail: "{fullNode: {snapshot: {}}}",
        errors: &[("spec.fullNode.snapshot", "exactly one of s3 or stateSync must be set")],
    },
    Case {
        name: "a snapshot of a validator has one source",
        pass: "{fullNode: null, validator: {snapshot: {s3: {targetHeight: 1}}}}",
        fail: "{fullNode: null, validator: \
               {snapshot: {s3: {targetHeight: 1}, stateSync: {}}}}",
        errors: &[("spec.validator.snapshot", "exactly one of s3 or stateSync must be set")],
    },
    Case {
        name: "a replayer starts from the bucket",
        pass: "{fullNode: null, replayer: {snapshot: {s3: {targetHeight: 1}}, \
               resultExport: {shadowResult: {canonicalRpc: u}}}, \
               peers: [{static: {addresses: [a]}}]}",
        fail: "{fullNode: null, replayer: {snapshot: {stateSync: {}}}, \
               peers: [{static: {addresses: [a]}}]}",
        errors: &[("spec.replayer", "replayer requires snapshot.s3")],
    },
    Case {
        name: "results of a replayer go somewhere",
        pass: "{}",
        fail: "{fullNode: null, replayer: {snapshot: {s3: {targetHeight: 1}}, \
               resultExport: {}}, peers: [{static: {addresses: [a]}}]}",
        errors: &[(
            "spec.replayer.resultExport",
            "resultExport needs shadowResult; omit it to disable",
        )],
    },
    Case {
        name: "a snapshot is taken at a height",
        pass: "{fullNode: {snapshot: {s3: {targetHeight: 1}}}}",
        fail: "{fullNode: {snapshot: {s3: {targetHeight: 0}}}}",
        errors: &[(
            "spec.fullNode.snapshot.s3.targetHeight",
            "in body should be greater than or equal to 1",
        )],
    },
    Case {
        name: "the bootstrap image needs the bucket",
        pass: "{fullNode: {snapshot: {s3: {targetHeight: 1}, bootstrapImage: i}}}",
        fail: "{fullNode: {snapshot: {stateSync: {}, bootstrapImage: i}}}",
        errors: &[("spec.fullNode.snapshot", "bootstrapImage requires s3")],
    },
    Case {
        name: "blocks are filled backwards",
        pass: "{fullNode: {snapshot: {stateSync: {}, backfillBlocks: 0, bootstrapImage: ''}}}",
        fail: "{fullNode: {snapshot: {stateSync: {}, backfillBlocks: -1}}}",
        errors: &[(
            "spec.fullNode.snapshot.backfillBlocks",
            "in body should be greater than or equal to 0",
        )],
    },
    Case {
        name: "the trust period is a duration",
        pass: "{fullNode: {snapshot: {stateSync: {}, trustPeriod: 1.5h30m}}}",
        fail: "{fullNode: {snapshot: {stateSync: {}, trustPeriod: 7d}}}",
        errors: &[("spec.fullNode.snapshot.trustPeriod", "must be a Go duration such as 168h")],
    },
    Case {
        name: "the trust period is not of any length",
        pass: "{fullNode: {snapshot: {stateSync: {}, trustPeriod: ''}}}",
        fail: "{fullNode: {snapshot: {stateSync: {}, \
               trustPeriod: 111111111111111111111111111111111s}}}",
        errors: &[("spec.fullNode.snapshot.trustPeriod", "may not be more than 32 bytes")],
    },
    Case {
        name: "snapshots of a full node are of some kind",
        pass: "{fullNode: {snapshotGeneration: {tendermint: {keepRecent: 1}}}}",
        fail: "{fullNode: {snapshotGeneration: {}}}",
        errors: &[(
            "spec.fullNode.snapshotGeneration",
            "snapshotGeneration needs tendermint; omit it to disable",
        )],
    },
    Case {
        name: "snapshots of an archive are of some kind",
        pass: "{fullNode: null, archive: {snapshotGeneration: {tendermint: {keepRecent: 1}}}}",
        fail: "{fullNode: null, archive: {snapshotGeneration: {}}}",
        errors: &[(
            "spec.archive.snapshotGeneration",
            "snapshotGeneration needs tendermint; omit it to disable",
        )],
    },
    Case {
        name: "published snapshots are kept for the upload",
        pass: "{fullNode: {snapshotGeneration: {tendermint: {keepRecent: 2, publish: {}}}}}",
        fail: "{fullNode: {snapshotGeneration: {tendermint: {keepRecent: 1, publish: {}}}}}",
        errors: &[(
            "spec.fullNode.snapshotGeneration.tendermint",
            "keepRecent must be at least 2 when publish is set",
        )],
    },
    Case {
        name: "published snapshots of an archive are kept for the upload",
        pass: "{fullNode: null, \
               archive: {snapshotGeneration: {tendermint: {keepRecent: 2, publish: {}}}}}",
        fail: "{fullNode: null, \
               archive: {snapshotGeneration: {tendermint: {keepRecent: 1, publish: {}}}}}",
        errors: &[(
            "spec.archive.snapshotGeneration.tendermint",
            "keepRecent must be at least 2 when publish is set",
        )],
    },
    Case {
        name: "the number of kept snapshots has 32 bits",
        pass: "{fullNode: {snapshotGeneration: {tendermint: {keepRecent: 2147483647}}}}",
        fail: "{fullNode: {snapshotGeneration: {tendermint: {keepRecent: 2147483648}}}}",
        errors: &[(
            "spec.fullNode.snapshotGeneration.tendermint.keepRecent",
            "should be less than or equal to 2147483647",
        )],
    },
    Case {
        name: "snapshots are kept",
        pass: "{}",
        fail: "{fullNode: {snapshotGeneration: {tendermint: {keepRecent: 0}}}}",
        errors: &[(
            "spec.fullNode.snapshotGeneration.tendermint.keepRecent",
            "in body should be greater than or equal to 1",
        )],
    },
    Case {
        name: "both keys or neither",
        pass: SIGNING_AND_NODE_KEY,
        fail: "{fullNode: null, validator: {signingKey: {secret: {secretName: a}}}}",
        errors: &[(
            "spec.validator",
            "signingKey and nodeKey must be set together (validators get both or neither)",
        )],
    },
    Case {
        name: "the keys are in two Secrets",
        pass: SIGNING_AND_NODE_KEY,
        fail: "{fullNode: null, validator: {\
               signingKey: {secret: {secretName: a}}, nodeKey: {secret: {secretName: a}}}}",
        errors: &[(
            "spec.validator",
            "signingKey and nodeKey must reference distinct Secrets — packing both keys in one \
             Secret collapses the bootstrap-pod trust boundary",
        )],
    },
    Case {
        name: "keys have a source",
        pass: "{}",
        fail: "{fullNode: null, validator: {signingKey: {}, nodeKey: {}}}",
        errors: &[
            ("spec.validator.signingKey", "exactly one signing key source must be set"),
            ("spec.validator.nodeKey", "exactly one node key source must be set"),
        ],
    },
    Case {
        name: "the Secret of a key has a name without dots",
        pass: "{}",
        fail: "{fullNode: null, validator: {\
               signingKey: {secret: {secretName: a.b}}, nodeKey: {secret: {secretName: b}}}}",
        errors: &[(
            "spec.validator.signingKey.secret.secretName",
            "in body should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'",
        )],
    },
    Case {
        name: "the keyring is not in the Secret of the signing key",
        pass: KEYRING,
        fail: "{fullNode: null, validator: {\
               signingKey: {secret: {secretName: k}}, nodeKey: {secret: {secretName: m}}, \
               operatorKeyring: {secret: {\
               secretName: k, passphraseSecretRef: {secretName: p, key: v}}}}}",
        errors: &[(
            "spec.validator",
            "operatorKeyring and signingKey must reference distinct Secrets — collapsing them \
             into one Secret would force the sidecar/seid trust boundary to evaporate",
        )],
    },
    Case {
        name: "the keyring is not in the Secret of the node key",
        pass: "{fullNode: null, validator: {\
               signingKey: {secret: {secretName: s}}, nodeKey: {secret: {secretName: m}}, \
               operatorKeyring: {secret: {\
               secretName: k, passphraseSecretRef: {secretName: p, key: v}}}}}",
        fail: "{fullNode: null, validator: {\
               signingKey: {secret: {secretName: s}}, nodeKey: {secret: {secretName: k}}, \
               operatorKeyring: {secret: {\
               secretName: k, passphraseSecretRef: {secretName: p, key: v}}}}}",
        errors: &[(
            "spec.validator",
            "operatorKeyring and nodeKey must reference distinct Secrets",
        )],
    },
    Case {
        name: "the passphrase is not in the Secret of the keyring",
        pass: "{fullNode: null, validator: {operatorKeyring: {}}}",
        fail: "{fullNode: null, validator: {operatorKeyring: {secret: {\
               secretName: k, passphraseSecretRef: {secretName: k, key: v}}}}}",
        errors: &[(
            "spec.validator",
            "operatorKeyring data Secret and passphrase Secret must be distinct",
        )],
    },
    Case {
        name: "the passphrase is not in the Secret of the signing key",
        pass: "{fullNode: null, validator: {\
               signingKey: {secret: {secretName: s}}, nodeKey: {secret: {secretName: m}}, \
               operatorKeyring: {}}}",
        fail: "{fullNode: null, validator: {\
               signingKey: {secret: {secretName: p}}, nodeKey: {secret: {secretName: m}}, \
               operatorKeyring: {secret: {\
               secretName: k, passphraseSecretRef: {secretName: p, key: v}}}}}",
        errors: &[(
            "spec.validator",
            "operatorKeyring passphrase Secret must not equal signingKey Secret",
        )],
    },
    Case {
        name: "the passphrase is not in the Secret of the node key",
        pass: KEYRING,
        fail: "{fullNode: null, validator: {\
               signingKey: {secret: {secretName: s}}, nodeKey: {secret: {secretName: p}}, \
               operatorKeyring: {secret: {\
               secretName: k, passphraseSecretRef: {secretName: p, key: v}}}}}",
        errors: &[(
            "spec.validator",
            "operatorKeyring passphrase Secret must not equal nodeKey Secret",
        )],
    },
    Case {
        name: "a keyring entry has a plain name",
        pass: "{fullNode: null, validator: {operatorKeyring: {secret: {secretName: k, \
               keyName: A_b-1, passphraseSecretRef: {secretName: p, key: v}}}}}",
        fail: "{fullNode: null, validator: {operatorKeyring: {secret: {secretName: k, \
               keyName: a.b, passphraseSecretRef: {secretName: p, key: v}}}}}",
        errors: &[(
            "spec.validator.operatorKeyring.secret.keyName",
            "in body should match '^[a-zA-Z0-9_-]+$'",
        )],
    },
    Case {
        name: "a keyring has a passphrase",
        pass: KEYRING,
        fail: "{fullNode: null, validator: {operatorKeyring: {secret: {secretName: k}}}}",
        errors: &[("spec.validator.operatorKeyring.secret.passphraseSecretRef", "Required value")],
    },
    Case {
        name: "a signer takes no part in a ceremony",
        pass: "{fullNode: null, validator: {genesisCeremony: {\
               chainId: c, stakingAmount: 1usei, accountBalance: 1usei, index: 0}}}",
        fail: "{fullNode: null, validator: {\
               signingKey: {secret: {secretName: s}}, nodeKey: {secret: {secretName: m}}, \
               genesisCeremony: {\
               chainId: c, stakingAmount: 1usei, accountBalance: 1usei, index: 0}}}",
        errors: &[("spec.validator", "signingKey and genesisCeremony are mutually exclusive")],
    },
    Case {
        name: "a part in a ceremony is complete",
        pass: "{}",
        fail: "{fullNode: null, validator: {genesisCeremony: {\
               chainId: c, stakingAmount: '', accountBalance: 1usei, index: -1}}}",
        errors: &[
            (
                "spec.validator.genesisCeremony.stakingAmount",
                "in body should be at least 1 chars long",
            ),
            (
                "spec.validator.genesisCeremony.index",
                "in body should be greater than or equal to 0",
            ),
        ],
    },
];

/// Created as a SeiNode only: the message names the kind.
pub const ONLY_NODES: &[Case] = &[Case {
    name: "unknown fields are an error for a strict client",
    pass: "{}",
    fail: "{foo: 1}",
    errors: &[(
        "",
        "SeiNode in version \"v1alpha1\" cannot be handled as a SeiNode: strict decoding \
             error: unknown field \"spec.foo\"",
    )],
}];

/// Stored and edited as a SeiNode and as a template.
pub const UPDATES: &[Update] = &[
    Update {
        name: "the chain is immutable",
        stored: "{}",
        pass: "{image: 'seid:v2', peers: [], overrides: {a: b}, podLabels: {a: b}}",
        fail: "{chainId: arctic-1}",
        errors: &[("spec", "chainId is immutable")],
    },
    Update {
        name: "the mode is immutable",
        stored: "{}",
        pass: "{fullNode: {snapshot: {stateSync: {}}}}",
        fail: "{fullNode: null, archive: {}}",
        errors: &[("spec", "the node mode is immutable")],
    },
    Update {
        name: "an imported claim is immutable",
        stored: IMPORT,
        pass: "{image: 'seid:v2'}",
        fail: "{dataVolume: {import: {pvcName: q}}}",
        errors: &[("spec.dataVolume.import.pvcName", "pvcName is immutable")],
    },
    Update {
        name: "an import stays, though its parent does",
        stored: IMPORT,
        pass: "{image: 'seid:v2'}",
        fail: "{dataVolume: {import: null}}",
        errors: &[
            ("spec.dataVolume", "import cannot be unset once configured"),
            ("spec", "dataVolume.import cannot be removed once set"),
        ],
    },
    Update {
        name: "an import stays, and its parent too",
        stored: IMPORT,
        pass: "{image: 'seid:v2'}",
        fail: "{dataVolume: null}",
        errors: &[("spec", "dataVolume.import cannot be removed once set")],
    },
    Update {
        name: "an import may come later, an empty volume may go",
        stored: "{dataVolume: {}}",
        pass: "{dataVolume: {import: {pvcName: p}}}",
        fail: "",
        errors: &[],
    },
    Update {
        name: "the Secret of the signing key is immutable",
        stored: SIGNING_AND_NODE_KEY,
        pass: "{validator: {operatorKeyring: {}}}",
        fail: "{validator: {signingKey: {secret: {secretName: t}}}}",
        errors: &[("spec.validator.signingKey.secret.secretName", "secretName is immutable")],
    },
    Update {
        name: "the Secret of the node key is immutable",
        stored: SIGNING_AND_NODE_KEY,
        pass: "{image: 'seid:v2'}",
        fail: "{validator: {nodeKey: {secret: {secretName: t}}}}",
        errors: &[("spec.validator.nodeKey.secret.secretName", "secretName is immutable")],
    },
    Update {
        name: "the keys stay",
        stored: SIGNING_AND_NODE_KEY,
        pass: "{image: 'seid:v2'}",
        fail: "{validator: {signingKey: null, nodeKey: null}}",
        errors: &[("spec.validator", "signingKey cannot be removed once set")],
    },
    Update {
        name: "keys may come later",
        stored: "{fullNode: null, validator: {}}",
        pass: "{validator: {\
               signingKey: {secret: {secretName: s}}, nodeKey: {secret: {secretName: m}}}}",
        fail: "",
        errors: &[],
    },
    Update {
        name: "the Secret of the keyring is immutable",
        stored: KEYRING,
        pass: "{validator: {operatorKeyring: {secret: {keyName: other}}}}",
        fail: "{validator: {operatorKeyring: {secret: {secretName: t}}}}",
        errors: &[("spec.validator.operatorKeyring.secret.secretName", "secretName is immutable")],
    },
    Update {
        name: "the Secret of the passphrase is immutable, its key is not",
        stored: KEYRING,
        pass: "{validator: {operatorKeyring: {secret: {passphraseSecretRef: {key: w}}}}}",
        fail: "{validator: {operatorKeyring: {secret: {passphraseSecretRef: {secretName: t}}}}}",
        errors: &[(
            "spec.validator.operatorKeyring.secret.passphraseSecretRef.secretName",
            "passphrase secretName is immutable",
        )],
    },
    Update {
        name: "the keyring may go",
        stored: KEYRING,
        pass: "{validator: {operatorKeyring: null}}",
        fail: "",
        errors: &[],
    },
    Update {
        name: "the part in a ceremony may change",
        stored: "{fullNode: null, validator: {genesisCeremony: {\
                 chainId: c, stakingAmount: 1usei, accountBalance: 1usei, index: 0}}}",
        pass: "{validator: {genesisCeremony: {index: 1}}}",
        fail: "",
        errors: &[],
    },
];
