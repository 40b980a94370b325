//! What happened, in order: every submit, run and process event, with its time.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use sei_sidecar_api::Params;

use crate::Op;

/// How many entries are kept; the oldest go first. A day of a local cluster fits.
pub const JOURNAL_MAX: usize = 100_000;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalEntry {
    /// Grows by one with each entry of all nodes.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// The node's namespace.
    pub namespace: String,
    /// The node.
    pub node: String,
    /// What.
    pub event: Event,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A task was handed in and accepted, also when that changed nothing.
    Submitted {
        /// Its id.
        id: String,
        /// Its type.
        task_type: String,
        /// Its params.
        params: Params,
    },
    /// A run began.
    Started {
        /// Its task.
        id: String,
        /// Which run, from 1.
        run: u64,
    },
    /// A run ended.
    Ended {
        /// Its task.
        id: String,
        /// Which run, from 1.
        run: u64,
        /// Why it failed; absent when it did not.
        error: Option<String>,
    },
    /// The sidecar's process came up.
    ProcessStarted,
    /// The sidecar's process went away.
    ProcessStopped,
    /// The node's disk was replaced by an empty one.
    DiskReplaced,
}

/// An accepted submit.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The node's namespace.
    pub namespace: String,
    /// The node.
    pub node: String,
    /// The task's type.
    pub task_type: String,
    /// The task's id.
    pub id: String,
    /// What it was to be run with.
    pub params: Params,
    /// When.
    pub at: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<JournalEntry>,
    sequence: u64,
    calls: BTreeMap<(String, String, Op), u64>,
}

impl Journal {
    pub(crate) fn record(&mut self, at: Timestamp, (namespace, node): (&str, &str), event: Event) {
        if self.entries.len() == JOURNAL_MAX {
            self.entries.pop_front();
        }
        self.sequence += 1;
        self.entries.push_back(JournalEntry {
            sequence: self.sequence,
            at,
            namespace: namespace.to_owned(),
            node: node.to_owned(),
            event,
        });
    }

    pub(crate) fn count_call(&mut self, (namespace, node): (&str, &str), op: Op) {
        *self.calls.entry((namespace.to_owned(), node.to_owned(), op)).or_default() += 1;
    }

    pub(crate) fn calls(&self, (namespace, node): (&str, &str), op: Op) -> u64 {
        let key = (namespace.to_owned(), node.to_owned(), op);
        self.calls.get(&key).copied().unwrap_or_default()
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &JournalEntry> {
        self.entries.iter()
    }

    pub(crate) fn submissions(&self) -> impl Iterator<Item = Submission> {
        self.entries.iter().filter_map(|entry| match &entry.event {
            Event::Submitted { id, task_type, params } => Some(Submission {
                namespace: entry.namespace.clone(),
                node: entry.node.clone(),
                task_type: task_type.clone(),
                id: id.clone(),
                params: params.clone(),
                at: entry.at,
            }),
            Event::Started { .. }
            | Event::Ended { .. }
            | Event::ProcessStarted
            | Event::ProcessStopped
            | Event::DiskReplaced => None,
        })
    }
}
