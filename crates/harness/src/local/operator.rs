//! The operator as a process of its own: its environment, its readiness, its end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kube::Config;
use tempfile::TempDir;
use tokio::time::Instant;

use super::objects::{NODE_POOL, NODE_SERVICE_ACCOUNT, TOLERATION_KEY};
use crate::control_plane::{Server, ServerSpec};
use crate::probe;

/// The operator must be ready within this.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// It promises to leave within 5 s of SIGTERM.
const STOP_TIMEOUT: Duration = Duration::from_secs(6);
const POLL: Duration = Duration::from_millis(50);
const LOG_LINES: usize = 30;

/// A running operator; killed when dropped.
#[derive(Debug)]
pub struct Operator {
    process: Server,
    _dir: TempDir,
}

impl Operator {
    /// Starts `program` with `environment` on top of ours and waits until it is ready.
    pub(super) async fn start(
        program: &Path,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("sei-operator-").tempdir()?;
        let port = free_port()?;
        let mut args: Vec<OsString> =
            environment.iter().map(|(name, value)| format!("{name}={value}").into()).collect();
        args.push(program.into());
        args.push("--metrics-bind-address=0".into());
        args.push(format!("--health-probe-bind-address=127.0.0.1:{port}").into());
        let process = Server::spawn(&ServerSpec {
            name: "sei-operator",
            // `env` sets the variables of the process alone.
            binary: PathBuf::from("env"),
            args,
            dir: dir.path().join("sei-operator"),
            attach_output: false,
        })?;
        let mut operator = Self { process, _dir: dir };
        operator.await_ready(port).await?;
        Ok(operator)
    }

    async fn await_ready(&mut self, port: u16) -> Result<()> {
        let address = format!("http://127.0.0.1:{port}").parse().context("parse an address")?;
        let client = probe::client(Config::new(address))?;
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let request = http::Request::get("/readyz").body(Vec::new())?;
            if client.request_text(request).await.is_ok() {
                return Ok(());
            }
            if let Some(status) = self.process.exited() {
                bail!("the operator ended at start ({status}):\n{}", self.log(LOG_LINES));
            }
            if Instant::now() > deadline {
                let log = self.log(LOG_LINES);
                bail!("the operator is not ready after {START_TIMEOUT:?}:\n{log}");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The end of its log.
    pub fn log(&self, lines: usize) -> String {
        self.process.log_tail(lines)
    }

    /// The file that holds its log, as long as it runs.
    pub fn log_file(&self) -> &Path {
        self.process.log()
    }

    /// Whether it has ended by itself, and how.
    pub fn exited(&mut self) -> Option<std::process::ExitStatus> {
        self.process.exited()
    }

    /// Asks it to leave, and kills it when it does not.
    ///
    /// # Errors
    /// The process cannot be waited for.
    pub async fn stop(self) -> Result<()> {
        self.process.stop(STOP_TIMEOUT).await
    }
}

/// What the operator reads at start: the cluster, its sidecars, and the platform's settings, sized
/// as the shipped manifest has them.
pub fn operator_environment(kubeconfig: &Path, sidecar_urls: &str) -> BTreeMap<String, String> {
    let platform = [
        ("SEI_COSMOS_EXPORTER_IMAGE", "ghcr.io/sei-protocol/sei-cosmos-exporter:local"),
        ("SEI_GATEWAY_DOMAIN", "local.example"),
        ("SEI_GATEWAY_NAME", "sei-gateway"),
        ("SEI_GATEWAY_NAMESPACE", "gateway"),
        ("SEI_GENESIS_BUCKET", "local-sei-genesis-artifacts"),
        ("SEI_GENESIS_REGION", "us-east-2"),
        ("SEI_KUBE_RBAC_PROXY_IMAGE", "quay.io/brancz/kube-rbac-proxy:v0.19.1"),
        ("SEI_NODEPOOL_ARCHIVE", "sei-archive"),
        ("SEI_NODEPOOL_NAME", NODE_POOL),
        ("SEI_RESOURCE_CPU_ARCHIVE", "48"),
        ("SEI_RESOURCE_CPU_DEFAULT", "4"),
        ("SEI_RESOURCE_MEM_ARCHIVE", "448Gi"),
        ("SEI_RESOURCE_MEM_DEFAULT", "32Gi"),
        ("SEI_RESULT_EXPORT_BUCKET", "local-sei-shadow-results"),
        ("SEI_RESULT_EXPORT_PREFIX", "shadow-results/"),
        ("SEI_RESULT_EXPORT_REGION", "us-east-2"),
        ("SEI_SERVICE_ACCOUNT", NODE_SERVICE_ACCOUNT),
        ("SEI_SIDECAR_IMAGE", "ghcr.io/sei-protocol/seictl:local"),
        ("SEI_SNAPSHOT_BUCKET", "local-sei-snapshots"),
        ("SEI_SNAPSHOT_REGION", "us-east-2"),
        ("SEI_STORAGE_CLASS_ARCHIVE", "gp3-archive"),
        ("SEI_STORAGE_CLASS_DEFAULT", "gp3"),
        ("SEI_STORAGE_CLASS_PERF", "gp3-10k-750"),
        ("SEI_STORAGE_SIZE_ARCHIVE", "40Ti"),
        ("SEI_STORAGE_SIZE_DEFAULT", "2000Gi"),
        ("SEI_TOLERATION_KEY", TOLERATION_KEY),
        ("SEI_SIDECAR_URL_TEMPLATE", sidecar_urls),
    ];
    let platform = platform.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let kubeconfig = ("KUBECONFIG".to_owned(), kubeconfig.display().to_string());
    platform.into_iter().chain([kubeconfig]).collect()
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free loopback port")?;
    Ok(listener.local_addr().context("a listener has no address")?.port())
}
