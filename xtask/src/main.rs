//! Project automation: the control plane's binaries, generated files, tidiness, tests, CI.
//!
//! Every `make` target is one line that calls a command of this program, so a laptop, a CI
//! machine and a fresh clone run the same thing.

mod bench;
mod binaries;
mod built;
#[cfg(feature = "codegen")]
mod codegen;
mod gates;
mod local;
mod mutants;
mod progress;
mod root;
mod scenarios;
mod suites;
mod sweeps;
mod tidy;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The automation of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the control plane's binaries once into the user's cache.
    Binaries {
        /// Which binaries: `envtest` = etcd and kube-apiserver; `cluster` = those and the rest.
        set: binaries::Set,
        /// Print only the directory that holds them.
        #[arg(long)]
        path: bool,
    },
    /// Write the generated files: CRDs and the operator's role.
    #[cfg(feature = "codegen")]
    Codegen {
        /// Compare byte for byte instead, and fail on any difference.
        #[arg(long)]
        check: bool,
    },
    /// Check the house rules that clippy does not know.
    Tidy,
    /// Format, clippy, house rules.
    Lint,
    /// Run tests, by default all suites, and print one summary.
    Test {
        /// Which suites.
        suites: Vec<suites::Suite>,
        /// How often in a row; the first round that fails is the last one.
        #[arg(long, default_value_t = 1)]
        repeat: usize,
        /// Arguments for every test program: a filter, `--nocapture`.
        #[arg(last = true)]
        filter: Vec<OsString>,
    },
    /// Start a local cluster and show a rollout in it.
    Run {
        /// Arguments for `sei-local`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Break the operator on purpose, each time in one way, and see the tests tell.
    Mutants(mutants::Options),
    /// Kill the operator at each of its writes, fail each of its requests, and print a table.
    Sweeps(sweeps::Options),
    /// Measure the shipped operator beside a write chain that is driven by hand.
    Bench {
        /// Arguments for `sei-bench`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Run the five scenarios alone, and say how long each took.
    Scenarios,
    /// Everything that CI demands.
    Ci,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Binaries { set, path } => binaries::command(set, path),
        #[cfg(feature = "codegen")]
        Command::Codegen { check } => codegen::command(check),
        Command::Tidy => tidy::command(),
        Command::Lint => gates::lint(),
        Command::Test { suites, repeat, filter } => suites::command(&suites, repeat, &filter),
        Command::Run { args } => local::command(&args),
        Command::Mutants(options) => mutants::command(&options),
        Command::Sweeps(options) => sweeps::command(&options),
        Command::Bench { args } => bench::command(&args),
        Command::Scenarios => scenarios::command(),
        Command::Ci => gates::ci(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The chain alone: a backtrace of a failed check tells nothing about the check.
            eprintln!("ERROR: {error:#}");
            ExitCode::FAILURE
        }
    }
}
