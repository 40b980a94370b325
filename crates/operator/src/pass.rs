//! One pass over one object: load, observe, decide, act, conclude, commit, announce. Once, for all
//! kinds; no branch in it knows the domain.
//!
//! **Invariant `one_status_write`:** at most one status patch in a logical pass, always with the
//! resourceVersion that was loaded, none when nothing changed. A pass that failed writes its
//! status too: the error is part of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sei_api::k8s;
use sei_core::decision::{Requeue, Urgency};
use sei_core::effect::{Effect, Outcome};
use sei_core::fault::Fault;
use sei_core::notice::Notice;

use crate::act::act;
use crate::cluster::Key;
use crate::cluster::fault::ApiFault;
use crate::cluster::write::Writer;
use crate::context::Context;
use crate::kind::{Kind, Written};

mod diff;
mod drafts;
mod load;

use diff::diff;
use drafts::{Draft, Drafts};
use load::{Loaded, load};

/// Rounds in one logical pass: enough for every plan to run through, and a bound for what an
/// object that never comes to rest may cost before others have their turn.
const ROUNDS_MAX: u32 = 64;

/// Logical passes in a row over what the last write returned.
const PASSES_MAX: u32 = 8;

/// What the passes of one kind share.
#[derive(Debug)]
pub struct Shell<K: Kind> {
    /// What all kinds share.
    pub context: Arc<Context>,
    drafts: Drafts<K::Status>,
}

/// How a pass ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The object's UID, where there was one.
    pub uid: Option<String>,
    /// When it is passed again.
    pub next: Next,
}

/// When an object is passed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// At once: there is more to do.
    Now,
    /// After this long, unless a watch event comes first.
    After(Duration),
    /// Only when a watch event comes.
    Never,
    /// After the object's own growing pause: something failed.
    Backoff,
    /// After a short, growing pause: somebody else wrote first.
    Conflict,
    /// When the cache has seen our own last write.
    Stale,
    /// Never: it is gone.
    Gone,
}

impl<K: Kind> Shell<K> {
    /// A shell in `context`.
    #[must_use]
    pub fn new(context: Arc<Context>) -> Self {
        Self { context, drafts: Drafts::default() }
    }

    /// One pass over `key`, and further ones over what the writes returned, as long as a stored
    /// plan may begin.
    pub async fn pass(&self, key: &Key) -> End {
        let mut object = match load::<K>(&self.context, key).await {
            Loaded::Here(object) => object,
            Loaded::Absent => {
                self.forget(key);
                return End { uid: None, next: Next::Gone };
            }
            Loaded::Stale => return End { uid: None, next: Next::Stale },
            Loaded::Conflict => return End { uid: None, next: Next::Conflict },
            Loaded::Failed(fault) => return failed::<K>(key, None, fault),
        };
        for _ in 0..PASSES_MAX {
            match self.logical_pass(key, &object).await {
                Step::Pass(stored) => object = stored,
                Step::End(next) => return End { uid: uid::<K>(&object), next },
                Step::Failed(fault) => return failed::<K>(key, uid::<K>(&object), fault),
            }
        }
        End { uid: uid::<K>(&object), next: Next::Now }
    }

    /// Rounds over `object` until it rests, then one commit.
    async fn logical_pass(&self, key: &Key, object: &Arc<K::Object>) -> Step<K> {
        let env = self.context.env();
        let base = K::status(object).cloned().unwrap_or_default();
        let mut draft = self.drafts.take(key, &base);
        if let Some((before, after)) = draft.done_after_all(&base) {
            let written = Written { before: &before, after: &after, env };
            draft.notices.extend(self.written(object, written));
        }
        let mut status = draft.change.take().map_or_else(|| base.clone(), |(_, status)| status);
        let mut requeue = Requeue::Again;
        for _ in 0..ROUNDS_MAX {
            let needs = K::needs(object, &status, env);
            let observed = K::observe(&self.context, object, needs).await;
            let decision = K::decide(object, &status, &observed, env);
            let outcomes = act::<K>(&self.context, object, &decision.effects).await;
            if is_released(&decision.effects, &outcomes) {
                self.publish(object, draft.notices);
                self.forget(key);
                return Step::End(Next::Gone);
            }
            let concluded = K::conclude((object, &status), &observed, env, (decision, &outcomes));
            status = concluded.status;
            draft.notices.extend(concluded.notices);
            requeue = concluded.requeue;
            if requeue != Requeue::Again {
                break;
            }
        }
        K::keep_times(&base, &mut status);
        draft.change = Some((base, status));
        self.settle(key, object, (draft, requeue)).await
    }

    /// Stores what was found, now or with the object's next write.
    async fn settle(
        &self,
        key: &Key,
        object: &Arc<K::Object>,
        (mut draft, requeue): (Draft<K::Status>, Requeue),
    ) -> Step<K> {
        let Some((base, status)) = draft.change.take() else { return next_of(requeue, None) };
        let patience = self.context.tempo.mark_delay.saturating_sub(draft.since.elapsed());
        match K::urgency(&base, &status) {
            Urgency::None => {
                self.publish(object, draft.notices);
                next_of(requeue, Some(object))
            }
            Urgency::Mark if may_wait(requeue, patience) => {
                draft.change = Some((base, status));
                self.drafts.keep(key, draft);
                next_of(requeue.sooner(Requeue::After(patience)), None)
            }
            Urgency::Mark | Urgency::Now => {
                let stored = match self.commit(key, object, (&base, &status)).await {
                    Ok(stored) => Arc::new(stored),
                    Err(fault) => {
                        if matches!(fault, ApiFault::Unavailable(_)) {
                            draft.doubt(base, status);
                        }
                        return self.uncommitted(key, draft, fault);
                    }
                };
                let written = Written { before: &base, after: &status, env: self.context.env() };
                let mut notices = self.written(object, written);
                notices.extend(draft.notices);
                self.publish(object, notices);
                next_of(requeue, Some(&stored))
            }
        }
    }

