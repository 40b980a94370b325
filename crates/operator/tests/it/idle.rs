//! A fleet that has settled is left in peace.

use std::time::Duration;

use anyhow::ensure;
use sei_harness::fixtures::{IMAGE_V1, new_snd};
use sei_harness::request_log::Verb;

use crate::status_writes::quiet;
use crate::support::scenario;

/// Longer than every poll that a settled fleet might be suspected of: task polls take 5 s.
const WATCHED: Duration = Duration::from_secs(8);

/// Invariant `idle_is_silent`: no write, and no read but the watches that are open.
#[test]
fn idle_is_silent() {
    scenario("idle_is_silent", |env| async move {
        env.create_snd(&new_snd(&env.ns, "idle").with_replicas(2).build()).await?;
        env.wait_settled("idle", IMAGE_V1).await?;
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
