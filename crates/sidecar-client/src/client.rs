//! Sends: one connection pool for all nodes, time limits, and the one retry.

use std::{error::Error, io, sync::Arc, time::Duration};

use reqwest::redirect::Policy;
use sei_sidecar_api::{
    BoxFuture, Health, NodeId, SidecarApi, SidecarError, SidecarFactory, SidecarState, TaskRequest,
    TaskResult, TransportKind,
};
use uuid::Uuid;

use crate::{
    reply::Reply,
    request::Call,
    token::{Token, TokenFile, TokenProvider},
    url::UrlTemplate,
};

/// How the operator introduces itself.
const USER_AGENT: &str = concat!("sei-operator/", env!("CARGO_PKG_VERSION"));

/// A node answers one call at a time; one spare for a probe beside a poll.
const IDLE_CONNECTIONS_PER_NODE_MAX: usize = 2;

/// The HTTP clients of all nodes' sidecars; clones share the connections.
#[derive(Clone)]
pub struct HttpSidecars {
    shared: Arc<Shared>,
}

/// What a client needs to know.
pub struct ClientConfig {
    /// Where the sidecars are.
    pub template: UrlTemplate,
    /// What they are shown.
    pub tokens: Arc<dyn TokenProvider>,
    /// How long and how much.
    pub limits: Limits,
}

/// Limits of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands. 2 s: the cluster network answers in milliseconds or not at all.
    pub connect: Duration,
    /// For a whole call, its retry included. 10 s.
    pub call: Duration,
    /// For a whole health probe, its retry included. 2 s: a probe that late is a no.
    pub probe: Duration,
    /// How long an idle connection is kept. 45 s, because a sidecar ends its own after 60 s.
    pub idle: Duration,
    /// How much of a body is read, in bytes. 1 MiB: a hundred tasks with their params.
    pub body_max: usize,
}

/// The HTTP library could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("setting up the sidecar client")]
pub struct BuildError(#[source] reqwest::Error);

impl HttpSidecars {
    /// Sets up the client; connects to nothing.
    ///
    /// # Errors
    /// The HTTP library refuses the settings.
    pub fn new(config: ClientConfig) -> Result<Self, BuildError> {
        let ClientConfig { template, tokens, limits } = config;
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .http1_only()
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(limits.connect)
            .pool_idle_timeout(limits.idle)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_NODE_MAX)
            .build()
            .map_err(BuildError)?;
        Ok(Self { shared: Arc::new(Shared { http, template, tokens, limits }) })
    }
}

impl SidecarFactory for HttpSidecars {
    fn for_node(&self, namespace: &str, node: &str) -> Arc<dyn SidecarApi> {
        let base = self.shared.template.base_url(namespace, node);
        Arc::new(HttpSidecar { shared: Arc::clone(&self.shared), base })
    }
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            template: UrlTemplate::default(),
            tokens: Arc::new(TokenFile::service_account()),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            call: Duration::from_secs(10),
            probe: Duration::from_secs(2),
            idle: Duration::from_secs(45),
            body_max: 1024 * 1024,
        }
    }
}

struct Shared {
    http: reqwest::Client,
    template: UrlTemplate,
    tokens: Arc<dyn TokenProvider>,
    limits: Limits,
}

/// One node's sidecar.
struct HttpSidecar {
    shared: Arc<Shared>,
    base: String,
}

