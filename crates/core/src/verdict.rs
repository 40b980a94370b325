//! One word on an object, from which its three kstatus conditions follow, and the warning that a
//! refusal deserves.
//!
//! `Ready`, `Reconciling` and `Stalled` follow kstatus, so that `kubectl wait` and GitOps tools
//! understand our objects without knowing them.

use sei_api::condition::{Reason, Status, Type};
use sei_api::{event, k8s};

use crate::condition::{Conditions, Say, find};
use crate::notice::Notice;

/// How an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is what its spec asks for, and serves.
    Ready(String),
    /// There is nothing for us to do, and still it does not serve.
    Waiting(Reason, String),
    /// Work towards the spec is in progress.
    Working(Reason, String),
    /// Work waits until its pause ends.
    Paused(String),
    /// Nothing moves without help.
    Stalled(Reason, String),
}

impl Verdict {
    /// Lets the three conditions say it.
    pub fn tell(self, conditions: &mut Conditions<'_>) {
        let (ready, reconciling, stalled) = self.says();
        conditions.set(Type::Ready, ready);
        conditions.set(Type::Reconciling, reconciling);
        conditions.set(Type::Stalled, stalled);
    }

    fn says(self) -> (Say, Say, Say) {
        let settled = || Say::no(Reason::Settled, "nothing is left to do");
        let moving = || Say::no(Reason::Progressing, "work is in progress");
        match self {
            Self::Ready(message) => (Say::yes(Reason::Ready, message), settled(), settled()),
            Self::Waiting(reason, message) => (Say::no(reason, message), settled(), settled()),
            Self::Working(reason, message) => {
                (Say::no(reason, message.clone()), Say::yes(reason, message), moving())
            }
            Self::Paused(message) => {
                let waits = || Say::no(Reason::Paused, message.clone());
                (waits(), waits(), waits())
            }
            Self::Stalled(reason, message) => {
                let retrying = Say::no(Reason::Retrying, "stalled; see condition Stalled");
                (Say::no(reason, message.clone()), retrying, Say::yes(reason, message))
            }
        }
    }
}

/// What condition `Paused` says.
#[must_use]
pub fn pause(paused: bool) -> Say {
    if paused {
        Say::yes(Reason::Paused, "spec.paused is true: nothing is changed, what runs goes on")
    } else {
        Say::no(Reason::NotPaused, "spec.paused is false")
    }
}

/// The warning about a refusal that `after` says and `before` did not.
///
/// A spec is refused for what it is: its `generation` tells one from the next. An object of
/// somebody else may go and come back under the same spec.
#[must_use]
pub fn refusal(
    before: &[k8s::Condition],
    after: &[k8s::Condition],
    generation: i64,
) -> Option<Notice> {
    let stalled = find(after, Type::Stalled).filter(|it| it.status == Status::True.as_str())?;
    let reason = match Reason::from_word(&stalled.reason)? {
        Reason::NotSupportedYet => event::Reason::NotSupportedYet,
        Reason::InvalidSpec => event::Reason::InvalidSpec,
        Reason::ForeignObject => event::Reason::ForeignObject,
        _ => return None,
    };
    let same = find(before, Type::Stalled).is_some_and(|it| {
        it.status == stalled.status && it.reason == stalled.reason && it.message == stalled.message
    });
    let since = match reason {
        event::Reason::ForeignObject => stalled.last_transition_time.0.to_string(),
        _ => String::new(),
    };
    let discriminator = format!("{generation}/{since}/{}", stalled.message);
    (!same).then(|| Notice::warning(reason, stalled.message.clone(), &discriminator))
}
