//! The public face of a fleet: its external Service, its routes, and what the status says of them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sei_api::SeiNodeDeployment;
use sei_api::k8s::Service;
use sei_harness::fixtures::{IMAGE_V1, new_snd};
use sei_harness::request_log::Verb;
use sei_harness::suite::{TestEnv, cond};
use sei_harness::wait::{Progress, check};
use serde_json::{Value, json};

use crate::published::{external, message, only_event, publish, says};
use crate::status_writes::quiet;
use crate::support::{expect, scenario, status};

/// Scenario C: a full node publishes four routes; its name does not resolve, and nothing waits.
#[test]
fn full_node_publishes_its_routes() {
    scenario("full_node_publishes_its_routes", |env| async move {
        let name = "fullnode-net";
        env.create_snd(&new_snd(&env.ns, name).with_networking().build()).await?;
        let fleet = pending(&env, name).await?;
        let service: Service = env.api().get("fullnode-net-external").await?;
        let spec = serde_json::to_value(&service.spec)?;
        ensure!(spec["type"] == "ClusterIP", "{spec}");
        ensure!(owned_by(&serde_json::to_value(&service.metadata)?, &fleet), "not ours");

        let routes = env.list_httproutes(&fleet).await?;
        let found: Vec<_> = routes.iter().filter_map(|it| it.metadata.name.clone()).collect();
        let wanted = ["evm", "grpc", "rest", "rpc"].map(|it| format!("{name}-{it}"));
        ensure!(found == wanted, "{found:?}");
        for (protocol, port) in [("evm", 8545), ("rpc", 26657), ("rest", 1317), ("grpc", 9090)] {
            let route = routes
                .iter()
                .find(|it| it.metadata.name.as_deref() == Some(&format!("{name}-{protocol}")));
            let route = serde_json::to_value(route.context(protocol)?)?;
            check_route(&route, (name, protocol, port))?;
            ensure!(owned_by(&route["metadata"], &fleet), "{}", route["metadata"]);
        }

        // The name does not resolve, and the fleet is none the worse for it.
        env.wait_settled(name, IMAGE_V1).await?;
        let fleet = env.get_snd(name).await?;
        ensure!(env.list_children(&fleet).await?.len() == 1);
        let listed = status(&fleet).networking_status.context("no networkingStatus")?.routes;
        let listed: Vec<_> = listed.into_iter().map(|it| (it.hostname, it.protocol)).collect();
        let wanted = ["evm", "rpc", "rest", "grpc"]
            .map(|it| (format!("{name}-{it}.test.local"), Some(it.to_owned())));
        ensure!(listed == wanted, "{listed:?}");
        ensure!(env.dns.asked().iter().all(|it| it == "fullnode-net-evm.test.local"));
        Ok(())
    });
}

/// Scenario D: a validator has a Service for its peers, and no routes.
#[test]
fn validator_publishes_no_routes() {
    scenario("validator_publishes_no_routes", |env| async move {
        let name = "validator-net";
        let fleet = new_snd(&env.ns, name).with_validator().with_networking().build();
        let fleet = env.create_snd(&fleet).await?;
        let service = env
            .wait_for("the external Service", || async {
                let service = external(&env, name).await?;
                Ok(service.map_or(Progress::NotYet("none".to_owned()), Progress::Ready))
            })
            .await?;
        let ports = service.spec.and_then(|it| it.ports).unwrap_or_default();
        let ports: Vec<_> = ports.iter().map(|it| (it.name.as_deref(), it.port)).collect();
        ensure!(ports == [(Some("p2p"), 26656)], "{ports:?}");
        let pace = (Duration::from_secs(2), Duration::from_millis(200));
        let sample = || async { Ok(env.list_httproutes(&fleet).await?.len()) };
        env.consistently(pace, sample, &[check("routes", 0, |it| *it)]).await?;
        let settled = env.wait_settled(name, IMAGE_V1).await?;
        let ready = cond(&settled, "RouteReady").context("no RouteReady")?;
        ensure!(ready.status == "False" && ready.reason == "NotApplicable", "{ready:?}");
        ensure!(status(&settled).networking_status.is_none(), "networkingStatus without routes");
        ensure!(env.dns.asked().is_empty(), "{:?} was looked up", env.dns.asked());
        env.delete_snd(name).await?;
        env.wait_for_gone(name).await?;
        Ok(())
    });
}

