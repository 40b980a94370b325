//! Plays the StatefulSet controller: at once, or every 50 ms. The same for everybody who is
//! measured.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use kube::api::{Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use sei_api::k8s::StatefulSet;
use sei_harness::Scope;
use sei_harness::status_faker::{StatusFaker, rolled_out};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Pauses of a driver whose write fails, as of the controller that it plays.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(5);

/// How soon an edit of a StatefulSet is rolled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pace {
    /// As soon as a watch shows it.
    Immediate,
    /// At the next of the sweeps that come every 50 ms.
    Ticking,
}

/// A running driver; it stops when it is dropped.
pub enum Driver {
    /// See [`Pace::Immediate`].
    Immediate(Immediate),
    /// See [`Pace::Ticking`].
    Ticking(#[expect(dead_code, reason = "held for its end")] StatusFaker),
}

/// The driver that watches.
pub struct Immediate {
    stalled: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Driver {
    /// Drives the StatefulSets of `namespace`.
    pub fn start(pace: Pace, client: &Client, namespace: &str) -> Self {
        match pace {
            Pace::Immediate => {
                let (stalled, stalls) = watch::channel(false);
                let api = Api::namespaced(client.clone(), namespace);
                Self::Immediate(Immediate { stalled, task: tokio::spawn(run(api, stalls)) })
            }
            Pace::Ticking => {
                let scope = Scope::Namespace(namespace.to_owned());
                Self::Ticking(StatusFaker::start(client.clone(), &scope))
            }
        }
    }

    /// From now on nothing is rolled out, or, if not `stalled`, everything that was held up is.
    pub fn stall(&self, stalled: bool) {
        match self {
            Self::Immediate(it) => {
                it.stalled.send_replace(stalled);
            }
            Self::Ticking(_) => {}
        }
    }
}

impl Drop for Immediate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(api: Api<StatefulSet>, mut stalls: watch::Receiver<bool>) {
    let mut known = BTreeMap::new();
    let mut events = watcher(api.clone(), watcher::Config::default()).default_backoff().boxed();
    loop {
        tokio::select! {
            stalled = stalls.changed() => {
                if stalled.is_err() {
                    return;
                }
                if !*stalls.borrow() {
                    known.values().for_each(|set| roll_out(&api, set));
                }
            }
            event = events.next() => match event {
                Some(Ok(watcher::Event::Apply(set) | watcher::Event::InitApply(set))) => {
                    if !*stalls.borrow() {
                        roll_out(&api, &set);
                    }
                    known.insert(set.name_any(), set);
                }
                Some(Ok(watcher::Event::Delete(set))) => {
                    known.remove(&set.name_any());
                }
                // The watcher repeats a watch that ended by itself.
                Some(Ok(watcher::Event::Init | watcher::Event::InitDone) | Err(_)) => {}
                None => return,
            }
        }
    }
}

/// Writes in the background: one StatefulSet does not wait for another.
fn roll_out(api: &Api<StatefulSet>, set: &StatefulSet) {
    let Some(patch) = rolled_out(set) else { return };
    let (api, name) = (api.clone(), set.name_any());
    tokio::spawn(async move {
        let patch = Patch::Merge(patch);
        let mut pause = RETRY_FIRST;
        while let Err(error) = api.patch_status(&name, &PatchParams::default(), &patch).await {
            // A set that changed meanwhile is shown again; one that is gone needs nothing.
            if matches!(&error, kube::Error::Api(status) if [404, 409].contains(&status.code)) {
                return;
            }
            eprintln!("bench: the driver is refused \"{name}\": {error}; again in {pause:?}");
            sleep(pause).await;
            pause = RETRY_MAX.min(pause * 2);
        }
    });
}
