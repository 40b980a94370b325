//! How a call to a sidecar fails, and whether trying again can help.

use std::fmt;

use crate::TaskType;

/// A failed call.
///
/// The `Display` text goes into conditions, so it never holds a port, an address or an operating
/// system's error number: the same cause gives the same text in every attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SidecarError {
    /// The sidecar understood the task and will not take it (400 with a JSON error).
    #[error("sidecar rejected {task_type} task: {message}")]
    Rejected {
        /// The task that was submitted.
        task_type: TaskType,
        /// The sidecar's own words.
        message: String,
    },
    /// The sidecar could not write the task to its store; not the caller's fault, although 400.
    #[error("sidecar could not store the task: {message}")]
    Store {
        /// The sidecar's own words.
        message: String,
    },
    /// No token, or one that the sidecar's proxy does not accept (401), also after a fresh read.
    #[error("sidecar refused the operator's token (401)")]
    Unauthorized,
    /// The token is good, its owner may not do this (403).
    #[error("sidecar denied the request (403): {body}")]
    Forbidden {
        /// The proxy's words, which name the user, verb and resource.
        body: String,
    },
    /// Something between here and the sidecar has nobody to pass the request to (502, 503, 504).
    #[error("sidecar unavailable ({status})")]
    Unavailable {
        /// The HTTP status code.
        status: u16,
    },
    /// A 404 that does not speak of a task: another server, or another version of the API.
    #[error("no sidecar API at this address (404)")]
    NotARoute,
    /// Any other status code, redirects included.
    #[error("sidecar answered {status}{}", after_colon(.body))]
    Unexpected {
        /// The HTTP status code.
        status: u16,
        /// The first 512 bytes of the body, trimmed.
        body: String,
    },
    /// No complete answer came.
    #[error("sidecar unreachable: {kind}")]
    Transport {
        /// What went wrong, as far as it can be told.
        kind: TransportKind,
    },
    /// An answer came, but not one that this API knows.
    #[error("sidecar's answer cannot be understood: {fault}")]
    Decode {
        /// What is wrong with the answer.
        fault: DecodeFault,
    },
    /// The operator's own token file exists but gives no token; nothing was sent.
    #[error("operator's sidecar token is unusable: {detail}")]
    Token {
        /// What is wrong with the file.
        detail: String,
    },
}

/// Whether the same call can succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It may: the cause lies outside the request.
    Transient,
    /// It cannot, with this request against this server.
    Permanent,
}

/// Why no complete answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportKind {
    /// The node's name does not resolve.
    Dns,
    /// No connection: nothing listens there, or no way leads there.
    Connect,
    /// The time limit passed.
    Timeout,
    /// The connection ended before the answer did.
    Reset,
    /// Something else.
    Other,
}

/// What makes an answer unreadable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeFault {
    /// The body should be JSON and its content type says that it is not.
    #[error("content type is not JSON")]
    ContentType,
    /// The body is longer than the client reads.
    #[error("body is longer than {limit_bytes} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit_bytes: usize,
    },
    /// The body is empty.
    #[error("body is empty")]
    Empty,
    /// The body is not the JSON that the API describes.
    #[error("body is not the expected JSON")]
    Json,
    /// A submit was answered without a task id, or with the nil id.
    #[error("no task id in the answer")]
    MissingId,
    /// The answer speaks of another task than the request.
    #[error("answer is about another task")]
    OtherTask,
    /// The node id is missing or malformed.
    #[error("no node id in the answer")]
    MissingNodeId,
}

impl SidecarError {
    /// Whether trying again can help.
    pub fn class(&self) -> Class {
        match self {
            Self::Rejected { .. } | Self::NotARoute => Class::Permanent,
            Self::Store { .. }
            | Self::Unauthorized
            | Self::Forbidden { .. }
            | Self::Unavailable { .. }
            | Self::Unexpected { .. }
            | Self::Transport { .. }
            | Self::Decode { .. }
            | Self::Token { .. } => Class::Transient,
        }
    }

    /// One `CamelCase` word for conditions, metrics and logs; the set is closed.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Rejected { .. } => "Rejected",
            Self::Store { .. } => "StoreFailed",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden { .. } => "Forbidden",
            Self::Unavailable { .. } => "Unavailable",
            Self::NotARoute => "NotARoute",
            Self::Unexpected { .. } => "Unexpected",
            Self::Transport { kind } => kind.reason(),
            Self::Decode { .. } => "Undecodable",
            Self::Token { .. } => "TokenUnusable",
        }
    }

    /// Whether only a person can end this: the operator's rights or its token are wrong.
    pub fn needs_configuration(&self) -> bool {
        matches!(self, Self::Unauthorized | Self::Forbidden { .. } | Self::Token { .. })
    }
}

impl TransportKind {
    fn reason(self) -> &'static str {
        match self {
            Self::Dns => "NameNotResolved",
            Self::Connect => "CannotConnect",
            Self::Timeout => "Timeout",
            Self::Reset => "ConnectionReset",
            Self::Other => "TransportFailed",
        }
    }
}

impl fmt::Display for TransportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "name does not resolve",
            Self::Connect => "cannot connect",
            Self::Timeout => "no answer in time",
            Self::Reset => "connection closed before the answer",
            Self::Other => "transport failed",
        })
    }
}

fn after_colon(body: &str) -> String {
    if body.is_empty() { String::new() } else { format!(": {body}") }
}

#[cfg(test)]
mod tests;
