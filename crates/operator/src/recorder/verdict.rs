//! What an answer to a posted event means for it.

use kube::core::response::StatusCause;
use sei_api::k8s;
use tokio::time::error::Elapsed;

use crate::metrics::EventOutcome;

/// What to do with an event after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing more.
    Settled(EventOutcome),
    /// Post it again, later.
    Retry,
    /// Post it again, but not for long: an API server that has just started refuses everything
    /// until it knows its roles.
    Doubt,
}

/// Whatever the server decided about the event itself is final; whatever kept it from deciding is
/// not. `NotFound` is the namespace, and so is `Forbidden` when it says so: it is on its way out.
pub(super) fn of(answer: Result<Result<k8s::Event, kube::Error>, Elapsed>) -> Verdict {
    let error = match answer {
        Ok(Ok(_)) => return Verdict::Settled(EventOutcome::Posted),
        Ok(Err(kube::Error::Api(status))) => status,
        Ok(Err(_)) | Err(_) => return Verdict::Retry,
    };
    if error.is_already_exists() {
        return Verdict::Settled(EventOutcome::Existed);
    }
    let leaving = |cause: &StatusCause| cause.reason == "NamespaceTerminating";
    match error.code {
        403 if !error.details.iter().flat_map(|it| &it.causes).any(leaving) => Verdict::Doubt,
        400 | 403 | 404 | 405 | 413 | 422 => Verdict::Settled(EventOutcome::Refused),
        _ => Verdict::Retry,
    }
}
