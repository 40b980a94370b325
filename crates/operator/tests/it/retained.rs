//! `Retain` at the worst moment: in mid-rollout, in mid-supersession, and when letting go fails.

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use sei_api::gateway::HttpRoute;
use sei_api::k8s::{ObjectMeta, ResourceExt as _, Service, StatefulSet};
use sei_api::{DeletionPolicy, DeploymentPhase, SeiNode};
use sei_harness::fixtures::{HASH_V2, HASH_V3, IMAGE_V1, IMAGE_V2, IMAGE_V3, SndBuilder, new_snd};
use sei_harness::request_log::{Fault, Record, Requests, Verb};
use sei_harness::status_faker::Mode;
use sei_harness::suite::TestEnv;
use sei_harness::wait::Progress;
use serde_json::{Value, json};

use crate::published::{PROTOCOLS, external, message, route, says, wait_for_doors};
use crate::rollout::everything_runs;
use crate::support::{current_image, expect, scenario, settled, status, target, told};

/// A published fleet of two that lets its children live.
fn retaining(env: &TestEnv, name: &str) -> SndBuilder {
    let retain = |it: &mut sei_api::SeiNodeDeploymentSpec| {
        it.deletion_policy = Some(DeletionPolicy::Retain);
    };
    env.dns.resolve(&format!("{name}-evm.test.local"));
    new_snd(&env.ns, name).with_replicas(2).with_networking().with(retain)
}

#[test]
fn a_fleet_retained_in_mid_rollout_goes_on_under_its_heir() {
    scenario("a_fleet_retained_in_mid_rollout_goes_on_under_its_heir", |env| async move {
        inherited(&env, "rolling", &[(IMAGE_V2, HASH_V2)]).await
    });
}

#[test]
fn a_fleet_retained_in_mid_supersession_goes_on_under_its_heir() {
    scenario("a_fleet_retained_in_mid_supersession_goes_on_under_its_heir", |env| async move {
        inherited(&env, "moving", &[(IMAGE_V2, HASH_V2), (IMAGE_V3, HASH_V3)]).await
    });
}

/// The fleet is deleted when one child runs the first of `edits`, the other does not, and the last
/// of them has been asked for; its heir, made for that last one, finishes the way.
async fn inherited(env: &TestEnv, name: &str, edits: &[(&str, &str)]) -> Result<()> {
    settled(env, &retaining(env, name).build()).await?;
    wait_for_doors(env, name, true).await?;
    says(env, name, ("RouteReady", "True", "HTTPRouteReady")).await?;
    let (moves, stays) = (format!("{name}-0"), format!("{name}-1"));
    env.faker.set_mode(&stays, Mode::Frozen);
    for (image, hash) in edits {
        env.patch_snd_image(name, image).await?;
        env.wait_for_status(name, &format!("a rollout to {hash}"), |fleet| {
            let is = target(fleet);
            expect(is.as_deref() == Some(hash), || format!("target {is:?}"))
        })
        .await?;
        runs(env, &moves, image).await?;
    }
    let (image, hash) = edits.last().copied().context("no edit")?;
    let fleet = env.get_snd(name).await?;
    let before = parts(env, name).await?;
    let mark = env.requests.mark();
    env.delete_snd(name).await?;
    env.wait_for_gone(name).await?;
    told(env, &fleet, ("RetainResources", 1)).await?;

    let kept = parts(env, name).await?;
    let same = before.iter().zip(&kept).all(|(was, is)| was.serves_as(is));
    ensure!(before.len() == kept.len() && same, "not as before: {before:#?} {kept:#?}");
    let uid = fleet.uid().context("no uid")?;
    let ours = |it: &&Part| it.owners.contains(&uid);
    ensure!(kept.iter().find(ours).is_none(), "still ours: {kept:#?}");
    let removed = env.requests.since(mark);
    let removed: Vec<_> = removed.iter().filter(|it| it.verb == Verb::Delete).collect();
    ensure!(removed.is_empty(), "deleted: {removed:?}");

    let heir = env.create_snd(&retaining(env, name).with_image(image).build()).await?;
    env.faker.set_mode(&stays, Mode::RolledOut);
    let heir_runs = env.wait_for_status(name, "the heir to have converged", |fleet| {
        let (hash_is, ready) = (status(fleet).template_hash, status(fleet).ready_replicas);
        let done = hash_is.as_deref() == Some(hash) && ready == 2 && target(fleet).is_none();
        expect(done && fleet.uid() == heir.uid(), || format!("{hash_is:?}, {ready} ready"))
    });
    let heir = heir_runs.await?;
    env.wait_settled(name, image).await?;
    says(env, name, ("RouteReady", "True", "HTTPRouteReady")).await?;
    everything_runs(env, &env.list_children(&heir).await?, image).await?;
    let adopted = parts(env, name).await?;
    ensure!(uids(&before) == uids(&adopted), "made anew: {before:#?} {adopted:#?}");
    let heir = heir.uid().context("no uid")?;
    let owned = |it: &Part| it.kind == "StatefulSet" || it.owners == [heir.clone()];
    ensure!(adopted.iter().all(owned), "not adopted: {adopted:#?}");
    // The second child went the shortest way, and never claimed what it did not run.
    let ran = env.history.nodes.versions()?.named(&stays).sequence_of(current_image);
    ensure!(ran == ["", IMAGE_V1, image], "{ran:?}");
    Ok(())
}

