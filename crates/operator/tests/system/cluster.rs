//! One local cluster and one operator for all tests; a namespace and a fleet for each.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use sei_api::condition::{Status, Type};
use sei_api::k8s::{Condition, ConfigMap, Event, PersistentVolumeClaim, Pod, Service, StatefulSet};
use sei_api::{SeiNode, SeiNodeDeployment, event};
use sei_harness::local::{LocalCluster, LocalClusterOptions, Operator};
use sei_sidecar_sim::Sidecars;
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::time::Instant;

/// The name of every test's fleet.
pub const FLEET: &str = "fleet";
const PATIENCE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(250);
const LOG_LINES: usize = 20;

/// What all tests share. It is never dropped: its processes die with ours.
struct Shared {
    runtime: Runtime,
    cluster: LocalCluster,
    operator: Operator,
}

static SHARED: OnceLock<Shared> = OnceLock::new();

fn shared() -> &'static Shared {
    SHARED.get_or_init(|| start().unwrap())
}

fn start() -> Result<Shared> {
    let runtime = Runtime::new()?;
    let (cluster, operator) = runtime.block_on(async {
        let cluster = LocalCluster::start(LocalClusterOptions::default()).await?;
        let operator = start_operator(&cluster).await?;
        anyhow::Ok((cluster, operator))
    })?;
    Ok(Shared { runtime, cluster, operator })
}

/// Runs `body` with a namespace of its own; a failure shows the end of the operator's log.
#[track_caller]
pub fn story<F, Fut>(namespace: &'static str, body: F)
where
    F: FnOnce(Story) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    let shared = shared();
    let outcome = shared.runtime.block_on(async {
        shared.cluster.create_namespace(namespace).await?;
        let (client, sidecars) = (shared.cluster.client(), shared.cluster.sidecars().clone());
        body(Story { client, sidecars, namespace }).await
    });
    if let Err(error) = outcome {
        panic!("{error:#}\noperator's log:\n{}", shared.operator.log(LOG_LINES));
    }
}

/// As [`story`], on a cluster of its own and without an operator: `body` starts and ends one with
/// the cluster it is handed.
#[track_caller]
pub fn lonely_story<F, Fut>(namespace: &'static str, body: F)
where
    F: FnOnce(Story, Arc<LocalCluster>) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    let outcome = Runtime::new().unwrap().block_on(async {
        let cluster = Arc::new(LocalCluster::start(LocalClusterOptions::default()).await?);
        cluster.create_namespace(namespace).await?;
        let (client, sidecars) = (cluster.client(), cluster.sidecars().clone());
        let story = Story { client, sidecars, namespace };
        body(story, Arc::clone(&cluster)).await
    });
    if let Err(error) = outcome {
        panic!("{error:#}");
    }
}

/// The shipped binary, started on `cluster`.
pub async fn start_operator(cluster: &LocalCluster) -> Result<Operator> {
    cluster.start_operator(Path::new(env!("CARGO_BIN_EXE_sei-operator"))).await
}

/// A version of the image.
pub fn image(tag: &str) -> String {
    format!("ghcr.io/sei-protocol/seid:{tag}")
}

/// One test's view of the cluster.
pub struct Story {
    pub client: Client,
    /// The sidecars of the whole cluster.
    pub sidecars: Sidecars,
    pub namespace: &'static str,
}

