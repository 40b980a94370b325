//! The stories behind `make run`: what happens to a fleet in a local cluster, and what is seen.
//!
//! On a terminal it is shown live and the cluster stays until Ctrl-C; elsewhere it is told in plain
//! lines, and the exit code says whether it ended well.

mod closing;
mod doors;
mod fleet;
mod rows;
mod sample;
mod screen;
mod story;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use sei_harness::local::{LocalCluster, LocalClusterOptions, Operator};
use tokio::signal::unix::{SignalKind, signal};

use fleet::Fleet;
use screen::Screen;
use story::{Story, Teller};

/// Show what becomes of a fleet, in a cluster on this machine.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// What is shown.
    #[arg(long, value_enum, default_value_t = Story::Rollout)]
    story: Story,
    /// The operator's program; by default the one beside this program.
    #[arg(long)]
    operator: Option<PathBuf>,
    /// End after the story, also on a terminal.
    #[arg(long)]
    once: bool,
    /// How long a pod takes to start, in milliseconds.
    #[arg(long, default_value_t = 1500)]
    pod_start: u64,
}

/// What a shell expects of a program that was interrupted.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let args = Args::parse();
    let screen = Screen::new(args.once);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("sei-local: cannot start a runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(&args, &screen)) {
        Ok(Ending::Told) => ExitCode::SUCCESS,
        Ok(Ending::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(error) => {
            screen.close();
            eprintln!("\nsei-local: {error:#}");
            ExitCode::FAILURE
        }
    }
}

enum Ending {
    /// The story was told to its end, and the person, if any, had seen enough.
    Told,
    /// Somebody pressed Ctrl-C before its end.
    Interrupted,
}

/// Whatever happens, every process is stopped before this returns.
async fn run(args: &Args, screen: &Screen) -> Result<Ending> {
    let mut interrupted = std::pin::pin!(interruption());
    let pod_start = Duration::from_millis(args.pod_start);
    let options = LocalClusterOptions { pod_start, ..LocalClusterOptions::default() };
    screen.chapter("Start a cluster: etcd, kube-apiserver, controllers, scheduler, kwok");
    let cluster = tokio::select! {
        cluster = LocalCluster::start(options) => cluster?,
        () = &mut interrupted => return Ok(Ending::Interrupted),
    };
    screen.done(&format!("Kubernetes {}, two nodes, volumes that bind", cluster.version()));
    let mut operator = None;
    let outcome = tokio::select! {
        outcome = tell(args, screen, &cluster, &mut operator) => outcome.map(|()| Ending::Told),
        () = &mut interrupted => Ok(Ending::Interrupted),
    };
    if matches!(outcome, Ok(Ending::Told)) && screen.keeps_cluster() {
        interrupted.await;
    }
    screen.close();
    let outcome = outcome.map_err(|error| with_log(error, operator.as_ref()));
    screen.print("stopping the cluster");
    if let Some(operator) = operator {
        operator.stop().await?;
    }
    cluster.stop().await?;
    outcome
}

/// The operator's last words explain most failures.
fn with_log(error: anyhow::Error, operator: Option<&Operator>) -> anyhow::Error {
    let log = operator.map(|operator| operator.log(LOG_LINES)).unwrap_or_default();
    if log.is_empty() { error } else { error.context(format!("operator's log:\n{log}\n")) }
}

/// How much of the operator's log a failure shows.
const LOG_LINES: usize = 20;

async fn tell(
    args: &Args,
    screen: &Screen,
    cluster: &LocalCluster,
    operator: &mut Option<Operator>,
) -> Result<()> {
    let program = match &args.operator {
        Some(program) => program.clone(),
        None => {
            std::env::current_exe().context("find this program")?.with_file_name("sei-operator")
        }
    };
    screen.chapter("Start the operator, with the generated role and nothing more");
    *operator = Some(cluster.start_operator(&program).await?);
    screen.done("sei-operator is ready");
    cluster.create_namespace(sample::NAMESPACE).await?;
    let fleet = Fleet::watch(&cluster.client(), screen.clone());
    args.story.tell(&Teller::new(cluster, screen, &fleet)?).await?;
    closing::print(args.story, screen, cluster, &fleet)
}

/// Completes at the first Ctrl-C or SIGTERM.
async fn interruption() {
    let signals = signal(SignalKind::interrupt()).and_then(|interrupt| {
        signal(SignalKind::terminate()).map(|terminate| (interrupt, terminate))
    });
    match signals {
        Ok((mut interrupt, mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        // Without signals there is nothing to wait for; the default action ends the process.
        Err(_) => std::future::pending().await,
    }
}
