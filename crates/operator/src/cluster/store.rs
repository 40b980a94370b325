//! The local copy of one kind, fed by one watch: cache and trigger are the same stream.
//!
//! **Read your own writes.** Every write of ours notes the resourceVersion that the API server
//! answered. Until the stream has come that far, the object reads as stale, so that nothing is
//! decided on what we know to be outdated. One watch delivers a kind in the order of its
//! resourceVersions, so "that far" is one number for the whole store. A resourceVersion that is
//! not a number fails open: the object is taken as it is.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use sei_api::k8s;
use sei_core::applied::pack;
use tokio::time::Instant;

use super::Key;

mod objects;

use objects::Objects;

/// All objects of one kind that the watch selects.
#[derive(Debug)]
pub struct Store<K> {
    kind: &'static str,
    managers: Managers,
    inner: RwLock<Inner<K>>,
}

#[derive(Debug)]
struct Inner<K> {
    objects: Objects<K>,
    /// The newest resourceVersion that the stream has shown, be it by a bookmark.
    progress: u64,
    /// Our own writes that the stream has not shown yet.
    pending: BTreeMap<Key, Pending>,
    /// The resourceVersion of our own last write, while the object is as we wrote it.
    written: BTreeMap<Key, u64>,
    /// Objects that we deleted, and that the stream still has to take away.
    doomed: BTreeMap<Key, Doomed>,
    heard: Instant,
    presence: Presence,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    version: u64,
    since: Instant,
    awaited: bool,
}

/// Does the cluster have the kind of a store?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It has not been listed yet.
    Unknown,
    /// It could not be listed so far.
    Unreadable,
    /// The API server does not know it.
    Missing,
    /// It was listed.
    Served,
}

#[derive(Clone, Debug)]
struct Doomed {
    uid: Option<String>,
    since: Instant,
}

/// What a store keeps of the record of field managers, which is a third of an object's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Managers {
    /// Everything but the entries of subresources: we apply objects of this kind, and who owns
    /// which field tells whether an apply would change anything.
    Kept,
    /// Nothing: objects of this kind are not applied.
    Dropped,
}

/// An object as far as the store knows.
#[derive(Clone, Debug)]
pub enum Cached<K> {
    /// At least as new as our own last write.
    Here(Arc<K>),
    /// The store has none.
    Absent,
    /// The store is behind our own last write, which was made this long ago.
    Stale(Duration),
}

/// What one watch event changed.
#[derive(Clone, Debug)]
pub struct Change<K> {
    /// Which object.
    pub key: Key,
    /// The object before.
    pub old: Option<Arc<K>>,
    /// The object now; `None` when it is gone.
    pub new: Option<Arc<K>>,
    /// The new object is exactly what we wrote last.
    pub ours: bool,
    /// A pass was put off until the store has come this far.
    pub awaited: bool,
}

/// One object of a listing.
#[derive(Clone, Debug)]
pub enum Listed<K> {
    /// A readable one.
    Here(K),
    /// One that could not be decoded: what we have of it stays.
    Undecodable(Key),
}

impl<K: k8s::Resource<DynamicType = ()>> Store<K> {
    /// An empty store of objects that logs and metrics call `kind`.
    #[must_use]
    pub fn new(kind: &'static str, managers: Managers) -> Self {
        let inner = Inner {
            objects: Objects::new(None),
            progress: 0,
            pending: BTreeMap::new(),
            written: BTreeMap::new(),
            doomed: BTreeMap::new(),
            heard: Instant::now(),
            presence: Presence::Unknown,
        };
        Self { kind, managers, inner: RwLock::new(inner) }
    }

    /// The same store, still empty, in which objects are found by the value of `label`.
    #[must_use]
    pub fn found_by(self, label: &'static str) -> Self {
        self.write().objects = Objects::new(Some(label));
        self
    }

    /// What logs and metrics call this store.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// One object.
    #[must_use]
    pub fn get(&self, key: &Key) -> Cached<K> {
        let inner = self.read();
        if let Some(doomed) = inner.doomed.get(key) {
            return Cached::Stale(doomed.since.elapsed());
        }
        match (inner.pending.get(key), inner.objects.get(key)) {
            (Some(pending), _) => Cached::Stale(pending.since.elapsed()),
            (None, Some(object)) => Cached::Here(Arc::clone(object)),
            (None, None) => Cached::Absent,
        }
    }

