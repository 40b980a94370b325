//! The HTTP front: the sidecars' API byte for byte, for many nodes behind one address.
//!
//! A node is served under `/{namespace}/{node}`, and one node, if wanted, at the root. The front
//! stands for the proxy and the sidecar together: with [`Sidecars::require_token`] it wants the
//! token, and a process that is down is answered with the proxy's 502.

mod reply;
mod request;
mod server;

pub use server::{FrontOptions, HttpFront};

use crate::{
    Sidecars,
    faults::RawReply,
    sidecar::{Performed, Reached},
};
use reply::Response;
use request::{Request, Route, Routed};

/// Answers one request. Pure but for the sidecars behind it.
fn answer(sidecars: &Sidecars, root: Option<&(String, String)>, request: &Request) -> Served {
    let Some((key, path)) = request::address(root, &request.path) else {
        return Served::at_once(Response::not_found());
    };
    let route = match request::route(&request.method, path) {
        Routed::Route(route) => route,
        Routed::Redirect => return Served::at_once(Response::redirect(path)),
        Routed::WrongMethod { allow } => return Served::at_once(Response::wrong_method(allow)),
        Routed::Unknown => return Served::at_once(Response::not_found()),
    };
    if !route.bypasses_authorization() && !sidecars.admits(request.authorization.as_deref()) {
        return Served::at_once(Response::raw(RawReply::text(401, "Unauthorized")));
    }
    let call = match request::call(route, request) {
        Ok(call) => call,
        Err(response) => return Served::at_once(response),
    };
    Served::from_performed(sidecars.call((&key.0, &key.1), call))
}

/// What the server shall do with a request, and after what time.
struct Served {
    delay: std::time::Duration,
    fate: Fate,
}

enum Fate {
    Respond(Response),
    /// End the connection without an answer.
    Break,
    /// Keep the connection and say nothing.
    Hang,
}

impl Served {
    fn at_once(response: Response) -> Self {
        Self { delay: std::time::Duration::ZERO, fate: Fate::Respond(response) }
    }

    fn from_performed(performed: Performed) -> Self {
        let fate = match performed.reached {
            Reached::Answer(answer) => Fate::Respond(Response::from_answer(answer)),
            Reached::Raw(reply) => Fate::Respond(Response::raw(reply)),
            Reached::Broken(_) => Fate::Break,
            Reached::Never => Fate::Hang,
        };
        Self { delay: performed.delay, fate }
    }
}

impl Route {
    /// The proxy and the sidecar let these through without a token.
    fn bypasses_authorization(self) -> bool {
        match self {
            Self::Healthz | Self::Livez | Self::Metrics => true,
            Self::Status | Self::NodeId | Self::Submit | Self::List | Self::Get | Self::Delete => {
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
