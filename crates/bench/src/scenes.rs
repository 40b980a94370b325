//! The scenes of a run, in the order in which they are played on one growing stage.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::chain;
use crate::driver::Pace;
use crate::report::{Crowd, Machine, Report};
use crate::sizes::Sizes;
use crate::stage::Stage;
use crate::stats::Spread;

mod alone;
mod crowd;
mod idle;
mod start;

/// The fleet that is rolled out by hand while no operator runs.
const HAND: &str = "hand";
/// The fleet that is rolled out alone.
const ONE: &str = "one";

/// Longer than any mark may wait to be written, so that a round pays for its own writes.
const AFTERMATH: Duration = Duration::from_millis(400);

/// Plays all scenes with `program` as the operator.
///
/// # Errors
/// Something does not start, or does not do what it is measured at.
pub async fn play(program: &Path, sizes: &Sizes) -> Result<Report> {
    say("an API server, sidecars, a driver");
    let mut stage = Stage::start(program).await?;
    let played = acts(&mut stage, program, sizes).await;
    stage.stop().await?;
    played
}

async fn acts(stage: &mut Stage, program: &Path, sizes: &Sizes) -> Result<Report> {
    stage.start_operator().await?;
    let image = stage.next_image();
    stage.create(&[HAND.to_owned()], &image).await?;
    stage.stop_operator().await?;
    say("the chain by hand, before");
    let before = chain::rounds(stage, HAND, sizes.chain).await?;

    stage.start_operator().await?;
    settle(stage, &[HAND.to_owned()]).await?;
    say("one fleet");
    let image = stage.next_image();
    stage.create(&[ONE.to_owned()], &image).await?;
    let mut rollouts = Vec::new();
    for pace in [Pace::Immediate, Pace::Ticking] {
        rollouts.push(alone::rollouts(stage, ONE, pace, sizes.rollouts).await?);
    }
    stage.drive(Pace::Immediate);
    say("stalls and supersessions");
    let (resume, supersede) = alone::stalls(stage, ONE, sizes.stalls).await?;
    let mut memory = vec![start::memory(stage, 1).await?];
    let mut lone = vec![alone::lone(stage, ONE, (1, sizes.lone)).await?];

    say("a crowd");
    let crowd_names = crowd::names(0, sizes.crowd);
    let created = crowd::create(stage, &crowd_names).await?;
    let rolled_out = crowd::rollouts(stage, &crowd_names, sizes.crowd_rollouts).await?;
    let curve = crowd::curve(stage, &crowd_names, &sizes.curve).await?;
    memory.push(start::memory(stage, sizes.crowd).await?);
    lone.push(alone::lone(stage, ONE, (sizes.crowd, sizes.lone)).await?);

    say("idle fleets");
    crowd::create(stage, &crowd::names(sizes.crowd, sizes.idle)).await?;
    let idle = idle::watch(stage, sizes.idle, sizes.idle_for).await?;
    lone.push(alone::lone(stage, ONE, (sizes.idle, sizes.lone)).await?);
    crowd::create(stage, &crowd::names(sizes.idle, sizes.many)).await?;
    memory.push(start::memory(stage, sizes.many).await?);
    lone.push(alone::lone(stage, ONE, (sizes.many, sizes.lone)).await?);
    say("starts among many fleets");
    let start = start::starts(stage, ONE, sizes).await?;

    say("the chain by hand, after");
    stage.stop_operator().await?;
    let after = chain::rounds(stage, HAND, sizes.chain).await?;
    let by_hand = chain::crowd(stage, &crowd_names).await?;
    Ok(Report {
        machine: Machine::this(program).await?,
        chain: crate::report::Chain::of(Spread::of(&before), Spread::of(&after)),
        rollouts,
        resume,
        supersede,
        crowd: Crowd { fleets: sizes.crowd, created, rolled_out, by_hand_ms: millis(by_hand) },
        curve,
        lone,
        idle,
        start,
        memory,
    })
}

/// Waits until the operator has nothing left to do with fleets that changed while it was away.
async fn settle(stage: &mut Stage, names: &[String]) -> Result<()> {
    let image = stage.next_image();
    stage.roll_out(names, &image).await.context("settle")?;
    tokio::time::sleep(AFTERMATH).await;
    Ok(())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Where a run is, for who waits.
fn say(what: &str) {
    eprintln!("bench: {what}");
}
