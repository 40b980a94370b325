//! Keys that are due, each at most once, none while it is being worked on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// A queue of keys with times at which they are due.
///
/// Guarantees: a key that is added is given out after its time, once, however often it was added;
/// of several times the earliest counts. A key that was given out is not given out again before
/// [`done`](Self::done); if it was added meanwhile, it follows then. Keys that are due at once come
/// in the order in which they were added.
#[derive(Debug)]
pub struct Queue<K> {
    state: Mutex<State<K>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<K> {
    entries: BTreeMap<K, Entry>,
    /// The waiting keys that nobody works on, by time and then by order of addition.
    due: BTreeSet<(Instant, u64, K)>,
    additions: u64,
    closed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// When it is due, and its place among those due at the same time.
    wish: Option<(Instant, u64)>,
    running: bool,
}

impl<K: Ord + Clone> Queue<K> {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        let state =
            State { entries: BTreeMap::new(), due: BTreeSet::new(), additions: 0, closed: false };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// `key` is due now.
    pub fn add(&self, key: K) {
        self.add_after(key, Duration::ZERO);
    }

    /// `key` is due after `delay`, unless it is due earlier already.
    pub fn add_after(&self, key: K, delay: Duration) {
        self.state().add(key, Instant::now() + delay);
        self.changed.notify_one();
    }

    /// The next key that is due; waits for one. `None` once the queue is closed.
    ///
    /// For one caller at a time. Cancel safe: a key is given out only when this returns.
    pub async fn next(&self) -> Option<K> {
        loop {
            let changed = self.changed.notified();
            let take = self.state().take(Instant::now());
            match take {
                Take::Key(key) => return Some(key),
                Take::Closed => return None,
                Take::Nothing => changed.await,
                Take::Until(due) => {
                    // A time-out is the other way to get on; both lead to another look.
                    let _ = tokio::time::timeout_at(due, changed).await;
                }
            }
        }
    }

    /// The work on `key` is over; it may be given out again.
    pub fn done(&self, key: &K) {
        self.state().done(key);
        self.changed.notify_one();
    }

    /// No key is given out from now on.
    pub fn close(&self) {
        self.state().closed = true;
        self.changed.notify_one();
    }

    /// Keys that wait or are worked on.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().entries.len()
    }

    /// Nothing waits and nothing is worked on.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The state is whole after every operation, whatever happened to the last user.
    fn state(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord + Clone> Default for Queue<K> {
    fn default() -> Self {
        Self::new()
    }
}

enum Take<K> {
    Key(K),
    Until(Instant),
    Nothing,
    Closed,
}

impl<K: Ord + Clone> State<K> {
    fn add(&mut self, key: K, at: Instant) {
        let entry = self.entries.entry(key.clone()).or_insert(Entry { wish: None, running: false });
        if entry.wish.is_some_and(|(due, _)| due <= at) {
            return;
        }
        if let Some((due, place)) = entry.wish {
            self.due.remove(&(due, place, key.clone()));
        }
        self.additions += 1;
        entry.wish = Some((at, self.additions));
        if !entry.running {
            self.due.insert((at, self.additions, key));
        }
    }

    fn take(&mut self, now: Instant) -> Take<K> {
        if self.closed {
            return Take::Closed;
        }
        match self.due.first() {
            None => Take::Nothing,
            Some((due, _, _)) if *due > now => Take::Until(*due),
            Some(_) => match self.due.pop_first() {
                Some((_, _, key)) => {
                    self.entries.insert(key.clone(), Entry { wish: None, running: true });
                    Take::Key(key)
                }
                None => Take::Nothing,
            },
        }
    }

    fn done(&mut self, key: &K) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.running = false;
        match entry.wish {
            Some((due, place)) => {
                self.due.insert((due, place, key.clone()));
            }
            None => {
                self.entries.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
