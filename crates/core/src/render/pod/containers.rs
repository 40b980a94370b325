//! The five containers of a node's pod.

use sei_api::k8s;

use super::fields::{
    Cadence, env, health_probe, http_probe, listens, locked, mount, mount_read_only, quantities,
    tcp_probe, unprivileged,
};
use super::{DATA_VOLUME, HOME, PROXY_CONFIG_VOLUME, SCRATCH_VOLUME};
use crate::render::mode::Mode;
use crate::render::{Subject, access, ports, scripts, sidecar_image};

/// Where the proxy finds its access rules.
const PROXY_CONFIG_DIR: &str = "/etc/kube-rbac-proxy";
/// Paths that need no permission: probes and metrics must not depend on the API server.
const PROXY_OPEN_PATHS: &str = "/v0/healthz,/v0/startupz,/v0/livez,/v0/metrics";
/// A container that starts before the next and stays.
const NATIVE_SIDECAR: &str = "Always";

/// Prepares the home of `seid`, at each start of the pod.
pub(super) fn seid_init(subject: &Subject<'_>) -> k8s::Container {
    k8s::Container {
        name: "seid-init".to_owned(),
        image: Some(subject.spec.image.clone()),
        command: Some(words(["/bin/sh", "-c", scripts::SEID_INIT])),
        env: Some(vec![env("HOME", HOME), env("SEI_CHAIN_ID", &subject.spec.chain_id)]),
        volume_mounts: Some(vec![mount(DATA_VOLUME, HOME)]),
        security_context: Some(unprivileged()),
        ..k8s::Container::default()
    }
}

/// Runs the tasks that the operator submits. It listens on the loopback only.
pub(super) fn sidecar(subject: &Subject<'_>) -> k8s::Container {
    let asked = subject.spec.sidecar.as_ref();
    let image = sidecar_image(subject.spec).unwrap_or(&subject.platform.images.sidecar);
    let port = ports::sidecar(subject.spec);
    k8s::Container {
        name: "sei-sidecar".to_owned(),
        image: Some(image.to_owned()),
        command: Some(words(["seictl", "serve"])),
        restart_policy: Some(NATIVE_SIDECAR.to_owned()),
        env: Some(sidecar_env(subject)),
        ports: Some(vec![listens(port)]),
        volume_mounts: Some(vec![mount(DATA_VOLUME, HOME), mount(SCRATCH_VOLUME, "/tmp")]),
        resources: asked.and_then(|it| it.resources.clone()),
        security_context: Some(locked()),
        ..k8s::Container::default()
    }
}

/// Checks who calls the sidecar, and whether they may.
pub(super) fn rbac_proxy(subject: &Subject<'_>) -> k8s::Container {
    let upstream = ports::sidecar(subject.spec).number;
    let once_up = Cadence { initial_delay_s: Some(5), period_s: 5, failures: 60, timeout_s: None };
    let live = Cadence { initial_delay_s: Some(5), period_s: 10, failures: 3, timeout_s: None };
    let ready = Cadence { initial_delay_s: Some(2), period_s: 5, failures: 6, timeout_s: None };
    k8s::Container {
        name: "kube-rbac-proxy".to_owned(),
        image: Some(subject.platform.images.rbac_proxy.clone()),
        restart_policy: Some(NATIVE_SIDECAR.to_owned()),
        args: Some(vec![
            format!("--insecure-listen-address=0.0.0.0:{}", ports::API.number),
            format!("--upstream=http://127.0.0.1:{upstream}/"),
            format!("--config-file={PROXY_CONFIG_DIR}/{}", access::CONFIG_FILE),
            format!("--ignore-paths={PROXY_OPEN_PATHS}"),
            "--auth-header-fields-enabled=true".to_owned(),
            "--v=0".to_owned(),
        ]),
        ports: Some(vec![listens(ports::API)]),
        volume_mounts: Some(vec![mount_read_only(PROXY_CONFIG_VOLUME, PROXY_CONFIG_DIR)]),
        startup_probe: Some(tcp_probe(ports::API, once_up)),
        liveness_probe: Some(http_probe(ports::API, "/v0/livez", live)),
        readiness_probe: Some(health_probe(ready)),
        security_context: Some(locked()),
        ..k8s::Container::default()
    }
}

