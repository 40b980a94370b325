//! One node's sidecar, programmed and watched.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sei_sidecar_api::{Health, TransportKind};

use crate::{
    engine::{Ended, Engine, TaskRow},
    faults::Op,
    journal::{Event, Submission},
    sidecar::{Link, Process, Sidecar},
    sidecars::Sidecars,
    tasks::Disk,
    world::SidecarEnv,
};

/// One node's sidecar, to program it and to look into it.
#[derive(Debug, Clone)]
pub struct NodeHandle {
    sidecars: Sidecars,
    key: (String, String),
}

impl NodeHandle {
    pub(super) fn new(sidecars: Sidecars, key: (String, String)) -> Self {
        Self { sidecars, key }
    }

    /// Makes the sidecar, if it is not there: needed when the handle is [`Sidecars::strict`].
    pub fn add(&self) {
        self.with(|_| {});
    }

    /// Takes the sidecar away with its disk, as when the node is deleted.
    pub fn remove(&self) {
        self.sidecars.lock().sidecars.remove(&self.key);
    }

    /// Calls no longer arrive: its name does not resolve.
    pub fn unreachable(&self) {
        self.fails_with(TransportKind::Dns);
    }

    /// Calls no longer arrive, in this way.
    pub fn fails_with(&self, kind: TransportKind) {
        self.with(|sidecar| sidecar.link = Link::Broken(kind));
    }

    /// Calls arrive and are never answered.
    pub fn hangs(&self) {
        self.with(|sidecar| sidecar.link = Link::Hanging);
    }

    /// Calls arrive and are answered again.
    pub fn reachable(&self) {
        self.with(|sidecar| sidecar.link = Link::Open);
    }

    /// healthz says 503, whatever `mark-ready` did.
    pub fn not_ready(&self) {
        self.with(|sidecar| sidecar.health = Some(Health::NotReady));
    }

    /// healthz says 200, whatever `mark-ready` did.
    pub fn always_ready(&self) {
        self.with(|sidecar| sidecar.health = Some(Health::Ready));
    }

    /// healthz says what `mark-ready` did.
    pub fn honest_health(&self) {
        self.with(|sidecar| sidecar.health = None);
    }

    /// The process is replaced at once, as when it crashed: the gate closes, rows stay, and runs
    /// that were under way begin again as the same run.
    pub fn restart(&self) {
        self.stop();
        self.start();
    }

    /// The process dies. The proxy in front of it answers 502.
    pub fn stop(&self) {
        self.halt(|sidecar, _| {
            sidecar.engine.crash();
            Vec::new()
        });
    }

    /// The process is told to stop: runs under way end as failed, `context canceled`.
    pub fn stop_gracefully(&self) {
        self.halt(|sidecar, now| sidecar.engine.stop_gracefully(now));
    }

    /// The process comes up on the disk that is there; the gate is closed.
    pub fn start(&self) {
        let now = self.sidecars.now();
        let mut state = self.sidecars.lock();
        state.settle(now);
        state.start_process(now, self.key());
    }

    /// The disk is replaced by an empty one, and the process with it.
    pub fn replace_disk(&self) {
        self.stop();
        let now = self.sidecars.now();
        let mut state = self.sidecars.lock();
        let sidecar = state.sidecar(self.key());
        sidecar.engine = Engine::default();
        sidecar.disk = Disk::default();
        state.journal.record(now, self.key(), Event::DiskReplaced);
        state.start_process(now, self.key());
    }

    /// The p2p identity that the node tells.
    pub fn set_node_id(&self, node_id: &str) {
        self.with(|sidecar| node_id.clone_into(&mut sidecar.node_id));
    }

    /// The node has no key until `generate-identity` has made one.
    pub fn without_identity(&self) {
        self.with(|sidecar| sidecar.disk.no_node_key = true);
    }

    /// What the sidecar's environment tells it.
    pub fn set_env(&self, env: SidecarEnv) {
        self.with(|sidecar| sidecar.env = env);
    }

    /// From now on `config-validate` cannot read the files.
    pub fn corrupt_config(&self) {
        self.with(|sidecar| sidecar.disk.corrupt_config = true);
    }

    /// The mode that `config-apply` wrote last.
    pub fn config_mode(&self) -> Option<String> {
        self.look(|sidecar| sidecar.disk.config.as_ref().map(|config| config.mode.clone()))
    }

    /// The overrides that `config-apply` wrote last.
    pub fn config_overrides(&self) -> Option<BTreeMap<String, String>> {
        self.look(|sidecar| sidecar.disk.config.as_ref().map(|config| config.overrides.clone()))
    }

    /// The persistent peers that were written last.
    pub fn peers(&self) -> Vec<String> {
        self.look(|sidecar| sidecar.disk.peers.clone())
    }

    /// Whether the gate in front of `seid` is open.
    pub fn is_ready(&self) -> bool {
        let default = self.sidecars.lock().default_health;
        self.look(|sidecar| {
            sidecar.health.or(default).unwrap_or_else(|| sidecar.health()) == Health::Ready
        })
    }

    /// A task's row.
    pub fn task(&self, id: &str) -> Option<TaskRow> {
        self.look(|sidecar| sidecar.engine.get(id).cloned())
    }

    /// All rows, newest first, at most 100.
    pub fn tasks(&self) -> Vec<TaskRow> {
        self.look(|sidecar| sidecar.engine.list())
    }

    /// This node's accepted submits, oldest first.
    pub fn submissions(&self) -> Vec<Submission> {
        let all = self.sidecars.submissions().into_iter();
        all.filter(|s| s.namespace == self.key.0 && s.node == self.key.1).collect()
    }

    /// How often this task was started.
    pub fn executions(&self, id: &str) -> usize {
        let journal = self.sidecars.journal().into_iter();
        let own = journal.filter(|e| e.namespace == self.key.0 && e.node == self.key.1);
        own.filter(|e| matches!(&e.event, Event::Started { id: started, .. } if started == id))
            .count()
    }

    /// How often this was called, also in vain.
    pub fn calls(&self, op: Op) -> u64 {
        self.sidecars.lock().journal.calls(self.key(), op)
    }

    fn halt(&self, halt: impl FnOnce(&mut Sidecar, Timestamp) -> Vec<Ended>) {
        let now = self.sidecars.now();
        let mut state = self.sidecars.lock();
        state.settle(now);
        let sidecar = state.sidecar(self.key());
        let ended = halt(sidecar, now);
        sidecar.process = Process::Down;
        for run in ended {
            let event = Event::Ended { id: run.id, run: run.run, error: run.error };
            state.journal.record(run.at, self.key(), event);
        }
        state.journal.record(now, self.key(), Event::ProcessStopped);
    }

    fn with(&self, change: impl FnOnce(&mut Sidecar)) {
        let now = self.sidecars.now();
        let mut state = self.sidecars.lock();
        state.settle(now);
        change(state.sidecar(self.key()));
    }

    fn look<T>(&self, look: impl FnOnce(&Sidecar) -> T) -> T {
        let now = self.sidecars.now();
        let mut state = self.sidecars.lock();
        state.settle(now);
        look(state.sidecar(self.key()))
    }

    fn key(&self) -> (&str, &str) {
        (&self.key.0, &self.key.1)
    }
}
