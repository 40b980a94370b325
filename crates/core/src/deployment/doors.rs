//! The public face of a fleet: its external Service, its routes, and how they come and go.
//!
//! **Doors gate nothing.** Children are created and rollouts are driven whatever becomes of them;
//! that is why their effects and faults are kept apart from those of the rest.

use std::collections::BTreeMap;

use sei_api::gateway::HttpRoute;
use sei_api::{SeiNodeDeployment, SeiNodeDeploymentStatus, k8s, labels};

use crate::applied::{is_applied, is_applied_but_for_defaults};
use crate::decision::{Decision, Requeue};
use crate::deployment::{Env, Observed, owner};
use crate::effect::{Desired, Effect, Resource, Target};
use crate::fault::{Class, Fault};
use crate::name::FleetName;
use crate::node::Seen;
use crate::ownership::{Ownership, classify, controlled_by};
use crate::render;
use crate::render::routes::{Route, routes};

mod closing;
mod gateway;
mod report;

pub(super) use closing::{close, hidden, is_stale, releases};
pub(super) use report::{foreign, notices, seed, summarize};

/// Reads of a round for the public face. The rest comes from the caches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DoorNeeds {
    /// Confirm with the API server that no external Service exists when the cache has none.
    pub confirm_service: bool,
    /// Names at which routes are wanted; confirm likewise.
    pub routes: Vec<String>,
    /// The host name whose resolution is to be known.
    pub host: Option<String>,
}

/// What a round knows about the public face.
#[derive(Clone, Debug)]
pub struct Doors {
    /// The external Service.
    pub service: Seen<k8s::Service>,
    /// The routes.
    pub routes: Routes,
    /// Does the first host name resolve?
    pub name: Resolution,
}

/// The HTTPRoutes of a fleet, as far as we can tell.
#[derive(Clone, Debug)]
pub enum Routes {
    /// They are still to be listed.
    Unlisted,
    /// They cannot be listed.
    Unreadable,
    /// The cluster has no such kind.
    NotInstalled,
    /// Those that carry the fleet's label or stand at a wanted name, by name.
    Known(BTreeMap<String, Seen<HttpRoute>>),
}

/// Does a host name resolve?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Nobody has heard an answer yet.
    Unknown,
    /// It does not.
    Pending,
    /// It does.
    Resolved,
}

impl Doors {
    /// Nothing was looked at.
    #[must_use]
    pub fn unseen() -> Self {
        Self { service: Seen::Unconfirmed, routes: Routes::Unlisted, name: Resolution::Unknown }
    }
}

/// What the next round asks for; nothing for a fleet without a public face or on its way out.
pub(super) fn needs(fleet: &SeiNodeDeployment, env: Env<'_>) -> DoorNeeds {
    let leaving = fleet.metadata.deletion_timestamp.is_some();
    if leaving || fleet.spec.networking.is_none() || super::spec::refusal(fleet).is_some() {
        return DoorNeeds::default();
    }
    let gateway = &env.platform.gateway;
    let wanted = FleetName::of(fleet);
    DoorNeeds {
        confirm_service: true,
        routes: routes(fleet, gateway).iter().map(|it| wanted.route(it.protocol).into()).collect(),
        host: render::routes::probed_host(fleet, gateway),
    }
}

/// `decision` with what the public face needs besides. A plan that begins, begins alone. Objects of
/// somebody else at our names are in no watch, unless they carry our label: they are polled for.
pub(super) fn attend(
    fleet: &SeiNodeDeployment,
    seen: &Observed,
    env: Env<'_>,
    mut decision: Decision<SeiNodeDeploymentStatus>,
) -> Decision<SeiNodeDeploymentStatus> {
    if decision.requeue == Requeue::NextPass {
        return decision;
    }
    let look = look(fleet, seen, env);
    if look.fault.is_some() {
        let poll = Requeue::After(env.tempo.task_poll_max);
        decision.requeue = decision.requeue.sooner(poll);
    }
    let theirs = |it: &k8s::Service| classify(&it.metadata, owner(fleet)) == Ownership::Foreign;
    if look.foreign.is_some() || seen.internal_service.here().is_some_and(theirs) {
        let poll = Requeue::After(env.tempo.foreign_poll);
        decision.requeue = decision.requeue.sooner(poll);
    }
    decision.effects.extend(look.effects);
    decision
}

/// When to run again after a write for the public face met `fault`: the rest keeps its pace.
pub(super) fn retry(requeue: Requeue, fault: &Fault, env: Env<'_>) -> Requeue {
    let poll = env.tempo.task_poll_max;
    match (requeue, fault.class) {
        (Requeue::After(delay), Class::Conflict | Class::Transient | Class::Terminal)
            if delay > poll =>
        {
            Requeue::Backoff
        }
        (requeue, _) => requeue.sooner(Requeue::After(poll)),
    }
}

/// What became of the public face in a round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attended<'a> {
    /// Its writes were made.
    pub(super) performed: bool,
    /// The fault that one of them met.
    pub(super) fault: Option<&'a Fault>,
}

