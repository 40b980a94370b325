//! Measures the shipped operator beside a hand-driven write chain, in one run on one API server.
//!
//! It prints a table, and leaves the figures as JSON and a plot behind. The exit code tells of
//! errors only: figures of a shared machine are no gate.

mod chain;
mod driver;
mod observer;
mod operator;
mod report;
mod scenes;
mod scrape;
mod sizes;
mod stage;
mod stats;
mod usage;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use sizes::Sizes;

/// Measure the operator.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The operator's program, as it is shipped.
    #[arg(long)]
    operator: PathBuf,
    /// Where the figures and the plot go.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    /// A few of everything, in seconds: to see that it works, not how fast.
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    match start(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sei-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(args: &Args) -> Result<()> {
    let sizes = if args.quick { Sizes::quick() } else { Sizes::full() };
    let runtime = tokio::runtime::Runtime::new().context("start a runtime")?;
    let report = runtime.block_on(scenes::play(&args.operator, &sizes))?;
    println!("{}", report::table(&report));
    std::fs::create_dir_all(&args.out).context("make the directory of the figures")?;
    let (figures, plot) = (args.out.join("report.json"), args.out.join("latency.svg"));
    let text = serde_json::to_string_pretty(&report)?;
    std::fs::write(&figures, text + "\n").context("write the figures")?;
    report::plot(&report, &plot)?;
    println!("figures: {}\nplot:    {}", figures.display(), plot.display());
    Ok(())
}
