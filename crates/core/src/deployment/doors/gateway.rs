//! What the Gateway says about a fleet's routes.
//!
//! Gateway API: an implementation answers in `status.parents[]`, one entry for each parent, with
//! the conditions `Accepted` and `ResolvedRefs`.

use sei_api::condition::{Reason, Status};
use sei_api::gateway::{HttpRoute, HttpRouteStatusParents};
use sei_api::k8s;

use crate::condition::Say;
use crate::fault::{DETAIL_BYTES_MAX, cut};
use crate::platform::Gateway;

/// The word on all wanted routes, each with what is stored of it: the first refusal, else the first
/// silence, else agreement.
pub(super) fn word<'a>(
    routes: impl Iterator<Item = (&'a HttpRoute, Option<&'a HttpRoute>)>,
    gateway: &Gateway,
) -> Say {
    let of = |live: Option<&HttpRoute>| live.map_or(Answer::None, |it| answer(it, gateway));
    let answers: Vec<(&HttpRoute, Answer)> =
        routes.map(|(route, live)| (route, of(live))).collect();
    let said = |wanted: fn(&Answer) -> bool| answers.iter().find(|(_, it)| wanted(it));
    let parent = format!("Gateway \"{}/{}\"", gateway.namespace, gateway.name);
    let refusal = said(|it| matches!(it, Answer::Refused(..)));
    let silence = said(|it| matches!(it, Answer::None));
    match (refusal, silence) {
        (Some((route, Answer::Refused(reason, why))), _) => {
            let message = format!("HTTPRoute \"{}\": {why}", name(route));
            Say::no(*reason, cut(message, DETAIL_BYTES_MAX))
        }
        (_, Some((route, _))) => {
            let message =
                format!("{parent} has not answered for HTTPRoute \"{}\" yet", name(route));
            Say::unknown(Reason::GatewayPending, message)
        }
        (Some(_) | None, None) => {
            let count = answers.len();
            Say::yes(Reason::Accepted, format!("{parent} accepts {count} HTTPRoute(s)"))
        }
    }
}

enum Answer {
    None,
    Refused(Reason, String),
    Taken,
}

fn answer(route: &HttpRoute, gateway: &Gateway) -> Answer {
    let parents = route.status.iter().flat_map(|it| &it.parents);
    let ours: Vec<&HttpRouteStatusParents> =
        parents.filter(|it| is_about(it, route, gateway)).collect();
    let mut silent = ours.is_empty();
    for parent in ours {
        for (kind, refused) in
            [("Accepted", Reason::NotAccepted), ("ResolvedRefs", Reason::RefsNotResolved)]
        {
            let said = parent.conditions.iter().find(|it| it.type_ == kind);
            let said = said.filter(|it| is_current(it, route));
            match said.map(|it| (it.status.as_str(), it)) {
                Some((status, it)) if status == Status::False.as_str() => {
                    return Answer::Refused(refused, format!("{}: {}", it.reason, it.message));
                }
                Some((status, _)) if status == Status::True.as_str() => {}
                Some(_) | None => silent = true,
            }
        }
    }
    if silent { Answer::None } else { Answer::Taken }
}

/// Is this the answer of the Gateway that the route names?
fn is_about(parent: &HttpRouteStatusParents, route: &HttpRoute, gateway: &Gateway) -> bool {
    let reference = &parent.parent_ref;
    let namespace = reference.namespace.as_ref().or(route.metadata.namespace.as_ref());
    reference.name == gateway.name
        && namespace == Some(&gateway.namespace)
        && reference.kind.as_ref().is_none_or(|it| it == "Gateway")
}

/// Does it speak about the route as it is now?
fn is_current(condition: &k8s::Condition, route: &HttpRoute) -> bool {
    condition.observed_generation.is_none_or(|it| Some(it) >= route.metadata.generation)
}

fn name(route: &HttpRoute) -> &str {
    route.metadata.name.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests;
