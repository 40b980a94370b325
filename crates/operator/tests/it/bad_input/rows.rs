//! One wrong value for each field, or the reason why there is none.

/// A field, and an object with a wrong value there: a merge patch on a good spec.
pub type Row = (&'static str, &'static str);

/// Fields whose every value of their type is right, and who judges instead.
pub const ANYTHING: &[(&str, &str)] = &[
    ("overrides.*", "keys and values are the configuration's; its validation fails the plan"),
    ("peers[].ec2Tags.tags.*", "EC2 allows any text as a tag"),
    ("genesis.overrides.*", "any JSON is a value of a genesis document"),
];

/// Of a node's spec; also of a fleet's template.
pub const NODE: &[Row] = &[
    (
        "archive.snapshotGeneration.tendermint.keepRecent",
        "{fullNode: null, archive: {snapshotGeneration: {tendermint: {keepRecent: 0}}}}",
    ),
    (
        "archive.snapshotGeneration.tendermint.publish",
        "{fullNode: null, archive: {snapshotGeneration: {tendermint: \
         {keepRecent: 1, publish: {}}}}}",
    ),
    ("chainId", "{chainId: Pacific 1}"),
    ("dataVolume.import.pvcName", "{dataVolume: {import: {pvcName: A.b}}}"),
    ("dataVolume.whenDeleted", "{dataVolume: {whenDeleted: Keep}}"),
    (
        "fullNode.snapshot.backfillBlocks",
        "{fullNode: {snapshot: {stateSync: {}, backfillBlocks: -1}}}",
    ),
    (
        "fullNode.snapshot.bootstrapImage",
        "{fullNode: {snapshot: {stateSync: {}, bootstrapImage: 'seid:v0'}}}",
    ),
    ("fullNode.snapshot.s3.targetHeight", "{fullNode: {snapshot: {s3: {targetHeight: 0}}}}"),
    ("fullNode.snapshot.stateSync", "{fullNode: {snapshot: {stateSync: true}}}"),
    (
        "fullNode.snapshot.trustPeriod",
        "{fullNode: {snapshot: {stateSync: {}, trustPeriod: a week}}}",
    ),
    (
        "fullNode.snapshotGeneration.tendermint.keepRecent",
        "{fullNode: {snapshotGeneration: {tendermint: {keepRecent: 0}}}}",
    ),
    (
        "fullNode.snapshotGeneration.tendermint.publish",
        "{fullNode: {snapshotGeneration: {tendermint: {keepRecent: 1, publish: {}}}}}",
    ),
    ("image", "{image: 'seid: v1'}"),
    ("paused", "{paused: sometimes}"),
    ("peers[].ec2Tags.region", "{peers: [{ec2Tags: {region: '', tags: {a: b}}}]}"),
    ("peers[].label.namespace", "{peers: [{label: {namespace: Two Words, selector: {a: b}}}]}"),
    ("peers[].label.selector.*", "{peers: [{label: {selector: {a: two words}}}]}"),
    ("peers[].static.addresses[]", "{peers: [{static: {addresses: [nobody]}}]}"),
    ("podLabels.*", "{podLabels: {a: two words}}"),
    (
        "replayer.resultExport.shadowResult.canonicalRpc",
        "{fullNode: null, peers: [{label: {selector: {a: b}}}], replayer: {\
         snapshot: {s3: {targetHeight: 1}}, resultExport: {shadowResult: {canonicalRpc: ''}}}}",
    ),
    (
        "replayer.snapshot.backfillBlocks",
        "{fullNode: null, peers: [{label: {selector: {a: b}}}], replayer: {\
         snapshot: {s3: {targetHeight: 1}, backfillBlocks: -1}}}",
    ),
    (
        "replayer.snapshot.bootstrapImage",
        "{fullNode: null, peers: [{label: {selector: {a: b}}}], replayer: {\
         snapshot: {stateSync: {}, bootstrapImage: 'seid:v0'}}}",
    ),
    (
        "replayer.snapshot.s3.targetHeight",
        "{fullNode: null, peers: [{label: {selector: {a: b}}}], replayer: {\
         snapshot: {s3: {targetHeight: 0}}}}",
    ),
    ("replayer.snapshot.stateSync", "{fullNode: null, replayer: {snapshot: {stateSync: true}}}"),
    (
        "replayer.snapshot.trustPeriod",
        "{fullNode: null, peers: [{label: {selector: {a: b}}}], replayer: {\
         snapshot: {s3: {targetHeight: 1}, trustPeriod: a week}}}",
    ),
    ("sidecar.image", "{sidecar: {image: 'seictl: v1'}}"),
    ("sidecar.port", "{sidecar: {port: 65536}}"),
    ("sidecar.resources.claims[].name", "{sidecar: {resources: {claims: [{name: gpu}]}}}"),
    (
        "sidecar.resources.claims[].request",
        "{sidecar: {resources: {claims: [{name: gpu, request: one}]}}}",
    ),
    ("sidecar.resources.limits.*", "{sidecar: {resources: {limits: {cpu: much}}}}"),
    ("sidecar.resources.requests.*", "{sidecar: {resources: {requests: {cpu: -1}}}}"),
    (
        "validator.genesisCeremony.accountBalance",
        "{fullNode: null, validator: {genesisCeremony: {\
      chainId: a, stakingAmount: 1usei, accountBalance: '', index: 0}}}",
    ),
    (
        "validator.genesisCeremony.chainId",
        "{fullNode: null, validator: {genesisCeremony: {\
      chainId: '', stakingAmount: 1usei, accountBalance: 1usei, index: 0}}}",
    ),
    (
        "validator.genesisCeremony.index",
        "{fullNode: null, validator: {genesisCeremony: {\
      chainId: a, stakingAmount: 1usei, accountBalance: 1usei, index: -1}}}",
    ),
    (
        "validator.genesisCeremony.stakingAmount",
        "{fullNode: null, validator: {genesisCeremony: {\
      chainId: a, stakingAmount: '', accountBalance: 1usei, index: 0}}}",
    ),
    (
        "validator.nodeKey.secret.secretName",
        "{fullNode: null, validator: {\
      signingKey: {secret: {secretName: s}}, nodeKey: {secret: {secretName: Two Words}}}}",
    ),
    (
        "validator.operatorKeyring.secret.keyName",
        "{fullNode: null, validator: {\
      operatorKeyring: {secret: {secretName: k, keyName: two words, \
      passphraseSecretRef: {secretName: p, key: v}}}}}",
    ),
    (
        "validator.operatorKeyring.secret.passphraseSecretRef.key",
        "{fullNode: null, validator: {\
      operatorKeyring: {secret: {secretName: k, passphraseSecretRef: {secretName: p, key: ''}}}}}",
    ),
    (
        "validator.operatorKeyring.secret.passphraseSecretRef.secretName",
        "{fullNode: null, \
      validator: {operatorKeyring: {secret: {secretName: k, \
      passphraseSecretRef: {secretName: Two Words, key: v}}}}}",
    ),
    (
        "validator.operatorKeyring.secret.secretName",
        "{fullNode: null, validator: {\
      operatorKeyring: {secret: {secretName: '', passphraseSecretRef: {secretName: p, key: v}}}}}",
    ),
    (
        "validator.signingKey.secret.secretName",
        "{fullNode: null, validator: {\
      signingKey: {secret: {secretName: Two Words}}, nodeKey: {secret: {secretName: n}}}}",
    ),
    (
        "validator.snapshot.backfillBlocks",
        "{fullNode: null, validator: {snapshot: {stateSync: {}, backfillBlocks: -1}}}",
    ),
    (
        "validator.snapshot.bootstrapImage",
        "{fullNode: null, validator: {snapshot: {stateSync: {}, bootstrapImage: 'seid:v0'}}}",
    ),
    (
        "validator.snapshot.s3.targetHeight",
        "{fullNode: null, validator: {snapshot: {s3: {targetHeight: 0}}}}",
    ),
    ("validator.snapshot.stateSync", "{fullNode: null, validator: {snapshot: {stateSync: true}}}"),
    (
        "validator.snapshot.trustPeriod",
        "{fullNode: null, validator: {snapshot: {stateSync: {}, trustPeriod: a week}}}",
    ),
];

