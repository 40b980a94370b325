//! The handle: the sidecars of many nodes, made, programmed and watched from tests.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::Timestamp;
use sei_sidecar_api::{Health, SidecarApi, SidecarFactory, TaskType};

use crate::{
    faults::{RequestFault, Target, TaskAction, TaskFault},
    inproc::InProcess,
    journal::{JournalEntry, Submission},
    sidecar::{Call, Performed},
    world::{SidecarEnv, World},
};

mod node;
mod state;

pub use node::NodeHandle;
use state::State;

/// The sidecars of many nodes; clones are the same sidecars.
///
/// A node's sidecar comes into being at the first call to it, with an empty disk, unless the
/// handle is [`Sidecars::strict`]. Unprogrammed, every well-formed task completes at once: the
/// first read after the submit says `completed`.
#[derive(Clone)]
pub struct Sidecars {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Sidecars {
    /// Sidecars for every node that is asked for.
    pub fn new() -> Self {
        Self {
            state: Arc::new(Mutex::new(State { make_on_demand: true, ..State::default() })),
            clock: Arc::new(wall_clock),
        }
    }

    /// Sidecars only for nodes that were added; the names of others do not resolve.
    pub fn strict() -> Self {
        let sidecars = Self::new();
        sidecars.lock().make_on_demand = false;
        sidecars
    }

    /// The same sidecars under a clock of the test's own.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// The sidecar of a node, to program it and to look into it.
    pub fn node(&self, namespace: &str, node: &str) -> NodeHandle {
        NodeHandle::new(self.clone(), (namespace.to_owned(), node.to_owned()))
    }

    /// From now on, tasks of every type take this long; at first they take no time.
    pub fn complete_after(&self, duration: Duration) {
        self.lock().pace.default = duration;
    }

    /// From now on, tasks of this type take this long.
    pub fn task_takes(&self, task_type: TaskType, duration: Duration) {
        self.lock().pace.by_type.insert(task_type.as_str().to_owned(), duration);
    }

    /// Tasks of `target` fail with `message` from now on.
    pub fn fail_with(&self, target: Target, message: &str) {
        self.inject_task(TaskFault::new(target, TaskAction::Fail(message.to_owned())));
    }

    /// The next `times` runs of `target` fail with `message`; then they succeed.
    pub fn fail_times(&self, target: Target, times: u32, message: &str) {
        let fault = TaskFault::new(target, TaskAction::Fail(message.to_owned()));
        self.inject_task(fault.times(times));
    }

    /// Adds a fault on the way.
    pub fn inject_request(&self, fault: RequestFault) {
        self.lock().faults.add_request(fault);
    }

    /// Adds a fault in tasks.
    pub fn inject_task(&self, fault: TaskFault) {
        self.lock().faults.add_task(fault);
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// What healthz says at nodes that say nothing of their own; `None` leaves it to `mark-ready`.
    pub fn default_health(&self, health: Option<Health>) {
        self.lock().default_health = health;
    }

    /// The environment of sidecars that are made from now on.
    pub fn default_env(&self, env: SidecarEnv) {
        self.lock().default_env = env;
    }

    /// Over HTTP, requests need this bearer token, as behind the proxy; `None` needs none.
    pub fn require_token(&self, token: Option<&str>) {
        self.lock().token = token.map(str::to_owned);
    }

    /// Changes what surrounds the sidecars, after every run whose time has come has ended.
    pub fn change_world(&self, change: impl FnOnce(&mut World)) {
        let now = self.now();
        let mut state = self.lock();
        state.settle(now);
        change(&mut state.world);
    }

    /// Every accepted submit, oldest first, repeats included.
    pub fn submissions(&self) -> Vec<Submission> {
        self.lock().journal.submissions().collect()
    }

    /// How many different tasks were submitted.
    pub fn submitted_count(&self) -> usize {
        let submissions = self.submissions();
        let tasks = submissions.into_iter().map(|s| (s.namespace, s.node, s.id));
        tasks.collect::<BTreeSet<_>>().len()
    }

    /// Everything that happened, oldest first, up to now.
    pub fn journal(&self) -> Vec<JournalEntry> {
        let now = self.now();
        let mut state = self.lock();
        state.settle(now);
        state.journal.entries().cloned().collect()
    }

    pub(crate) fn call(&self, key: (&str, &str), call: Call) -> Performed {
        let now = self.now();
        self.lock().call(now, key, call)
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it held the lock must not fail others with it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(feature = "http")]
    pub(crate) fn admits(&self, authorization: Option<&str>) -> bool {
        match &self.lock().token {
            None => true,
            Some(token) => authorization == Some(format!("Bearer {token}").as_str()),
        }
    }
}

impl Default for Sidecars {
    fn default() -> Self {
        Self::new()
    }
}

impl SidecarFactory for Sidecars {
    fn for_node(&self, namespace: &str, node: &str) -> Arc<dyn SidecarApi> {
        Arc::new(InProcess::new(self.clone(), (namespace.to_owned(), node.to_owned())))
    }
}

impl fmt::Debug for Sidecars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sidecars").finish_non_exhaustive()
    }
}

fn wall_clock() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanosecond(since_epoch.as_nanos().try_into().unwrap_or(i128::MAX))
        .unwrap_or(Timestamp::MAX)
}
