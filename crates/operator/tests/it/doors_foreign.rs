//! Doors that another controller owns, with our label on them: never ours, whatever becomes of the
//! fleet.

use anyhow::{Context as _, Result, ensure};
use kube::api::PostParams;
use sei_api::gateway::HttpRoute;
use sei_api::k8s::{ConfigMap, ResourceExt as _, Service};
use sei_api::labels;
use sei_harness::fixtures::IMAGE_V1;
use sei_harness::request_log::{Record, Requests};
use sei_harness::suite::TestEnv;
use sei_harness::wait::Progress;
use serde_json::{Value, json};

use crate::published::{PROTOCOLS, message, only_event, publish, route, says, wait_for_doors};
use crate::support::{scenario, status};

/// At our names they are refused, while the fleet comes up, is pruned and leaves.
#[test]
fn doors_of_another_controller_stay_as_they_are() {
    scenario("doors_of_another_controller_stay_as_they_are", |env| async move {
        let name = "shadowed";
        let theirs = Theirs::stored(&env, name, ["shadowed-rpc", "shadowed-external"]).await?;
        publish(&env, name, 1).await?;
        let refused = says(&env, name, ("RouteReady", "False", "ForeignObject")).await?;
        let said = message(&refused, "RouteReady");
        ensure!(said.contains("shadowed-external"), "{said}");
        only_event(&env, &refused, "ForeignObject").await?;
        // The other three are made all the same.
        routes_are(&env, name, &["evm", "rest", "grpc"]).await?;
        theirs.are_untouched(&env).await.context("while the fleet runs")?;

        env.patch_snd_spec(name, json!({ "networking": null })).await?;
        routes_are(&env, name, &[]).await?;
        says(&env, name, ("RouteReady", "False", "NotApplicable")).await?;
        theirs.are_untouched(&env).await.context("after the pruning")?;

        env.patch_snd_spec(name, json!({ "networking": {} })).await?;
        says(&env, name, ("RouteReady", "False", "ForeignObject")).await?;
        routes_are(&env, name, &["evm", "rest", "grpc"]).await?;
        env.delete_snd(name).await?;
        env.wait_for_gone(name).await?;
        routes_are(&env, name, &[]).await?;
        theirs.are_untouched(&env).await.context("after the fleet")
    });
}

/// Beside our names they are in nobody's way, and no part of what the fleet counts.
#[test]
fn doors_of_another_controller_are_not_counted() {
    scenario("doors_of_another_controller_are_not_counted", |env| async move {
        let name = "beside";
        env.dns.resolve("beside-evm.test.local");
        let theirs = Theirs::stored(&env, name, ["beside-more", "beside-other"]).await?;
        publish(&env, name, 1).await?;
        env.wait_settled(name, IMAGE_V1).await?;
        let ready = says(&env, name, ("RouteReady", "True", "HTTPRouteReady")).await?;
        let said = message(&ready, "RouteReady");
        ensure!(said == "4 HTTPRoute(s) reconciled successfully", "{said}");
        let listed = status(&ready).networking_status.map(|it| it.routes).unwrap_or_default();
        let hosts: Vec<_> = listed.into_iter().map(|it| it.hostname).collect();
        let ours = PROTOCOLS.map(|it| format!("{name}-{it}.test.local"));
        ensure!(hosts == ours, "{hosts:?}");
        let accepted = message(&ready, "RouteAccepted");
        ensure!(!accepted.contains("beside-more"), "{accepted}");

        env.patch_snd_spec(name, json!({ "networking": null })).await?;
        wait_for_doors(&env, name, false).await?;
        theirs.are_untouched(&env).await.context("after the pruning")?;
        env.delete_snd(name).await?;
        env.wait_for_gone(name).await?;
        theirs.are_untouched(&env).await.context("after the fleet")
    });
}

/// A route and a Service of another controller, as they were stored.
struct Theirs {
    route: HttpRoute,
    service: Service,
}

impl Theirs {
    /// Stores both; their owner is there, or the garbage collector would take them.
    async fn stored(env: &TestEnv, fleet: &str, [route, service]: [&str; 2]) -> Result<Self> {
        let owner: ConfigMap =
            serde_json::from_value(json!({ "metadata": { "name": "another" } }))?;
        let owner = env.api::<ConfigMap>().create(&PostParams::default(), &owner).await?;
        let meta = |name: &str| -> Value {
            json!({
                "name": name, "labels": { labels::NODEDEPLOYMENT: fleet },
                "ownerReferences": [{
                    "apiVersion": "v1", "kind": "ConfigMap", "name": "another",
                    "uid": owner.metadata.uid, "controller": true,
                }],
            })
        };
        let route: HttpRoute = serde_json::from_value(json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": meta(route),
            "spec": { "hostnames": ["theirs.test"], "parentRefs": [{ "name": "their-gateway" }] },
        }))?;
        let service: Service = serde_json::from_value(json!({
            "metadata": meta(service),
            "spec": { "ports": [{ "name": "http", "port": 80 }] },
        }))?;
        let post = PostParams::default();
        Ok(Self {
            route: env.api().create(&post, &route).await?,
            service: env.api().create(&post, &service).await?,
        })
    }

    /// Both are there as they were stored, and nothing was tried.
    async fn are_untouched(&self, env: &TestEnv) -> Result<()> {
        let route: HttpRoute = env.api().get(&self.route.name_any()).await?;
        let service: Service = env.api().get(&self.service.name_any()).await?;
        let is = (route.resource_version(), service.resource_version());
        let was = (self.route.resource_version(), self.service.resource_version());
        ensure!(is == was, "touched: {:?} {:?}", route.metadata, service.metadata);
        let names = [("httproutes", route.name_any()), ("services", service.name_any())];
        let about = move |it: &Record| {
            names.iter().any(|(kind, name)| it.resource == *kind && it.name == *name)
        };
        let sent = env.requests.matching(&Requests::writes().that(about));
        ensure!(sent.is_empty(), "written to the objects of another: {sent:?}");
        Ok(())
    }
}

/// Until the fleet has routes of its own for these protocols, and for no other.
async fn routes_are(env: &TestEnv, fleet: &str, wanted: &[&str]) -> Result<()> {
    env.wait_for(&format!("the routes {wanted:?}"), || async {
        let mut there = Vec::new();
        for protocol in PROTOCOLS {
            let found = route(env, fleet, protocol).await?;
            let ours = found.is_some_and(|it| {
                it.owner_references().iter().any(|it| it.kind == "SeiNodeDeployment")
            });
            if ours {
                there.push(protocol);
            }
        }
        let seen = format!("{there:?}");
        Ok(if there == wanted { Progress::Ready(()) } else { Progress::NotYet(seen) })
    })
    .await?;
    Ok(())
}
