//! The ports of a node's pod: which container listens where, under what name.

use sei_api::{DEFAULT_SIDECAR_PORT, SeiNodeSpec};

use super::mode::Mode;

/// A named TCP port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name in containers and Services.
    pub name: &'static str,
    /// Its number.
    pub number: i32,
}

/// EVM JSON-RPC over HTTP.
pub const EVM_RPC: Port = Port { name: "evm-rpc", number: 8545 };
/// EVM JSON-RPC over WebSocket.
pub const EVM_WS: Port = Port { name: "evm-ws", number: 8546 };
/// Cosmos gRPC.
pub const GRPC: Port = Port { name: "grpc", number: 9090 };
/// Cosmos REST.
pub const REST: Port = Port { name: "rest", number: 1317 };
/// Peers.
pub const P2P: Port = Port { name: "p2p", number: 26656 };
/// Tendermint RPC.
pub const RPC: Port = Port { name: "rpc", number: 26657 };
/// Metrics of `seid`.
pub const METRICS: Port = Port { name: "metrics", number: 26660 };

/// What `seid` listens on, in every mode, in the order of the pod and its Service.
pub const SEID: [Port; 7] = [EVM_RPC, EVM_WS, GRPC, REST, P2P, RPC, METRICS];

/// The proxy: the only way to the sidecar from outside its pod.
pub const API: Port = Port { name: "api", number: 8443 };
/// The metrics exporter, scraped by pod address.
pub const EXPORTER: Port = Port { name: "cosmos-metrics", number: 9300 };

/// EVM JSON-RPC, as the Service of a fleet calls it.
pub const FLEET_EVM_HTTP: Port = Port { name: "evm-http", number: EVM_RPC.number };
/// What the Service of a fleet offers: the protocols without state.
pub const FLEET: [Port; 3] = [RPC, FLEET_EVM_HTTP, REST];

/// What the external Service of a fleet offers, in the order of the pod: everything but metrics,
/// and of validators nothing but the way for peers.
#[must_use]
pub fn external(mode: Mode) -> &'static [Port] {
    match mode {
        Mode::FullNode | Mode::Archive | Mode::Replayer => &[EVM_RPC, EVM_WS, GRPC, REST, P2P, RPC],
        Mode::Validator => &[P2P],
    }
}

/// The port of the sidecar on the pod's loopback.
#[must_use]
pub fn sidecar(spec: &SeiNodeSpec) -> Port {
    let asked = spec.sidecar.as_ref().and_then(|it| it.port).filter(|port| *port != 0);
    Port { name: "sidecar", number: asked.unwrap_or(DEFAULT_SIDECAR_PORT) }
}

/// The port of another container that a sidecar at `number` would collide with: all containers of
/// a pod share one network.
#[must_use]
pub fn taken(number: i32) -> Option<Port> {
    SEID.into_iter().chain([API, EXPORTER]).find(|port| port.number == number)
}
