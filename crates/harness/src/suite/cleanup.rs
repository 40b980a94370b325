//! What happens after each test, in an order that lets the controllers do their part.

use std::fmt::Debug;
use std::time::Duration;

use kube::api::{ApiResource, DeleteParams, ListParams, Patch, PatchParams};
use kube::core::DynamicObject;
use kube::{Api, Resource, ResourceExt};
use sei_api::gateway::HttpRoute;
use sei_api::k8s::{
    ConfigMap, Event, Job, Namespace, PersistentVolumeClaim, Pod, Service, StatefulSet,
};
use sei_api::{SeiNode, SeiNodeDeployment, SeiNodeTask};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::TestEnv;

const POLL: Duration = Duration::from_millis(50);

/// Cleans up and returns what went wrong, in words. Never gives up half-way.
pub(super) async fn clean_up(env: &TestEnv) -> Vec<String> {
    let mut problems = Vec::new();
    if env.options.abandoned {
        env.kill_controllers().await;
        env.faker.stop().await;
        if let Some(gc) = &env.gc {
            gc.stop().await;
        }
        // The only thing that runs out: each holds an address of the cluster's few.
        let services: Api<Service> = env.api();
        let params = DeleteParams::background();
        if let Err(err) = services.delete_collection(&params, &ListParams::default()).await {
            problems.push(format!("the Services are left behind: {err}"));
        }
        return problems;
    }
    env.faker.resume();
    // A test that killed its controllers still owes its objects their finalizers.
    if let Err(err) = env.start_controllers().await {
        problems.push(format!("the controllers did not start for the clean-up: {err:#}"));
    }
    // Fleets first: as long as they exist they make their nodes anew.
    remove::<SeiNodeDeployment>(env, &mut problems).await;
    remove::<SeiNode>(env, &mut problems).await;
    remove::<SeiNodeTask>(env, &mut problems).await;
    if let Err(err) = env.stop_controllers().await {
        problems.push(format!("{err:#}"));
    }
    env.faker.stop().await;
    if let Some(gc) = &env.gc {
        gc.stop().await;
    }
    sweep(env).await;
    problems
}

/// Deletes all objects of a kind and waits; what stays is reported and stripped.
async fn remove<K>(env: &TestEnv, problems: &mut Vec<String>)
where
    K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + DeserializeOwned,
{
    let api: Api<K> = env.api();
    let deadline = Instant::now() + env.options.clean_up_limit;
    let left = loop {
        let left = match api.list(&ListParams::default()).await {
            Ok(list) => list.items,
            Err(err) => {
                problems.push(format!("cannot list {}: {err}", K::plural(&())));
                return;
            }
        };
        if left.is_empty() || Instant::now() > deadline {
            break left;
        }
        for object in left.iter().filter(|object| object.meta().deletion_timestamp.is_none()) {
            // Gone already, or refused for a reason that the deadline will tell.
            let _ = api.delete(&object.name_any(), &DeleteParams::background()).await;
        }
        sleep(POLL).await;
    };
    for object in left {
        let (name, finalizers) = (object.name_any(), object.finalizers().to_vec());
        let kind = K::kind(&());
        problems.push(format!("leaked finalizer: {kind} \"{name}\" keeps {finalizers:?}"));
        let patch = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
        if let Err(err) = api.patch(&name, &PatchParams::default(), &patch).await {
            problems.push(format!("cannot strip the finalizers of {kind} \"{name}\": {err}"));
        }
    }
}

/// Deletes the rest without waiting; nothing here is anybody's failure.
async fn sweep(env: &TestEnv) {
    let kinds = [
        ApiResource::erase::<StatefulSet>(&()),
        ApiResource::erase::<Job>(&()),
        ApiResource::erase::<Pod>(&()),
        ApiResource::erase::<Service>(&()),
        ApiResource::erase::<PersistentVolumeClaim>(&()),
        ApiResource::erase::<ConfigMap>(&()),
        ApiResource::erase::<HttpRoute>(&()),
        ApiResource::erase::<Event>(&()),
    ];
    let client = (*env.client).clone();
    // A pod without kubelet would wait for its grace period for ever.
    let params = DeleteParams::background().grace_period(0);
    for kind in kinds {
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &env.ns, &kind);
        // The namespace is never used again: what stays disturbs nobody.
        if let Err(err) = api.delete_collection(&params, &ListParams::default()).await {
            tracing::debug!(kind = kind.kind, %err, "left behind");
        }
    }
    let namespaces: Api<Namespace> = Api::all(client);
    // It stays Terminating: nothing finalizes namespaces here.
    let _ = namespaces.delete(&env.ns, &DeleteParams::background()).await;
}
