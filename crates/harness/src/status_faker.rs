//! Writes the status of StatefulSets as their controller would, because there is none.
//!
//! Nothing in the operator knows of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use sei_api::k8s::StatefulSet;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

mod mode;

pub use mode::{Mode, rolled_out};

use crate::scope::Scope;

/// Between two looks at whether a sweep is due. Helpers poll every 200 ms, and the faker must win
/// that race.
pub const TICK: Duration = Duration::from_millis(50);

/// A running faker. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct StatusFaker {
    shared: Arc<Shared>,
    stop: CancellationToken,
    sweeper: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// One token per pause in force; it sweeps only while there is none.
    pauses: Mutex<(u64, BTreeSet<u64>)>,
    /// By name of the StatefulSet.
    modes: Mutex<BTreeMap<String, Mode>>,
    /// Held during a sweep: who gets it knows that no sweep is running.
    sweeping: tokio::sync::Mutex<()>,
    /// Something has changed since the last sweep began.
    due: AtomicBool,
}

/// A pause; the faker goes on when it is dropped.
#[derive(Debug)]
#[must_use = "the faker goes on when the guard is dropped"]
pub struct PauseGuard {
    shared: Arc<Shared>,
    token: u64,
}

impl StatusFaker {
    /// Starts sweeping the StatefulSets of `scope`; `client` may write their status.
    pub fn start(client: Client, scope: &Scope) -> Self {
        let shared = Arc::new(Shared::default());
        let stop = CancellationToken::new();
        let sweeper = tokio::spawn(run(client, scope.clone(), shared.clone(), stop.clone()));
        Self { shared, stop, sweeper: Mutex::new(Some(sweeper)) }
    }

    /// A barrier: once this has returned nothing is written until the guard is dropped.
    pub async fn pause(&self) -> PauseGuard {
        let guard = {
            let mut pauses = lock(&self.shared.pauses);
            pauses.0 += 1;
            let token = pauses.0;
            pauses.1.insert(token);
            PauseGuard { shared: self.shared.clone(), token }
        };
        let _no_sweep_is_running = self.shared.sweeping.lock().await;
        guard
    }

    /// Ends all pauses; harmless when there is none.
    pub fn resume(&self) {
        lock(&self.shared.pauses).1.clear();
    }

    /// Whether a pause is in force.
    pub fn is_paused(&self) -> bool {
        self.shared.is_paused()
    }

    /// How the StatefulSet of this name is treated from the next sweep on.
    pub fn set_mode(&self, stateful_set: &str, mode: Mode) {
        lock(&self.shared.modes).insert(stateful_set.to_owned(), mode);
        self.shared.due.store(true, Ordering::Release);
    }

    /// Stops and waits; nothing is written afterwards. A second call does nothing.
    pub async fn stop(&self) {
        self.stop.cancel();
        let sweeper = lock(&self.sweeper).take();
        if let Some(sweeper) = sweeper {
            // It was cancelled by its token; if it panicked, the test's own waits say more.
            let _ = sweeper.await;
        }
    }

    /// One line for the dump of a failure.
    pub fn describe(&self) -> String {
        let modes = lock(&self.shared.modes).clone();
        let state = match (self.stop.is_cancelled(), self.is_paused()) {
            (true, _) => "stopped",
            (false, true) => "paused",
            (false, false) => "running",
        };
        format!("{state}, modes {modes:?}")
    }
}

impl Drop for StatusFaker {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Drop for PauseGuard {
    fn drop(&mut self) {
        lock(&self.shared.pauses).1.remove(&self.token);
    }
}

impl Shared {
    fn is_paused(&self) -> bool {
        !lock(&self.pauses).1.is_empty()
    }

    fn mode_of(&self, name: &str) -> Mode {
        lock(&self.modes).get(name).cloned().unwrap_or_default()
    }
}

async fn run(client: Client, scope: Scope, shared: Arc<Shared>, stop: CancellationToken) {
    tokio::select! {
        biased;
        () = sweep_when_due(&client, &scope, &shared, &stop) => {}
        () = follow(&client, &scope, &shared) => {}
    }
}

/// Sees that something has changed; whatever it may be, a sweep finds out.
async fn follow(client: &Client, scope: &Scope, shared: &Shared) {
    let sets = scope.api::<PartialObjectMeta<StatefulSet>>(client.clone());
    let mut changes = watcher(sets, watcher::Config::default()).default_backoff().boxed();
    while changes.next().await.is_some() {
        shared.due.store(true, Ordering::Release);
    }
}

async fn sweep_when_due(client: &Client, scope: &Scope, shared: &Shared, stop: &CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let _sweeping = shared.sweeping.lock().await;
        if shared.is_paused() || !shared.due.swap(false, Ordering::AcqRel) {
            continue;
        }
        // A sweep runs to its end: cutting it could leave a write under way after `stop`.
        if let Err(err) = sweep(client, scope, shared).await {
            shared.due.store(true, Ordering::Release);
            tracing::debug!(%err, "sweep given up; the next tick tries again");
        }
    }
}

async fn sweep(client: &Client, scope: &Scope, shared: &Shared) -> kube::Result<()> {
    let sets = scope.api::<StatefulSet>(client.clone()).list(&ListParams::default()).await?;
    let writes = sets.items.into_iter().filter_map(|set| {
        let wanted = mode::wanted(&set, &shared.mode_of(&set.name_any()))?;
        let differs = mode::Fields::of(&set) != wanted;
        differs.then_some((set, wanted))
    });
    let writes = writes.map(|(set, wanted)| write(client.clone(), set, wanted));
    join_all(writes).await.into_iter().collect()
}

/// Absent and conflict mean that somebody changed the object: the next sweep sees it.
async fn write(client: Client, set: StatefulSet, wanted: mode::Fields) -> kube::Result<()> {
    let api: Api<StatefulSet> = Api::namespaced(client, &set.namespace().unwrap_or_default());
    let patch = Patch::Merge(json!({ "status": wanted }));
    match api.patch_status(&set.name_any(), &PatchParams::default(), &patch).await {
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
        Err(err) => Err(err),
        Ok(_) => Ok(()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
