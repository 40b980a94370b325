//! One watch of one kind: lists, follows, and starts again by itself, for ever.
//!
//! Why not the watcher of the library: it hides bookmarks and reconnects, so that nobody can tell a
//! quiet kind from a dead connection; it repeats a watch whose start is answered 410 from the same
//! resourceVersion for ever; its LIST has no time limit.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use kube::Api;
use kube::api::{ListParams, WatchEvent, WatchParams};
use sei_api::k8s;
use tokio::time::{Instant, timeout};

use super::guarded::Guarded;
use super::store::{Change, Listed, Presence, Store};
use super::{Key, Object};
use crate::backoff::Backoff;
use crate::ids::Ids;
use crate::limits::Limits;
use crate::metrics::Metrics;

/// A watch before it runs.
pub struct Watch<K> {
    /// What it fills.
    pub store: Arc<Store<K>>,
    /// What it asks.
    pub api: Api<Guarded<K>>,
    /// Which objects; `None` for all.
    pub selector: Option<&'static str>,
    /// Whether the cluster may lack the kind.
    pub need: Need,
    /// Time limits and back-off; the back-off is this watch's own.
    pub limits: Limits,
    /// Jitter of the back-off.
    pub ids: Ids,
    /// Counts restarts and undecodable objects.
    pub metrics: Arc<Metrics>,
}

/// May the cluster lack a kind?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// No: without it nothing works.
    Required,
    /// Yes: it may be installed later, and removed again.
    Optional,
}

/// Why there is no listing.
#[derive(Debug)]
enum Unlisted {
    /// The API server does not know the kind.
    Missing,
    /// The API server answered, with something else.
    Refused(String),
    /// It did not answer.
    Failed(String),
}

/// Why a connection ended.
#[derive(Debug)]
enum End {
    /// The server closed it after its time.
    Clean,
    /// The history from here on is gone, or the kind is: list again.
    Expired,
    /// Something else.
    Failed(String),
}

/// A server that refuses to start a watch this often in a row is asked for a listing instead: its
/// history may be shorter than our resourceVersion, whatever it answers.
const STARTS_MAX: u32 = 3;

/// Objects in one page of a listing: a page is held as text and decoded at once, which of the usual
/// 500 nodes would be more than all that is kept of them.
const PAGE_OBJECTS: u32 = 100;

/// A connection that ends sooner without a word has not worked.
const LIFE_MIN: Duration = Duration::from_secs(1);

impl<K: Object> Watch<K> {
    /// Fills the store and calls `changed` for every change, after the store has it, and `turned`
    /// after the first listing and whenever the kind comes or goes. Runs until it is dropped.
    pub async fn run(
        self,
        mut turned: impl FnMut() + Send,
        changed: impl Fn(&Change<K>) + Send + Sync,
    ) {
        let mut backoff =
            Backoff::new(self.limits.watch_backoff_first, self.limits.watch_backoff_max);
        loop {
            match self.list().await {
                Ok((listed, version)) => {
                    self.store.heard();
                    let before = self.store.presence();
                    let changes = self.store.replace(listed, &version);
                    changes.iter().for_each(&changed);
                    if before != Presence::Served {
                        tracing::debug!(kind = self.store.kind(), "store is complete");
                        turned();
                    }
                    self.follow(version, &mut backoff, &changed).await;
                }
                Err(Unlisted::Missing) if self.need == Need::Optional => {
                    self.store.heard();
                    let before = self.store.presence();
                    let changes = self.store.missing();
                    changes.iter().for_each(&changed);
                    if before != Presence::Missing {
                        tracing::info!(kind = self.store.kind(), "the cluster has no such kind");
                        turned();
                    }
                    tokio::time::sleep(self.limits.absent_kind_poll).await;
                }
                Err(why) => {
                    if self.need == Need::Optional && self.store.presence() == Presence::Unknown {
                        self.store.failed();
                        turned();
                    }
                    // A refusal of what the operator can do without is no reason to restart it.
                    let answered = !matches!(why, Unlisted::Failed(_));
                    if answered && self.need == Need::Optional {
                        self.store.heard();
                    }
                    self.pause(&mut backoff, &why.to_string()).await;
                }
            }
        }
    }

    /// Every object, and the resourceVersion at which that was so.
    async fn list(&self) -> Result<(Vec<Listed<K>>, String), Unlisted> {
        let mut params = ListParams::default().limit(PAGE_OBJECTS);
        params.label_selector = self.selector.map(str::to_owned);
        let mut listed = Vec::new();
        loop {
            let page = timeout(self.limits.request_timeout, self.api.list(&params))
                .await
                .map_err(|_| Unlisted::Failed("no answer to a listing in time".to_owned()))?
                .map_err(Unlisted::of)?;
            listed.extend(page.items.into_iter().map(|item| self.listed(item)));
            let version = page.metadata.resource_version.filter(|it| !it.is_empty());
            params.continue_token = page.metadata.continue_.filter(|it| !it.is_empty());
            if params.continue_token.is_none() {
                let nothing = || Unlisted::Failed("a listing without resourceVersion".to_owned());
                let version = version.ok_or_else(nothing)?;
                return Ok((listed, version));
            }
        }
    }

    fn listed(&self, item: Guarded<K>) -> Listed<K> {
        match self.decoded(item) {
            Ok(object) => Listed::Here(object),
            Err(meta) => Listed::Undecodable(Key::of(&meta)),
        }
    }

