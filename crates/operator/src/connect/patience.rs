//! Waits as long as an overloaded API server asks for.
//!
//! An API server that has too much to do answers 429, or 503, with `Retry-After`, in whole seconds
//! (<https://kubernetes.io/docs/concepts/cluster-administration/flow-control/>). Such an
//! answer is held back for that long. So whoever asked, and has a back-off of its own that begins
//! with milliseconds, asks again no sooner, and a worker that waits takes up nothing else.

use std::time::Duration;

use http::Response;
use http::header::RETRY_AFTER;
use tower::BoxError;

/// Longest wait: well below the time-out of a request, or the caller would hear that there was no
/// answer.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Hands `response` on, as late as it asks for.
///
/// # Errors
/// Never; the signature is that of [`tower::util::AndThenLayer`].
pub(super) async fn heed<R>(response: Response<R>) -> Result<Response<R>, BoxError> {
    if let Some(wait) = asked_for(&response) {
        tracing::debug!(?wait, "the API server asks to wait");
        tokio::time::sleep(wait).await;
    }
    Ok(response)
}

/// How long the server asks to wait. A date, which the API server does not send, is not read.
fn asked_for<R>(response: &Response<R>) -> Option<Duration> {
    let refused = matches!(response.status().as_u16(), 429 | 503);
    let seconds = response.headers().get(RETRY_AFTER).filter(|_| refused)?.to_str().ok()?;
    Some(Duration::from_secs(seconds.trim().parse().ok()?).min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    /// How long the caller waits for this answer.
    async fn waits(status: u16, retry_after: Option<&'static str>) -> Duration {
        let mut response = Response::builder().status(status);
        if let Some(value) = retry_after {
            response = response.header(RETRY_AFTER, value);
        }
        let begun = Instant::now();
        let answer = heed(response.body(()).unwrap()).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "the answer is passed on as it is");
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn an_overloaded_server_is_left_alone_for_as_long_as_it_asks() {
        assert_eq!(waits(429, Some("1")).await, Duration::from_secs(1));
        assert_eq!(waits(503, Some("2")).await, Duration::from_secs(2));
        assert_eq!(waits(429, Some("3600")).await, WAIT_MAX, "no longer than is useful");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_else_waits() {
        for (status, retry_after) in [
            (200, Some("1")),
            (409, Some("1")),
            (429, None),
            (503, None),
            (429, Some("soon")),
            (429, Some("-1")),
        ] {
            let waited = waits(status, retry_after).await;
            assert_eq!(waited, Duration::ZERO, "{status} {retry_after:?}");
        }
    }
}
