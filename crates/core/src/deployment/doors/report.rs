//! What a fleet's status and its Events say about the public face.

use sei_api::condition::{Reason, Status, Type};
use sei_api::event;
use sei_api::gateway::HttpRoute;
use sei_api::{NetworkingRoute, NetworkingStatus, SeiNodeDeployment, SeiNodeDeploymentStatus, k8s};

use super::closing::{published, unreadable};
use super::{Resolution, Routes, look};
use crate::condition::{Conditions, Say, find};
use crate::deployment::report::{self, End};
use crate::deployment::{Env, Observed, name, rollout};
use crate::fault::Class;
use crate::node::Seen;
use crate::notice::Notice;
use crate::render::routes::{Route, routes};

/// Sums it up in `status`.
pub(in crate::deployment) fn summarize(end: End<'_>, status: &mut SeiNodeDeploymentStatus) {
    let wanted = routes(end.fleet, &end.env.platform.gateway);
    status.networking_status = (!wanted.is_empty()).then(|| listed(&wanted));
    let was_ready = is_ready(status);
    let mut conditions = rollout::conditions(end.fleet, &mut status.conditions, end.seen);
    match ready(end, &wanted, was_ready) {
        Some(say) => conditions.set(Type::RouteReady, say),
        None => conditions.seed(Type::RouteReady, unknown()),
    }
    match accepted(end, &wanted) {
        Some(say) => conditions.set(Type::RouteAccepted, say),
        None => conditions.seed(Type::RouteAccepted, unknown()),
    }
}

/// Somebody else's object at one of our names.
pub(in crate::deployment) fn foreign(
    fleet: &SeiNodeDeployment,
    seen: &Observed,
    env: Env<'_>,
) -> Option<(&'static str, String)> {
    look(fleet, seen, env).foreign
}

/// The Events of one commit about the public face.
pub(in crate::deployment) fn notices(
    before: &SeiNodeDeploymentStatus,
    after: &SeiNodeDeploymentStatus,
) -> Option<Notice> {
    let now = find(&after.conditions, Type::RouteReady)?;
    let then = find(&before.conditions, Type::RouteReady);
    if then.is_some_and(|it| it.reason == now.reason) {
        return None;
    }
    let occurrence = |it: &k8s::Condition| {
        let generation = now.observed_generation.unwrap_or_default();
        format!("{}/{generation}", it.last_transition_time.0)
    };
    match Reason::from_word(&now.reason)? {
        Reason::HttpRouteReady => {
            let message = "HTTPRoute reconciled successfully".to_owned();
            Some(Notice::normal(event::Reason::HttpRouteReady, message, &occurrence(now)))
        }
        Reason::CrdNotInstalled => {
            let message = "Gateway API CRD (HTTPRoute) is not installed; HTTPRoute will not be \
                           created";
            // False before, without the kind and right after it came: `RouteReady` cannot tell one
            // absence from the next. Routes that are new to their Gateway do.
            let gone = occurrence(find(&after.conditions, Type::RouteAccepted).unwrap_or(now));
            Some(Notice::warning(event::Reason::CrdNotInstalled, message.to_owned(), &gone))
        }
        _ => None,
    }
}

fn listed(wanted: &[Route]) -> NetworkingStatus {
    let of = |route: &Route| {
        let protocol = route.protocol.as_str();
        let hostnames = route.hostnames.clone().into_iter();
        hostnames
            .map(|hostname| NetworkingRoute { hostname, protocol: Some(protocol.to_owned()) })
            .collect::<Vec<_>>()
    };
    NetworkingStatus { routes: wanted.iter().flat_map(of).collect() }
}

/// What `RouteReady` says; `None`: what it says already. First match wins.
fn ready(end: End<'_>, wanted: &[Route], was_ready: bool) -> Option<Say> {
    let End { fleet, seen, env, .. } = end;
    if wanted.is_empty() {
        return Some(without_routes(fleet));
    }
    let look = look(fleet, seen, env);
    if let Some((kind, object)) = &look.foreign {
        let message = report::refusal(kind, object, name(fleet));
        return Some(Say::no(Reason::ForeignObject, message));
    }
    match &seen.doors.routes {
        Routes::Known(_) => {}
        Routes::NotInstalled => return Some(not_installed()),
        Routes::Unreadable => return Some(Say::no(Reason::Retrying, unreadable().detail)),
        Routes::Unlisted => return None,
    }
    if let Some(fault) = end.doors.fault.or(look.fault.as_ref()) {
        // Who wrote first is nobody's trouble: the next look shows what is there now.
        let said = fault.class != Class::Conflict;
        return said.then(|| Say::no(Reason::Retrying, fault.detail.clone()));
    }
    if let Some((kind, name)) = &look.leftover {
        let message =
            format!("{kind} \"{name}\" is about to be removed; it is created anew when it is gone");
        return Some(Say::no(Reason::LeftoverObject, message));
    }
    if look.unseen || (!end.doors.performed && !look.effects.is_empty()) {
        return None;
    }
    Some(match seen.doors.name {
        Resolution::Resolved => reconciled(wanted.len()),
        Resolution::Unknown if was_ready => reconciled(wanted.len()),
        Resolution::Pending | Resolution::Unknown => {
            Say::no(Reason::DnsPending, "Waiting for route hostname to resolve in DNS")
        }
    })
}

/// What `RouteAccepted` says; `None`: what it says already.
fn accepted(end: End<'_>, wanted: &[Route]) -> Option<Say> {
    if wanted.is_empty() {
        return Some(without_routes(end.fleet));
    }
    let known = match &end.seen.doors.routes {
        Routes::Known(known) => known,
        Routes::NotInstalled => return Some(not_installed()),
        Routes::Unlisted | Routes::Unreadable => return None,
    };
    let live = |route: &Route| known.get(route.object.metadata.name.as_deref().unwrap_or_default());
    let hidden = |it: &Seen<HttpRoute>| matches!(it, Seen::Stale | Seen::Unreadable(_));
    if wanted.iter().filter_map(live).any(hidden) {
        return None;
    }
    let answers = wanted.iter().map(|it| (&it.object, live(it).and_then(Seen::here)));
    Some(super::gateway::word(answers, &end.env.platform.gateway))
}

fn reconciled(routes: usize) -> Say {
    Say::yes(Reason::HttpRouteReady, format!("{routes} HTTPRoute(s) reconciled successfully"))
}

fn not_installed() -> Say {
    Say::no(Reason::CrdNotInstalled, "Gateway API CRD (HTTPRoute) is not installed")
}

fn without_routes(fleet: &SeiNodeDeployment) -> Say {
    let why = match fleet.spec.networking {
        Some(_) => "this mode has no routes",
        None => "spec.networking is not set",
    };
    Say::no(Reason::NotApplicable, why)
}

fn unknown() -> Say {
    Say::no(Reason::NotStarted, "the HTTPRoutes were not looked at yet")
}

fn is_ready(status: &SeiNodeDeploymentStatus) -> bool {
    find(&status.conditions, Type::RouteReady).is_some_and(|it| it.status == Status::True.as_str())
}

/// What a fleet says of its routes that is not looked at: no more than it did.
pub(in crate::deployment) fn seed(fleet: &SeiNodeDeployment, conditions: &mut Conditions<'_>) {
    for kind in [Type::RouteReady, Type::RouteAccepted] {
        match published(fleet) {
            true => conditions.seed(kind, unknown()),
            false => conditions.set(kind, without_routes(fleet)),
        }
    }
}
