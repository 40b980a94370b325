//! Objects that were stored before a rule existed: still readable, still deletable.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kube::Api;
use kube::api::ListParams;
use sei_api::{SeiNode, SeiNodeDeployment, SeiNodeTask, crd_document, crds};
use sei_harness::ControlPlaneOptions;
use sei_harness::control_plane::{install_crds, shipped_crds};
use serde_json::{Value, json};

use crate::cases::{Kind, merge, none};
use crate::server::{Causes, Server, on_runtime};

/// The API server takes up a changed definition within this.
const TAKEN_UP_TIMEOUT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(100);

/// (kind, name or nothing, change of the valid manifest that breaks one of the later rules)
const OLD: &[(Kind, &str, &str)] = &[
    (Kind::Node, "n2345678901234567890123456789012345678901234567890123", "{}"),
    (Kind::Node, "a.b", "{}"),
    (Kind::Deployment, "f2345678901234567890123456789012345678901234567890", "{}"),
    (Kind::Node, "", "{chainId: A_b}"),
    (Kind::Node, "", "{archive: {}}"),
    (Kind::Node, "", "{fullNode: null}"),
    (Kind::Node, "", "{sidecar: {port: 0}}"),
    (Kind::Node, "", "{peers: [{}]}"),
    (Kind::Node, "", "{fullNode: {snapshot: {stateSync: {}, bootstrapImage: i}}}"),
    (Kind::Node, "", "{fullNode: {snapshot: {stateSync: {}, trustPeriod: banana}}}"),
    (Kind::Node, "", "{fullNode: {snapshot: {stateSync: {}, backfillBlocks: -1}}}"),
    (Kind::Node, "", "{fullNode: {snapshotGeneration: {}}}"),
    (
        Kind::Node,
        "",
        "{fullNode: {snapshotGeneration: {tendermint: {keepRecent: 1, publish: {}}}}}",
    ),
    (Kind::Node, "", "{fullNode: null, replayer: {snapshot: {stateSync: {}}, resultExport: {}}}"),
    (
        Kind::Node,
        "",
        "{fullNode: null, validator: {\
         signingKey: {secret: {secretName: a}}, nodeKey: {secret: {secretName: a}}, \
         genesisCeremony: {chainId: c, stakingAmount: 1usei, accountBalance: 1usei, index: 0}}}",
    ),
    (Kind::Deployment, "", "{replicas: 0}"),
    (Kind::Deployment, "", "{genesis: {chainId: other, maxCeremonyDuration: banana}}"),
    (
        Kind::Deployment,
        "",
        "{replicas: 2, template: {spec: {dataVolume: {import: {pvcName: p}}, fullNode: null, \
         validator: {signingKey: {secret: {secretName: a}}, nodeKey: {secret: {secretName: b}}}}}}",
    ),
    (Kind::Task, "", "{target: {requirePhaseTimeout: banana}}"),
    (Kind::Task, "", "{timeoutSeconds: 9223372036854775807}"),
    (Kind::Node, "", "{sidecar: {port: 4294967296}}"),
    (Kind::Task, "", "{awaitNodesAtHeight: {targetHeight: 1}}"),
];

#[test]
fn an_old_object_is_readable_and_unchanged_still_passes() {
    let outcome = on_runtime(async || {
        let lax = tempfile::tempdir()?;
        write_lax_definitions(lax.path())?;
        let dirs = vec![lax.path().to_owned()];
        let options =
            || Ok(ControlPlaneOptions { crd_dirs: dirs, ..ControlPlaneOptions::from_env()? });
        let server = Server::start(options).await?;
        let mut names = Vec::new();
        for row in OLD {
            names.push(store(&server, &row.0, &manifest(row, "")?).await?);
        }
        for kind in [Kind::Node, Kind::Deployment, Kind::Task] {
            let mut object = kind.manifest("{}")?;
            merge(&mut object, &json!({"spec": null}));
            store(&server, &kind, &object).await?;
        }
        take_up_rules(&server).await?;
        assert_eq!(read_all(&server).await?, OLD.len() + 3);
        let mut wrong = Vec::new();
        for (row, name) in OLD.iter().zip(&names) {
            if server.create(row.0.plural(), &manifest(row, "x")?).await?.is_ok() {
                wrong.push(format!("{}: no rule refuses it", row.2));
            }
            if let Err(causes) = live_and_die(&server, &row.0, name).await? {
                wrong.push(format!("{}: {causes:?}", row.2));
            }
        }
        none(&wrong)
    });
    assert!(outcome.is_ok(), "{:#}", outcome.err().unwrap_or_else(|| anyhow::anyhow!("no error")));
}

