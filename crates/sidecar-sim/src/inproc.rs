//! The in-process front: the trait, without a wire.

use std::time::Duration;

use sei_sidecar_api::{
    BoxFuture, DecodeFault, Health, NodeId, SidecarApi, SidecarError, SidecarState, TaskRequest,
    TaskResult, TransportKind,
};
use uuid::Uuid;

use crate::{
    engine::{Order, TaskRow},
    faults::RawReply,
    sidecar::{Answer, Call, Reached},
    sidecars::Sidecars,
};

/// How long a call without an answer takes, as with the real client.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a health probe without an answer takes, as with the real client.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The most of a foreign body that an error keeps, in bytes.
const BODY_MAX: usize = 512;

/// One node's sidecar, called directly.
pub(crate) struct InProcess {
    sidecars: Sidecars,
    key: (String, String),
}

impl InProcess {
    pub(crate) fn new(sidecars: Sidecars, key: (String, String)) -> Self {
        Self { sidecars, key }
    }

    async fn call(&self, call: Call) -> Result<Answer, SidecarError> {
        let limit = match call {
            Call::Healthz | Call::Livez => PROBE_TIMEOUT,
            Call::Status
            | Call::NodeId
            | Call::Submit(_)
            | Call::List
            | Call::Get(_)
            | Call::Delete(_) => CALL_TIMEOUT,
        };
        let performed = self.sidecars.call((&self.key.0, &self.key.1), call);
        if performed.delay >= limit || performed.reached == Reached::Never {
            tokio::time::sleep(limit).await;
            return Err(SidecarError::Transport { kind: TransportKind::Timeout });
        }
        if !performed.delay.is_zero() {
            tokio::time::sleep(performed.delay).await;
        }
        match performed.reached {
            Reached::Answer(answer) => Ok(answer),
            Reached::Raw(reply) => Err(foreign(&reply)),
            Reached::Broken(kind) => Err(SidecarError::Transport { kind }),
            Reached::Never => Err(SidecarError::Transport { kind: TransportKind::Timeout }),
        }
    }
}

impl SidecarApi for InProcess {
    fn healthz(&self) -> BoxFuture<'_, Result<Health, SidecarError>> {
        Box::pin(async {
            match self.call(Call::Healthz).await {
                Ok(Answer::Health(health)) => Ok(health),
                Err(SidecarError::Unavailable { status: 503 }) => Ok(Health::NotReady),
                other => Err(unexpected(other)),
            }
        })
    }

    fn submit<'a>(&'a self, request: &'a TaskRequest) -> BoxFuture<'a, Result<Uuid, SidecarError>> {
        Box::pin(async {
            let order = Order {
                id: Some(request.id.to_string()),
                task_type: request.task_type.to_string(),
                params: request.params.clone().unwrap_or_default(),
            };
            match self.call(Call::Submit(order)).await {
                Ok(Answer::Accepted(_)) => Ok(request.id),
                Ok(Answer::Refused(message)) => {
                    Err(SidecarError::Rejected { task_type: request.task_type, message })
                }
                other => Err(unexpected(other)),
            }
        })
    }

    fn get(&self, id: Uuid) -> BoxFuture<'_, Result<Option<TaskResult>, SidecarError>> {
        Box::pin(async move {
            match self.call(Call::Get(id.to_string())).await {
                Ok(Answer::Row(Some(row))) => result(*row).map(Some),
                Ok(Answer::Row(None)) => Ok(None),
                other => Err(unexpected(other)),
            }
        })
    }

    fn node_id(&self) -> BoxFuture<'_, Result<NodeId, SidecarError>> {
        Box::pin(async {
            match self.call(Call::NodeId).await {
                Ok(Answer::NodeId(Ok(text))) => NodeId::parse(&text)
                    .map_err(|_| SidecarError::Decode { fault: DecodeFault::MissingNodeId }),
                Ok(Answer::NodeId(Err(text))) => {
                    Err(SidecarError::Unexpected { status: 500, body: text.to_owned() })
                }
                other => Err(unexpected(other)),
            }
        })
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<TaskResult>, SidecarError>> {
        Box::pin(async {
            match self.call(Call::List).await {
                Ok(Answer::Rows(rows)) => rows.into_iter().map(result).collect(),
                other => Err(unexpected(other)),
            }
        })
    }

    fn delete(&self, id: Uuid) -> BoxFuture<'_, Result<bool, SidecarError>> {
        Box::pin(async move {
            match self.call(Call::Delete(id.to_string())).await {
                Ok(Answer::Deleted(deleted)) => Ok(deleted),
                other => Err(unexpected(other)),
            }
        })
    }

    fn status(&self) -> BoxFuture<'_, Result<SidecarState, SidecarError>> {
        Box::pin(async {
            match self.call(Call::Status).await {
                Ok(Answer::State(Health::Ready)) => Ok(SidecarState::Ready),
                Ok(Answer::State(Health::NotReady)) => Ok(SidecarState::Initializing),
                other => Err(unexpected(other)),
            }
        })
    }

    fn livez(&self) -> BoxFuture<'_, Result<bool, SidecarError>> {
        Box::pin(async {
            match self.call(Call::Livez).await {
                Ok(Answer::Live) => Ok(true),
                Err(SidecarError::Unavailable { status: 503 }) => Ok(false),
                other => Err(unexpected(other)),
            }
        })
    }
}

/// A row as the wire would carry it.
fn result(row: TaskRow) -> Result<TaskResult, SidecarError> {
    let json = |_| SidecarError::Decode { fault: DecodeFault::Json };
    Ok(TaskResult {
        id: Uuid::parse_str(&row.id).map_err(json)?,
        task_type: row.task_type,
        status: row.status,
        run: row.run,
        params: (!row.params.is_empty()).then_some(row.params),
        error: row.error,
        submitted_at: Some(row.submitted_at),
        completed_at: row.completed_at,
        result: None,
    })
}

/// What the real client makes of an answer that is not the sidecar's.
fn foreign(reply: &RawReply) -> SidecarError {
    let kept = &reply.body[..reply.body.len().min(BODY_MAX)];
    let body = String::from_utf8_lossy(kept).trim().to_owned();
    match reply.status {
        401 => SidecarError::Unauthorized,
        403 => SidecarError::Forbidden { body },
        404 => SidecarError::NotARoute,
        502..=504 => SidecarError::Unavailable { status: reply.status },
        200..=299 => SidecarError::Decode { fault: DecodeFault::Json },
        status => SidecarError::Unexpected { status, body },
    }
}

/// The engine answers each call in kind; anything else is an answer that cannot be understood.
fn unexpected(other: Result<Answer, SidecarError>) -> SidecarError {
    match other {
        Err(error) => error,
        Ok(_) => SidecarError::Decode { fault: DecodeFault::Json },
    }
}
