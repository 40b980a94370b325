//! Plays the StatefulSet controller together with the kubelet, for tests that need pods: one pod
//! for each StatefulSet, at its newest template once the old pod is gone, as `OnDelete` asks for.
//!
//! Nothing in the operator knows of it. It takes the place of the [`crate::status_faker`]: stop
//! that one first, or both write the same fields.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use sei_api::k8s::{Pod, StatefulSet};
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::status_faker::TICK;

const REVISION: &str = "controller-revision-hash";
/// The machine of all pods; no such Node exists.
const MACHINE: &str = "m1";
/// When every pod and container has started.
const STARTED: &str = "2026-01-01T00:00:00Z";

/// A running player. It ends when it is dropped.
#[derive(Debug)]
pub struct PodPlayer {
    missing: Arc<Mutex<BTreeSet<String>>>,
    _stop: DropGuard,
}

impl PodPlayer {
    /// Starts to look after the StatefulSets of the namespace.
    pub fn start(client: Client, namespace: &str) -> Self {
        let missing: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let stop = CancellationToken::new();
        let stage = Stage {
            sets: Api::namespaced(client.clone(), namespace),
            pods: Api::namespaced(client, namespace),
            missing: Arc::clone(&missing),
        };
        tokio::spawn(run(stage, stop.clone()));
        Self { missing, _stop: stop.drop_guard() }
    }

    /// From now on no registry has this image: a pod of it never starts.
    pub fn unpublish(&self, image: &str) {
        lock(&self.missing).insert(image.to_owned());
    }

    /// The image is there again, and what waited for it starts.
    pub fn publish(&self, image: &str) {
        lock(&self.missing).remove(image);
    }
}

struct Stage {
    sets: Api<StatefulSet>,
    pods: Api<Pod>,
    missing: Arc<Mutex<BTreeSet<String>>>,
}

async fn run(stage: Stage, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(err) = stage.sweep().await {
            tracing::debug!(%err, "sweep given up; the next tick tries again");
        }
    }
}

impl Stage {
    async fn sweep(&self) -> Result<()> {
        for set in self.sets.list(&ListParams::default()).await?.items {
            let pod = self.pods.get_opt(&format!("{}-0", set.name_any())).await?;
            let pod = match pod {
                None => self.pods.create(&PostParams::default(), &pod_of(&set)?).await?,
                Some(pod) => pod,
            };
            let status = self.pod_status(&pod);
            if differs(&serde_json::to_value(&pod.status)?, &status) {
                let patch = Patch::Merge(json!({ "status": status }));
                self.pods.patch_status(&pod.name_any(), &PatchParams::default(), &patch).await?;
            }
            let status = set_status(&set, &pod, self.runs(&pod))?;
            if differs(&serde_json::to_value(&set.status)?, &status) {
                let patch = Patch::Merge(json!({ "status": status }));
                self.sets.patch_status(&set.name_any(), &PatchParams::default(), &patch).await?;
            }
        }
        Ok(())
    }

    fn runs(&self, pod: &Pod) -> bool {
        let missing = lock(&self.missing);
        containers(pod).iter().all(|(_, image)| !missing.contains(image))
    }

    fn pod_status(&self, pod: &Pod) -> Value {
        let missing = lock(&self.missing).clone();
        let statuses: Vec<Value> = containers(pod)
            .into_iter()
            .map(|(name, image)| container_status(&name, &image, missing.contains(&image)))
            .collect();
        let ready = if statuses.iter().all(|it| it["ready"] == true) { "True" } else { "False" };
        let condition =
            |kind: &str| json!({ "type": kind, "status": ready, "lastTransitionTime": STARTED });
        json!({
            "phase": if ready == "True" { "Running" } else { "Pending" },
            "startTime": STARTED,
            "conditions": [condition("Ready"), condition("ContainersReady")],
            "containerStatuses": statuses,
        })
    }
}

/// The names and images of the pod's containers.
fn containers(pod: &Pod) -> Vec<(String, String)> {
    let all = pod.spec.iter().flat_map(|it| &it.containers);
    all.map(|it| (it.name.clone(), it.image.clone().unwrap_or_default())).collect()
}

