//! Changes of a status that may wait for the object's next write, held in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sei_core::notice::Notice;
use tokio::time::Instant;

use crate::cluster::Key;

/// What passes have found and not stored yet, by object. Losing it costs a look at the world.
#[derive(Debug)]
pub(super) struct Drafts<S>(Mutex<BTreeMap<Key, Draft<S>>>);

/// An unstored status.
#[derive(Clone, Debug)]
pub(super) struct Draft<S> {
    /// The stored status that it was made from, and what it says instead; `None` if only notices
    /// wait.
    pub(super) change: Option<(S, S)>,
    /// What people are to hear when it is stored.
    pub(super) notices: Vec<Notice>,
    /// Since when it waits.
    pub(super) since: Instant,
}

impl<S> Default for Drafts<S> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<S: Clone + PartialEq> Drafts<S> {
    /// Takes the draft of `key`. Its change counts only if the stored status is still the one that
    /// it was made from.
    pub(super) fn take(&self, key: &Key, stored: &S) -> Draft<S> {
        let held = self.drafts().remove(key);
        let mut draft = held.unwrap_or_else(|| Draft {
            change: None,
            notices: Vec::new(),
            since: Instant::now(),
        });
        draft.change = draft.change.filter(|(base, _)| base == stored);
        if draft.change.is_none() {
            draft.since = Instant::now();
        }
        draft
    }

    /// Keeps `draft` for the next pass over `key`.
    pub(super) fn keep(&self, key: &Key, draft: Draft<S>) {
        if draft.change.is_some() || !draft.notices.is_empty() {
            self.drafts().insert(key.clone(), draft);
        }
    }

    /// `key` is gone.
    pub(super) fn forget(&self, key: &Key) {
        self.drafts().remove(key);
    }

    /// The map is whole after every operation, whatever happened to the last user.
    fn drafts(&self) -> MutexGuard<'_, BTreeMap<Key, Draft<S>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
