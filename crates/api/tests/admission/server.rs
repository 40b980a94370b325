//! The API server of this process and the requests that the tests send to it.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use kube::Client;
use sei_harness::{ControlPlane, ControlPlaneOptions};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(Runtime::new);
static SHARED: OnceCell<Server> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Said along with other errors when rules could not run.
const RULES_SKIPPED: &str = "some validation rules were not checked";

/// An API server with the CRDs of this project.
pub struct Server {
    client: Client,
    /// Keeps the processes alive.
    _plane: ControlPlane,
}

/// Why a request was refused: (field, message) of each cause, or ("", message) without causes.
pub type Causes = Vec<(String, String)>;

/// Runs a test on the server that all tests of this process share.
pub fn with_server(test: impl AsyncFnOnce(&Server) -> Result<()>) {
    let outcome = on_runtime(async || {
        let server =
            SHARED.get_or_try_init(|| Server::start(ControlPlaneOptions::from_env)).await?;
        test(server).await
    });
    assert!(outcome.is_ok(), "{:#}", outcome.err().unwrap_or_else(|| anyhow::anyhow!("no error")));
}

/// Runs a future on the runtime that outlives each test: a client dies with its runtime.
pub fn on_runtime<T>(test: impl AsyncFnOnce() -> Result<T>) -> Result<T> {
    let runtime = RUNTIME.as_ref().map_err(|err| anyhow::anyhow!("no runtime: {err}"))?;
    runtime.block_on(test())
}

/// A name that no other object of this process has.
pub fn fresh_name() -> String {
    format!("o{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Server {
    /// Starts a server of its own.
    pub async fn start(options: impl FnOnce() -> Result<ControlPlaneOptions>) -> Result<Self> {
        let plane = ControlPlane::start(options()?).await?;
        Ok(Self { client: plane.client()?, _plane: plane })
    }

    /// A client for typed access.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Creates an object, unknown fields being an error.
    pub async fn create(&self, plural: &str, object: &Value) -> Result<Result<Value, Causes>> {
        let path = format!("{}?fieldValidation=Strict", collection(plural));
        let request = http::Request::post(path).header("Content-Type", "application/json");
        self.send(request.body(serde_json::to_vec(object)?)?).await
    }

    /// Merge-patches an object or, with `name/status`, a subresource of it.
    pub async fn patch(
        &self,
        plural: &str,
        name: &str,
        change: &Value,
    ) -> Result<Result<Value, Causes>> {
        let path = format!("{}/{name}?fieldValidation=Strict", collection(plural));
        let merge = "application/merge-patch+json";
        let request = http::Request::patch(path).header("Content-Type", merge);
        self.send(request.body(serde_json::to_vec(change)?)?).await
    }

    /// Applies a document to an object or a subresource of it as `manager`, without force.
    pub async fn apply(
        &self,
        plural: &str,
        (name, manager): (&str, &str),
        document: &Value,
    ) -> Result<Result<Value, Causes>> {
        let path = format!("{}/{name}?fieldManager={manager}", collection(plural));
        let request =
            http::Request::patch(path).header("Content-Type", "application/apply-patch+yaml");
        self.send(request.body(serde_json::to_vec(document)?)?).await
    }

    /// The object as the server returns it, or a subresource of it.
    pub async fn get(&self, plural: &str, name: &str) -> Result<Value> {
        self.get_as(&format!("{}/{name}", collection(plural)), "application/json").await
    }

    /// The list of a kind as a table.
    pub async fn table(&self, plural: &str) -> Result<Value> {
        let accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
        self.get_as(&collection(plural), accept).await
    }

    /// Deletes an object.
    pub async fn delete(&self, plural: &str, name: &str) -> Result<Result<Value, Causes>> {
        let path = format!("{}/{name}", collection(plural));
        self.send(http::Request::delete(path).body(Vec::new())?).await
    }

    async fn get_as(&self, path: &str, accept: &str) -> Result<Value> {
        let request = http::Request::get(path).header("Accept", accept).body(Vec::new())?;
        self.client.request(request).await.with_context(|| format!("cannot read \"{path}\""))
    }

    async fn send(&self, request: http::Request<Vec<u8>>) -> Result<Result<Value, Causes>> {
        let asked = format!("{} {}", request.method(), request.uri());
        match self.client.request(request).await {
            Ok(object) => Ok(Ok(object)),
            Err(kube::Error::Api(status)) => Ok(Err(causes(&status))),
            Err(err) => Err(err).context(asked),
        }
    }
}

fn causes(status: &kube::core::Status) -> Causes {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let mut causes: Causes = causes
        .map(|cause| (cause.field.clone(), cause.message.clone()))
        .filter(|(_, message)| !message.contains(RULES_SKIPPED))
        .collect();
    if causes.is_empty() {
        causes.push((String::new(), status.message.clone()));
    }
    causes
}

fn collection(plural: &str) -> String {
    format!("/apis/sei.io/v1alpha1/namespaces/default/{plural}")
}
