//! Which kinds, which watches, which triggers, how they start and end: one table.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use kube::{Api, Client};
use sei_core::platform::Platform;
use sei_core::tempo::Tempo;
use sei_sidecar_api::SidecarFactory;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::admin::{Health, Liveness, Readiness};
use crate::clock::Clock;
use crate::cluster::Object;
use crate::cluster::guarded::Guarded;
use crate::cluster::store::{Change, Store};
use crate::cluster::stores::{OF_FLEET, OF_NODE, ROUTE, Stores};
use crate::cluster::watch::{Need, Watch};
use crate::context::{ClientHandle, Context};
use crate::deployment::Deployment;
use crate::hosts::Hosts;
use crate::ids::Ids;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::names::{Names, Resolver};
use crate::node::Node;
use crate::pass::Shell;
use crate::process::Controllers;
use crate::queue::Queue;
use crate::recorder::{self, Delivery, Recorder};
use crate::settings::Scope;
use crate::sidecars::Sidecars;
use crate::worker::Worker;

mod shown;
mod triggers;

use shown::Shown;
use triggers::Triggers;

/// What the controllers are made of.
#[derive(Clone)]
pub struct Inputs {
    /// The API server.
    pub client: Client,
    /// Which namespaces are watched.
    pub scope: Scope,
    /// Where the sidecar of a node is reached.
    pub sidecars: Arc<dyn SidecarFactory>,
    /// Where host names are looked up.
    pub resolver: Arc<dyn Resolver>,
    /// What nodes run on.
    pub platform: Platform,
    /// Paces of the decisions.
    pub tempo: Tempo,
    /// Bounds of the shell.
    pub limits: Limits,
    /// The time of day.
    pub clock: Clock,
    /// Fresh ids and jitter.
    pub ids: Ids,
    /// Counts.
    pub metrics: Arc<Metrics>,
}

/// The controllers of a process, by what runs at any time and what runs while leading.
pub type Wired = Controllers<BoxFuture<'static, ()>, BoxFuture<'static, ()>>;

/// Wires all controllers; nothing is sent before their futures run.
pub fn wire(
    inputs: Inputs,
    recorder: Recorder,
    readiness: &Readiness,
    shutdown: CancellationToken,
) -> Wired {
    let stores = Arc::new(Stores::new());
    let sidecars =
        Arc::new(Sidecars::new(Arc::clone(&inputs.sidecars), Arc::clone(&inputs.metrics)));
    let triggers = Arc::new(Triggers {
        stores: Arc::clone(&stores),
        nodes: Arc::new(Queue::new()),
        fleets: Arc::new(Queue::new()),
        sidecars: Arc::clone(&sidecars),
        open: AtomicBool::new(false),
    });
    inputs
        .metrics
        .show(Arc::new(Shown { stores: Arc::clone(&stores), sidecars: Arc::clone(&sidecars) }));
    let watches = Watches::new(&inputs, &triggers, readiness).all(&stores);
    let liveness = liveness(&stores, inputs.limits.silence_max());
    let queues = (Arc::clone(&triggers.nodes), Arc::clone(&triggers.fleets));
    let names = Names::new(inputs.resolver, &inputs.limits, &inputs.ids, &triggers.fleets);
    let context = Arc::new(Context {
        client: ClientHandle(inputs.client),
        stores,
        sidecars,
        hosts: Hosts::default(),
        names,
        recorder,
        metrics: inputs.metrics,
        clock: inputs.clock,
        ids: inputs.ids,
        platform: inputs.platform,
        tempo: inputs.tempo,
        limits: inputs.limits,
    });
    let nodes = Worker::<Node>::new(Shell::new(Arc::clone(&context)), queues.0);
    let fleets = Worker::<Deployment>::new(Shell::new(context), queues.1);
    let passes = futures::future::join(nodes.run(shutdown.clone()), fleets.run(shutdown.clone()));
    let watching = async move {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            _ = join_all(watches) => {}
        }
    };
    Controllers { liveness, watches: watching.boxed(), passes: passes.map(|_| ()).boxed() }
}

/// The watches of a process while they are put together.
struct Watches<'a> {
    inputs: &'a Inputs,
    triggers: &'a Arc<Triggers>,
    readiness: &'a Readiness,
    /// Stores that are not complete yet.
    missing: Arc<AtomicUsize>,
}

impl<'a> Watches<'a> {
    fn new(inputs: &'a Inputs, triggers: &'a Arc<Triggers>, readiness: &'a Readiness) -> Self {
        Self { inputs, triggers, readiness, missing: Arc::default() }
    }

