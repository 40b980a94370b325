//! Why a node does not come up or serve: one reason out of a closed set, and what to do about it.
//!
//! Everything that is wrong at the same time is looked at; told is the cause that explains the
//! others ([`PRECEDENCE`]). A message stays the same as long as its cause does: it holds the time
//! since when, never a count of attempts, and the words of kubelet and scheduler without what
//! varies in them ([`words`]).

mod container;
mod host;
mod pod;
mod sidecar;
mod words;

use jiff::Timestamp;
use sei_api::condition::{Reason, Type};
use sei_api::{PlanPhase, SeiNode, SeiNodeStatus, TaskPlan, event, k8s};
use sei_sidecar_api::TaskType;

use crate::condition::find;
use crate::node::decide::Round;
use crate::node::{Pods, name};
use crate::notice::Notice;
use crate::ownership::controller;
use crate::verdict::Verdict;

pub use host::suspect;

/// Which of several causes is told: the first, because it explains those after it.
///
/// A machine that is gone lets no pod end; a pod that does not end keeps the next from being made;
/// without a volume or a machine nothing starts; without its image no container runs; without its
/// containers the sidecar neither answers nor works.
pub(super) const PRECEDENCE: [(Reason, event::Reason); 13] = [
    (Reason::NodeUnreachable, event::Reason::NodeUnreachable),
    (Reason::PodTerminating, event::Reason::PodTerminating),
    (Reason::PodNotCreated, event::Reason::PodNotCreated),
    (Reason::VolumeNotBound, event::Reason::VolumeNotBound),
    (Reason::Unschedulable, event::Reason::Unschedulable),
    (Reason::PodNotStarted, event::Reason::PodNotStarted),
    (Reason::InvalidImage, event::Reason::InvalidImage),
    (Reason::ImagePullFailed, event::Reason::ImagePullFailed),
    (Reason::ContainerStartFailed, event::Reason::ContainerStartFailed),
    (Reason::OomKilled, event::Reason::OomKilled),
    (Reason::CrashLoop, event::Reason::CrashLoop),
    (Reason::SidecarTaskFailed, event::Reason::SidecarTaskFailed),
    (Reason::SidecarUnreachable, event::Reason::SidecarUnreachable),
];

/// What keeps a node from getting on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cause {
    /// Out of [`PRECEDENCE`].
    pub(super) reason: Reason,
    /// Does nothing move without a person?
    pub(super) needs_help: bool,
    /// Which object fails at what.
    what: String,
    /// Since when, as far as it can be told.
    since: Option<Timestamp>,
    /// What is wrong, in our words; may be empty.
    because: String,
    /// In the words of others, stable from one attempt to the next; may be empty.
    said: String,
    /// What a person does next.
    next: String,
}

/// The cause that is told of `status`, which this round leads to; none if nothing is wrong.
pub(super) fn find_cause(round: Round<'_>, status: &SeiNodeStatus) -> Option<Cause> {
    let mut causes = pod::causes(round);
    causes.extend(sidecar::causes(round, status));
    causes.into_iter().min_by_key(|it| rank(it.reason))
}

/// What keeps the node's pod from running, in words; none if nothing does.
pub(super) fn of_pod(round: Round<'_>) -> Option<String> {
    let cause = pod::causes(round).into_iter().min_by_key(|it| rank(it.reason))?;
    Some(cause.message(round.before))
}

/// Why a plan failed, in one word.
pub(super) fn of_failure(plan: &TaskPlan) -> Reason {
    let task = plan.failed_task_detail.as_ref().map(|it| it.type_.parse::<TaskType>());
    if matches!(task, Some(Ok(_))) { Reason::SidecarTaskFailed } else { Reason::PlanFailed }
}

/// The warning about a cause that `after` tells and `before` did not.
///
/// Its name follows from the message, which holds since when: the same trouble is told once, also
/// when it comes and goes between attempts. Of a task that fails, it follows from the task: after
/// another trouble nobody knows any more when it first failed.
pub(super) fn notice(before: &SeiNodeStatus, after: &SeiNodeStatus) -> Option<Notice> {
    let (was, is) = (find(&before.conditions, Type::Ready), find(&after.conditions, Type::Ready)?);
    let (_, told) = PRECEDENCE.into_iter().find(|(reason, _)| reason.as_str() == is.reason)?;
    // What a failed plan deserves is told with its failure.
    let failed = after.plan.as_ref().is_some_and(|it| it.phase == PlanPhase::Failed);
    let same = failed || was.is_some_and(|it| it.reason == is.reason);
    let task = sidecar::task_id(after).filter(|_| told == event::Reason::SidecarTaskFailed);
    (!same).then(|| Notice::warning(told, is.message.clone(), task.unwrap_or(&is.message)))
}