impl Story {
    /// Objects of a kind in the test's namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), self.namespace)
    }

    /// Creates the fleet with `replicas` full nodes.
    pub async fn create_fleet(&self, replicas: usize, tag: &str) -> Result<()> {
        self.create_fleet_with(replicas, tag, json!({})).await
    }

    /// Creates the fleet with `replicas` full nodes, its object merged with `more`.
    pub async fn create_fleet_with(
        &self,
        replicas: usize,
        tag: &str,
        more: serde_json::Value,
    ) -> Result<()> {
        let mut fleet = json!({
            "apiVersion": sei_api::API_VERSION,
            "kind": "SeiNodeDeployment",
            "metadata": {"name": FLEET},
            "spec": {
                "replicas": replicas,
                "template": {"spec": {
                    "chainId": "pacific-1", "image": image(tag), "fullNode": {},
                }},
                "updateStrategy": {"type": "InPlace"},
            },
        });
        merge(&mut fleet, more);
        let fleet: SeiNodeDeployment = serde_json::from_value(fleet)?;
        self.api().create(&PostParams::default(), &fleet).await?;
        Ok(())
    }

    /// Edits the image of the fleet's template.
    pub async fn push(&self, tag: &str) -> Result<()> {
        self.patch(json!({"spec": {"template": {"spec": {"image": image(tag)}}}})).await
    }

    /// Merges `patch` into the fleet.
    pub async fn patch(&self, patch: serde_json::Value) -> Result<()> {
        let fleets: Api<SeiNodeDeployment> = self.api();
        fleets.patch(FLEET, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    /// What `kubectl` prints in the test's namespace; what it says when it fails is the error.
    pub async fn kubectl(&self, args: &[&str]) -> Result<String> {
        let cluster = &shared().cluster;
        let mut command = tokio::process::Command::new(cluster.kubectl()?);
        command.arg("--kubeconfig").arg(cluster.kubeconfig());
        command.args(["--namespace", self.namespace]).args(args);
        let output = command.output().await.context("start kubectl")?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        println!("$ kubectl {}\n{printed}", args.join(" "));
        if !output.status.success() {
            bail!("kubectl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(printed)
    }

    /// Everything of the fleet, read from the API server.
    pub async fn look(&self) -> Result<Sight> {
        let (fleets, all) = (self.api::<SeiNodeDeployment>(), ListParams::default());
        let ours = ListParams::default().labels("sei.io/node");
        let mut nodes = self.api::<SeiNode>().list(&all).await?.items;
        nodes.sort_by_key(ResourceExt::name_any);
        Ok(Sight {
            fleet: fleets.get_opt(FLEET).await?,
            nodes,
            sets: self.api::<StatefulSet>().list(&all).await?.items,
            pods: self.api::<Pod>().list(&all).await?.items,
            claims: self.api::<PersistentVolumeClaim>().list(&all).await?.items,
            services: self.api::<Service>().list(&all).await?.items,
            config_maps: self.api::<ConfigMap>().list(&ours).await?.items,
            events: self.api::<Event>().list(&all).await?.items,
        })
    }

    /// Looks until `objection` has none; the last one is the failure.
    pub async fn wait_for(
        &self,
        what: &str,
        objection: impl Fn(&Sight) -> Option<String>,
    ) -> Result<Sight> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let sight = self.look().await?;
            let Some(why) = objection(&sight) else { return Ok(sight) };
            if Instant::now() > deadline {
                bail!("after {PATIENCE:?} still not {what}: {why}\n{}", sight.dump());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until the fleet says that it is ready on a version, and the pods say the same.
    pub async fn settled(&self, replicas: usize, tag: &str) -> Result<Sight> {
        let what = format!("ready with {replicas} nodes on {tag}");
        self.wait_for(&what, |sight| sight.unsettled(replicas, tag)).await
    }
}

/// Everything of a fleet at one time.
pub struct Sight {
    pub fleet: Option<SeiNodeDeployment>,
    pub nodes: Vec<SeiNode>,
    pub sets: Vec<StatefulSet>,
    pub pods: Vec<Pod>,
    pub claims: Vec<PersistentVolumeClaim>,
    pub services: Vec<Service>,
    /// Those of nodes; every namespace has others.
    pub config_maps: Vec<ConfigMap>,
    pub events: Vec<Event>,
}

impl Sight {
    /// A condition of the fleet.
    pub fn condition(&self, wanted: Type) -> Option<&Condition> {
        let conditions = &self.fleet.as_ref()?.status.as_ref()?.conditions;
        conditions.iter().find(|condition| condition.type_ == wanted.as_str())
    }

    /// Whether a condition of the fleet is true.
    pub fn is_true(&self, wanted: Type) -> bool {
        self.condition(wanted).is_some_and(|it| it.status == Status::True.as_str())
    }

    /// How often an event with this reason was published about the fleet.
    pub fn events_of(&self, reason: event::Reason) -> usize {
        self.messages_of(reason).len()
    }

    /// What the events with this reason say about the fleet; one that was counted up says it often.
    pub fn messages_of(&self, reason: event::Reason) -> Vec<&str> {
        self.messages_about(FLEET, reason.as_str())
    }

    /// What the events with this reason say about an object.
    pub fn messages_about(&self, name: &str, reason: &str) -> Vec<&str> {
        let is_meant = |event: &&Event| {
            event.involved_object.name.as_deref() == Some(name)
                && event.reason.as_deref() == Some(reason)
        };
        let meant = self.events.iter().filter(is_meant);
        let often = meant.flat_map(|event| {
            let count = usize::try_from(event.count.unwrap_or(1)).unwrap_or(1);
            std::iter::repeat_n(event.message.as_deref().unwrap_or_default(), count)
        });
        often.collect()
    }

    /// A node of the fleet.
    pub fn node(&self, name: &str) -> Option<&SeiNode> {
        self.nodes.iter().find(|node| node.name_any() == name)
    }

    /// The pod of a node.
    pub fn pod(&self, node: &str) -> Option<&Pod> {
        self.pods.iter().find(|pod| pod.name_any() == format!("{node}-0"))
    }

    /// What the pod of each node is made for.
    pub fn pod_images(&self) -> Vec<String> {
        self.pods.iter().map(|pod| seid_image(pod).to_owned()).collect()
    }

    /// The UIDs of the pods.
    pub fn pod_uids(&self) -> Vec<String> {
        self.pods.iter().filter_map(ResourceExt::uid).collect()
    }

    fn unsettled(&self, replicas: usize, tag: &str) -> Option<String> {
        let Some(fleet) = &self.fleet else { return Some("there is no fleet".to_owned()) };
        let image = image(tag);
        if self.nodes.len() != replicas || self.pods.len() != replicas {
            return Some(format!("{} nodes, {} pods", self.nodes.len(), self.pods.len()));
        }
        if let Some(pod) = self.pods.iter().find(|pod| seid_image(pod) != image || !is_ready(pod)) {
            return Some(format!("pod \"{}\" is not ready on {tag}", pod.name_any()));
        }
        let seen = |node: &&SeiNode| {
            let status = node.status.as_ref();
            status.and_then(|status| status.current_image.as_ref()) == Some(&image)
        };
        if let Some(node) = self.nodes.iter().find(|node| !seen(node)) {
            return Some(format!("\"{}\" is not seen to run {tag}", node.name_any()));
        }
        let observed = fleet.status.as_ref().and_then(|status| status.observed_generation);
        let is_current = observed == fleet.metadata.generation;
        (!is_current || !self.is_true(Type::Ready)).then(|| "the fleet is not Ready".to_owned())
    }

    /// What a failure shows.
    fn dump(&self) -> String {
        let status = self.fleet.as_ref().and_then(|fleet| fleet.status.as_ref());
        let nodes = self.nodes.iter().map(|node| (node.name_any(), json!(node.status)));
        let pods = self.pods.iter().map(|pod| (pod.name_any(), json!(pod.status)));
        let events: Vec<String> = self.events.iter().map(told).collect();
        let sets = self.sets.iter().map(|set| (set.name_any(), json!(set.status)));
        let shown = json!({
            "events": events,
            "StatefulSets": sets.collect::<serde_json::Map<_, _>>(),
            "fleet": status,
            "nodes": nodes.collect::<serde_json::Map<_, _>>(),
            "pods": pods.collect::<serde_json::Map<_, _>>(),
        });
        format!("{shown:#}")
    }
}

/// Merges `more` into `into`, as a merge patch: null removes.
fn merge(into: &mut serde_json::Value, more: serde_json::Value) {
    match (into, more) {
        (serde_json::Value::Object(into), serde_json::Value::Object(more)) => {
            for (field, value) in more {
                if value.is_null() {
                    into.remove(&field);
                } else {
                    merge(into.entry(field).or_insert(serde_json::Value::Null), value);
                }
            }
        }
        (into, more) => *into = more,
    }
}

fn told(event: &Event) -> String {
    let about = event.involved_object.name.as_deref().unwrap_or_default();
    let reason = event.reason.as_deref().unwrap_or_default();
    format!("{about}: {reason}: {}", event.message.as_deref().unwrap_or_default())
}

/// The image that a pod's spec names for `seid`.
pub fn seid_image(pod: &Pod) -> &str {
    let containers = pod.spec.as_ref().map(|spec| spec.containers.as_slice()).unwrap_or_default();
    let seid = containers.iter().find(|container| container.name == "seid");
    seid.and_then(|container| container.image.as_deref()).unwrap_or_default()
}

/// The image that a StatefulSet's template names for `seid`.
pub fn template_image(set: &StatefulSet) -> &str {
    let pod = set.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let containers = pod.map(|pod| pod.containers.as_slice()).unwrap_or_default();
    let seid = containers.iter().find(|container| container.name == "seid");
    seid.and_then(|container| container.image.as_deref()).unwrap_or_default()
}

/// Whether a pod is ready and stays.
pub fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    pod.metadata.deletion_timestamp.is_none()
        && conditions.into_iter().flatten().any(|it| it.type_ == "Ready" && it.status == "True")
}

/// The revision that a StatefulSet wants its pods to have.
pub fn update_revision(set: &StatefulSet) -> Result<&str> {
    let status = set.status.as_ref().context("a StatefulSet without status")?;
    status.update_revision.as_deref().context("a StatefulSet without update revision")
}
