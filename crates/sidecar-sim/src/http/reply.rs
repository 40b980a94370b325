//! From an answer to a response's bytes.

use sei_sidecar_api::Health;
use serde::Serialize;
use serde_json::json;

use crate::{faults::RawReply, sidecar::Answer};

/// A response; headers other than these two are the server's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) reply: RawReply,
    /// `Allow` or `Location`.
    pub(super) header: Option<(&'static str, String)>,
}

impl Response {
    pub(super) fn from_answer(answer: Answer) -> Self {
        match answer {
            Answer::Health(Health::Ready) | Answer::Live => Self::empty(200),
            Answer::Health(Health::NotReady) => Self::empty(503),
            Answer::State(Health::Ready) => Self::json(200, &json!({"status": "Ready"})),
            Answer::State(Health::NotReady) => Self::json(200, &json!({"status": "Initializing"})),
            Answer::NodeId(Ok(node_id)) => Self::json(200, &json!({"nodeId": node_id})),
            Answer::NodeId(Err(text)) => Self::json(500, &json!({"error": text})),
            Answer::Accepted(id) => Self::json(201, &json!({"id": id})),
            Answer::Refused(text) => Self::refused(&text),
            Answer::Rows(rows) => Self::json(200, &rows),
            Answer::Row(Some(row)) => Self::json(200, &row),
            Answer::Deleted(true) => Self::empty(204),
            Answer::Row(None) | Answer::Deleted(false) => {
                Self::json(404, &json!({"error": "task not found"}))
            }
        }
    }

    pub(super) fn raw(reply: RawReply) -> Self {
        Self { reply, header: None }
    }

    pub(super) fn refused(text: &str) -> Self {
        Self::json(400, &json!({"error": text}))
    }

    pub(super) fn not_found() -> Self {
        Self::raw(RawReply::text(404, "404 page not found"))
    }

    pub(super) fn wrong_method(allow: &str) -> Self {
        let reply = RawReply::text(405, "Method Not Allowed");
        Self { reply, header: Some(("allow", allow.to_owned())) }
    }

    pub(super) fn redirect(path: &str) -> Self {
        let mut shortest = path.to_owned();
        while shortest.contains("//") {
            shortest = shortest.replace("//", "/");
        }
        Self { header: Some(("location", shortest)), ..Self::empty(307) }
    }

    /// The simulator counts nothing that a scrape would want.
    pub(super) fn metrics() -> Self {
        Self::raw(RawReply::text(200, "# no metrics in the simulator"))
    }

    fn empty(status: u16) -> Self {
        Self::raw(RawReply { status, content_type: None, body: Vec::new() })
    }

    fn json(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_value(body) {
            Ok(body) => Self::raw(RawReply::json(status, &body)),
            Err(error) => Self::raw(RawReply::text(500, &error.to_string())),
        }
    }
}
