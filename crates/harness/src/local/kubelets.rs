//! What kubelets do beyond kwok's stages: sidecars live with their pods, and probes see them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;
use futures::{StreamExt, stream};
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use sei_api::k8s::{Node, PersistentVolumeClaim, Pod};
use sei_sidecar_sim::Sidecars;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::machines::{Power, power};
use super::sidecar_lives::{SidecarLives, node_of};

mod readiness;

/// The probes' period; real ones take seconds, which nobody wants to watch.
const PROBE_PERIOD: Duration = Duration::from_millis(100);
/// Pods and claims of SeiNodes carry this label.
const NODE_LABEL: &str = "sei.io/node";

/// The running kubelets; they end when this is dropped.
#[derive(Debug)]
pub(super) struct Kubelets {
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Kubelets {
    pub(super) fn start(client: Client, sidecars: Sidecars) -> Self {
        let cancel = CancellationToken::new();
        let cancelled = cancel.clone().cancelled_owned();
        let task = tokio::spawn(async move {
            tokio::select! {
                () = cancelled => {}
                () = run(client, sidecars) => {}
            }
        });
        Self { cancel, task }
    }

    /// Ends them; no write happens afterwards.
    pub(super) async fn stop(mut self) {
        self.cancel.cancel();
        // It cannot fail but by a panic, which was printed where it happened.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Kubelets {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// One thing that the kubelets hear of.
enum Heard {
    Pod(Box<watcher::Event<Pod>>),
    Claim(Box<watcher::Event<PersistentVolumeClaim>>),
    Machine(Box<watcher::Event<Node>>),
    ProbeTime,
}

/// What the kubelets know.
struct State {
    client: Client,
    sidecars: Sidecars,
    lives: SidecarLives,
    /// By UID, as the watch saw them last.
    pods: BTreeMap<String, Pod>,
    /// The machines without power, by name.
    dark: BTreeSet<String>,
}

async fn run(client: Client, sidecars: Sidecars) {
    let only_nodes = || watcher::Config::default().labels(NODE_LABEL);
    let pods = watcher(Api::<Pod>::all(client.clone()), only_nodes()).default_backoff();
    let claims =
        watcher(Api::<PersistentVolumeClaim>::all(client.clone()), only_nodes()).default_backoff();
    let machines = watcher(Api::<Node>::all(client.clone()), watcher::Config::default());
    let mut ticks = tokio::time::interval(PROBE_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let ticks = stream::unfold(ticks, |mut ticks| async {
        ticks.tick().await;
        Some((Heard::ProbeTime, ticks))
    });
    // A failed watch starts again by itself; what it missed comes with its next list.
    let heard = stream::select(
        pods.filter_map(|event| async { event.ok().map(Box::new).map(Heard::Pod) }),
        claims.filter_map(|event| async { event.ok().map(Box::new).map(Heard::Claim) }),
    );
    let machines = machines
        .default_backoff()
        .filter_map(|event| async { event.ok().map(Box::new).map(Heard::Machine) });
    let heard = stream::select(heard, machines);
    let mut heard = std::pin::pin!(stream::select(heard, ticks));
    let (lives, pods, dark) = (SidecarLives::default(), BTreeMap::new(), BTreeSet::new());
    let mut state = State { client, sidecars, lives, pods, dark };
    while let Some(heard) = heard.next().await {
        match heard {
            Heard::Pod(event) => state.hear_pod(*event),
            Heard::Claim(event) => state.hear_claim(&event),
            Heard::Machine(event) => state.hear_machine(*event),
            Heard::ProbeTime => {
                state.probe().await;
                state.end_pods().await;
            }
        }
    }
}

impl State {
    fn hear_pod(&mut self, event: watcher::Event<Pod>) {
        match event {
            watcher::Event::Apply(pod) | watcher::Event::InitApply(pod) => {
                if !self.is_dark(&pod) {
                    self.lives.seen(&self.sidecars, &pod);
                }
                self.pods.insert(pod.uid().unwrap_or_default(), pod);
            }
            watcher::Event::Delete(pod) => {
                self.lives.gone(&self.sidecars, &pod);
                self.pods.remove(&pod.uid().unwrap_or_default());
            }
            watcher::Event::Init | watcher::Event::InitDone => {}
        }
    }

    fn hear_claim(&mut self, event: &watcher::Event<PersistentVolumeClaim>) {
        if let watcher::Event::Delete(claim) = event
            && let (Some(namespace), Some(node)) =
                (claim.namespace(), claim.labels().get(NODE_LABEL))
        {
            self.lives.claim_gone(&self.sidecars, &(namespace, node.clone()));
        }
    }

    /// What ran on a machine ends with its power, and begins again with it.
    fn hear_machine(&mut self, event: watcher::Event<Node>) {
        let (name, power) = match event {
            watcher::Event::Apply(machine) | watcher::Event::InitApply(machine) => {
                (machine.name_any(), power(&machine))
            }
            watcher::Event::Delete(machine) => (machine.name_any(), Power::Off),
            watcher::Event::Init | watcher::Event::InitDone => return,
        };
        let has_changed = match power {
            Power::On => self.dark.remove(&name),
            Power::Off => self.dark.insert(name.clone()),
        };
        if !has_changed {
            return;
        }
        for pod in self.pods.values().filter(|pod| host(pod) == Some(&name)) {
            match power {
                Power::On => self.lives.seen(&self.sidecars, pod),
                Power::Off => self.lives.gone(&self.sidecars, pod),
            }
        }
    }

    fn is_dark(&self, pod: &Pod) -> bool {
        host(pod).is_some_and(|host| self.dark.contains(host))
    }

    /// Writes the status of every pod whose readiness is not that of its sidecar.
    async fn probe(&mut self) {
        for pod in self.pods.values().filter(|pod| !self.is_dark(pod)) {
            let gate_open = self.lives.is_ready(&self.sidecars, pod);
            let Some(status) = readiness::changed(pod, gate_open) else { continue };
            // A conflict means that the pod has moved; the watch brings it, the next probe retries.
            if let Err(error) = self.write(pod, &status).await {
                tracing::debug!(pod = pod.name_any(), %error, "a probe's result was not written");
            }
        }
    }

    /// Ends what is to end, at once: nobody here takes a grace period to shut down.
    async fn end_pods(&self) {
        let ends = |pod: &&Pod| pod.metadata.deletion_timestamp.is_some() && !self.is_dark(pod);
        for pod in self.pods.values().filter(ends) {
            // What has gone meanwhile is not there, and its successor is not meant.
            if let Err(error) = end(&self.client, pod).await {
                tracing::debug!(pod = pod.name_any(), %error, "a pod was not ended");
            }
        }
    }

    async fn write(&self, pod: &Pod, status: &serde_json::Value) -> Result<()> {
        let Some((namespace, _)) = node_of(pod) else { return Ok(()) };
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &namespace);
        let patch = serde_json::json!({
            "metadata": {"resourceVersion": pod.resource_version(), "uid": pod.uid()},
            "status": status,
        });
        api.patch_status(&pod.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }
}

/// Takes `pod` away, and no other of its name.
async fn end(client: &Client, pod: &Pod) -> kube::Result<()> {
    let Some((namespace, _)) = node_of(pod) else { return Ok(()) };
    let api: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    let preconditions = Preconditions { uid: pod.uid(), resource_version: None };
    let params = DeleteParams::default().grace_period(0).preconditions(preconditions);
    api.delete(&pod.name_any(), &params).await.map(|_| ())
}

/// The name of the machine under a pod.
fn host(pod: &Pod) -> Option<&String> {
    pod.spec.as_ref()?.node_name.as_ref()
}

#[cfg(test)]
mod tests;
