//! The operator is killed at any time while users keep editing, again and again; it has to end at
//! the last edit.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sei_harness::suite::{TestEnv, cond_true};
use sei_harness::wait::{Progress, WaitOpts};
use tokio::time::sleep;

use super::breadth::{Sweep, is_whole};
use super::edits::{Chance, Edits};
use super::judge::Verdict;
use super::once::told_once;
use super::picture::runs;
use super::process::counted;
use super::stories::{CREATE_PUBLISHED, FLEET};
use super::telling::Teller;
use crate::invariants;
use crate::published::{PROTOCOLS, doors};
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

#[test]
fn of_kills_at_any_time() -> Result<()> {
    let first = match std::env::var(SEED) {
        Ok(seed) => seed.parse().context("the seed is a number")?,
        Err(_) => 1,
    };
    let seeds: Vec<Seed> = (first..).take(SEEDS as usize).map(Seed).collect();
    let allowance = LIFE_ALLOWANCE * KILLS as usize;
    let story = "edits, 5 kills in each";
    let sweep = Sweep { sweep: "chance", story, choice: 1, allowance, met: 100 };
    println!("first seed {first}, {} kills each, whole: {}", KILLS, is_whole());
    sweep.over((&seeds, 0), |seed| {
        let seed = *seed;
        let met = Arc::new(AtomicUsize::new(0));
        let teller = Teller { controllers: counted(&met), own_server: false };
        let told = teller.run(&seed.to_string(), |env| killed(env, seed));
        // An operator that has ended by itself was not killed; nor was one that nobody kept busy.
        let met = || met.load(Ordering::Relaxed) == KILLS as usize;
        let told = told.map(|(verdict, edits)| (verdict, edits > 0 && met()));
        told.with_context(|| format!("{seed}; again with {SEED}={}", seed.0))
    })
}

/// Also returns how many edits were made.
async fn killed(env: Arc<TestEnv>, seed: Seed) -> Result<(Verdict, usize)> {
    (CREATE_PUBLISHED.deed)(Arc::clone(&env)).await?;
    let mark = env.requests.mark();
    let mut edits = Edits::of(seed.0);
    let editing = async {
        loop {
            sleep(edits.pause(PAUSE_MILLIS)).await;
            edits.make(&env).await?;
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
    edits.unpause(&env).await?;
    let fleet = converged(&env).await?;
    env.stop_controllers().await?;
    let (_, twice) = runs(&env);
    ensure!(twice.is_none(), "a sidecar task ran again: {twice:?}");
    invariants::hold(&env, &fleet).await?;
    told_once(&env).await?;
    let sent = env.requests.since(mark);
    let requests = sent.iter().filter(|it| super::is_counted(it)).count();
    Ok((Verdict { requests, untold: 0 }, edits.made))
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
    let is_ready = cond_true(fleet, "Ready");
    if said.observed_generation != fleet.metadata.generation || !is_ready || said.plan.is_some() {
        return Ok(Some(format!("status {}", serde_json::to_string(&said)?)));
    }
    if cond_true(fleet, "Paused") {
        return Ok(Some("still paused".to_owned()));
    }
    let (doors, all) = (doors(env, FLEET).await?, PROTOCOLS.len() + 1);
    if doors != if fleet.spec.networking.is_some() { all } else { 0 } {
        return Ok(Some(format!("{doors} of {all} doors, networking {:?}", fleet.spec.networking)));
    }
    let children = env.list_children(fleet).await?;
    if children.len() != wanted {
        return Ok(Some(format!("{} children of {wanted}", children.len())));
    }
    for child in children {
        let name = child.metadata.name.unwrap_or_default();
        if child.spec.paused {
            return Ok(Some(format!("{name} is still paused")));
        }
        let set = env.api().get(&name).await?;
        // Without one that is asked for, whichever runs may stay.
        let sidecar = fleet.spec.template.spec.sidecar.as_ref().and_then(|it| it.image.as_deref());
        let beside = template_image(&set, "sei-sidecar")?;
        if sidecar.is_some_and(|it| it != beside) {
            return Ok(Some(format!("{name} asks for the sidecar {beside}, wanted {sidecar:?}")));
        }
        let asked = template_image(&set, "seid")?;
        let runs = child.status.and_then(|it| it.current_image).unwrap_or_default();
        if asked != image || runs != image || child.spec.image != image {
            return Ok(Some(format!("{name} asks for {asked}, runs {runs}, wanted {image}")));
        }
    }
    Ok(None)
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KILLS} kills under seed {}", self.0)
    }
}
