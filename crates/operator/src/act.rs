//! Performs effects: each is one call, and its outcome is what the call answered.

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, stream};
use sei_api::k8s;
use sei_core::effect::{Desired, Effect, Outcome, Resource, Target};
use sei_core::fault::{Class, Fault};
use sei_sidecar_api::{Class as SidecarClass, TaskRequest};
use serde_json::{Value, json};

use crate::cluster::fault::ApiFault;
use crate::cluster::store::Store;
use crate::cluster::write::Writer;
use crate::cluster::{Key, Object};
use crate::context::Context;
use crate::controller::Controller;
use crate::kind::Kind;

/// Performs the effects of one decision, side by side; the outcomes are in their order.
pub async fn act<K: Kind>(
    context: &Context,
    object: &K::Object,
    effects: &[Effect],
) -> Vec<Outcome> {
    let actor = &Actor::<K> { context, object };
    // Boxed, because the compiler cannot see that a closure over a borrowed effect gives a future
    // that may move between threads.
    let acting: Vec<BoxFuture<'_, Outcome>> =
        effects.iter().map(|effect| actor.outcome(effect).boxed()).collect();
    stream::iter(acting).buffered(context.limits.effects_at_once.max(1)).collect().await
}

/// The object on whose behalf we act.
struct Actor<'a, K: Kind> {
    context: &'a Context,
    object: &'a K::Object,
}

/// UID of what was written, or why it was not.
type Done = Result<Option<String>, Fault>;

