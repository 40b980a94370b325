//! What a kind brings to the pass: its types, its names, and its pure functions.

use std::fmt::Debug;
use std::future::Future;

use sei_core::decision::{Conclusion, Decision, Urgency};
use sei_core::effect::Outcome;
use sei_core::node::Env;
use sei_core::notice::Notice;
use serde::Serialize;

use crate::cluster::Object;
use crate::cluster::store::Store;
use crate::cluster::stores::Stores;
use crate::context::Context;
use crate::controller::Controller;

/// Binds an API type to its half of the brain. Implementations forward; they choose nothing.
pub trait Kind: Debug + Send + Sync + 'static {
    /// The API type.
    type Object: Object;
    /// Its status.
    type Status: Clone + Debug + Default + PartialEq + Serialize + Send + Sync + 'static;
    /// Reads of a round.
    type Needs: Send;
    /// What a round has read.
    type Observed: Send + Sync;

    /// Its controller.
    const CONTROLLER: Controller;
    /// What the API calls it.
    const KIND: &'static str;
    /// Our finalizer on it.
    const FINALIZER: &'static str;
    /// Who we say we are when we write for it.
    const MANAGER: &'static str;

    /// Where its objects are cached.
    fn store(stores: &Stores) -> &Store<Self::Object>;

    /// Its status as it is stored.
    fn status(object: &Self::Object) -> Option<&Self::Status>;

    /// Which reads the next round asks for.
    fn needs(object: &Self::Object, status: &Self::Status, env: Env<'_>) -> Self::Needs;

    /// Does exactly those reads; failures are values.
    fn observe(
        context: &Context,
        object: &Self::Object,
        needs: Self::Needs,
    ) -> impl Future<Output = Self::Observed> + Send;

    /// What the object needs now.
    fn decide(
        object: &Self::Object,
        status: &Self::Status,
        observed: &Self::Observed,
        env: Env<'_>,
    ) -> Decision<Self::Status>;

    /// The status after the effects of a decision that was taken on `subject`.
    fn conclude(
        subject: (&Self::Object, &Self::Status),
        observed: &Self::Observed,
        env: Env<'_>,
        acted: (Decision<Self::Status>, &[Outcome]),
    ) -> Conclusion<Self::Status>;

    /// Gives conditions that came back to what is stored their time back.
    fn keep_times(before: &Self::Status, after: &mut Self::Status);

    /// How soon a changed status has to be stored.
    fn urgency(before: &Self::Status, after: &Self::Status) -> Urgency;

    /// What people hear after a commit.
    fn notices(object: &Self::Object, change: Written<'_, Self::Status>) -> Vec<Notice>;

    /// What is counted after a commit.
    fn count(context: &Context, object: &Self::Object, change: Written<'_, Self::Status>);

    /// The object is gone: what the shell remembers of it goes too.
    fn forget(context: &Context, key: &crate::cluster::Key);
}

/// A status write that succeeded.
#[derive(Debug)]
pub struct Written<'a, S> {
    /// The status as it was loaded.
    pub before: &'a S,
    /// The status as it is stored now.
    pub after: &'a S,
    /// What does not change while the operator runs.
    pub env: Env<'a>,
}

impl<S> Clone for Written<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Written<'_, S> {}
