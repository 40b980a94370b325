//! The log in front of a server that answers everything with an empty object.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, Request, Response};
use kube::client::{Body, ClientBuilder};
use tower::service_fn;

use super::{Fault, Outcome, RequestLog, Requests, Verb};

/// A logged client, and how many requests came through to the server.
fn client(log: &RequestLog) -> (kube::Client, Arc<AtomicUsize>) {
    let served = Arc::new(AtomicUsize::new(0));
    let count = served.clone();
    let server = service_fn(move |_: Request<Body>| {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, Infallible>(Response::new(Body::from(b"{}".to_vec()))) }
    });
    (ClientBuilder::new(server, "default").with_layer(log).build(), served)
}

fn request(method: &str, path: &str) -> Request<Vec<u8>> {
    Request::builder().method(Method::try_from(method).unwrap()).uri(path).body(vec![]).unwrap()
}

const NODES: &str = "/apis/sei.io/v1alpha1/namespaces/ns/seinodes";

#[tokio::test]
async fn requests_are_named_by_verb_and_place() {
    let log = RequestLog::new();
    let (client, _) = client(&log);
    let object = format!("{NODES}/a");
    let cases = [
        ("GET", NODES.to_owned(), "List sei.io/seinodes  "),
        ("GET", format!("{NODES}?watch=true&x=1"), "Watch sei.io/seinodes  "),
        ("GET", object.clone(), "Get sei.io/seinodes a "),
        ("DELETE", NODES.to_owned(), "DeleteCollection sei.io/seinodes  "),
        ("PATCH", format!("{object}/status"), "Patch sei.io/seinodes a status"),
        ("PUT", "/api/v1/namespaces/ns/pods/p".to_owned(), "Update /pods p "),
        ("POST", "/api/v1/namespaces".to_owned(), "Create /namespaces  "),
        ("GET", "/api/v1/namespaces/ns".to_owned(), "Get /namespaces ns "),
        ("GET", "/version".to_owned(), "Get /  "),
    ];
    for (method, path, _) in &cases {
        client.request_text(request(method, path)).await.unwrap();
    }
    let seen = log.all();
    for ((_, path, expected), r) in cases.iter().zip(&seen) {
        let got = format!("{:?} {}/{} {} {}", r.verb, r.group, r.resource, r.name, r.subresource);
        assert_eq!(got, *expected, "{path}");
        assert_eq!(r.outcome, Outcome::Answered(200), "{path}");
    }
    assert_eq!(seen.len(), cases.len());
    assert_eq!(log.writes().len(), 4);
    assert_eq!(log.status_writes().len(), 1);
}

#[tokio::test]
async fn a_server_side_apply_is_told_from_a_patch() {
    let log = RequestLog::new();
    let (client, _) = client(&log);
    for content_type in ["application/merge-patch+json", "application/apply-patch+yaml"] {
        let request = Request::patch(format!("{NODES}/a"))
            .header("content-type", content_type)
            .body(br#"{"metadata":{"resourceVersion":"7"}}"#.to_vec())
            .unwrap();
        client.request_text(request).await.unwrap();
    }
    let verbs: Vec<Verb> = log.all().iter().map(|record| record.verb).collect();
    assert_eq!(verbs, [Verb::Patch, Verb::Apply]);
    assert_eq!(log.all()[0].precondition(), Some("7"));
}

#[tokio::test]
async fn an_injected_status_never_reaches_the_server_and_spends_its_budget() {
    let log = RequestLog::new();
    let (client, served) = client(&log);
    let fault =
        log.inject(Requests::any().resource("seinodes").verb(Verb::List), Fault::Status(409), 1);
    let refused = client.request_text(request("GET", NODES)).await.unwrap_err();
    assert!(matches!(&refused, kube::Error::Api(s) if s.code == 409 && s.is_conflict()));
    client.request_text(request("GET", NODES)).await.unwrap();
    assert_eq!((fault.hits(), served.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn a_cut_connection_fails_before_or_after_the_server_acted() {
    for (fault, served_then, outcome) in [
        (Fault::ResetBefore, 0, Outcome::ResetBefore),
        (Fault::ResetAfter, 1, Outcome::ResetAfter(200)),
    ] {
        let log = RequestLog::new();
        let (client, served) = client(&log);
        let _fault = log.inject(Requests::any(), fault, usize::MAX);
        client.request_text(request("GET", NODES)).await.unwrap_err();
        assert_eq!(served.load(Ordering::SeqCst), served_then);
        assert_eq!(log.all()[0].outcome, outcome);
    }
}

#[tokio::test]
async fn a_held_request_blocks_no_other_and_goes_on_when_released() {
    let log = RequestLog::new();
    let (client, served) = client(&log);
    let fault = log.inject(Requests::any().name("a"), Fault::Hold, 1);
    let held = tokio::spawn({
        let client = client.clone();
        async move { client.request_text(request("GET", &format!("{NODES}/a"))).await }
    });
    fault.met(1).await;
    client.request_text(request("GET", NODES)).await.unwrap();
    assert_eq!(served.load(Ordering::SeqCst), 1);
    assert_eq!(log.all()[0].outcome, Outcome::Pending);
    drop(fault);
    held.await.unwrap().unwrap();
    assert_eq!(served.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_hanging_request_is_never_answered_before_or_after_the_server_acted() {
    for (fault, served_then, outcome) in
        [(Fault::Hang, 0, Outcome::ResetBefore), (Fault::HangAfter, 1, Outcome::ResetAfter(200))]
    {
        let log = RequestLog::new();
        let (client, served) = client(&log);
        let fault = log.inject(Requests::any().name("a"), fault, 1);
        let hanging = tokio::spawn({
            let client = client.clone();
            async move { client.request_text(request("GET", &format!("{NODES}/a"))).await }
        });
        fault.met(1).await;
        client.request_text(request("GET", NODES)).await.unwrap();
        assert!(!hanging.is_finished());
        drop(fault);
        hanging.await.unwrap().unwrap_err();
        assert_eq!(served.load(Ordering::SeqCst), served_then + 1);
        assert_eq!(log.all()[0].outcome, outcome);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delayed_request_takes_its_time() {
    let log = RequestLog::new();
    let (client, _) = client(&log);
    let _fault = log.inject(Requests::any(), Fault::Delay(Duration::from_secs(3)), 1);
    let start = tokio::time::Instant::now();
    client.request_text(request("GET", NODES)).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(3));
}
