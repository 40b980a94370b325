//! Rows about the spec of a task.

use crate::cases::{Case, Update};

const VOTE: &str = "{kind: GovVote, updateNodeImage: null, govVote: {\
    chainId: c, proposalId: 1, option: 'yes', fees: 1usei, gas: 1}}";

const UPGRADE: &str = "{kind: GovSoftwareUpgrade, updateNodeImage: null, govSoftwareUpgrade: {\
    chainId: c, title: t, description: d, upgradeName: u, upgradeHeight: 1, \
    initialDeposit: 1usei, fees: 1usei, gas: 9223372036854775807}}";

const AWAIT: &str = "{kind: AwaitCondition, updateNodeImage: null, \
    awaitCondition: {height: {targetHeight: 1}, action: SIGTERM_SEID}}";

const HEIGHT: &str =
    "{kind: AwaitNodesAtHeight, updateNodeImage: null, awaitNodesAtHeight: {targetHeight: 1}}";

const ONE_PAYLOAD: (&str, &str) = (
    "spec",
    "exactly one of govSoftwareUpgrade, govVote, awaitCondition, updateNodeImage, or \
     awaitNodesAtHeight must be set",
);

/// Created as a SeiNodeTask.
pub const CASES: &[Case] = &[
    Case {
        name: "a payload, not none",
        pass: "{}",
        fail: "{updateNodeImage: null}",
        errors: &[
            ONE_PAYLOAD,
            ("spec", "spec.updateNodeImage is required when kind=UpdateNodeImage"),
        ],
    },
    Case {
        name: "a payload, not two",
        pass: HEIGHT,
        fail: "{awaitNodesAtHeight: {targetHeight: 1}}",
        errors: &[ONE_PAYLOAD],
    },
    Case {
        name: "a vote has its payload",
        pass: VOTE,
        fail: "{kind: GovVote}",
        errors: &[("spec", "spec.govVote is required when kind=GovVote")],
    },
    Case {
        name: "an upgrade proposal has its payload",
        pass: UPGRADE,
        fail: "{kind: GovSoftwareUpgrade}",
        errors: &[("spec", "spec.govSoftwareUpgrade is required when kind=GovSoftwareUpgrade")],
    },
    Case {
        name: "a wait for a condition has its payload",
        pass: AWAIT,
        fail: "{kind: AwaitCondition}",
        errors: &[("spec", "spec.awaitCondition is required when kind=AwaitCondition")],
    },
    Case {
        name: "a wait for a height has its payload",
        pass: HEIGHT,
        fail: "{kind: AwaitNodesAtHeight}",
        errors: &[("spec", "spec.awaitNodesAtHeight is required when kind=AwaitNodesAtHeight")],
    },
    Case {
        name: "the kind is one of the list",
        pass: "{}",
        fail: "{kind: RestartSeid}",
        errors: &[(
            "spec.kind",
            "Unsupported value: \"RestartSeid\": supported values: \"GovSoftwareUpgrade\", \
             \"GovVote\", \"AwaitCondition\", \"UpdateNodeImage\", \"AwaitNodesAtHeight\"",
        )],
    },
    Case {
        name: "the target is named",
        pass: "{target: {nodeRef: {name: a-b}}}",
        fail: "{target: null}",
        errors: &[("spec.target", "Required value")],
    },
    Case {
        name: "the target has a name without dots",
        pass: "{}",
        fail: "{target: {nodeRef: {name: a.b}}}",
        errors: &[(
            "spec.target.nodeRef.name",
            "in body should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'",
        )],
    },
    Case {
        name: "the target is in a phase of nodes",
        pass: "{target: {requirePhase: Failed}}",
        fail: "{target: {requirePhase: ''}}",
        errors: &[(
            "spec.target.requirePhase",
            "Unsupported value: \"\": supported values: \"Pending\", \"Initializing\", \
             \"Running\", \"Failed\", \"Terminating\"",
        )],
    },
    Case {
        name: "the wait for the target is a duration",
        pass: "{target: {requirePhaseTimeout: 1h30m}}",
        fail: "{target: {requirePhaseTimeout: banana}}",
        errors: &[("spec.target.requirePhaseTimeout", "must be a Go duration such as 5m")],
    },
    Case {
        name: "a time-out is not negative",
        pass: "{timeoutSeconds: 0}",
        fail: "{timeoutSeconds: -1}",
        errors: &[("spec.timeoutSeconds", "in body should be greater than or equal to 0")],
    },
    Case {
        name: "a time-out has 32 bits",
        pass: "{timeoutSeconds: 2147483647}",
        fail: "{timeoutSeconds: 2147483648}",
        errors: &[("spec.timeoutSeconds", "should be less than or equal to 2147483647")],
    },
    Case {
        name: "a vote is one of the list",
        pass: "{kind: GovVote, updateNodeImage: null, govVote: {\
               chainId: c, proposalId: 1, option: no-with-veto, fees: 1usei, gas: 1}}",
        fail: "{kind: GovVote, updateNodeImage: null, govVote: {\
               chainId: c, proposalId: 1, option: maybe, fees: 1usei, gas: 1}}",
        errors: &[(
            "spec.govVote.option",
            "Unsupported value: \"maybe\": supported values: \"yes\", \"no\", \"abstain\", \
             \"no_with_veto\", \"no-with-veto\"",
        )],
    },
    Case {
        name: "a vote is text",
        pass: VOTE,
        fail: "{kind: GovVote, updateNodeImage: null, govVote: {\
               chainId: c, proposalId: 1, option: true, fees: 1usei, gas: 1}}",
        errors: &[
            ("spec.govVote.option", "must be of type string: \"boolean\""),
            (
                "spec.govVote.option",
                "supported values: \"yes\", \"no\", \"abstain\", \"no_with_veto\", \
                 \"no-with-veto\"",
            ),
        ],
    },
    Case {
        name: "a vote is complete",
        pass: "{kind: GovVote, updateNodeImage: null, govVote: {\
               chainId: c, proposalId: 1, option: 'no', fees: 1usei, gas: 1, keyName: a_B-1}}",
        fail: "{kind: GovVote, updateNodeImage: null, govVote: {\
               chainId: '', proposalId: 0, option: 'no', fees: '', gas: 0, keyName: ''}}",
        errors: &[
            ("spec.govVote.chainId", "in body should be at least 1 chars long"),
            ("spec.govVote.proposalId", "in body should be greater than or equal to 1"),
            ("spec.govVote.fees", "in body should be at least 1 chars long"),
            ("spec.govVote.gas", "in body should be greater than or equal to 1"),
            ("spec.govVote.keyName", "in body should match '^[a-zA-Z0-9_-]+$'"),
        ],
    },
    Case {
        name: "an upgrade proposal is complete",
        pass: UPGRADE,
        fail: "{kind: GovSoftwareUpgrade, updateNodeImage: null, govSoftwareUpgrade: {\
               chainId: '', title: '', description: '', upgradeName: '', upgradeHeight: 0, \
               initialDeposit: '', fees: '', gas: 0, keyName: a b}}",
        errors: &[
            ("spec.govSoftwareUpgrade.chainId", "in body should be at least 1 chars long"),
            ("spec.govSoftwareUpgrade.title", "in body should be at least 1 chars long"),
            ("spec.govSoftwareUpgrade.description", "in body should be at least 1 chars long"),
            ("spec.govSoftwareUpgrade.upgradeName", "in body should be at least 1 chars long"),
            (
                "spec.govSoftwareUpgrade.upgradeHeight",
                "in body should be greater than or equal to 1",
            ),
            ("spec.govSoftwareUpgrade.initialDeposit", "in body should be at least 1 chars long"),
            ("spec.govSoftwareUpgrade.fees", "in body should be at least 1 chars long"),
            ("spec.govSoftwareUpgrade.gas", "in body should be greater than or equal to 1"),
            ("spec.govSoftwareUpgrade.keyName", "in body should match '^[a-zA-Z0-9_-]+$'"),
        ],
    },
    Case {
        name: "an awaited condition is of some kind",
        pass: "{kind: AwaitCondition, updateNodeImage: null, \
               awaitCondition: {height: {targetHeight: 1}}}",
        fail: "{kind: AwaitCondition, updateNodeImage: null, awaitCondition: {}}",
        errors: &[("spec.awaitCondition", "exactly one condition must be set (currently: height)")],
    },
    Case {
        name: "an action after a condition is one of the list",
        pass: AWAIT,
        fail: "{kind: AwaitCondition, updateNodeImage: null, \
               awaitCondition: {height: {targetHeight: 0}, action: ''}}",
        errors: &[
            (
                "spec.awaitCondition.height.targetHeight",
                "in body should be greater than or equal to 1",
            ),
            (
                "spec.awaitCondition.action",
                "Unsupported value: \"\": supported values: \"SIGTERM_SEID\"",
            ),
        ],
    },
    Case {
        name: "an awaited height is a height",
        pass: HEIGHT,
        fail: "{kind: AwaitNodesAtHeight, updateNodeImage: null, \
               awaitNodesAtHeight: {targetHeight: 0}}",
        errors: &[(
            "spec.awaitNodesAtHeight.targetHeight",
            "in body should be greater than or equal to 1",
        )],
    },
    Case {
        name: "the new image is named",
        pass: "{updateNodeImage: {image: i}}",
        fail: "{updateNodeImage: {image: ''}}",
        errors: &[("spec.updateNodeImage.image", "in body should be at least 1 chars long")],
    },
];

