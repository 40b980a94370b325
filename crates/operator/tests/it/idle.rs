//! A fleet that has settled is left in peace.

use std::time::Duration;

use anyhow::ensure;
use sei_harness::fixtures::{IMAGE_V1, new_snd};
use sei_harness::request_log::Verb;

use crate::published::says;
use crate::status_writes::quiet;
use crate::support::scenario;

/// Longer than every poll that a settled fleet might be suspected of.
const WATCHED: Duration = Duration::from_secs(60);

/// Invariant `idle_is_silent`: no write, and no read but the watches that are open, also while a
/// name of a published fleet does not resolve.
#[test]
fn idle_is_silent() {
    scenario("idle_is_silent", |env| async move {
        env.create_snd(&new_snd(&env.ns, "idle").with_replicas(2).build()).await?;
        env.create_snd(&new_snd(&env.ns, "public").with_networking().build()).await?;
        env.wait_settled("idle", IMAGE_V1).await?;
        env.wait_settled("public", IMAGE_V1).await?;
        says(&env, "public", ("RouteReady", "False", "DNSPending")).await?;
        quiet(&env).await?;
        let mark = env.requests.mark();
        tokio::time::sleep(WATCHED).await;
        let sent = env.requests.since(mark);
        let noise: Vec<String> =
            sent.iter().filter(|it| it.verb != Verb::Watch).map(ToString::to_string).collect();
        ensure!(noise.is_empty(), "an idle fleet caused:\n{}", noise.join("\n"));
        Ok(())
    });
}
