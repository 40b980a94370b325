//! The operator as it is shipped: a process of its own, measured from outside.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kube::{Client, Config};
use sei_harness::control_plane::{Server, ServerSpec};
use sei_harness::local::operator_environment;
use sei_harness::probe;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::scrape::Scrape;
use crate::usage::{self, Memory};

/// It must be ready within this.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// It promises to leave within 5 s.
const STOP_TIMEOUT: Duration = Duration::from_secs(6);
const POLL: Duration = Duration::from_millis(5);
const LOG_LINES: usize = 30;

/// A running operator; killed when it is dropped.
pub struct Operator {
    process: Server,
    metrics: Client,
    probes: Client,
    _dir: TempDir,
}

/// What the operator had used and done at one moment.
#[derive(Clone, Debug)]
pub struct Reading {
    /// CPU time since its start.
    pub cpu: Duration,
    /// Its counters.
    pub scrape: Scrape,
}

impl Operator {
    /// Starts `program`; it is not ready yet.
    ///
    /// # Errors
    /// No port is free, or no process can be started.
    pub fn spawn(program: &Path, kubeconfig: &Path, sidecar_urls: &str) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("sei-bench-").tempdir()?;
        let [metrics, probes] = free_ports()?;
        let environment = operator_environment(kubeconfig, sidecar_urls).into_iter();
        let variables = environment.map(|(name, value)| format!("{name}={value}").into());
        let process = Server::spawn(&ServerSpec {
            name: "sei-operator",
            // `env` sets the variables of the process alone, and becomes the operator.
            binary: PathBuf::from("env"),
            args: variables
                .chain([
                    program.into(),
                    format!("--metrics-bind-address=127.0.0.1:{metrics}").into(),
                    format!("--health-probe-bind-address=127.0.0.1:{probes}").into(),
                ])
                .collect(),
            dir: dir.path().join("sei-operator"),
            attach_output: false,
        })?;
        Ok(Self { process, metrics: client(metrics)?, probes: client(probes)?, _dir: dir })
    }

    /// Waits until its caches are complete.
    ///
    /// # Errors
    /// It ended, or is not ready in time; with the end of its log.
    pub async fn ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        while get(&self.probes, "/readyz").await.is_err() {
            if let Some(status) = self.process.exited() {
                bail!("the operator ended at start ({status}):\n{}", self.log());
            }
            if Instant::now() > deadline {
                bail!("the operator is not ready after {START_TIMEOUT:?}:\n{}", self.log());
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// What it has used and done so far.
    ///
    /// # Errors
    /// It does not answer, or is gone.
    pub async fn read(&self) -> Result<Reading> {
        let text = get(&self.metrics, "/metrics").await.context("read the operator's metrics")?;
        Ok(Reading { cpu: usage::cpu(self.process.pid()?)?, scrape: Scrape::parse(&text) })
    }

    /// Its memory now.
    ///
    /// # Errors
    /// It is gone.
    pub fn memory(&self) -> Result<Memory> {
        usage::memory(self.process.pid()?)
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        self.process.log_tail(LOG_LINES)
    }

    /// Asks it to leave, and kills it if it does not.
    ///
    /// # Errors
    /// The process cannot be waited for.
    pub async fn stop(self) -> Result<()> {
        self.process.stop(STOP_TIMEOUT).await
    }
}

async fn get(client: &Client, path: &str) -> Result<String> {
    let request = http::Request::get(path).body(Vec::new())?;
    Ok(client.request_text(request).await?)
}

fn client(port: u16) -> Result<Client> {
    let address = format!("http://127.0.0.1:{port}").parse().context("parse an address")?;
    Ok(probe::client(Config::new(address))?)
}

/// Ports that were free a moment ago.
fn free_ports() -> Result<[u16; 2]> {
    let listen = || TcpListener::bind(("127.0.0.1", 0)).context("no free loopback port");
    let listeners = [listen()?, listen()?];
    let port = |at: usize| listeners[at].local_addr().map(|address| address.port());
    Ok([port(0)?, port(1)?])
}
