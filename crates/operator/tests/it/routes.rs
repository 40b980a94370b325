//! Routes of ours and of others, of Gateways that refuse them, and of clusters that lack the kind.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use kube::api::{Patch, PatchParams, PostParams};
use sei_api::gateway::HttpRoute;
use sei_api::k8s::{ResourceExt as _, Service};
use sei_api::labels;
use sei_core::platform::Platform;
use sei_core::tempo::Tempo;
use sei_harness::fixtures::{IMAGE_V1, IMAGE_V2, new_snd};
use sei_harness::request_log::{Fault, Requests, Verb};
use sei_harness::suite::{RunOptions, cond_true, start_function, suite};
use sei_harness::wait::Progress;
use serde_json::json;

use crate::published::{
    PROTOCOLS, answer, external, foreign_route, message, only_event, publish, route, says,
    wait_for_doors,
};
use crate::status_writes::quiet;
use crate::support::{expect, paced_scenario, scenario, setting, start_on, status};

/// Somebody else's objects at our names, with or without our label, are left as they are; when they
/// go, ours come.
#[test]
fn a_foreign_route_and_service_are_left_alone() {
    let tempo = Tempo { foreign_poll: Duration::from_secs(2), ..Tempo::default() };
    paced_scenario("a_foreign_route_and_service_are_left_alone", tempo, |env| async move {
        let name = "squatted";
        let route = foreign_route(&env, "squatted-rpc", json!({})).await?;
        let service: Service = serde_json::from_value(json!({
            "metadata": { "name": "squatted-external" },
            "spec": { "ports": [{ "name": "http", "port": 80 }] },
        }))?;
        let service = env.api::<Service>().create(&PostParams::default(), &service).await?;
        let theirs = json!({ labels::NODEDEPLOYMENT: name });
        let labelled = foreign_route(&env, "unrelated", theirs).await?;

        publish(&env, name, 1).await?;
        let refused = says(&env, name, ("RouteReady", "False", "ForeignObject")).await?;
        let said = message(&refused, "RouteReady");
        ensure!(said.contains("squatted-external"), "{said}");
        // Its children come up all the same.
        env.wait_for("the child to run", || async {
            let children = env.list_children(&refused).await?;
            let phase = children.first().and_then(|it| it.status.as_ref()?.phase.clone());
            let runs = phase == Some(sei_api::NodePhase::Running);
            Ok(if runs { Progress::Ready(()) } else { Progress::NotYet(format!("{phase:?}")) })
        })
        .await?;
        only_event(&env, &refused, "ForeignObject").await?;
        quiet(&env).await?;
        let version = |it: &HttpRoute| (it.uid(), it.resource_version());
        for before in [&route, &labelled] {
            let after: HttpRoute = env.api().get(&before.name_any()).await?;
            ensure!(version(&after) == version(before), "{} was touched", before.name_any());
        }
        let after = external(&env, name).await?.context("the Service is gone")?;
        ensure!(after.resource_version() == service.resource_version(), "the Service was touched");

        env.api::<Service>().delete("squatted-external", &Default::default()).await?;
        env.api::<HttpRoute>().delete("squatted-rpc", &Default::default()).await?;
        env.dns.resolve("squatted-evm.test.local");
        says(&env, name, ("RouteReady", "True", "HTTPRouteReady")).await?;
        env.delete_snd(name).await?;
        env.wait_for_gone(name).await?;
        let left: HttpRoute = env.api().get("unrelated").await?;
        ensure!(version(&left) == version(&labelled), "the labelled route was touched");
        Ok(())
    });
}

