//! Faults: what can be made to go wrong, for whom, and how often.

use std::{collections::VecDeque, time::Duration};

use sei_sidecar_api::{TaskType, TransportKind};

/// A call that can be made of a sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// `GET /v0/healthz`.
    Healthz,
    /// `GET /v0/livez`.
    Livez,
    /// `GET /v0/status`.
    Status,
    /// `GET /v0/node-id`.
    NodeId,
    /// `POST /v0/tasks`.
    Submit,
    /// `GET /v0/tasks`.
    List,
    /// `GET /v0/tasks/{id}`.
    Get,
    /// `DELETE /v0/tasks/{id}`.
    Delete,
}

/// Whom a fault meets; what is not said matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    namespace: Option<String>,
    node: Option<String>,
    task_type: Option<String>,
}

/// A fault on the way to or from a sidecar.
#[derive(Debug, Clone)]
pub struct RequestFault {
    target: Target,
    op: Option<Op>,
    budget: Budget,
    action: RequestAction,
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestAction {
    /// It never arrives.
    Unreachable(TransportKind),
    /// It arrives and nobody answers; nothing is done.
    Hang,
    /// It is done and answered after this time.
    Delay(Duration),
    /// It is done; the answer is lost with the connection.
    LoseReply,
    /// Something else answers in the sidecar's place; nothing is done.
    Reply(RawReply),
    /// It is done, and the row that it reads is shown with this status word.
    SayStatus(String),
}

/// An answer, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawReply {
    /// The HTTP status code.
    pub status: u16,
    /// The `Content-Type`, if any.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// A fault in a task's run.
#[derive(Debug, Clone)]
pub struct TaskFault {
    target: Target,
    run: Option<u64>,
    budget: Budget,
    action: TaskAction,
}

/// What happens to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskAction {
    /// It fails with this text, after the time that such a task takes.
    Fail(String),
    /// It takes this long.
    Slow(Duration),
    /// It never ends.
    NeverEnd,
    /// It is accepted and then lost: later reads say 404.
    Forget,
}

/// How often a fault strikes; absent means always.
type Budget = Option<u32>;

/// All faults that are in force; the oldest that matches strikes.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    requests: VecDeque<RequestFault>,
    tasks: VecDeque<TaskFault>,
}

/// Who is struck: the node, and the task's type where the call is about a task.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Victim<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) node: &'a str,
    pub(crate) task_type: Option<&'a str>,
}

impl Target {
    /// Every task of every node.
    pub fn any() -> Self {
        Self::default()
    }

    /// This node.
    pub fn node(namespace: &str, node: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), node: Some(node.to_owned()), task_type: None }
    }

    /// Nodes of this namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    /// Only tasks of this type, and calls about such tasks.
    #[must_use]
    pub fn task(mut self, task_type: TaskType) -> Self {
        self.task_type = Some(task_type.as_str().to_owned());
        self
    }

    fn matches(&self, victim: Victim<'_>) -> bool {
        let fits = |want: &Option<String>, got: Option<&str>| {
            want.as_deref().is_none_or(|want| got == Some(want))
        };
        fits(&self.namespace, Some(victim.namespace))
            && fits(&self.node, Some(victim.node))
            && fits(&self.task_type, victim.task_type)
    }
}

impl RequestFault {
    /// A fault that strikes every call to `target`, always.
    pub fn new(target: Target, action: RequestAction) -> Self {
        Self { target, op: None, budget: None, action }
    }

    /// Only this call.
    #[must_use]
    pub fn on(mut self, op: Op) -> Self {
        self.op = Some(op);
        self
    }

    /// Only so many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.budget = Some(times);
        self
    }
}

impl RawReply {
    /// What the proxy in front of a sidecar answers: text with a line end.
    pub fn text(status: u16, body: &str) -> Self {
        let content_type = (!body.is_empty()).then(|| "text/plain; charset=utf-8".to_owned());
        let body = if body.is_empty() { String::new() } else { format!("{body}\n") };
        Self { status, content_type, body: body.into_bytes() }
    }

    /// What a sidecar answers: JSON with a line end.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        let content_type = Some("application/json".to_owned());
        Self { status, content_type, body: format!("{body}\n").into_bytes() }
    }
}

impl TaskFault {
    /// A fault that strikes every run of `target`, always.
    pub fn new(target: Target, action: TaskAction) -> Self {
        Self { target, run: None, budget: None, action }
    }

    /// Only this run of a task, from 1.
    #[must_use]
    pub fn run(mut self, run: u64) -> Self {
        self.run = Some(run);
        self
    }

    /// Only so many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.budget = Some(times);
        self
    }
}

impl Faults {
    pub(crate) fn add_request(&mut self, fault: RequestFault) {
        self.requests.push_back(fault);
    }

    pub(crate) fn add_task(&mut self, fault: TaskFault) {
        self.tasks.push_back(fault);
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The fault that strikes this call, one strike spent.
    pub(crate) fn strike_request(&mut self, op: Op, victim: Victim<'_>) -> Option<RequestAction> {
        let fault = self.requests.iter_mut().find(|fault| {
            fault.budget != Some(0)
                && fault.op.is_none_or(|want| want == op)
                && fault.target.matches(victim)
        })?;
        spend(&mut fault.budget);
        Some(fault.action.clone())
    }

    /// The fault that strikes this run, one strike spent.
    pub(crate) fn strike_task(&mut self, run: u64, victim: Victim<'_>) -> Option<TaskAction> {
        let fault = self.tasks.iter_mut().find(|fault| {
            fault.budget != Some(0)
                && fault.run.is_none_or(|want| want == run)
                && fault.target.matches(victim)
        })?;
        spend(&mut fault.budget);
        Some(fault.action.clone())
    }
}

fn spend(budget: &mut Budget) {
    if let Some(left) = budget {
        *left = left.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn victim<'a>(node: &'a str, task_type: Option<&'a str>) -> Victim<'a> {
        Victim { namespace: "sei", node, task_type }
    }

    #[test]
    fn faults_strike_whom_they_name_and_no_more_often_than_they_may() {
        let mut faults = Faults::default();
        let target = Target::node("sei", "a");
        faults.add_request(RequestFault::new(target, RequestAction::Hang).on(Op::Get).times(1));
        assert_eq!(faults.strike_request(Op::Get, victim("b", None)), None);
        assert_eq!(faults.strike_request(Op::Submit, victim("a", None)), None);
        assert_eq!(faults.strike_request(Op::Get, victim("a", None)), Some(RequestAction::Hang));
        assert_eq!(faults.strike_request(Op::Get, victim("a", None)), None);
    }

    #[test]
    fn task_faults_can_name_the_run() {
        let mut faults = Faults::default();
        let target = Target::any().in_namespace("sei").task(TaskType::ConfigApply);
        faults.add_task(TaskFault::new(target, TaskAction::NeverEnd).run(2));
        let apply = victim("a", Some("config-apply"));
        assert_eq!(faults.strike_task(1, apply), None);
        assert_eq!(faults.strike_task(2, victim("a", Some("mark-ready"))), None);
        assert_eq!(faults.strike_task(2, apply), Some(TaskAction::NeverEnd));
        faults.clear();
        assert_eq!(faults.strike_task(2, apply), None);
    }
}
