//! What the tests of published fleets ask again and again.

use anyhow::{Context as _, Result};
use kube::api::{Patch, PatchParams, PostParams};
use sei_api::SeiNodeDeployment;
use sei_api::gateway::HttpRoute;
use sei_api::k8s::{Event, Service};
use sei_harness::fixtures::new_snd;
use sei_harness::suite::{TestEnv, cond};
use sei_harness::wait::Progress;
use serde_json::{Value, json};

use crate::support::expect;

/// The protocols that have routes, in the order in which a status lists them.
pub const PROTOCOLS: [&str; 4] = ["evm", "rpc", "rest", "grpc"];

/// Stores a fleet of `replicas` with networking.
pub async fn publish(env: &TestEnv, name: &str, replicas: i32) -> Result<SeiNodeDeployment> {
    let fleet = new_snd(&env.ns, name).with_replicas(replicas).with_networking().build();
    env.create_snd(&fleet).await
}

/// Until the condition `kind` has this status and reason.
pub async fn says(
    env: &TestEnv,
    name: &str,
    (kind, status, reason): (&str, &str, &str),
) -> Result<SeiNodeDeployment> {
    let (kind, status, reason) = (kind.to_owned(), status.to_owned(), reason.to_owned());
    let fleet = env
        .wait_for_status(name, &format!("{kind}={status}/{reason}"), |fleet| {
            let it = cond(fleet, &kind);
            let holds = it.is_some_and(|it| it.status == status && it.reason == reason);
            expect(holds, || format!("{it:?}"))
        })
        .await?;
    Ok(fleet)
}

/// The message of a condition; empty when it has none.
pub fn message<'a>(fleet: &'a SeiNodeDeployment, kind: &str) -> &'a str {
    cond(fleet, kind).map_or("", |it| &it.message)
}

/// The route of a protocol; `None` when it is not there.
pub async fn route(env: &TestEnv, fleet: &str, protocol: &str) -> Result<Option<HttpRoute>> {
    Ok(env.api().get_opt(&format!("{fleet}-{protocol}")).await?)
}

/// The external Service; `None` when it is not there.
pub async fn external(env: &TestEnv, fleet: &str) -> Result<Option<Service>> {
    Ok(env.api().get_opt(&format!("{fleet}-external")).await?)
}

/// How many of the external Service and the four routes of a name are there.
pub async fn doors(env: &TestEnv, fleet: &str) -> Result<usize> {
    let mut there = usize::from(external(env, fleet).await?.is_some());
    for protocol in PROTOCOLS {
        there += usize::from(route(env, fleet, protocol).await?.is_some());
    }
    Ok(there)
}

/// Until the external Service and all four routes of a name are there, or none is.
pub async fn wait_for_doors(env: &TestEnv, fleet: &str, wanted: bool) -> Result<()> {
    let what = if wanted { "all doors to be there" } else { "all doors to be gone" };
    env.wait_for(what, || async {
        let there = doors(env, fleet).await?;
        let all = PROTOCOLS.len() + 1;
        let done = if wanted { there == all } else { there == 0 };
        Ok(if done { Progress::Ready(()) } else { Progress::NotYet(format!("{there} of {all}")) })
    })
    .await?;
    Ok(())
}

/// Stores an HTTPRoute of somebody else.
pub async fn foreign_route(env: &TestEnv, name: &str, labels: Value) -> Result<HttpRoute> {
    let route: HttpRoute = serde_json::from_value(json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": { "name": name, "labels": labels },
        "spec": { "hostnames": ["theirs.test"], "parentRefs": [{ "name": "their-gateway" }] },
    }))?;
    Ok(env.api().create(&PostParams::default(), &route).await?)
}

/// The Gateway speaks about a route: its `Accepted` and `ResolvedRefs`.
pub async fn answer(env: &TestEnv, name: &str, (accepted, resolved): (bool, bool)) -> Result<()> {
    let api = env.api::<HttpRoute>();
    let generation = api.get(name).await?.metadata.generation;
    let condition = |kind: &str, holds: bool, why: [&str; 2]| {
        json!({
            "type": kind, "status": if holds { "True" } else { "False" },
            "reason": why[usize::from(holds)], "message": format!("it is so: {holds}"),
            "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": generation,
        })
    };
    let conditions = [
        condition("Accepted", accepted, ["NotAllowedByListeners", "Accepted"]),
        condition("ResolvedRefs", resolved, ["BackendNotFound", "ResolvedRefs"]),
    ];
    let parent = json!({ "name": "sei-gateway", "namespace": "gateway" });
    let answer = json!({ "status": { "parents": [{
        "controllerName": "example.net/gateway", "parentRef": parent, "conditions": conditions,
    }] } });
    api.patch_status(name, &PatchParams::default(), &Patch::Merge(answer)).await?;
    Ok(())
}

/// The only Event of this reason; waits until there is one.
pub async fn only_event(env: &TestEnv, fleet: &SeiNodeDeployment, reason: &str) -> Result<Event> {
    let mut events = env
        .wait_for(&format!("an Event {reason}"), || async {
            let events = env.list_events_for_snd(fleet, Some(reason)).await?;
            Ok(match events.len() {
                0 => Progress::NotYet("no event".to_owned()),
                _ => Progress::Ready(events),
            })
        })
        .await?;
    anyhow::ensure!(events.len() == 1, "{} Events {reason}", events.len());
    events.pop().context("no event")
}
