//! What the kubelets send.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::BodyExt as _;
use kube::client::{Body, ClientBuilder};
use serde_json::{Value, json};
use tower::service_fn;

use super::*;

/// A pod that ends is followed by another of its name within milliseconds.
#[tokio::test]
async fn a_pod_ends_and_not_its_successor() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&sent);
    let server = service_fn(move |request: Request<Body>| {
        let heard = Arc::clone(&heard);
        async move {
            let what = format!("{} {}", request.method(), request.uri().path());
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let body: Value = serde_json::from_slice(&body).unwrap();
            heard.lock().unwrap().push((what, body));
            let answer = json!({"kind": "Status", "apiVersion": "v1", "status": "Success"});
            Ok::<_, Infallible>(Response::new(Body::from(answer.to_string().into_bytes())))
        }
    });
    let client = ClientBuilder::new(server, "default").build();
    let pod = serde_json::from_value(json!({"metadata": {
        "name": "rpc-0-0",
        "namespace": "chain",
        "uid": "first",
        "labels": {NODE_LABEL: "rpc-0"},
        "deletionTimestamp": "2026-01-01T00:00:00Z",
    }}));
    end(&client, &pod.unwrap()).await.unwrap();
    let asked = json!({"gracePeriodSeconds": 0, "preconditions": {"uid": "first"}});
    let expected = ("DELETE /api/v1/namespaces/chain/pods/rpc-0-0".to_owned(), asked);
    assert_eq!(*sent.lock().unwrap(), [expected]);
}
