//! The operator is killed at any time while users keep editing, again and again; it has to end at
//! the last edit.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sei_harness::fixtures::{IMAGE_V1, IMAGE_V2, IMAGE_V3};
use sei_harness::suite::TestEnv;
use sei_harness::wait::{Progress, WaitOpts};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::breadth::{Sweep, is_whole};
use super::judge::Verdict;
use super::picture::runs;
use super::process::shipped;
use super::stories::{CREATE_PUBLISHED, FLEET};
use super::telling::Teller;
use crate::invariants;
use crate::support::{status, template_image};

/// The first seed; a whole sweep that names none takes another each time.
const SEED: &str = "SEI_SWEEPS_SEED";
/// Kills under one seed.
const KILLS: u32 = 5;
/// Seeds of a whole sweep: 200 kills.
const SEEDS: u64 = 40;
/// Between two kills: from one that meets the operator at its start to one at rest.
const LIFE_MILLIS: u64 = 1200;
/// Between two edits.
const PAUSE_MILLIS: u64 = 400;
/// From the last edit to the end of all that it asks for.
const SETTLE: WaitOpts =
    WaitOpts { timeout: Duration::from_secs(30), interval: Duration::from_millis(100) };
/// What one life of the operator may send: what it finds undone, a rollout of three, and events.
const LIFE_ALLOWANCE: usize = 50;

/// One seed.
#[derive(Clone, Copy)]
struct Seed(u64);

/// Numbers that follow from a seed: splitmix64.
struct Chance(u64);

#[test]
fn of_kills_at_any_time() -> Result<()> {
    let first = match std::env::var(SEED) {
        Ok(seed) => seed.parse().context("the seed is a number")?,
        Err(_) => 1,
    };
    let seeds: Vec<Seed> = (first..).take(SEEDS as usize).map(Seed).collect();
    let allowance = LIFE_ALLOWANCE * KILLS as usize;
    let story = "edits, 5 kills in each";
    let sweep = Sweep { sweep: "chance", story, choice: 1, allowance };
    let teller = Teller { controllers: shipped(), own_server: false };
    println!("first seed {first}, {} kills each, whole: {}", KILLS, is_whole());
    sweep.over((&seeds, 0), |seed| {
        let seed = *seed;
        let told = teller.run(&seed.to_string(), |env| killed(env, seed));
        told.with_context(|| format!("{seed}; again with {SEED}={}", seed.0))
    })
}

async fn killed(env: Arc<TestEnv>, seed: Seed) -> Result<(Verdict, bool)> {
    (CREATE_PUBLISHED.deed)(Arc::clone(&env)).await?;
    let mark = env.requests.mark();
    let mut edits = Chance(seed.0);
    let editing = async {
        loop {
            sleep(edits.below(PAUSE_MILLIS)).await;
            edits.edit(&env).await?;
        }
    };
    let mut kills = Chance(!seed.0);
    let killing = async {
        for _ in 0..KILLS {
            sleep(kills.below(LIFE_MILLIS)).await;
            env.kill_controllers().await;
            env.start_controllers().await?;
        }
        anyhow::Ok(())
    };
    let ended: Result<()> = tokio::select! {
        ended = editing => ended,
        done = killing => done,
    };
    ended?;
    let fleet = converged(&env).await?;
    env.stop_controllers().await?;
    let (_, twice) = runs(&env);
    ensure!(twice.is_none(), "a sidecar task ran again: {twice:?}");
    invariants::hold(&env, &fleet).await?;
    let sent = env.requests.since(mark);
    let requests = sent.iter().filter(|it| super::is_counted(it)).count();
    Ok((Verdict { requests, untold: 0 }, true))
}

/// The fleet, once it and all that belongs to it are as the last edit wants them.
async fn converged(env: &TestEnv) -> Result<sei_api::SeiNodeDeployment> {
    env.wait_for_with(SETTLE, "the fleet to be as the last edit wants it", || async {
        let fleet = env.get_snd(FLEET).await?;
        Ok(match unfinished(env, &fleet).await? {
            None => Progress::Ready(fleet),
            Some(what) => Progress::NotYet(what),
        })
    })
    .await
    .map_err(Into::into)
}

async fn unfinished(env: &TestEnv, fleet: &sei_api::SeiNodeDeployment) -> Result<Option<String>> {
    let (said, image) = (status(fleet), fleet.spec.template.spec.image.as_str());
    let wanted = usize::try_from(fleet.spec.replicas)?;
    let is_ready = sei_harness::suite::cond_true(fleet, "Ready");
    if said.observed_generation != fleet.metadata.generation || !is_ready || said.plan.is_some() {
        return Ok(Some(format!("status {}", serde_json::to_string(&said)?)));
    }
    let children = env.list_children(fleet).await?;
    if children.len() != wanted {
        return Ok(Some(format!("{} children of {wanted}", children.len())));
    }
    for child in children {
        let name = child.metadata.name.unwrap_or_default();
        let asked = template_image(&env.api().get(&name).await?, "seid")?;
        let runs = child.status.and_then(|it| it.current_image).unwrap_or_default();
        if asked != image || runs != image || child.spec.image != image {
            return Ok(Some(format!("{name} asks for {asked}, runs {runs}, wanted {image}")));
        }
    }
    Ok(None)
}

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, millis: u64) -> Duration {
        Duration::from_millis(self.next() % millis)
    }

    /// Another image, one child more or less, or something that starts no rollout.
    async fn edit(&mut self, env: &TestEnv) -> Result<()> {
        let change: Value = match self.next() % 8 {
            0 => json!({ "replicas": 1 + self.next() % 3 }),
            1 => json!({ "progressDeadlineSeconds": 600 + self.next() % 60 }),
            _ => {
                let images = [IMAGE_V1, IMAGE_V2, IMAGE_V3];
                let image = images[(self.next() % 3) as usize];
                json!({ "template": { "spec": { "image": image } } })
            }
        };
        env.patch_snd_spec(FLEET, change).await.map(|_| ())
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KILLS} kills under seed {}", self.0)
    }
}
