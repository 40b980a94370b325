//! The log: where it goes, in which form, and how much of it.

use std::io::{self, IsTerminal as _};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{Layer as _, fmt};

use crate::settings::{Encoder, Log, Settings, Verbosity};

/// Starts the log, on standard error. To be called once, before anything else of the process.
///
/// # Errors
///
/// Something else in this process logs already.
pub fn start(log: Log) -> Result<(), TryInitError> {
    let layer = match log.encoder {
        Encoder::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(io::stderr)
            .boxed(),
        // https://no-color.org is honoured by the library, a terminal is not asked for.
        Encoder::Console if io::stderr().is_terminal() => {
            fmt::layer().with_writer(io::stderr).boxed()
        }
        Encoder::Console => fmt::layer().with_ansi(false).with_writer(io::stderr).boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(targets(log.verbosity))).try_init()
}

/// Warns of every setting that asks for something this build does not do.
pub fn warn_of_unserved(settings: &Settings) {
    for variable in &settings.unserved {
        tracing::warn!(
            variable,
            "this build does not export OTLP: nothing will be sent; scrape /metrics instead, or \
             unset the variable"
        );
    }
}

/// Our own crates at the level asked for. The libraries under them stay a step behind, or their
/// connection chatter would bury what the operator says.
fn targets(verbosity: Verbosity) -> Targets {
    let (ours, libraries) = match verbosity {
        Verbosity::Error => (LevelFilter::ERROR, LevelFilter::ERROR),
        Verbosity::Info => (LevelFilter::INFO, LevelFilter::WARN),
        Verbosity::Debug => (LevelFilter::DEBUG, LevelFilter::INFO),
        Verbosity::Trace => (LevelFilter::TRACE, LevelFilter::DEBUG),
    };
    Targets::new()
        .with_default(libraries)
        .with_target("sei_operator", ours)
        .with_target("sei_sidecar_client", ours)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn libraries_are_a_step_quieter_than_we_are() {
        let table = [
            (Verbosity::Error, Level::ERROR, Level::ERROR),
            (Verbosity::Info, Level::INFO, Level::WARN),
            (Verbosity::Debug, Level::DEBUG, Level::INFO),
            (Verbosity::Trace, Level::TRACE, Level::DEBUG),
        ];
        for (verbosity, ours, libraries) in table {
            let targets = targets(verbosity);
            let most = |target: &str| {
                [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR]
                    .into_iter()
                    .find(|level| targets.would_enable(target, level))
            };
            assert_eq!(most("sei_operator::pass"), Some(ours), "{verbosity:?}");
            assert_eq!(most("sei_sidecar_client"), Some(ours), "{verbosity:?}");
            assert_eq!(most("hyper_util::client"), Some(libraries), "{verbosity:?}");
        }
    }
}
