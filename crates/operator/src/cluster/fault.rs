//! What the API server refused or failed to do, classified once, in words that stay the same.

use sei_core::fault::{Class, Fault};
use tokio::time::error::Elapsed;

/// Why a request to the API server did not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiFault {
    /// There is no such object.
    #[error("does not exist")]
    NotFound,
    /// There is one of that name already.
    #[error("already exists")]
    AlreadyExists,
    /// Another manager owns fields of the object, and the apply was not forced.
    #[error("already exists and is managed by somebody else")]
    ForeignFields,
    /// It is no longer what it was when it was read.
    #[error("was changed by somebody else meanwhile")]
    Conflict,
    /// The history asked for is gone.
    #[error("was read too long ago")]
    Expired,
    /// The object is not valid.
    #[error("is refused: {0}")]
    Invalid(String),
    /// The operator may not do this, or nobody may now: the namespace is being deleted.
    #[error("is forbidden: {0}")]
    Forbidden(String),
    /// No answer that says anything about the request.
    #[error("{0}")]
    Unavailable(String),
}

impl ApiFault {
    /// What `error` means.
    #[must_use]
    pub fn of(error: kube::Error) -> Self {
        let status = match error {
            kube::Error::Api(status) => status,
            other => return Self::Unavailable(transport(&other).to_owned()),
        };
        let caused = |reason: &str| {
            let details = status.details.iter();
            details.flat_map(|it| &it.causes).any(|cause| cause.reason == reason)
        };
        match status.code {
            404 => Self::NotFound,
            409 if caused("FieldManagerConflict") => Self::ForeignFields,
            409 if status.reason == "AlreadyExists" => Self::AlreadyExists,
            409 => Self::Conflict,
            410 => Self::Expired,
            403 => Self::Forbidden(status.message.clone()),
            400 | 413 | 415 | 422 => Self::Invalid(status.message.clone()),
            401 => Self::Unavailable("the API server does not know the operator (401)".to_owned()),
            429 => Self::Unavailable("the API server is overloaded (429)".to_owned()),
            code => {
                let reason = if status.reason.is_empty() { "no reason" } else { &status.reason };
                let why = stable(&status.message).map(|it| format!(": {it}")).unwrap_or_default();
                Self::Unavailable(format!("the API server answered {code} ({reason}){why}"))
            }
        }
    }

    /// The fault of a write of `what`, such as `StatefulSet "rpc-0"`.
    #[must_use]
    pub fn of_write(self, what: &str) -> Fault {
        let class = match &self {
            Self::AlreadyExists | Self::Conflict | Self::Expired => Class::Conflict,
            Self::ForeignFields | Self::Invalid(_) => Class::Terminal,
            Self::NotFound | Self::Forbidden(_) | Self::Unavailable(_) => Class::Transient,
        };
        self.about(class, what)
    }

    /// The fault of a read of `what`: another attempt may succeed, whatever it was.
    #[must_use]
    pub fn of_read(self, what: &str) -> Fault {
        self.about(Class::Transient, what)
    }

    fn about(self, class: Class, what: &str) -> Fault {
        match self {
            Self::Unavailable(why) => Fault::new(class, format!("{what}: {why}")),
            other => Fault::new(class, format!("{what} {other}")),
        }
    }
}

impl From<Elapsed> for ApiFault {
    fn from(_: Elapsed) -> Self {
        Self::Unavailable("the API server did not answer in time".to_owned())
    }
}

/// What the API server says of its failure, such as a webhook that does not answer or addresses
/// that are used up. Not if it names a connection of its own, whose port is another each time.
fn stable(message: &str) -> Option<&str> {
    Some(message.trim()).filter(|it| !it.is_empty() && !it.contains("->"))
}

/// Which step failed; the rest of such an error differs from one attempt to the next.
fn transport(error: &kube::Error) -> &'static str {
    tracing::debug!(?error, "request failed");
    match error {
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
            "the answer of the API server is unreadable"
        }
        kube::Error::Auth(_) => "the operator's credentials for the API server are unusable",
        kube::Error::BuildRequest(_) | kube::Error::HttpError(_) => "the request is malformed",
        _ => "the API server cannot be reached",
    }
}

#[cfg(test)]
mod tests;
