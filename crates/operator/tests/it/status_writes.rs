//! How statuses are written: merge patches, conditional, one a pass.

use std::time::Duration;

use anyhow::{Result, ensure};
use sei_api::SeiNodeDeployment;
use sei_core::tempo::Tempo;
use sei_harness::fixtures::{HASH_V1, HASH_V2, IMAGE_V1, IMAGE_V2, new_snd};
use sei_harness::request_log::{Outcome, Record, Verb};
use sei_harness::suite::TestEnv;

use crate::invariants;
use crate::support::{expect, paced_scenario, scenario, status};

const NAME: &str = "writes";

/// Requests of a rollout of two that change something: plan, two child specs, two node plans, two
/// StatefulSets, two settled nodes, completion.
const WRITES: usize = 10;
/// `RolloutStarted`, `PlanStarted`, `RolloutComplete`, `PlanComplete`.
const EVENTS: usize = 4;

#[test]
fn a_rollout_of_two_sends_the_fewest_requests() {
    // How often marks ride a write of their own depends on the machine's speed; here they all wait.
    let tempo = Tempo { mark_delay: Duration::from_secs(60), ..Tempo::default() };
    paced_scenario("a_rollout_of_two_sends_the_fewest_requests", tempo, |env| async move {
        let fleet = new_snd(&env.ns, NAME).with_replicas(2).build();
        fewest(&requests_of_a_rollout(&env, fleet).await?)
    });
}

/// Doors cost a rollout nothing, whatever the name of the fleet resolves to.
#[test]
fn a_rollout_of_a_published_fleet_sends_no_more() {
    let tempo = Tempo { mark_delay: Duration::from_secs(60), ..Tempo::default() };
    paced_scenario("a_rollout_of_a_published_fleet_sends_no_more", tempo, |env| async move {
        let fleet = new_snd(&env.ns, NAME).with_replicas(2).with_networking().build();
        fewest(&requests_of_a_rollout(&env, fleet).await?)
    });
}

fn fewest(sent: &[Record]) -> Result<()> {
    let (events, writes): (Vec<&Record>, Vec<&Record>) =
        sent.iter().partition(|it| it.resource == "events");
    let shown = || sent.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    ensure!(writes.len() == WRITES, "{} writes and reads:\n{}", writes.len(), shown());
    ensure!(events.len() == EVENTS, "{} events:\n{}", events.len(), shown());
    ensure!(sent.iter().all(|it| it.code().is_some_and(|code| code < 300)), "{}", shown());
    Ok(())
}

#[test]
fn every_status_write_is_a_conditional_merge_patch() {
    scenario("every_status_write_is_a_conditional_merge_patch", |env| async move {
        requests_of_a_rollout(&env, new_snd(&env.ns, NAME).with_replicas(2).build()).await?;
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

/// Everything but LIST and WATCH that a rollout of two sends, from the edit to its last event.
async fn requests_of_a_rollout(env: &TestEnv, fleet: SeiNodeDeployment) -> Result<Vec<Record>> {
    env.create_snd(&fleet).await?;
    env.wait_settled(NAME, IMAGE_V1).await?;
    env.wait_for_status(NAME, "the baseline", |fleet| {
        let hash = status(fleet).template_hash;
        expect(hash.as_deref() == Some(HASH_V1), || format!("templateHash {hash:?}"))
    })
    .await?;
    quiet(env).await?;
    let mark = env.requests.mark();
    env.patch_snd_image(NAME, IMAGE_V2).await?;
    env.wait_for_status(NAME, "the rollout to be complete", |fleet| {
        invariants::complete(fleet, HASH_V2)
    })
    .await?;
    quiet(env).await?;
    let mut sent = env.requests.since(mark);
    sent.retain(|it| !matches!(it.verb, Verb::List | Verb::Watch));
    Ok(sent)
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
