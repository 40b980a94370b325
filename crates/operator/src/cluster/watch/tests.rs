//! A watch against a scripted API server: what it asks, and how it goes on after each trouble.

use std::collections::VecDeque;
use std::sync::Mutex;

use futures::StreamExt as _;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio_util::bytes::Bytes;

use super::*;
use crate::cluster::store::{Cached, Managers};

#[tokio::test(start_paused = true)]
async fn lists_then_follows_and_tells_after_the_store_has_it() {
    let world = World::start([
        page(&[("a", 1)], "3", None),
        stream(vec![event("ADDED", "b", 4), event("MODIFIED", "a", 5), event("DELETED", "b", 6)]),
        Reply::Silence,
    ]);
    world.settle().await;
    assert_eq!(world.changes(), ["a@1", "b@4", "a@5", "b@-"]);
    assert_eq!(world.asked(), ["list", "watch 3", "watch 6"]);
    assert!(world.complete());
}

fn unknown_kind() -> Reply {
    let status =
        json!({ "kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound" });
    Reply::Json(404, status)
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_the_cluster_may_lack_comes_and_goes() {
    let world = World::of(
        Need::Optional,
        [
            unknown_kind(),
            unknown_kind(),
            page(&[("a", 1)], "3", None),
            stream(vec![event("ADDED", "b", 4)]),
            unknown_kind(),
            unknown_kind(),
            unknown_kind(),
            page(&[], "9", None),
            Reply::Hanging,
        ],
    );
    world.settle().await;
    let asked = ["list", "list", "list", "watch 3", "watch 4", "list", "list", "list", "watch 9"];
    assert_eq!(world.asked(), asked);
    assert_eq!(world.changes(), ["a@1", "b@4", "a@-", "b@-"]);
    assert_eq!(world.turns(), 4, "missing, served, missing, served");
    assert_eq!(world.store.presence(), Presence::Served);
    let poll = Limits::default().absent_kind_poll;
    assert_eq!(world.at(2) - world.at(1), poll, "asked at its own pace, without a growing pause");
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_needed_is_not_missing_but_failing() {
    let world = World::start([unknown_kind(), page(&[], "3", None), Reply::Hanging]);
    world.settle().await;
    assert_eq!(world.asked(), ["list", "list", "watch 3"]);
    assert_eq!(world.turns(), 1, "only when it is complete");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_keeps_only_what_is_not_needed_alive() {
    let forbidden = || {
        let status = json!({ "kind": "Status", "status": "Failure", "code": 403 });
        Reply::Json(403, status)
    };
    for (need, heard) in [(Need::Optional, true), (Need::Required, false)] {
        let world = World::of(need, (0..40).map(|_| forbidden()));
        tokio::time::sleep(Duration::from_secs(300)).await;
        let silence = world.store.silence();
        assert_eq!(silence < Duration::from_secs(60), heard, "{need:?} for {silence:?}");
        let (presence, turns) = match need {
            Need::Optional => (Presence::Unreadable, 1),
            Need::Required => (Presence::Unknown, 0),
        };
        assert_eq!((world.store.presence(), world.turns()), (presence, turns));
    }
}

#[tokio::test(start_paused = true)]
async fn pages_are_one_listing() {
    let world = World::start([
        page(&[("a", 1)], "3", Some("more")),
        page(&[("b", 2)], "3", None),
        Reply::Silence,
    ]);
    world.settle().await;
    assert_eq!(world.changes(), ["a@1", "b@2"]);
    assert_eq!(world.asked(), ["list", "list more", "watch 3"]);
}

#[tokio::test(start_paused = true)]
async fn a_bookmark_moves_the_resume_point() {
    let bookmark = json!({ "type": "BOOKMARK", "object": {
        "kind": "ConfigMap", "apiVersion": "v1", "metadata": { "resourceVersion": "90" },
    }});
    let world = World::start([page(&[], "3", None), stream(vec![bookmark]), Reply::Silence]);
    world.settle().await;
    assert_eq!(world.asked(), ["list", "watch 3", "watch 90"]);
}

#[tokio::test(start_paused = true)]
async fn an_expired_history_leads_to_a_new_listing() {
    let expired = json!({ "type": "ERROR", "object": { "code": 410, "reason": "Expired" } });
    let world = World::start([
        page(&[("a", 1)], "3", None),
        stream(vec![event("ADDED", "b", 4), expired]),
        page(&[("b", 4)], "9", None),
        Reply::Silence,
    ]);
    world.settle().await;
    assert_eq!(world.changes(), ["a@1", "b@4", "b@4", "a@-"], "what vanished meanwhile is told");
    assert_eq!(world.asked(), ["list", "watch 3", "list", "watch 9"]);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_always_gone_does_not_loop() {
    let gone = || {
        Reply::Json(
            410,
            json!({ "kind": "Status", "status": "Failure", "code": 410,
        "reason": "Expired", "message": "too old" }),
        )
    };
    let world = World::start([
        page(&[], "3", None),
        gone(),
        page(&[], "5", None),
        gone(),
        page(&[], "7", None),
        Reply::Silence,
    ]);
    world.settle().await;
    assert_eq!(world.asked(), ["list", "watch 3", "list", "watch 5", "list", "watch 7"]);
    assert!(world.began.elapsed() >= Duration::from_millis(800), "with pauses");
}

#[tokio::test(start_paused = true)]
async fn starts_that_fail_in_a_row_end_in_a_listing() {
    let refused = || {
        Reply::Json(
            504,
            json!({ "kind": "Status", "status": "Failure", "code": 504,
        "reason": "Timeout", "message": "Too large resource version" }),
        )
    };
    let world = World::start([
        page(&[], "3", None),
        refused(),
        refused(),
        refused(),
        page(&[], "2", None),
        Reply::Silence,
    ]);
    world.settle().await;
    assert_eq!(world.asked(), ["list", "watch 3", "watch 3", "watch 3", "list", "watch 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_fails_is_repeated_with_growing_pauses() {
    let world = World::start([Reply::Broken, Reply::Broken, Reply::Broken, page(&[], "3", None)]);
    world.settle().await;
    assert_eq!(world.asked(), ["list", "list", "list", "list", "watch 3"]);
    let waited = world.at(3).duration_since(world.began);
    let (least, most) = (Duration::from_millis(2800), Duration::from_millis(5700));
    assert!((least..most).contains(&waited), "half to all of 0.8 + 1.6 + 3.2 s: {waited:?}");
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_object_stops_nothing() {
    let broken = json!({ "type": "MODIFIED", "object": {
        "kind": "ConfigMap", "apiVersion": "v1", "data": "not a map",
        "metadata": { "namespace": "ns", "name": "a", "resourceVersion": "4" },
    }});
    let world = World::start([
        page(&[("a", 1)], "3", None),
        stream(vec![broken, event("ADDED", "b", 5)]),
        Reply::Silence,
    ]);
    world.settle().await;
    assert_eq!(world.changes(), ["a@1", "b@5"]);
    assert!(matches!(world.store.get(&Key::new("ns", "a")), Cached::Here(_)), "as last readable");
    let metrics = world.metrics.scrape(None).unwrap().body;
    assert!(metrics.contains("undecodable"), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_given_up() {
    let world = World::start([page(&[], "3", None), Reply::Hanging, Reply::Hanging]);
    tokio::time::sleep(Duration::from_secs(206)).await;
    world.settle().await;
    assert_eq!(world.asked(), ["list", "watch 3", "watch 3"]);
    assert!(world.at(2).duration_since(world.at(1)) >= Duration::from_secs(205));
}

/// What the script answers to one request.
enum Reply {
    Json(u16, Value),
    /// A watch that shows these and is closed by the server after a while.
    Stream(Vec<Value>),
    /// A watch that never shows anything and never ends.
    Hanging,
    /// No answer at all.
    Silence,
    Broken,
}

fn page(objects: &[(&str, u64)], version: &str, more: Option<&str>) -> Reply {
    let items: Vec<Value> = objects.iter().map(|(name, version)| object(name, *version)).collect();
    Reply::Json(
        200,
        json!({
            "kind": "ConfigMapList", "apiVersion": "v1",
            "metadata": { "resourceVersion": version, "continue": more }, "items": items,
        }),
    )
}

fn stream(events: Vec<Value>) -> Reply {
    Reply::Stream(events)
}

fn event(kind: &str, name: &str, version: u64) -> Value {
    json!({ "type": kind, "object": object(name, version) })
}

fn object(name: &str, version: u64) -> Value {
    json!({ "kind": "ConfigMap", "apiVersion": "v1", "metadata": {
        "namespace": "ns", "name": name, "uid": name, "resourceVersion": version.to_string(),
    }})
}

type Asked = Arc<Mutex<Vec<(String, Instant)>>>;

struct World {
    store: Arc<Store<k8s::ConfigMap>>,
    metrics: Arc<Metrics>,
    asked: Asked,
    changes: Arc<Mutex<Vec<String>>>,
    /// How often it was said that the kind came or went.
    turns: Arc<Mutex<usize>>,
    began: Instant,
    _watch: tokio_util::task::AbortOnDropHandle<()>,
}

impl World {
    fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::of(Need::Required, replies)
    }

    fn of(need: Need, replies: impl IntoIterator<Item = Reply>) -> Self {
        let asked = Asked::default();
        let client = client(Arc::clone(&asked), replies.into_iter().collect());
        let changes: Arc<Mutex<Vec<String>>> = Arc::default();
        let turns: Arc<Mutex<usize>> = Arc::default();
        let store = Arc::new(Store::new("ConfigMap", Managers::Kept));
        let metrics = Arc::new(Metrics::new("test"));
        let watch = Watch {
            store: Arc::clone(&store),
            api: Api::all(client),
            selector: None,
            need,
            limits: Limits::default(),
            ids: Ids::from_fn(uuid::Uuid::new_v4),
            metrics: Arc::clone(&metrics),
        };
        let (told, done) = (Arc::clone(&changes), Arc::clone(&turns));
        let shown = Arc::clone(&store);
        let running = watch.run(
            move || *done.lock().unwrap() += 1,
            move |change: &Change<k8s::ConfigMap>| {
                let version =
                    change.new.as_ref().and_then(|it| it.metadata.resource_version.clone());
                let stored = shown.peek(&change.key);
                let stored = stored.and_then(|it| it.metadata.resource_version.clone());
                assert_eq!(stored, version, "the store has it first");
                let version = version.unwrap_or_else(|| "-".to_owned());
                told.lock().unwrap().push(format!("{}@{version}", change.key.name));
            },
        );
        let watch = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(running));
        Self { store, metrics, asked, changes, turns, began: Instant::now(), _watch: watch }
    }

    /// Until the script is at its end and nobody waits any more.
    async fn settle(&self) {
        tokio::time::sleep(Duration::from_secs(30)).await;
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(what, _)| what.clone()).collect()
    }

    fn at(&self, index: usize) -> Instant {
        self.asked.lock().unwrap()[index].1
    }

    fn changes(&self) -> Vec<String> {
        self.changes.lock().unwrap().clone()
    }

    fn complete(&self) -> bool {
        self.turns() == 1
    }

    fn turns(&self) -> usize {
        *self.turns.lock().unwrap()
    }
}

fn client(asked: Asked, replies: VecDeque<Reply>) -> Client {
    let replies = Arc::new(Mutex::new(replies));
    let service = tower::service_fn(move |request: Request<Body>| {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let value = |key: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let mut found = pairs.filter(|(name, _)| *name == key).map(|(_, value)| value);
            found.next().unwrap_or_default().to_owned()
        };
        let what = if query.contains("watch=true") {
            format!("watch {}", value("resourceVersion"))
        } else {
            format!("list {}", value("continue")).trim_end().to_owned()
        };
        let reply = replies.lock().unwrap().pop_front();
        if reply.as_ref().is_some_and(|reply| !matches!(reply, Reply::Silence))
            || what != last(&asked)
        {
            asked.lock().unwrap().push((what, Instant::now()));
        }
        async move { answer(reply.unwrap_or(Reply::Silence)).await }
    });
    Client::new(service, "default")
}

/// The last request; a script at its end is asked again and again, which is noted once.
fn last(asked: &Asked) -> String {
    asked.lock().unwrap().last().map(|(what, _)| what.clone()).unwrap_or_default()
}

type Streamed = UnsyncBoxBody<Bytes, tower::BoxError>;

async fn answer(reply: Reply) -> Result<Response<Streamed>, tower::BoxError> {
    let body = match reply {
        Reply::Json(code, body) => {
            let body = Full::new(Bytes::from(body.to_string())).map_err(Into::into).boxed_unsync();
            return Ok(Response::builder().status(code).body(body)?);
        }
        Reply::Stream(events) => {
            // In the order in which the API server writes them.
            let line = |event: Value| {
                format!("{{\"type\":{},\"object\":{}}}\n", event["type"], event["object"])
            };
            let lines = events.into_iter().map(line);
            // The server closes a watch after its time, not at once.
            let end = futures::stream::once(tokio::time::sleep(Duration::from_secs(2)))
                .map(|()| String::new());
            streamed(futures::stream::iter(lines).chain(end).boxed())
        }
        Reply::Hanging => streamed(futures::stream::pending().boxed()),
        Reply::Silence => std::future::pending().await,
        Reply::Broken => return Err("connection reset".into()),
    };
    Ok(Response::new(body))
}

fn streamed(lines: futures::stream::BoxStream<'static, String>) -> Streamed {
    let frames = lines.map(|line| Ok(Frame::data(Bytes::from(line))));
    StreamBody::new(frames).boxed_unsync()
}