/// N8 and S45: a name that begins to resolve is heard without a pass that polls for it, told once,
/// and asked for rarely from then on.
#[test]
fn a_name_that_resolves_makes_the_routes_ready() {
    scenario("a_name_that_resolves_makes_the_routes_ready", |env| async move {
        let name = "resolving";
        publish(&env, name, 1).await?;
        let fleet = pending(&env, name).await?;
        env.wait_settled(name, IMAGE_V1).await?;
        ensure!(env.list_events_for_snd(&fleet, Some("HTTPRouteReady")).await?.is_empty());

        env.dns.resolve("resolving-evm.test.local");
        let ready = says(&env, name, ("RouteReady", "True", "HTTPRouteReady")).await?;
        let said = message(&ready, "RouteReady");
        ensure!(said == "4 HTTPRoute(s) reconciled successfully", "{said}");
        let event = only_event(&env, &fleet, "HTTPRouteReady").await?;
        let note = event.message.unwrap_or_default();
        ensure!(note == "HTTPRoute reconciled successfully", "{note}");

        quiet(&env).await?;
        let (asked, mark) = (env.dns.asked().len(), env.requests.mark());
        tokio::time::sleep(Duration::from_secs(2)).await;
        ensure!(env.dns.asked().len() == asked, "a name that resolves is asked for again");
        ensure!(env.requests.since(mark).iter().all(|it| it.verb == Verb::Watch));
        let versions = env.history.deployments.through(&ready).await?;
        let turns = versions.sequence_of(|fleet| {
            cond(fleet, "RouteReady").map(|it| (it.status.clone(), it.reason.clone()))
        });
        let turns: Vec<_> = turns.iter().flatten().map(|(_, reason)| reason.as_str()).collect();
        // The fleet may be looked at before the first listing of routes has arrived.
        let looked = turns.strip_prefix(&["NotStarted"]).unwrap_or(&turns);
        ensure!(looked == ["DNSPending", "HTTPRouteReady"], "{turns:?}");
        Ok(())
    });
}

/// W9: while a name does not resolve, it is asked for again and again, and the fleet rests.
#[test]
fn a_pending_name_costs_no_request() {
    scenario("a_pending_name_costs_no_request", |env| async move {
        let name = "waiting";
        publish(&env, name, 2).await?;
        env.wait_settled(name, IMAGE_V1).await?;
        let before = pending(&env, name).await?;
        quiet(&env).await?;
        let (asked, mark) = (env.dns.asked().len(), env.requests.mark());
        tokio::time::sleep(Duration::from_secs(6)).await;
        ensure!(env.dns.asked().len() > asked + 5, "the name is not asked for any more");
        let sent = env.requests.since(mark);
        let noise: Vec<String> =
            sent.iter().filter(|it| it.verb != Verb::Watch).map(ToString::to_string).collect();
        ensure!(noise.is_empty(), "a fleet whose name is pending caused:\n{}", noise.join("\n"));
        let after = env.get_snd(name).await?;
        ensure!(before.metadata.resource_version == after.metadata.resource_version);
        Ok(())
    });
}

/// C3 and C4: one route, as the API server stores it.
fn check_route(route: &Value, (fleet, protocol, port): (&str, &str, i64)) -> Result<()> {
    let spec = &route["spec"];
    ensure!(route["apiVersion"] == "gateway.networking.k8s.io/v1" && route["kind"] == "HTTPRoute");
    let parents = spec["parentRefs"].as_array().context("no parentRefs")?;
    ensure!(parents.len() == 1, "{spec}");
    ensure!(parents[0]["name"] == "sei-gateway" && parents[0]["namespace"] == "gateway", "{spec}");
    ensure!(spec["hostnames"] == json!([format!("{fleet}-{protocol}.test.local")]), "{spec}");
    let rules = spec["rules"].as_array().context("no rules")?;
    ensure!(rules.len() == if protocol == "evm" { 2 } else { 1 }, "{spec}");
    for (rule, port) in rules.iter().zip([port, 8546]) {
        let backends = rule["backendRefs"].as_array().context("no backendRefs")?;
        ensure!(backends.len() == 1 && backends[0]["port"] == port, "{rule}");
        ensure!(backends[0]["name"] == format!("{fleet}-external"), "{rule}");
    }
    let everything = json!([{ "path": { "type": "PathPrefix", "value": "/" } }]);
    ensure!(rules[0]["matches"] == everything, "{}", rules[0]);
    if let Some(upgrade) = rules.get(1) {
        let matches = upgrade["matches"].as_array().context("no matches")?;
        let header = json!([{ "name": "Upgrade", "value": "websocket", "type": "Exact" }]);
        ensure!(matches.len() == 1 && matches[0]["headers"] == header, "{upgrade}");
    }
    Ok(())
}

fn owned_by(metadata: &Value, fleet: &SeiNodeDeployment) -> bool {
    let owner = &metadata["ownerReferences"][0];
    owner["uid"] == json!(fleet.metadata.uid) && owner["controller"] == true
}

/// Until the fleet says that its name does not resolve.
async fn pending(env: &TestEnv, name: &str) -> Result<SeiNodeDeployment> {
    let fleet = env
        .wait_for_status(name, "DNSPending", |fleet| {
            let ready = cond(fleet, "RouteReady");
            let message = "Waiting for route hostname to resolve in DNS";
            let pending = ready.is_some_and(|it| {
                it.status == "False" && it.reason == "DNSPending" && it.message == message
            });
            expect(pending, || format!("{ready:?}"))
        })
        .await?;
    Ok(fleet)
}
