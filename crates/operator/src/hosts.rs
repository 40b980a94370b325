//! The machines under pods that do not tell what is wrong with them: asked for by name, never
//! watched, and not more often than an answer ages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sei_api::k8s;
use sei_core::node::Seen;
use tokio::time::Instant;

use crate::cluster::read;
use crate::context::ClientHandle;
use crate::limits::Limits;

/// What was last seen of each machine.
#[derive(Debug, Default)]
pub struct Hosts {
    seen: Mutex<BTreeMap<String, (Instant, Seen<k8s::Node>)>>,
}

impl Hosts {
    /// The machine `name`: an answer younger than `max_age`, else the API server is asked.
    ///
    /// Failures are kept like answers: whoever may not read machines is not asked in each pass.
    pub async fn get(
        &self,
        (client, limits): (&ClientHandle, &Limits),
        name: &str,
        max_age: Duration,
    ) -> Seen<k8s::Node> {
        if let Some((_, seen)) = self.seen().get(name).filter(|(at, _)| at.elapsed() < max_age) {
            return seen.clone();
        }
        let seen = match read::host(&client.0, limits, name).await {
            Ok(Some(host)) => Seen::Here(Arc::new(host)),
            Ok(None) => Seen::Absent,
            Err(fault) => Seen::Unreadable(fault.of_read(&format!("Node \"{name}\""))),
        };
        let mut all = self.seen();
        // What is too old for this pass is for every other.
        all.retain(|_, (at, _)| at.elapsed() < max_age);
        all.insert(name.to_owned(), (Instant::now(), seen.clone()));
        seen
    }

    /// The map is whole after every operation, whatever happened to the last user.
    fn seen(&self) -> MutexGuard<'_, BTreeMap<String, (Instant, Seen<k8s::Node>)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
