//! From a request's bytes to a call.

use sei_sidecar_api::Params;
use serde_json::{Number, Value};

use super::reply::Response;
use crate::{engine::Order, sidecar::Call};

/// Integers above this do not survive the sidecar's passage of numbers through doubles.
const EXACT_INTEGER_MAX: u64 = 1 << 53;

/// A request, as far as the API looks at it.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    pub(super) method: String,
    /// Without query.
    pub(super) path: String,
    pub(super) authorization: Option<String>,
    pub(super) body: Vec<u8>,
}

/// A known path with a method that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// Also `startupz`, which has the same answer.
    Healthz,
    Livez,
    Metrics,
    Status,
    NodeId,
    Submit,
    List,
    Get,
    Delete,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Routed {
    Route(Route),
    /// The path is not in its shortest form.
    Redirect,
    WrongMethod {
        allow: &'static str,
    },
    Unknown,
}

/// Whose sidecar is meant, and the path as that sidecar sees it.
pub(super) fn address<'a>(
    root: Option<&(String, String)>,
    path: &'a str,
) -> Option<((String, String), &'a str)> {
    if path.starts_with("/v0/") || path.starts_with("//") {
        return root.map(|key| (key.clone(), path));
    }
    let (namespace, rest) = path.strip_prefix('/')?.split_once('/')?;
    let (node, _) = rest.split_once('/')?;
    Some(((namespace.to_owned(), node.to_owned()), &rest[node.len()..]))
}

pub(super) fn route(method: &str, path: &str) -> Routed {
    if path.contains("//") {
        return Routed::Redirect;
    }
    let read = |route| match method {
        "GET" | "HEAD" => Routed::Route(route),
        _ => Routed::WrongMethod { allow: "GET, HEAD" },
    };
    match path {
        "/v0/healthz" | "/v0/startupz" => read(Route::Healthz),
        "/v0/livez" => read(Route::Livez),
        "/v0/metrics" => read(Route::Metrics),
        "/v0/status" => read(Route::Status),
        "/v0/node-id" => read(Route::NodeId),
        "/v0/tasks" => match method {
            "POST" => Routed::Route(Route::Submit),
            "GET" | "HEAD" => Routed::Route(Route::List),
            _ => Routed::WrongMethod { allow: "GET, HEAD, POST" },
        },
        _ => match (task_id(path), method) {
            (None, _) => Routed::Unknown,
            (Some(_), "GET" | "HEAD") => Routed::Route(Route::Get),
            (Some(_), "DELETE") => Routed::Route(Route::Delete),
            (Some(_), _) => Routed::WrongMethod { allow: "DELETE, GET, HEAD" },
        },
    }
}

/// The call that a routed request makes, or the answer that ends it here.
pub(super) fn call(route: Route, request: &Request) -> Result<Call, Response> {
    let id = || task_id(&request.path).unwrap_or_default().to_owned();
    Ok(match route {
        Route::Healthz => Call::Healthz,
        Route::Livez => Call::Livez,
        Route::Metrics => return Err(Response::metrics()),
        Route::Status => Call::Status,
        Route::NodeId => Call::NodeId,
        Route::List => Call::List,
        Route::Get => Call::Get(id()),
        Route::Delete => Call::Delete(id()),
        Route::Submit => {
            let order = order(&request.body);
            Call::Submit(order.ok_or_else(|| Response::refused("invalid request body"))?)
        }
    })
}

/// The one segment after `/v0/tasks/`.
fn task_id(path: &str) -> Option<&str> {
    let (_, id) = path.split_once("/v0/tasks/")?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

/// Reads the first JSON value of the body as a submit: member names in any case, others ignored.
fn order(body: &[u8]) -> Option<Order> {
    let mut values = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
    let members = match values.next()?.ok()? {
        Value::Null => serde_json::Map::new(),
        Value::Object(members) => members,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => return None,
    };
    let member = |name: &str| {
        let found = members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or(Value::Null, |(_, value)| value.clone())
    };
    Some(Order {
        id: text(member("id"))?,
        task_type: text(member("type"))?.unwrap_or_default(),
        params: params(member("params"))?,
    })
}

/// Outer absence: not a text; inner absence: null.
fn text(value: Value) -> Option<Option<String>> {
    match value {
        Value::Null => Some(None),
        Value::String(text) => Some(Some(text)),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn params(value: Value) -> Option<Params> {
    match value {
        Value::Null => Some(Params::new()),
        Value::Object(members) => {
            Some(members.into_iter().map(|(key, value)| (key, as_double(value))).collect())
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

/// Every number as it is after its passage through an IEEE double.
#[expect(clippy::cast_possible_truncation, reason = "the loss is what is modelled")]
#[expect(clippy::cast_precision_loss, reason = "the loss is what is modelled")]
#[expect(clippy::cast_sign_loss, reason = "only numbers that were unsigned come back so")]
fn as_double(value: Value) -> Value {
    match value {
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) if whole.unsigned_abs() > EXACT_INTEGER_MAX => {
                Value::Number(Number::from(whole as f64 as i64))
            }
            (None, Some(whole)) => Value::Number(Number::from(whole as f64 as u64)),
            (Some(_) | None, _) => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(as_double).collect(),
        Value::Object(members) => {
            let members = members.into_iter();
            Value::Object(members.map(|(key, value)| (key, as_double(value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value,
    }
}
