//! A scripted API server under a real client, for tests: a closure answers each request.

use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

/// A request as the script sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub method: Method,
    /// With the query.
    pub path: String,
    /// Empty without a body.
    pub content_type: String,
    /// JSON; `Null` without a body.
    pub body: Value,
}

/// What the script answers.
pub(crate) enum Answer {
    /// A status code with a body.
    Json(u16, Value),
    /// Nothing, ever.
    Silence,
    /// The connection breaks.
    Broken,
}

impl Answer {
    /// A refusal in the API server's form.
    pub(crate) fn refusal(code: u16, reason: &str) -> Self {
        Self::Json(
            code,
            json!({
                "kind": "Status", "apiVersion": "v1", "status": "Failure",
                "code": code, "reason": reason, "message": format!("scripted {reason}"),
            }),
        )
    }
}

/// A client whose requests `answer` gets, one at a time.
pub(crate) fn client(answer: impl FnMut(&Asked) -> Answer + Send + 'static) -> Client {
    let answer = Arc::new(Mutex::new(answer));
    let service = tower::service_fn(move |request: Request<Body>| {
        let answer = Arc::clone(&answer);
        async move {
            let (parts, body) = request.into_parts();
            let bytes = body.collect().await?.to_bytes();
            let asked = Asked {
                method: parts.method,
                path: parts.uri.to_string(),
                content_type: parts
                    .headers
                    .get(http::header::CONTENT_TYPE)
                    .and_then(|value| value.to_str().ok())
                    .unwrap_or_default()
                    .to_owned(),
                body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            };
            let answer = (answer.lock().unwrap())(&asked);
            match answer {
                Answer::Json(code, body) => Ok(Response::builder()
                    .status(code)
                    .body(Body::from(body.to_string().into_bytes()))?),
                Answer::Silence => std::future::pending().await,
                Answer::Broken => Err(tower::BoxError::from("connection reset")),
            }
        }
    });
    Client::new(service, "default")
}
