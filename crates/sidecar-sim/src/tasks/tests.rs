//! What each task needs, and what it says when it does not have it.

use jiff::Timestamp;
use sei_sidecar_api::TaskStatus;
use serde_json::json;

use super::*;
use crate::{Available, Keyring};

/// A disk, an environment and a world of one's own.
#[derive(Default)]
struct Place {
    disk: Disk,
    env: SidecarEnv,
    world: World,
}

impl Place {
    fn on(chain: &str) -> Self {
        let env = SidecarEnv { chain_id: Some(chain.to_owned()), ..SidecarEnv::default() };
        Self { env, ..Self::default() }
    }

    /// `ok`, `waits`, or the text of the failure.
    fn run(&mut self, task_type: &str, params: Value) -> String {
        let row = TaskRow {
            id: String::new(),
            task_type: task_type.to_owned(),
            status: TaskStatus::Running,
            run: 1,
            params: params.as_object().cloned().unwrap_or_default(),
            error: None,
            submitted_at: Timestamp::UNIX_EPOCH,
            completed_at: None,
        };
        if let Err(text) = check(&row) {
            return text;
        }
        let Self { disk, env, world } = self;
        match run(&row, &mut Site { disk, env, world }) {
            Verdict::Done => "ok".to_owned(),
            Verdict::NotYet => "waits".to_owned(),
            Verdict::Failed(text) => text,
        }
    }
}

fn config(overrides: Value) -> String {
    Place::default().run("config-apply", json!({"mode": "full", "overrides": overrides}))
}

