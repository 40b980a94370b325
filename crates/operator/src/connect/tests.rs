//! The client as it is connected, against a server that has too much to do.

use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use tokio::net::TcpListener;

use super::*;

#[tokio::test]
async fn it_waits_as_long_as_an_overloaded_server_asks_and_does_not_ask_again() {
    use_ring();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let busy = || async { (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")], "later") };
    let server = axum::serve(listener, Router::new().fallback(busy));
    tokio::spawn(server.into_future());

    let file = tempfile::NamedTempFile::new().unwrap();
    let kubeconfig = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "here", "cluster": { "server": url } }],
        "users": [{ "name": "me", "user": {} }],
        "contexts": [{ "name": "here", "context": { "cluster": "here", "user": "me" } }],
        "current-context": "here",
    });
    std::fs::write(file.path(), kubeconfig.to_string()).unwrap();
    let metrics = Arc::new(Metrics::new("test"));
    let client = connect(Some(file.path()), &metrics).await.unwrap();

    let begun = Instant::now();
    let refused = client.apiserver_version().await.unwrap_err();
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(matches!(&refused, kube::Error::Api(it) if it.code == 429), "{refused:?}");
    let counted = metrics.scrape(None).unwrap().body;
    let line = counted.lines().find(|it| it.contains("code=\"429\"")).unwrap_or(&counted);
    assert!(line.ends_with(" 1"), "{line}");
}
