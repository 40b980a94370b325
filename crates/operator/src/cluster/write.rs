//! The requests that change something: method, precondition and manager, and nothing about why.

use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::fault::ApiFault;
use super::store::Store;
use super::{Key, Object};
use crate::limits::Limits;

/// Writes objects of one kind and tells its store, so that we read our own writes.
pub struct Writer<'a, K> {
    /// Sends the requests.
    pub client: &'a Client,
    /// Time limits.
    pub limits: &'a Limits,
    /// The store of the objects.
    pub store: &'a Store<K>,
    /// Who we say we are.
    pub manager: &'static str,
}

impl<K: Object> Writer<'_, K> {
    /// Server-side apply of `object`, complete in the fields that the manager owns. Forced iff
    /// `over` is given: the UID that the object has to have.
    ///
    /// # Errors
    /// See [`ApiFault`]; `Conflict` also when another object stands there.
    pub async fn apply(
        &self,
        key: &Key,
        mut object: Value,
        over: Option<&str>,
    ) -> Result<K, ApiFault> {
        let mut params = PatchParams::apply(self.manager);
        if let Some(uid) = over {
            params = params.force();
            object["metadata"]["uid"] = Value::from(uid);
        }
        let api = self.api(key);
        let patch = Patch::Apply(&object);
        let sent = api.patch(&key.name, &params, &patch);
        self.noted(key, timeout(self.limits.request_timeout, sent).await?)
    }

    /// Creates `object`.
    ///
    /// # Errors
    /// See [`ApiFault`]; `AlreadyExists` if there is one of its name.
    pub async fn create(&self, key: &Key, object: &K) -> Result<K, ApiFault> {
        let api = self.api(key);
        let params =
            PostParams { field_manager: Some(self.manager.to_owned()), ..PostParams::default() };
        let sent = api.create(&params, object);
        self.noted(key, timeout(self.limits.request_timeout, sent).await?)
    }

    /// Merge patch of `metadata`, if the object still has this resourceVersion.
    ///
    /// # Errors
    /// See [`ApiFault`]; `Conflict` if it has another.
    pub async fn patch_metadata(
        &self,
        key: &Key,
        mut metadata: Value,
        resource_version: &str,
    ) -> Result<K, ApiFault> {
        metadata["resourceVersion"] = Value::from(resource_version);
        let body = json!({ "metadata": metadata });
        let api = self.api(key);
        let params = self.merge_params();
        let patch = Patch::Merge(&body);
        let sent = api.patch(&key.name, &params, &patch);
        self.noted(key, timeout(self.limits.request_timeout, sent).await?)
    }

    /// Merge patch of `status`, if the object still has this resourceVersion.
    ///
    /// # Errors
    /// See [`ApiFault`]; `Conflict` if it has another.
    pub async fn patch_status(
        &self,
        key: &Key,
        status: Value,
        resource_version: &str,
    ) -> Result<K, ApiFault> {
        let metadata = json!({ "resourceVersion": resource_version });
        let body = json!({ "metadata": metadata, "status": status });
        let api = self.api(key);
        let params = self.merge_params();
        let patch = Patch::Merge(&body);
        let sent = api.patch_status(&key.name, &params, &patch);
        self.noted(key, timeout(self.limits.request_timeout, sent).await?)
    }

    /// Deletes the object that was seen, and no other; that it is gone already is success.
    ///
    /// # Errors
    /// See [`ApiFault`]; `Conflict` if it is no longer the one that was seen.
    pub async fn delete(
        &self,
        key: &Key,
        uid: &str,
        resource_version: &str,
    ) -> Result<(), ApiFault> {
        let preconditions = Preconditions {
            uid: Some(uid.to_owned()),
            resource_version: Some(resource_version.to_owned()),
        };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        let api = self.api(key);
        let sent = api.delete(&key.name, &params);
        match timeout(self.limits.request_timeout, sent).await? {
            Ok(answer) => {
                match answer.left() {
                    Some(terminating) => {
                        self.store.wrote(key, terminating.meta().resource_version.as_deref());
                    }
                    None => self.store.deleted(key, uid),
                }
                Ok(())
            }
            Err(error) => match ApiFault::of(error) {
                ApiFault::NotFound => {
                    self.store.deleted(key, uid);
                    Ok(())
                }
                other => Err(other),
            },
        }
    }

    fn noted(&self, key: &Key, answer: kube::Result<K>) -> Result<K, ApiFault> {
        let object = answer.map_err(ApiFault::of)?;
        self.store.wrote(key, object.meta().resource_version.as_deref());
        Ok(object)
    }

    fn merge_params(&self) -> PatchParams {
        PatchParams { field_manager: Some(self.manager.to_owned()), ..PatchParams::default() }
    }

    fn api(&self, key: &Key) -> Api<K> {
        Api::namespaced(self.client.clone(), &key.namespace)
    }
}