/// The node itself. It may take five days to start: a snapshot of years has to be restored first.
pub(super) fn seid(subject: &Subject<'_>) -> k8s::Container {
    let capacity = subject.mode.unwrap_or(Mode::FullNode).capacity(subject.platform);
    let five_days =
        Cadence { initial_delay_s: Some(5), period_s: 5, failures: 86_400, timeout_s: None };
    let keeps_up =
        Cadence { initial_delay_s: Some(30), period_s: 10, failures: 3, timeout_s: Some(5) };
    k8s::Container {
        name: "seid".to_owned(),
        image: Some(subject.spec.image.clone()),
        command: Some(words(["/bin/bash", "-c"])),
        args: Some(vec![scripts::seid(ports::sidecar(subject.spec))]),
        env: Some(vec![env("HOME", HOME), env("TMPDIR", &format!("{HOME}/tmp"))]),
        ports: Some(ports::SEID.map(listens).into()),
        volume_mounts: Some(vec![mount(DATA_VOLUME, HOME)]),
        resources: Some(k8s::ResourceRequirements {
            requests: quantities([("cpu", &capacity.cpu), ("memory", &capacity.memory)]),
            ..k8s::ResourceRequirements::default()
        }),
        startup_probe: Some(health_probe(five_days)),
        readiness_probe: Some(http_probe(ports::RPC, "/lag_status", keeps_up)),
        security_context: Some(unprivileged()),
        ..k8s::Container::default()
    }
}

/// Turns the node's gRPC answers into metrics.
pub(super) fn exporter(subject: &Subject<'_>) -> k8s::Container {
    let ready = Cadence { initial_delay_s: None, period_s: 10, failures: 6, timeout_s: None };
    let live = Cadence { initial_delay_s: Some(600), period_s: 10, failures: 3, timeout_s: None };
    k8s::Container {
        name: "cosmos-exporter".to_owned(),
        image: Some(subject.platform.images.exporter.clone()),
        command: Some(words(["/bin/bash", "-c"])),
        args: Some(words([scripts::EXPORTER])),
        ports: Some(vec![listens(ports::EXPORTER)]),
        resources: Some(k8s::ResourceRequirements {
            requests: quantities([("cpu", "50m"), ("memory", "64Mi")]),
            limits: quantities([("memory", "384Mi")]),
            ..k8s::ResourceRequirements::default()
        }),
        volume_mounts: Some(vec![mount(SCRATCH_VOLUME, "/tmp")]),
        readiness_probe: Some(tcp_probe(ports::EXPORTER, ready)),
        liveness_probe: Some(tcp_probe(ports::EXPORTER, live)),
        security_context: Some(locked()),
        ..k8s::Container::default()
    }
}

/// Every variable is required by the sidecar, which ends at once without one.
fn sidecar_env(subject: &Subject<'_>) -> Vec<k8s::EnvVar> {
    let platform = subject.platform;
    let mut all = vec![
        env("SEI_CHAIN_ID", &subject.spec.chain_id),
        env("SEI_SIDECAR_PORT", &ports::sidecar(subject.spec).number.to_string()),
        env("SEI_HOME", HOME),
        env("SEI_GENESIS_BUCKET", &platform.genesis.name),
        env("SEI_GENESIS_REGION", &platform.genesis.region),
        env("SEI_SNAPSHOT_BUCKET", &platform.snapshot.name),
        env("SEI_SNAPSHOT_REGION", &platform.snapshot.region),
        env("SEI_SIDECAR_AUTHN_MODE", "trusted-header"),
    ];
    // Tasks of a validator sign with its operator account; without a keyring of its own that is
    // the test keyring on its volume.
    if subject.mode == Some(Mode::Validator) {
        all.extend([env("SEI_KEYRING_BACKEND", "test"), env("SEI_KEYRING_DIR", HOME)]);
    }
    all
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).into()
}
