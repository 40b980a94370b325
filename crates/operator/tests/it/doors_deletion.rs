//! How a published fleet leaves: what goes first, what stays, and what cannot hold it up.

use std::future::ready;

use anyhow::{Context as _, Result, ensure};
use kube::Api;
use kube::api::{DeleteParams, ListParams};
use sei_api::gateway::HttpRoute;
use sei_api::k8s::{Namespace, ResourceExt as _, Service};
use sei_api::{SeiNode, SeiNodeDeployment, labels};
use sei_harness::fixtures::{HASH_V1, IMAGE_V1, IMAGE_V2, IMAGE_V3};
use sei_harness::request_log::{Fault, Requests, Verb};
use sei_harness::suite::TestEnv;
use sei_harness::wait::Progress;
use serde_json::json;

use crate::published::{
    PROTOCOLS, external, foreign_route, message, only_event, publish, route, says, wait_for_doors,
};
use crate::support::{expect, scenario, status, target};

/// K3: Terminating, the Service, the routes, the finalizer; children go with their owner.
#[test]
fn service_then_routes_then_finalizer() {
    scenario("service_then_routes_then_finalizer", |env| async move {
        let name = "orderly";
        publish(&env, name, 1).await?;
        env.wait_settled(name, IMAGE_V1).await?;
        wait_for_doors(&env, name, true).await?;
        let theirs = json!({ labels::NODEDEPLOYMENT: name });
        foreign_route(&env, "orderly-extra", theirs).await?;
        let mark = env.requests.mark();
        env.delete_snd(name).await?;
        env.wait_for_gone(name).await?;
        let writes: Vec<String> = env
            .requests
            .since(mark)
            .iter()
            .filter(|it| it.verb.is_write() && it.resource != "events" && it.name.contains(name))
            .filter(|it| it.resource != "seinodes" && it.resource != "persistentvolumeclaims")
            .map(|it| format!("{:?} {} {} {}", it.verb, it.resource, it.name, it.subresource))
            .collect();
        let mut wanted = vec![
            "Patch seinodedeployments orderly status".to_owned(),
            "Delete services orderly-external ".to_owned(),
        ];
        wanted.extend(
            ["evm", "grpc", "rest", "rpc"].map(|it| format!("Delete httproutes orderly-{it} ")),
        );
        wanted.push("Patch seinodedeployments orderly ".to_owned());
        let mut sent = writes.clone();
        // The routes go side by side.
        let routes = sent.len().min(2)..sent.len().saturating_sub(1);
        sent[routes].sort();
        ensure!(sent == wanted, "{writes:#?}");
        env.api::<HttpRoute>().get("orderly-extra").await?;
        Ok(())
    });
}

/// A failing clean-up is told once, keeps the finalizer, and ends when the cause does.
#[test]
fn a_failing_clean_up_keeps_the_finalizer() {
    scenario("a_failing_clean_up_keeps_the_finalizer", |env| async move {
        let name = "held";
        publish(&env, name, 1).await?;
        env.wait_settled(name, IMAGE_V1).await?;
        wait_for_doors(&env, name, true).await?;
        let victims = Requests::any().verb(Verb::Delete).resource("httproutes");
        let fault = env.requests.inject(victims, Fault::Status(500), usize::MAX);
        env.delete_snd(name).await?;
        let held = terminating(&env, name, "the API server answered 500").await?;
        let event = only_event(&env, &held, "DeleteFailed").await?;
        let note = event.message.unwrap_or_default();
        ensure!(note.starts_with("Failed to clean up networking resources: HTTPRoute"), "{note}");
        ensure!(event.type_.as_deref() == Some("Warning"));
        // What the fleet wrote itself has woken it by now: only a back-off brings it here again.
        let told = fault.hits();
        env.wait_for("the clean-up to be tried again", || {
            let since = fault.hits() - told;
            let is_enough = since >= PROTOCOLS.len() * 3;
            ready(Ok(if is_enough {
                Progress::Ready(())
            } else {
                Progress::NotYet(format!("{since} requests since the failure was told"))
            }))
        })
        .await?;
        ensure!(env.get_snd(name).await?.finalizers().len() == 1, "the finalizer is gone");
        drop(fault);
        env.wait_for_gone(name).await?;
        wait_for_doors(&env, name, false).await?;
        ensure!(env.list_events_for_snd(&held, Some("DeleteFailed")).await?.len() == 1);
        Ok(())
    });
}

