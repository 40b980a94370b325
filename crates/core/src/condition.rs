//! Conditions: set, keep, and when their transition time moves.
//!
//! **Invariant `conditions_stay`:** a condition once set is never removed; off is `False` with a
//! stable reason. The transition time moves only when the status does
//! (Kubernetes API conventions, "typical status properties").

use jiff::Timestamp;
use sei_api::condition::{Reason, Status, Type};
use sei_api::k8s;

/// What a condition is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Say {
    /// Is it so?
    pub status: Status,
    /// Out of the closed set.
    pub reason: Reason,
    /// For people.
    pub message: String,
}

impl Say {
    /// It is so.
    #[must_use]
    pub fn yes(reason: Reason, message: impl Into<String>) -> Self {
        Self { status: Status::True, reason, message: message.into() }
    }

    /// It is not so.
    #[must_use]
    pub fn no(reason: Reason, message: impl Into<String>) -> Self {
        Self { status: Status::False, reason, message: message.into() }
    }

    /// We cannot tell.
    #[must_use]
    pub fn unknown(reason: Reason, message: impl Into<String>) -> Self {
        Self { status: Status::Unknown, reason, message: message.into() }
    }
}

/// The conditions of one object while a status is computed.
#[derive(Debug)]
pub struct Conditions<'a> {
    /// The list in the status.
    pub list: &'a mut Vec<k8s::Condition>,
    /// The generation that the status speaks about.
    pub generation: i64,
    /// This pass's time.
    pub now: Timestamp,
}

impl Conditions<'_> {
    /// Lets condition `kind` say `say`; the transition time moves only when its status does.
    pub fn set(&mut self, kind: Type, say: Say) {
        let status = say.status.as_str();
        let Some(it) = self.list.iter_mut().find(|it| it.type_ == kind.as_str()) else {
            self.list.push(k8s::Condition {
                type_: kind.as_str().to_owned(),
                status: status.to_owned(),
                reason: say.reason.as_str().to_owned(),
                message: say.message,
                last_transition_time: k8s::Time(self.now),
                observed_generation: Some(self.generation),
            });
            return;
        };
        if it.status != status {
            status.clone_into(&mut it.status);
            it.last_transition_time = k8s::Time(self.now);
        }
        say.reason.as_str().clone_into(&mut it.reason);
        it.message = say.message;
        it.observed_generation = Some(self.generation);
    }

    /// Lets condition `kind` say `say` unless it already says something.
    pub fn seed(&mut self, kind: Type, say: Say) {
        match self.list.iter_mut().find(|it| it.type_ == kind.as_str()) {
            Some(it) => it.observed_generation = Some(self.generation),
            None => self.set(kind, say),
        }
    }
}

/// Undoes transitions that nobody saw: a status that left and came back within one pass has not
/// moved, so its time must not have either. `before` is what is stored.
pub fn keep_times(before: &[k8s::Condition], after: &mut [k8s::Condition]) {
    for it in after {
        let stored = before.iter().find(|old| old.type_ == it.type_);
        if let Some(stored) = stored.filter(|old| old.status == it.status) {
            it.last_transition_time = stored.last_transition_time.clone();
        }
    }
}

/// The condition of this type.
#[must_use]
pub fn find(list: &[k8s::Condition], kind: Type) -> Option<&k8s::Condition> {
    list.iter().find(|it| it.type_ == kind.as_str())
}

/// Is the condition of this type present and `True`?
#[must_use]
pub fn is_true(list: &[k8s::Condition], kind: Type) -> bool {
    find(list, kind).is_some_and(|it| it.status == Status::True.as_str())
}

#[cfg(test)]
mod tests;
