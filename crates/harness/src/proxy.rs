//! An address on which another process reaches the API server through a client of ours, so that
//! the client's log and faults apply to it too.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A running proxy. Dropping it ends every connection.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port of the loopback address and sends what comes with `client`.
    ///
    /// # Errors
    /// The socket cannot be had.
    pub async fn start(client: Client) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no free port")?;
        let address = listener.local_addr().context("a listener has no address")?;
        Ok(Self { address, server: tokio::spawn(serve(listener, client)) })
    }

    /// A kubeconfig for it, as JSON.
    pub fn kubeconfig(&self) -> String {
        serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
            "clusters": [{ "name": "proxy",
                           "cluster": { "server": format!("http://{}", self.address) } }],
            "users": [{ "name": "proxy", "user": {} }],
            "contexts": [{ "name": "proxy", "context": { "cluster": "proxy", "user": "proxy" } }],
        })
        .to_string()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Ends when it is dropped, and all connections with it.
async fn serve(listener: TcpListener, client: Client) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A peer that left at once is nobody's trouble.
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(connection(stream, client.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, client: Client) {
    // A request without an answer ends the connection: that is how a reset looks from outside.
    let service = service_fn(move |request| pass_on(client.clone(), request));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(err) = served.await {
        tracing::debug!(%err, "a connection ended");
    }
}

async fn pass_on(client: Client, request: Request<Incoming>) -> Result<Response<Body>, BoxError> {
    let (mut head, body) = request.into_parts();
    // They speak of the way to us.
    for name in [http::header::HOST, http::header::CONNECTION, http::header::AUTHORIZATION] {
        head.headers.remove(name);
    }
    let bytes = body.collect().await?.to_bytes();
    Ok(client.send(Request::from_parts(head, Body::from(bytes))).await?)
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;
