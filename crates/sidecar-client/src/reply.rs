//! From a status code and a body to a typed answer; pure.

use sei_sidecar_api::{
    DecodeFault, Health, NodeId, SidecarError, SidecarState, TaskRequest, TaskResult,
};
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

/// The most of a body that an error keeps, in bytes.
const ERROR_BODY_MAX: usize = 512;

/// What a refused submit starts with when the sidecar's own store is to blame.
const STORE_PREFIX: &str = "persist task:";

/// What the sidecar says of a task that it does not know.
const TASK_NOT_FOUND: &str = "task not found";

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    /// At most as long as the client reads.
    pub(crate) body: Vec<u8>,
    /// There was more than the client reads.
    pub(crate) cut_off: bool,
}

type Answer<T> = Result<T, SidecarError>;

impl Reply {
    pub(crate) fn healthz(&self) -> Answer<Health> {
        match self.status {
            200 => Ok(Health::Ready),
            503 => Ok(Health::NotReady),
            _ => Err(self.failure()),
        }
    }

    pub(crate) fn livez(&self) -> Answer<bool> {
        match self.status {
            200 => Ok(true),
            503 => Ok(false),
            _ => Err(self.failure()),
        }
    }

    pub(crate) fn status(&self) -> Answer<SidecarState> {
        let body: StatusBody = self.expect_json(200)?;
        Ok(body.status)
    }

    pub(crate) fn node_id(&self) -> Answer<NodeId> {
        let body: NodeIdBody = self.expect_json(200)?;
        let text = body.node_id.unwrap_or_default();
        NodeId::parse(&text).map_err(|_| decode(DecodeFault::MissingNodeId))
    }

    /// The id is the one that was sent, or the answer is about something else.
    pub(crate) fn submit(&self, request: &TaskRequest) -> Answer<Uuid> {
        match self.status {
            201 | 202 => {
                let body: IdBody = self.json()?;
                let id = body.id.as_deref().and_then(|text| Uuid::parse_str(text).ok());
                match id.filter(|id| !id.is_nil()) {
                    None => Err(decode(DecodeFault::MissingId)),
                    Some(id) if id == request.id => Ok(id),
                    Some(_) => Err(decode(DecodeFault::OtherTask)),
                }
            }
            400 => Err(self.refusal(request)),
            _ => Err(self.failure()),
        }
    }

    pub(crate) fn get(&self, id: Uuid) -> Answer<Option<TaskResult>> {
        if self.says_task_not_found() {
            return Ok(None);
        }
        let row: TaskResult = self.expect_json(200)?;
        if row.id == id { Ok(Some(row)) } else { Err(decode(DecodeFault::OtherTask)) }
    }

    pub(crate) fn list(&self) -> Answer<Vec<TaskResult>> {
        self.expect_json(200)
    }

    pub(crate) fn delete(&self) -> Answer<bool> {
        match self.status {
            204 => Ok(true),
            _ if self.says_task_not_found() => Ok(false),
            _ => Err(self.failure()),
        }
    }

    /// What any call makes of a status code that has no meaning of its own for it.
    fn failure(&self) -> SidecarError {
        match self.status {
            401 => SidecarError::Unauthorized,
            403 => SidecarError::Forbidden { body: self.excerpt() },
            404 => SidecarError::NotARoute,
            502..=504 => SidecarError::Unavailable { status: self.status },
            status => SidecarError::Unexpected { status, body: self.excerpt() },
        }
    }

    fn refusal(&self, request: &TaskRequest) -> SidecarError {
        match self.error_text() {
            Some(message) if message.starts_with(STORE_PREFIX) => SidecarError::Store { message },
            Some(message) => SidecarError::Rejected { task_type: request.task_type, message },
            // The proxy's 400 is not the sidecar's word on the task.
            None => self.failure(),
        }
    }

    fn says_task_not_found(&self) -> bool {
        self.status == 404 && self.error_text().is_some_and(|text| text == TASK_NOT_FOUND)
    }

    fn expect_json<T: DeserializeOwned>(&self, status: u16) -> Answer<T> {
        if self.status == status { self.json() } else { Err(self.failure()) }
    }

    fn json<T: DeserializeOwned>(&self) -> Answer<T> {
        if self.cut_off {
            return Err(decode(DecodeFault::TooLarge { limit_bytes: self.body.len() }));
        }
        if self.body.is_empty() {
            return Err(decode(DecodeFault::Empty));
        }
        if !self.is_json() {
            return Err(decode(DecodeFault::ContentType));
        }
        serde_json::from_slice(&self.body).map_err(|_| decode(DecodeFault::Json))
    }

    fn is_json(&self) -> bool {
        self.content_type.as_deref().is_some_and(|kind| kind.contains("json"))
    }

    /// The sidecar's own words for a failure.
    fn error_text(&self) -> Option<String> {
        let body: ErrorBody = self.json().ok()?;
        Some(shortened(&body.error))
    }

    fn excerpt(&self) -> String {
        self.error_text().unwrap_or_else(|| shortened(&String::from_utf8_lossy(&self.body)))
    }
}

#[derive(Deserialize)]
struct StatusBody {
    status: SidecarState,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeIdBody {
    node_id: Option<String>,
}

#[derive(Deserialize)]
struct IdBody {
    id: Option<String>,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: String,
}

fn decode(fault: DecodeFault) -> SidecarError {
    SidecarError::Decode { fault }
}

/// At most [`ERROR_BODY_MAX`] bytes, trimmed, no character cut in two.
fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(ERROR_BODY_MAX)].trim().to_owned()
}

#[cfg(test)]
mod tests;
