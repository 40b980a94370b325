//! Runs tests against a control plane: a namespace, doubles and controllers for each test, and a
//! clean-up that always happens.
//!
//! One multi-thread runtime serves all tests of a process, because a kube client is tied to the
//! runtime it was made on.

use std::any::Any;
use std::io::Write;
use std::panic::{Location, resume_unwind};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};

use crate::control_plane::{ControlPlane, ControlPlaneOptions, shipped_crds};
use crate::scope::Scope;
use crate::wait::{Inconsistent, TimedOut};

mod cleanup;
mod controllers;
mod dump;
mod env;
mod query;
mod role;

pub use controllers::{ControllerInputs, Controllers, ControllersFn, start_function};
pub use env::{Histories, TestEnv};
pub use query::{Conditions, cond, cond_true};
pub use role::operator_kubeconfig;

/// A test that has not ended after this is given up.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// After the test each kind whose deletion the controllers must finish is gone within this.
const CLEAN_UP_LIMIT: Duration = Duration::from_secs(10);

/// What a test wants around it.
#[derive(Clone)]
pub struct RunOptions {
    controllers: Option<ControllersFn>,
    cluster_wide: bool,
    gateway_api: bool,
    on_its_own: bool,
    collect_garbage: bool,
    abandoned: bool,
    time_limit: Duration,
    clean_up_limit: Duration,
}

impl RunOptions {
    /// A namespace with doubles and garbage collection, but without controllers.
    pub fn new() -> Self {
        Self {
            controllers: None,
            cluster_wide: false,
            gateway_api: true,
            on_its_own: false,
            collect_garbage: true,
            abandoned: false,
            time_limit: TIME_LIMIT,
            clean_up_limit: CLEAN_UP_LIMIT,
        }
    }

    /// With these controllers, limited to the test's namespace.
    #[must_use]
    pub fn with_controllers(self, start: ControllersFn) -> Self {
        Self { controllers: Some(start), ..self }
    }

    /// With controllers that look at all namespaces, as shipped; on a control plane of the test's
    /// own, because they would interfere with other tests.
    #[must_use]
    pub fn cluster_wide(self) -> Self {
        Self { cluster_wide: true, ..self }
    }

    /// On a control plane of the test's own, which has no Gateway API before the test installs it.
    #[must_use]
    pub fn without_gateway_api(self) -> Self {
        Self { gateway_api: false, ..self }
    }

    /// On a control plane of the test's own, which it may disturb.
    #[must_use]
    pub fn on_its_own(self) -> Self {
        Self { on_its_own: true, ..self }
    }

    /// Without the emulated garbage collector.
    #[must_use]
    pub fn without_garbage_collection(self) -> Self {
        Self { collect_garbage: false, ..self }
    }

    /// Without a clean-up: what the test has left stays, with its finalizers, in a namespace that
    /// is never used again. For those who judge the end themselves, many times.
    #[must_use]
    pub fn abandoned(self) -> Self {
        Self { abandoned: true, ..self }
    }

    /// With another limit than ten seconds for the controllers to let go of each kind.
    #[must_use]
    pub fn with_clean_up_limit(self, clean_up_limit: Duration) -> Self {
        Self { clean_up_limit, ..self }
    }

    /// With another limit than two minutes for the test itself.
    #[must_use]
    pub fn with_time_limit(self, time_limit: Duration) -> Self {
        Self { time_limit, ..self }
    }
}

impl Default for RunOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// A control plane and what is set up on it once.
#[derive(Debug)]
struct Cluster {
    control_plane: ControlPlane,
    /// How controllers reach it; made when the first of them is started.
    operator: OnceCell<kube::Config>,
}

/// The control plane of this process and the runtime of its tests.
pub struct Suite {
    runtime: Runtime,
    shared: OnceCell<Arc<Cluster>>,
}

/// Why a test failed.
pub enum Failure {
    /// Its body panicked with this payload.
    Panic(Box<dyn Any + Send>),
    /// Its body returned an error, or its surroundings broke.
    Error(anyhow::Error),
}

/// The suite of this process; started by the first call.
///
/// # Panics
/// When no runtime can be started: nothing can be tested then.
pub fn suite() -> &'static Suite {
    static SUITE: LazyLock<Suite> = LazyLock::new(|| {
        #[expect(clippy::expect_used, reason = "start-up of a test process")]
        let runtime = Runtime::new().expect("a runtime for the tests");
        Suite { runtime, shared: OnceCell::new() }
    });
    &SUITE
}

