//! The object of a pass: the newest that we can know of, with our finalizer on it.

use std::sync::Arc;

use sei_api::k8s;
use sei_core::fault::Fault;
use serde_json::json;

use crate::cluster::fault::ApiFault;
use crate::cluster::store::Cached;
use crate::cluster::write::Writer;
use crate::cluster::{Key, read};
use crate::context::Context;
use crate::kind::Kind;
use crate::metrics::ObjectName;

/// The object of a pass.
pub(super) enum Loaded<K: Kind> {
    /// Here it is.
    Here(Arc<K::Object>),
    /// It is gone.
    Absent,
    /// The cache is behind our own last write; the pass is skipped.
    Stale,
    /// Somebody else wrote it before our finalizer could.
    Conflict,
    /// It could not be read or prepared.
    Failed(Fault),
}

/// Loads `key`.
///
/// The finalizer is added here, because that moves the resourceVersion on which the status write
/// of the pass depends.
pub(super) async fn load<K: Kind>(context: &Context, key: &Key) -> Loaded<K> {
    let store = K::store(&context.stores);
    loop {
        match store.get(key) {
            Cached::Here(object) => return with_finalizer(context, key, object).await,
            Cached::Absent => return Loaded::Absent,
            Cached::Stale(age) if age >= context.limits.stale_max => break,
            // Between the two calls the watch may have brought what we would wait for.
            Cached::Stale(_) if !store.wait_for(key) => {}
            Cached::Stale(_) => {
                context.metrics.stale_skipped(ObjectName {
                    controller: K::CONTROLLER,
                    namespace: &key.namespace,
                    name: &key.name,
                });
                return Loaded::Stale;
            }
        }
    }
    store.renew(key);
    match read::get(&context.client.0, &context.limits, key).await {
        Ok(Some(object)) => with_finalizer(context, key, Arc::new(object)).await,
        Ok(None) => Loaded::Absent,
        Err(fault) => Loaded::Failed(fault.of_read(&format!("{} \"{}\"", K::KIND, key.name))),
    }
}

async fn with_finalizer<K: Kind>(
    context: &Context,
    key: &Key,
    object: Arc<K::Object>,
) -> Loaded<K> {
    let meta = k8s::Resource::meta(object.as_ref());
    let mut finalizers = meta.finalizers.clone().unwrap_or_default();
    if meta.deletion_timestamp.is_some() || finalizers.iter().any(|it| it == K::FINALIZER) {
        return Loaded::Here(object);
    }
    finalizers.push(K::FINALIZER.to_owned());
    let writer = Writer {
        client: &context.client.0,
        limits: &context.limits,
        store: K::store(&context.stores),
        manager: K::MANAGER,
    };
    let version = meta.resource_version.as_deref().unwrap_or_default();
    let metadata = json!({ "finalizers": finalizers });
    match writer.patch_metadata(key, metadata, version).await {
        Ok(object) => Loaded::Here(Arc::new(object)),
        Err(ApiFault::NotFound) => Loaded::Absent,
        Err(ApiFault::Conflict) => Loaded::Conflict,
        Err(fault) => Loaded::Failed(fault.of_write(&format!("{} \"{}\"", K::KIND, key.name))),
    }
}