/// Stored and edited as a SeiNodeTask.
pub const UPDATES: &[Update] = &[
    Update {
        name: "the kind is immutable",
        stored: "{}",
        pass: "{timeoutSeconds: 5}",
        fail: "{kind: AwaitNodesAtHeight, updateNodeImage: null, \
               awaitNodesAtHeight: {targetHeight: 1}}",
        errors: &[("spec", "spec.kind is immutable")],
    },
    Update {
        name: "the target is immutable",
        stored: "{}",
        pass: "{timeoutSeconds: 5}",
        fail: "{target: {nodeRef: {name: m}}}",
        errors: &[("spec", "spec.target is immutable")],
    },
    Update {
        name: "the new image is immutable",
        stored: "{}",
        pass: "{updateNodeImage: {image: 'seid:v2'}}",
        fail: "{updateNodeImage: {image: 'seid:v3'}}",
        errors: &[("spec.updateNodeImage", "spec.updateNodeImage is immutable")],
    },
    Update {
        name: "a vote is immutable",
        stored: VOTE,
        pass: "{timeoutSeconds: 5}",
        fail: "{govVote: {option: 'no'}}",
        errors: &[("spec.govVote", "spec.govVote is immutable")],
    },
    Update {
        name: "an upgrade proposal is immutable",
        stored: UPGRADE,
        pass: "{timeoutSeconds: 5}",
        fail: "{govSoftwareUpgrade: {memo: m}}",
        errors: &[("spec.govSoftwareUpgrade", "spec.govSoftwareUpgrade is immutable")],
    },
    Update {
        name: "an awaited condition is immutable",
        stored: AWAIT,
        pass: "{timeoutSeconds: 5}",
        fail: "{awaitCondition: {action: null}}",
        errors: &[("spec.awaitCondition", "spec.awaitCondition is immutable")],
    },
    Update {
        name: "an awaited height is immutable",
        stored: HEIGHT,
        pass: "{timeoutSeconds: 5}",
        fail: "{awaitNodesAtHeight: {targetHeight: 2}}",
        errors: &[("spec.awaitNodesAtHeight", "spec.awaitNodesAtHeight is immutable")],
    },
];
