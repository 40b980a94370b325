//! Readiness as a set of permits: the process is ready when each of them was given back.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Everything that the process still waits for. Cloning shares the set.
///
/// Hand out all permits before the probes are served: with none out the process is ready.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<BTreeSet<&'static str>>>);

/// Something that has to happen before the process is ready.
///
/// Dropping it changes nothing: whoever failed on the way did not become ready.
#[must_use]
#[derive(Debug)]
pub struct Permit {
    readiness: Readiness,
    name: &'static str,
}

impl Readiness {
    /// From now on the process also waits for `name`; one name is one thing to wait for.
    pub fn permit(&self, name: &'static str) -> Permit {
        self.waiting().insert(name);
        Permit { readiness: self.clone(), name }
    }

    /// What is still missing, in the order of the alphabet; empty when ready.
    #[must_use]
    pub fn waiting_for(&self) -> Vec<&'static str> {
        self.waiting().iter().copied().collect()
    }

    /// The set is whole after every operation, so it is of use whatever happened to the last user.
    fn waiting(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// It has happened.
    pub fn ready(self) {
        self.readiness.waiting().remove(self.name);
    }
}