/// What others change of ours is put back; what the API server fills in is no change.
#[test]
fn an_edited_route_is_restored_and_a_defaulted_one_is_not() {
    scenario("an_edited_route_is_restored_and_a_defaulted_one_is_not", |env| async move {
        let name = "edited";
        publish(&env, name, 1).await?;
        env.wait_settled(name, IMAGE_V1).await?;
        wait_for_doors(&env, name, true).await?;
        quiet(&env).await?;
        let before = route(&env, name, "evm").await?.context("no route")?;

        let edit = json!({ "spec": { "hostnames": ["elsewhere.test"] } });
        let api = env.api::<HttpRoute>();
        api.patch("edited-evm", &PatchParams::default(), &Patch::Merge(edit)).await?;
        env.wait_for("the host name to be restored", || async {
            let now = route(&env, name, "evm").await?.context("no route")?;
            let restored = now.spec == before.spec;
            let seen = format!("{:?}", now.spec.hostnames);
            Ok(if restored { Progress::Ready(()) } else { Progress::NotYet(seen) })
        })
        .await?;
        // Additions that touch no field of ours stay, and cause nothing.
        let note = json!({ "metadata": { "annotations": { "team": "edge" } } });
        api.patch("edited-evm", &PatchParams::default(), &Patch::Merge(note)).await?;
        quiet(&env).await?;
        let mark = env.requests.mark();
        let label = json!({ "metadata": { "labels": { "poke": "1" } } });
        let fleets = env.api::<sei_api::SeiNodeDeployment>();
        fleets.patch(name, &PatchParams::default(), &Patch::Merge(label)).await?;
        quiet(&env).await?;
        let sent = env.requests.since(mark);
        ensure!(sent.iter().all(|it| !it.verb.is_write()), "a defaulted route was written");
        let after = route(&env, name, "evm").await?.context("no route")?;
        ensure!(after.annotations().get("team").is_some_and(|it| it == "edge"));
        Ok(())
    });
}

/// `spec.networking` comes and goes, and with it what is ours.
#[test]
fn doors_are_pruned_and_come_back() {
    scenario("doors_are_pruned_and_come_back", |env| async move {
        let name = "turning";
        publish(&env, name, 1).await?;
        env.wait_settled(name, IMAGE_V1).await?;
        wait_for_doors(&env, name, true).await?;
        let theirs = json!({ labels::NODEDEPLOYMENT: name });
        foreign_route(&env, "turning-extra", theirs).await?;

        env.patch_snd_spec(name, json!({ "networking": null })).await?;
        wait_for_doors(&env, name, false).await?;
        let closed = says(&env, name, ("RouteReady", "False", "NotApplicable")).await?;
        ensure!(status(&closed).networking_status.is_none(), "networkingStatus stays");
        ensure!(status(&closed).internal_service.is_some(), "the internal Service is gone");
        env.api::<HttpRoute>().get("turning-extra").await?;

        env.patch_snd_spec(name, json!({ "networking": {} })).await?;
        wait_for_doors(&env, name, true).await?;
        says(&env, name, ("RouteReady", "False", "DNSPending")).await?;
        Ok(())
    });
}

/// The Gateway's own word is passed on; `RouteReady` does not follow it.
#[test]
fn a_route_that_its_gateway_refuses_is_not_ready_in_silence() {
    scenario("a_route_that_its_gateway_refuses_is_not_ready_in_silence", |env| async move {
        let name = "judged";
        env.dns.resolve("judged-evm.test.local");
        publish(&env, name, 1).await?;
        says(&env, name, ("RouteReady", "True", "HTTPRouteReady")).await?;
        let silent = says(&env, name, ("RouteAccepted", "Unknown", "GatewayPending")).await?;
        let said = message(&silent, "RouteAccepted");
        ensure!(said.contains("Gateway \"gateway/sei-gateway\""), "{said}");

        for protocol in PROTOCOLS {
            answer(&env, &format!("judged-{protocol}"), (true, true)).await?;
        }
        says(&env, name, ("RouteAccepted", "True", "Accepted")).await?;
        answer(&env, "judged-rest", (false, true)).await?;
        let refused = says(&env, name, ("RouteAccepted", "False", "NotAccepted")).await?;
        let said = message(&refused, "RouteAccepted");
        let wanted = "HTTPRoute \"judged-rest\": NotAllowedByListeners: it is so: false";
        ensure!(said == wanted, "{said}");
        ensure!(cond_true(&refused, "RouteReady"), "RouteReady followed the Gateway");
        answer(&env, "judged-rest", (true, false)).await?;
        let unresolved = says(&env, name, ("RouteAccepted", "False", "RefsNotResolved")).await?;
        let said = message(&unresolved, "RouteAccepted");
        ensure!(said.contains("BackendNotFound"), "{said}");
        Ok(())
    });
}

