//! The two small HTTP servers beside the controllers: metrics, and the probes of the kubelet.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::settings::{Listen, Server};

mod readiness;

pub use readiness::{Permit, Readiness};

/// What the liveness probe hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Every store has heard from its watch lately.
    Alive,
    /// Restarting the process is the remedy; the text says what stands still, and for how long.
    Stuck(String),
}

/// Asked by each liveness probe: cheap, and never waits.
pub type Liveness = Arc<dyn Fn() -> Health + Send + Sync>;

/// The address of a server cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on \"{address}\", set by {flag}", flag = server.flag())]
pub struct BindError {
    /// Which server.
    pub server: Server,
    /// What the flag says.
    pub address: Listen,
    /// Why not.
    pub source: io::Error,
}

/// A server with its address taken, before it answers.
#[derive(Debug)]
pub struct Bound {
    server: Server,
    listener: TcpListener,
    local: SocketAddr,
}

/// `GET /metrics`.
pub fn metrics(metrics: Arc<Metrics>) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state(metrics)
}

/// `GET /healthz`: 200, or 500 with what is stuck. `GET /readyz`: 200, or 503 with what it waits
/// for.
pub fn probes(liveness: Liveness, readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(healthz).with_state(liveness))
        .route("/readyz", get(readyz).with_state(readiness))
}

impl Bound {
    /// Takes the address, so that a wrong one is known before anything else starts.
    ///
    /// # Errors
    ///
    /// The address is in use, not ours, or not to be resolved.
    pub async fn bind(server: Server, address: &Listen) -> Result<Self, BindError> {
        let failed = |source| BindError { server, address: address.clone(), source };
        let listener = match address {
            Listen::All(port) => all_interfaces(*port).await.map_err(failed)?,
            Listen::Host(host, port) => {
                TcpListener::bind((host.as_str(), *port)).await.map_err(failed)?
            }
        };
        let local = listener.local_addr().map_err(failed)?;
        Ok(Self { server, listener, local })
    }

    /// Where it listens; tells the port if the flag asked for port 0.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Answers until `shutdown`, then lets the requests in progress end.
    ///
    /// # Errors
    ///
    /// The socket failed.
    pub async fn serve(self, router: Router, shutdown: CancellationToken) -> io::Result<()> {
        tracing::info!(server = self.server.name(), address = %self.local, "listening");
        axum::serve(self.listener, router)
            .with_graceful_shutdown(async move { shutdown.cancelled().await })
            .await
    }
}

/// Both families where the machine has both; the older one alone where it has only that.
async fn all_interfaces(port: u16) -> io::Result<TcpListener> {
    match TcpListener::bind((std::net::Ipv6Addr::UNSPECIFIED, port)).await {
        Err(error) if no_ipv6(&error) => {
            TcpListener::bind((std::net::Ipv4Addr::UNSPECIFIED, port)).await
        }
        bound => bound,
    }
}

fn no_ipv6(error: &io::Error) -> bool {
    /// `EAFNOSUPPORT` of Linux: the kernel was started without the newer family.
    const NO_ADDRESS_FAMILY: i32 = 97;
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(NO_ADDRESS_FAMILY)
}

async fn scrape(State(metrics): State<Arc<Metrics>>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    match metrics.scrape(accept) {
        Ok(scrape) => ([(header::CONTENT_TYPE, scrape.content_type)], scrape.body).into_response(),
        Err(error) => {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("cannot encode: {error}\n")).into_response()
        }
    }
}

async fn healthz(State(liveness): State<Liveness>) -> Response {
    match liveness() {
        Health::Alive => "ok\n".into_response(),
        Health::Stuck(why) => {
            tracing::error!(%why, "liveness fails");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{why}\n")).into_response()
        }
    }
}

async fn readyz(State(readiness): State<Readiness>) -> Response {
    let waiting = readiness.waiting_for();
    if waiting.is_empty() {
        return "ok\n".into_response();
    }
    let text = format!("waiting for {}\n", waiting.join(", "));
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

#[cfg(test)]
mod tests;
