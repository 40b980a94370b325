//! The task engine of one sidecar: rows, runs, recovery and readiness. Pure; time is an argument.
//!
//! Knows nothing of what tasks do: what a run will come to is asked of the caller, at its start
//! (how long) and at its end (how it went).

use std::collections::BTreeMap;

use jiff::Timestamp;
use sei_sidecar_api::{Params, TaskStatus};
use serde::Serialize;
use uuid::Uuid;

/// The most rows that a listing shows.
const LIST_MAX: usize = 100;

/// The type whose success opens the gate.
const MARK_READY: &str = "mark-ready";

/// The namespace of ids that the engine makes for tasks that come without one.
const OWN_IDS: Uuid = Uuid::from_u128(0x51de_ca12_0000_4000_8000_0000_0000_0001);

/// A task's row, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskRow {
    /// As submitted, compared verbatim.
    pub id: String,
    /// As submitted with the newest run.
    #[serde(rename = "type")]
    pub task_type: String,
    /// Never [`TaskStatus::Unknown`] in the engine; faults may show one.
    pub status: TaskStatus,
    /// From 1; grows when a failed id is submitted again.
    pub run: u64,
    /// As submitted with the newest run.
    #[serde(skip_serializing_if = "Params::is_empty")]
    pub params: Params,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When the newest run was submitted.
    pub submitted_at: Timestamp,
    /// When the newest run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
}

/// A task as it is handed in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    /// Empty or absent: the engine makes one.
    pub(crate) id: Option<String>,
    /// Must not be empty and must be known.
    pub(crate) task_type: String,
    /// What it is run with.
    pub(crate) params: Params,
}

/// What the caller knows about a run at its start.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fate {
    /// When it ends, if it does.
    pub(crate) ends_at: Option<Timestamp>,
    /// An end that is settled already; else the caller is asked when the time has come.
    pub(crate) failure: Option<String>,
}

/// What the caller says about a run whose time has come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// It ended well.
    Done,
    /// It ended badly.
    Failed(String),
    /// It still waits for something; ask again later.
    NotYet,
}

/// What became of a submit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Accepted {
    pub(crate) id: String,
    /// The run that it started; none when the id was running or completed.
    pub(crate) started: Option<u64>,
}

/// A run that ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ended {
    pub(crate) id: String,
    pub(crate) run: u64,
    pub(crate) at: Timestamp,
    pub(crate) error: Option<String>,
}

/// The engine. Rows live on the disk; executions and readiness live in the process.
#[derive(Debug, Default)]
pub(crate) struct Engine {
    rows: BTreeMap<String, Stored>,
    executions: Vec<Execution>,
    ready: bool,
    /// Grows with every row and run; orders what happens at one instant.
    sequence: u64,
}

#[derive(Debug)]
struct Stored {
    row: TaskRow,
    sequence: u64,
}

/// A run under way. Holds its own copy of the row: deleting the row does not stop the run.
#[derive(Debug)]
struct Execution {
    row: TaskRow,
    fate: Fate,
    sequence: u64,
    /// Its time had come and it still waited: it ends when it is found to have ended.
    overdue: bool,
}

impl Engine {
    /// Takes a task in. `fate` is asked only when a run starts.
    pub(crate) fn submit(
        &mut self,
        now: Timestamp,
        order: Order,
        fate: impl FnOnce(&TaskRow) -> Fate,
    ) -> Accepted {
        let id = order.id.filter(|id| !id.is_empty()).unwrap_or_else(|| self.own_id());
        let run = match self.rows.get(&id).map(|stored| &stored.row) {
            None => 1,
            Some(row) if row.status == TaskStatus::Failed => row.run + 1,
            Some(_) => return Accepted { id, started: None },
        };
        let row = TaskRow {
            id: id.clone(),
            task_type: order.task_type,
            status: TaskStatus::Running,
            run,
            params: order.params,
            error: None,
            submitted_at: now,
            completed_at: None,
        };
        self.execute(row, fate);
        Accepted { id, started: Some(run) }
    }