/// Whatever cannot be let go of holds the fleet, which says so and goes as soon as it can.
#[test]
fn a_release_that_fails_holds_the_fleet() {
    scenario("a_release_that_fails_holds_the_fleet", |env| async move {
        let victims = [
            ("child", "seinodes", "child-1"),
            ("inside", "services", "inside-internal"),
            ("outside", "services", "outside-external"),
            ("routed", "httproutes", "routed-rest"),
        ];
        let stories = victims.map(|(name, kind, victim)| held(&env, name, kind, victim));
        try_join_all(stories).await.map(drop)
    });
}

async fn held(env: &TestEnv, name: &str, kind: &str, victim: &str) -> Result<()> {
    settled(env, &retaining(env, name).build()).await?;
    wait_for_doors(env, name, true).await?;
    let before = parts(env, name).await?;
    let owners = |it: &Record| it.body["metadata"]["ownerReferences"].is_array();
    let release = Requests::writes().resource(kind).name(victim).subresource("").that(owners);
    let fault = env.requests.inject(release, Fault::Status(500), usize::MAX);
    env.delete_snd(name).await?;
    let why = "the API server answered 500";
    let held = env
        .wait_for_status(name, why, |fleet| {
            let (phase, said) = (status(fleet).phase, message(fleet, "Ready"));
            let leaving = phase == Some(DeploymentPhase::Terminating);
            let told = said.contains(why) && said.contains(victim);
            expect(leaving && told, || format!("{phase:?}: {said}"))
        })
        .await?;
    fault.met(3).await;
    ensure!(env.get_snd(name).await?.finalizers().len() == 1, "the finalizer is gone");
    told(env, &held, ("DeleteFailed", 1)).await?;

    drop(fault);
    env.wait_for_gone(name).await?;
    let kept = parts(env, name).await?;
    ensure!(uids(&before) == uids(&kept), "made anew: {before:#?} {kept:#?}");
    let free = |it: &Part| it.kind == "StatefulSet" || it.owners.is_empty();
    ensure!(kept.iter().all(free), "still ours: {kept:#?}");
    told(env, &held, ("DeleteFailed", 1)).await?;
    Ok(())
}

/// An object of a fleet, as far as anybody depends on it.
#[derive(Debug)]
struct Part {
    kind: &'static str,
    name: String,
    uid: Option<String>,
    owners: Vec<String>,
    spec: Value,
}

impl Part {
    fn of(kind: &'static str, meta: &ObjectMeta, spec: Value) -> Self {
        let owners = meta.owner_references.iter().flatten().map(|it| it.uid.clone());
        let name = meta.name.clone().unwrap_or_default();
        Self { kind, name, uid: meta.uid.clone(), owners: owners.collect(), spec }
    }

    fn serves_as(&self, other: &Self) -> bool {
        (&self.kind, &self.name, &self.uid, &self.spec)
            == (&other.kind, &other.name, &other.uid, &other.spec)
    }
}

/// The doors, the Services, the children and what runs them.
async fn parts(env: &TestEnv, fleet: &str) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for protocol in PROTOCOLS {
        let it: HttpRoute = route(env, fleet, protocol).await?.context(protocol)?;
        parts.push(Part::of("HTTPRoute", &it.metadata, json!(it.spec)));
    }
    let outside = external(env, fleet).await?.context("no external Service")?;
    let inside: Service = env.api().get(&format!("{fleet}-internal")).await?;
    for it in [outside, inside] {
        parts.push(Part::of("Service", &it.metadata, json!(it.spec)));
    }
    for name in [format!("{fleet}-0"), format!("{fleet}-1")] {
        let it: SeiNode = env.api().get(&name).await?;
        parts.push(Part::of("SeiNode", &it.metadata, json!(it.spec)));
        let it: StatefulSet = env.api().get(&name).await?;
        parts.push(Part::of("StatefulSet", &it.metadata, json!(it.spec)));
    }
    Ok(parts)
}

fn uids(parts: &[Part]) -> Vec<&Option<String>> {
    parts.iter().map(|it| &it.uid).collect()
}

/// Until the child runs `image`.
async fn runs(env: &TestEnv, child: &str, image: &str) -> Result<()> {
    env.wait_for(&format!("\"{child}\" to run {image}"), || async {
        let is = current_image(&env.api::<SeiNode>().get(child).await?);
        Ok(if is == image { Progress::Ready(()) } else { Progress::NotYet(format!("runs {is}")) })
    })
    .await?;
    Ok(())
}
