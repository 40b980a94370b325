//! Rows about the spec of a fleet.

use crate::cases::{Case, Update};

const GENESIS: &str = "{template: {spec: {fullNode: null, validator: {}}}, \
                       genesis: {chainId: pacific-1}}";

const NOT_A_VALIDATOR: &str = "genesis is meaningful only for validator-role deployments (full \
    nodes inherit genesis from the validator ceremony's S3 artifact); remove spec.genesis or \
    set template.spec.validator: {}";

/// Created as a SeiNodeDeployment.
pub const CASES: &[Case] = &[
    Case {
        name: "the template is required",
        pass: "{}",
        fail: "{template: null}",
        errors: &[("spec.template", "Required value")],
    },
    Case {
        name: "there is a strategy, and it may be left out",
        pass: "{updateStrategy: null}",
        fail: "{updateStrategy: {type: BlueGreen}}",
        errors: &[(
            "spec.updateStrategy.type",
            "Unsupported value: \"BlueGreen\": supported values: \"InPlace\"",
        )],
    },
    Case {
        name: "an empty strategy has no empty word",
        pass: "{updateStrategy: {type: null}}",
        fail: "{updateStrategy: {type: ''}}",
        errors: &[(
            "spec.updateStrategy.type",
            "Unsupported value: \"\": supported values: \"InPlace\"",
        )],
    },
    Case {
        name: "at least one child",
        pass: "{replicas: 1}",
        fail: "{replicas: 0}",
        errors: &[("spec.replicas", "in body should be greater than or equal to 1")],
    },
    Case {
        name: "at most a hundred children",
        pass: "{replicas: 100}",
        fail: "{replicas: 101}",
        errors: &[("spec.replicas", "in body should be less than or equal to 100")],
    },
    Case {
        name: "children are deleted or kept",
        pass: "{deletionPolicy: Retain}",
        fail: "{deletionPolicy: Orphan}",
        errors: &[(
            "spec.deletionPolicy",
            "Unsupported value: \"Orphan\": supported values: \"Delete\", \"Retain\"",
        )],
    },
    Case {
        name: "networking has no settings",
        pass: "{networking: {}}",
        fail: "{networking: {tls: 1}}",
        errors: &[("", "strict decoding error: unknown field \"spec.networking.tls\"")],
    },
    Case {
        name: "metadata of the template are labels and annotations",
        pass: "{template: {metadata: {labels: {a: b}, annotations: {c: d}}}}",
        fail: "{template: {metadata: {name: x}}}",
        errors: &[("", "strict decoding error: unknown field \"spec.template.metadata.name\"")],
    },
    Case {
        name: "only validators hold a ceremony",
        pass: GENESIS,
        fail: "{genesis: {chainId: pacific-1}}",
        errors: &[("spec", NOT_A_VALIDATOR)],
    },
    Case {
        name: "a ceremony founds the chain of the template",
        pass: GENESIS,
        fail: "{template: {spec: {fullNode: null, validator: {}}}, genesis: {chainId: other}}",
        errors: &[("spec", "spec.genesis.chainId must equal spec.template.spec.chainId")],
    },
    Case {
        name: "a founded chain has a name of one character or more",
        pass: "{template: {spec: {fullNode: null, validator: {}, chainId: a}}, \
               genesis: {chainId: a}}",
        fail: "{template: {spec: {fullNode: null, validator: {}}}, genesis: {}}",
        errors: &[("spec.genesis.chainId", "Required value")],
    },
    Case {
        name: "a founded chain is a label value",
        pass: GENESIS,
        fail: "{template: {spec: {fullNode: null, validator: {}}}, \
               genesis: {chainId: a23456789-123456789-123456789-123456789-123456789-123456789-2345}}",
        errors: &[("spec.genesis.chainId", "may not be more than 63 bytes")],
    },
    Case {
        name: "genesis accounts are complete",
        pass: "{template: {spec: {fullNode: null, validator: {}}}, genesis: {\
               chainId: pacific-1, accounts: [{address: a, balance: b}], stakingAmount: ''}}",
        fail: "{template: {spec: {fullNode: null, validator: {}}}, genesis: {\
               chainId: pacific-1, accounts: [{address: '', balance: ''}]}}",
        errors: &[
            ("spec.genesis.accounts[0].address", "in body should be at least 1 chars long"),
            ("spec.genesis.accounts[0].balance", "in body should be at least 1 chars long"),
        ],
    },
    Case {
        name: "a ceremony is bounded by a duration",
        pass: "{template: {spec: {fullNode: null, validator: {}}}, \
               genesis: {chainId: pacific-1, maxCeremonyDuration: 1h0m0.5s}}",
        fail: "{template: {spec: {fullNode: null, validator: {}}}, \
               genesis: {chainId: pacific-1, maxCeremonyDuration: banana}}",
        errors: &[("spec.genesis.maxCeremonyDuration", "must be a Go duration such as 15m")],
    },
    Case {
        name: "one holder per consensus key",
        pass: "{replicas: 1, template: {spec: {fullNode: null, validator: {\
               signingKey: {secret: {secretName: s}}, nodeKey: {secret: {secretName: m}}}}}}",
        fail: "{replicas: 2, template: {spec: {fullNode: null, validator: {\
               signingKey: {secret: {secretName: s}}, nodeKey: {secret: {secretName: m}}}}}}",
        errors: &[("spec", "validator.signingKey requires replicas: 1")],
    },
    Case {
        name: "one node per imported claim",
        pass: "{replicas: 1, template: {spec: {dataVolume: {import: {pvcName: p}}}}}",
        fail: "{replicas: 2, template: {spec: {dataVolume: {import: {pvcName: p}}}}}",
        errors: &[("spec", "dataVolume.import requires replicas: 1")],
    },
];