/// Nobody knows which routes there are: the fleet stays, and says why.
#[test]
fn a_fleet_whose_routes_cannot_be_listed_stays() {
    scenario("a_fleet_whose_routes_cannot_be_listed_stays", |env| async move {
        let name = "blind";
        publish(&env, name, 1).await?;
        env.wait_settled(name, IMAGE_V1).await?;
        wait_for_doors(&env, name, true).await?;
        env.stop_controllers().await?;
        let victims = Requests::any().verb(Verb::List).resource("httproutes");
        let fault = env.requests.inject(victims, Fault::Status(500), usize::MAX);
        env.start_controllers().await?;
        env.delete_snd(name).await?;
        let blind = terminating(&env, name, "the HTTPRoutes cannot be listed").await?;
        only_event(&env, &blind, "DeleteFailed").await?;
        drop(fault);
        env.wait_for_gone(name).await?;
        wait_for_doors(&env, name, false).await?;
        Ok(())
    });
}

/// `Retain`: everything stays without us and keeps serving; the next fleet of the name adopts it.
#[test]
fn retained_doors_are_adopted_by_the_next_fleet() {
    scenario("retained_doors_are_adopted_by_the_next_fleet", |env| async move {
        let name = "keeping";
        env.dns.resolve("keeping-evm.test.local");
        let fleet = publish(&env, name, 1).await?;
        env.wait_settled(name, IMAGE_V1).await?;
        wait_for_doors(&env, name, true).await?;
        env.patch_snd_spec(name, json!({ "deletionPolicy": "Retain" })).await?;
        let before = doors(&env, name).await?;
        env.delete_snd(name).await?;
        env.wait_for_gone(name).await?;
        only_event(&env, &fleet, "RetainResources").await?;
        let kept = doors(&env, name).await?;
        ensure!(uids(&before) == uids(&kept), "something was made anew");
        ensure!(kept.iter().all(|(_, owners)| owners.is_empty()), "{kept:?}");

        let heir = publish(&env, name, 1).await?;
        env.wait_settled(name, IMAGE_V1).await?;
        says(&env, name, ("RouteReady", "True", "HTTPRouteReady")).await?;
        let adopted = doors(&env, name).await?;
        ensure!(uids(&before) == uids(&adopted), "something was made anew");
        let uid = heir.uid().context("no uid")?;
        ensure!(adopted.iter().all(|(_, owners)| *owners == [uid.clone()]), "{adopted:?}");
        // And now it all goes.
        env.delete_snd(name).await?;
        env.wait_for_gone(name).await?;
        wait_for_doors(&env, name, false).await?;
        Ok(())
    });
}

/// A fleet leaves in the middle of a rollout, and of one that superseded another.
#[test]
fn a_published_fleet_leaves_in_mid_rollout_and_mid_supersession() {
    scenario("a_published_fleet_leaves_in_mid_rollout_and_mid_supersession", |env| async move {
        for (name, images) in [("rolling", vec![IMAGE_V2]), ("moving", vec![IMAGE_V2, IMAGE_V3])] {
            publish(&env, name, 2).await?;
            env.wait_settled(name, IMAGE_V1).await?;
            env.wait_for_status(name, "the baseline", |fleet| {
                let hash = status(fleet).template_hash;
                expect(hash.as_deref() == Some(HASH_V1), || format!("templateHash {hash:?}"))
            })
            .await?;
            let paused = env.faker.pause().await;
            let mut last = None;
            for image in images {
                env.patch_snd_image(name, image).await?;
                let moved = env
                    .wait_for_status(name, "a rollout to that image", |fleet| {
                        let now = target(fleet);
                        expect(now.is_some() && now != last, || format!("target {now:?}"))
                    })
                    .await?;
                last = target(&moved);
            }
            env.delete_snd(name).await?;
            env.wait_for_gone(name).await?;
            wait_for_doors(&env, name, false).await?;
            drop(paused);
            gone::<SeiNode>(&env).await?;
        }
        Ok(())
    });
}

