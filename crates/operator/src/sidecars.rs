//! The sidecars of the nodes: a client each, and what each last said of its readiness.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sei_sidecar_api::{Health, SidecarApi, SidecarError, SidecarFactory};
use tokio::time::Instant;

use crate::cluster::Key;
use crate::metrics::{Metrics, ProbeOutcome};

/// Gives the sidecar of a node and remembers its last health.
pub struct Sidecars {
    factory: Arc<dyn SidecarFactory>,
    metrics: Arc<Metrics>,
    probes: Mutex<Probes>,
}

#[derive(Default)]
struct Probes {
    answers: BTreeMap<Key, Probe>,
    /// How often a pod changed, so that an answer from before a change is not kept after it.
    changes: u64,
}

struct Probe {
    at: Instant,
    answer: Result<Health, SidecarError>,
}

impl Sidecars {
    /// Sidecars that `factory` reaches.
    #[must_use]
    pub fn new(factory: Arc<dyn SidecarFactory>, metrics: Arc<Metrics>) -> Self {
        Self { factory, metrics, probes: Mutex::default() }
    }

    /// The sidecar of `node`.
    #[must_use]
    pub fn of(&self, node: &Key) -> Arc<dyn SidecarApi> {
        self.factory.for_node(&node.namespace, &node.name)
    }

    /// The readiness of `node`'s sidecar: an answer younger than `max_age`, else it is asked.
    ///
    /// # Errors
    /// It cannot be reached, or does not say.
    pub async fn health(&self, node: &Key, max_age: Duration) -> Result<Health, SidecarError> {
        let changes = {
            let probes = self.probes();
            if let Some(probe) = probes.answers.get(node)
                && probe.at.elapsed() < max_age
            {
                return probe.answer.clone();
            }
            probes.changes
        };
        let answer = self.of(node).healthz().await;
        self.metrics.sidecar_probed(&node.namespace, outcome(&answer));
        let mut probes = self.probes();
        if probes.changes == changes {
            let probe = Probe { at: Instant::now(), answer: answer.clone() };
            probes.answers.insert(node.clone(), probe);
        }
        answer
    }

    /// Whether the last probe of `node` found it ready; `None` if there was none.
    #[must_use]
    pub fn last_ready(&self, node: &Key) -> Option<bool> {
        let probes = self.probes();
        probes.answers.get(node).map(|probe| matches!(probe.answer, Ok(Health::Ready)))
    }

    /// The pods of `node` changed, or it is gone: what was said before counts no more.
    pub fn forget(&self, node: &Key) {
        let mut probes = self.probes();
        probes.changes += 1;
        probes.answers.remove(node);
    }

    /// The map is whole after every operation, whatever happened to the last user.
    fn probes(&self) -> MutexGuard<'_, Probes> {
        self.probes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sidecars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sidecars")
    }
}

fn outcome(answer: &Result<Health, SidecarError>) -> ProbeOutcome {
    match answer {
        Ok(Health::Ready) => ProbeOutcome::Ready,
        Ok(Health::NotReady) => ProbeOutcome::NotReady,
        Err(_) => ProbeOutcome::Unreachable,
    }
}

#[cfg(test)]
mod tests;