/// Of a fleet's spec, besides its template.
pub const FLEET: &[Row] = &[
    ("deletionPolicy", "{deletionPolicy: Orphan}"),
    ("genesis.accountBalance", "{genesis: {chainId: pacific-1, accountBalance: 1}}"),
    (
        "genesis.accounts[].address",
        "{genesis: {chainId: pacific-1, \
      accounts: [{address: '', balance: 1usei}]}}",
    ),
    (
        "genesis.accounts[].balance",
        "{genesis: {chainId: pacific-1, \
      accounts: [{address: a, balance: ''}]}}",
    ),
    ("genesis.chainId", "{genesis: {chainId: Two Words}}"),
    (
        "genesis.maxCeremonyDuration",
        "{genesis: {chainId: pacific-1, maxCeremonyDuration: an hour}}",
    ),
    ("genesis.stakingAmount", "{genesis: {chainId: pacific-1, stakingAmount: 1}}"),
    ("networking", "{networking: true}"),
    ("paused", "{paused: sometimes}"),
    ("progressDeadlineSeconds", "{progressDeadlineSeconds: 0}"),
    ("replicas", "{replicas: 101}"),
    ("template.metadata.annotations.*", "{template: {metadata: {annotations: {two words: a}}}}"),
    ("template.metadata.labels.*", "{template: {metadata: {labels: {a: two words}}}}"),
    ("updateStrategy.inPlace.maxUnavailable", "{updateStrategy: {inPlace: {maxUnavailable: 0%}}}"),
    (
        "updateStrategy.inPlace.minReadySeconds",
        "{updateStrategy: {inPlace: {\
      minReadySeconds: -1}}}",
    ),
    ("updateStrategy.inPlace.onFailure", "{updateStrategy: {inPlace: {onFailure: Delete}}}"),
    ("updateStrategy.inPlace.order", "{updateStrategy: {inPlace: {order: Random}}}"),
    ("updateStrategy.inPlace.partition", "{updateStrategy: {inPlace: {partition: -1}}}"),
    ("updateStrategy.type", "{updateStrategy: {type: Canary}}"),
];
