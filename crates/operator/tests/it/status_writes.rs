//! How statuses are written: merge patches, conditional, one a pass.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sei_api::SeiNodeDeployment;
use sei_core::tempo::Tempo;
use sei_harness::fixtures::{HASH_V1, HASH_V2, IMAGE_V1, IMAGE_V2, new_snd};
use sei_harness::request_log::{Outcome, Record, Verb};
use sei_harness::suite::TestEnv;

use crate::invariants;
use crate::published::{says, wait_for_doors};
use crate::support::{expect, paced_scenario, scenario, status};

const NAME: &str = "writes";

/// Requests of a rollout of two that change something: plan, two child specs, two node plans, two
/// StatefulSets, two settled nodes, completion.
const WRITES: usize = 10;
/// Those of them that are statuses: two of each of the three objects.
const STATUSES: usize = 6;
/// `RolloutStarted`, `PlanStarted`, `RolloutComplete`, `PlanComplete`.
const EVENTS: usize = 4;
/// One look for pods of each node, since this control plane has none: "there are no pods" counts
/// only when the API server says so.
const LOOKS: usize = 2;
/// All of a rollout of two.
const REQUESTS_MAX: usize = 16;

#[test]
fn a_rollout_of_two_sends_the_fewest_requests() {
    paced_scenario("a_rollout_of_two_sends_the_fewest_requests", patient(), |env| async move {
        let fleet = new_snd(&env.ns, NAME).with_replicas(2).build();
        fewest(&requests_of_a_rollout(&env, fleet, None).await?)
    });
}

/// Doors cost a rollout nothing, whatever the name of the fleet resolves to.
#[test]
fn a_rollout_of_a_published_fleet_sends_no_more() {
    paced_scenario("a_rollout_of_a_published_fleet_sends_no_more", patient(), |env| async move {
        env.dns.resolve("writes-evm.test.local");
        published_rollout(&env, ("RouteReady", "True", "HTTPRouteReady")).await
    });
}

#[test]
fn a_rollout_of_a_fleet_whose_name_is_pending_sends_no_more() {
    let name = "a_rollout_of_a_fleet_whose_name_is_pending_sends_no_more";
    paced_scenario(name, patient(), |env| async move {
        published_rollout(&env, ("RouteReady", "False", "DNSPending")).await
    });
}

async fn published_rollout(env: &TestEnv, doors: (&str, &str, &str)) -> Result<()> {
    let fleet = new_snd(&env.ns, NAME).with_replicas(2).with_networking().build();
    fewest(&requests_of_a_rollout(env, fleet, Some(doors)).await?)?;
    wait_for_doors(env, NAME, true).await?;
    says(env, NAME, doors).await.map(drop)
}

/// How often marks ride a write of their own depends on the machine's speed; here they all wait.
fn patient() -> Tempo {
    Tempo { mark_delay: Duration::from_secs(60), ..Tempo::default() }
}

/// As shipped. A mark that its object's next write does not take along within the delay is written
/// by itself: a rollout that takes longer than that may have one such write more of each object for
/// each delay it lasts, and nothing else.
#[test]
fn a_rollout_at_the_shipped_pace_writes_no_more_than_its_marks() {
    let name = "a_rollout_at_the_shipped_pace_writes_no_more_than_its_marks";
    scenario(name, |env| async move {
        let fleet = new_snd(&env.ns, NAME).with_replicas(2).build();
        let sent = requests_of_a_rollout(&env, fleet, None).await?;
        let shown = || sent.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let (first, last) = (sent.first().context("none")?, sent.last().context("none")?);
        let delays = (last.at - first.at).as_millis() / Tempo::default().mark_delay.as_millis();
        if delays == 0 {
            return fewest(&sent);
        }
        ensure!(sent.iter().all(|it| it.code() != Some(409)), "a conflict:\n{}", shown());
        let marks = sent.iter().filter(|it| it.subresource == "status").count();
        for (object, statuses) in [(NAME, 2), ("writes-0", 2), ("writes-1", 2)] {
            let own = |it: &&Record| it.subresource == "status" && it.name == object;
            let own = sent.iter().filter(own).count();
            let most = statuses + usize::try_from(delays)?;
            ensure!(own <= most, "{own} statuses of {object}, {most} at most:\n{}", shown());
        }
        let others = sent.iter().filter(|it| it.resource != "events" && it.verb.is_write());
        let others = others.count() - marks;
        ensure!(others == WRITES - STATUSES, "{others} writes but statuses:\n{}", shown());
        let events = sent.iter().filter(|it| it.resource == "events").count();
        ensure!(events == EVENTS, "{events} events:\n{}", shown());
        Ok(())
    });
}

