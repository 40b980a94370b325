//! Start, readiness, liveness and end of the whole, over a scripted API server.

use std::collections::BTreeSet;
use std::sync::Mutex;

use sei_core::platform::fixture::lookup;
use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::names::SystemResolver;
use crate::script::{self, Answer, Asked};

#[tokio::test(start_paused = true)]
async fn each_kind_is_listed_once_and_watched_where_it_is_ours() {
    let asked = Arc::new(Mutex::new(BTreeSet::new()));
    let log = Arc::clone(&asked);
    let operator = Operator::start(inputs(Scope::Namespace("chain".to_owned()), move |request| {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let selector = query.split('&').find_map(|pair| pair.strip_prefix("labelSelector="));
        let verb = if query.contains("watch=true") { "watch" } else { "list" };
        let plural = path.rsplit('/').next().unwrap_or_default();
        let new = log.lock().unwrap().insert((
            plural.to_owned(),
            selector.unwrap_or("everything").to_owned(),
            verb.to_owned(),
        ));
        assert!(new, "{request:?} for the second time");
        assert!(path.contains("/namespaces/chain/"), "{path}");
        empty(request)
    }));
    settle().await;
    assert_eq!(operator.waiting_for(), [""; 0]);
    let node = "sei.io%2Fnode";
    let fleet = "sei.io%2Fnodedeployment%2C%21sei.io%2Fnode";
    let expected = [
        ("configmaps", node),
        ("httproutes", "sei.io%2Fnodedeployment"),
        ("persistentvolumeclaims", node),
        ("pods", node),
        ("seinodedeployments", "everything"),
        ("seinodes", "everything"),
        ("services", node),
        ("services", fleet),
        ("statefulsets", node),
    ];
    let expected: BTreeSet<(String, String, String)> = expected
        .into_iter()
        .flat_map(|(plural, selector)| {
            ["list", "watch"].map(|verb| (plural.into(), selector.into(), verb.into()))
        })
        .collect();
    assert_eq!(*asked.lock().unwrap(), expected);
    operator.stop(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn not_ready_before_the_last_store_is_complete() {
    let operator = Operator::start(inputs(Scope::Cluster, |request| {
        if request.path.contains("/pods") { Answer::Silence } else { empty(request) }
    }));
    settle().await;
    assert_eq!(operator.waiting_for(), ["Pod"]);
    let began = Instant::now();
    operator.stop(Duration::from_secs(1)).await;
    assert_eq!(began.elapsed(), Duration::ZERO, "nobody waits for a watch to end");
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_may_be_missing_holds_up_nobody() {
    for answer in [|| Answer::Silence, || Answer::refusal(404, "NotFound")] {
        let operator = Operator::start(inputs(Scope::Cluster, move |request| {
            if request.path.contains("/httproutes") { answer() } else { empty(request) }
        }));
        settle().await;
        assert_eq!(operator.waiting_for(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hears_nothing_fails_the_liveness_probe() {
    let stores = Arc::new(Stores::new());
    let liveness = liveness(&stores, Duration::from_secs(400));
    tokio::time::advance(Duration::from_secs(399)).await;
    assert_eq!(liveness(), Health::Alive);
    stores.pods.heard();
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(matches!(liveness(), Health::Stuck(why) if why.ends_with("nothing for 401 s")));
    for store in [&stores.services, &stores.fleet_services] {
        store.heard();
    }
    stores.fleets.heard();
    stores.nodes.heard();
    stores.statefulsets.heard();
    stores.claims.heard();
    stores.config_maps.heard();
    stores.routes.heard();
    assert_eq!(liveness(), Health::Alive);
}

/// Nothing has to happen any more; under a paused clock this takes no time.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

fn inputs(scope: Scope, answer: impl FnMut(&Asked) -> Answer + Send + 'static) -> Inputs {
    Inputs {
        client: script::client(answer),
        scope,
        sidecars: Arc::new(sei_sidecar_sim::Sidecars::new()),
        resolver: Arc::new(SystemResolver),
        platform: Platform::parse(&lookup).unwrap(),
        tempo: Tempo::default(),
        limits: Limits::default(),
        clock: Clock::from_fn(|| jiff::Timestamp::UNIX_EPOCH),
        ids: Ids::from_fn(uuid::Uuid::new_v4),
        metrics: Arc::new(Metrics::new("test")),
    }
}

/// An empty listing; a watch that shows nothing.
fn empty(request: &Asked) -> Answer {
    if request.path.contains("watch=true") {
        return Answer::Silence;
    }
    let metadata = json!({ "resourceVersion": "1" });
    Answer::Json(200, json!({ "apiVersion": "v1", "metadata": metadata, "items": [] }))
}
