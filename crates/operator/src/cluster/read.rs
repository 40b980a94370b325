//! Reads past the stores, each with a time limit: only where a store's silence proves nothing.

use kube::{Api, Client};
use sei_api::k8s;
use tokio::time::timeout;

use super::fault::ApiFault;
use super::{Key, Object};
use crate::limits::Limits;

/// One object; `None` if the API server says that there is none.
///
/// # Errors
/// No answer, or a refusal.
pub async fn get<K: Object>(
    client: &Client,
    limits: &Limits,
    key: &Key,
) -> Result<Option<K>, ApiFault> {
    let api = Api::<K>::namespaced(client.clone(), &key.namespace);
    timeout(limits.request_timeout, api.get_opt(&key.name)).await?.map_err(ApiFault::of)
}

/// One machine of the cluster; `None` if the API server says that there is none.
///
/// # Errors
/// No answer, or a refusal.
pub async fn host(
    client: &Client,
    limits: &Limits,
    name: &str,
) -> Result<Option<k8s::Node>, ApiFault> {
    let api = Api::<k8s::Node>::all(client.clone());
    timeout(limits.request_timeout, api.get_opt(name)).await?.map_err(ApiFault::of)
}
