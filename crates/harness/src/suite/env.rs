//! What one test has: its namespace, its doubles, its controllers, its records.

use std::sync::Arc;

use anyhow::{Context, Result};
use kube::api::{DeleteParams, PostParams};
use kube::{Api, Client};
use sei_api::k8s::{CustomResourceDefinition, Namespace, StatefulSet};
use sei_api::{SeiNode, SeiNodeDeployment};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{Cluster, ControllerInputs, Controllers, RunOptions};
use crate::control_plane::{gateway_crds, install_crds};
use crate::gc::GarbageCollector;
use crate::history::StatusHistory;
use crate::request_log::RequestLog;
use crate::scope::Scope;
use crate::status_faker::StatusFaker;
use crate::stubs::{Sidecars, StubResolver};

/// What one test has. Everything in it ends with the test.
#[derive(Debug)]
pub struct TestEnv {
    /// The test's own namespace, `envtest-` and eight characters.
    pub ns: String,
    /// An administrator's client.
    pub client: ClientHandle,
    /// Plays the StatefulSet controller of the namespace.
    pub faker: StatusFaker,
    /// The sidecars of all nodes.
    pub sidecars: Sidecars,
    /// Name resolution; resolves nothing at first.
    pub dns: StubResolver,
    /// What the controllers sent, and faults in its way.
    pub requests: RequestLog,
    /// Every version of the objects in the namespace.
    pub history: Histories,
    pub(super) gc: Option<GarbageCollector>,
    pub(super) controllers: Mutex<Option<Controllers>>,
    pub(super) options: RunOptions,
    cluster: Arc<Cluster>,
}

/// The recorded kinds.
#[derive(Debug)]
pub struct Histories {
    /// SeiNodeDeployments.
    pub deployments: StatusHistory<SeiNodeDeployment>,
    /// SeiNodes.
    pub nodes: StatusHistory<SeiNode>,
    /// StatefulSets.
    pub stateful_sets: StatusHistory<StatefulSet>,
}

/// A client; the library's own type cannot be printed.
#[derive(Clone)]
pub struct ClientHandle(Client);

impl std::ops::Deref for ClientHandle {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
    }
}

impl std::fmt::Debug for ClientHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl TestEnv {
    pub(super) async fn start(cluster: Arc<Cluster>, options: RunOptions) -> Result<Self> {
        let client = cluster.control_plane.client()?;
        let ns = new_namespace(&client).await?;
        let scope = Scope::Namespace(ns.clone());
        let history = Histories {
            deployments: StatusHistory::watch(client.clone(), &ns).await?,
            nodes: StatusHistory::watch(client.clone(), &ns).await?,
            stateful_sets: StatusHistory::watch(client.clone(), &ns).await?,
        };
        let env = Self {
            faker: StatusFaker::start(client.clone(), &scope),
            sidecars: Sidecars::new(),
            dns: StubResolver::new(),
            requests: RequestLog::new(),
            history,
            gc: options.collect_garbage.then(|| GarbageCollector::start(&client, &ns)),
            controllers: Mutex::new(None),
            client: ClientHandle(client),
            ns,
            options,
            cluster,
        };
        env.start_controllers().await?;
        Ok(env)
    }

    /// A namespaced kind in the test's namespace, as an administrator.
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.0.clone(), &self.ns)
    }

    /// Installs the Gateway API.
    ///
    /// # Errors
    /// When the server refuses a definition or does not serve it in time.
    pub async fn install_gateway_api(&self) -> Result<()> {
        install_crds(&self.client.0, &gateway_crds()).await.map(|_| ())
    }

    /// Removes the HTTPRoute kind, and with it every route; for tests with a control plane of their
    /// own.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn remove_httproute_kind(&self) -> Result<()> {
        let definitions: Api<CustomResourceDefinition> = Api::all(self.client.0.clone());
        let name = "httproutes.gateway.networking.k8s.io";
        definitions.delete(name, &DeleteParams::background()).await?;
        Ok(())
    }

    /// Restarts the API server; for tests with a control plane of their own. The history bridges
    /// what it misses meanwhile.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn restart_api_server(&self) -> Result<()> {
        self.history.deployments.bridge_holes();
        self.history.nodes.bridge_holes();
        self.history.stateful_sets.bridge_holes();
        self.cluster.control_plane.restart_api_server().await
    }

    /// Starts the controllers when there are none; the suite does so before the test begins.
    ///
    /// # Errors
    /// When their user cannot be made or they do not start.
    pub async fn start_controllers(&self) -> Result<()> {
        let Some(start) = self.options.controllers.clone() else { return Ok(()) };
        let mut controllers = self.controllers.lock().await;
        if controllers.is_none() {
            let inputs = ControllerInputs {
                client: self.requests.client(self.cluster.operator().await?)?,
                scope: self.options.scope(&self.ns),
                sidecars: self.sidecars.clone(),
                resolver: self.dns.clone(),
            };
            *controllers = Some(start(inputs).await.context("the controllers do not start")?);
        }
        Ok(())
    }

    /// Lets the controllers finish what they do and ends them.
    ///
    /// # Errors
    /// When they failed, panicked, ended before, or do not stop in time.
    pub async fn stop_controllers(&self) -> Result<()> {
        match self.controllers.lock().await.take() {
            Some(controllers) => controllers.stop().await,
            None => Ok(()),
        }
    }

    /// Ends the controllers at whatever point they are, as a crash does.
    pub async fn kill_controllers(&self) {
        if let Some(controllers) = self.controllers.lock().await.take() {
            controllers.kill().await;
        }
    }
}

async fn new_namespace(client: &Client) -> Result<String> {
    let id = Uuid::new_v4().simple().to_string();
    let name = format!("envtest-{}", &id[..8]);
    let mut namespace = Namespace::default();
    namespace.metadata.name = Some(name.clone());
    let api: Api<Namespace> = Api::all(client.clone());
    api.create(&PostParams::default(), &namespace)
        .await
        .with_context(|| format!("cannot create the namespace \"{name}\""))?;
    Ok(name)
}
