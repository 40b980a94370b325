//! The way to the cluster: which one, and as whom.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kube::client::ClientBuilder;
use kube::config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tower::util::AndThenLayer;

use crate::metrics::Metrics;

mod patience;

/// There is no way to a cluster.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The file of `--kubeconfig` is of no use.
    #[error("cannot use kubeconfig \"{path}\", set by --kubeconfig")]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: KubeconfigError,
    },
    /// Nothing tells which cluster is meant.
    #[error("no cluster: set --kubeconfig or KUBECONFIG, or run in a pod with a ServiceAccount")]
    Infer(#[source] InferConfigError),
    /// The settings of the connection are of no use.
    #[error("cannot make a client for \"{url}\"")]
    Client {
        /// The API server.
        url: String,
        /// Why not.
        source: kube::Error,
    },
}

/// A client for the cluster of `kubeconfig`; without one, for that of `KUBECONFIG`,
/// `~/.kube/config` or the pod, in this order. Its requests are counted. Sends nothing itself.
///
/// The client does not retry: the passes have a back-off per object and the watches one each, and
/// a retry beneath them would be neither counted nor bounded by their time-outs. It waits, however,
/// where an overloaded API server asks for it.
///
/// # Errors
///
/// See [`ConnectError`].
pub async fn connect(
    kubeconfig: Option<&Path>,
    metrics: &Arc<Metrics>,
) -> Result<Client, ConnectError> {
    let mut config = match kubeconfig {
        Some(path) => from_file(path)
            .await
            .map_err(|source| ConnectError::Kubeconfig { path: path.to_owned(), source })?,
        None => Config::infer().await.map_err(ConnectError::Infer)?,
    };
    config.default_retry = false;
    let url = config.cluster_url.to_string();
    tracing::info!(url, namespace = config.default_namespace, "cluster");
    let builder =
        ClientBuilder::try_from(config).map_err(|source| ConnectError::Client { url, source })?;
    Ok(builder
        .with_layer(&metrics.count_requests())
        .with_layer(&AndThenLayer::new(patience::heed))
        .build())
}

async fn from_file(path: &Path) -> Result<Config, KubeconfigError> {
    let kubeconfig = Kubeconfig::read_from(path)?;
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await
}

/// Chooses who does the cryptography of every TLS connection of the process. To be called before
/// the first one is made; calls after the first change nothing.
pub fn use_ring() {
    // An error says that a provider was chosen before: by an earlier call.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests;
