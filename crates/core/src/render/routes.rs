//! The HTTPRoutes of a fleet: which protocols, under which host names, to which port.
//!
//! What the API server defaults (`group`, `kind`, `weight`, the match of every path) is left
//! unset, so that we do not own it.

use sei_api::SeiNodeDeployment;
use sei_api::gateway::{
    HttpRoute, HttpRouteParentRefs, HttpRouteRules, HttpRouteRulesBackendRefs,
    HttpRouteRulesMatches, HttpRouteRulesMatchesHeaders, HttpRouteRulesMatchesHeadersType,
    HttpRouteSpec,
};
use sei_api::k8s;

use super::fleet::{group_label, managed_by, metadata};
use super::mode::Mode;
use super::ports::{self, Port};
use crate::name::FleetName;
use crate::platform::Gateway;

/// A protocol that has a route of its own, in the order in which routes are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// EVM JSON-RPC: over HTTP, and over WebSocket for who asks to upgrade.
    Evm,
    /// Tendermint RPC.
    Rpc,
    /// Cosmos REST.
    Rest,
    /// Cosmos gRPC.
    Grpc,
}

/// One route of a fleet.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// What it serves.
    pub protocol: Protocol,
    /// Where it is reached; never empty.
    pub hostnames: Vec<String>,
    /// The object, complete in the fields that the fleet owns.
    pub object: HttpRoute,
}

impl Protocol {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Evm, Self::Rpc, Self::Rest, Self::Grpc];

    /// Its word in names, host names and status.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Evm => "evm",
            Self::Rpc => "rpc",
            Self::Rest => "rest",
            Self::Grpc => "grpc",
        }
    }

    /// The port that its requests go to.
    fn port(self) -> Port {
        match self {
            Self::Evm => ports::EVM_RPC,
            Self::Rpc => ports::RPC,
            Self::Rest => ports::REST,
            Self::Grpc => ports::GRPC,
        }
    }

    /// The port that WebSocket requests go to.
    fn web_socket(self) -> Option<Port> {
        match self {
            Self::Evm => Some(ports::EVM_WS),
            Self::Rpc | Self::Rest | Self::Grpc => None,
        }
    }
}

/// The protocols that a fleet of this mode publishes: those whose port its Service offers.
pub fn protocols(mode: Mode) -> impl Iterator<Item = Protocol> {
    let offered = ports::external(mode);
    Protocol::ALL.into_iter().filter(|it| offered.contains(&it.port()))
}

/// The routes that `fleet` wants; none without `spec.networking`.
#[must_use]
pub fn routes(fleet: &SeiNodeDeployment, gateway: &Gateway) -> Vec<Route> {
    let mode = fleet.spec.networking.as_ref().and_then(|_| Mode::of(&fleet.spec.template.spec));
    let wanted = mode.into_iter().flat_map(protocols);
    wanted.map(|protocol| route(fleet, gateway, protocol)).collect()
}

/// Names that are looked up to learn whether the fleet can be reached: the first host name.
#[must_use]
pub fn probed_host(fleet: &SeiNodeDeployment, gateway: &Gateway) -> Option<String> {
    routes(fleet, gateway).into_iter().next()?.hostnames.into_iter().next()
}

fn route(fleet: &SeiNodeDeployment, gateway: &Gateway, protocol: Protocol) -> Route {
    let hostnames = hostnames(fleet, gateway, protocol);
    let upgrade = protocol.web_socket().map(|port| HttpRouteRules {
        matches: Some(vec![HttpRouteRulesMatches {
            headers: Some(vec![HttpRouteRulesMatchesHeaders {
                name: "Upgrade".to_owned(),
                value: "websocket".to_owned(),
                r#type: Some(HttpRouteRulesMatchesHeadersType::Exact),
            }]),
            ..HttpRouteRulesMatches::default()
        }]),
        ..to(fleet, port)
    });
    let object = HttpRoute {
        metadata: k8s::ObjectMeta {
            name: Some(FleetName::of(fleet).route(protocol).into()),
            labels: Some(group_label(fleet)),
            annotations: Some(managed_by()),
            ..metadata(fleet)
        },
        spec: HttpRouteSpec {
            parent_refs: Some(vec![HttpRouteParentRefs {
                name: gateway.name.clone(),
                namespace: Some(gateway.namespace.clone()),
                ..HttpRouteParentRefs::default()
            }]),
            hostnames: Some(hostnames.clone()),
            rules: Some([to(fleet, protocol.port())].into_iter().chain(upgrade).collect()),
        },
        status: None,
    };
    Route { protocol, hostnames, object }
}

/// Every request goes to this port of the fleet's external Service.
fn to(fleet: &SeiNodeDeployment, port: Port) -> HttpRouteRules {
    HttpRouteRules {
        backend_refs: Some(vec![HttpRouteRulesBackendRefs {
            name: FleetName::of(fleet).external_service().into(),
            port: Some(port.number),
            ..HttpRouteRulesBackendRefs::default()
        }]),
        ..HttpRouteRules::default()
    }
}

/// The gateway's own domain first. The public one carries the namespace, because fleets of one
/// name may live in several.
fn hostnames(fleet: &SeiNodeDeployment, gateway: &Gateway, protocol: Protocol) -> Vec<String> {
    let label = FleetName::of(fleet).route(protocol);
    let namespace = fleet.metadata.namespace.as_deref().unwrap_or_default();
    let own = format!("{label}.{}", gateway.domain);
    let public = gateway.public_domain.as_ref().map(|it| format!("{label}.{namespace}.{it}"));
    [own].into_iter().chain(public).collect()
}

#[cfg(test)]
mod tests;
