//! A context for tests: a scripted API server, simulated sidecars, a clock that stands.

use std::sync::Arc;

use jiff::Timestamp;
use kube::Client;
use sei_core::platform::Platform;
use sei_core::platform::fixture::lookup;
use sei_core::tempo::Tempo;
use uuid::Uuid;

use super::{ClientHandle, Context};
use crate::clock::Clock;
use crate::cluster::stores::Stores;
use crate::hosts::Hosts;
use crate::ids::Ids;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::names::{Names, SystemResolver};
use crate::queue::Queue;
use crate::recorder::{Parts, Recorder};
use crate::sidecars::Sidecars;

/// A context over `client`, and the sidecars in it.
pub(crate) fn context(client: Client) -> (Context, sei_sidecar_sim::Sidecars) {
    let clock = Clock::from_fn(|| Timestamp::UNIX_EPOCH);
    let metrics = Arc::new(Metrics::new("test"));
    let (recorder, delivery) = Recorder::start(Parts {
        client: client.clone(),
        clock: clock.clone(),
        metrics: Arc::clone(&metrics),
        instance: "test".to_owned(),
    });
    // It goes on by itself until the runtime of the test ends.
    drop(delivery);
    let simulated = sei_sidecar_sim::Sidecars::new();
    let (ids, limits) = (Ids::from_fn(|| Uuid::from_u128(1)), Limits::default());
    let context = Context {
        hosts: Hosts::default(),
        names: Names::new(Arc::new(SystemResolver), &limits, &ids, &Arc::new(Queue::new())),
        client: ClientHandle(client),
        stores: Arc::new(Stores::new()),
        sidecars: Arc::new(Sidecars::new(Arc::new(simulated.clone()), Arc::clone(&metrics))),
        recorder,
        metrics,
        clock,
        ids,
        platform: Platform::parse(&lookup).unwrap(),
        tempo: Tempo::default(),
        limits,
    };
    (context, simulated)
}