#[test]
fn config_apply_judges_mode_keys_values_and_the_result() {
    let apply = |params| Place::default().run("config-apply", params);
    let said = [
        apply(json!({"mode": "full", "incremental": false, "targetVersion": 0})),
        apply(json!({})),
        apply(json!({"mode": "lite"})),
        apply(json!({"mode": 7})),
        config(json!({"foo.bar": "1"})),
        config(json!({"evm.http_port": "9545", "storage.pruning": "nothing"})),
        config(json!({"evm.http_port": "12abc"})),
        config(json!({"evm.http_port": ""})),
        config(json!({"evm.http_port": "abc"})),
        config(json!({"network.p2p.max_connections": "65536"})),
        config(json!({"mempool.ttl_duration": "10"})),
        config(json!({"storage.pruning": "some", "mempool.size": "-1"})),
        config(json!({"chain.min_gas_prices": ""})),
    ];
    expect_test::expect![[r#"
        ok
        config-apply: mode is required for non-incremental config resolution
        config-apply: invalid mode "lite"
        parsing params: invalid type: integer `7`, expected a string
        config-apply: applying overrides: unknown override key "foo.bar"
        ok
        ok
        config-apply: applying overrides: applying override "evm.http_port"="": EOF
        config-apply: applying overrides: applying override "evm.http_port"="abc": expected integer
        config-apply: applying overrides: applying override "network.p2p.max_connections"="65536": value 65536 overflows
        config-apply: applying overrides: applying override "mempool.ttl_duration"="10": invalid duration "10" (want e.g. 10s, 1h30m)
        config validation failed: [{"field":"mempool.size","message":"must be >= 0","severity":"ERROR"},{"field":"storage.pruning","message":"invalid value \"some\"","severity":"ERROR"}]
        config validation failed: [{"field":"chain.min_gas_prices","message":"must not be empty","severity":"ERROR"}]"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn config_apply_throws_the_peers_away() {
    let mut place = Place::default();
    let peers = json!({"sources": [{"type": "static", "addresses": ["a@b:1", "a@b:1"]}]});
    assert_eq!(place.run("discover-peers", peers), "ok");
    assert_eq!(place.disk.peers, ["a@b:1"]);
    place.run("config-apply", json!({"mode": "seed"}));
    assert!(place.disk.peers.is_empty());
    assert_eq!(place.disk.config.unwrap().mode, "seed");
}

#[test]
fn config_validate_reads_what_is_there() {
    let mut place = Place::default();
    assert_eq!(place.run("config-validate", json!({})), "ok");
    place.disk.corrupt_config = true;
    assert!(place.run("config-validate", json!({})).starts_with("config-validate: reading config"));
}

#[test]
fn genesis_comes_with_the_sidecar_or_from_the_bucket() {
    assert_eq!(Place::on("loadnet-1").run("configure-genesis", json!({})), "ok");
    let mut place = Place::on("loadnet-1");
    place.world.genesis_objects = Available::only([]);
    assert_eq!(
        place.run("configure-genesis", json!({})),
        "configure-genesis: S3: object \"loadnet-1/genesis.json\" not found in s3://sim-genesis \
         [hint: the snapshot or genesis file may not have been uploaded yet]"
    );
    place.world.genesis_objects.put("loadnet-1/genesis.json".into());
    assert_eq!(place.run("configure-genesis", json!({})), "ok");
    place.world.genesis_objects = Available::only([]);
    assert_eq!(place.run("configure-genesis", json!({})), "ok", "the marker stays");

    let mut public = Place::on("pacific-1");
    public.world.genesis_objects = Available::only([]);
    assert_eq!(public.run("configure-genesis", json!({})), "ok");
}

#[test]
fn peers_are_found_where_somebody_answers() {
    let mut place = Place::default();
    place.world.answering_hosts = Available::only(["up.example".to_owned()]);
    place.world.ec2_regions = Available::only([]);
    let mut discover = |source: Value| place.run("discover-peers", json!({"sources": [source]}));
    let said = [
        discover(json!({"type": "dnsEndpoints", "endpoints": ["down.example", "up.example"]})),
        discover(json!({"type": "dnsEndpoints", "endpoints": ["down.example"]})),
        discover(json!({"type": "ec2Tags", "region": "eu-1", "tags": {"a": "b"}})),
        discover(json!({"type": "dnsEndpoints"})),
        discover(json!({"type": "gossip"})),
        place.run("discover-peers", json!({})),
    ];
    expect_test::expect![[r#"
        ok
        no reachable peers found via dnsEndpoints (1 endpoints tried)
        no reachable peers found via ec2Tags in region eu-1 (0 instances returned, 0 reachable)
        discover-peers: source[0]: dnsEndpoints source requires endpoints
        discover-peers: source[0]: unknown source type "gossip"
        discover-peers: missing required param 'sources'"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn state_sync_needs_peers_and_a_local_snapshot_when_told_so() {
    let mut place = Place::on("loadnet-1");
    let local = || json!({"useLocalSnapshot": true});
    let mut said = vec![place.run("configure-state-sync", local())];
    place.disk.peers = vec!["a@b:1".into()];
    said.push(place.run("configure-state-sync", local()));
    place.world.snapshots = Available::only([100, 200]);
    for target in [99, 150, 0] {
        said.push(place.run("snapshot-restore", json!({"targetHeight": target})));
        said.push(format!("{:?}", place.disk.restored_height));
        place.disk.markers.clear();
    }
    said.push(place.run("configure-state-sync", local()));
    expect_test::expect![[r#"
        configure-state-sync: no peers in config.toml
        configure-state-sync: discovering local snapshot height: no snapshot found in /.sei/data/snapshots
        no snapshot found at or below height 99 in s3://sim-snapshots/loadnet-1/state-sync/
        None
        ok
        Some(100)
        ok
        Some(200)
        ok"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn a_ceremony_waits_for_every_artifact() {
    let mut world = World { genesis_objects: Available::only([]), ..World::default() };
    let assemble = json!({"accountBalance": "1usei", "namespace": "sei",
                          "nodes": [{"name": "v-0"}, {"name": "v-1"}]});
    let mut said = Vec::new();
    let mut nodes = [Place::on("c"), Place::on("c")];
    for (index, node) in nodes.iter_mut().enumerate() {
        node.world = std::mem::take(&mut world);
        said.push(node.run("assemble-and-upload-genesis", assemble.clone()));
        let name = json!({"nodeName": format!("v-{index}")});
        said.push(node.run("upload-genesis-artifacts", name.clone()));
        node.run("generate-identity", json!({"chainId": "c", "moniker": "m"}));
        let gentx = json!({"chainId": "c", "stakingAmount": "1usei", "accountBalance": "2usei"});
        node.run("generate-gentx", gentx);
        said.push(node.run("upload-genesis-artifacts", name));
        world = node.world.clone();
    }
    said.push(nodes[1].run("set-genesis-peers", json!({})));
    said.push(nodes[1].run("assemble-and-upload-genesis", assemble));
    said.push(nodes[1].run("set-genesis-peers", json!({})));
    said.push(nodes[1].run("configure-genesis", json!({})));
    expect_test::expect![[r#"
        assemble-and-upload-genesis: S3: object "c/v-0/gentx.json" not found in s3://sim-genesis [hint: the snapshot or genesis file may not have been uploaded yet]
        upload-genesis-artifacts: no gentx JSON file found in /.sei/config/gentx
        ok
        assemble-and-upload-genesis: S3: object "c/v-1/gentx.json" not found in s3://sim-genesis [hint: the snapshot or genesis file may not have been uploaded yet]
        upload-genesis-artifacts: no gentx JSON file found in /.sei/config/gentx
        ok
        set-genesis-peers: S3: object "c/peers.json" not found in s3://sim-genesis [hint: the snapshot or genesis file may not have been uploaded yet]
        ok
        ok
        ok"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn heights_are_waited_for() {
    let mut place = Place::default();
    let wait = || json!({"condition": "height", "targetHeight": 10});
    assert_eq!(place.run("await-condition", wait()), "ok", "an unset height is past all heights");
    place.world.height = Some(9);
    assert_eq!(place.run("await-condition", wait()), "waits");
    place.world.height = Some(10);
    assert_eq!(place.run("await-condition", wait()), "ok");
    let table = [
        (json!({}), "condition is required"),
        (json!({"condition": "height"}), "targetHeight must be > 0, got 0"),
        (json!({"condition": "mood"}), "unknown condition \"mood\""),
        (json!({"condition": "height", "targetHeight": 1, "action": "X"}), "unknown action \"X\""),
    ];
    for (params, want) in table {
        assert_eq!(place.run("await-condition", params), want);
    }
}

#[test]
fn governance_needs_the_key_the_coin_and_the_chain() {
    let vote = |chain: &str, fees: &str| {
        json!({"chainId": chain, "keyName": "admin", "proposalId": 1, "option": "yes",
               "fees": fees, "gas": 1})
    };
    let mut place = Place::on("c");
    let mut said =
        vec![place.run("gov-vote", vote("c", "5usei")), place.run("gov-vote", vote("d", "5usei"))];
    said.push(place.run("gov-vote", vote("c", "5atom")));
    place.env.keyring = Keyring::Absent;
    said.push(place.run("gov-vote", vote("c", "5usei")));
    place.env.keyring = Keyring::Only(["other".to_owned()].into());
    said.push(place.run("gov-software-upgrade", vote("c", "5usei")));
    expect_test::expect![[r#"
        ok
        chain mismatch: params.chainId="d" sidecar.SEI_CHAIN_ID="c"
        fees "5atom": denom "atom" not permitted (only "usei")
        keyring not configured: set SEI_KEYRING_BACKEND/SEI_KEYRING_PASSPHRASE on the sidecar
        keyring entry "admin": admin.info: key not found"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn every_type_the_operator_sends_has_a_handler() {
    for task_type in sei_sidecar_api::TaskType::ALL {
        assert!(is_known(task_type.as_str()), "{task_type}");
    }
    for task_type in ["config-patch", "config-reload", "result-export"] {
        assert!(is_known(task_type), "{task_type}");
    }
    assert!(!is_known("stop-seid"));
}
