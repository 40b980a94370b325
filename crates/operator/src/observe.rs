//! Does the reads that a round asks for; failures are values, and nothing here decides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{OptionFuture, join, join_all, join4};
use jiff::Timestamp;
use sei_api::{SeiNode, SeiNodeDeployment, k8s, labels};
use sei_core::deployment::{self, DoorNeeds, Doors, Resolution, Routes, Workload};
use sei_core::effect::Resource;
use sei_core::name::{FleetName, NodeName};
use sei_core::node::{self, Pods, Seen};

use crate::cluster::store::{Cached, Presence, Store};
use crate::cluster::{Key, Object, read};
use crate::context::Context;

/// What a round over `node` reads.
pub async fn node(context: &Context, object: &SeiNode, needs: node::Needs) -> node::Observed {
    let key = Key::of(&object.metadata);
    let names = names_of(object);
    let confirm = |resource| needs.confirm.contains(&resource);
    let stores = &context.stores;
    let objects = join4(
        seen(context, (&stores.statefulsets, &names.statefulset), confirm(Resource::StatefulSet)),
        seen(context, (&stores.services, &names.service), confirm(Resource::Service)),
        seen(context, (&stores.claims, &names.claim), confirm(Resource::Claim)),
        seen(context, (&stores.config_maps, &names.config_map), confirm(Resource::ConfigMap)),
    );
    let sidecar = context.sidecars.of(&key);
    let told = join(
        OptionFuture::from(needs.task.map(|id| sidecar.get(id))),
        OptionFuture::from(needs.health.map(|max_age| context.sidecars.health(&key, max_age))),
    );
    let ((statefulset, service, claim, config_map), (task, health)) = join(objects, told).await;
    let worthwhile = matches!(&statefulset, Seen::Here(set) if node::is_provable(object, set));
    let pods = pods(context, (&key, &names.pod), needs.confirm_pods && worthwhile).await;
    let now = whole_seconds(context.clock.now());
    node::Observed {
        now,
        host: host(context, (object, &pods, now), needs.host).await,
        fresh_id: context.ids.fresh(),
        statefulset,
        service,
        claim,
        config_map,
        pods,
        peers: peers(context, object),
        task,
        health,
    }
}

/// What a round over `fleet` reads.
pub async fn deployment(
    context: &Context,
    fleet: &SeiNodeDeployment,
    needs: deployment::Needs,
) -> deployment::Observed {
    let key = Key::of(&fleet.metadata);
    let service = Key::new(&key.namespace, FleetName::of(fleet).internal_service().as_str());
    let internal_service =
        seen(context, (&context.stores.fleet_services, &service), needs.confirm_service);
    let doors = doors(context, fleet, needs.doors);
    let (internal_service, doors) = join(internal_service, doors).await;
    let labelled = context.stores.nodes.labelled(&key.namespace, (FLEET, &key.name));
    let labelled = labelled.iter().filter_map(|node| node.metadata.name.clone());
    let names: BTreeSet<String> = needs.names.into_iter().chain(labelled).collect();
    let mut children = BTreeMap::new();
    for name in names {
        let child = child(context, &Key::new(&key.namespace, &name)).await;
        children.insert(name, child);
    }
    let workloads = children
        .keys()
        .map(|name| (name.clone(), workload(context, &Key::new(&key.namespace, name))))
        .collect();
    deployment::Observed {
        now: whole_seconds(context.clock.now()),
        fresh_id: context.ids.fresh(),
        children,
        workloads,
        internal_service,
        doors,
    }
}

/// What a round over `fleet` reads for its public face.
async fn doors(context: &Context, fleet: &SeiNodeDeployment, needs: DoorNeeds) -> Doors {
    let (key, stores) = (&Key::of(&fleet.metadata), &context.stores);
    let service = Key::new(&key.namespace, FleetName::of(fleet).external_service().as_str());
    let service = seen(context, (&stores.fleet_services, &service), needs.confirm_service);
    let (service, routes) = join(service, routes(context, key, needs.routes)).await;
    let name = match needs.host {
        Some(host) => context.names.ask(key, &host),
        None => {
            context.names.forget(key);
            Resolution::Unknown
        }
    };
    Doors { service, routes, name }
}

async fn routes(context: &Context, fleet: &Key, wanted: Vec<String>) -> Routes {
    let store = &context.stores.routes;
    match store.presence() {
        Presence::Unknown => return Routes::Unlisted,
        Presence::Unreadable => return Routes::Unreadable,
        Presence::Missing => return Routes::NotInstalled,
        Presence::Served => {}
    }
    let labelled = store.labelled(&fleet.namespace, (FLEET, &fleet.name));
    let labelled = labelled.iter().filter_map(|it| it.metadata.name.clone());
    let names: BTreeSet<String> = wanted.iter().cloned().chain(labelled).collect();
    let looks = names.into_iter().map(|name| {
        let confirm = wanted.contains(&name);
        async move {
            let key = Key::new(&fleet.namespace, &name);
            let route = seen(context, (store, &key), confirm).await;
            (name, route)
        }
    });
    Routes::Known(join_all(looks).await.into_iter().collect())
}

