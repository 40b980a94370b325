//! The objects of one kind as a watch shows them, with the times at which they were seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// Nothing that is measured takes longer.
const PATIENCE: Duration = Duration::from_secs(180);

/// Follows one kind in one namespace until it is dropped.
pub struct Observer<K> {
    seen: Arc<Mutex<Seen<K>>>,
    changed: watch::Receiver<()>,
    follower: JoinHandle<()>,
}

/// An object and when it was seen so.
#[derive(Debug)]
pub struct Sight<K> {
    /// When the watch showed it.
    pub at: Instant,
    /// As it was.
    pub object: Arc<K>,
}

/// How many versions were stored since the observer began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Versions {
    /// All of them.
    pub all: u64,
    /// Those that moved the object's generation: edits of its spec.
    pub edits: u64,
}

struct Seen<K> {
    objects: BTreeMap<String, Sight<K>>,
    versions: Versions,
}

impl<K> Observer<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    /// Follows the objects of `api`.
    pub fn start(api: Api<K>) -> Self {
        let seen =
            Arc::new(Mutex::new(Seen { objects: BTreeMap::new(), versions: Versions::default() }));
        let (changes, changed) = watch::channel(());
        let follower = tokio::spawn(follow(api, Arc::clone(&seen), changes));
        Self { seen, changed, follower }
    }

    /// The object of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, name: &str) -> Result<Arc<K>> {
        let seen = lock(&self.seen);
        let sight = seen.objects.get(name).with_context(|| format!("\"{name}\" was not seen"))?;
        Ok(Arc::clone(&sight.object))
    }

    /// How many versions were stored so far.
    pub fn versions(&self) -> Versions {
        lock(&self.seen).versions
    }

    /// The first sight of `name` that is `wanted`.
    ///
    /// # Errors
    /// It did not become so in time.
    pub async fn until(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&K) -> bool,
    ) -> Result<Sight<K>> {
        let names = BTreeSet::from([name.to_owned()]);
        let mut found = self.until_all(names, what, wanted).await?;
        found.remove(name).with_context(|| format!("\"{name}\" was not seen"))
    }

    /// For each of `names` the first sight that is `wanted`.
    ///
    /// # Errors
    /// Some did not become so in time.
    pub async fn until_all(
        &self,
        mut names: BTreeSet<String>,
        what: &str,
        wanted: impl Fn(&K) -> bool,
    ) -> Result<BTreeMap<String, Sight<K>>> {
        let deadline = Instant::now() + PATIENCE;
        let mut changed = self.changed.clone();
        let mut found = BTreeMap::new();
        loop {
            changed.borrow_and_update();
            let seen = self.wanted_of(&names, &wanted);
            names.retain(|name| !seen.contains_key(name));
            found.extend(seen);
            if names.is_empty() {
                return Ok(found);
            }
            match timeout_at(deadline, changed.changed()).await {
                Ok(changed) => changed.context("the watch has ended")?,
                Err(_) => bail!(
                    "no {what} after {PATIENCE:?}: {} of {}, such as {:?}",
                    names.len(),
                    K::plural(&()),
                    names.first()
                ),
            }
        }
    }

    fn wanted_of(
        &self,
        names: &BTreeSet<String>,
        wanted: &impl Fn(&K) -> bool,
    ) -> BTreeMap<String, Sight<K>> {
        let seen = lock(&self.seen);
        let is_wanted = |name: &String| {
            let sight = seen.objects.get(name).filter(|it| wanted(&it.object))?;
            Some((name.clone(), Sight { at: sight.at, object: Arc::clone(&sight.object) }))
        };
        names.iter().filter_map(is_wanted).collect()
    }
}

impl<K> Drop for Observer<K> {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl<K: Resource<DynamicType = ()>> Seen<K> {
    fn show(&mut self, object: K, is_news: bool) {
        let sight = Sight { at: Instant::now(), object: Arc::new(object) };
        let generation = sight.object.meta().generation;
        let before = self.objects.insert(sight.object.name_any(), sight);
        if is_news {
            self.versions.all += 1;
            let moved = before.is_some_and(|it| it.object.meta().generation != generation);
            self.versions.edits += u64::from(moved);
        }
    }
}

async fn follow<K>(api: Api<K>, seen: Arc<Mutex<Seen<K>>>, changes: watch::Sender<()>)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let events = watcher(api, watcher::Config::default()).default_backoff();
    let show = |event| {
        match event {
            // The watcher repeats a watch that ended by itself.
            Err(_) | Ok(watcher::Event::Init | watcher::Event::InitDone) => return ready(()),
            Ok(watcher::Event::InitApply(object)) => lock(&seen).show(object, false),
            Ok(watcher::Event::Apply(object)) => lock(&seen).show(object, true),
            Ok(watcher::Event::Delete(object)) => {
                lock(&seen).objects.remove(&object.name_any());
            }
        }
        changes.send_replace(());
        ready(())
    };
    events.for_each(show).await;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
