//! What an answer to a posted event means for it.

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
}

/// Whatever the server decided about the event itself is final; whatever kept it from deciding is
/// not. `NotFound` is the namespace; `Forbidden` is a namespace on its way out, or a Role that
/// lacks the verb, and neither changes by asking again.
pub(super) fn of(answer: Result<Result<k8s::Event, kube::Error>, Elapsed>) -> Verdict {
    let error = match answer {
        Ok(Ok(_)) => return Verdict::Settled(EventOutcome::Posted),
        Ok(Err(kube::Error::Api(status))) => status,
        Ok(Err(_)) | Err(_) => return Verdict::Retry,
    };
    if error.is_already_exists() {
        return Verdict::Settled(EventOutcome::Existed);
    }
    match error.code {
        400 | 403 | 404 | 405 | 413 | 422 => Verdict::Settled(EventOutcome::Refused),
        _ => Verdict::Retry,
    }
}