const FLEET: &str = labels::NODEDEPLOYMENT;

/// Keys of the objects of one node.
struct Names {
    statefulset: Key,
    service: Key,
    claim: Key,
    config_map: Key,
    pod: Key,
}

fn names_of(node: &SeiNode) -> Names {
    let name = NodeName::of(node);
    let import = node.spec.data_volume.as_ref().and_then(|it| it.import.as_ref());
    let import = import.map(|it| it.pvc_name.clone()).filter(|it| !it.is_empty());
    let namespace = node.metadata.namespace.as_deref().unwrap_or_default();
    let key = |name: &str| Key::new(namespace, name);
    Names {
        statefulset: key(name.as_str()),
        service: key(name.as_str()),
        claim: key(&import.unwrap_or_else(|| name.claim().into())),
        config_map: key(name.proxy_config().as_str()),
        pod: key(name.pod().as_str()),
    }
}

/// One object: from the store; from the API server if the store has none and that must be
/// confirmed, or if the store has been behind our own write for too long.
async fn seen<K: Object>(
    context: &Context,
    (store, key): (&Store<K>, &Key),
    confirm: bool,
) -> Seen<K> {
    match store.get(key) {
        Cached::Here(object) => return Seen::Here(object),
        Cached::Absent if !confirm => return Seen::Unconfirmed,
        Cached::Stale(age) if !is_overdue(context, age) => return Seen::Stale,
        Cached::Absent => {}
        Cached::Stale(_) => store.renew(key),
    }
    match read::get(&context.client.0, &context.limits, key).await {
        Ok(Some(object)) => Seen::Here(Arc::new(object)),
        Ok(None) => Seen::Absent,
        Err(fault) => {
            let what = format!("{} \"{}\"", K::kind(&()), key.name);
            Seen::Unreadable(fault.of_read(&what))
        }
    }
}

/// A child: the store holds every node, so that its silence proves that there is none.
async fn child(context: &Context, key: &Key) -> Seen<SeiNode> {
    match seen(context, (&context.stores.nodes, key), false).await {
        Seen::Unconfirmed => Seen::Absent,
        other => other,
    }
}

fn workload(context: &Context, node: &Key) -> Workload {
    Workload {
        statefulset: context.stores.statefulsets.peek(node),
        pods: context.stores.pods.labelled(&node.namespace, (labels::NODE, &node.name)),
    }
}

/// The pods of a node; asked for if the store has none and that must be confirmed.
///
/// By name, since a StatefulSet of one has one: a listing may wait until the API server's own cache
/// has caught up, which takes it 100 ms where no pod changes.
async fn pods(context: &Context, (node, only): (&Key, &Key), confirm: bool) -> Pods {
    let store = &context.stores.pods;
    let cached = store.labelled(&node.namespace, (labels::NODE, &node.name));
    let mut overdue = false;
    for pod in &cached {
        let key = Key::of(&pod.metadata);
        match store.get(&key) {
            Cached::Here(_) | Cached::Absent => {}
            Cached::Stale(age) if is_overdue(context, age) => {
                store.renew(&key);
                overdue = true;
            }
            Cached::Stale(_) => return Pods::Unconfirmed,
        }
    }
    if !overdue {
        if !cached.is_empty() {
            return Pods::Known(cached);
        }
        if !confirm {
            return Pods::Unconfirmed;
        }
    }
    match read::get(&context.client.0, &context.limits, only).await {
        Ok(pod) => Pods::Known(pod.map(Arc::new).into_iter().collect()),
        Err(fault) => Pods::Unreadable(fault.of_read(&format!("Pod \"{}\"", only.name))),
    }
}

/// The machine under a pod, if it has to be looked at.
async fn host(
    context: &Context,
    (node, pods, now): (&SeiNode, &Pods, Timestamp),
    max_age: Option<Duration>,
) -> Option<Seen<k8s::Node>> {
    let name = node::suspect(node, pods, now, &context.tempo)?;
    let client = (&context.client, &context.limits);
    Some(context.hosts.get(client, name, max_age?).await)
}

fn peers(context: &Context, node: &SeiNode) -> Vec<Arc<SeiNode>> {
    let mut found = Vec::new();
    for query in node::peer_queries(node) {
        let nodes = context.stores.nodes.in_namespace(&query.namespace);
        found.extend(nodes.into_iter().filter(|node| query.matches(node)));
    }
    found
}

fn is_overdue(context: &Context, age: Duration) -> bool {
    age >= context.limits.stale_max
}

/// What a status can hold: parts of a second are cut off.
fn whole_seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