    /// What is to be counted and told of a status that is stored.
    fn written(&self, object: &K::Object, written: Written<'_, K::Status>) -> Vec<Notice> {
        K::count(&self.context, object, written);
        K::notices(object, written)
    }

    /// The one status write.
    async fn commit(
        &self,
        key: &Key,
        object: &K::Object,
        (base, status): (&K::Status, &K::Status),
    ) -> Result<K::Object, ApiFault> {
        let value = |status: &K::Status| {
            serde_json::to_value(status).map_err(|error| ApiFault::Invalid(error.to_string()))
        };
        // A status that was never stored lacks also the members that a fresh one would write.
        let before = match K::status(object) {
            Some(_) => value(base)?,
            None => serde_json::json!({}),
        };
        let patch = diff(&before, &value(status)?).unwrap_or_else(|| serde_json::json!({}));
        let writer = Writer {
            client: &self.context.client.0,
            limits: &self.context.limits,
            store: K::store(&self.context.stores),
            manager: K::MANAGER,
        };
        let version = k8s::Resource::meta(object).resource_version.as_deref().unwrap_or_default();
        writer.patch_status(key, patch, version).await
    }

    /// The status is lost, and will be found again; what has happened is still to be told, and so
    /// is the status if the next load shows that it was stored after all.
    fn uncommitted(&self, key: &Key, draft: Draft<K::Status>, fault: ApiFault) -> Step<K> {
        match fault {
            ApiFault::NotFound => {
                self.forget(key);
                Step::End(Next::Gone)
            }
            ApiFault::Conflict => {
                self.drafts.keep(key, draft);
                Step::End(Next::Conflict)
            }
            other => {
                self.drafts.keep(key, draft);
                Step::Failed(other.of_write(&format!("status of {} \"{}\"", K::KIND, key.name)))
            }
        }
    }

    fn publish(&self, object: &K::Object, notices: Vec<Notice>) {
        if notices.is_empty() {
            return;
        }
        let meta = k8s::Resource::meta(object);
        let regarding = k8s::ObjectReference {
            api_version: Some(sei_api::API_VERSION.to_owned()),
            kind: Some(K::KIND.to_owned()),
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
            uid: meta.uid.clone(),
            resource_version: meta.resource_version.clone(),
            field_path: None,
        };
        // A status that was found twice, because it could not be stored, is told once.
        let mut told = BTreeSet::new();
        for notice in notices.iter().filter(|it| told.insert((it.reason, &it.message))) {
            self.context.recorder.publish(K::CONTROLLER, &regarding, notice);
        }
    }

    fn forget(&self, key: &Key) {
        self.drafts.forget(key);
        K::forget(&self.context, key);
    }
}

/// What follows a logical pass.
enum Step<K: Kind> {
    /// Another one, over this.
    Pass(Arc<K::Object>),
    /// Nothing for now.
    End(Next),
    /// Nothing for now: it could not be stored.
    Failed(Fault),
}

/// `stored` is the object as the API server has it now.
fn next_of<K: Kind>(requeue: Requeue, stored: Option<&Arc<K::Object>>) -> Step<K> {
    match (requeue, stored) {
        (Requeue::NextPass, Some(stored)) => Step::Pass(Arc::clone(stored)),
        (Requeue::NextPass | Requeue::Again, _) => Step::End(Next::Now),
        (Requeue::After(delay), _) => Step::End(Next::After(delay)),
        (Requeue::Backoff, _) => Step::End(Next::Backoff),
        (Requeue::Never, _) => Step::End(Next::Never),
    }
}

/// A mark may wait, but not beyond its patience, not before a pass that needs it stored, and not
/// when it tells of a failure.
fn may_wait(requeue: Requeue, patience: Duration) -> bool {
    let needed = matches!(requeue, Requeue::NextPass | Requeue::Again | Requeue::Backoff);
    !patience.is_zero() && !needed
}

/// Was our finalizer removed? Then the object may be gone, and its status is nobody's business.
fn is_released(effects: &[Effect], outcomes: &[Outcome]) -> bool {
    let done = effects.iter().zip(outcomes);
    done.into_iter().any(|(effect, outcome)| {
        *effect == Effect::RemoveFinalizer && matches!(outcome, Outcome::Done { .. })
    })
}

fn uid<K: Kind>(object: &K::Object) -> Option<String> {
    k8s::Resource::meta(object).uid.clone()
}

fn failed<K: Kind>(key: &Key, uid: Option<String>, fault: Fault) -> End {
    tracing::warn!(kind = K::KIND, object = %key, %fault, "pass failed");
    End { uid, next: Next::Backoff }
}

#[cfg(test)]
mod tests;
