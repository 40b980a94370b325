//! The operator's binary: settings, log, signals, and then the library.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use sei_operator::settings::{Settings, Stop};
use sei_operator::{connect, shutdown, telemetry};

/// From the first signal to the end of the process.
const GRACE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let settings = match Settings::from_process() {
        Ok(settings) => settings,
        Err(Stop::Asked(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(Stop::Invalid(faults)) => {
            eprintln!("{faults}");
            return ExitCode::FAILURE;
        }
    };
    match start(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the operator ends");
            ExitCode::FAILURE
        }
    }
}

fn start(settings: Settings) -> anyhow::Result<()> {
    telemetry::start(settings.log).context("cannot log")?;
    telemetry::warn_of_unserved(&settings);
    connect::use_ring();
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let ended = runtime.block_on(async {
        let shutdown = shutdown::on_signal().context("cannot catch signals")?;
        let running = sei_operator::run(settings, shutdown.clone());
        match shutdown::within(GRACE, &shutdown, running).await {
            Some(ended) => ended.map_err(anyhow::Error::from),
            None => Ok(()),
        }
    });
    // Whatever still runs was given its time; a task that blocks must not hold up the exit.
    runtime.shutdown_background();
    ended
}