impl SidecarApi for HttpSidecar {
    fn healthz(&self) -> BoxFuture<'_, Result<Health, SidecarError>> {
        Box::pin(self.ask(Call::Healthz, Reply::healthz))
    }

    fn submit<'a>(&'a self, request: &'a TaskRequest) -> BoxFuture<'a, Result<Uuid, SidecarError>> {
        Box::pin(self.ask(Call::Submit(request), |reply| reply.submit(request)))
    }

    fn get(&self, id: Uuid) -> BoxFuture<'_, Result<Option<TaskResult>, SidecarError>> {
        Box::pin(self.ask(Call::Get(id), move |reply| reply.get(id)))
    }

    fn node_id(&self) -> BoxFuture<'_, Result<NodeId, SidecarError>> {
        Box::pin(self.ask(Call::NodeId, Reply::node_id))
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<TaskResult>, SidecarError>> {
        Box::pin(self.ask(Call::List, Reply::list))
    }

    fn delete(&self, id: Uuid) -> BoxFuture<'_, Result<bool, SidecarError>> {
        Box::pin(self.ask(Call::Delete(id), Reply::delete))
    }

    fn status(&self) -> BoxFuture<'_, Result<SidecarState, SidecarError>> {
        Box::pin(self.ask(Call::Status, Reply::status))
    }

    fn livez(&self) -> BoxFuture<'_, Result<bool, SidecarError>> {
        Box::pin(self.ask(Call::Livez, Reply::livez))
    }
}

impl HttpSidecar {
    /// Makes the call and reads its answer, within the call's limit whatever happens.
    async fn ask<T>(
        &self,
        call: Call<'_>,
        read: impl FnOnce(&Reply) -> Result<T, SidecarError>,
    ) -> Result<T, SidecarError> {
        let Limits { call: call_limit, probe, .. } = self.shared.limits;
        let limit = if call.is_probe() { probe } else { call_limit };
        let reply = tokio::time::timeout(limit, self.reply(call))
            .await
            .unwrap_or(Err(SidecarError::Transport { kind: TransportKind::Timeout }));
        let answer = reply.and_then(|reply| read(&reply));
        if let Err(SidecarError::Decode { fault }) = &answer {
            let (url, call) = (self.base.as_str(), call.name());
            tracing::warn!(url, call, %fault, "sidecar's answer cannot be understood");
        }
        answer
    }

    /// The answer to the call; a refused token is read afresh and tried once more.
    async fn reply(&self, call: Call<'_>) -> Result<Reply, SidecarError> {
        let tokens = &self.shared.tokens;
        let token = tokens.token().await?;
        let reply = self.send(call, token.as_ref()).await?;
        match token {
            Some(token) if reply.status == 401 => {
                tokens.refused(&token).await;
                let fresh = tokens.token().await?;
                self.send(call, fresh.as_ref()).await
            }
            Some(_) | None => Ok(reply),
        }
    }

    async fn send(&self, call: Call<'_>, token: Option<&Token>) -> Result<Reply, SidecarError> {
        let other = SidecarError::Transport { kind: TransportKind::Other };
        let request = call.request(&self.base, token).map_err(|_| other.clone())?;
        let request = reqwest::Request::try_from(request).map_err(|_| other)?;
        let mut response = self.shared.http.execute(request).await.map_err(transport)?;
        let content_type = response.headers().get(http::header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut reply = Reply {
            status: response.status().as_u16(),
            content_type,
            body: Vec::new(),
            cut_off: false,
        };
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            let room = self.shared.limits.body_max - reply.body.len();
            reply.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                reply.cut_off = true;
                break;
            }
        }
        Ok(reply)
    }
}

/// Why no complete answer came, without the addresses and numbers that the library tells.
fn transport(error: reqwest::Error) -> SidecarError {
    let kind = if error.is_dns() {
        TransportKind::Dns
    } else if error.is_timeout() {
        TransportKind::Timeout
    } else if error.is_connect() {
        TransportKind::Connect
    } else if chain(&error).any(ended_early) {
        TransportKind::Reset
    } else {
        TransportKind::Other
    };
    SidecarError::Transport { kind }
}

fn chain<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&error| error.source())
}

fn ended_early(error: &(dyn Error + 'static)) -> bool {
    let by_hyper = error.downcast_ref::<hyper::Error>().is_some_and(|error| {
        error.is_incomplete_message() || error.is_closed() || error.is_canceled()
    });
    by_hyper
        || error.downcast_ref::<io::Error>().is_some_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::UnexpectedEof
            )
        })
}