    /// Follows the changes after `version` until a listing is due.
    async fn follow(
        &self,
        mut version: String,
        backoff: &mut Backoff,
        changed: &(impl Fn(&Change<K>) + Send + Sync),
    ) {
        let mut failed_starts = 0;
        loop {
            let (began, from) = (Instant::now(), version.clone());
            let end = self.connection(&mut version, changed).await;
            let worked = version != from || began.elapsed() >= LIFE_MIN;
            if worked {
                backoff.reset();
                failed_starts = 0;
            }
            let why = match end {
                End::Clean if worked => continue,
                End::Expired if worked => return,
                End::Clean => "the API server closed the watch at once".to_owned(),
                End::Expired => "the API server no longer knows its newest listing".to_owned(),
                End::Failed(ref why) => why.clone(),
            };
            failed_starts += 1;
            self.pause(backoff, &why).await;
            if failed_starts >= STARTS_MAX || matches!(end, End::Expired) {
                return;
            }
        }
    }

    /// One connection, from `version` on; moves `version` with what it hears.
    async fn connection(
        &self,
        version: &mut String,
        changed: &(impl Fn(&Change<K>) + Send + Sync),
    ) -> End {
        let params = WatchParams {
            label_selector: self.selector.map(str::to_owned),
            timeout: u32::try_from(self.limits.watch_timeout.as_secs().max(1)).ok(),
            bookmarks: true,
            ..WatchParams::default()
        };
        let started = timeout(self.limits.request_timeout, self.api.watch(&params, version)).await;
        let mut stream = match started {
            Ok(Ok(stream)) => std::pin::pin!(stream),
            Ok(Err(error)) => return end_of(error),
            Err(_) => return End::Failed("the API server did not start a watch in time".into()),
        };
        self.store.heard();
        let silence = self.limits.watch_timeout + self.limits.watch_grace;
        loop {
            let event = match timeout(silence, stream.try_next()).await {
                Ok(Ok(Some(event))) => event,
                Ok(Ok(None)) => return End::Clean,
                Ok(Err(error)) => return end_of(error),
                Err(_) => return End::Failed("the connection of a watch was silent".to_owned()),
            };
            self.store.heard();
            match self.event(event, version) {
                Ok(changes) => changes.iter().for_each(changed),
                Err(end) => return end,
            }
        }
    }

    fn event(
        &self,
        event: WatchEvent<Guarded<K>>,
        version: &mut String,
    ) -> Result<Vec<Change<K>>, End> {
        let (item, gone) = match event {
            WatchEvent::Added(item) | WatchEvent::Modified(item) => (item, false),
            WatchEvent::Deleted(item) => (item, true),
            WatchEvent::Bookmark(mark) => {
                *version = mark.metadata.resource_version;
                return Ok(self.store.bookmark(version));
            }
            WatchEvent::Error(status) if status.code == GONE => return Err(End::Expired),
            WatchEvent::Error(status) => return Err(End::Failed(status.message.clone())),
        };
        if let Some(now) = &k8s::Resource::meta(&item).resource_version {
            version.clone_from(now);
        }
        Ok(match self.decoded(item) {
            Ok(object) if gone => self.store.delete(object),
            Ok(object) => self.store.apply(object),
            Err(meta) if gone => self.store.forget(&Key::of(&meta)),
            Err(_) => self.store.bookmark(version),
        })
    }

    /// The object, or the metadata of one that cannot be decoded. That is logged and counted, and
    /// stops nothing else.
    fn decoded(&self, item: Guarded<K>) -> Result<K, Box<k8s::ObjectMeta>> {
        let invalid = match item.0 {
            // A copy has no room to grow; of what was just decoded, that is a fifth. Trimmed first,
            // so that no tree of managers is copied, or kept while a listing goes on.
            Ok(object) => return Ok(K::clone(&self.store.trim(object))),
            Err(invalid) => invalid,
        };
        let kind = self.store.kind();
        let key = Key::of(&invalid.metadata);
        self.metrics.undecodable(kind);
        tracing::error!(kind, object = %key, error = %invalid.error, "object is unreadable");
        Err(Box::new(invalid.metadata))
    }

    async fn pause(&self, backoff: &mut Backoff, why: &str) {
        let delay = self.ids.jitter(backoff.fail());
        let kind = self.store.kind();
        self.metrics.watch_restarted(kind);
        tracing::warn!(kind, error = why, retry_in = ?delay, "watch failed");
        tokio::time::sleep(delay).await;
    }
}

impl Unlisted {
    fn of(error: kube::Error) -> Self {
        match &error {
            kube::Error::Api(status) if status.code == NOT_FOUND => Self::Missing,
            kube::Error::Api(_) => Self::Refused(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl fmt::Display for Unlisted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the API server does not know this kind"),
            Self::Refused(why) | Self::Failed(why) => f.write_str(why),
        }
    }
}

fn end_of(error: kube::Error) -> End {
    match &error {
        kube::Error::Api(status) if [GONE, NOT_FOUND].contains(&status.code) => End::Expired,
        _ => End::Failed(error.to_string()),
    }
}

/// HTTP status of a resourceVersion that the server no longer has.
const GONE: u16 = 410;

/// HTTP status of a kind that the server does not know: namespaces without objects list as empty.
const NOT_FOUND: u16 = 404;

#[cfg(test)]
mod tests;