impl Cause {
    /// What the conditions say of it, after what `before` said.
    pub(super) fn verdict(&self, before: &SeiNodeStatus) -> Verdict {
        let message = self.message(before);
        if self.needs_help {
            Verdict::Stalled(self.reason, message)
        } else {
            Verdict::Working(self.reason, message)
        }
    }

    /// A kubelet that only says that it waits before the next attempt keeps what it said of the
    /// last one.
    fn message(&self, before: &SeiNodeStatus) -> String {
        let since = self.told_since(before).or(self.since);
        let since = since.map(|it| format!(" since {it}")).unwrap_or_default();
        let head = format!("{}{since}{}", self.what, after_colon(&self.because));
        let said = if self.said.is_empty() { self.told(before, &head) } else { Some(&*self.said) };
        format!("{head}{}; {}", after_colon(said.unwrap_or_default()), self.next)
    }

    /// Since when a loop was told. A pod may be ready for a moment before each crash, and then the
    /// kubelet's own times begin anew; of a task only its newest attempt is stored.
    fn told_since(&self, before: &SeiNodeStatus) -> Option<Timestamp> {
        let told = find(&before.conditions, Type::Ready)?;
        let loops = [Reason::CrashLoop, Reason::OomKilled, Reason::SidecarTaskFailed];
        if !loops.contains(&self.reason) || told.reason != self.reason.as_str() {
            return None;
        }
        let since = told.message.strip_prefix(&*self.what)?.strip_prefix(" since ")?;
        since.split(' ').next()?.trim_end_matches([':', ';']).parse().ok()
    }

    /// What the message of this head said before.
    fn told<'a>(&self, before: &'a SeiNodeStatus, head: &str) -> Option<&'a str> {
        let told = find(&before.conditions, Type::Ready)?.message.as_str();
        let more = told.strip_prefix(head)?.strip_prefix(": ")?;
        more.strip_suffix(&self.next)?.strip_suffix("; ")
    }
}

fn after_colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

fn rank(reason: Reason) -> usize {
    PRECEDENCE.iter().position(|(it, _)| *it == reason).unwrap_or(PRECEDENCE.len())
}

/// The pods that a StatefulSet of the node's name made, whatever its UID: also one of a predecessor
/// holds the name that the next pod needs.
fn pods_of<'a>(node: &'a SeiNode, pods: &'a Pods) -> impl Iterator<Item = &'a k8s::Pod> {
    let known = match pods {
        Pods::Known(pods) => pods.as_slice(),
        Pods::Unconfirmed | Pods::Unreadable(_) => &[],
    };
    let ours = |pod: &&k8s::Pod| {
        let owner = controller(&pod.metadata);
        owner.is_some_and(|it| it.kind == "StatefulSet" && it.name == name(node))
    };
    known.iter().map(AsRef::as_ref).filter(ours)
}

/// The pod's condition of this type.
fn condition<'a>(pod: &'a k8s::Pod, kind: &str) -> Option<&'a k8s::PodCondition> {
    pod.status.as_ref()?.conditions.iter().flatten().find(|it| it.type_ == kind)
}

/// Does the pod's condition of this type say so?
fn says(pod: &k8s::Pod, kind: &str, status: &str) -> bool {
    condition(pod, kind).is_some_and(|it| it.status == status)
}

/// When the pod's condition of this type last changed.
fn changed_at(pod: &k8s::Pod, kind: &str) -> Option<Timestamp> {
    condition(pod, kind)?.last_transition_time.as_ref().map(|it| it.0)
}

/// Since when the pod does not serve: it was ready until then, or made then.
fn unready_since(pod: &k8s::Pod) -> Option<Timestamp> {
    let made = pod.metadata.creation_timestamp.as_ref().map(|it| it.0);
    let started = pod.status.as_ref().and_then(|it| it.start_time.as_ref()).map(|it| it.0);
    changed_at(pod, "Ready").or(started).or(made)
}

/// Is `since` longer ago than `patience`? A time that cannot be told is.
fn is_over(since: Option<Timestamp>, patience: std::time::Duration, now: Timestamp) -> bool {
    since.is_none_or(|since| since.checked_add(patience).is_ok_and(|end| end <= now))
}

/// A name for messages.
fn name_of(meta: &k8s::ObjectMeta) -> &str {
    meta.name.as_deref().unwrap_or_default()
}
