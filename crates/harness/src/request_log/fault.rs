//! Faults between the controllers and the API server: which requests, what, how often.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Response;
use http_body_util::Full;
use tokio::sync::watch;
use tower::BoxError;

use super::record::{Record, Requests};

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is answered with this status code; the server never sees it. A 429 asks for a second.
    Status(u16),
    /// The connection is cut; the server never sees the request.
    ResetBefore,
    /// The server does it, then the connection is cut: the sender cannot know.
    ResetAfter,
    /// It waits until [`FaultHandle::release`], then goes on.
    Hold,
    /// It waits this long, then goes on.
    Delay(Duration),
    /// It waits until [`FaultHandle::release`], then the connection is cut; the server never sees
    /// it.
    Hang,
    /// The server does it, but its answer waits until [`FaultHandle::release`], and then the
    /// connection is cut.
    HangAfter,
}

/// A fault in force. Dropping it ends the fault and releases what it holds.
#[derive(Debug)]
#[must_use = "a fault ends when its handle is dropped"]
pub struct FaultHandle {
    faults: Faults,
    rule: Arc<Rule>,
}

#[derive(Debug)]
struct Rule {
    victims: Requests,
    fault: Fault,
    budget: usize,
    hits: watch::Sender<usize>,
    released: watch::Sender<bool>,
}

/// The faults of one log.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    rules: Arc<Mutex<Vec<Arc<Rule>>>>,
}

/// A fault that met its request.
#[derive(Debug)]
pub(super) struct Strike {
    rule: Arc<Rule>,
}

/// What to do before sending.
pub(super) enum Before {
    Send,
    Answer(u16),
    Reset,
}

impl FaultHandle {
    /// How many requests it has met.
    pub fn hits(&self) -> usize {
        *self.rule.hits.borrow()
    }

    /// Returns once it has met `count` requests.
    pub async fn met(&self, count: usize) {
        // The sender lives as long as this handle, so waiting cannot fail.
        let _ = self.rule.hits.subscribe().wait_for(|hits| *hits >= count).await;
    }

    /// Lets held requests go on, and those that come later pass.
    pub fn release(&self) {
        self.rule.released.send_replace(true);
    }
}

impl Drop for FaultHandle {
    fn drop(&mut self) {
        self.faults.lock().retain(|rule| !Arc::ptr_eq(rule, &self.rule));
        self.release();
    }
}

impl Faults {
    pub(super) fn add(&self, victims: Requests, fault: Fault, budget: usize) -> FaultHandle {
        let (hits, released) = (watch::Sender::new(0), watch::Sender::new(false));
        let rule = Arc::new(Rule { victims, fault, budget, hits, released });
        self.lock().push(rule.clone());
        FaultHandle { faults: self.clone(), rule }
    }

    /// The first fault with budget left that `record` falls victim to.
    pub(super) fn strike(&self, record: &Record) -> Option<Strike> {
        let rules = self.lock();
        let rule = rules.iter().find(|rule| rule.wants(record))?;
        // Counted under the lock, so that two requests cannot share the last of a budget.
        rule.hits.send_modify(|hits| *hits += 1);
        Some(Strike { rule: rule.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Rule>>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule {
    fn wants(&self, record: &Record) -> bool {
        *self.hits.borrow() < self.budget
            && !*self.released.borrow()
            && self.victims.describes(record)
    }
}

impl Strike {
    pub(super) async fn before(&self) -> Before {
        match self.rule.fault {
            Fault::Status(code) => Before::Answer(code),
            Fault::ResetBefore => Before::Reset,
            Fault::ResetAfter | Fault::HangAfter => Before::Send,
            Fault::Hold => {
                self.released().await;
                Before::Send
            }
            Fault::Hang => {
                self.released().await;
                Before::Reset
            }
            Fault::Delay(delay) => {
                tokio::time::sleep(delay).await;
                Before::Send
            }
        }
    }

    /// What to do with the answer: true says that it gets lost.
    pub(super) async fn after(&self) -> bool {
        match self.rule.fault {
            Fault::ResetAfter => true,
            Fault::HangAfter => {
                self.released().await;
                true
            }
            Fault::Status(_) | Fault::ResetBefore | Fault::Hold | Fault::Delay(_) | Fault::Hang => {
                false
            }
        }
    }

    async fn released(&self) {
        // The sender lives in the rule that we hold, so waiting cannot fail.
        let _ = self.rule.released.subscribe().wait_for(|released| *released).await;
    }
}

/// What the client sees of a cut connection.
pub(super) fn reset() -> BoxError {
    io::Error::new(io::ErrorKind::ConnectionReset, "connection reset by a test's fault").into()
}

/// An answer as the API server would word it.
pub(super) fn answer(code: u16) -> Result<Response<Full<bytes::Bytes>>, BoxError> {
    let reason = match code {
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        422 => "Invalid",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    };
    let status = kube::core::Status::failure("injected by a test", reason).with_code(code);
    let mut response =
        Response::builder().status(code).header(http::header::CONTENT_TYPE, "application/json");
    if code == 429 {
        response = response.header(http::header::RETRY_AFTER, 1);
    }
    Ok(response.body(Full::from(serde_json::to_vec(&status)?))?)
}
