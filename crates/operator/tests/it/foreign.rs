//! Somebody else's object sits at one of our names: it is refused and said, never overwritten or
//! deleted, and the fleet comes up when it is gone.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use kube::Resource;
use kube::api::{DeleteParams, PostParams};
use kube::core::NamespaceResourceScope;
use sei_api::k8s::{Event, ObjectMeta, PersistentVolumeClaim, Service, StatefulSet};
use sei_api::{SeiNode, SeiNodeDeployment};
use sei_core::tempo::Tempo;
use sei_harness::fixtures::{IMAGE_V1, new_snd};
use sei_harness::request_log::{Record, Requests};
use sei_harness::suite::{Conditions, TestEnv, cond};
use sei_harness::wait::Progress;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::support::{paced_scenario, scenario, told, true_reason};

const NAME: &str = "guest";
const NODE: &str = "guest-0";

/// `Ready` and `Stalled` of the object both say that a foreign object is in the way: the message.
fn refused(object: &impl Conditions) -> Result<String, String> {
    let said = |kind: &str| {
        cond(object, kind).map(|it| format!("{}/{}", it.status, it.reason)).unwrap_or_default()
    };
    let told = (said("Ready"), said("Stalled"));
    if told != ("False/ForeignObject".to_owned(), "True/ForeignObject".to_owned()) {
        return Err(format!("(Ready, Stalled) {told:?}"));
    }
    Ok(cond(object, "Stalled").map(|it| it.message.clone()).unwrap_or_default())
}

async fn wait_refused<K>(env: &TestEnv, name: &str) -> Result<(K, String)>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Conditions,
    K: Clone + DeserializeOwned + std::fmt::Debug,
{
    let seen = env
        .wait_for(&format!("\"{name}\" to refuse the foreign object"), || async {
            let object: K = env.api().get(name).await?;
            Ok(match refused(&object) {
                Ok(message) => Progress::Ready((object, message)),
                Err(why) => Progress::NotYet(why),
            })
        })
        .await?;
    Ok(seen)
}

/// What must not change; the server's own bookkeeping may.
fn untouched<K: Resource<DynamicType = ()> + Serialize>(object: &K) -> Result<Value> {
    let ObjectMeta { uid, labels, annotations, owner_references, finalizers, .. } =
        object.meta().clone();
    let whole = serde_json::to_value(object)?;
    let meta = json!([uid, labels, annotations, owner_references, finalizers]);
    Ok(json!({ "meta": meta, "spec": whole["spec"] }))
}

/// What failed is tried again soon.
fn soon() -> Tempo {
    let second = Duration::from_secs(1);
    Tempo { failed_retry_first: second, failed_retry_max: second, ..Tempo::default() }
}

/// A fleet is created while `foreign` sits at a name of its only node.
async fn keeps_out<K>(env: &TestEnv, kind: &str, plural: &'static str, foreign: Value) -> Result<()>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + DeserializeOwned + Serialize + std::fmt::Debug,
{
    let foreign: K = serde_json::from_value(foreign)?;
    let foreign: K = env.api().create(&PostParams::default(), &foreign).await?;
    let name = foreign.meta().name.clone().context("no name")?;
    let before = untouched(&foreign)?;
    env.create_snd(&new_snd(&env.ns, NAME).with_replicas(1).build()).await?;

    let (node, message) = wait_refused::<SeiNode>(env, NODE).await?;
    ensure!(message.contains(&name) && message.contains("delete"), "{message}");
    let heard = env
        .wait_for("the node's warning", || async {
            let events = env.list_events(&node, Some("NodeFailed")).await?;
            Ok(if events.is_empty() {
                Progress::NotYet("none".to_owned())
            } else {
                Progress::Ready(events)
            })
        })
        .await?;
    let named = |it: &&Event| it.message.as_deref().is_some_and(|it| it.contains(&name));
    ensure!(heard[0].type_.as_deref() == Some("Warning") && named(&&heard[0]), "{heard:?}");

    let now: K = env.api().get(&name).await?;
    ensure!(untouched(&now)? == before, "the foreign {kind} was changed: {now:?}");
    let about = Requests::writes().resource(plural).that({
        let name = name.clone();
        move |it: &Record| it.name == name
    });
    let sent = env.requests.matching(&about);
    ensure!(sent.is_empty(), "written to the foreign {kind}: {sent:?}");

    env.api::<K>().delete(&name, &DeleteParams::background()).await?;
    env.wait_settled(NAME, IMAGE_V1).await?;
    let healed = env.get_snd(NAME).await?;
    ensure!(true_reason(&healed, "Stalled").is_none(), "{:?}", healed.status);
    Ok(())
}

#[test]
fn a_foreign_stateful_set_is_left_alone() {
    paced_scenario("a_foreign_stateful_set_is_left_alone", soon(), |env| async move {
        let labels = json!({ "app": "another" });
        let container = json!({ "name": "it", "image": "another:v1" });
        let foreign = json!({
            "metadata": { "name": NODE },
            "spec": {
                "serviceName": "another",
                "selector": { "matchLabels": labels },
                "template": {
                    "metadata": { "labels": labels },
                    "spec": { "containers": [container] },
                },
            },
        });
        keeps_out::<StatefulSet>(&env, "StatefulSet", "statefulsets", foreign).await
    });
}

#[test]
fn a_foreign_service_is_left_alone() {
    paced_scenario("a_foreign_service_is_left_alone", soon(), |env| async move {
        let spec = json!({ "selector": { "app": "another" }, "ports": [{ "port": 80 }] });
        let foreign = json!({ "metadata": { "name": NODE }, "spec": spec });
        keeps_out::<Service>(&env, "Service", "services", foreign).await
    });
}

/// The one object that cannot be had back: somebody's data.
#[test]
fn a_foreign_claim_is_left_alone() {
    paced_scenario("a_foreign_claim_is_left_alone", soon(), |env| async move {
        let spec = json!({
            "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": "1Gi" } },
        });
        let foreign = json!({ "metadata": { "name": format!("data-{NODE}") }, "spec": spec });
        keeps_out::<PersistentVolumeClaim>(
            &env,
            "PersistentVolumeClaim",
            "persistentvolumeclaims",
            foreign,
        )
        .await
    });
}

/// A node that somebody made by hand is not taken into the fleet.
#[test]
fn a_foreign_child_is_left_alone() {
    scenario("a_foreign_child_is_left_alone", |env| async move {
        let template = new_snd(&env.ns, NAME).build().spec.template.spec;
        let mut foreign = SeiNode::new(NODE, template);
        foreign.spec.paused = true;
        let foreign = env.api().create(&PostParams::default(), &foreign).await?;
        env.create_snd(&new_snd(&env.ns, NAME).with_replicas(2).build()).await?;
        let (fleet, message) = wait_refused::<SeiNodeDeployment>(&env, NAME).await?;
        ensure!(message.contains("SeiNode") && message.contains(NODE), "{message}");
        told(&env, &fleet, ("ForeignObject", 1)).await?;

        let now: SeiNode = env.api().get(NODE).await?;
        ensure!(now.metadata.owner_references.is_none(), "{:?}", now.metadata.owner_references);
        ensure!((now.spec == foreign.spec) && now.metadata.labels == foreign.metadata.labels);
        env.api::<SeiNode>().delete(NODE, &DeleteParams::background()).await?;
        env.wait_settled(NAME, IMAGE_V1).await?;
        Ok(())
    });
}
