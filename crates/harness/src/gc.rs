//! The garbage collector of owner references, emulated: without it no child would ever go.
//!
//! Background deletion only. As the real one it looks at the live owner before it deletes, and
//! deletes with a UID precondition.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{BoxStream, select_all};
use kube::api::{ApiResource, DeleteParams, Preconditions};
use kube::core::{DynamicObject, PartialObjectMeta};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt};
use sei_api::gateway::HttpRoute;
use sei_api::k8s::{
    ConfigMap, Job, OwnerReference, PersistentVolumeClaim, Pod, Service, StatefulSet,
};
use sei_api::{SeiNode, SeiNodeDeployment, SeiNodeTask};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Before a deletion that did not succeed is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// Changes that are taken in at once.
const CHANGES_MAX: usize = 1_000;

/// A running collector for one namespace. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct GarbageCollector {
    stop: CancellationToken,
    collector: Mutex<Option<JoinHandle<()>>>,
}

impl GarbageCollector {
    /// Starts collecting in `namespace`; `client` may read and delete every kind there.
    pub fn start(client: &Client, namespace: &str) -> Self {
        let stop = CancellationToken::new();
        let kinds = kinds();
        let apis: Vec<Api<Metadata>> = kinds
            .iter()
            .map(|kind| Api::namespaced_with(client.clone(), namespace, kind))
            .collect();
        let collector = Collector { kinds, apis, objects: BTreeMap::new(), listing: Vec::new() };
        let token = stop.clone();
        let task = tokio::spawn(async move {
            tokio::select! {
                () = token.cancelled() => {}
                () = collector.run() => {}
            }
        });
        Self { stop, collector: Mutex::new(Some(task)) }
    }

    /// Stops and waits; nothing is deleted afterwards. A second call does nothing.
    pub async fn stop(&self) {
        self.stop.cancel();
        let task = self.collector.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            // It was cancelled by its token; if it panicked, leftovers are found by the suite.
            let _ = task.await;
        }
    }
}

impl Drop for GarbageCollector {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Collector {
    kinds: Vec<ApiResource>,
    /// In the order of `kinds`.
    apis: Vec<Api<Metadata>>,
    /// What exists, by UID.
    objects: BTreeMap<String, Entry>,
    /// Per kind, while it is listed: the UIDs seen so far.
    listing: Vec<Option<BTreeSet<String>>>,
}

struct Entry {
    kind: usize,
    name: String,
    owners: Vec<OwnerReference>,
    terminating: bool,
}

/// All that ownership is about.
type Metadata = PartialObjectMeta<DynamicObject>;

type Change = (usize, Event<Metadata>);

impl Collector {
    async fn run(mut self) {
        self.listing = self.kinds.iter().map(|_| Some(BTreeSet::new())).collect();
        let streams = self.apis.iter().enumerate().map(|(kind, api)| changes(kind, api.clone()));
        // All that is known counts before anything is looked up: a pass for each change would fall
        // behind on a busy machine.
        let mut changes = select_all(streams.collect::<Vec<_>>()).ready_chunks(CHANGES_MAX);
        let mut unfinished = false;
        loop {
            tokio::select! {
                known = changes.next() => match known {
                    Some(known) => known.into_iter().for_each(|change| self.note(change)),
                    None => return,
                },
                () = sleep(RETRY), if unfinished => {}
            }
            unfinished = !self.collect().await;
        }
    }

    fn note(&mut self, (kind, event): Change) {
        match event {
            Event::Init => self.listing[kind] = Some(BTreeSet::new()),
            Event::InitApply(object) | Event::Apply(object) => {
                let uid = object.uid().unwrap_or_default();
                if let Some(seen) = &mut self.listing[kind] {
                    seen.insert(uid.clone());
                }
                let entry = Entry {
                    kind,
                    name: object.name_any(),
                    owners: object.owner_references().to_vec(),
                    terminating: object.metadata.deletion_timestamp.is_some(),
                };
                self.objects.insert(uid, entry);
            }
            Event::InitDone => {
                let seen = self.listing[kind].take().unwrap_or_default();
                self.objects.retain(|uid, entry| entry.kind != kind || seen.contains(uid));
            }
            Event::Delete(object) => {
                self.objects.remove(&object.uid().unwrap_or_default());
            }
        }
    }

    /// Deletes what has owners of which none exists; false: something is left to try again.
    async fn collect(&self) -> bool {
        if self.listing.iter().any(Option::is_some) {
            return true;
        }
        let mut finished = true;
        for (uid, entry) in &self.objects {
            if entry.terminating || !self.is_garbage(entry) {
                continue;
            }
            finished &= match self.has_live_owner(entry).await {
                Ok(true) => true,
                Ok(false) => self.delete(uid, entry).await,
                Err(_) => false,
            };
        }
        finished
    }

    /// By what the watches have shown, which may lag behind each other.
    fn is_garbage(&self, entry: &Entry) -> bool {
        let known = |owner: &OwnerReference| self.kind_of(owner).is_some();
        !entry.owners.is_empty()
            && entry.owners.iter().all(known)
            && entry.owners.iter().all(|owner| !self.objects.contains_key(&owner.uid))
    }

    async fn has_live_owner(&self, entry: &Entry) -> kube::Result<bool> {
        for owner in &entry.owners {
            let Some(kind) = self.kind_of(owner) else { return Ok(true) };
            let live = self.apis[kind].get_opt(&owner.name).await?;
            if live.and_then(|live| live.uid()).as_ref() == Some(&owner.uid) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn delete(&self, uid: &str, entry: &Entry) -> bool {
        let preconditions = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
        let params = DeleteParams::background().preconditions(preconditions);
        match self.apis[entry.kind].delete(&entry.name, &params).await {
            Ok(_) => true,
            // Gone, or another object by now: nothing of ours is left there.
            Err(kube::Error::Api(status)) => status.code == 404 || status.code == 409,
            Err(_) => false,
        }
    }

    fn kind_of(&self, owner: &OwnerReference) -> Option<usize> {
        self.kinds
            .iter()
            .position(|kind| kind.kind == owner.kind && kind.api_version == owner.api_version)
    }
}

fn kinds() -> Vec<ApiResource> {
    vec![
        ApiResource::erase::<SeiNodeDeployment>(&()),
        ApiResource::erase::<SeiNode>(&()),
        ApiResource::erase::<SeiNodeTask>(&()),
        ApiResource::erase::<StatefulSet>(&()),
        ApiResource::erase::<Service>(&()),
        ApiResource::erase::<PersistentVolumeClaim>(&()),
        ApiResource::erase::<ConfigMap>(&()),
        ApiResource::erase::<Job>(&()),
        ApiResource::erase::<Pod>(&()),
        ApiResource::erase::<HttpRoute>(&()),
    ]
}

/// A failed watch is started again by the library; its errors carry nothing for us.
fn changes(kind: usize, api: Api<Metadata>) -> BoxStream<'static, Change> {
    watcher(api, watcher::Config::default())
        .filter_map(move |event| async move {
            match event {
                Ok(event) => Some((kind, event)),
                // A kind that the cluster lacks has no objects, and keeps nobody waiting.
                Err(watcher::Error::InitialListFailed(kube::Error::Api(status)))
                    if status.code == 404 =>
                {
                    sleep(RETRY).await;
                    Some((kind, Event::InitDone))
                }
                Err(_) => {
                    sleep(RETRY).await;
                    None
                }
            }
        })
        .boxed()
}
