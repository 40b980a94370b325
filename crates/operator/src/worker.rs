//! Passes of one kind, side by side, each key at its time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::backoff::Backoff;
use crate::cluster::Key;
use crate::kind::Kind;
use crate::limits::Limits;
use crate::metrics::{Metrics, ObjectName, PassEnd};
use crate::pass::{End, Next, Shell};
use crate::queue::Queue;

/// Takes keys from a queue and passes over their objects.
#[derive(Debug)]
pub struct Worker<K: Kind> {
    shell: Shell<K>,
    queue: Arc<Queue<Key>>,
    failures: Mutex<BTreeMap<Key, Failures>>,
}

/// Failures in a row of one object.
#[derive(Debug)]
struct Failures {
    uid: Option<String>,
    failed: Backoff,
    conflicts: Backoff,
}

impl<K: Kind> Worker<K> {
    /// A worker on `queue`.
    #[must_use]
    pub fn new(shell: Shell<K>, queue: Arc<Queue<Key>>) -> Arc<Self> {
        Arc::new(Self { shell, queue, failures: Mutex::default() })
    }

    /// Passes until `shutdown`; then begins none, and gives the running ones time to end.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let limits = &self.shell.context.limits;
        let slots = Arc::new(Semaphore::new(limits.passes_at_once.max(1)));
        let mut passes = JoinSet::new();
        loop {
            let next = async {
                let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
                Some((slot, self.queue.next().await?))
            };
            let taken = tokio::select! {
                biased;
                () = shutdown.cancelled() => None,
                taken = next => taken,
            };
            let Some((slot, key)) = taken else { break };
            while passes.try_join_next().is_some() {}
            let worker = Arc::clone(&self);
            passes.spawn(async move {
                worker.one(key).await;
                drop(slot);
            });
        }
        let running = async { while passes.join_next().await.is_some() {} };
        if timeout(limits.stop_grace, running).await.is_err() {
            tracing::warn!(kind = K::KIND, passes = passes.len(), "passes were cut off");
            passes.shutdown().await;
        }
    }

    async fn one(&self, key: Key) {
        let metrics = &*self.shell.context.metrics;
        let running = Running { queue: &self.queue, key: &key, retry: RETRY_AFTER_PANIC, metrics };
        let began = Instant::now();
        let span = tracing::info_span!("pass", kind = K::KIND, object = %key);
        let end = self.shell.pass(&key).instrument(span).await;
        self.count(&key, began.elapsed(), &end);
        let again = self.again(&key, &end);
        running.over(again);
    }

    fn count(&self, key: &Key, took: Duration, end: &End) {
        let metrics = &self.shell.context.metrics;
        let object =
            ObjectName { controller: K::CONTROLLER, namespace: &key.namespace, name: &key.name };
        match end.next {
            Next::Stale => {}
            Next::Gone => metrics.forget(object),
            Next::Backoff => metrics.pass_ended(object, PassEnd { took, failed: true }),
            Next::Now | Next::After(_) | Next::Never | Next::Conflict => {
                metrics.pass_ended(object, PassEnd { took, failed: false });
            }
        }
    }

    /// After which pause the object is passed again; `None`: when a watch event comes.
    fn again(&self, key: &Key, end: &End) -> Option<Duration> {
        let limits = &self.shell.context.limits;
        let mut failures = self.failures();
        match &end.next {
            Next::Backoff => {
                let of = failures.entry(key.clone()).or_insert_with(|| Failures::none(limits));
                of.belong_to(end.uid.as_ref(), limits);
                Some(of.failed.fail())
            }
            Next::Conflict => {
                let of = failures.entry(key.clone()).or_insert_with(|| Failures::none(limits));
                Some(of.conflicts.fail())
            }
            Next::Stale => Some(limits.stale_retry),
            Next::Now => {
                failures.remove(key);
                Some(Duration::ZERO)
            }
            Next::After(delay) => {
                failures.remove(key);
                Some(*delay)
            }
            Next::Never | Next::Gone => {
                failures.remove(key);
                None
            }
        }
    }

    /// The map is whole after every operation, whatever happened to the last user.
    fn failures(&self) -> MutexGuard<'_, BTreeMap<Key, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failures {
    fn none(limits: &Limits) -> Self {
        Self {
            uid: None,
            failed: Backoff::new(limits.backoff_first, limits.backoff_max),
            conflicts: Backoff::new(limits.backoff_first, limits.conflict_max),
        }
    }

    /// A new object of the same name starts afresh.
    fn belong_to(&mut self, uid: Option<&String>, limits: &Limits) {
        if let Some(uid) = uid
            && self.uid.as_ref() != Some(uid)
        {
            let fresh = Self::none(limits);
            *self = Self { uid: Some(uid.clone()), ..fresh };
        }
    }
}

/// A pass that is a bug's victim is repeated, slowly.
const RETRY_AFTER_PANIC: Duration = Duration::from_secs(30);

/// Gives the key back to its queue, also when the pass never returns.
struct Running<'a> {
    queue: &'a Queue<Key>,
    key: &'a Key,
    retry: Duration,
    metrics: &'a Metrics,
}

impl Running<'_> {
    fn over(self, again: Option<Duration>) {
        if let Some(delay) = again {
            self.queue.add_after(self.key.clone(), delay);
        }
        self.queue.done(self.key);
        std::mem::forget(self);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // A pass that is cut off at the process' end is dropped, too, and is nobody's bug.
        if std::thread::panicking() {
            self.metrics.invariant_violated("pass_ends");
            tracing::error!(object = %self.key, "a pass panicked: a bug; it is repeated later");
        }
        self.queue.add_after(self.key.clone(), self.retry);
        self.queue.done(self.key);
    }
}

#[cfg(test)]
mod tests;
