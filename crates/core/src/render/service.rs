//! Services: the headless one of a node, and how a port of any Service looks.

use sei_api::k8s;

use super::ports::{self, Port};
use super::{Subject, labels};

/// Tells proxies and gateways that gRPC is HTTP/2 without TLS.
const CLEARTEXT_HTTP2: &str = "kubernetes.io/h2c";

/// The headless Service of a node. It publishes the pod before it is ready, because the operator
/// and peers have to reach it earlier.
pub(super) fn headless(subject: &Subject<'_>) -> k8s::Service {
    let ports = ports::SEID.into_iter().chain([ports::API]).map(service_port).collect();
    k8s::Service {
        metadata: subject.metadata(subject.name.as_str()),
        spec: Some(k8s::ServiceSpec {
            cluster_ip: Some("None".to_owned()),
            selector: Some(labels::selector(subject)),
            publish_not_ready_addresses: Some(true),
            ports: Some(ports),
            ..k8s::ServiceSpec::default()
        }),
        status: None,
    }
}

/// `port` under its own number.
pub(super) fn service_port(port: Port) -> k8s::ServicePort {
    k8s::ServicePort {
        name: Some(port.name.to_owned()),
        port: port.number,
        target_port: Some(k8s::IntOrString::Int(port.number)),
        protocol: Some("TCP".to_owned()),
        app_protocol: (port == ports::GRPC).then(|| CLEARTEXT_HTTP2.to_owned()),
        ..k8s::ServicePort::default()
    }
}