/// A namespace that is being deleted takes its fleets along, whatever their policy.
#[test]
fn a_namespace_that_goes_is_not_held_up() {
    scenario("a_namespace_that_goes_is_not_held_up", |env| async move {
        publish(&env, "plain", 1).await?;
        let keep = sei_harness::fixtures::new_snd(&env.ns, "keep")
            .with_networking()
            .with(|it| it.deletion_policy = Some(sei_api::DeletionPolicy::Retain))
            .build();
        env.create_snd(&keep).await?;
        for name in ["plain", "keep"] {
            env.wait_settled(name, IMAGE_V1).await?;
            wait_for_doors(&env, name, true).await?;
        }
        let namespaces: Api<Namespace> = Api::all((*env.client).clone());
        namespaces.delete(&env.ns, &DeleteParams::background()).await?;
        // Nothing plays the namespace controller here: it deletes every object, kind by kind.
        let all = ListParams::default();
        let params = DeleteParams::background();
        env.api::<Service>().delete_collection(&params, &all).await?;
        env.api::<SeiNode>().delete_collection(&params, &all).await?;
        env.api::<SeiNodeDeployment>().delete_collection(&params, &all).await?;
        env.api::<HttpRoute>().delete_collection(&params, &all).await?;
        for name in ["plain", "keep"] {
            env.wait_for_gone(name).await?;
        }
        gone::<SeiNode>(&env).await
    });
}

/// Until the fleet is Terminating with this in its reason.
async fn terminating(env: &TestEnv, name: &str, why: &str) -> Result<SeiNodeDeployment> {
    let fleet = env
        .wait_for_status(name, why, |fleet| {
            let phase = status(fleet).phase;
            let said = message(fleet, "Ready");
            let leaving = phase == Some(sei_api::DeploymentPhase::Terminating);
            expect(leaving && said.contains(why), || format!("{phase:?}: {said}"))
        })
        .await?;
    Ok(fleet)
}

/// UID and owners of the external Service, the routes, the internal Service and the child.
async fn doors(env: &TestEnv, name: &str) -> Result<Vec<(Option<String>, Vec<String>)>> {
    fn of(object: &impl sei_api::k8s::ResourceExt) -> (Option<String>, Vec<String>) {
        (object.uid(), object.owner_references().iter().map(|it| it.uid.clone()).collect())
    }
    let mut found = vec![of(&external(env, name).await?.context("no external Service")?)];
    for protocol in PROTOCOLS {
        found.push(of(&route(env, name, protocol).await?.context(protocol)?));
    }
    found.push(of(&env.api::<Service>().get(&format!("{name}-internal")).await?));
    found.push(of(&env.api::<SeiNode>().get(&format!("{name}-0")).await?));
    Ok(found)
}

fn uids(doors: &[(Option<String>, Vec<String>)]) -> Vec<&Option<String>> {
    doors.iter().map(|(uid, _)| uid).collect()
}

/// Until no object of the kind is left.
async fn gone<K>(env: &TestEnv) -> Result<()>
where
    K: sei_api::k8s::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned,
{
    env.wait_for("nothing of the kind to be left", || async {
        let left = env.api::<K>().list(&ListParams::default()).await?.items.len();
        Ok(if left == 0 { Progress::Ready(()) } else { Progress::NotYet(format!("{left} left")) })
    })
    .await?;
    Ok(())
}
