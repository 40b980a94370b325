//! The local cluster keeps its promises: volumes bind, pods run and follow their sidecar.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use sei_api::k8s::{PersistentVolume, PersistentVolumeClaim, Pod, StatefulSet};
use sei_harness::local::{LocalCluster, LocalClusterOptions};
use serde_json::{Value, json};
use tokio::time::Instant;

const NAMESPACE: &str = "local-test";
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn pods_of_nodes_live_as_on_real_machines() -> Result<()> {
    let cluster = LocalCluster::start(LocalClusterOptions::default()).await?;
    let outcome = story(&cluster).await;
    if outcome.is_err() {
        eprintln!("{}", cluster.logs(15));
    }
    cluster.stop().await?;
    outcome
}

async fn story(cluster: &LocalCluster) -> Result<()> {
    let client = cluster.client();
    cluster.create_namespace(NAMESPACE).await?;
    create_node(&client).await?;
    let sidecar = cluster.sidecars().node(NAMESPACE, "fn-0");

    let first = wait_for_pod(&client, "running, not ready", |pod| {
        phase(pod) == "Running" && !started(pod) && condition(pod, "Ready") == "False"
    })
    .await?;
    sidecar.always_ready();
    wait_for_pod(&client, "started and ready with its sidecar", |pod| {
        started(pod) && condition(pod, "Ready") == "True"
    })
    .await?;

    sidecar.honest_health();
    wait_for_pod(&client, "started but no longer ready", |pod| {
        started(pod) && condition(pod, "Ready") == "False"
    })
    .await?;

    set_image(&client, "registry.example/seid:missing").await?;
    let uid = first.metadata.uid.context("a pod without uid")?;
    pods(&client).delete("fn-0-0", &DeleteParams::default()).await?;
    let stuck = wait_for_pod(&client, "replaced, and failing to pull", |pod| {
        pod.metadata.uid.as_ref() != Some(&uid) && waiting(pod) == "ImagePullBackOff"
    })
    .await?;
    assert_eq!(phase(&stuck), "Pending");

    set_image(&client, "registry.example/seid:v2").await?;
    pods(&client).delete("fn-0-0", &DeleteParams::default()).await?;
    wait_for_pod(&client, "running the new image", |pod| {
        phase(pod) == "Running" && image(pod) == "registry.example/seid:v2"
    })
    .await?;
    assert!(!sidecar.is_ready(), "a new pod begins with a closed gate");
    deleted_claim_takes_its_volume(&client).await
}

async fn deleted_claim_takes_its_volume(client: &Client) -> Result<()> {
    let sets: Api<StatefulSet> = Api::namespaced(client.clone(), NAMESPACE);
    sets.delete("fn-0", &DeleteParams::background()).await?;
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), NAMESPACE);
    claims.delete("data-fn-0", &DeleteParams::default()).await?;
    let volumes: Api<PersistentVolume> = Api::all(client.clone());
    let deadline = Instant::now() + PATIENCE;
    while !volumes.list(&Default::default()).await?.items.is_empty() {
        if Instant::now() > deadline {
            bail!("the volume of a deleted claim is still there");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

fn pods(client: &Client) -> Api<Pod> {
    Api::namespaced(client.clone(), NAMESPACE)
}

/// The objects that the operator makes for a node, as far as a kubelet cares.
async fn create_node(client: &Client) -> Result<()> {
    let labels = json!({"sei.io/node": "fn-0"});
    let claim = json!({
        "metadata": {"name": "data-fn-0", "labels": labels},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "gp3-10k-750",
            "resources": {"requests": {"storage": "2000Gi"}},
        },
    });
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), NAMESPACE);
    claims.create(&PostParams::default(), &serde_json::from_value(claim)?).await?;
    let set = json!({
        "metadata": {"name": "fn-0", "labels": labels},
        "spec": {
            "replicas": 1,
            "serviceName": "fn-0",
            "selector": {"matchLabels": labels},
            "updateStrategy": {"type": "OnDelete"},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec()},
        },
    });
    let sets: Api<StatefulSet> = Api::namespaced(client.clone(), NAMESPACE);
    sets.create(&PostParams::default(), &serde_json::from_value(set)?).await?;
    Ok(())
}

fn pod_spec() -> Value {
    let probe = json!({"httpGet": {"path": "/v0/healthz", "port": 8443}});
    json!({
        "serviceAccountName": "seid-node",
        "tolerations": [{"key": "sei.io/workload", "value": "sei-node", "effect": "NoSchedule"}],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [
                {"key": "karpenter.sh/nodepool", "operator": "In", "values": ["sei-node"]},
            ]}],
        }}},
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-fn-0"}}],
        "initContainers": [
            {"name": "seid-init", "image": "registry.example/seid:v1"},
            {"name": "kube-rbac-proxy", "image": "registry.example/proxy:v1",
             "restartPolicy": "Always", "readinessProbe": probe},
        ],
        "containers": [
            {"name": "seid", "image": "registry.example/seid:v1", "startupProbe": probe,
             "resources": {"requests": {"cpu": "4", "memory": "32Gi"}}},
            {"name": "cosmos-exporter", "image": "registry.example/exporter:v1"},
        ],
    })
}

async fn set_image(client: &Client, image: &str) -> Result<()> {
    let patch = json!({"spec": {"template": {"spec": {
        "initContainers": [{"name": "seid-init", "image": image}],
        "containers": [{"name": "seid", "image": image}],
    }}}});
    let sets: Api<StatefulSet> = Api::namespaced(client.clone(), NAMESPACE);
    sets.patch("fn-0", &PatchParams::default(), &Patch::Strategic(patch)).await?;
    Ok(())
}

async fn wait_for_pod(client: &Client, what: &str, is: impl Fn(&Pod) -> bool) -> Result<Pod> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let pod = pods(client).get_opt("fn-0-0").await?;
        if let Some(pod) = pod.as_ref().filter(|pod| is(pod)) {
            return Ok(pod.clone());
        }
        if Instant::now() > deadline {
            bail!("the pod is not {what}: {:#}", json!(pod.and_then(|pod| pod.status)));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

fn condition<'a>(pod: &'a Pod, name: &str) -> &'a str {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let found = conditions.into_iter().flatten().find(|condition| condition.type_ == name);
    found.map(|condition| condition.status.as_str()).unwrap_or_default()
}

fn seid(pod: &Pod) -> Value {
    let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    json!(statuses.into_iter().flatten().find(|container| container.name == "seid"))
}

fn started(pod: &Pod) -> bool {
    seid(pod)["started"] == true
}

/// Why the first container, which holds all others, waits.
fn waiting(pod: &Pod) -> String {
    let statuses = pod.status.as_ref().and_then(|status| status.init_container_statuses.as_ref());
    let first = json!(statuses.into_iter().flatten().next());
    first["state"]["waiting"]["reason"].as_str().unwrap_or_default().to_owned()
}

fn image(pod: &Pod) -> &str {
    let containers = pod.spec.as_ref().map(|spec| spec.containers.as_slice()).unwrap_or_default();
    let seid = containers.iter().find(|container| container.name == "seid");
    seid.and_then(|container| container.image.as_deref()).unwrap_or_default()
}
