//! The fleet as watches see it: its objects, their events, and waiting for a state of them.

use std::collections::BTreeSet;
use std::future::ready;
use std::time::Duration;

use anyhow::{Result, bail};
use futures::{StreamExt, TryStreamExt};
use kube::runtime::reflector::{Lookup, Store, store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use sei_api::k8s::{Event, Pod};
use sei_api::{SeiNode, SeiNodeDeployment};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::doors;
use crate::rows::Row;
use crate::sample::{FLEET, NAMESPACE};
use crate::screen::Screen;

/// A wait looks again at least this often, so that a dead operator is noticed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(120);

/// Watches on everything that the story speaks of; they end when this is dropped.
pub struct Fleet {
    deployments: Store<SeiNodeDeployment>,
    nodes: Store<SeiNode>,
    pods: Store<Pod>,
    events: Store<Event>,
    /// Changes that a person has already seen, so that waits end after what they waited for.
    shown: watch::Receiver<()>,
    tasks: JoinSet<()>,
}

impl Fleet {
    /// Starts to watch, and to show what changes.
    pub fn watch(client: &Client, screen: Screen) -> Self {
        let (changed, changes) = watch::channel(());
        let mut tasks = JoinSet::new();
        let deployments = follow(client, &changed, &mut tasks);
        let nodes = follow(client, &changed, &mut tasks);
        let pods = follow(client, &changed, &mut tasks);
        let events = follow(client, &changed, &mut tasks);
        let (showing, shown) = watch::channel(());
        let mut fleet = Self { deployments, nodes, pods, events, shown, tasks };
        fleet.tasks.spawn(show(fleet.view(), screen, changes, showing));
        fleet
    }

    /// The objects as they are now.
    pub fn view(&self) -> View {
        View {
            deployments: self.deployments.clone(),
            nodes: self.nodes.clone(),
            pods: self.pods.clone(),
            events: self.events.clone(),
        }
    }

    /// Waits until `look` has no objection; returns what it made of the objects.
    ///
    /// # Errors
    /// The last objection, after two minutes.
    pub async fn wait_for<T>(
        &self,
        what: &str,
        look: impl Fn(&View) -> Result<T, String>,
    ) -> Result<T> {
        let (view, mut changes) = (self.view(), self.shown.clone());
        let deadline = Instant::now() + PATIENCE;
        loop {
            changes.borrow_and_update();
            match look(&view) {
                Ok(found) => return Ok(found),
                Err(objection) if Instant::now() > deadline => {
                    let nodes: Vec<_> = view.rows().iter().map(Row::line).collect();
                    bail!(
                        "after {}s still not {what}: {objection}\n{}",
                        PATIENCE.as_secs(),
                        nodes.join("\n")
                    );
                }
                Err(_) => {}
            }
            // A closed channel means that the watches are gone, and then time runs out.
            let _ = tokio::time::timeout(LOOK_AGAIN, changes.changed()).await;
        }
    }
}

/// The objects, shared with the watches that fill them.
pub struct View {
    deployments: Store<SeiNodeDeployment>,
    nodes: Store<SeiNode>,
    pods: Store<Pod>,
    events: Store<Event>,
}

impl View {
    /// A deployment by name.
    pub fn deployment(&self, name: &str) -> Option<SeiNodeDeployment> {
        let all = self.deployments.state();
        all.iter().find(|deployment| deployment.name_any() == name).map(|it| (**it).clone())
    }

    /// The fleet's nodes, by name.
    pub fn nodes(&self) -> Vec<SeiNode> {
        let is_ours = |node: &SeiNode| {
            node.labels().get(sei_api::labels::NODEDEPLOYMENT).is_some_and(|it| it == FLEET)
        };
        let all = self.nodes.state();
        let mut nodes: Vec<_> =
            all.iter().filter(|node| is_ours(node)).map(|node| (**node).clone()).collect();
        nodes.sort_by_key(ResourceExt::name_any);
        nodes
    }

    /// The pod of a node.
    pub fn pod_of(&self, node: &str) -> Option<Pod> {
        let name = format!("{node}-0");
        let all = self.pods.state();
        all.iter().find(|pod| pod.name_any() == name).map(|pod| (**pod).clone())
    }

    /// What is shown of each node.
    pub fn rows(&self) -> Vec<Row> {
        let nodes = self.nodes();
        nodes.iter().map(|node| Row::new(node, self.pod_of(&node.name_any()).as_ref())).collect()
    }

    /// What is shown of the ways to the fleet.
    pub fn doors(&self) -> Vec<String> {
        self.deployment(FLEET).map(|it| doors::live(&it)).unwrap_or_default()
    }

    /// The Kubernetes Events about our kinds, oldest first.
    pub fn events(&self) -> Vec<Event> {
        let is_ours = |event: &Event| {
            event.involved_object.api_version.as_deref() == Some(sei_api::API_VERSION)
        };
        let all = self.events.state();
        let mut events: Vec<_> =
            all.iter().filter(|event| is_ours(event)).map(|event| (**event).clone()).collect();
        // Times of events have seconds only; the order in which they were stored has no ties.
        events.sort_by_key(|event| {
            event.metadata.resource_version.as_ref().and_then(|it| it.parse::<u64>().ok())
        });
        events
    }

    /// Whether an event with this reason was published about a deployment.
    pub fn has_event(&self, deployment: &str, reason: sei_api::event::Reason) -> bool {
        self.events().iter().any(|event| {
            event.involved_object.name.as_deref() == Some(deployment)
                && event.reason.as_deref() == Some(reason.as_str())
        })
    }
}

/// Keeps a store of one kind, and tells that it has changed.
fn follow<K>(client: &Client, changed: &watch::Sender<()>, tasks: &mut JoinSet<()>) -> Store<K>
where
    K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    K: Lookup<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
    K: Send + Sync + 'static,
{
    let (reader, writer) = store();
    let api: Api<K> = Api::namespaced(client.clone(), NAMESPACE);
    let changed = changed.clone();
    let stream = watcher(api, watcher::Config::default()).default_backoff().reflect(writer);
    tasks.spawn(async move {
        // A failed watch starts again by itself; there is nothing to tell about it.
        let events = stream.into_stream().filter_map(|event| ready(event.ok()));
        let tell = |_| {
            changed.send_replace(());
            ready(())
        };
        events.for_each(tell).await;
    });
    reader
}

/// Shows every change until the watches end, and tells `showing` after each.
async fn show(
    view: View,
    screen: Screen,
    mut changes: watch::Receiver<()>,
    showing: watch::Sender<()>,
) {
    let mut told = BTreeSet::new();
    while changes.changed().await.is_ok() {
        for event in view.events() {
            if told.insert(event.metadata.uid.clone()) {
                screen.event(&sentence(&event));
            }
        }
        screen.fleet(&view.rows(), &view.doors());
        showing.send_replace(());
    }
}

fn sentence(event: &Event) -> String {
    let object = &event.involved_object;
    format!(
        "{} {}: {} {}",
        object.kind.as_deref().unwrap_or_default(),
        object.name.as_deref().unwrap_or_default(),
        event.reason.as_deref().unwrap_or_default(),
        event.message.as_deref().unwrap_or_default()
    )
}
