//! Every version of the objects of one kind in one namespace, recorded from a watch.
//!
//! States that last for milliseconds are asserted here, not by polling: the API server sends
//! each stored version, so nothing falls between two looks.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::TryStreamExt;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

mod versions;

pub use versions::{Version, Versions};

use crate::wait::POLL_TIMEOUT;

/// The history of one kind in one namespace. Ends when dropped.
#[derive(Debug)]
pub struct StatusHistory<K> {
    shared: Arc<Shared<K>>,
    changed: watch::Receiver<usize>,
    follower: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared<K> {
    started: Instant,
    versions: Mutex<Vec<Version<K>>>,
    /// Why versions may be missing; a history with a hole answers no question.
    hole: Mutex<Option<String>>,
    /// Whether holes are bridged by a listing.
    bridged: AtomicBool,
}

impl<K> StatusHistory<K>
where
    K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize
        + Send
        + Sync
        + 'static,
{
    /// Starts recording; every version stored after this returned will be seen.
    ///
    /// # Errors
    /// When the kind cannot be listed.
    pub async fn watch(client: Client, namespace: &str) -> Result<Self> {
        let api: Api<K> = Api::namespaced(client, namespace);
        let list = api
            .list(&ListParams::default())
            .await
            .with_context(|| format!("cannot list {}", K::plural(&())))?;
        let from = list.metadata.resource_version.clone().unwrap_or_default();
        let shared = Arc::new(Shared {
            started: Instant::now(),
            versions: Mutex::default(),
            hole: Mutex::default(),
            bridged: AtomicBool::new(false),
        });
        let (sender, changed) = watch::channel(0);
        for object in list.items {
            shared.record(object, false, &sender);
        }
        let follower = tokio::spawn(follow(api, from, shared.clone(), sender));
        Ok(Self { shared, changed, follower })
    }

    /// From now on, versions that the watch lost are bridged by a listing of what is there. For
    /// tests that restart the API server: a new one does not know the history before its start.
    pub fn bridge_holes(&self) {
        self.shared.bridged.store(true, Ordering::Relaxed);
    }

    /// All versions of all objects so far, in the order in which they were stored.
    ///
    /// # Errors
    /// When the watch lost versions.
    pub fn versions(&self) -> Result<Versions<K>> {
        if let Some(hole) = lock(&self.shared.hole).as_ref() {
            bail!("the history of {} has a hole: {hole}", K::plural(&()));
        }
        Ok(Versions::new(lock(&self.shared.versions).clone()))
    }

    /// The versions of this very object so far, at least up to the version that is handed in.
    ///
    /// # Errors
    /// When that version does not appear in time, or the watch lost versions.
    pub async fn through(&self, object: &K) -> Result<Versions<K>> {
        let uid = object.uid().context("the object was never stored")?;
        let wanted = versions::number(object);
        let what = format!("version {wanted} of \"{}\" in the history", object.name_any());
        self.eventually(&what, |version| {
            version.object.uid().as_ref() == Some(&uid)
                && versions::number(&*version.object) >= wanted
        })
        .await?;
        Ok(self.versions()?.of_uid(&uid))
    }

    /// The first version, past or to come, that satisfies `wanted`; waits at most 30 s.
    ///
    /// # Errors
    /// When none appears in time, or the watch lost versions.
    pub async fn eventually(
        &self,
        what: &str,
        wanted: impl Fn(&Version<K>) -> bool,
    ) -> Result<Arc<K>> {
        let search = async {
            let mut changed = self.changed.clone();
            loop {
                changed.borrow_and_update();
                if let Some(found) = self.versions()?.iter().find(|version| wanted(version)) {
                    return Ok(found.object.clone());
                }
                changed.changed().await.context("the recorder has ended")?;
            }
        };
        match timeout(POLL_TIMEOUT, search).await {
            Ok(found) => found,
            Err(_) => bail!(
                "timeout after {POLL_TIMEOUT:?} waiting for: {what}; {} versions seen, the last: {}",
                self.versions()?.len(),
                self.versions()?.last_as_json(),
            ),
        }
    }
}

impl<K> Drop for StatusHistory<K> {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl<K> Shared<K> {
    fn record(&self, object: K, deleted: bool, changed: &watch::Sender<usize>) {
        self.push(object, (deleted, false), changed);
    }

    fn push(&self, object: K, (deleted, after_hole): (bool, bool), changed: &watch::Sender<usize>) {
        let (at, object) = (self.started.elapsed(), Arc::new(object));
        lock(&self.versions).push(Version { at, deleted, after_hole, object });
        changed.send_modify(|count| *count += 1);
    }
}

/// Watches until aborted. A watch that ends is resumed where it stopped: no version is lost.
async fn follow<K>(
    api: Api<K>,
    mut from: String,
    shared: Arc<Shared<K>>,
    changed: watch::Sender<usize>,
) where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    /// Long enough to be rare, shorter than the server's own limit.
    const WATCH_SECONDS: u32 = 290;
    /// Before a watch that failed is started again.
    const PAUSE: Duration = Duration::from_millis(100);
    loop {
        let params = WatchParams::default().timeout(WATCH_SECONDS);
        if let Ok(stream) = api.watch(&params, &from).await {
            let mut stream = std::pin::pin!(stream);
            while let Ok(Some(event)) = stream.try_next().await {
                let (object, deleted) = match event {
                    WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, false),
                    WatchEvent::Deleted(object) => (object, true),
                    WatchEvent::Bookmark(bookmark) => {
                        from = bookmark.metadata.resource_version;
                        continue;
                    }
                    WatchEvent::Error(_) if shared.bridged.load(Ordering::Relaxed) => {
                        from = bridge(&api, from, &shared, &changed).await;
                        break;
                    }
                    WatchEvent::Error(status) => {
                        *lock(&shared.hole) = Some(status.message.clone());
                        changed.send_modify(|count| *count += 1);
                        return;
                    }
                };
                from = object.resource_version().unwrap_or_default();
                shared.record(object, deleted, &changed);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Records what has changed since `from`, but for deletions; returns where to go on.
async fn bridge<K>(
    api: &Api<K>,
    from: String,
    shared: &Shared<K>,
    changed: &watch::Sender<usize>,
) -> String
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let Ok(list) = api.list(&ListParams::default()).await else { return from };
    let known: u64 = from.parse().unwrap_or_default();
    for object in list.items {
        if versions::number(&object) > known {
            shared.push(object, (false, true), changed);
        }
    }
    list.metadata.resource_version.unwrap_or(from)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
