//! The server: sockets around the pure front.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Weak},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request as HttpRequest, State},
    http::{StatusCode, header},
    response::Response as HttpResponse,
};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{Fate, Response, answer, request::Request};
use crate::Sidecars;

/// How the front is served.
#[derive(Debug, Clone)]
pub struct FrontOptions {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Namespace and name of a node that is also served without a prefix.
    pub root: Option<(String, String)>,
}

/// A running front; when it is dropped, it stops, and connections that are open end at their next
/// request.
#[derive(Debug)]
pub struct HttpFront {
    address: SocketAddr,
    server: JoinHandle<()>,
    /// Gone with the front: the tasks of open connections outlive the server's.
    _alive: Arc<()>,
}

impl HttpFront {
    /// Serves `sidecars` on a free port of the loopback address.
    ///
    /// # Errors
    /// The socket cannot be had.
    pub async fn start(sidecars: Sidecars) -> io::Result<Self> {
        Self::start_with(sidecars, FrontOptions::default()).await
    }

    /// Serves `sidecars` as `options` say.
    ///
    /// # Errors
    /// The socket cannot be had.
    pub async fn start_with(sidecars: Sidecars, options: FrontOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(options.address).await?;
        let address = listener.local_addr()?;
        let alive = Arc::new(());
        let front = Front { sidecars, root: options.root, alive: Arc::downgrade(&alive) };
        let router = Router::new().fallback(serve).with_state(front);
        let server = tokio::spawn(async move {
            // `serve` only ends with an error of the listener, and then nobody can be told.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, server, _alive: alive })
    }

    /// Where the front listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a node is, as the operator's sidecar URL template.
    pub fn url_template(&self) -> String {
        format!("http://{}/{{namespace}}/{{node}}", self.address)
    }
}

impl Drop for HttpFront {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Default for FrontOptions {
    fn default() -> Self {
        Self { address: (Ipv4Addr::LOCALHOST, 0).into(), root: None }
    }
}

#[derive(Clone)]
struct Front {
    sidecars: Sidecars,
    root: Option<(String, String)>,
    alive: Weak<()>,
}

async fn serve(
    State(front): State<Front>,
    request: HttpRequest,
) -> Result<HttpResponse, Infallible> {
    if front.alive.strong_count() == 0 {
        return Ok(broken());
    }
    let served = match read(request).await {
        Some(request) => answer(&front.sidecars, front.root.as_ref(), &request),
        // The client went away in the middle of its body.
        None => return Ok(broken()),
    };
    if !served.delay.is_zero() {
        tokio::time::sleep(served.delay).await;
    }
    Ok(match served.fate {
        Fate::Respond(response) => bytes(response),
        Fate::Break => broken(),
        // The future is dropped with the connection, when the client has had enough.
        Fate::Hang => std::future::pending().await,
    })
}

async fn read(request: HttpRequest) -> Option<Request> {
    let (head, body) = request.into_parts();
    let authorization = head.headers.get(header::AUTHORIZATION);
    Some(Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        authorization: authorization.and_then(|value| value.to_str().ok()).map(str::to_owned),
        // A sidecar sets no limit of its own.
        body: axum::body::to_bytes(body, usize::MAX).await.ok()?.to_vec(),
    })
}

fn bytes(response: Response) -> HttpResponse {
    let mut http = HttpResponse::new(Body::from(response.reply.body));
    *http.status_mut() =
        StatusCode::from_u16(response.reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = response.reply.content_type.map(|value| ("content-type", value));
    for (name, value) in content_type.into_iter().chain(response.header) {
        if let Ok(value) = value.parse() {
            http.headers_mut().insert(name, value);
        }
    }
    http
}

/// A response whose body fails at once: the server can only end the connection.
fn broken() -> HttpResponse {
    let failure = io::Error::from(io::ErrorKind::ConnectionReset);
    let body = futures::stream::once(std::future::ready(Err::<Bytes, io::Error>(failure)));
    HttpResponse::new(Body::from_stream(body))
}
