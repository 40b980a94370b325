//! One telling of a story, in a namespace of its own, with an operator of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use sei_harness::request_log::{Record, Verb};
use sei_harness::suite::{ControllersFn, RunOptions, TestEnv, suite};
use sei_harness::wait::Progress;
use tokio::sync::Semaphore;

use super::picture::{Counts, Picture, events, runs};
use super::stories::Story;

/// What is known of a telling once it has ended.
#[derive(Clone, Debug)]
pub struct Account {
    /// What the operator sent for the deed.
    pub sent: Vec<Record>,
    /// What is there.
    pub picture: Picture,
    /// What was told.
    pub events: Counts,
    /// What the sidecars did.
    pub runs: Counts,
}

impl Account {
    /// The events that the deed, not what came before it, has brought about.
    pub fn posted(&self) -> Counts {
        let is_post = |it: &&Record| it.verb == Verb::Create && it.resource == "events";
        let mut counts = Counts::new();
        for Record { body, .. } in self.sent.iter().filter(is_post) {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            let about = text(&body["involvedObject"]["name"]);
            *counts.entry(format!("{about} {}", text(&body["reason"]))).or_default() += 1;
        }
        counts
    }
}

/// Tells stories with these controllers.
pub struct Teller {
    /// How they are started.
    pub controllers: ControllersFn,
    /// Whether each telling has an API server of its own.
    pub own_server: bool,
}

/// Tellings at once, of all sweeps: each waits more than it works, but an operator that waits for a
/// core is late for its deadlines.
static TURNS: Semaphore = Semaphore::const_new(4);

/// The last requests of a story are sent within this after its users have what they want.
pub const LATE: Duration = Duration::from_secs(1);

/// Marks wait for a quarter of a second: an operator that sends nothing for longer has nothing to
/// do.
const REST: Duration = Duration::from_millis(600);

/// Until the operator is at rest, so that what is there is the end.
async fn at_rest(env: &TestEnv) -> Result<()> {
    let mut last = (env.requests.mark(), Instant::now());
    env.wait_for("the operator to be at rest", || {
        let sent = env.requests.mark();
        if sent != last.0 {
            last = (sent, Instant::now());
        }
        let quiet = last.1.elapsed();
        std::future::ready(Ok(match quiet >= REST {
            true => Progress::Ready(()),
            false => Progress::NotYet(format!("{sent} requests, quiet for {quiet:?}")),
        }))
    })
    .await?;
    Ok(())
}

impl Teller {
    /// Tells `story` undisturbed.
    pub fn undisturbed(&self, story: &'static Story) -> Result<Account> {
        self.run(&format!("{} undisturbed", story.name), |env| async move {
            (story.before)(Arc::clone(&env)).await?;
            let mark = env.requests.mark();
            (story.deed)(Arc::clone(&env)).await?;
            at_rest(&env).await?;
            // What was said is delivered when the operator leaves.
            env.stop_controllers().await?;
            let (runs, twice) = runs(&env);
            ensure!(twice.is_none(), "a sidecar task ran again: {twice:?}");
            let (picture, events) = (Picture::take(&env).await?, events(&env).await?);
            Ok(Account { sent: env.requests.since(mark), picture, events, runs })
        })
    }

    /// Runs `body` in a namespace of its own.
    pub fn run<T, F, Fut>(&self, name: &str, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Arc<TestEnv>) -> Fut,
        Fut: Future<Output = Result<T>> + Send + 'static,
    {
        let _turn = futures::executor::block_on(TURNS.acquire())?;
        let (give, take) = std::sync::mpsc::channel();
        let options = RunOptions::new().with_controllers(self.controllers.clone()).abandoned();
        let options = if self.own_server { options.on_its_own() } else { options };
        let ended = suite().try_run(name, options, |env| {
            let body = body(env);
            async move { give.send(body.await?).map_err(|_| anyhow!("nobody listens")) }
        });
        ended.map_err(|failure| anyhow!("{name}: {failure:?}"))?;
        take.recv().context("nothing was told")
    }
}