impl<K: Kind> Actor<'_, K> {
    async fn outcome(&self, effect: &Effect) -> Outcome {
        let done = match effect {
            Effect::Apply { object, over } => self.apply(object, over.as_deref()).await,
            Effect::Create(object) => self.create(object).await,
            Effect::SetOwners { target, owners } => self.set_owners(target, owners).await,
            Effect::Delete(target) => self.delete(target).await,
            Effect::RemoveFinalizer => self.remove_finalizer().await,
            Effect::Submit(request) => self.submit(request).await,
        };
        match done {
            Ok(uid) => Outcome::Done { uid },
            Err(fault) => {
                tracing::debug!(class = ?fault.class, %fault, "effect failed");
                Outcome::Failed(fault)
            }
        }
    }

    async fn apply(&self, object: &Desired, over: Option<&str>) -> Done {
        let body = object.to_value().map_err(|error| Fault::terminal(error.to_string()))?;
        let key = self.key(object.name());
        let stores = &self.context.stores;
        let result = match object.resource() {
            Resource::SeiNode => uid(self.writer(&stores.nodes).apply(&key, body, over).await),
            Resource::StatefulSet => {
                uid(self.writer(&stores.statefulsets).apply(&key, body, over).await)
            }
            Resource::Service => uid(self.writer(self.services()).apply(&key, body, over).await),
            Resource::Claim => uid(self.writer(&stores.claims).apply(&key, body, over).await),
            Resource::ConfigMap => {
                uid(self.writer(&stores.config_maps).apply(&key, body, over).await)
            }
            Resource::HttpRoute => uid(self.writer(&stores.routes).apply(&key, body, over).await),
            Resource::SeiNodeDeployment | Resource::Pod | Resource::Event => {
                return Err(unbuilt(object.resource()));
            }
        };
        result.map_err(|fault| fault.of_write(&what(object.resource(), object.name())))
    }

    async fn create(&self, object: &Desired) -> Done {
        let key = self.key(object.name());
        let stores = &self.context.stores;
        let result = match object {
            Desired::SeiNode(it) => uid(self.writer(&stores.nodes).create(&key, it).await),
            Desired::StatefulSet(it) => {
                uid(self.writer(&stores.statefulsets).create(&key, it).await)
            }
            Desired::Service(it) => uid(self.writer(self.services()).create(&key, it).await),
            Desired::Claim(it) => uid(self.writer(&stores.claims).create(&key, it).await),
            Desired::ConfigMap(it) => uid(self.writer(&stores.config_maps).create(&key, it).await),
            Desired::HttpRoute(it) => uid(self.writer(&stores.routes).create(&key, it).await),
        };
        result.map_err(|fault| fault.of_write(&what(object.resource(), object.name())))
    }

    async fn set_owners(&self, target: &Target, owners: &[k8s::OwnerReference]) -> Done {
        let metadata = json!({ "ownerReferences": owners });
        let stores = &self.context.stores;
        let result = match target.resource {
            Resource::SeiNode => self.patch(&stores.nodes, target, metadata).await,
            Resource::StatefulSet => self.patch(&stores.statefulsets, target, metadata).await,
            Resource::Service => self.patch(self.services(), target, metadata).await,
            Resource::Claim => self.patch(&stores.claims, target, metadata).await,
            Resource::ConfigMap => self.patch(&stores.config_maps, target, metadata).await,
            Resource::HttpRoute => self.patch(&stores.routes, target, metadata).await,
            Resource::SeiNodeDeployment | Resource::Pod | Resource::Event => {
                return Err(unbuilt(target.resource));
            }
        };
        result.map_err(|fault| fault.of_write(&what(target.resource, &target.name)))
    }

    async fn delete(&self, target: &Target) -> Done {
        let stores = &self.context.stores;
        let result = match target.resource {
            Resource::SeiNode => self.remove(&stores.nodes, target).await,
            Resource::Pod => self.remove(&stores.pods, target).await,
            Resource::Claim => self.remove(&stores.claims, target).await,
            Resource::Service => self.remove(self.services(), target).await,
            Resource::HttpRoute => self.remove(&stores.routes, target).await,
            Resource::SeiNodeDeployment
            | Resource::StatefulSet
            | Resource::ConfigMap
            | Resource::Event => return Err(unbuilt(target.resource)),
        };
        let failed = |fault: ApiFault| fault.of_write(&what(target.resource, &target.name));
        result.map_err(failed).map(|()| None)
    }

    /// That the object is gone already is success.
    async fn remove_finalizer(&self) -> Done {
        let meta = self.meta();
        let finalizers = meta.finalizers.iter().flatten();
        let kept: Vec<&String> = finalizers.filter(|it| *it != K::FINALIZER).collect();
        let key = Key::of(meta);
        let store = K::store(&self.context.stores);
        let version = meta.resource_version.as_deref().unwrap_or_default();
        let metadata = json!({ "finalizers": kept });
        match self.writer(store).patch_metadata(&key, metadata, version).await {
            // Others hold it still.
            Ok(_) if !kept.is_empty() => Ok(None),
            // With the last one the object goes, which its watch has yet to show.
            Ok(_) | Err(ApiFault::NotFound) => {
                store.deleted(&key, meta.uid.as_deref().unwrap_or_default());
                Ok(None)
            }
            Err(fault) => Err(fault.of_write(&format!("{} \"{}\"", K::KIND, key.name))),
        }
    }

    async fn submit(&self, request: &TaskRequest) -> Done {
        let sidecar = self.context.sidecars.of(&Key::of(self.meta()));
        sidecar.submit(request).await.map(|_| None).map_err(|error| {
            let class = match error.class() {
                SidecarClass::Transient => Class::Transient,
                SidecarClass::Permanent => Class::Terminal,
            };
            Fault::new(class, error.to_string())
        })
    }

    async fn patch<T: Object>(
        &self,
        store: &Store<T>,
        target: &Target,
        metadata: Value,
    ) -> Result<Option<String>, ApiFault> {
        let key = self.key(&target.name);
        let writer = self.writer(store);
        uid(writer.patch_metadata(&key, metadata, &target.resource_version).await)
    }

    async fn remove<T: Object>(&self, store: &Store<T>, target: &Target) -> Result<(), ApiFault> {
        let key = self.key(&target.name);
        self.writer(store).delete(&key, &target.uid, &target.resource_version).await
    }

    fn writer<'s, T>(&'s self, store: &'s Store<T>) -> Writer<'s, T> {
        let Context { client, limits, .. } = self.context;
        Writer { client: &client.0, limits, store, manager: K::MANAGER }
    }

    /// Where the Services of this kind are cached.
    fn services(&self) -> &Store<k8s::Service> {
        match K::CONTROLLER {
            Controller::Node => &self.context.stores.services,
            Controller::Deployment => &self.context.stores.fleet_services,
        }
    }

    fn key(&self, name: &str) -> Key {
        Key::new(self.meta().namespace.as_deref().unwrap_or_default(), name)
    }

    fn meta(&self) -> &k8s::ObjectMeta {
        k8s::Resource::meta(self.object)
    }
}

fn uid<T: Object>(written: Result<T, ApiFault>) -> Result<Option<String>, ApiFault> {
    written.map(|object| object.meta().uid.clone())
}

/// The kind as people know it.
fn word(resource: Resource) -> &'static str {
    match resource {
        Resource::SeiNodeDeployment => "SeiNodeDeployment",
        Resource::SeiNode => "SeiNode",
        Resource::StatefulSet => "StatefulSet",
        Resource::Pod => "Pod",
        Resource::Service => "Service",
        Resource::Claim => "PersistentVolumeClaim",
        Resource::ConfigMap => "ConfigMap",
        Resource::HttpRoute => "HTTPRoute",
        Resource::Event => "Event",
    }
}

fn what(resource: Resource, name: &str) -> String {
    format!("{} \"{name}\"", word(resource))
}

/// A write that no role of ours allows.
fn unbuilt(resource: Resource) -> Fault {
    Fault::terminal(format!("the operator does not write a {} this way", word(resource)))
}

#[cfg(test)]
mod tests;
