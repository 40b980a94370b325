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
    /// Statuses before and after writes that got no answer: the API server may have done them.
    pub(super) unsure: Vec<(S, S)>,
    /// What people are to hear when it is stored.
    pub(super) notices: Vec<Notice>,
    /// Since when it waits.
    pub(super) since: Instant,
}

/// Writes without an answer that are remembered for one object; the newest count.
const UNSURE_MAX: usize = 4;

impl<S: PartialEq> Draft<S> {
    /// A write of `after` over `before` got no answer.
    pub(super) fn doubt(&mut self, before: S, after: S) {
        if self.unsure.len() == UNSURE_MAX {
            self.unsure.remove(0);
        }
        self.unsure.push((before, after));
    }

    /// The write without an answer that has made the status `stored`, if there was one.
    pub(super) fn done_after_all(&mut self, stored: &S) -> Option<(S, S)> {
        let index =
            self.unsure.iter().rposition(|(before, after)| after == stored && before != stored)?;
        Some(self.unsure.swap_remove(index))
    }
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
            unsure: Vec::new(),
            notices: Vec::new(),
            since: Instant::now(),
        });
        draft.change = draft.change.filter(|(base, _)| base == stored);
        draft.unsure.retain(|(base, after)| base == stored || after == stored);
        if draft.change.is_none() {
            draft.since = Instant::now();
        }
        draft
    }

    /// Keeps `draft` for the next pass over `key`.
    pub(super) fn keep(&self, key: &Key, draft: Draft<S>) {
        if draft.change.is_some() || !draft.unsure.is_empty() || !draft.notices.is_empty() {
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
