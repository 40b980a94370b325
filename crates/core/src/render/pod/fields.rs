//! The repeated fields of containers: environment, ports, mounts, probes, privileges.

use std::collections::BTreeMap;

use sei_api::k8s;

use super::NON_ROOT;
use crate::render::ports::{self, Port};

/// An environment variable with a literal value.
pub(super) fn env(name: &str, value: &str) -> k8s::EnvVar {
    k8s::EnvVar { name: name.to_owned(), value: Some(value.to_owned()), value_from: None }
}

/// A port that the container listens on.
pub(super) fn listens(port: Port) -> k8s::ContainerPort {
    k8s::ContainerPort {
        name: Some(port.name.to_owned()),
        container_port: port.number,
        protocol: Some("TCP".to_owned()),
        ..k8s::ContainerPort::default()
    }
}

/// A volume that the container may write.
pub(super) fn mount(volume: &str, path: &str) -> k8s::VolumeMount {
    k8s::VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        ..k8s::VolumeMount::default()
    }
}

/// A volume that the container may only read.
pub(super) fn mount_read_only(volume: &str, path: &str) -> k8s::VolumeMount {
    k8s::VolumeMount { read_only: Some(true), ..mount(volume, path) }
}

/// Compute resources from pairs of name and quantity.
pub(super) fn quantities<const N: usize>(
    pairs: [(&str, &str); N],
) -> Option<BTreeMap<String, k8s::Quantity>> {
    Some(pairs.map(|(name, value)| (name.to_owned(), k8s::Quantity(value.to_owned()))).into())
}

/// How often a probe asks and how patient it is; `None` leaves the server's default.
#[derive(Clone, Copy, Default)]
pub(super) struct Cadence {
    /// Seconds before the first attempt.
    pub(super) initial_delay_s: Option<i32>,
    /// Seconds between attempts.
    pub(super) period_s: i32,
    /// Failures in a row that count.
    pub(super) failures: i32,
    /// Seconds that an attempt may take.
    pub(super) timeout_s: Option<i32>,
}

/// Does something listen?
pub(super) fn tcp_probe(port: Port, cadence: Cadence) -> k8s::Probe {
    let action = k8s::TCPSocketAction { port: k8s::IntOrString::Int(port.number), host: None };
    k8s::Probe { tcp_socket: Some(action), ..probe(cadence) }
}

/// Does `path` answer with success?
pub(super) fn http_probe(port: Port, path: &str, cadence: Cadence) -> k8s::Probe {
    let action = k8s::HTTPGetAction {
        path: Some(path.to_owned()),
        port: k8s::IntOrString::Int(port.number),
        ..k8s::HTTPGetAction::default()
    };
    k8s::Probe { http_get: Some(action), ..probe(cadence) }
}

/// Does the sidecar, through the proxy, say that the node may run?
pub(super) fn health_probe(cadence: Cadence) -> k8s::Probe {
    http_probe(ports::API, "/v0/healthz", cadence)
}

fn probe(cadence: Cadence) -> k8s::Probe {
    k8s::Probe {
        initial_delay_seconds: cadence.initial_delay_s,
        period_seconds: Some(cadence.period_s),
        failure_threshold: Some(cadence.failures),
        timeout_seconds: cadence.timeout_s,
        ..k8s::Probe::default()
    }
}

/// Privileges of `seid`: none, but it may write to its root file system.
pub(super) fn unprivileged() -> k8s::SecurityContext {
    k8s::SecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(NON_ROOT),
        run_as_group: Some(NON_ROOT),
        allow_privilege_escalation: Some(false),
        capabilities: Some(k8s::Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
        seccomp_profile: Some(k8s::SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            localhost_profile: None,
        }),
        ..k8s::SecurityContext::default()
    }
}

/// Privileges of everything else: none at all.
pub(super) fn locked() -> k8s::SecurityContext {
    k8s::SecurityContext { read_only_root_filesystem: Some(true), ..unprivileged() }
}
