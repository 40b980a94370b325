//! What a server stores: defaults, nulls, free-form values.

use sei_api::{
    DEFAULT_ACCOUNT_BALANCE, DEFAULT_KEY_NAME, DEFAULT_REPLICAS, DEFAULT_REQUIRE_PHASE,
    DEFAULT_REQUIRE_PHASE_TIMEOUT, DEFAULT_SIDECAR_PORT, DEFAULT_STAKING_AMOUNT, DeletionPolicy,
    OnFailure, UpdateOrder,
};
use serde_json::{Value, json};

use crate::cases::{Kind, none, yaml};
use crate::server::with_server;

/// (kind, change, path in the stored object, value there)
type Row = (Kind, &'static str, &'static str, Value);

#[test]
fn defaults_are_filled_in_where_their_parent_is_present() {
    stores(vec![
        (Kind::Deployment, "{}", "/spec/replicas", json!(DEFAULT_REPLICAS)),
        (Kind::Deployment, "{}", "/spec/deletionPolicy", json!(DeletionPolicy::default())),
        (Kind::Deployment, "{}", "/spec/genesis", Value::Null),
        (Kind::Deployment, "{updateStrategy: null}", "/spec/updateStrategy", Value::Null),
        (
            Kind::Deployment,
            "{updateStrategy: {inPlace: {}}}",
            "/spec/updateStrategy/inPlace",
            json!({
                "partition": 0,
                "order": UpdateOrder::default(),
                "onFailure": OnFailure::default(),
            }),
        ),
        (Kind::Deployment, "{}", "/spec/progressDeadlineSeconds", Value::Null),
        (Kind::Deployment, "{}", "/spec/paused", Value::Null),
        (
            Kind::Node,
            "{}",
            "/spec",
            json!({
                "chainId": "pacific-1", "image": "seid:v1", "fullNode": {},
            }),
        ),
        (Kind::Node, "{sidecar: {}}", "/spec/sidecar", json!({"port": DEFAULT_SIDECAR_PORT})),
        (
            Kind::Node,
            KEYRING,
            "/spec/validator/operatorKeyring/secret",
            json!({
                "secretName": "k",
                "keyName": DEFAULT_KEY_NAME,
                "passphraseSecretRef": {"secretName": "p", "key": "v"},
            }),
        ),
        (
            Kind::Template,
            "{sidecar: {}}",
            "/spec/template/spec/sidecar",
            json!({
                "port": DEFAULT_SIDECAR_PORT,
            }),
        ),
        (
            Kind::Deployment,
            GENESIS,
            "/spec/genesis",
            json!({
                "chainId": "pacific-1",
                "stakingAmount": DEFAULT_STAKING_AMOUNT,
                "accountBalance": DEFAULT_ACCOUNT_BALANCE,
            }),
        ),
        (
            Kind::Task,
            "{}",
            "/spec/target",
            json!({
                "nodeRef": {"name": "fn-0"},
                "requirePhase": DEFAULT_REQUIRE_PHASE,
                "requirePhaseTimeout": DEFAULT_REQUIRE_PHASE_TIMEOUT,
            }),
        ),
        (Kind::Task, "{}", "/spec/timeoutSeconds", Value::Null),
    ]);
}

#[test]
fn a_null_is_an_absent_value() {
    with_server(async |server| {
        let mut object = Kind::Node.manifest("{fullNode: null, archive: {}}")?;
        object["spec"]["fullNode"] = Value::Null;
        object["spec"]["sidecar"] = json!({"port": null, "image": null});
        object["spec"]["overrides"] = Value::Null;
        let stored = server.create("seinodes", &object).await?;
        assert_eq!(
            stored.map(|object| object["spec"].clone()),
            Ok(json!({
                "chainId": "pacific-1", "image": "seid:v1", "archive": {},
                "sidecar": {"port": DEFAULT_SIDECAR_PORT},
            })),
        );
        Ok(())
    });
}

#[test]
fn free_form_values_are_stored_whole() {
    stores(vec![
        (
            Kind::Deployment,
            "{template: {spec: {fullNode: null, validator: {}}}, genesis: {chainId: pacific-1, \
             overrides: {a.b: {c: {d: [1, {e: null}]}}, f: text, g: true, h: 1.5}}}",
            "/spec/genesis/overrides",
            json!({"a.b": {"c": {"d": [1, {"e": null}]}}, "f": "text", "g": true, "h": 1.5}),
        ),
        (
            Kind::Node,
            "{sidecar: {resources: {limits: {cpu: 1, memory: 2048Mi}}}}",
            "/spec/sidecar/resources/limits",
            json!({"cpu": 1, "memory": "2048Mi"}),
        ),
    ]);
}

#[test]
fn payloads_of_tasks_are_stored_whole() {
    with_server(async |server| {
        let object = Kind::Node.manifest("{}")?;
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let created = server.create("seinodes", &object).await?;
        assert!(created.is_ok(), "{created:?}");
        let plan = yaml(
            "{phase: Active, tasks: [{type: a, id: b, status: Pending, \
             params: {Intent: {Overrides: {a.b: '1'}, List: [{x: 1}]}}}], failedTaskIndex: 0}",
        )?;
        let patch = json!({"status": {"plan": plan}});
        let stored = server.patch("seinodes", &format!("{name}/status"), &patch).await?;
        assert_eq!(stored.map(|object| object["status"]["plan"].clone()), Ok(plan));
        Ok(())
    });
}

const KEYRING: &str = "{fullNode: null, validator: {operatorKeyring: {secret: {\
    secretName: k, passphraseSecretRef: {secretName: p, key: v}}}}}";

const GENESIS: &str = "{template: {spec: {fullNode: null, validator: {}}}, \
                       genesis: {chainId: pacific-1}}";

fn stores(rows: Vec<Row>) {
    with_server(async |server| {
        let mut wrong = Vec::new();
        for (kind, change, path, expected) in &rows {
            let stored = server.create(kind.plural(), &kind.manifest(change)?).await?;
            let seen = stored.as_ref().ok().and_then(|object| object.pointer(path));
            if stored.is_err() || seen.unwrap_or(&Value::Null) != expected {
                wrong.push(format!("{change} {path}: expected {expected}, stored {stored:?}"));
            }
        }
        none(&wrong)
    });
}