/// Is `effect` about the public face?
pub(super) fn owns(fleet: &SeiNodeDeployment, effect: &Effect) -> bool {
    let external = FleetName::of(fleet).external_service();
    let (resource, name) = match effect {
        Effect::Apply { object, .. } | Effect::Create(object) => (object.resource(), object.name()),
        Effect::SetOwners { target, .. } | Effect::Delete(target) => {
            (target.resource, target.name.as_str())
        }
        Effect::RemoveFinalizer | Effect::Submit(_) => return false,
    };
    resource == Resource::HttpRoute || (resource == Resource::Service && name == external.as_str())
}

/// The wanted objects, compared with what is there.
#[derive(Default)]
struct Look {
    /// Writes that keep the public face as it should be: ours is applied, adopted or pruned; what
    /// belongs to somebody else is left alone.
    effects: Vec<Effect>,
    /// Somebody else's objects at our names, by kind and name.
    foreign: Option<(&'static str, String)>,
    /// Something at our names that is about to go.
    leftover: Option<(&'static str, String)>,
    /// Something could not be looked at.
    fault: Option<Fault>,
    /// Something was not looked at.
    unseen: bool,
}

fn look(fleet: &SeiNodeDeployment, seen: &Observed, env: Env<'_>) -> Look {
    let (mut look, wanted) = (Look::default(), routes(fleet, &env.platform.gateway));
    if fleet.spec.networking.is_some() {
        let service = Desired::Service(render::fleet::external_service(fleet));
        look.place(fleet, service, &seen.doors.service);
    }
    look.effects.extend(surplus(fleet, seen, &wanted));
    let Routes::Known(known) = &seen.doors.routes else { return look };
    for route in wanted {
        let object = Desired::HttpRoute(route.object);
        let live = known.get(object.name()).unwrap_or(&Seen::Unconfirmed);
        look.place(fleet, object, live);
    }
    look
}

impl Look {
    /// Notes what `desired` needs where `live` stands.
    fn place<T>(&mut self, fleet: &SeiNodeDeployment, desired: Desired, live: &Seen<T>)
    where
        T: k8s::Resource<DynamicType = ()> + serde::Serialize,
    {
        let named = || (kind(desired.resource()), desired.name().to_owned());
        let live = match live {
            Seen::Absent => {
                self.effects.push(Effect::Apply { object: desired.into(), over: None });
                return;
            }
            Seen::Here(live) => live,
            Seen::Stale => return,
            Seen::Unconfirmed => {
                self.unseen = true;
                return;
            }
            Seen::Unreadable(fault) => {
                self.fault.get_or_insert_with(|| fault.clone());
                return;
            }
        };
        match classify(live.meta(), owner(fleet)) {
            Ownership::Ours if is_current(&desired, live.as_ref()) => {}
            Ownership::Ours | Ownership::Orphan => {
                let over = live.meta().uid.clone();
                self.effects.push(Effect::Apply { object: desired.into(), over });
            }
            Ownership::Leftover => {
                self.leftover.get_or_insert_with(named);
            }
            Ownership::Foreign => {
                self.foreign.get_or_insert_with(named);
            }
        }
    }
}

/// What is controlled by this fleet and no longer wanted.
fn surplus<'a>(
    fleet: &'a SeiNodeDeployment,
    seen: &'a Observed,
    wanted: &'a [Route],
) -> impl Iterator<Item = Effect> + 'a {
    let service = seen.doors.service.here().filter(|_| fleet.spec.networking.is_none());
    let service = service.map(|it| (Resource::Service, &it.metadata));
    let is_wanted =
        |meta: &k8s::ObjectMeta| wanted.iter().any(|it| it.object.metadata.name == meta.name);
    let routes = known(seen).map(|it| (Resource::HttpRoute, &it.metadata));
    let routes = routes.filter(move |(_, meta)| !is_wanted(meta));
    service.into_iter().chain(routes).filter_map(|(kind, meta)| removal(fleet, kind, meta))
}

/// **Invariant `owned_deletes`:** only what this UID controls, and only once.
fn removal(
    fleet: &SeiNodeDeployment,
    resource: Resource,
    meta: &k8s::ObjectMeta,
) -> Option<Effect> {
    let ours = controlled_by(meta, owner(fleet).uid) && meta.deletion_timestamp.is_none();
    ours.then(|| Effect::Delete(Target::seen(resource, meta)))
}

/// The routes that are there.
fn known(seen: &Observed) -> impl Iterator<Item = &HttpRoute> {
    let known = match &seen.doors.routes {
        Routes::Known(known) => Some(known),
        Routes::Unlisted | Routes::Unreadable | Routes::NotInstalled => None,
    };
    known.into_iter().flatten().filter_map(|(_, it)| it.here())
}

fn is_current<T: serde::Serialize>(desired: &Desired, live: &T) -> bool {
    let manager = labels::NODEDEPLOYMENT_FIELD_MANAGER;
    let (Ok(value), Ok(live)) = (desired.to_value(), serde_json::to_value(live)) else {
        return false;
    };
    match desired.resource() {
        Resource::HttpRoute => is_applied_but_for_defaults(&value, &live, manager),
        _ => is_applied(&value, &live, manager),
    }
}

fn kind(resource: Resource) -> &'static str {
    if resource == Resource::HttpRoute { "HTTPRoute" } else { "Service" }
}
