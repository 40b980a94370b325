//! How the public face goes with its fleet: the Service first, then the routes.

use sei_api::{SeiNodeDeployment, k8s};

use super::{Routes, known, removal};
use crate::deployment::Observed;
use crate::effect::{Effect, Resource};
use crate::fault::Fault;
use crate::node::Seen;
use crate::render::{mode::Mode, routes::protocols};

/// What to delete now; nothing when the doors are closed. Objects that wait for the finalizers of
/// others are not waited for, and those of others are left alone.
pub(in crate::deployment) fn close(fleet: &SeiNodeDeployment, seen: &Observed) -> Vec<Effect> {
    let service = seen.doors.service.here().map(|it| &it.metadata);
    let service = service.and_then(|it| removal(fleet, Resource::Service, it));
    if let Some(service) = service {
        return vec![service];
    }
    known(seen).filter_map(|it| removal(fleet, Resource::HttpRoute, &it.metadata)).collect()
}

/// Is some part still to be seen, or our own last write to it? A watch event will follow.
pub(in crate::deployment) fn is_stale(fleet: &SeiNodeDeployment, seen: &Observed) -> bool {
    let stale_route = match &seen.doors.routes {
        Routes::Known(known) => known.values().any(|it| matches!(it, Seen::Stale)),
        Routes::Unlisted => published(fleet),
        Routes::NotInstalled | Routes::Unreadable => false,
    };
    stale_route || matches!(seen.doors.service, Seen::Stale)
}

/// Why the fleet cannot go yet: a part of its public face cannot be looked at.
///
/// A cluster that never answers for the kind holds only fleets that asked for routes.
pub(in crate::deployment) fn hidden(fleet: &SeiNodeDeployment, seen: &Observed) -> Option<Fault> {
    fn fault<T>(seen: &Seen<T>) -> Option<Fault> {
        match seen {
            Seen::Unreadable(fault) => Some(fault.clone()),
            Seen::Here(_) | Seen::Absent | Seen::Unconfirmed | Seen::Stale => None,
        }
    }
    let routes = match &seen.doors.routes {
        Routes::Known(known) => known.values().find_map(fault),
        Routes::NotInstalled | Routes::Unlisted => None,
        Routes::Unreadable => published(fleet).then(unreadable),
    };
    fault(&seen.doors.service).or(routes)
}

/// Nobody knows which routes there are.
pub(super) fn unreadable() -> Fault {
    Fault::transient("the HTTPRoutes cannot be listed")
}

/// The parts of the public face that may name the fleet as their owner.
pub(in crate::deployment) fn releases(
    seen: &Observed,
) -> impl Iterator<Item = (Resource, &k8s::ObjectMeta)> {
    let service = seen.doors.service.here().map(|it| (Resource::Service, &it.metadata));
    service.into_iter().chain(known(seen).map(|it| (Resource::HttpRoute, &it.metadata)))
}

/// Does the fleet's spec ask for routes?
pub(super) fn published(fleet: &SeiNodeDeployment) -> bool {
    let mode = fleet.spec.networking.as_ref().and_then(|_| Mode::of(&fleet.spec.template.spec));
    mode.is_some_and(|mode| protocols(mode).next().is_some())
}
