//! Elections over one scripted lease, in virtual time.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::script::{self, Answer, Asked};

/// The server's one lease, with its optimistic lock.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lease: Option<Value>,
    version: u64,
    down: bool,
    silent: bool,
    requests: usize,
}

impl Server {
    fn answer(&self, asked: &Asked) -> Answer {
        let mut state = self.0.lock().unwrap();
        state.requests += 1;
        if state.silent {
            return Answer::Silence;
        }
        if state.down {
            return Answer::refusal(500, "InternalError");
        }
        let version_of = |lease: &Value| lease["metadata"]["resourceVersion"].clone();
        match (asked.method.as_str(), &state.lease) {
            ("GET", Some(lease)) => Answer::Json(200, lease.clone()),
            ("GET" | "PUT", None) => Answer::refusal(404, "NotFound"),
            ("POST", Some(_)) => Answer::refusal(409, "AlreadyExists"),
            ("PUT", Some(lease)) if version_of(lease) != version_of(&asked.body) => {
                Answer::refusal(409, "Conflict")
            }
            ("PUT", Some(_)) | ("POST", None) => {
                state.version += 1;
                let mut lease = asked.body.clone();
                lease["metadata"]["resourceVersion"] = json!(state.version.to_string());
                state.lease = Some(lease.clone());
                Answer::Json(200, lease)
            }
            (method, _) => panic!("unexpected {method}"),
        }
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap());
    }

    fn holder(&self) -> String {
        let state = self.0.lock().unwrap();
        let lease = state.lease.as_ref().unwrap();
        lease["spec"]["holderIdentity"].as_str().unwrap().to_owned()
    }

    /// Writes the lease as somebody else does.
    fn write(&self, change: impl FnOnce(&mut Value)) {
        self.set(|state| {
            state.version += 1;
            let version = json!(state.version.to_string());
            let lease = state.lease.as_mut().unwrap();
            change(lease);
            lease["metadata"]["resourceVersion"] = version;
        });
    }

    fn candidate(&self, identity: &str) -> Candidate {
        let server = self.clone();
        let election = Election {
            client: script::client(move |asked| server.answer(asked)),
            namespace: "operators".to_owned(),
            identity: identity.to_owned(),
            terms: Terms::default(),
            clock: virtual_clock(),
        };
        let shutdown = CancellationToken::new();
        let (leads, leading) = oneshot::channel();
        let work_ends = shutdown.clone();
        let token = shutdown.clone();
        let task = tokio::spawn(async move {
            let work = async move {
                leads.send(()).unwrap();
                work_ends.cancelled().await;
            };
            election.lead(&token, work).await
        });
        Candidate { shutdown, leading, task }
    }
}

/// A candidate whose work lasts until it is told to leave.
struct Candidate {
    shutdown: CancellationToken,
    leading: oneshot::Receiver<()>,
    task: JoinHandle<Result<Option<()>, LeaderError>>,
}

