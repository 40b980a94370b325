//! The public face of a fleet: its external Service, its routes, and what the status says of them.

use anyhow::{Context, Result, ensure};
use sei_api::SeiNodeDeployment;
use sei_api::k8s::Service;
use sei_harness::fixtures::{IMAGE_V1, new_snd};
use sei_harness::suite::{TestEnv, cond};
use serde_json::{Value, json};

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
