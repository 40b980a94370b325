//! What a kubelet and a scraper hear.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;

async fn ask(router: &Router, path: &str) -> (u16, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn answer(status: u16, body: &str) -> (u16, String) {
    (status, body.to_owned())
}

#[tokio::test]
async fn ready_once_every_permit_was_given_back() {
    let readiness = Readiness::default();
    let (nodes, sets) = (readiness.permit("SeiNode"), readiness.permit("StatefulSet"));
    let router = probes(Arc::new(|| Health::Alive), readiness);

    assert_eq!(ask(&router, "/readyz").await, answer(503, "waiting for SeiNode, StatefulSet\n"));
    sets.ready();
    assert_eq!(ask(&router, "/readyz").await, answer(503, "waiting for SeiNode\n"));
    nodes.ready();
    assert_eq!(ask(&router, "/readyz").await, answer(200, "ok\n"));
}

#[tokio::test]
async fn a_dropped_permit_was_not_fulfilled() {
    let readiness = Readiness::default();
    drop(readiness.permit("SeiNode"));
    assert_eq!(readiness.waiting_for(), ["SeiNode"]);
}

#[tokio::test]
async fn liveness_asks_each_time() {
    let stuck = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = Arc::clone(&stuck);
    let liveness: Liveness = Arc::new(move || {
        if seen.load(std::sync::atomic::Ordering::Relaxed) {
            Health::Stuck("store \"Pod\" last heard from its watch 412 s ago".to_owned())
        } else {
            Health::Alive
        }
    });
    let router = probes(liveness, Readiness::default());

    assert_eq!(ask(&router, "/healthz").await, answer(200, "ok\n"));
    stuck.store(true, std::sync::atomic::Ordering::Relaxed);
    let text = "store \"Pod\" last heard from its watch 412 s ago\n";
    assert_eq!(ask(&router, "/healthz").await, answer(500, text));
}

#[tokio::test]
async fn metrics_are_served_on_their_own_port_only() {
    let served = metrics(Arc::new(Metrics::new("1.2.3")));
    let (status, body) = ask(&served, "/metrics").await;
    assert_eq!(status, 200);
    assert!(body.contains("sei_controller_build_info{version=\"1.2.3\"} 1\n"), "{body}");
    assert_eq!(ask(&served, "/healthz").await.0, 404);
    let probes = probes(Arc::new(|| Health::Alive), Readiness::default());
    assert_eq!(ask(&probes, "/metrics").await.0, 404);
}

#[tokio::test]
async fn an_address_in_use_is_named_with_its_flag() {
    let taken = Bound::bind(Server::Metrics, &Listen::All(0)).await.unwrap();
    let address = Listen::All(taken.local_addr().port());
    let error = Bound::bind(Server::Probes, &address).await.unwrap_err();
    let expected = format!("cannot listen on \"{address}\", set by --health-probe-bind-address");
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_server_ends_with_the_process() {
    let bound =
        Bound::bind(Server::Probes, &Listen::Host("127.0.0.1".to_owned(), 0)).await.unwrap();
    let shutdown = CancellationToken::new();
    let router = probes(Arc::new(|| Health::Alive), Readiness::default());
    let serving = tokio::spawn(bound.serve(router, shutdown.clone()));
    shutdown.cancel();
    serving.await.unwrap().unwrap();
}
