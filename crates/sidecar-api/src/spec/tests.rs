//! Every task: wire shape, stored shape in both spellings, and the words of refusal.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{ConfigMode, GenesisAccount, GenesisNode, PeerSource, TaskRequest, VoteOption};

fn texts(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn pairs(items: &[(&str, &str)]) -> BTreeMap<String, String> {
    items.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn sources() -> DiscoverPeers {
    DiscoverPeers {
        sources: vec![
            PeerSource::Ec2Tags {
                region: "eu-central-1".into(),
                tags: pairs(&[("ChainIdentifier", "pacific-1"), ("Name", "x")]),
            },
            PeerSource::Static { addresses: texts(&["ab@1.2.3.4:26656"]) },
            PeerSource::DnsEndpoints { endpoints: texts(&["rpc-0-0.rpc-0.sei.svc"]) },
        ],
    }
}

fn assemble() -> AssembleGenesis {
    AssembleGenesis {
        account_balance: "1000usei".into(),
        namespace: "sei".into(),
        nodes: vec![GenesisNode { name: "val-0".into() }, GenesisNode { name: "val-1".into() }],
        accounts: vec![GenesisAccount {
            address: "sei1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5jwagqa".into(),
            balance: "5usei".into(),
        }],
        overrides: BTreeMap::from([("gov.params.Mode".to_owned(), json!({"TargetHeight": null}))]),
    }
}

fn upgrade() -> GovSoftwareUpgrade {
    GovSoftwareUpgrade {
        chain_id: "pacific-1".into(),
        key_name: "node_admin".into(),
        title: "t".into(),
        description: "d".into(),
        upgrade_name: "v6".into(),
        upgrade_height: 1_000_000,
        upgrade_info: Some("i".into()),
        initial_deposit: "10000000usei".into(),
        fees: "2000usei".into(),
        gas: 200_000,
        memo: Some("m".into()),
    }
}

fn vote() -> GovVote {
    GovVote {
        chain_id: "pacific-1".into(),
        key_name: "node_admin".into(),
        proposal_id: 42,
        option: VoteOption::Yes,
        fees: "2000usei".into(),
        gas: 200_000,
        memo: None,
    }
}

/// One full value of every type, in the order of [`TaskType::ALL`].
fn one_of_each() -> Vec<TaskSpec> {
    vec![
        TaskSpec::AssembleAndUploadGenesis(assemble()),
        TaskSpec::AwaitCondition(AwaitCondition {
            condition: AwaitedCondition::Height { target_height: 555 },
            action: Some(AwaitAction::SigtermSeid),
        }),
        TaskSpec::ConfigApply(ConfigIntent::new(
            ConfigMode::Full,
            pairs(&[("logging.level", "info")]),
        )),
        TaskSpec::ConfigValidate,
        TaskSpec::ConfigureGenesis,
        TaskSpec::ConfigureStateSync(ConfigureStateSync {
            use_local_snapshot: true,
            trust_period: "9999h0m0s".into(),
            backfill_blocks: 6000,
        }),
        TaskSpec::DiscoverPeers(sources()),
        TaskSpec::GenerateGentx(GenerateGentx {
            chain_id: "loadnet-1".into(),
            staking_amount: "10usei".into(),
            account_balance: "100usei".into(),
        }),
        TaskSpec::GenerateIdentity(GenerateIdentity {
            chain_id: "loadnet-1".into(),
            moniker: "loadnet-0".into(),
        }),
        TaskSpec::GovSoftwareUpgrade(upgrade()),
        TaskSpec::GovVote(vote()),
        TaskSpec::MarkReady,
        TaskSpec::SetGenesisPeers,
        TaskSpec::SnapshotRestore { target_height: 100_000_000 },
        TaskSpec::SnapshotUpload,
        TaskSpec::UploadGenesisArtifacts { node_name: "loadnet-0".into() },
    ]
}

#[test]
fn the_examples_cover_every_type() {
    let types: Vec<TaskType> = one_of_each().iter().map(TaskSpec::task_type).collect();
    assert_eq!(types, TaskType::ALL);
}

#[test]
fn request_bodies_are_the_golden_ones() {
    let bodies: Vec<String> = one_of_each()
        .iter()
        .map(|spec| serde_json::to_string(&TaskRequest::new(uuid::Uuid::nil(), spec)).unwrap())
        .map(|body| body.replace("00000000-0000-0000-0000-000000000000", "ID"))
        .collect();
    expect_test::expect![[r#"
        {"id":"ID","type":"assemble-and-upload-genesis","params":{"accountBalance":"1000usei","accounts":[{"address":"sei1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5jwagqa","balance":"5usei"}],"namespace":"sei","nodes":[{"name":"val-0"},{"name":"val-1"}],"overrides":{"gov.params.Mode":{"TargetHeight":null}}}}
        {"id":"ID","type":"await-condition","params":{"action":"SIGTERM_SEID","condition":"height","targetHeight":555}}
        {"id":"ID","type":"config-apply","params":{"incremental":false,"mode":"full","overrides":{"logging.level":"info"},"targetVersion":0}}
        {"id":"ID","type":"config-validate"}
        {"id":"ID","type":"configure-genesis"}
        {"id":"ID","type":"configure-state-sync","params":{"backfillBlocks":6000,"trustPeriod":"9999h0m0s","useLocalSnapshot":true}}
        {"id":"ID","type":"discover-peers","params":{"sources":[{"region":"eu-central-1","tags":{"ChainIdentifier":"pacific-1","Name":"x"},"type":"ec2Tags"},{"addresses":["ab@1.2.3.4:26656"],"type":"static"},{"endpoints":["rpc-0-0.rpc-0.sei.svc"],"type":"dnsEndpoints"}]}}
        {"id":"ID","type":"generate-gentx","params":{"accountBalance":"100usei","chainId":"loadnet-1","stakingAmount":"10usei"}}
        {"id":"ID","type":"generate-identity","params":{"chainId":"loadnet-1","moniker":"loadnet-0"}}
        {"id":"ID","type":"gov-software-upgrade","params":{"chainId":"pacific-1","description":"d","fees":"2000usei","gas":200000,"initialDeposit":"10000000usei","keyName":"node_admin","memo":"m","title":"t","upgradeHeight":1000000,"upgradeInfo":"i","upgradeName":"v6"}}
        {"id":"ID","type":"gov-vote","params":{"chainId":"pacific-1","fees":"2000usei","gas":200000,"keyName":"node_admin","option":"yes","proposalId":42}}
        {"id":"ID","type":"mark-ready"}
        {"id":"ID","type":"set-genesis-peers"}
        {"id":"ID","type":"snapshot-restore","params":{"targetHeight":100000000}}
        {"id":"ID","type":"snapshot-upload"}
        {"id":"ID","type":"upload-genesis-artifacts","params":{"nodeName":"loadnet-0"}}"#]]
    .assert_eq(&bodies.join("\n"));
}

#[test]
fn params_that_are_all_zero_are_not_sent() {
    let restore = TaskSpec::SnapshotRestore { target_height: 0 };
    let state_sync = TaskSpec::ConfigureStateSync(ConfigureStateSync::default());
    for spec in [restore, state_sync] {
        assert_eq!(spec.to_params(), None, "{spec:?}");
        assert_eq!(spec.to_stored(), json!({}), "{spec:?}");
    }
}

#[test]
fn stored_params_read_back_in_both_spellings() {
    for spec in one_of_each() {
        let stored = spec.to_stored();
        let task = spec.task_type();
        assert_eq!(TaskSpec::from_stored(task, &stored), Ok(spec.clone()), "{task}");
        assert_eq!(TaskSpec::from_stored(task, &pascal(&stored)), Ok(spec), "{task} in Go's case");
    }
}

/// What Go writes for an untagged struct: `chainId` as `ChainID`, other members capitalised.
/// Entries of lists and the user's own maps keep their spelling.
fn pascal(stored: &Value) -> Value {
    let members = stored.as_object().unwrap().iter().map(|(name, value)| {
        let go = match name.as_str() {
            "chainId" => "ChainID".to_owned(),
            name => name[..1].to_uppercase() + &name[1..],
        };
        (go, value.clone())
    });
    members.collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn plans_of_the_operator_before_us_are_read() {
    let table = [
        (TaskType::SnapshotRestore, json!({"TargetHeight": 0}), json!({})),
        (TaskType::MarkReady, json!({}), json!({})),
        (TaskType::MarkReady, Value::Null, json!({})),
        (TaskType::DiscoverPeers, json!({"Sources": null}), json!({"sources": []})),
        (
            TaskType::ConfigureStateSync,
            json!({"UseLocalSnapshot": true, "TrustPeriod": "", "BackfillBlocks": 0}),
            json!({"useLocalSnapshot": true}),
        ),
        (
            TaskType::AssembleAndUploadGenesis,
            json!({"AccountBalance": "1usei", "Namespace": "sei", "Nodes": [{"name": "v-0"}],
                   "Accounts": [], "Overrides": null}),
            json!({"accountBalance": "1usei", "namespace": "sei", "nodes": [{"name": "v-0"}]}),
        ),
        (
            TaskType::ConfigApply,
            json!({"mode": "validator", "targetVersion": 1, "overrides": {"evm.http_port": "1"}}),
            json!({"mode": "validator", "targetVersion": 1, "overrides": {"evm.http_port": "1"}}),
        ),
    ];
    for (task, theirs, ours) in table {
        let spec = TaskSpec::from_stored(task, &theirs).unwrap();
        assert_eq!(spec.to_stored(), ours, "{task} {theirs}");
    }
}

#[test]
fn stored_params_that_cannot_be_read_say_why() {
    let table = [
        (
            TaskType::SnapshotRestore,
            json!({"targetHeight": "high"}),
            "deserializing snapshot-restore params: invalid type: string \"high\", expected i64",
        ),
        (
            TaskType::ConfigApply,
            json!({"mode": "lite"}),
            "config-apply: invalid intent: [[ERROR] mode: unknown mode \"lite\"; valid modes: \
             validator, full, seed, archive]",
        ),
        (
            TaskType::ConfigApply,
            json!({}),
            "config-apply: invalid intent: [[ERROR] mode: mode is required for non-incremental \
             config generation]",
        ),
        (
            TaskType::ConfigApply,
            json!({"mode": "full", "incremental": true}),
            "deserializing config-apply params: incremental intents are not supported",
        ),
        (
            TaskType::DiscoverPeers,
            json!({"Sources": [{"type": "gossip"}]}),
            "discover-peers: source[0] unknown type \"gossip\"",
        ),
        (
            TaskType::AwaitCondition,
            json!({"condition": "mood"}),
            "await-condition: unknown condition \"mood\"",
        ),
        (
            TaskType::AwaitCondition,
            json!({"condition": "height", "targetHeight": 1, "action": "SHRUG"}),
            "await-condition: unknown action \"SHRUG\"",
        ),
        (
            TaskType::GovVote,
            json!({"option": "maybe"}),
            "gov-vote: invalid vote option \"maybe\" (allowed: yes | no | abstain | no_with_veto)",
        ),
    ];
    for (task, stored, want) in table {
        let got = TaskSpec::from_stored(task, &stored).unwrap_err().to_string();
        assert_eq!(got, want, "{task} {stored}");
    }
}

#[test]
fn whole_examples_pass_their_own_check() {
    for spec in one_of_each() {
        assert_eq!(spec.validate(), Ok(()), "{spec:?}");
    }
}

fn refusal(task: TaskType, stored: Value) -> String {
    let spec = TaskSpec::from_stored(task, &stored).unwrap();
    spec.validate().unwrap_err().to_string()
}

#[test]
fn missing_members_are_named() {
    let table = [
        ("discover-peers", json!({}), "at least one source is required"),
        (
            "discover-peers",
            json!({"sources": [{"type": "static", "addresses": ["a"]}, {"type": "ec2Tags"}]}),
            "source[1] ec2Tags missing required field Region",
        ),
        (
            "discover-peers",
            json!({"sources": [{"type": "ec2Tags", "region": "r"}]}),
            "source[0] ec2Tags missing required field Tags",
        ),
        (
            "discover-peers",
            json!({"sources": [{"type": "static"}]}),
            "source[0] static missing required field Addresses",
        ),
        (
            "discover-peers",
            json!({"sources": [{"type": "dnsEndpoints", "endpoints": []}]}),
            "source[0] dnsEndpoints missing required field Endpoints",
        ),
        (
            "await-condition",
            json!({"condition": "height"}),
            "height condition requires TargetHeight > 0",
        ),
        ("generate-identity", json!({}), "missing required field ChainID"),
        ("generate-identity", json!({"chainId": "c"}), "missing required field Moniker"),
        ("generate-gentx", json!({"chainId": "c"}), "missing required field StakingAmount"),
        (
            "generate-gentx",
            json!({"chainId": "c", "stakingAmount": "1usei"}),
            "missing required field AccountBalance",
        ),
        ("upload-genesis-artifacts", json!({}), "missing required field NodeName"),
        ("assemble-and-upload-genesis", json!({}), "missing required field AccountBalance"),
        (
            "assemble-and-upload-genesis",
            json!({"accountBalance": "1usei"}),
            "missing required field Namespace",
        ),
        (
            "assemble-and-upload-genesis",
            json!({"accountBalance": "1usei", "namespace": "sei"}),
            "at least one node is required",
        ),
    ];
    for (task, stored, want) in table {
        let got = refusal(task.parse().unwrap(), stored.clone());
        assert_eq!(got, format!("{task}: {want}"), "{stored}");
    }
}

#[test]
fn governance_rules_speak_in_order() {
    let mut upgrade = json!({"option": "yes"});
    let mut said = Vec::new();
    for (member, value) in [
        ("chainId", json!("c")),
        ("keyName", json!("k")),
        ("title", json!("t")),
        ("description", json!("d")),
        ("upgradeName", json!("u")),
        ("upgradeHeight", json!(1)),
        ("initialDeposit", json!("1usei")),
        ("fees", json!("1usei")),
        ("gas", json!(1)),
    ] {
        said.push(refusal(TaskType::GovSoftwareUpgrade, upgrade.clone()));
        upgrade[member] = value;
    }
    let mut vote = json!({"option": "NO-WITH-VETO"});
    for (member, value) in [
        ("chainId", json!("c")),
        ("keyName", json!("k")),
        ("proposalId", json!(1)),
        ("fees", json!("1usei")),
        ("gas", json!(1)),
    ] {
        said.push(refusal(TaskType::GovVote, vote.clone()));
        vote[member] = value;
    }
    expect_test::expect![[r#"
        gov-software-upgrade: chainId required
        gov-software-upgrade: keyName required
        gov-software-upgrade: title required
        gov-software-upgrade: description required
        gov-software-upgrade: upgradeName required
        gov-software-upgrade: upgradeHeight required (must be > 0)
        gov-software-upgrade: initialDeposit required
        gov-software-upgrade: fees required
        gov-software-upgrade: gas required (must be > 0)
        gov-vote: chainId required
        gov-vote: keyName required
        gov-vote: proposalId required (must be > 0)
        gov-vote: fees required
        gov-vote: gas required (must be > 0)"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn intents_name_every_fault() {
    let stored = json!({"mode": "full", "targetVersion": 2, "overrides": {
        "foo.bar": "1", "evm.http_port": "12abc", "logging.level": "info",
    }});
    assert_eq!(
        refusal(TaskType::ConfigApply, stored),
        "config-apply: invalid intent: [[ERROR] targetVersion: target version 2 exceeds maximum \
         supported version 1 [ERROR] overrides.evm.http_port: invalid integer value: \"12abc\" \
         (want a decimal of 64 bits) [ERROR] overrides.foo.bar: unknown config field \"foo.bar\"]",
    );
}

#[test]
fn genesis_accounts_need_a_sound_address_and_numbers_the_sidecar_can_keep() {
    let address = |address: &str| {
        let mut params = assemble();
        params.accounts[0].address = address.into();
        TaskSpec::AssembleAndUploadGenesis(params).validate().map_err(|e| e.to_string())
    };
    assert!(address("sei1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5hjm0yz").is_err(), "checksum");
    assert_eq!(
        address("cosmos1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5lzv7xu"),
        Err("assemble-and-upload-genesis: accounts[0]: address \
             \"cosmos1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5lzv7xu\": hrp \"cosmos\", expected \"sei\""
            .to_owned())
    );
    assert_eq!(
        address(""),
        Err("assemble-and-upload-genesis: accounts[0] missing required field Address".to_owned())
    );

    let mut params = assemble();
    params.overrides.insert("bank.x".into(), json!([{"y": 9_007_199_254_740_993_u64}]));
    assert_eq!(
        TaskSpec::AssembleAndUploadGenesis(params).validate().unwrap_err().to_string(),
        "assemble-and-upload-genesis: overrides \"bank.x\": write 9007199254740993 as a string, \
         it exceeds 2^53"
    );
}

proptest! {
    #[test]
    fn any_stored_document_is_read_or_refused_and_never_grows(
        index in 0..TaskType::ALL.len(),
        members in proptest::collection::btree_map("[a-zA-Z]{1,12}", "[ -~]{0,8}", 0..6),
    ) {
        let stored = Value::Object(members.into_iter().map(|(k, v)| (k, v.into())).collect());
        let task = TaskType::ALL[index];
        if let Ok(spec) = TaskSpec::from_stored(task, &stored) {
            prop_assert_eq!(spec.task_type(), task);
            let again = TaskSpec::from_stored(task, &spec.to_stored());
            prop_assert_eq!(again, Ok(spec));
        }
    }
}
