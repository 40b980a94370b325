//! Leadership: only the process that holds the lease works, and it stops when it can no longer
//! prove that it does.
//!
//! The protocol is that of the Go client, so that processes of either kind exclude each other. Who
//! waits goes by how long *it* has seen a record unchanged, never by another machine's clock; who
//! leads gives up before the others may take over. Every write carries the resourceVersion that it
//! was decided on.

use std::time::Duration;

use kube::api::PostParams;
use kube::{Api, Client};
use sei_api::k8s;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

mod ballot;

use ballot::{Ballot, Vote};

/// Name of the lease: the same for every version, so that two versions never lead together.
pub const LEASE: &str = "bc1f5b0a.sei.io";

/// Patience with the release: the process has other things to do before it is killed.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(1);

/// The paces of an election.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long the others wait for a leader that says nothing.
    pub duration: Duration,
    /// How long a leader goes on without a renewal. Shorter than `duration`: the difference is
    /// what it has to stop in.
    pub renew_deadline: Duration,
    /// How often a leader renews.
    pub renew: Duration,
    /// How often the others look: bounds a clean hand-over.
    pub watch: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            renew: Duration::from_secs(2),
            watch: Duration::from_millis(900),
        }
    }
}

/// One candidate.
#[derive(Clone)]
pub struct Election {
    /// Reads and writes the lease.
    pub client: Client,
    /// Namespace of the lease.
    pub namespace: String,
    /// Who the candidate is: unique among all processes, ever. [`identity`] makes one.
    pub identity: String,
    /// The paces.
    pub terms: Terms,
    /// Stamps the lease, for people; nothing is decided by it.
    pub clock: Clock,
}

/// Leadership is over, and so is the process.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeaderError {
    /// Somebody else holds the lease.
    #[error("leadership lost: lease \"{namespace}/{LEASE}\" is held by \"{holder}\"")]
    Taken {
        /// Namespace of the lease.
        namespace: String,
        /// Who holds it.
        holder: String,
    },
    /// The lease could not be renewed in time.
    #[error(
        "leadership lost: lease \"{namespace}/{LEASE}\" was not renewed for {} s, last error: \
         {last}",
        deadline.as_secs()
    )]
    NotRenewed {
        /// Namespace of the lease.
        namespace: String,
        /// For how long.
        deadline: Duration,
        /// What the last attempt met.
        last: String,
    },
    /// The task that renews the lease ended by itself; a bug.
    #[error("leadership lost: the renewal of the lease stopped")]
    Stopped,
}

/// A name for a candidate: the pod's, or `sei-operator` outside of one, and `id`, which tells two
/// lives of one pod apart.
#[must_use]
pub fn identity(pod: Option<&str>, id: uuid::Uuid) -> String {
    format!("{}_{id}", pod.unwrap_or("sei-operator"))
}

impl Election {
    /// Waits for leadership, then runs `work` to its end while renewing the lease, then releases
    /// it. `None` if `shutdown` came first.
    ///
    /// # Errors
    ///
    /// Leadership was lost; `work` was dropped where it stood, and what it has spawned may still
    /// run: the caller ends the process.
    pub async fn lead<W: Future>(
        self,
        shutdown: &CancellationToken,
        work: W,
    ) -> Result<Option<W::Output>, LeaderError> {
        let elected = tokio::select! {
            lease = self.elected() => lease,
            () = shutdown.cancelled() => return Ok(None),
        };
        tracing::info!(identity = self.identity, "leading");
        let done = CancellationToken::new();
        // In a task of its own: work that keeps its thread busy must not cost the lease.
        let mut keeper = tokio::spawn(self.keep(elected, done.clone()));
        tokio::select! {
            output = work => {
                done.cancel();
                keeper.await.map_err(|_| LeaderError::Stopped)??;
                Ok(Some(output))
            }
            lost = &mut keeper => match lost {
                Ok(Err(error)) => Err(error),
                Ok(Ok(())) | Err(_) => Err(LeaderError::Stopped),
            },
        }
    }

    /// Asks for the lease until it is ours.
    async fn elected(&self) -> Held {
        let mut ballot = Ballot::new(self.terms.duration);
        let mut told = None;
        loop {
            match timeout(self.terms.renew_deadline, self.attempt(&mut ballot)).await {
                Ok(Ok(Attempt::Won(held))) => return *held,
                Ok(Ok(Attempt::Held(holder))) if told.as_ref() != Some(&holder) => {
                    tracing::info!(holder, "waiting for the lease");
                    told = Some(holder);
                }
                Ok(Ok(Attempt::Held(_) | Attempt::Beaten)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "cannot ask for the lease"),
                Err(_) => tracing::warn!("cannot ask for the lease: no answer"),
            }
            tokio::time::sleep(self.terms.watch).await;
        }
    }

