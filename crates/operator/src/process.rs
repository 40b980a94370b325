//! The frame around the controllers: servers, client, events and leadership, in the order in which
//! they start and end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::admin::{self, BindError, Bound, Liveness, Readiness};
use crate::clock::Clock;
use crate::connect::{ConnectError, connect};
use crate::ids::Ids;
use crate::leader::{self, Election, LeaderError, Terms};
use crate::metrics::Metrics;
use crate::recorder::{self, Recorder};
use crate::settings::{Listen, Server, Settings};

/// What queued events are given when the process leaves.
const EVENTS_GRACE: Duration = Duration::from_secs(2);

/// What the frame hands to the controllers.
pub struct Parts {
    /// What the process was asked to do.
    pub settings: Settings,
    /// The API server; requests are counted.
    pub client: Client,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Takes notices.
    pub recorder: Recorder,
    /// Takes what the process has to wait for before it is ready. Hand out all permits while the
    /// controllers are built: the probes are served right after.
    pub readiness: Readiness,
    /// The time of day.
    pub clock: Clock,
    /// Fresh ids and jitter.
    pub ids: Ids,
    /// Cancelled when the process leaves.
    pub shutdown: CancellationToken,
}

/// What the controllers hand to the frame.
pub struct Controllers<W, P> {
    /// Asked by the liveness probe.
    pub liveness: Liveness,
    /// Fills the stores until `shutdown`. Runs from the start, also while another process leads,
    /// so that a successor is ready to go on.
    pub watches: W,
    /// Passes over objects until `shutdown`, and lets those that run finish. Runs while leading.
    pub passes: P,
}

/// Why the process ends other than by a signal.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// An address cannot be used.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// There is no cluster.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Leadership was lost.
    #[error(transparent)]
    Leader(#[from] LeaderError),
    /// A server stopped by itself.
    #[error("a server failed")]
    Serve(#[source] io::Error),
    /// The watches stopped by themselves; a bug.
    #[error("the watches stopped")]
    Watches,
}

/// Runs the controllers that `build` makes until `shutdown`, then lets them finish, releases the
/// lease and delivers what was said.
///
/// # Errors
///
/// See [`ProcessError`]. The process should end then: tasks may be left that still run.
pub async fn run<W, P>(
    settings: Settings,
    shutdown: CancellationToken,
    build: impl FnOnce(Parts) -> Controllers<W, P>,
) -> Result<(), ProcessError>
where
    W: Future<Output = ()> + Send + 'static,
    P: Future<Output = ()>,
{
    let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION")));
    let metrics_at = bind(Server::Metrics, settings.metrics.as_ref()).await?;
    let probes_at = bind(Server::Probes, settings.probes.as_ref()).await?;
    let client = connect(settings.kubeconfig.as_deref(), &metrics).await?;
    let (clock, ids) = (Clock::system(), Ids::random());
    let (recorder, delivery) = Recorder::start(recorder::Parts {
        client: client.clone(),
        clock: clock.clone(),
        metrics: Arc::clone(&metrics),
        instance: settings.pod.name.clone().unwrap_or_default(),
    });
    let election = settings.leader_elect.then(|| election(&settings, &client, &clock, &ids));
    let readiness = Readiness::default();
    let controllers = build(Parts {
        settings,
        client,
        metrics: Arc::clone(&metrics),
        recorder,
        readiness: readiness.clone(),
        clock,
        ids,
        shutdown: shutdown.clone(),
    });
    let serving = CancellationToken::new();
    let mut servers = JoinSet::new();
    let probes = admin::probes(controllers.liveness, readiness);
    for (bound, router) in [(metrics_at, admin::metrics(metrics)), (probes_at, probes)] {
        if let Some(bound) = bound {
            servers.spawn(bound.serve(router, serving.clone()));
        }
    }
    let watches = tokio::spawn(controllers.watches);
    let ended = tokio::select! {
        ended = lead(election, &shutdown, controllers.passes) => ended,
        () = unasked(watches, &shutdown) => Err(ProcessError::Watches),
        Some(failed) = servers.join_next() => Err(stopped(failed)),
    };
    let lost = delivery.drain(EVENTS_GRACE).await;
    if lost > 0 {
        tracing::warn!(lost, "events were not delivered");
    }
    serving.cancel();
    ended
}

async fn bind(server: Server, address: Option<&Listen>) -> Result<Option<Bound>, BindError> {
    match address {
        Some(address) => Bound::bind(server, address).await.map(Some),
        None => Ok(None),
    }
}

/// The lease is in the pod's namespace; outside of a pod, in that of the kubeconfig's context.
fn election(settings: &Settings, client: &Client, clock: &Clock, ids: &Ids) -> Election {
    let namespace = settings.pod.namespace.as_deref().unwrap_or(client.default_namespace());
    Election {
        client: client.clone(),
        namespace: namespace.to_owned(),
        identity: leader::identity(settings.pod.name.as_deref(), ids.fresh()),
        terms: Terms::default(),
        clock: clock.clone(),
    }
}

/// Runs `passes` while leading; without an election, at once.
async fn lead(
    election: Option<Election>,
    shutdown: &CancellationToken,
    passes: impl Future<Output = ()>,
) -> Result<(), ProcessError> {
    match election {
        Some(election) => {
            election.lead(shutdown, passes).await?;
        }
        None => passes.await,
    }
    Ok(())
}

/// Completes only if the watches end although nobody asked them to.
async fn unasked(watches: JoinHandle<()>, shutdown: &CancellationToken) {
    // However they ended, nothing fills the stores any more.
    let _ = watches.await;
    if shutdown.is_cancelled() {
        std::future::pending().await
    }
}

/// Why a server is not there any more although nobody asked it to leave.
fn stopped(ended: Result<io::Result<()>, tokio::task::JoinError>) -> ProcessError {
    ProcessError::Serve(match ended {
        Ok(Ok(())) => io::Error::other("it stopped"),
        Ok(Err(error)) => error,
        Err(error) => io::Error::other(error),
    })
}
