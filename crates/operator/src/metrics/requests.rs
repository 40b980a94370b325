//! Counts requests to the API server in a layer under the client, by what they ask for.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Method, Request, Response, Uri};
use tower::{Layer, Service};

use super::Metrics;

/// The layer; see [`CountRequests`].
#[derive(Clone)]
pub struct CountRequestsLayer {
    pub(super) metrics: Arc<Metrics>,
}

/// Counts every request when the head of its answer arrives, or when there will be none.
#[derive(Clone)]
pub struct CountRequests<S> {
    metrics: Arc<Metrics>,
    inner: S,
}

impl<S> Layer<S> for CountRequestsLayer {
    type Service = CountRequests<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CountRequests { metrics: Arc::clone(&self.metrics), inner }
    }
}

impl<S, B, R> Service<Request<B>> for CountRequests<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let asked = Asked::of(request.method(), request.uri());
        let metrics = Arc::clone(&self.metrics);
        self.inner
            .call(request)
            .inspect(move |answer| {
                let code = answer.as_ref().ok().map(|response| response.status().as_u16());
                metrics.api_request(&asked, code);
            })
            .boxed()
    }
}

/// What a request asks of the API server, in the words of RBAC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; or
    /// `other`.
    pub verb: &'static str,
    /// Plural with the subresource, such as `seinodes/status`; `none` for paths such as `/version`.
    pub resource: String,
}

impl Asked {
    fn of(method: &Method, uri: &Uri) -> Self {
        let segments: Vec<&str> = uri.path().split('/').filter(|part| !part.is_empty()).collect();
        let Some(path) = resource_path(&segments) else {
            return Self { verb: verb(method, true, false), resource: "none".to_owned() };
        };
        let (resource, named) = match path {
            [] => ("none".to_owned(), true),
            [resource] => ((*resource).to_owned(), false),
            [resource, _] => ((*resource).to_owned(), true),
            [resource, _, subresource, ..] => (format!("{resource}/{subresource}"), true),
        };
        let watch = uri.query().is_some_and(|query| {
            query.split('&').any(|pair| matches!(pair, "watch=true" | "watch=1"))
        });
        Self { verb: verb(method, named, watch), resource }
    }
}

/// What follows group, version and namespace; `None` outside of the API's resources.
fn resource_path<'a, 'p>(segments: &'a [&'p str]) -> Option<&'a [&'p str]> {
    let path = match segments {
        ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
        _ => return None,
    };
    Some(match path {
        ["namespaces", _, rest @ ..] if !rest.is_empty() => rest,
        _ => path,
    })
}

fn verb(method: &Method, named: bool, watch: bool) -> &'static str {
    match (method.as_str(), named) {
        ("GET", _) if watch => "watch",
        ("GET", true) => "get",
        ("GET", false) => "list",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", true) => "delete",
        ("DELETE", false) => "deletecollection",
        (_, _) => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_named_as_rbac_names_them() {
        let table = [
            ("GET", "/api/v1/pods?watch=true&labelSelector=a", "watch pods"),
            ("GET", "/api/v1/namespaces/a/pods?limit=500", "list pods"),
            ("GET", "/api/v1/namespaces/a/pods/p", "get pods"),
            ("GET", "/api/v1/namespaces/a", "get namespaces"),
            ("GET", "/api/v1/namespaces", "list namespaces"),
            ("POST", "/api/v1/namespaces/a/events", "create events"),
            ("PUT", "/apis/coordination.k8s.io/v1/namespaces/a/leases/l", "update leases"),
            (
                "PATCH",
                "/apis/sei.io/v1alpha1/namespaces/a/seinodes/n/status",
                "patch seinodes/status",
            ),
            ("DELETE", "/apis/sei.io/v1alpha1/namespaces/a/seinodes/n", "delete seinodes"),
            ("DELETE", "/apis/sei.io/v1alpha1/namespaces/a/seinodes", "deletecollection seinodes"),
            ("GET", "/version", "get none"),
            ("GET", "/apis/sei.io/v1alpha1", "get none"),
        ];
        for (method, path, expected) in table {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let asked = Asked::of(&method, &path.parse().unwrap());
            assert_eq!(format!("{} {}", asked.verb, asked.resource), expected, "{method} {path}");
        }
    }
}
