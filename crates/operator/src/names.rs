//! Do the host names of fleets resolve? Asked in the background, heard by passes without waiting.
//!
//! One look-up per name at a time, whoever wants to know. A name that does not resolve is asked for
//! again soon, one that does rarely; a change of the answer wakes the fleets that asked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sei_core::deployment::Resolution;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::backoff::Backoff;
use crate::cluster::Key;
use crate::ids::Ids;
use crate::limits::Limits;
use crate::queue::Queue;

/// Where names are looked up.
pub trait Resolver: Debug + Send + Sync {
    /// Does `host` have an address?
    fn resolves(&self, host: &str) -> BoxFuture<'static, bool>;
}

/// The resolver of the machine: what `/etc/resolv.conf` and its like say.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolves(&self, host: &str) -> BoxFuture<'static, bool> {
        let host = host.to_owned();
        let look_up = async move {
            let found = tokio::net::lookup_host((host.as_str(), ANY_PORT)).await;
            found.is_ok_and(|mut addresses| addresses.next().is_some())
        };
        look_up.boxed()
    }
}

/// The library resolves sockets; nobody connects to this one.
const ANY_PORT: u16 = 0;

/// A name that resolved counts as lost after this many look-ups without success in a row: an
/// outage of the resolver is not the loss of a name.
const LOSSES_MAX: u32 = 3;

/// The names of all fleets, and what is known of them. Dropping it ends all look-ups.
pub struct Names(Arc<Inner>);

/// What the look-ups share.
struct Inner {
    resolver: Arc<dyn Resolver>,
    limits: Limits,
    ids: Ids,
    fleets: Arc<Queue<Key>>,
    slots: Arc<Semaphore>,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    hosts: BTreeMap<String, Host>,
    /// What each fleet asked for last.
    asked: BTreeMap<Key, String>,
}

#[derive(Debug)]
struct Host {
    answer: Resolution,
    askers: BTreeSet<Key>,
    looking: AbortHandle,
}

impl Names {
    /// No name is known yet; `fleets` are woken when an answer changes.
    pub fn new(
        resolver: Arc<dyn Resolver>,
        limits: &Limits,
        ids: &Ids,
        fleets: &Arc<Queue<Key>>,
    ) -> Self {
        Self(Arc::new(Inner {
            resolver,
            limits: limits.clone(),
            ids: ids.clone(),
            fleets: Arc::clone(fleets),
            slots: Arc::new(Semaphore::new(limits.lookups_at_once.max(1))),
            book: Mutex::default(),
        }))
    }

    /// What is known of `host`; the fleet `key` wants to know from now on.
    pub fn ask(&self, key: &Key, host: &str) -> Resolution {
        let mut book = self.0.book();
        if book.asked.get(key).is_some_and(|it| it != host) {
            book.forget(key);
        }
        book.asked.insert(key.clone(), host.to_owned());
        if let Some(known) = book.hosts.get_mut(host) {
            known.askers.insert(key.clone());
            return known.answer;
        }
        let looking = tokio::spawn(keep_looking(Arc::downgrade(&self.0), host.to_owned()));
        let askers = BTreeSet::from([key.clone()]);
        let known = Host { answer: Resolution::Unknown, askers, looking: looking.abort_handle() };
        book.hosts.insert(host.to_owned(), known);
        Resolution::Unknown
    }

    /// The fleet `key` no longer wants to know.
    pub fn forget(&self, key: &Key) {
        self.0.book().forget(key);
    }
}

impl Book {
    fn forget(&mut self, key: &Key) {
        let Some(host) = self.asked.remove(key) else { return };
        let Some(known) = self.hosts.get_mut(&host) else { return };
        known.askers.remove(key);
        if known.askers.is_empty() {
            known.looking.abort();
            self.hosts.remove(&host);
        }
    }
}

/// Looks `host` up again and again, until nobody wants to know.
async fn keep_looking(inner: Weak<Inner>, host: String) {
    let Some(limits) = inner.upgrade().map(|it| it.limits.clone()) else { return };
    let mut pause = Backoff::new(limits.lookup_pause_first, limits.lookup_pause_max);
    let (mut known, mut losses) = (Resolution::Unknown, 0);
    loop {
        let Some(look_up) = inner.upgrade().map(|it| it.look_up(host.clone())) else { return };
        let resolved = look_up.await;
        losses = if resolved { 0 } else { losses + 1 };
        let lost = known != Resolution::Resolved || losses >= LOSSES_MAX;
        let answer = match resolved {
            true => Resolution::Resolved,
            false if lost => Resolution::Pending,
            false => known,
        };
        let Some(inner) = inner.upgrade() else { return };
        if answer != known {
            inner.answer(&host, answer);
            known = answer;
        }
        let delay = if resolved {
            pause.reset();
            limits.lookup_pause_resolved
        } else {
            pause.fail()
        };
        let delay = inner.ids.jitter(delay);
        drop(inner);
        tokio::time::sleep(delay).await;
    }
}

impl Inner {
    /// One look-up, bounded in time. Its slot stays taken until it really ends, because the
    /// system's cannot be cancelled.
    fn look_up(&self, host: String) -> BoxFuture<'static, bool> {
        let (slots, resolver) = (Arc::clone(&self.slots), Arc::clone(&self.resolver));
        let patience = self.limits.lookup_timeout;
        let look_up = async move {
            let Ok(slot) = slots.acquire_owned().await else { return false };
            let looking = tokio::spawn(async move {
                let resolved = resolver.resolves(&host).await;
                drop(slot);
                resolved
            });
            matches!(timeout(patience, looking).await, Ok(Ok(true)))
        };
        look_up.boxed()
    }

    /// The answer changed: whoever asked is due.
    fn answer(&self, host: &str, answer: Resolution) {
        let mut book = self.book();
        let Some(known) = book.hosts.get_mut(host) else { return };
        tracing::debug!(host, ?answer, "a host name was looked up");
        known.answer = answer;
        for key in &known.askers {
            self.fleets.add(key.clone());
        }
    }

    /// The book is whole after every operation, whatever happened to its last user.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        for host in self.0.book().hosts.values() {
            host.looking.abort();
        }
    }
}

impl Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Names").field(&self.0.resolver).finish()
    }
}

#[cfg(test)]
mod tests;
