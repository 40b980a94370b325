//! Publishes notices as Kubernetes Events, in the background, each occurrence exactly once.
//!
//! The name of an event is a function of the object's UID, the reason and the discriminator. So a
//! pass that runs twice, here or in the next process, posts the same object again, and
//! `AlreadyExists` is success. The stock recorder would fold a changed note into the old one.
//!
//! A pass never waits for an event: when the API server does not keep up, the queue fills, and
//! what no longer fits is counted and dropped. The condition says the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use kube::Api;
use kube::api::PostParams;
use sei_api::k8s;
use sei_core::notice::Notice;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::controller::Controller;
use crate::metrics::{EventOutcome, Metrics};

mod event;
mod verdict;

use event::Reporter;
use verdict::Verdict;

/// Events that wait for their turn.
const QUEUE_MAX: usize = 1024;
/// Requests in flight at once.
const POSTING_MAX: usize = 8;
/// Patience with one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// First pause after a failed request; it doubles.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
/// Longest pause between two requests for one event.
const BACKOFF_MAX: Duration = Duration::from_secs(10);
/// After this an event is old news.
const PATIENCE: Duration = Duration::from_secs(300);
/// After this a refusal is believed.
const DOUBT: Duration = Duration::from_secs(15);

/// Takes notices. Cloning shares the queue.
#[derive(Clone, Debug)]
pub struct Recorder {
    queue: mpsc::Sender<k8s::Event>,
    reporter: Reporter,
    metrics: Arc<Metrics>,
    outstanding: Arc<AtomicUsize>,
}

/// The other end of the queue; to be drained when the process leaves.
#[derive(Debug)]
pub struct Delivery {
    stop: CancellationToken,
    task: JoinHandle<()>,
    metrics: Arc<Metrics>,
    outstanding: Arc<AtomicUsize>,
}

/// What a recorder needs from the process.
#[derive(Clone)]
pub struct Parts {
    /// Posts the events.
    pub client: kube::Client,
    /// Stamps them.
    pub clock: Clock,
    /// Counts what becomes of them.
    pub metrics: Arc<Metrics>,
    /// Which process says it: the pod's name. At most 128 bytes of it are used.
    pub instance: String,
}

impl Recorder {
    /// Starts the delivery in the background. Must be called within a runtime.
    #[must_use]
    pub fn start(parts: Parts) -> (Self, Delivery) {
        let (queue, events) = mpsc::channel(QUEUE_MAX);
        let (stop, outstanding) = (CancellationToken::new(), Arc::default());
        let courier = Courier {
            client: parts.client,
            metrics: Arc::clone(&parts.metrics),
            outstanding: Arc::clone(&outstanding),
        };
        let delivery = Delivery {
            task: tokio::spawn(courier.run(events, stop.clone())),
            stop,
            metrics: Arc::clone(&parts.metrics),
            outstanding: Arc::clone(&outstanding),
        };
        let reporter = Reporter::new(parts.clock, &parts.instance);
        (Self { queue, reporter, metrics: parts.metrics, outstanding }, delivery)
    }

    /// Queues `notice` about the object `regarding`; never waits.
    ///
    /// `regarding` needs a namespace, a name and a UID. To be called after the status that the
    /// notice tells of is stored.
    pub fn publish(
        &self,
        controller: Controller,
        regarding: &k8s::ObjectReference,
        notice: &Notice,
    ) {
        let event = self.reporter.event(controller, regarding, notice);
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        if let Err(refused) = self.queue.try_send(event) {
            self.outstanding.fetch_sub(1, Ordering::Relaxed);
            let outcome = match refused {
                mpsc::error::TrySendError::Full(_) => EventOutcome::Overflow,
                mpsc::error::TrySendError::Closed(_) => EventOutcome::Abandoned,
            };
            self.metrics.event(outcome);
            tracing::warn!(
                reason = %notice.reason,
                object = regarding.name,
                namespace = regarding.namespace,
                ?outcome,
                "event dropped"
            );
        }
    }
}

impl Delivery {
    /// Takes no further notices and delivers what was queued, for at most `within`. Returns how
    /// many events were not delivered.
    pub async fn drain(mut self, within: Duration) -> usize {
        self.stop.cancel();
        if tokio::time::timeout(within, &mut self.task).await.is_ok() {
            return 0;
        }
        self.task.abort();
        let lost = self.outstanding.load(Ordering::Relaxed);
        (0..lost).for_each(|_| self.metrics.event(EventOutcome::Abandoned));
        lost
    }
}

/// Posts what is queued.
struct Courier {
    client: kube::Client,
    metrics: Arc<Metrics>,
    outstanding: Arc<AtomicUsize>,
}

impl Courier {
    async fn run(self, mut events: mpsc::Receiver<k8s::Event>, stop: CancellationToken) {
        let mut posting = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(()) = posting.next(), if !posting.is_empty() => {}
                () = stop.cancelled(), if !events.is_closed() => events.close(),
                next = events.recv(), if posting.len() < POSTING_MAX => match next {
                    Some(event) => posting.push(self.deliver(event)),
                    None => break,
                },
            }
        }
        while posting.next().await.is_some() {}
    }

    /// Posts one event until the API server has it, refuses it, or it is old news.
    async fn deliver(&self, event: k8s::Event) {
        let namespace = event.metadata.namespace.as_deref().unwrap_or_default();
        let api: Api<k8s::Event> = Api::namespaced(self.client.clone(), namespace);
        let manager = event.reporting_component.clone();
        let params = PostParams { field_manager: manager, ..PostParams::default() };
        let (begun, mut pause) = (Instant::now(), BACKOFF_FIRST);
        let outcome = loop {
            let answer = tokio::time::timeout(REQUEST_TIMEOUT, api.create(&params, &event)).await;
            match verdict::of(answer) {
                Verdict::Settled(outcome) => break outcome,
                Verdict::Retry if begun.elapsed() + pause > PATIENCE => {
                    break EventOutcome::Abandoned;
                }
                Verdict::Doubt if begun.elapsed() + pause > DOUBT => break EventOutcome::Refused,
                Verdict::Retry | Verdict::Doubt => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(BACKOFF_MAX);
                }
            }
        };
        self.outstanding.fetch_sub(1, Ordering::Relaxed);
        self.metrics.event(outcome);
        if !matches!(outcome, EventOutcome::Posted | EventOutcome::Existed) {
            let name = event.metadata.name;
            tracing::warn!(name, namespace, reason = event.reason, ?outcome, "event dropped");
        }
    }
}

#[cfg(test)]
mod tests;
