//! The shell: one pass for all kinds, its adapters and wiring.

pub mod act;
pub mod admin;
pub mod backoff;
pub mod clock;
pub mod cluster;
pub mod connect;
pub mod context;
pub mod controller;
pub mod deployment;
pub mod docs;
pub mod hosts;
pub mod ids;
pub mod kind;
pub mod leader;
pub mod limits;
pub mod metrics;
pub mod names;
pub mod node;
pub mod observe;
pub mod pass;
pub mod process;
pub mod queue;
pub mod recorder;
pub mod samples;
#[cfg(test)]
mod script;
pub mod settings;
pub mod shutdown;
pub mod sidecars;
pub mod telemetry;
pub mod wiring;
pub mod worker;

use std::sync::Arc;

use sei_core::tempo::Tempo;
use sei_sidecar_client::{BuildError, ClientConfig, HttpSidecars, TokenFile};
use tokio_util::sync::CancellationToken;

use limits::Limits;
use names::SystemResolver;
use process::ProcessError;
use settings::Settings;
use wiring::{Inputs, wire};

/// Why the operator ends other than by a signal.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There can be no client for the sidecars.
    #[error(transparent)]
    Sidecars(#[from] BuildError),
    /// Everything else.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// Runs the operator until `shutdown`.
///
/// # Errors
///
/// See [`RunError`].
pub async fn run(settings: Settings, shutdown: CancellationToken) -> Result<(), RunError> {
    let sidecars = Arc::new(HttpSidecars::new(ClientConfig {
        template: settings.sidecar_url.clone(),
        tokens: Arc::new(TokenFile::service_account()),
        limits: sei_sidecar_client::Limits::default(),
    })?);
    let ended = process::run(settings, shutdown, |parts| {
        let inputs = Inputs {
            client: parts.client,
            scope: parts.settings.scope,
            sidecars,
            resolver: Arc::new(SystemResolver),
            platform: parts.settings.platform,
            tempo: Tempo::default(),
            limits: Limits::default(),
            clock: parts.clock,
            ids: parts.ids,
            metrics: parts.metrics,
        };
        wire(inputs, parts.recorder, &parts.readiness, parts.shutdown)
    });
    Ok(ended.await?)
}
