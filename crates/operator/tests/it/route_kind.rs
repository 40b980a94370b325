//! A cluster in which the HTTPRoute kind comes and goes while the operator runs.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use kube::Api;
use sei_api::SeiNodeDeployment;
use sei_api::k8s::CustomResourceDefinition;
use sei_core::platform::Platform;
use sei_core::tempo::Tempo;
use sei_harness::fixtures::{HASH_V2, HASH_V3, IMAGE_V1, IMAGE_V2, IMAGE_V3};
use sei_harness::suite::{RunOptions, TestEnv, cond, start_function, suite};
use sei_harness::wait::Progress;

use crate::invariants;
use crate::published::{PROTOCOLS, external, message, only_event, publish, route, says};
use crate::support::{setting, start_on, told};

const NAME: &str = "early";
/// Within this the operator hears of the kind, without a restart.
const HEARD: Duration = Duration::from_secs(8);

/// The kind is missing when the operator starts, arrives, goes, comes again, and is gone at the
/// end. Each turn is told once; children and rollouts never wait for it.
#[test]
fn the_route_kind_may_come_late_and_go() {
    let controllers = start_function(|inputs| async {
        start_on(inputs, Tempo::default(), Platform::parse(&setting)?)
    });
    let options = RunOptions::new().with_controllers(controllers).without_gateway_api();
    suite().run("the_route_kind_may_come_late_and_go", options, |env| async move {
        env.dns.resolve("early-evm.test.local");
        publish(&env, NAME, 1).await?;
        let fleet = is_missing(&env).await?;
        let event = only_event(&env, &fleet, "CRDNotInstalled").await?;
        ensure!(event.type_.as_deref() == Some("Warning"), "{event:?}");
        // Nothing else waits: the fleet comes up and rolls.
        env.wait_settled(NAME, IMAGE_V1).await?;
        ensure!(external(&env, NAME).await?.is_some(), "no external Service");
        rolls(&env, IMAGE_V2, HASH_V2).await?;
        is_missing(&env).await?;

        comes(&env).await?;
        told(&env, &fleet, ("HTTPRouteReady", 1)).await?;
        goes(&env).await?;
        told(&env, &fleet, ("CRDNotInstalled", 2)).await?;
        rolls(&env, IMAGE_V3, HASH_V3).await?;
        is_missing(&env).await?;
        is_forgotten(&env).await?;

        comes(&env).await?;
        told(&env, &fleet, ("HTTPRouteReady", 2)).await?;
        told(&env, &fleet, ("CRDNotInstalled", 2)).await?;
        let versions = env.history.deployments.through(&env.get_snd(NAME).await?).await?;
        let turns = versions.sequence_of(|it| {
            let said = cond(it, "RouteReady").map(|it| it.reason.clone())?;
            ["CRDNotInstalled", "HTTPRouteReady"].contains(&&*said).then_some(said)
        });
        let mut turns: Vec<_> = turns.into_iter().flatten().collect();
        turns.dedup();
        let wanted = ["CRDNotInstalled", "HTTPRouteReady"].repeat(2);
        ensure!(turns == wanted, "{turns:?}");

        goes(&env).await?;
        env.delete_snd(NAME).await?;
        env.wait_for_gone(NAME).await?;
        Ok(())
    });
}

/// Until both conditions say that the kind is missing.
async fn is_missing(env: &TestEnv) -> Result<SeiNodeDeployment> {
    says(env, NAME, ("RouteReady", "False", "CRDNotInstalled")).await?;
    let fleet = says(env, NAME, ("RouteAccepted", "False", "CRDNotInstalled")).await?;
    for kind in ["RouteReady", "RouteAccepted"] {
        let said = message(&fleet, kind);
        ensure!(said == "Gateway API CRD (HTTPRoute) is not installed", "{kind}: {said}");
    }
    Ok(fleet)
}

/// The kind is installed, and its routes are there soon.
async fn comes(env: &TestEnv) -> Result<()> {
    env.install_gateway_api().await?;
    let began = Instant::now();
    says(env, NAME, ("RouteReady", "True", "HTTPRouteReady")).await?;
    says(env, NAME, ("RouteAccepted", "Unknown", "GatewayPending")).await?;
    let took = began.elapsed();
    ensure!(took < HEARD, "heard of the kind only after {took:?}");
    for protocol in PROTOCOLS {
        ensure!(route(env, NAME, protocol).await?.is_some(), "no route {protocol}");
    }
    Ok(())
}

/// The kind is removed, and the fleet says so.
async fn goes(env: &TestEnv) -> Result<()> {
    env.remove_httproute_kind().await?;
    is_missing(env).await.map(drop)
}

/// Until the API server has forgotten the kind; before that it cannot be installed again.
async fn is_forgotten(env: &TestEnv) -> Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all((*env.client).clone());
    env.wait_for("the kind to be forgotten", || async {
        let left = definitions.get_opt("httproutes.gateway.networking.k8s.io").await?;
        Ok(left.map_or(Progress::Ready(()), |_| Progress::NotYet("it is there".to_owned())))
    })
    .await?;
    Ok(())
}

/// A rollout while the kind is missing.
async fn rolls(env: &TestEnv, image: &str, hash: &str) -> Result<()> {
    env.patch_snd_image(NAME, image).await?;
    let began = Instant::now();
    env.wait_for_status(NAME, "the rollout to be complete", |fleet| {
        invariants::complete(fleet, hash)
    })
    .await?;
    let took = began.elapsed();
    ensure!(took < HEARD, "a rollout without the kind took {took:?}");
    env.wait_settled(NAME, image).await?;
    Ok(())
}