/// Routes that cannot be listed slow nothing else down, and are found when they can.
#[test]
fn a_refused_listing_of_routes_slows_nothing_else() {
    scenario("a_refused_listing_of_routes_slows_nothing_else", |env| async move {
        let name = "unlisted";
        env.stop_controllers().await?;
        let listing = || Requests::any().verb(Verb::List).resource("httproutes");
        let fault = env.requests.inject(listing(), Fault::Status(500), usize::MAX);
        env.start_controllers().await?;
        env.dns.resolve("unlisted-evm.test.local");
        publish(&env, name, 2).await?;
        let settled = env.wait_settled(name, IMAGE_V1).await?;
        let ready = sei_harness::suite::cond(&settled, "RouteReady").context("no RouteReady")?;
        ensure!(ready.status == "False" && ready.reason == "Retrying", "{ready:?}");
        ensure!(fault.hits() > 0, "the routes were never listed");
        drop(fault);
        says(&env, name, ("RouteReady", "True", "HTTPRouteReady")).await?;
        Ok(())
    });
}

/// A route that cannot be written is told and retried, and holds up neither children nor rollouts.
#[test]
fn a_route_that_cannot_be_written_gates_nothing() {
    scenario("a_route_that_cannot_be_written_gates_nothing", |env| async move {
        let name = "stubborn";
        let victims = Requests::any().verb(Verb::Apply).resource("httproutes");
        let fault = env.requests.inject(victims, Fault::Status(500), usize::MAX);
        env.dns.resolve("stubborn-evm.test.local");
        publish(&env, name, 2).await?;
        env.wait_settled(name, IMAGE_V1).await?;
        let told = says(&env, name, ("RouteReady", "False", "Retrying")).await?;
        let said = message(&told, "RouteReady");
        ensure!(said.contains("the API server answered 500"), "{said}");
        env.patch_snd_image(name, IMAGE_V2).await?;
        env.wait_for_status(name, "the rollout to be complete", |fleet| {
            crate::invariants::complete(fleet, sei_harness::fixtures::HASH_V2)
        })
        .await?;
        drop(fault);
        says(&env, name, ("RouteReady", "True", "HTTPRouteReady")).await?;
        Ok(())
    });
}

/// A public domain is a setting of the operator: host names follow it at its next start.
#[test]
fn host_names_follow_the_public_domain() {
    let domain: Arc<Mutex<Option<String>>> = Arc::default();
    let set = Arc::clone(&domain);
    let controllers = start_function(move |inputs| {
        let public = domain.lock().unwrap_or_else(PoisonError::into_inner).clone();
        async move {
            let lookup = |name: &str| match name {
                "SEI_GATEWAY_PUBLIC_DOMAIN" => public.clone(),
                other => setting(other),
            };
            start_on(inputs, Tempo::default(), Platform::parse(&lookup)?)
        }
    });
    let options = RunOptions::new().with_controllers(controllers);
    suite().run("host_names_follow_the_public_domain", options, |env| async move {
        let name = "public";
        env.create_snd(&new_snd(&env.ns, name).with_networking().build()).await?;
        wait_for_doors(&env, name, true).await?;
        let public = format!("public-rpc.{}.out.test", env.ns);
        for (setting, wanted) in [
            (Some("out.test"), vec!["public-rpc.test.local", public.as_str()]),
            (None, vec!["public-rpc.test.local"]),
        ] {
            env.stop_controllers().await?;
            *set.lock().unwrap_or_else(PoisonError::into_inner) = setting.map(str::to_owned);
            env.start_controllers().await?;
            env.wait_for("the host names to follow", || async {
                let now = route(&env, name, "rpc").await?.and_then(|it| it.spec.hostnames);
                let follows = now.iter().flatten().eq(wanted.iter());
                Ok(if follows { Progress::Ready(()) } else { Progress::NotYet(format!("{now:?}")) })
            })
            .await?;
            let entries = wanted.len() * PROTOCOLS.len();
            env.wait_for_status(name, "the status to follow", |fleet| {
                let listed = status(fleet).networking_status.map_or(0, |it| it.routes.len());
                expect(listed == entries, || format!("{listed} host names"))
            })
            .await?;
        }
        Ok(())
    });
}
