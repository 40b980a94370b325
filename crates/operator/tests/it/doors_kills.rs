//! The operator dies at each write for the public face, before it is sent and after it was done;
//! the next one ends up in the same place.

use anyhow::{Context as _, Result, ensure};
use sei_api::k8s::{ResourceExt as _, Service};
use sei_api::{DeletionPolicy, SeiNodeDeployment};
use sei_harness::fixtures::{IMAGE_V1, new_snd};
use sei_harness::request_log::{Fault, Requests, Verb};
use sei_harness::suite::TestEnv;
use serde_json::json;

use crate::published::{PROTOCOLS, external, only_event, route, says, wait_for_doors};
use crate::support::{scenario, status};

/// How a request and the operator that sent it end.
#[derive(Clone, Copy)]
enum Death {
    /// Before the request is sent.
    Before,
    /// After the API server did it, before the operator hears of it.
    After,
}

const DEATHS: [Death; 2] = [Death::Before, Death::After];

#[test]
fn a_death_at_any_write_of_a_new_face_is_made_good() {
    scenario("a_death_at_any_write_of_a_new_face_is_made_good", |env| async move {
        for (index, (resource, death)) in moments(["services", "httproutes"]).enumerate() {
            let name = format!("born-{index}");
            env.dns.resolve(&format!("{name}-evm.test.local"));
            let of = name.clone();
            let victims = Requests::any().verb(Verb::Apply).resource(resource);
            let victims = victims.that(move |it| is_door(&of, &it.name));
            let fleet = fleet(&env, &name, DeletionPolicy::Delete);
            dies(&env, victims, death, env.create_snd(&fleet)).await?;
            env.wait_settled(&name, IMAGE_V1).await?;
            let ready = says(&env, &name, ("RouteReady", "True", "HTTPRouteReady")).await?;
            wait_for_doors(&env, &name, true).await?;
            only_event(&env, &ready, "HTTPRouteReady").await?;
            env.delete_snd(&name).await?;
            env.wait_for_gone(&name).await?;
        }
        Ok(())
    });
}

#[test]
fn a_death_at_any_write_of_a_deletion_is_made_good() {
    scenario("a_death_at_any_write_of_a_deletion_is_made_good", |env| async move {
        let resources = ["services", "httproutes", "seinodedeployments"];
        for (index, (resource, death)) in moments(resources).enumerate() {
            let name = format!("gone-{index}");
            settle(&env, &name, DeletionPolicy::Delete).await?;
            let verb = if resource == "seinodedeployments" { Verb::Patch } else { Verb::Delete };
            let victims = Requests::any().verb(verb).resource(resource);
            dies(&env, victims, death, env.delete_snd(&name)).await?;
            env.wait_for_gone(&name).await?;
            wait_for_doors(&env, &name, false).await?;
        }
        Ok(())
    });
}

#[test]
fn a_death_at_any_write_of_a_closing_is_made_good() {
    scenario("a_death_at_any_write_of_a_closing_is_made_good", |env| async move {
        for (index, (resource, death)) in moments(["services", "httproutes"]).enumerate() {
            let name = format!("shut-{index}");
            settle(&env, &name, DeletionPolicy::Delete).await?;
            let node = env.api::<sei_api::SeiNode>().get(&format!("{name}-0")).await?;
            let victims = Requests::any().verb(Verb::Delete).resource(resource);
            let close = env.patch_snd_spec(&name, json!({ "networking": null }));
            dies(&env, victims, death, close).await?;
            wait_for_doors(&env, &name, false).await?;
            let shut = says(&env, &name, ("RouteReady", "False", "NotApplicable")).await?;
            ensure!(status(&shut).networking_status.is_none(), "{name}: networkingStatus stays");
            let after = env.api::<sei_api::SeiNode>().get(&format!("{name}-0")).await?;
            ensure!(after.metadata.generation == node.metadata.generation, "a child was written");
        }
        Ok(())
    });
}

#[test]
fn a_death_at_any_write_of_a_retention_is_made_good() {
    scenario("a_death_at_any_write_of_a_retention_is_made_good", |env| async move {
        let resources = ["seinodes", "services", "httproutes", "seinodedeployments"];
        for (index, (resource, death)) in moments(resources).enumerate() {
            let name = format!("kept-{index}");
            settle(&env, &name, DeletionPolicy::Retain).await?;
            let before = uids(&env, &name).await?;
            // Status writes are patches too; those of nodes are not this fleet's.
            let victims = Requests::any().verb(Verb::Patch).resource(resource);
            let victims = victims.that(|it| it.body["metadata"]["resourceVersion"].is_string());
            dies(&env, victims, death, env.delete_snd(&name)).await?;
            env.wait_for_gone(&name).await?;
            ensure!(uids(&env, &name).await? == before, "{name}: something was made anew");
        }
        Ok(())
    });
}

fn moments<const N: usize>(
    resources: [&'static str; N],
) -> impl Iterator<Item = (&'static str, Death)> {
    resources.into_iter().flat_map(|it| DEATHS.map(|death| (it, death)))
}

fn is_door(fleet: &str, name: &str) -> bool {
    name.strip_prefix(fleet).is_some_and(|it| it == "-external" || PROTOCOLS.contains(&&it[1..]))
}

fn fleet(env: &TestEnv, name: &str, policy: DeletionPolicy) -> SeiNodeDeployment {
    let fleet = new_snd(&env.ns, name).with_networking();
    fleet.with(|it| it.deletion_policy = Some(policy)).build()
}

async fn settle(env: &TestEnv, name: &str, policy: DeletionPolicy) -> Result<()> {
    env.create_snd(&fleet(env, name, policy)).await?;
    env.wait_settled(name, IMAGE_V1).await?;
    wait_for_doors(env, name, true).await
}

/// Lets the operator die at the first of `victims` that `cause` leads to, and starts another.
async fn dies<T>(
    env: &TestEnv,
    victims: Requests,
    death: Death,
    cause: impl Future<Output = Result<T>>,
) -> Result<()> {
    let fault = match death {
        Death::Before => Fault::Hold,
        Death::After => Fault::ResetAfter,
    };
    let fault = env.requests.inject(victims, fault, 1);
    cause.await?;
    fault.met(1).await;
    env.kill_controllers().await;
    drop(fault);
    env.start_controllers().await
}

async fn uids(env: &TestEnv, name: &str) -> Result<Vec<Option<String>>> {
    let mut uids = vec![external(env, name).await?.context("no external Service")?.uid()];
    for protocol in PROTOCOLS {
        uids.push(route(env, name, protocol).await?.context(protocol)?.uid());
    }
    uids.push(env.api::<Service>().get(&format!("{name}-internal")).await?.uid());
    uids.push(env.api::<sei_api::SeiNode>().get(&format!("{name}-0")).await?.uid());
    Ok(uids)
}
