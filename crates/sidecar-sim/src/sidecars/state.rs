//! All sidecars and what surrounds them, under one lock; one call at a time.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use sei_sidecar_api::{Health, TransportKind};

use crate::{
    engine::{Fate, Order, TaskRow},
    faults::{Faults, RawReply, RequestAction, TaskAction, Victim},
    journal::{Event, Journal},
    sidecar::{Answer, Call, Link, Performed, Process, Reached, Sidecar, refusal},
    tasks::{self, Disk},
    world::{SidecarEnv, World},
};

/// A node, by namespace and name.
pub(crate) type NodeKey = (String, String);

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Whether a call to an unknown node makes its sidecar.
    pub(crate) make_on_demand: bool,
    pub(crate) sidecars: BTreeMap<NodeKey, Sidecar>,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) world: World,
    pub(crate) pace: Pace,
    pub(crate) default_health: Option<Health>,
    pub(crate) default_env: SidecarEnv,
    pub(crate) token: Option<String>,
}

/// How long tasks take.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    pub(crate) default: Duration,
    pub(crate) by_type: BTreeMap<String, Duration>,
}

impl State {
    /// One call, from the caller's side of the wire.
    pub(crate) fn call(&mut self, now: Timestamp, key: (&str, &str), call: Call) -> Performed {
        self.journal.count_call(key, call.op());
        if let Some(reached) = self.obstacle(key) {
            return Performed::at_once(reached);
        }
        self.settle(now);
        match self.strike(key, &call) {
            None => Performed::at_once(Reached::Answer(self.perform(now, key, call))),
            Some(RequestAction::Unreachable(kind)) => Performed::at_once(Reached::Broken(kind)),
            Some(RequestAction::Hang) => Performed::at_once(Reached::Never),
            Some(RequestAction::Reply(reply)) => Performed::at_once(Reached::Raw(reply)),
            Some(RequestAction::Delay(delay)) => {
                Performed { delay, reached: Reached::Answer(self.perform(now, key, call)) }
            }
            Some(RequestAction::LoseReply) => {
                self.perform(now, key, call);
                Performed::at_once(Reached::Broken(TransportKind::Reset))
            }
            Some(RequestAction::SayStatus(word)) => {
                let answer = self.perform(now, key, call);
                Performed::at_once(Reached::Answer(with_status(answer, word)))
            }
        }
    }

