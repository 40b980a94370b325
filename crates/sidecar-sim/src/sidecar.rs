//! One node's sidecar: its engine, its disk, its process, and the way to it.

use std::time::Duration;

use jiff::Timestamp;
use sei_sidecar_api::{Health, TransportKind};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    engine::{Ended, Engine, Order, TaskRow},
    faults::{Op, RawReply},
    tasks::{self, Disk, Site},
    world::{SidecarEnv, World},
};

/// One node's sidecar.
#[derive(Debug)]
pub(crate) struct Sidecar {
    pub(crate) engine: Engine,
    pub(crate) disk: Disk,
    pub(crate) env: SidecarEnv,
    pub(crate) process: Process,
    pub(crate) link: Link,
    /// What healthz says instead of the engine.
    pub(crate) health: Option<Health>,
    pub(crate) node_id: String,
}

/// Whether the sidecar's process is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    Up,
    Down,
}

/// The way to the sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Open,
    Broken(TransportKind),
    /// Requests arrive and are never answered.
    Hanging,
}

/// A call, as both fronts make it.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    Healthz,
    Livez,
    Status,
    NodeId,
    Submit(Order),
    List,
    Get(String),
    Delete(String),
}

/// What the sidecar says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Health(Health),
    Live,
    State(Health),
    NodeId(Result<String, &'static str>),
    Accepted(String),
    Refused(String),
    Rows(Vec<TaskRow>),
    Row(Option<Box<TaskRow>>),
    Deleted(bool),
}

/// How far a call came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reached {
    /// The sidecar answers.
    Answer(Answer),
    /// Something else answers.
    Raw(RawReply),
    /// The connection fails.
    Broken(TransportKind),
    /// Nobody ever answers.
    Never,
}

/// A call's fate and how long it takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Performed {
    pub(crate) delay: Duration,
    pub(crate) reached: Reached,
}

impl Sidecar {
    /// A fresh one: empty disk, process up, gate closed.
    pub(crate) fn new(namespace: &str, node: &str, env: SidecarEnv) -> Self {
        Self {
            engine: Engine::default(),
            disk: Disk::default(),
            env,
            process: Process::Up,
            link: Link::Open,
            health: None,
            node_id: derived_node_id(namespace, node),
        }
    }

    /// Ends the runs whose time has come.
    pub(crate) fn settle(&mut self, now: Timestamp, world: &mut World) -> Vec<Ended> {
        let Self { engine, disk, env, process, .. } = self;
        if *process == Process::Down || engine.running() == 0 {
            return Vec::new();
        }
        engine.settle(now, |row| tasks::run(row, &mut Site { disk, env, world: &mut *world }))
    }

    pub(crate) fn health(&self) -> Health {
        match (self.health, self.engine.is_ready()) {
            (Some(health), _) => health,
            (None, true) => Health::Ready,
            (None, false) => Health::NotReady,
        }
    }

    /// Answers what changes nothing; a submit is not for here.
    pub(crate) fn read(&self, call: &Call) -> Option<Answer> {
        Some(match call {
            Call::Healthz => Answer::Health(self.health()),
            Call::Livez => Answer::Live,
            Call::Status => Answer::State(self.health()),
            Call::NodeId if self.disk.no_node_key => Answer::NodeId(Err(
                "node_key.json not found \u{2014} generate-identity may not have run yet",
            )),
            Call::NodeId => Answer::NodeId(Ok(self.node_id.clone())),
            Call::List => Answer::Rows(self.engine.list()),
            Call::Get(id) => Answer::Row(self.engine.get(id).cloned().map(Box::new)),
            Call::Submit(_) | Call::Delete(_) => return None,
        })
    }
}

impl Call {
    pub(crate) fn op(&self) -> Op {
        match self {
            Self::Healthz => Op::Healthz,
            Self::Livez => Op::Livez,
            Self::Status => Op::Status,
            Self::NodeId => Op::NodeId,
            Self::Submit(_) => Op::Submit,
            Self::List => Op::List,
            Self::Get(_) => Op::Get,
            Self::Delete(_) => Op::Delete,
        }
    }
}

impl Performed {
    pub(crate) fn at_once(reached: Reached) -> Self {
        Self { delay: Duration::ZERO, reached }
    }
}

/// Why a submit is refused, in the order in which a sidecar looks.
pub(crate) fn refusal(order: &Order) -> Option<String> {
    if order.task_type.is_empty() {
        return Some("type is required".to_owned());
    }
    if !tasks::is_known(&order.task_type) {
        return Some(format!("unknown task type: {}", order.task_type));
    }
    let id = order.id.as_deref().filter(|id| !id.is_empty())?;
    Uuid::parse_str(id).is_err().then(|| format!("task ID must be a valid UUID: {id:?}"))
}

/// The same for the same node in every process, and different for different nodes.
fn derived_node_id(namespace: &str, node: &str) -> String {
    let digest = Sha256::digest(format!("{namespace}/{node}"));
    digest.iter().take(20).map(|byte| format!("{byte:02x}")).collect()
}
