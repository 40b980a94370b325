//! Where a fleet and its children are reached, as the status shows it.

use sei_api::{
    EndpointNode, Endpoints, InternalService, InternalServicePorts, PerPodService,
    PerPodServicePorts, SeiNodeDeploymentStatus,
};

use crate::deployment::view::View;
use crate::deployment::{children, name, namespace, owner};
use crate::node::Seen;
use crate::ownership::{Ownership, classify};
use crate::render::ports::{self, Port};

/// Fills in the Services and URLs.
pub(super) fn fill(view: &View<'_>, status: &mut SeiNodeDeploymentStatus) {
    let View { fleet, seen, children, .. } = view;
    let (name, namespace) = (name(fleet), namespace(fleet));
    let service = format!("{name}-internal");
    let applied = seen
        .internal_service
        .here()
        .is_some_and(|it| classify(&it.metadata, owner(fleet)) == Ownership::Ours);
    if applied || matches!(seen.internal_service, Seen::Stale) {
        status.internal_service = Some(InternalService {
            name: service.clone(),
            namespace: namespace.to_owned(),
            ports: InternalServicePorts {
                rpc: ports::RPC.number,
                evm_http: ports::EVM_RPC.number,
                rest: ports::REST.number,
            },
        });
    }
    let numbered = || children.owned.iter().filter(|it| children::ordinal_of(it).is_some());
    status.per_pod_services = numbered()
        .map(|it| PerPodService {
            name: super::name_of(it),
            namespace: namespace.to_owned(),
            ports: PerPodServicePorts {
                evm_http: ports::EVM_RPC.number,
                evm_ws: ports::EVM_WS.number,
            },
        })
        .collect();
    let url = |scheme: &str, host: &str, port: Port| {
        format!("{scheme}://{host}.{namespace}.svc:{}", port.number)
    };
    let has_service = status.internal_service.is_some();
    let nodes: Vec<EndpointNode> = numbered()
        .map(|it| EndpointNode {
            name: super::name_of(it),
            evm_json_rpc: Some(url("http", &super::name_of(it), ports::EVM_RPC)),
            evm_ws: Some(url("ws", &super::name_of(it), ports::EVM_WS)),
        })
        .collect();
    status.endpoints = (has_service || !nodes.is_empty()).then(|| Endpoints {
        tendermint_rpc: has_service.then(|| url("http", &service, ports::RPC)),
        tendermint_rest: has_service.then(|| url("http", &service, ports::REST)),
        nodes,
    });
}
