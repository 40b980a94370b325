//! The controllers under test: how they are handed in, run, stopped and killed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use futures::FutureExt;
use futures::future::BoxFuture;
use sei_sidecar_sim::Sidecars;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::scope::Scope;
use crate::stubs::StubResolver;

/// Controllers that were asked to stop must have stopped within this.
const GRACE: Duration = Duration::from_secs(5);

/// What controllers are started with.
#[derive(Clone)]
pub struct ControllerInputs {
    /// The API server, as a user who may do what the generated role says; logged.
    pub client: kube::Client,
    /// Which namespaces to look at.
    pub scope: Scope,
    /// The sidecars of the nodes.
    pub sidecars: Sidecars,
    /// Name resolution.
    pub resolver: StubResolver,
}

/// Starts controllers.
pub type ControllersFn =
    Arc<dyn Fn(ControllerInputs) -> BoxFuture<'static, Result<Controllers>> + Send + Sync>;

/// Makes a [`ControllersFn`] of an async function.
pub fn start_function<F, Fut>(start: F) -> ControllersFn
where
    F: Fn(ControllerInputs) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Controllers>> + Send + 'static,
{
    Arc::new(move |inputs| start(inputs).boxed())
}

/// Running controllers. Dropping them kills them where they stand.
pub struct Controllers {
    task: JoinHandle<Result<()>>,
    stop: CancellationToken,
    passes: Option<PassCounter>,
    death: Option<Death>,
}

/// Kills what runs elsewhere, and waits until it is gone.
type Death = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send + Sync>;

/// How many passes the object of a kind, namespace and name has had.
type PassCounter = Arc<dyn Fn(&str, &str, &str) -> u64 + Send + Sync>;

impl Controllers {
    /// Runs `work` in the background; it must end soon after its token was cancelled.
    pub fn spawn<F, Fut>(work: F) -> Self
    where
        F: FnOnce(CancellationToken) -> Fut,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let task = tokio::spawn(work(stop.clone()));
        Self { task, stop, passes: None, death: None }
    }

    /// With a counter of passes by kind, namespace and name.
    #[must_use]
    pub fn with_pass_counter(
        mut self,
        passes: impl Fn(&str, &str, &str) -> u64 + Send + Sync + 'static,
    ) -> Self {
        self.passes = Some(Arc::new(passes));
        self
    }

    /// With what has to be done to kill them, because they run elsewhere.
    #[must_use]
    pub fn with_death<F, Fut>(mut self, death: F) -> Self
    where
        F: FnOnce() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.death = Some(Box::new(|| death().boxed()));
        self
    }

    /// Ends them at whatever point they are, and waits until nothing of them runs.
    pub(super) async fn kill(mut self) {
        if let Some(death) = self.death.take() {
            death().await;
        }
        self.task.abort();
        // It was cancelled, or has failed before: it is gone.
        let _ = (&mut self.task).await;
    }

    /// The passes of an object, where they are counted.
    pub(super) fn passes(&self, kind: &str, namespace: &str, name: &str) -> Option<u64> {
        self.passes.as_ref().map(|passes| passes(kind, namespace, name))
    }

    /// Whether they ended although nobody stopped them.
    pub(super) fn ended(&self) -> bool {
        self.task.is_finished() && !self.stop.is_cancelled()
    }

    /// Asks them to stop and waits.
    pub(super) async fn stop(mut self) -> Result<()> {
        let ended_early = self.ended();
        self.stop.cancel();
        let Ok(joined) = timeout(GRACE, &mut self.task).await else {
            return Err(anyhow!("the controllers have not stopped after {GRACE:?}"));
        };
        joined.context("the controllers panicked")?.context("the controllers failed")?;
        match ended_early {
            true => Err(anyhow!("the controllers ended before the test did")),
            false => Ok(()),
        }
    }
}

impl Drop for Controllers {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Controllers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controllers").field("finished", &self.task.is_finished()).finish()
    }
}

impl fmt::Debug for ControllerInputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControllerInputs").field("scope", &self.scope).finish_non_exhaustive()
    }
}