    /// Ends every run whose time has come, at all nodes.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        for ((namespace, node), sidecar) in &mut self.sidecars {
            for ended in sidecar.settle(now, &mut self.world) {
                let event = Event::Ended { id: ended.id, run: ended.run, error: ended.error };
                self.journal.record(ended.at, (namespace, node), event);
            }
        }
    }

    /// The node's sidecar, made if it is not there.
    pub(crate) fn sidecar(&mut self, (namespace, node): (&str, &str)) -> &mut Sidecar {
        let env = &self.default_env;
        self.sidecars
            .entry((namespace.to_owned(), node.to_owned()))
            .or_insert_with(|| Sidecar::new(namespace, node, env.clone()))
    }

    /// Brings the process up, or replaces it: the gate is closed, interrupted runs run again.
    pub(crate) fn start_process(&mut self, now: Timestamp, key: (&str, &str)) {
        self.sidecar(key).process = Process::Up;
        let owned = (key.0.to_owned(), key.1.to_owned());
        let Self { sidecars, faults, journal, pace, .. } = self;
        if let Some(sidecar) = sidecars.get_mut(&owned) {
            let Sidecar { engine, disk, .. } = sidecar;
            engine.start(|row| Script { faults, pace, disk }.fate(now, key, row).0);
            journal.record(now, key, Event::ProcessStarted);
        }
    }

    fn perform(&mut self, now: Timestamp, key: (&str, &str), call: Call) -> Answer {
        let default_health = self.default_health;
        match call {
            Call::Submit(order) => self.submit(now, key, order),
            Call::Delete(id) => Answer::Deleted(self.sidecar(key).engine.delete(&id)),
            call => {
                let sidecar = self.sidecar(key);
                let answer = sidecar.read(&call).unwrap_or(Answer::Live);
                match (answer, sidecar.health.or(default_health)) {
                    (Answer::Health(_), Some(health)) => Answer::Health(health),
                    (Answer::State(_), Some(health)) => Answer::State(health),
                    (answer, _) => answer,
                }
            }
        }
    }

    fn submit(&mut self, now: Timestamp, key: (&str, &str), order: Order) -> Answer {
        if let Some(text) = refusal(&order) {
            return Answer::Refused(text);
        }
        let (task_type, params) = (order.task_type.clone(), order.params.clone());
        self.sidecar(key);
        let owned = (key.0.to_owned(), key.1.to_owned());
        let Self { sidecars, faults, journal, pace, .. } = self;
        let Some(sidecar) = sidecars.get_mut(&owned) else {
            return Answer::Refused("persist task: no such node".to_owned());
        };
        let Sidecar { engine, disk, .. } = sidecar;
        let mut lost = false;
        let accepted = engine.submit(now, order, |row| {
            let (fate, forget) = Script { faults, pace, disk }.fate(now, key, row);
            lost = forget;
            fate
        });
        if lost {
            engine.forget(&accepted.id);
        }
        let id = accepted.id.clone();
        journal.record(now, key, Event::Submitted { id: id.clone(), task_type, params });
        if let Some(run) = accepted.started {
            journal.record(now, key, Event::Started { id: id.clone(), run });
        }
        Answer::Accepted(id)
    }

    /// What keeps the call from arriving, faults aside.
    fn obstacle(&mut self, key: (&str, &str)) -> Option<Reached> {
        let owned = (key.0.to_owned(), key.1.to_owned());
        if !self.make_on_demand && !self.sidecars.contains_key(&owned) {
            return Some(Reached::Broken(TransportKind::Dns));
        }
        let sidecar = self.sidecar(key);
        match (sidecar.link, sidecar.process) {
            (Link::Broken(kind), _) => Some(Reached::Broken(kind)),
            (Link::Hanging, _) => Some(Reached::Never),
            (Link::Open, Process::Down) => Some(Reached::Raw(RawReply::text(502, ""))),
            (Link::Open, Process::Up) => None,
        }
    }

    fn strike(&mut self, key: (&str, &str), call: &Call) -> Option<RequestAction> {
        let owned = (key.0.to_owned(), key.1.to_owned());
        let engine = self.sidecars.get(&owned).map(|sidecar| &sidecar.engine);
        let task_type = match call {
            Call::Submit(order) => Some(order.task_type.clone()),
            Call::Get(id) | Call::Delete(id) => {
                engine.and_then(|engine| engine.get(id)).map(|row| row.task_type.clone())
            }
            Call::Healthz | Call::Livez | Call::Status | Call::NodeId | Call::List => None,
        };
        let (namespace, node) = key;
        let victim = Victim { namespace, node, task_type: task_type.as_deref() };
        self.faults.strike_request(call.op(), victim)
    }
}

/// What decides over a run that begins.
struct Script<'a> {
    faults: &'a mut Faults,
    pace: &'a Pace,
    disk: &'a Disk,
}

impl Script<'_> {
    /// The run's fate, and whether the task is lost.
    fn fate(&mut self, now: Timestamp, key: (&str, &str), row: &TaskRow) -> (Fate, bool) {
        if let Err(text) = tasks::check(row) {
            return (Fate { ends_at: Some(now), failure: Some(text) }, false);
        }
        let task_type = row.task_type.as_str();
        let victim = Victim { namespace: key.0, node: key.1, task_type: Some(task_type) };
        let natural = self.natural_end(now, task_type);
        match self.faults.strike_task(row.run, victim) {
            None => (Fate { ends_at: natural, failure: None }, false),
            Some(TaskAction::Fail(text)) => {
                (Fate { ends_at: natural.or(Some(now)), failure: Some(text) }, false)
            }
            Some(TaskAction::Slow(time)) => {
                (Fate { ends_at: Some(later(now, time)), failure: None }, false)
            }
            Some(TaskAction::NeverEnd) => (Fate { ends_at: None, failure: None }, false),
            Some(TaskAction::Forget) => (Fate { ends_at: None, failure: None }, true),
        }
    }

    fn natural_end(&self, now: Timestamp, task_type: &str) -> Option<Timestamp> {
        if tasks::has_marker(task_type, self.disk) {
            return Some(now);
        }
        if tasks::is_endless(task_type) {
            return None;
        }
        let time = self.pace.by_type.get(task_type).copied().unwrap_or(self.pace.default);
        Some(later(now, time))
    }
}

fn later(now: Timestamp, time: Duration) -> Timestamp {
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}

fn with_status(answer: Answer, word: String) -> Answer {
    match answer {
        Answer::Row(Some(mut row)) => {
            row.status = word.into();
            Answer::Row(Some(row))
        }
        other => other,
    }
}
