//! What one round of a pass chose: the status it leads to, what to do for it, when to look again.

use std::time::Duration;

use crate::effect::Effect;
use crate::notice::Notice;

/// One round's choice.
///
/// Flow: the shell performs `effects` (they are independent of each other, so it may do so side by
/// side; an order between writes is expressed by rounds), then hands the outcomes to `conclude` of
/// the kind, which answers with a [`Conclusion`].
#[must_use]
#[derive(Clone, Debug)]
pub struct Decision<S> {
    /// The status if every effect succeeds; the only one when there are none.
    pub status: S,
    /// What to do, in any order.
    pub effects: Vec<Effect>,
    /// When to run again if every effect succeeds.
    pub requeue: Requeue,
    /// What to tell people once the status is stored.
    pub notices: Vec<Notice>,
}

impl<S> Decision<S> {
    /// A choice without effects.
    pub fn rest(status: S, requeue: Requeue) -> Self {
        Self { status, effects: Vec::new(), requeue, notices: Vec::new() }
    }

    /// The same choice, telling people `notices` too.
    pub fn telling(mut self, notices: impl IntoIterator<Item = Notice>) -> Self {
        self.notices.extend(notices);
        self
    }
}

/// A round after its effects: what is true now and when to look again.
#[must_use]
#[derive(Clone, Debug)]
pub struct Conclusion<S> {
    /// What the status says now.
    pub status: S,
    /// When to run again.
    pub requeue: Requeue,
    /// What to tell people once the status is stored.
    pub notices: Vec<Notice>,
}

/// When to run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requeue {
    /// Another round of this pass, with fresh observations.
    Again,
    /// Store the status now, then a new pass at once: a plan was stored and may begin.
    NextPass,
    /// After this long, unless a watch event comes first.
    After(Duration),
    /// After the object's own growing back-off: something failed.
    Backoff,
    /// Only when a watch event comes.
    Never,
}

impl Requeue {
    /// The earlier of two wishes; `Again` and `NextPass` come before every delay.
    #[must_use]
    pub fn sooner(self, other: Self) -> Self {
        fn rank(wish: Requeue) -> (u8, Duration) {
            match wish {
                Requeue::Again => (0, Duration::ZERO),
                Requeue::NextPass => (1, Duration::ZERO),
                Requeue::After(delay) => (2, delay),
                Requeue::Backoff => (3, Duration::ZERO),
                Requeue::Never => (4, Duration::ZERO),
            }
        }
        if rank(other) < rank(self) { other } else { self }
    }
}

/// How soon a changed status has to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Nothing changed: no write.
    None,
    /// Only marks that unblock nothing: may wait for the object's next write.
    Mark,
    /// Store it in this pass.
    Now,
}

impl Urgency {
    /// How soon `after` has to be stored over `before`; `unmarked` is a status without what may
    /// wait.
    pub(crate) fn of<S: PartialEq>(before: &S, after: &S, unmarked: impl Fn(&S) -> S) -> Self {
        if before == after {
            Self::None
        } else if unmarked(before) == unmarked(after) {
            Self::Mark
        } else {
            Self::Now
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sooner_of_two_wishes_wins_in_any_order() {
        let wishes = [
            Requeue::Again,
            Requeue::NextPass,
            Requeue::After(Duration::from_secs(1)),
            Requeue::After(Duration::from_secs(2)),
            Requeue::Backoff,
            Requeue::Never,
        ];
        for (at, sooner) in wishes.iter().enumerate() {
            for later in &wishes[at..] {
                assert_eq!(sooner.sooner(*later), *sooner);
                assert_eq!(later.sooner(*sooner), *sooner);
            }
        }
    }
}
