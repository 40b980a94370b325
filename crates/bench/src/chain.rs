//! The write chain of a rollout, driven by hand: the fewest writes in the only possible order, each
//! sent as soon as a watch shows what it waits for. What an operator can be compared with.
//!
//! ```text
//! user    edit of the fleet
//! fleet   1  status: rollout and plan             4 waits
//! fleet   2  both child specs
//! node    3  status: plan       (in parallel)     4 wakes
//! node    4  StatefulSet
//! driver     its status
//! node    5  status: settled
//! fleet   6  status: complete
//! ```

use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::{try_join, try_join_all};
use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::{Api, Resource};
use sei_api::k8s::StatefulSet;
use sei_api::{SeiNode, SeiNodeDeployment, labels};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::stage::{NAMESPACE, REPLICAS, Stage};

/// Rolls `fleet`, which the operator has made and now leaves alone, out by hand, `rounds` times.
///
/// # Errors
/// A write is refused, or a watch does not show it.
pub async fn rounds(stage: &mut Stage, fleet: &str, rounds: usize) -> Result<Vec<Duration>> {
    let mut taken = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let image = stage.next_image();
        taken.push(Chain { stage, fleet, image: &image }.round().await?);
    }
    Ok(taken)
}

/// Rolls all `fleets` out by hand at once: what the API server and this machine can do.
///
/// # Errors
/// A write is refused, or a watch does not show it.
pub async fn crowd(stage: &mut Stage, fleets: &[String]) -> Result<Duration> {
    let image = stage.next_image();
    let begun = Instant::now();
    let chains: Vec<_> = fleets.iter().map(|fleet| Chain { stage, fleet, image: &image }).collect();
    try_join_all(chains.iter().map(Chain::round)).await?;
    Ok(begun.elapsed())
}

/// One rollout of one fleet.
struct Chain<'a> {
    stage: &'a Stage,
    fleet: &'a str,
    image: &'a str,
}