    /// Ends every run whose time has come, in the order of their ends.
    pub(crate) fn settle(
        &mut self,
        now: Timestamp,
        mut judge: impl FnMut(&TaskRow) -> Verdict,
    ) -> Vec<Ended> {
        let mut due = self.take_due(now);
        due.sort_by_key(|execution| (execution.fate.ends_at, execution.sequence));
        let mut ended = Vec::new();
        for mut execution in due {
            let verdict = match &execution.fate.failure {
                Some(text) => Verdict::Failed(text.clone()),
                None => judge(&execution.row),
            };
            let at = execution.fate.ends_at.filter(|_| !execution.overdue).unwrap_or(now);
            match verdict {
                Verdict::Done => ended.push(self.finish(execution.row, at, None)),
                Verdict::Failed(text) => ended.push(self.finish(execution.row, at, Some(text))),
                Verdict::NotYet => {
                    execution.overdue = true;
                    self.executions.push(execution);
                }
            }
        }
        ended
    }

    /// A row, as the last settling left it.
    pub(crate) fn get(&self, id: &str) -> Option<&TaskRow> {
        self.rows.get(id).map(|stored| &stored.row)
    }

    /// The newest rows first.
    pub(crate) fn list(&self) -> Vec<TaskRow> {
        let mut rows: Vec<&Stored> = self.rows.values().collect();
        rows.sort_by_key(|stored| std::cmp::Reverse((stored.row.submitted_at, stored.sequence)));
        rows.into_iter().take(LIST_MAX).map(|stored| stored.row.clone()).collect()
    }

    /// Removes a row; the run goes on and writes the row back when it ends.
    pub(crate) fn delete(&mut self, id: &str) -> bool {
        self.rows.remove(id).is_some()
    }

    /// Loses a row and its run without a trace.
    pub(crate) fn forget(&mut self, id: &str) {
        self.rows.remove(id);
        self.executions.retain(|execution| execution.row.id != id);
    }

    /// Whether a `mark-ready` has succeeded in this process.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready
    }

    /// How many runs are under way.
    pub(crate) fn running(&self) -> usize {
        self.executions.len()
    }

    /// The process is told to stop: runs see it and fail, and are not recovered afterwards.
    pub(crate) fn stop_gracefully(&mut self, now: Timestamp) -> Vec<Ended> {
        let executions = std::mem::take(&mut self.executions);
        let canceled = |execution: Execution| {
            self.finish(execution.row, now, Some("context canceled".to_owned()))
        };
        let ended = executions.into_iter().map(canceled).collect();
        self.ready = false;
        ended
    }

    /// The process dies: runs vanish, their rows stay `running`.
    pub(crate) fn crash(&mut self) {
        self.ready = false;
        self.executions.clear();
    }

    /// The process starts: rows that say `running` are executed again, as the same run.
    pub(crate) fn start(&mut self, mut fate: impl FnMut(&TaskRow) -> Fate) {
        self.crash();
        let interrupted: Vec<TaskRow> = self
            .rows
            .values()
            .map(|stored| &stored.row)
            .filter(|row| row.status == TaskStatus::Running)
            .cloned()
            .collect();
        for row in interrupted {
            self.execute(row, &mut fate);
        }
    }

    fn execute(&mut self, row: TaskRow, fate: impl FnOnce(&TaskRow) -> Fate) {
        let fate = fate(&row);
        self.store(row.clone());
        self.executions.push(Execution { row, fate, sequence: self.sequence, overdue: false });
    }

    fn take_due(&mut self, now: Timestamp) -> Vec<Execution> {
        let is_due = |execution: &Execution| execution.fate.ends_at.is_some_and(|at| at <= now);
        let (due, rest) = std::mem::take(&mut self.executions).into_iter().partition(is_due);
        self.executions = rest;
        due
    }

    fn finish(&mut self, mut row: TaskRow, at: Timestamp, error: Option<String>) -> Ended {
        let succeeded = error.is_none();
        row.status = if succeeded { TaskStatus::Completed } else { TaskStatus::Failed };
        row.error = error.clone();
        row.completed_at = Some(at);
        self.ready |= succeeded && row.task_type == MARK_READY;
        let ended = Ended { id: row.id.clone(), run: row.run, at, error };
        self.store(row);
        ended
    }

    fn store(&mut self, row: TaskRow) {
        self.sequence += 1;
        let sequence = match self.rows.get(&row.id) {
            Some(stored) if stored.row.run == row.run => stored.sequence,
            Some(_) | None => self.sequence,
        };
        self.rows.insert(row.id.clone(), Stored { row, sequence });
    }

    fn own_id(&mut self) -> String {
        self.sequence += 1;
        Uuid::new_v5(&OWN_IDS, self.sequence.to_string().as_bytes()).to_string()
    }
}

#[cfg(test)]
mod tests;
