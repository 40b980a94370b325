//! The operator's binary as the controllers of a test: a process behind a proxy.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use sei_core::platform::fixture::FIXTURE;
use sei_harness::Scope;
use sei_harness::control_plane::{Server, ServerSpec};
use sei_harness::proxy::Proxy;
use sei_harness::suite::{ControllerInputs, Controllers, ControllersFn, start_function};
use sei_sidecar_sim::http::HttpFront;
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::support::setting;

/// Names the binary to be tried; without it, the one that was built with the tests.
const PROGRAM: &str = "SEI_SWEEPS_OPERATOR";
/// It promises to leave within 5 s of SIGTERM.
const STOP_TIMEOUT: Duration = Duration::from_secs(6);
const LOG_LINES: usize = 30;

/// Starts the binary, limited to the test's namespace.
pub fn shipped() -> ControllersFn {
    counted(&Arc::default())
}

/// As [`shipped`]; `kills` counts those that met a running process.
pub fn counted(kills: &Arc<AtomicUsize>) -> ControllersFn {
    let kills = Arc::clone(kills);
    start_function(move |inputs| start(inputs, Arc::clone(&kills)))
}

async fn start(inputs: ControllerInputs, kills: Arc<AtomicUsize>) -> Result<Controllers> {
    let running = Arc::new(Mutex::new(Some(Process::start(inputs).await?)));
    let victim = Arc::clone(&running);
    let controllers = Controllers::spawn(|stop| async move {
        stop.cancelled().await;
        match running.lock().await.take() {
            Some(process) => process.stop().await,
            None => Ok(()),
        }
    });
    Ok(controllers.with_death(|| async move {
        if let Some(mut process) = victim.lock().await.take() {
            let running = process.operator.exited().is_none();
            kills.fetch_add(usize::from(running), Ordering::Relaxed);
            process.kill().await;
        }
    }))
}

/// One life of the operator. Dropping it is a `SIGKILL` that nobody waits for.
struct Process {
    // Field order is drop order: the process before what it talks to.
    operator: Server,
    _proxy: Proxy,
    _sidecars: HttpFront,
    _dir: TempDir,
}

impl Process {
    async fn start(inputs: ControllerInputs) -> Result<Self> {
        let Scope::Namespace(namespace) = inputs.scope else {
            bail!("a sweep is limited to its namespace");
        };
        let dir = tempfile::Builder::new().prefix("sei-sweep-").tempdir()?;
        let proxy = Proxy::start(inputs.client).await?;
        let sidecars = HttpFront::start(inputs.sidecars).await.context("serve the sidecars")?;
        let kubeconfig = dir.path().join("kubeconfig");
        std::fs::write(&kubeconfig, proxy.kubeconfig()).context("write a kubeconfig")?;
        let own = [
            ("SEI_SIDECAR_URL_TEMPLATE", sidecars.url_template()),
            ("SEI_WATCH_NAMESPACE", namespace),
        ];
        let platform = FIXTURE.iter().filter_map(|(name, _)| Some((*name, setting(name)?)));
        let variables = platform.chain(own).map(|(name, value)| format!("{name}={value}").into());
        let flags = ["--metrics-bind-address=0", "--health-probe-bind-address=0"];
        let args: Vec<OsString> = variables
            .chain([program().into_os_string()])
            .chain([format!("--kubeconfig={}", kubeconfig.display()).into()])
            .chain(flags.map(OsString::from))
            .collect();
        let operator = Server::spawn(&ServerSpec {
            name: "sei-operator",
            // `env` sets the variables of the process alone, and becomes the operator.
            binary: PathBuf::from("env"),
            args,
            dir: dir.path().join("operator"),
            attach_output: false,
        })?;
        Ok(Self { operator, _proxy: proxy, _sidecars: sidecars, _dir: dir })
    }

    async fn stop(mut self) -> Result<()> {
        if let Some(status) = self.operator.exited() {
            bail!("the operator ended ({status}):\n{}", self.operator.log_tail(LOG_LINES));
        }
        self.operator.stop(STOP_TIMEOUT).await
    }

    async fn kill(self) {
        // It can only fail to be waited for, and then it is gone as well.
        let _ = self.operator.kill().await;
    }
}

fn program() -> PathBuf {
    let named = std::env::var_os(PROGRAM).map(PathBuf::from);
    named.unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_sei-operator")))
}