fn container_status(name: &str, image: &str, missing: bool) -> Value {
    let state = if missing {
        let message = format!("Back-off pulling image \"{image}\": not found");
        json!({ "waiting": { "reason": "ImagePullBackOff", "message": message } })
    } else {
        json!({ "running": { "startedAt": STARTED } })
    };
    json!({
        "name": name, "image": image, "imageID": "", "restartCount": 0,
        "ready": !missing, "started": !missing, "state": state,
    })
}

/// The StatefulSet's pod at its newest template. Only what says which image runs is taken from it:
/// the rest would need objects that exist only in a whole cluster.
fn pod_of(set: &StatefulSet) -> Result<Pod> {
    let template = &set.spec.as_ref().context("no spec")?.template;
    let meta = template.metadata.clone().unwrap_or_default();
    let mut labels = meta.labels.unwrap_or_default();
    labels.insert(REVISION.to_owned(), revision(set)?);
    let spec = template.spec.as_ref().context("no pod spec")?;
    let sidecars = spec.init_containers.iter().flatten();
    let sidecars = sidecars.filter(|it| it.restart_policy.as_deref() == Some("Always"));
    let containers: Vec<Value> = spec
        .containers
        .iter()
        .chain(sidecars)
        .map(|it| json!({ "name": it.name, "image": it.image }))
        .collect();
    let owner = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "controller": true,
        "name": set.name_any(), "uid": set.metadata.uid,
    });
    Ok(serde_json::from_value(json!({
        "metadata": {
            "name": format!("{}-0", set.name_any()), "labels": labels, "ownerReferences": [owner],
        },
        "spec": {
            "nodeName": MACHINE, "containers": containers, "terminationGracePeriodSeconds": 0,
        },
    }))?)
}

/// One word for each pod template.
fn revision(set: &StatefulSet) -> Result<String> {
    let template = &set.spec.as_ref().context("no spec")?.template;
    let mut hasher = DefaultHasher::new();
    hasher.write(&serde_json::to_vec(template)?);
    Ok(format!("{:016x}", hasher.finish()))
}

fn set_status(set: &StatefulSet, pod: &Pod, runs: bool) -> Result<Value> {
    let newest = revision(set)?;
    let current = pod.labels().get(REVISION).cloned().unwrap_or_default();
    let updated = i32::from(current == newest);
    Ok(json!({
        "observedGeneration": set.metadata.generation,
        "replicas": 1,
        "readyReplicas": i32::from(runs),
        "availableReplicas": i32::from(runs),
        "updatedReplicas": updated,
        "currentReplicas": 1 - updated,
        "currentRevision": current,
        "updateRevision": newest,
    }))
}

/// Whether any field of `wanted` is not as it should be; what the server drops is a zero.
fn differs(is: &Value, wanted: &Value) -> bool {
    let fields = wanted.as_object().into_iter().flatten();
    let mut differing = fields.filter(|(field, wanted)| match &is[field.as_str()] {
        Value::Null => **wanted != json!(0),
        is => !covers(is, wanted),
    });
    differing.next().is_some()
}

/// Whether `is` says all that `wanted` says.
fn covers(is: &Value, wanted: &Value) -> bool {
    match (is, wanted) {
        (Value::Object(is), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| is.get(key).is_some_and(|it| covers(it, value)))
        }
        (Value::Array(is), Value::Array(wanted)) => {
            is.len() == wanted.len() && is.iter().zip(wanted).all(|(is, it)| covers(is, it))
        }
        (is, wanted) => is == wanted,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    //! The little that can go wrong without a server: when something is written again.

    use super::*;

    #[test]
    fn what_is_as_wanted_is_not_written_again() {
        let wanted = container_status("seid", "seid:v1", false);
        let mut is = wanted.clone();
        is["lastState"] = json!({});
        assert!(covers(&is, &wanted));
        assert!(!covers(&container_status("seid", "seid:v1", true), &wanted));
        assert!(!differs(&json!({ "a": 1 }), &json!({ "a": 1, "b": 0 })));
        assert!(differs(&json!({ "a": 1 }), &json!({ "a": 1, "b": 1 })));
        assert!(differs(&Value::Null, &json!({ "a": [1] })));
    }
}