    /// One object, however outdated: for look-ups from which nothing is concluded.
    #[must_use]
    pub fn peek(&self, key: &Key) -> Option<Arc<K>> {
        self.read().objects.get(key).map(Arc::clone)
    }

    /// The objects of `namespace`, by name.
    #[must_use]
    pub fn in_namespace(&self, namespace: &str) -> Vec<Arc<K>> {
        self.read().objects.in_namespace(namespace).map(Arc::clone).collect()
    }

    /// The objects of `namespace` whose label `label` is `value`, by name; without looking at all
    /// others if it is the label that this store's objects are found by.
    #[must_use]
    pub fn labelled(&self, namespace: &str, (label, value): (&str, &str)) -> Vec<Arc<K>> {
        self.read().objects.labelled(namespace, (label, value))
    }

    /// Every object, by namespace and name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<K>> {
        self.read().objects.all().map(Arc::clone).collect()
    }

    /// We wrote `key`, and the API server answered with this resourceVersion.
    pub fn wrote(&self, key: &Key, resource_version: Option<&str>) {
        let Some(version) = resource_version.and_then(number) else { return };
        let mut inner = self.write();
        inner.written.insert(key.clone(), version);
        if version > inner.progress {
            let pending = Pending { version, since: Instant::now(), awaited: false };
            inner.pending.insert(key.clone(), pending);
        }
    }

    /// We deleted the object of this UID, and it was gone at once.
    pub fn deleted(&self, key: &Key, uid: &str) {
        let mut inner = self.write();
        let cached = inner.objects.get(key).and_then(|it| it.meta().uid.clone());
        if cached.as_deref() == Some(uid) {
            inner.doomed.insert(key.clone(), Doomed { uid: cached, since: Instant::now() });
        }
    }

    /// Wakes `key` when the store has seen our own last write to it; false if it has already.
    pub fn wait_for(&self, key: &Key) -> bool {
        let mut inner = self.write();
        // That an object is gone wakes whoever it concerns in any case.
        let doomed = inner.doomed.contains_key(key);
        let pending = inner.pending.get_mut(key);
        doomed || pending.map(|it| it.awaited = true).is_some()
    }

    /// The API server was asked past the store; it is asked again when that answer is as old as
    /// this store's backlog may be.
    pub fn renew(&self, key: &Key) {
        let mut inner = self.write();
        if let Some(pending) = inner.pending.get_mut(key) {
            pending.since = Instant::now();
        }
        if let Some(doomed) = inner.doomed.get_mut(key) {
            doomed.since = Instant::now();
        }
    }

    /// The watch shows an object.
    pub fn apply(&self, object: K) -> Vec<Change<K>> {
        let mut inner = self.write();
        let key = Key::of(object.meta());
        let settled = inner.advance(version_of(object.meta()));
        let mut change = inner.put(key, Arc::new(self.trim(object)));
        change.awaited = settled.contains(&change.key);
        let others = settled.into_iter().filter(|key| *key != change.key).collect();
        let mut changes = inner.wake(others);
        changes.push(change);
        changes
    }

    /// The watch shows that an object is gone.
    pub fn delete(&self, object: K) -> Vec<Change<K>> {
        let mut inner = self.write();
        let key = Key::of(object.meta());
        let settled = inner.advance(version_of(object.meta()));
        inner.written.remove(&key);
        inner.doomed.remove(&key);
        let others = settled.into_iter().filter(|other| *other != key).collect();
        let mut changes = inner.wake(others);
        let old = inner.objects.remove(&key).or_else(|| Some(Arc::new(object)));
        changes.push(Change { key, old, new: None, ours: false, awaited: false });
        changes
    }

    /// The watch shows that an object is gone, but not what it was.
    pub fn forget(&self, key: &Key) -> Vec<Change<K>> {
        let mut inner = self.write();
        inner.written.remove(key);
        inner.pending.remove(key);
        inner.doomed.remove(key);
        let old = inner.objects.remove(key);
        vec![Change { key: key.clone(), old, new: None, ours: false, awaited: true }]
    }

    /// The watch says how far it has come.
    pub fn bookmark(&self, resource_version: &str) -> Vec<Change<K>> {
        let mut inner = self.write();
        let settled = inner.advance(number(resource_version));
        inner.wake(settled)
    }

    /// A complete listing as of `resource_version`: what is not in it is gone.
    pub fn replace(&self, listed: Vec<Listed<K>>, resource_version: &str) -> Vec<Change<K>> {
        let mut inner = self.write();
        inner.presence = Presence::Served;
        inner.doomed.clear();
        inner.progress = 0;
        let settled = inner.advance(number(resource_version));
        let mut gone = inner.objects.take();
        let mut changes = Vec::new();
        for item in listed {
            match item {
                Listed::Here(object) => {
                    let key = Key::of(object.meta());
                    let old = gone.remove(&key);
                    let mut change = inner.put(key, Arc::new(self.trim(object)));
                    change.old = old;
                    change.awaited = settled.contains(&change.key);
                    changes.push(change);
                }
                Listed::Undecodable(key) => {
                    if let Some(old) = gone.remove(&key) {
                        inner.objects.insert(key, old);
                    }
                }
            }
        }
        for (key, old) in gone {
            inner.written.remove(&key);
            changes.push(Change { key, old: Some(old), new: None, ours: false, awaited: false });
        }
        changes
    }

    /// The API server does not know the kind: nothing of it is there, and none of our writes is
    /// still to come.
    pub fn missing(&self) -> Vec<Change<K>> {
        let mut inner = self.write();
        inner.presence = Presence::Missing;
        inner.pending.clear();
        inner.written.clear();
        inner.doomed.clear();
        let gone = inner.objects.take();
        let change =
            |(key, old)| Change { key, old: Some(old), new: None, ours: false, awaited: true };
        gone.into_iter().map(change).collect()
    }

    /// A listing failed; of a kind that was listed before, the last one counts.
    pub fn failed(&self) {
        let mut inner = self.write();
        if inner.presence == Presence::Unknown {
            inner.presence = Presence::Unreadable;
        }
    }

    /// Does the cluster have the kind?
    #[must_use]
    pub fn presence(&self) -> Presence {
        self.read().presence
    }

    /// The watch has heard from the API server.
    pub fn heard(&self) {
        self.write().heard = Instant::now();
    }

    /// For how long the watch has heard nothing.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.read().heard.elapsed()
    }

    /// What is kept of `object`. Whoever collects many trims each, or they weigh several times as
    /// much until they are stored.
    #[must_use]
    pub fn trim(&self, mut object: K) -> K {
        let entries = &mut object.meta_mut().managed_fields;
        match (self.managers, entries.as_mut()) {
            (Managers::Kept, Some(entries)) => {
                entries.retain(|it| it.subresource.is_none());
                pack(entries);
            }
            (Managers::Kept | Managers::Dropped, _) => *entries = None,
        }
        object
    }

    /// The maps are whole after every operation, whatever happened to the last user.
    fn read(&self) -> RwLockReadGuard<'_, Inner<K>> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner<K>> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: k8s::Resource<DynamicType = ()>> Inner<K> {
    /// The stream has come to `version`; gives the awaited objects that are fresh again.
    fn advance(&mut self, version: Option<u64>) -> Vec<Key> {
        let Some(version) = version else { return Vec::new() };
        self.progress = self.progress.max(version);
        let progress = self.progress;
        let mut awaited = Vec::new();
        self.pending.retain(|key, pending| {
            let behind = pending.version > progress;
            if !behind && pending.awaited {
                awaited.push(key.clone());
            }
            behind
        });
        awaited
    }

    fn put(&mut self, key: Key, object: Arc<K>) -> Change<K> {
        let version = version_of(object.meta());
        let written = self.written.get(&key).copied();
        let ours = version.is_some() && written == version;
        if self.doomed.get(&key).is_some_and(|it| it.uid != object.meta().uid) {
            self.doomed.remove(&key);
        }
        if written < version {
            self.written.remove(&key);
        }
        let old = self.objects.insert(key.clone(), Arc::clone(&object));
        Change { key, old, new: Some(object), ours, awaited: false }
    }

    /// Changes that only tell that an object is fresh again.
    fn wake(&self, keys: Vec<Key>) -> Vec<Change<K>> {
        let change = |key: Key| {
            let object = self.objects.get(&key).map(Arc::clone);
            Change { key, old: object.clone(), new: object, ours: false, awaited: true }
        };
        keys.into_iter().map(change).collect()
    }
}

/// Value of a label.
#[must_use]
pub fn label_of<'a>(meta: &'a k8s::ObjectMeta, label: &str) -> Option<&'a str> {
    meta.labels.as_ref()?.get(label).map(String::as_str)
}

fn version_of(meta: &k8s::ObjectMeta) -> Option<u64> {
    meta.resource_version.as_deref().and_then(number)
}

fn number(resource_version: &str) -> Option<u64> {
    resource_version.parse().ok()
}

#[cfg(test)]
mod tests;