fn fewest(sent: &[Record]) -> Result<()> {
    let count = |wanted: fn(&Record) -> bool| sent.iter().filter(|it| wanted(it)).count();
    let events = count(|it| it.resource == "events");
    let looks = count(|it| it.verb == Verb::Get && it.resource == "pods");
    let others = sent.len() - events - looks;
    let shown = || sent.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let counts = (others, events, looks);
    ensure!(counts == (WRITES, EVENTS, LOOKS), "(writes, events, looks) {counts:?}:\n{}", shown());
    ensure!(sent.len() <= REQUESTS_MAX, "{} requests", sent.len());
    // A conflict would be an answer of 409; a look finds no pod.
    let answers = |it: &Record| if it.verb == Verb::Get { 404..405 } else { 200..300 };
    let wanted = |it: &Record| it.code().is_some_and(|code| answers(it).contains(&code));
    ensure!(sent.iter().all(wanted), "{}", shown());
    Ok(())
}

#[test]
fn every_status_write_is_a_conditional_merge_patch() {
    scenario("every_status_write_is_a_conditional_merge_patch", |env| async move {
        let fleet = new_snd(&env.ns, NAME).with_replicas(2).build();
        requests_of_a_rollout(&env, fleet, None).await?;
        let writes = env.requests.status_writes();
        ensure!(writes.len() >= 6, "only {} status writes", writes.len());
        for write in writes {
            ensure!(write.verb == Verb::Patch, "{write}");
            ensure!(write.content_type == "application/merge-patch+json", "{write}");
            ensure!(write.precondition().is_some(), "without resourceVersion: {write}");
            ensure!(write.outcome == Outcome::Answered(200), "{write}");
            ensure!(write.body["status"].as_object().is_some_and(|it| !it.is_empty()), "{write}");
        }
        Ok(())
    });
}

/// Everything but WATCH that a rollout of two sends, from the edit to its last event. The edit
/// comes when all is at rest, its doors too, which say `doors` then.
async fn requests_of_a_rollout(
    env: &TestEnv,
    fleet: SeiNodeDeployment,
    doors: Option<(&str, &str, &str)>,
) -> Result<Vec<Record>> {
    env.create_snd(&fleet).await?;
    env.wait_settled(NAME, IMAGE_V1).await?;
    env.wait_for_status(NAME, "the baseline", |fleet| {
        let hash = status(fleet).template_hash;
        expect(hash.as_deref() == Some(HASH_V1), || format!("templateHash {hash:?}"))
    })
    .await?;
    if let Some(doors) = doors {
        wait_for_doors(env, NAME, true).await?;
        says(env, NAME, doors).await?;
    }
    quiet(env).await?;
    let (mark, before) = (env.requests.mark(), stored(env)?);
    env.patch_snd_image(NAME, IMAGE_V2).await?;
    env.wait_for_status(NAME, "the rollout to be complete", |fleet| {
        invariants::complete(fleet, HASH_V2)
    })
    .await?;
    quiet(env).await?;
    let mut sent = env.requests.since(mark);
    sent.retain(|it| it.verb != Verb::Watch);
    let to = |what| sent.iter().filter(move |it| it.verb.is_write() && it.resource == what);
    let writes = (to("seinodedeployments").count() + 1, to("seinodes").count());
    let after = stored(env)?;
    let made = (after.0 - before.0, after.1 - before.1);
    ensure!(made == writes, "{writes:?} writes, the edit too, made {made:?} versions");
    Ok(sent)
}

/// Versions of the fleet and of its nodes that were stored so far: a write that changes nothing
/// makes none.
fn stored(env: &TestEnv) -> Result<(usize, usize)> {
    Ok((env.history.deployments.versions()?.len(), env.history.nodes.versions()?.len()))
}

/// Waits until the controllers have sent nothing for a second: longer than any mark may wait.
pub async fn quiet(env: &TestEnv) -> Result<()> {
    let calm = Duration::from_secs(1);
    loop {
        let mark = env.requests.mark();
        tokio::time::sleep(calm).await;
        if env.requests.since(mark).iter().all(|it| !it.verb.is_write()) {
            return Ok(());
        }
    }
}
