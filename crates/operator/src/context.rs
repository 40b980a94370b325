//! Everything a pass may touch, handed in once: the shell's only context.

use std::sync::Arc;

use kube::Client;
use sei_core::node::Env;
use sei_core::platform::Platform;
use sei_core::tempo::Tempo;

use crate::clock::Clock;
use crate::cluster::stores::Stores;
use crate::hosts::Hosts;
use crate::ids::Ids;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::names::Names;
use crate::recorder::Recorder;
use crate::sidecars::Sidecars;

/// What all passes of a process share.
#[derive(Debug)]
pub struct Context {
    /// The API server: writes, and the few reads past the stores.
    pub client: ClientHandle,
    /// What the watches have brought.
    pub stores: Arc<Stores>,
    /// The sidecars of the nodes, and what they last said.
    pub sidecars: Arc<Sidecars>,
    /// The machines under pods, as far as they were asked for.
    pub hosts: Hosts,
    /// Whether the host names of fleets resolve.
    pub names: Names,
    /// Takes notices.
    pub recorder: Recorder,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// The time of day.
    pub clock: Clock,
    /// Fresh ids and jitter.
    pub ids: Ids,
    /// What nodes run on.
    pub platform: Platform,
    /// Paces of the decisions.
    pub tempo: Tempo,
    /// Bounds of the shell.
    pub limits: Limits,
}

/// A client that can stand in a context: the library's has no `Debug`.
#[derive(Clone)]
pub struct ClientHandle(pub Client);

impl std::fmt::Debug for ClientHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Context {
    /// What the decisions see of it.
    #[must_use]
    pub fn env(&self) -> Env<'_> {
        Env { platform: &self.platform, tempo: &self.tempo }
    }
}

#[cfg(test)]
pub(crate) mod fixture;
