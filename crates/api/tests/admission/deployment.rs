//! Rows about the spec of a fleet.

use crate::cases::{Case, Update};

const GENESIS: &str = "{template: {spec: {fullNode: null, validator: {}}}, \
                       genesis: {chainId: pacific-1}}";

const NOT_A_VALIDATOR: &str = "genesis is meaningful only for validator-role deployments (full \
    nodes inherit genesis from the validator ceremony's S3 artifact); remove spec.genesis or \
    set template.spec.validator: {}";

const DEADLINE: &str =
    "progressDeadlineSeconds must be greater than updateStrategy.inPlace.minReadySeconds";

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
        name: "how many may be down is a count of one or more",
        pass: "{updateStrategy: {inPlace: {maxUnavailable: 1}}}",
        fail: "{updateStrategy: {inPlace: {maxUnavailable: 0}}}",
        errors: &[(
            "spec.updateStrategy.inPlace.maxUnavailable",
            "in body should be greater than or equal to 1",
        )],
    },
    Case {
        name: "how many may be down is a count within the fleet's bound",
        pass: "{updateStrategy: {inPlace: {maxUnavailable: 100}}}",
        fail: "{updateStrategy: {inPlace: {maxUnavailable: 101}}}",
        errors: &[(
            "spec.updateStrategy.inPlace.maxUnavailable",
            "in body should be less than or equal to 100",
        )],
    },
    Case {
        name: "how many may be down is a share above nothing",
        pass: "{updateStrategy: {inPlace: {maxUnavailable: 100%}}}",
        fail: "{updateStrategy: {inPlace: {maxUnavailable: 0%}}}",
        errors: &[(
            "spec.updateStrategy.inPlace.maxUnavailable",
            "in body should match '^(100|[1-9][0-9]?)%$'",
        )],
    },
    Case {
        name: "how many may be down is a share of at most all",
        pass: "{updateStrategy: {inPlace: {maxUnavailable: 1%}}}",
        fail: "{updateStrategy: {inPlace: {maxUnavailable: 101%}}}",
        errors: &[(
            "spec.updateStrategy.inPlace.maxUnavailable",
            "in body should match '^(100|[1-9][0-9]?)%$'",
        )],
    },
    Case {
        name: "how many may be down is no word",
        pass: "{updateStrategy: {inPlace: {maxUnavailable: 25%}}}",
        fail: "{updateStrategy: {inPlace: {maxUnavailable: 'all'}}}",
        errors: &[(
            "spec.updateStrategy.inPlace.maxUnavailable",
            "in body should match '^(100|[1-9][0-9]?)%$'",
        )],
    },
    Case {
        name: "a partition is an ordinal",
        pass: "{updateStrategy: {inPlace: {partition: 0}}}",
        fail: "{updateStrategy: {inPlace: {partition: -1}}}",
        errors: &[(
            "spec.updateStrategy.inPlace.partition",
            "in body should be greater than or equal to 0",
        )],
    },
    Case {
        name: "a partition is an ordinal within the fleet's bound",
        pass: "{updateStrategy: {inPlace: {partition: 100}}}",
        fail: "{updateStrategy: {inPlace: {partition: 101}}}",
        errors: &[(
            "spec.updateStrategy.inPlace.partition",
            "in body should be less than or equal to 100",
        )],
    },
    Case {
        name: "a node proves itself for no less than nothing",
        pass: "{updateStrategy: {inPlace: {minReadySeconds: 0}}}",
        fail: "{updateStrategy: {inPlace: {minReadySeconds: -1}}}",
        errors: &[(
            "spec.updateStrategy.inPlace.minReadySeconds",
            "in body should be greater than or equal to 0",
        )],
    },
    Case {
        name: "a node proves itself for at most a day",
        pass: "{progressDeadlineSeconds: 90000, \
               updateStrategy: {inPlace: {minReadySeconds: 86400}}}",
        fail: "{progressDeadlineSeconds: 90000, \
               updateStrategy: {inPlace: {minReadySeconds: 86401}}}",
        errors: &[(
            "spec.updateStrategy.inPlace.minReadySeconds",
            "in body should be less than or equal to 86400",
        )],
    },
    Case {
        name: "there are two orders",
        pass: "{updateStrategy: {inPlace: {order: OrdinalAscending}}}",
        fail: "{updateStrategy: {inPlace: {order: Random}}}",
        errors: &[(
            "spec.updateStrategy.inPlace.order",
            "Unsupported value: \"Random\": supported values: \"OrdinalDescending\", \
             \"OrdinalAscending\"",
        )],
    },
    Case {
        name: "a failing update is held or rolled back",
        pass: "{updateStrategy: {inPlace: {onFailure: Rollback}}}",
        fail: "{updateStrategy: {inPlace: {onFailure: Delete}}}",
        errors: &[(
            "spec.updateStrategy.inPlace.onFailure",
            "Unsupported value: \"Delete\": supported values: \"Hold\", \"Rollback\"",
        )],
    },
    Case {
        name: "a deadline is a time",
        pass: "{progressDeadlineSeconds: 1}",
        fail: "{progressDeadlineSeconds: 0}",
        // The rule that compares it with the default speaks up too.
        errors: &[
            ("spec.progressDeadlineSeconds", "in body should be greater than or equal to 1"),
            ("spec", DEADLINE),
        ],
    },
    Case {
        name: "a deadline is a 32-bit number",
        pass: "{progressDeadlineSeconds: 2147483647}",
        fail: "{progressDeadlineSeconds: 2147483648}",
        errors: &[(
            "spec.progressDeadlineSeconds",
            "in body should be less than or equal to 2147483647",
        )],
    },
    Case {
        name: "a node proves itself in less than the default deadline",
        pass: "{updateStrategy: {inPlace: {minReadySeconds: 599}}}",
        fail: "{updateStrategy: {inPlace: {minReadySeconds: 600}}}",
        errors: &[("spec", DEADLINE)],
    },
    Case {
        name: "a node proves itself in less than the deadline",
        pass: "{progressDeadlineSeconds: 5, updateStrategy: {inPlace: {minReadySeconds: 4}}}",
        fail: "{progressDeadlineSeconds: 5, updateStrategy: {inPlace: {minReadySeconds: 5}}}",
        errors: &[("spec", DEADLINE)],
    },
    Case {
        name: "a fleet is paused or not",
        pass: "{paused: true}",
        fail: "{paused: 'yes'}",
        errors: &[("spec.paused", "must be of type boolean: \"string\"")],
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
