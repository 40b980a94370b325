//! A whole cluster on this machine: the real controllers and scheduler around the control plane,
//! kwok as kubelets, and a simulated sidecar for every node.
//!
//! Pods of SeiNodes start, become ready with their sidecar and take its readiness with them when
//! they go. What goes wrong is asked for by name: an image with `missing` cannot be pulled, one
//! with `noexec` has no such program, `crash` and `oom` end soon after each start, capitals before
//! the tag are no valid reference; claims in a namespace with `no-volumes` get none; a machine
//! labelled `local.sei.io/power=off` is silent. Nothing here knows the operator, which is started
//! beside it as a process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use kube::Client;
use sei_sidecar_sim::Sidecars;
use sei_sidecar_sim::http::HttpFront;
use tempfile::TempDir;

use crate::assets;
use crate::control_plane::{ControlPlane, ControlPlaneOptions, Server};

mod components;
mod kubelets;
pub mod machines;
mod objects;
mod operator;
mod sidecar_lives;

pub use objects::{NODE_POOL, NODE_SERVICE_ACCOUNT};
pub use operator::{Operator, operator_environment};

/// How a local cluster behaves.
#[derive(Clone, Debug)]
pub struct LocalClusterOptions {
    /// How long a pod takes from its scheduling to running.
    pub pod_start: Duration,
    /// How long a component may take to stop before it is killed.
    pub stop_timeout: Duration,
}

impl Default for LocalClusterOptions {
    fn default() -> Self {
        Self { pod_start: Duration::from_millis(300), stop_timeout: Duration::from_secs(5) }
    }
}

/// A running local cluster; nothing of it outlives this value.
pub struct LocalCluster {
    // Field order is drop order: what uses the API server goes before it.
    kubelets: kubelets::Kubelets,
    components: Vec<Server>,
    front: HttpFront,
    sidecars: Sidecars,
    control_plane: ControlPlane,
    client: Client,
    options: LocalClusterOptions,
    _dir: TempDir,
}

impl LocalCluster {
    /// Starts everything and waits until pods can be scheduled.
    ///
    /// # Errors
    /// Binaries are missing, or a component ended; the message shows the end of its log.
    pub async fn start(options: LocalClusterOptions) -> Result<Self> {
        let mut plane = ControlPlaneOptions::from_env()?;
        // The controllers that these two plugins wait for run here.
        plane.api_server_flags =
            BTreeMap::from([("disable-admission-plugins".to_owned(), String::new())]);
        let control_plane = ControlPlane::start(plane).await?;
        let client = control_plane.client()?;
        let dir = tempfile::Builder::new().prefix("sei-local-").tempdir()?;
        let mut components = components::start(&control_plane, dir.path(), options.pod_start)?;
        objects::create(&client).await?;
        let sidecars = Sidecars::strict();
        let front = HttpFront::start(sidecars.clone()).await.context("serve the sidecars")?;
        let kubelets = kubelets::Kubelets::start(client.clone(), sidecars.clone());
        components::await_working(&client, &mut components).await?;
        Ok(Self {
            kubelets,
            components,
            front,
            sidecars,
            control_plane,
            client,
            options,
            _dir: dir,
        })
    }

    /// An administrator's client, tied to the runtime that started the cluster.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The API server's version, e.g. `v1.34.4`.
    pub fn version(&self) -> &str {
        self.control_plane.version()
    }

    /// The administrator's kubeconfig; lives as long as the cluster.
    pub fn kubeconfig(&self) -> &Path {
        self.control_plane.kubeconfig_path()
    }

    /// The `kubectl` that was built with this control plane.
    ///
    /// # Errors
    /// It is not among the binaries.
    pub fn kubectl(&self) -> Result<PathBuf> {
        assets::binary("kubectl")
    }

    /// The simulated sidecars, to program them and to look into them.
    pub fn sidecars(&self) -> &Sidecars {
        &self.sidecars
    }

    /// Where a node's sidecar is: a base URL with the placeholders `{namespace}` and `{node}`.
    pub fn sidecar_url_template(&self) -> String {
        self.front.url_template()
    }

    /// A namespace in which the pods of SeiNodes can run.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn create_namespace(&self, name: &str) -> Result<()> {
        objects::create_namespace(&self.client, name).await
    }

    /// Starts the operator's program as a user who has the generated role and nothing more.
    ///
    /// # Errors
    /// It is not ready in time; the message shows the end of its log.
    pub async fn start_operator(&self, program: &Path) -> Result<Operator> {
        objects::grant_role(&self.client).await?;
        let kubeconfig = self.control_plane.user_kubeconfig(objects::OPERATOR_USER, &[])?;
        let environment = operator_environment(&kubeconfig, &self.sidecar_url_template());
        Operator::start(program, &environment).await
    }

    /// The end of every component's log.
    pub fn logs(&self, lines: usize) -> String {
        let tail = |server: &Server| format!("--- {}\n{}\n", server.name(), server.log_tail(lines));
        let components: String = self.components.iter().map(tail).collect();
        self.control_plane.logs(lines) + &components
    }

    /// Stops everything, the API server last.
    ///
    /// # Errors
    /// A process cannot be waited for.
    pub async fn stop(self) -> Result<()> {
        self.kubelets.stop().await;
        for component in self.components {
            component.stop(self.options.stop_timeout).await?;
        }
        drop(self.front);
        self.control_plane.stop().await
    }
}