    /// The table: store, selector, whom a change wakes.
    fn all(&self, stores: &Stores) -> Vec<BoxFuture<'static, ()>> {
        vec![
            self.watch((&stores.fleets, None), Triggers::fleet_changed),
            self.watch((&stores.nodes, None), Triggers::node_changed),
            self.watch((&stores.statefulsets, Some(OF_NODE)), Triggers::statefulset_changed),
            self.watch((&stores.pods, Some(OF_NODE)), Triggers::pod_changed),
            self.watch((&stores.services, Some(OF_NODE)), Triggers::node_part_changed),
            self.watch((&stores.fleet_services, Some(OF_FLEET)), Triggers::fleet_service_changed),
            self.watch((&stores.claims, Some(OF_NODE)), Triggers::node_part_changed),
            self.watch((&stores.config_maps, Some(OF_NODE)), Triggers::node_part_changed),
            self.watch_if_there((&stores.routes, Some(ROUTE)), Triggers::route_changed),
        ]
    }

    /// A kind that the cluster may lack. Nothing waits for it; when it comes or goes, the fleets
    /// that want it are woken.
    fn watch_if_there<K: Object>(
        &self,
        (store, selector): (&Arc<Store<K>>, Option<&'static str>),
        wake: fn(&Triggers, &Change<K>),
    ) -> BoxFuture<'static, ()> {
        let watch = self.prepared((store, selector), Need::Optional);
        let (turned, triggers) = (Arc::clone(self.triggers), Arc::clone(self.triggers));
        watch.run(move || turned.routes_turned(), move |change| wake(&triggers, change)).boxed()
    }

    fn watch<K: Object>(
        &self,
        (store, selector): (&Arc<Store<K>>, Option<&'static str>),
        wake: fn(&Triggers, &Change<K>),
    ) -> BoxFuture<'static, ()> {
        let watch = self.prepared((store, selector), Need::Required);
        let permit = self.readiness.permit(store.kind());
        self.missing.fetch_add(1, Ordering::AcqRel);
        let (missing, triggers) = (Arc::clone(&self.missing), Arc::clone(self.triggers));
        let mut permit = Some(permit);
        let complete = move || {
            let Some(permit) = permit.take() else { return };
            permit.ready();
            if missing.fetch_sub(1, Ordering::AcqRel) == 1 {
                triggers.open();
            }
        };
        let triggers = Arc::clone(self.triggers);
        watch.run(complete, move |change| wake(&triggers, change)).boxed()
    }

    fn prepared<K: Object>(
        &self,
        (store, selector): (&Arc<Store<K>>, Option<&'static str>),
        need: Need,
    ) -> Watch<K> {
        let client = self.inputs.client.clone();
        let api: Api<Guarded<K>> = match &self.inputs.scope {
            Scope::Cluster => Api::all(client),
            Scope::Namespace(namespace) => Api::namespaced(client, namespace),
        };
        Watch {
            store: Arc::clone(store),
            api,
            selector,
            need,
            limits: self.inputs.limits.clone(),
            ids: self.inputs.ids.clone(),
            metrics: Arc::clone(&self.inputs.metrics),
        }
    }
}

/// A store that has heard nothing for twice the life of a watch will not by itself.
fn liveness(stores: &Arc<Stores>, silence_max: Duration) -> Liveness {
    let stores = Arc::clone(stores);
    Arc::new(move || {
        let silences = stores.silences();
        let worst = silences.into_iter().max_by_key(|(_, silence)| *silence);
        match worst {
            Some((kind, silence)) if silence > silence_max => Health::Stuck(format!(
                "the watch of {kind} has heard nothing for {} s",
                silence.as_secs()
            )),
            Some(_) | None => Health::Alive,
        }
    })
}

/// Controllers that run in this process's background: for tests and for whoever embeds them.
///
/// Dropping it stops them where they stand; [`Operator::stop`] lets them finish.
#[must_use]
pub struct Operator {
    shutdown: CancellationToken,
    readiness: Readiness,
    watches: JoinHandle<()>,
    passes: JoinHandle<()>,
    delivery: Option<Delivery>,
}

impl Operator {
    /// Starts all controllers. Must be called within a runtime.
    pub fn start(inputs: Inputs) -> Self {
        let (shutdown, readiness) = (CancellationToken::new(), Readiness::default());
        let (recorder, delivery) = Recorder::start(recorder::Parts {
            client: inputs.client.clone(),
            clock: inputs.clock.clone(),
            metrics: Arc::clone(&inputs.metrics),
            instance: "sei-operator".to_owned(),
        });
        let wired = wire(inputs, recorder, &readiness, shutdown.clone());
        Self {
            shutdown,
            readiness,
            watches: tokio::spawn(wired.watches),
            passes: tokio::spawn(wired.passes),
            delivery: Some(delivery),
        }
    }

    /// Which stores are not complete yet.
    #[must_use]
    pub fn waiting_for(&self) -> Vec<&'static str> {
        self.readiness.waiting_for()
    }

    /// Begins no further pass, lets the running ones finish, delivers queued events for at most
    /// `events_grace`.
    pub async fn stop(mut self, events_grace: Duration) {
        self.shutdown.cancel();
        // A task that was aborted or failed has stopped as well.
        let _ = (&mut self.passes).await;
        let _ = (&mut self.watches).await;
        if let Some(delivery) = self.delivery.take() {
            delivery.drain(events_grace).await;
        }
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.passes.abort();
        self.watches.abort();
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator").field("waiting_for", &self.waiting_for()).finish()
    }
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inputs").field("scope", &self.scope).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