/// Stored and edited as a SeiNodeDeployment.
pub const UPDATES: &[Update] = &[
    Update {
        name: "a ceremony is immutable",
        stored: GENESIS,
        pass: "{replicas: 4, deletionPolicy: Retain, networking: {}}",
        fail: "{genesis: {stakingAmount: 2usei}}",
        errors: &[("spec.genesis", "spec.genesis is immutable after creation")],
    },
    Update {
        name: "free-form values of a ceremony are immutable",
        stored: "{template: {spec: {fullNode: null, validator: {}}}, \
                 genesis: {chainId: pacific-1, overrides: {a: {b: {c: 1}}}}}",
        pass: "{replicas: 2}",
        fail: "{genesis: {overrides: {a: {b: {c: 2}}}}}",
        errors: &[("spec.genesis", "spec.genesis is immutable after creation")],
    },
    Update {
        name: "a ceremony stays",
        stored: GENESIS,
        pass: "{template: {spec: {image: 'seid:v2'}}}",
        fail: "{genesis: null}",
        errors: &[("spec", "spec.genesis cannot be added or removed after creation")],
    },
    Update {
        name: "a ceremony does not come later",
        stored: "{template: {spec: {fullNode: null, validator: {}}}}",
        pass: "{replicas: 4}",
        fail: "{genesis: {chainId: pacific-1}}",
        errors: &[("spec", "spec.genesis cannot be added or removed after creation")],
    },
    Update {
        name: "a ceremony keeps its validators",
        stored: GENESIS,
        pass: "{replicas: 4}",
        fail: "{template: {spec: {fullNode: {}, validator: null}}}",
        errors: &[("spec", NOT_A_VALIDATOR), ("spec.template.spec", "the node mode is immutable")],
    },
    Update {
        name: "a signer is not scaled up",
        stored: "{template: {spec: {fullNode: null, validator: {\
                 signingKey: {secret: {secretName: s}}, nodeKey: {secret: {secretName: m}}}}}}",
        pass: "{template: {spec: {image: 'seid:v2'}}}",
        fail: "{replicas: 2}",
        errors: &[("spec", "validator.signingKey requires replicas: 1")],
    },
    Update {
        name: "the strategy may go and come",
        stored: "{}",
        pass: "{updateStrategy: null}",
        fail: "",
        errors: &[],
    },
];
