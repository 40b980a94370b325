//! What the controllers sent to the API server, and faults put into its way.
//!
//! A tower layer around the controllers' `kube::Client`; nothing in the operator knows of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use tower::{BoxError, Layer, Service, ServiceExt};

mod fault;
mod record;
mod tap;

pub use fault::{Fault, FaultHandle};
pub use record::{Outcome, Record, Requests, Verb};
pub use tap::Tap;

use fault::Faults;
use tap::Taps;

/// The log of one client. Clones share the entries.
#[derive(Clone, Debug)]
pub struct RequestLog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    started: Instant,
    records: Mutex<Vec<Record>>,
    faults: Faults,
    taps: Taps,
}

impl RequestLog {
    /// An empty log without faults.
    pub fn new() -> Self {
        let records = Mutex::default();
        let (faults, taps) = (Faults::default(), Taps::new());
        Self { shared: Arc::new(Shared { started: Instant::now(), records, faults, taps }) }
    }

    /// A client whose every request is logged, tied to the runtime that calls this.
    ///
    /// # Errors
    /// When the configuration's certificates cannot be loaded.
    pub fn client(&self, mut config: Config) -> kube::Result<Client> {
        // As the shipped operator's: a retry beneath the log would send what it does not show.
        config.default_retry = false;
        Ok(ClientBuilder::try_from(config)?.with_layer(self).build())
    }

    /// Everything sent so far, in order.
    pub fn all(&self) -> Vec<Record> {
        self.records().clone()
    }

    /// How many requests were sent so far; a mark for [`RequestLog::since`].
    pub fn mark(&self) -> usize {
        self.records().len()
    }

    /// What was sent after `mark`.
    pub fn since(&self, mark: usize) -> Vec<Record> {
        self.records().get(mark..).unwrap_or_default().to_vec()
    }

    /// The requests that `wanted` describes.
    pub fn matching(&self, wanted: &Requests) -> Vec<Record> {
        self.records().iter().filter(|record| wanted.describes(record)).cloned().collect()
    }

    /// Everything that changes something.
    pub fn writes(&self) -> Vec<Record> {
        self.matching(&Requests::writes())
    }

    /// Writes to a `/status` of our own kinds.
    pub fn status_writes(&self) -> Vec<Record> {
        self.matching(&Requests::writes().group(sei_api::GROUP).subresource("status"))
    }

    /// Does `fault` to each of the requests that `victims` describes, at most `budget` times.
    ///
    /// Ends when the handle is dropped; requests held by it then go on.
    pub fn inject(&self, victims: Requests, fault: Fault, budget: usize) -> FaultHandle {
        self.shared.faults.add(victims, fault, budget)
    }

    /// Does `tap` to every watch of `resource` that runs; returns how many watches of any kind run.
    pub fn tap(&self, resource: &str, tap: Tap) -> usize {
        self.shared.taps.tap(resource, tap)
    }

    fn records(&self) -> MutexGuard<'_, Vec<Record>> {
        // A panic elsewhere leaves a complete list behind: entries are pushed whole.
        self.shared.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, record: Record) -> usize {
        let mut records = self.records();
        records.push(record);
        records.len() - 1
    }

    fn finish(&self, index: usize, outcome: Outcome) {
        let elapsed = self.shared.started.elapsed();
        if let Some(record) = self.records().get_mut(index) {
            record.outcome = outcome;
            record.took = Some(elapsed.saturating_sub(record.at));
        }
    }

    fn elapsed(&self) -> Duration {
        self.shared.started.elapsed()
    }
}

impl Default for RequestLog {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for RequestLog {
    type Service = Logged<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Logged { log: self.clone(), inner: Arc::new(tokio::sync::Mutex::new(inner)) }
    }
}

/// The service that a [`RequestLog`] puts around another.
#[derive(Debug)]
pub struct Logged<S> {
    log: RequestLog,
    // The inner service cannot be cloned; it is held only while a request is handed over, so
    // that a request held by a fault does not block the others.
    inner: Arc<tokio::sync::Mutex<S>>,
}

type AnyBody = UnsyncBoxBody<Bytes, BoxError>;

impl<S, B> Service<Request<Body>> for Logged<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<AnyBody>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        pass_on(self.log.clone(), self.inner.clone(), request).boxed()
    }
}

async fn pass_on<S, B>(
    log: RequestLog,
    inner: Arc<tokio::sync::Mutex<S>>,
    request: Request<Body>,
) -> Result<Response<AnyBody>, BoxError>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    let bytes = body.collect().await?.to_bytes();
    let record = Record::of(&parts, &bytes, log.elapsed());
    let strike = log.shared.faults.strike(&record);
    let watched = (record.verb == Verb::Watch).then(|| record.resource.clone());
    let index = log.push(record);
    if let Some(strike) = &strike {
        match strike.before().await {
            fault::Before::Send => {}
            fault::Before::Answer(code) => {
                log.finish(index, Outcome::Injected(code));
                return Ok(fault::answer(code)?.map(boxed));
            }
            fault::Before::Reset => {
                log.finish(index, Outcome::ResetBefore);
                return Err(fault::reset());
            }
        }
    }
    let request = Request::from_parts(parts, Body::from(bytes));
    let response = {
        let mut inner = inner.lock().await;
        inner.ready().await.map_err(Into::into)?.call(request)
    };
    match response.await.map_err(Into::into) {
        Ok(response) => {
            if let Some(strike) = &strike
                && strike.after().await
            {
                log.finish(index, Outcome::ResetAfter(response.status().as_u16()));
                return Err(fault::reset());
            }
            log.finish(index, Outcome::Answered(response.status().as_u16()));
            let response = response.map(boxed);
            Ok(match watched {
                Some(resource) => response.map(|body| log.shared.taps.around(body, &resource)),
                None => response,
            })
        }
        Err(err) => {
            log.finish(index, Outcome::Failed(err.to_string()));
            Err(err)
        }
    }
}

fn boxed<B>(body: B) -> AnyBody
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    body.map_err(Into::into).boxed_unsync()
}

#[cfg(test)]
mod tests;