fn manifest((kind, name, change): &(Kind, &str, &str), suffix: &str) -> Result<Value> {
    let mut object = kind.manifest(change)?;
    if !name.is_empty() {
        object["metadata"]["name"] = json!(format!("{name}{suffix}"));
    }
    merge(&mut object, &json!({"metadata": {"finalizers": ["sei.io/test"]}}));
    Ok(object)
}

async fn store(server: &Server, kind: &Kind, object: &Value) -> Result<String> {
    let stored = server.create(kind.plural(), object).await?;
    let stored = stored.map_err(|causes| anyhow::anyhow!("{object}: {causes:?}"))?;
    Ok(stored["metadata"]["name"].as_str().context("an object has no name")?.to_owned())
}

async fn take_up_rules(server: &Server) -> Result<()> {
    install_crds(&server.client(), &shipped_crds()).await?;
    for (kind, change) in [
        (Kind::Node, "{archive: {}}"),
        (Kind::Deployment, "{replicas: 0}"),
        (Kind::Task, "{timeoutSeconds: -1}"),
    ] {
        let deadline = Instant::now() + TAKEN_UP_TIMEOUT;
        loop {
            let accepted = server.create(kind.plural(), &kind.manifest(change)?).await?;
            let Ok(accepted) = accepted else { break };
            let name = accepted["metadata"]["name"].as_str().context("an object has no name")?;
            // Told from the rows by its absence.
            let _ = server.delete(kind.plural(), name).await?;
            ensure!(Instant::now() < deadline, "the changed definition is not taken up");
            tokio::time::sleep(POLL).await;
        }
    }
    Ok(())
}

/// How many objects a typed list of each kind holds.
async fn read_all(server: &Server) -> Result<usize> {
    let (client, all) = (server.client(), ListParams::default());
    let nodes = Api::<SeiNode>::all(client.clone()).list(&all).await?.items.len();
    let fleets = Api::<SeiNodeDeployment>::all(client.clone()).list(&all).await?.items.len();
    let tasks = Api::<SeiNodeTask>::all(client).list(&all).await?.items.len();
    Ok(nodes + fleets + tasks)
}

/// What controllers and users do with an object whose spec they leave alone.
async fn live_and_die(server: &Server, kind: &Kind, name: &str) -> Result<Result<(), Causes>> {
    let status = format!("{name}/status");
    for (path, change) in [
        (name, json!({"metadata": {"labels": {"a": "b"}}})),
        (status.as_str(), json!({"status": {"observedGeneration": 1}})),
    ] {
        if let Err(causes) = server.patch(kind.plural(), path, &change).await? {
            return Ok(Err(causes));
        }
    }
    if let Err(causes) = server.delete(kind.plural(), name).await? {
        return Ok(Err(causes));
    }
    let release = json!({"metadata": {"finalizers": null}});
    Ok(server.patch(kind.plural(), name, &release).await?.map(|_| ()))
}

fn write_lax_definitions(dir: &std::path::Path) -> Result<()> {
    for (file, crd) in crds() {
        let mut document = crd_document(&crd);
        let schema = &mut document["spec"]["versions"][0]["schema"];
        relax(schema);
        merge(schema, &json!({"openAPIV3Schema": {"required": null}}));
        std::fs::write(dir.join(file), serde_json::to_string(&document)?)?;
    }
    Ok(())
}

/// Takes the rules and bounds out of a schema; types and defaults stay.
fn relax(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for keyword in
                ["x-kubernetes-validations", "pattern", "maxLength", "minimum", "maximum"]
            {
                fields.remove(keyword);
            }
            fields.values_mut().for_each(relax);
        }
        Value::Array(items) => items.iter_mut().for_each(relax),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