    async fn attempt(&self, ballot: &mut Ballot) -> Result<Attempt, kube::Error> {
        let asked = Instant::now();
        let written = match self.api().get_opt(LEASE).await? {
            None => self.api().create(&params(), &self.claim(None)).await,
            Some(lease) => match ballot.vote(&lease, asked) {
                Vote::Wait { holder } => return Ok(Attempt::Held(holder)),
                Vote::Take => self.replace(&self.claim(Some(&lease))).await,
            },
        };
        match written {
            Ok(lease) => Ok(Attempt::Won(Box::new(Held { lease, renewed: asked }))),
            // Another candidate was faster: conflict, or it exists by now, or it is gone again.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {
                Ok(Attempt::Beaten)
            }
            Err(error) => Err(error),
        }
    }

    /// Renews until `done`, then releases.
    async fn keep(self, mut held: Held, done: CancellationToken) -> Result<(), LeaderError> {
        let mut last = "none".to_owned();
        loop {
            let deadline = held.renewed + self.terms.renew_deadline;
            let next = (Instant::now() + self.terms.renew).min(deadline);
            tokio::select! {
                () = sleep_until(next) => {}
                () = done.cancelled() => {
                    self.release(held).await;
                    return Ok(());
                }
            }
            if next == deadline {
                let deadline = self.terms.renew_deadline;
                return Err(LeaderError::NotRenewed { namespace: self.namespace, deadline, last });
            }
            match tokio::time::timeout_at(deadline, self.renew(&held)).await {
                Ok(Ok(renewed)) => held = renewed,
                Ok(Err(RenewError::Taken(holder))) => {
                    return Err(LeaderError::Taken { namespace: self.namespace, holder });
                }
                Ok(Err(RenewError::Failed(error))) => last = error.to_string(),
                Err(_) => "no answer".clone_into(&mut last),
            }
        }
    }

    async fn renew(&self, held: &Held) -> Result<Held, RenewError> {
        let asked = Instant::now();
        match self.replace(&self.renewal(&held.lease)).await {
            Ok(lease) => Ok(Held { lease, renewed: asked }),
            Err(kube::Error::Api(status)) if status.code == 409 => self.after_conflict(asked).await,
            Err(kube::Error::Api(status)) if status.code == 404 => {
                let lease = self.api().create(&params(), &self.claim(None)).await?;
                Ok(Held { lease, renewed: asked })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Somebody wrote the lease: a person who labelled it, or an answer of ours that got lost on
    /// its way, as long as we are the holder.
    async fn after_conflict(&self, asked: Instant) -> Result<Held, RenewError> {
        let lease = self.api().get(LEASE).await?;
        let holder = holder(&lease);
        if holder != self.identity {
            return Err(RenewError::Taken(holder.to_owned()));
        }
        let lease = self.replace(&self.renewal(&lease)).await?;
        Ok(Held { lease, renewed: asked })
    }

    /// Lets the next candidate in at once. Best effort: a lease that is not released runs out.
    async fn release(&self, held: Held) {
        let mut lease = held.lease;
        let now = self.clock.now();
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = Some(1);
        spec.renew_time = Some(k8s::MicroTime(now));
        spec.acquire_time = Some(k8s::MicroTime(now));
        match timeout(RELEASE_TIMEOUT, self.replace(&lease)).await {
            Ok(Ok(_)) => tracing::info!("lease released"),
            Ok(Err(error)) => tracing::warn!(%error, "lease not released: it runs out by itself"),
            Err(_) => tracing::warn!("lease not released, no answer: it runs out by itself"),
        }
    }

    /// `before` taken over by us, or a new lease.
    fn claim(&self, before: Option<&k8s::Lease>) -> k8s::Lease {
        let now = k8s::MicroTime(self.clock.now());
        let mut lease = before.cloned().unwrap_or_else(|| k8s::Lease {
            metadata: k8s::ObjectMeta {
                name: Some(LEASE.to_owned()),
                namespace: Some(self.namespace.clone()),
                ..k8s::ObjectMeta::default()
            },
            spec: None,
        });
        let spec = lease.spec.get_or_insert_default();
        let transitions = spec.lease_transitions.unwrap_or(0);
        spec.lease_transitions = Some(transitions.saturating_add(i32::from(before.is_some())));
        spec.holder_identity = Some(self.identity.clone());
        spec.acquire_time = Some(now.clone());
        spec.renew_time = Some(now);
        spec.lease_duration_seconds = Some(self.duration_seconds());
        lease
    }

    fn renewal(&self, held: &k8s::Lease) -> k8s::Lease {
        let mut lease = held.clone();
        let spec = lease.spec.get_or_insert_default();
        spec.renew_time = Some(k8s::MicroTime(self.clock.now()));
        spec.lease_duration_seconds = Some(self.duration_seconds());
        lease
    }

    /// The API server refuses a lease of no duration.
    fn duration_seconds(&self) -> i32 {
        i32::try_from(self.terms.duration.as_secs()).unwrap_or(i32::MAX).max(1)
    }

    async fn replace(&self, lease: &k8s::Lease) -> Result<k8s::Lease, kube::Error> {
        self.api().replace(LEASE, &params(), lease).await
    }

    fn api(&self) -> Api<k8s::Lease> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

/// The lease, as it was when we last wrote it.
struct Held {
    lease: k8s::Lease,
    /// When the request was sent that the server took as the last renewal.
    renewed: Instant,
}

/// What became of one attempt.
enum Attempt {
    /// The lease is ours.
    Won(Box<Held>),
    /// It is somebody else's.
    Held(String),
    /// Another candidate was faster.
    Beaten,
}

/// Why a renewal failed.
enum RenewError {
    /// Somebody else holds the lease.
    Taken(String),
    /// Anything that may pass.
    Failed(kube::Error),
}

impl From<kube::Error> for RenewError {
    fn from(error: kube::Error) -> Self {
        Self::Failed(error)
    }
}

/// Says in the lease's own record who wrote it.
fn params() -> PostParams {
    PostParams { field_manager: Some("sei-operator".to_owned()), ..PostParams::default() }
}

/// Who holds `lease`; empty if nobody.
fn holder(lease: &k8s::Lease) -> &str {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
