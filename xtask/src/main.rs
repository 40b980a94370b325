//! Project automation: the control plane's binaries, generated files, tidiness, tests, CI.
//!
//! Every `make` target is one line that calls a command of this program, so a laptop, a CI
//! machine and a fresh clone run the same thing.

mod binaries;
mod progress;
mod root;

use anyhow::Result;
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
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Binaries { set, path } => binaries::command(set, path),
    }
}