/// A wall clock that follows the runtime's virtual one.
fn virtual_clock() -> Clock {
    let start = Instant::now();
    Clock::from_fn(move || jiff::Timestamp::UNIX_EPOCH + start.elapsed())
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_candidate_creates_the_lease_and_leads() {
    let server = Server::default();
    let mut first = server.candidate("first");
    (&mut first.leading).await.unwrap();
    let lease = server.0.lock().unwrap().lease.clone().unwrap();
    assert_eq!(lease["metadata"]["name"], LEASE);
    assert_eq!(lease["spec"]["holderIdentity"], "first");
    assert_eq!(lease["spec"]["leaseDurationSeconds"], 15);
    assert_eq!(lease["spec"]["leaseTransitions"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_clean_hand_over_takes_less_than_a_second() {
    let server = Server::default();
    let mut first = server.candidate("first");
    (&mut first.leading).await.unwrap();
    let mut second = server.candidate("second");
    seconds(60).await;
    assert!(second.leading.try_recv().is_err(), "the first still leads");

    first.shutdown.cancel();
    assert_eq!(first.task.await.unwrap(), Ok(Some(())));
    assert_eq!(server.holder(), "", "released");
    let released = Instant::now();
    second.leading.await.unwrap();
    assert!(released.elapsed() <= Duration::from_secs(1), "{:?}", released.elapsed());
    assert_eq!(server.0.lock().unwrap().lease.as_ref().unwrap()["spec"]["leaseTransitions"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_dead_leader_is_replaced_within_17_seconds() {
    let server = Server::default();
    let mut first = server.candidate("first");
    (&mut first.leading).await.unwrap();
    let second = server.candidate("second");
    seconds(60).await;
    let died = Instant::now();
    // What `kill -9` is to a server: from now on the lease is not written by the first any more.
    server.write(|lease| lease["spec"]["holderIdentity"] = json!("dead"));
    assert!(matches!(first.task.await.unwrap(), Err(LeaderError::Taken { .. })));
    second.leading.await.unwrap();
    let took = died.elapsed();
    assert!(took > Duration::from_secs(15) && took <= Duration::from_secs(17), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_stops_before_another_may_start() {
    for silent in [false, true] {
        let server = Server::default();
        let mut first = server.candidate("first");
        (&mut first.leading).await.unwrap();
        seconds(30).await;
        let cut_off = Instant::now();
        server.set(|state| (state.down, state.silent) = (!silent, silent));
        let error = first.task.await.unwrap().unwrap_err();
        let took = cut_off.elapsed();
        assert!(took <= Duration::from_secs(10), "{took:?}");
        let last = if silent { "no answer" } else { "ApiError" };
        assert!(error.to_string().contains(last), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_costs_nothing() {
    let server = Server::default();
    let mut first = server.candidate("first");
    (&mut first.leading).await.unwrap();
    for _ in 0..5 {
        server.set(|state| state.down = true);
        seconds(6).await;
        server.set(|state| state.down = false);
        seconds(4).await;
    }
    assert!(!first.task.is_finished());
    assert_eq!(server.holder(), "first");
}

#[tokio::test(start_paused = true)]
async fn foreign_edits_of_the_lease_are_kept() {
    let server = Server::default();
    let mut first = server.candidate("first");
    (&mut first.leading).await.unwrap();
    server.write(|lease| lease["metadata"]["labels"] = json!({"team": "platform"}));
    seconds(30).await;
    assert!(!first.task.is_finished());
    let state = server.0.lock().unwrap();
    assert_eq!(state.lease.as_ref().unwrap()["metadata"]["labels"]["team"], "platform");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lease_is_created_again() {
    let server = Server::default();
    let mut first = server.candidate("first");
    (&mut first.leading).await.unwrap();
    server.set(|state| state.lease = None);
    seconds(5).await;
    assert!(!first.task.is_finished());
    assert_eq!(server.holder(), "first");
}

#[tokio::test(start_paused = true)]
async fn a_candidate_that_waits_leaves_at_once() {
    let server = Server::default();
    let mut first = server.candidate("first");
    (&mut first.leading).await.unwrap();
    let second = server.candidate("second");
    seconds(3).await;
    second.shutdown.cancel();
    assert_eq!(second.task.await.unwrap(), Ok(None));
    assert_eq!(server.holder(), "first", "what it does not hold it does not release");
}

#[tokio::test(start_paused = true)]
async fn of_many_candidates_exactly_one_leads() {
    let server = Server::default();
    let mut candidates: Vec<Candidate> =
        (0..8).map(|number| server.candidate(&format!("candidate-{number}"))).collect();
    seconds(120).await;
    let leading = candidates.iter_mut().filter_map(|one| one.leading.try_recv().ok()).count();
    assert_eq!(leading, 1);
}

#[test]
fn two_lives_of_one_pod_are_two_identities() {
    let id = |number| uuid::Uuid::from_u128(number);
    assert_eq!(identity(Some("op-0"), id(1)), "op-0_00000000-0000-0000-0000-000000000001");
    assert_ne!(identity(None, id(1)), identity(None, id(2)));
}