impl Suite {
    /// Runs a test to its end and cleans up after it, however it ended.
    ///
    /// # Panics
    /// When the body panics or returns an error, when the surroundings cannot be set up, or when
    /// an object keeps its finalizer.
    #[track_caller]
    pub fn run<F, Fut>(&self, name: &str, options: RunOptions, body: F)
    where
        F: FnOnce(Arc<TestEnv>) -> Fut,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let location = Location::caller();
        match self.try_run(name, options, body) {
            Ok(()) => {}
            Err(Failure::Panic(payload)) => resume_unwind(payload),
            #[expect(clippy::panic, reason = "this is how a test fails")]
            Err(Failure::Error(err)) => panic!("test \"{name}\" at {location}: {err:#}"),
        }
    }

    /// As [`Suite::run`], but hands the failure back.
    ///
    /// # Errors
    /// Where [`Suite::run`] panics.
    pub fn try_run<F, Fut>(&self, name: &str, options: RunOptions, body: F) -> Result<(), Failure>
    where
        F: FnOnce(Arc<TestEnv>) -> Fut,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let start = Instant::now();
        let result = self.runtime.block_on(self.run_in_runtime(options, body));
        let verdict = if result.is_ok() { "ok" } else { "FAILED" };
        let seconds = start.elapsed().as_secs_f64();
        tell(&format!("envtest {name} ... {verdict} in {seconds:.2} s"));
        result
    }

    /// Runs `work` on the suite's runtime, for tests that need no namespace of their own.
    pub fn block_on<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }

    /// An administrator's client of the shared control plane.
    ///
    /// # Errors
    /// When the control plane cannot be started.
    pub async fn admin(&self) -> Result<kube::Client> {
        self.shared().await?.control_plane.client()
    }

    /// An administrator's configuration of the shared control plane.
    ///
    /// # Errors
    /// As [`Suite::admin`].
    pub async fn config(&self) -> Result<kube::Config> {
        Ok(self.shared().await?.control_plane.config())
    }

    async fn shared(&self) -> Result<&Arc<Cluster>> {
        let start = || async { Ok(Arc::new(Cluster::new(ControlPlane::start_or_attach().await?))) };
        self.shared.get_or_try_init(start).await
    }

    async fn run_in_runtime<F, Fut>(&self, options: RunOptions, body: F) -> Result<(), Failure>
    where
        F: FnOnce(Arc<TestEnv>) -> Fut,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let cluster = if options.on_its_own || options.cluster_wide || !options.gateway_api {
            let mut own = ControlPlaneOptions::from_env()?;
            if !options.gateway_api {
                own.crd_dirs = vec![shipped_crds()];
            }
            Arc::new(Cluster::new(ControlPlane::start(own).await?))
        } else {
            self.shared().await?.clone()
        };
        let time_limit = options.time_limit;
        let env = Arc::new(TestEnv::start(cluster, options).await?);
        let mut result = run_body(&env, time_limit, body).await;
        if let Err(failure) = &result
            && !failure.holds_a_dump()
        {
            tell(&env.dump().await);
        }
        for problem in cleanup::clean_up(&env).await {
            match &result {
                Ok(()) => result = Err(Failure::Error(anyhow!(problem))),
                Err(_) => tell(&format!("besides, {problem}")),
            }
        }
        result
    }
}

/// Past the capture of the test runner, so that seconds are seen for passing tests too.
fn tell(text: &str) {
    // A closed standard error must not fail a test.
    let _ = writeln!(std::io::stderr(), "{text}");
}

async fn run_body<F, Fut>(env: &Arc<TestEnv>, limit: Duration, body: F) -> Result<(), Failure>
where
    F: FnOnce(Arc<TestEnv>) -> Fut,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    // A task of its own: a panic in it is a value here.
    let mut task = tokio::spawn(body(env.clone()));
    let Ok(joined) = timeout(limit, &mut task).await else {
        task.abort();
        return Err(Failure::Error(anyhow!("the test has not ended after {limit:?}")));
    };
    match joined {
        Ok(result) => result.map_err(Failure::Error),
        Err(err) => match err.try_into_panic() {
            Ok(payload) => Err(Failure::Panic(payload)),
            Err(err) => Err(Failure::Error(anyhow!("the test was cancelled: {err}"))),
        },
    }
}

impl Cluster {
    fn new(control_plane: ControlPlane) -> Self {
        Self { control_plane, operator: OnceCell::new() }
    }

    /// How controllers reach the cluster: as a user who may do what the generated role says.
    async fn operator(&self) -> Result<kube::Config> {
        let config = self.operator.get_or_try_init(|| role::operator(&self.control_plane)).await;
        Ok(config.context("cannot make a user for the controllers")?.clone())
    }
}

impl Failure {
    fn holds_a_dump(&self) -> bool {
        let Self::Error(err) = self else { return false };
        err.chain().any(|cause| {
            let timed_out = cause.downcast_ref::<TimedOut>().is_some_and(|e| e.dump.is_some());
            let unsteady = cause.downcast_ref::<Inconsistent>().is_some_and(|e| e.dump.is_some());
            timed_out || unsteady
        })
    }
}

impl From<anyhow::Error> for Failure {
    fn from(err: anyhow::Error) -> Self {
        Self::Error(err)
    }
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Error(err) => write!(f, "{err:#}"),
            Self::Panic(payload) => {
                let text = payload.downcast_ref::<String>().map(String::as_str);
                let text = text.or(payload.downcast_ref::<&str>().copied());
                write!(f, "panic: {}", text.unwrap_or("not a text"))
            }
        }
    }
}

impl std::fmt::Debug for RunOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunOptions")
            .field("controllers", &self.controllers.is_some())
            .field("cluster_wide", &self.cluster_wide)
            .field("gateway_api", &self.gateway_api)
            .field("on_its_own", &self.on_its_own)
            .field("collect_garbage", &self.collect_garbage)
            .field("abandoned", &self.abandoned)
            .field("time_limit", &self.time_limit)
            .field("clean_up_limit", &self.clean_up_limit)
            .finish()
    }
}

impl std::fmt::Debug for Suite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Suite").field("shared", &self.shared).finish_non_exhaustive()
    }
}

impl RunOptions {
    fn scope(&self, namespace: &str) -> Scope {
        if self.cluster_wide { Scope::All } else { Scope::Namespace(namespace.to_owned()) }
    }
}
