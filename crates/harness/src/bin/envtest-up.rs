//! Starts one control plane, runs a command against it, and leaves with the command's status.
//!
//! For test runners with one process per test: the suites in the command attach to it instead
//! of each starting their own.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use anyhow::{Context, Result};
use clap::Parser;
use sei_harness::{ControlPlane, ControlPlaneOptions};

/// Run a command with KUBECONFIG set to a fresh etcd and kube-apiserver.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(code) => code,
        Err(err) => {
            eprintln!("envtest-up: {err:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start a runtime")?;
    runtime.block_on(async {
        let control_plane = ControlPlane::start(ControlPlaneOptions::from_env()?).await?;
        eprintln!(
            "envtest-up: kube-apiserver {} at {}",
            control_plane.version(),
            control_plane.config().cluster_url
        );
        let status = run_command(&args.command, &control_plane).await;
        control_plane.stop().await?;
        Ok(exit_code(status?))
    })
}

/// Runs to the end of the command; Ctrl-C reaches it directly, so we only outlive it.
async fn run_command(command: &[OsString], control_plane: &ControlPlane) -> Result<ExitStatus> {
    let (program, args) = command.split_first().context("no command")?;
    let mut child = tokio::process::Command::new(program)
        .args(args)
        .env("KUBECONFIG", control_plane.kubeconfig_path())
        .env("USE_EXISTING_CLUSTER", "true")
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start \"{}\"", program.display()))?;
    loop {
        tokio::select! {
            status = child.wait() => return status.context("cannot wait for the command"),
            interrupted = tokio::signal::ctrl_c() => interrupted.context("no signals")?,
        }
    }
}

fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