impl Chain<'_> {
    async fn round(&self) -> Result<Duration> {
        let begun = Instant::now();
        self.stage.edit(self.fleet, self.image).await?;
        let edited = |fleet: &SeiNodeDeployment| fleet.spec.template.spec.image == self.image;
        let fleet = self.stage.fleets.until(self.fleet, "edit", edited).await?.object;
        self.patch_status(&*fleet, self.started(&fleet)).await?;
        let names: Vec<String> = (0..REPLICAS).map(|it| format!("{}-{it}", self.fleet)).collect();
        let specs = try_join_all(names.iter().map(|name| self.edit_node(name)));
        let nodes = try_join_all(names.iter().map(|name| self.node(name)));
        try_join(specs, nodes).await?;
        let fleet = self.stage.fleets.get(self.fleet)?;
        let version = fleet.metadata.resource_version.clone();
        self.patch_status(&*fleet, self.completed(&fleet)).await?;
        let done = |it: &SeiNodeDeployment| {
            let rests = it.status.as_ref().is_some_and(|it| it.rollout.is_none());
            rests && it.metadata.resource_version != version
        };
        let done = self.stage.fleets.until(self.fleet, "completion", done).await?;
        Ok(done.at - begun)
    }

    async fn edit_node(&self, name: &str) -> Result<()> {
        let node = self.stage.nodes.get(name)?;
        let mut spec = serde_json::to_value(&node.spec)?;
        spec["image"] = json!(self.image);
        self.apply(&*node, spec, labels::NODEDEPLOYMENT_FIELD_MANAGER).await
    }

    /// From its new spec to the watch that shows it settled.
    async fn node(&self, name: &str) -> Result<()> {
        let edited = |node: &SeiNode| node.spec.image == self.image;
        let node = self.stage.nodes.until(name, "child spec", edited).await?.object;
        let planned = json!({ "plan": plan(NODE_TASKS), "conditions": conditions(&node)? });
        self.patch_status(&*node, planned).await?;
        let set = self.stage.sets.get(name)?;
        self.apply(&*set, self.template(&set)?, labels::NODE_FIELD_MANAGER).await?;
        self.stage.sets.until(name, "StatefulSet", |set| self.is_rolled_out(set)).await?;
        let node = self.stage.nodes.get(name)?;
        let settled = json!({
            "plan": null,
            "currentImage": self.image,
            "observedGeneration": node.metadata.generation,
            "conditions": conditions(&node)?,
        });
        self.patch_status(&*node, settled).await?;
        let runs = |node: &SeiNode| {
            let status = node.status.as_ref();
            status.is_some_and(|it| it.current_image.as_deref() == Some(self.image))
        };
        self.stage.nodes.until(name, "settled node", runs).await?;
        Ok(())
    }

    fn is_rolled_out(&self, set: &StatefulSet) -> bool {
        let observed = set.status.as_ref().and_then(|it| it.observed_generation);
        let pod = set.spec.as_ref().and_then(|it| it.template.spec.as_ref());
        let images = pod.iter().flat_map(|it| &it.containers).filter_map(|it| it.image.as_deref());
        observed == set.metadata.generation && images.into_iter().any(|it| it == self.image)
    }

    fn started(&self, fleet: &SeiNodeDeployment) -> Value {
        json!({
            "phase": "Upgrading",
            "observedGeneration": fleet.metadata.generation,
            "rollout": { "targetHash": "0123456789abcdef", "startedAt": now() },
            "plan": plan(FLEET_TASKS),
            "conditions": fleet.status.as_ref().map(|it| &it.conditions),
        })
    }

    fn completed(&self, fleet: &SeiNodeDeployment) -> Value {
        let status = fleet.status.as_ref();
        let child = |ordinal| {
            json!({
                "name": format!("{}-{ordinal}", self.fleet),
                "phase": "Running",
                "currentImage": self.image,
            })
        };
        json!({
            "phase": "Ready",
            "rollout": null,
            "plan": null,
            "nodes": (0..REPLICAS).map(child).collect::<Vec<_>>(),
            "conditions": status.map(|it| &it.conditions),
        })
    }

    /// The workload's spec with the new image.
    fn template(&self, set: &StatefulSet) -> Result<Value> {
        let mut spec = set.spec.clone().context("a StatefulSet without spec")?;
        let pod = spec.template.spec.as_mut().context("a StatefulSet without pod")?;
        let containers = pod.containers.iter_mut().chain(pod.init_containers.iter_mut().flatten());
        for container in containers.filter(|it| it.name.starts_with("seid")) {
            container.image = Some(self.image.to_owned());
        }
        Ok(serde_json::to_value(spec)?)
    }

    async fn patch_status<K>(&self, object: &K, status: Value) -> Result<()>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(self.stage.client.clone(), NAMESPACE);
        let name = object.meta().name.as_deref().unwrap_or_default();
        let patch = Patch::Merge(json!({ "status": status }));
        api.patch_status(name, &PatchParams::default(), &patch).await.context("patch a status")?;
        Ok(())
    }

    async fn apply<K>(&self, object: &K, spec: Value, manager: &str) -> Result<()>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned
            + Serialize,
    {
        let api: Api<K> = Api::namespaced(self.stage.client.clone(), NAMESPACE);
        let meta = object.meta();
        let name = meta.name.as_deref().unwrap_or_default();
        let body = json!({
            "apiVersion": K::api_version(&()),
            "kind": K::kind(&()),
            "metadata": {
                "name": name,
                "namespace": NAMESPACE,
                "labels": meta.labels,
                "ownerReferences": meta.owner_references,
            },
            "spec": spec,
        });
        let params = PatchParams::apply(manager).force();
        api.patch(name, &params, &Patch::Apply(&body)).await.context("apply")?;
        Ok(())
    }
}

/// As long as the operator's own.
const FLEET_TASKS: &[&str] = &["update-node-specs", "await-spec-update"];
const NODE_TASKS: &[&str] =
    &["apply-statefulset", "apply-service", "replace-pod", "observe-image", "mark-ready"];

fn plan(tasks: &[&str]) -> Value {
    let task = |type_: &&str| json!({ "type": type_, "id": Uuid::new_v4(), "status": "Pending" });
    let tasks: Vec<Value> = tasks.iter().map(task).collect();
    json!({ "id": Uuid::new_v4(), "phase": "Active", "tasks": tasks })
}

/// The conditions of a node, one of them new.
fn conditions(node: &SeiNode) -> Result<Value> {
    let conditions = node.status.as_ref().map(|it| it.conditions.clone()).unwrap_or_default();
    let mut conditions = serde_json::to_value(conditions)?;
    if let Some(first) = conditions.get_mut(0) {
        first["lastTransitionTime"] = json!(now());
    }
    Ok(conditions)
}

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
