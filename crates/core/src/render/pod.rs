//! The pod of a node: where it runs, what it mounts, and its containers in their order.

use sei_api::k8s;

use super::mode::Mode;
use super::{Subject, claim};

mod containers;
mod fields;

/// Home of `seid` and of the sidecar: the data volume.
const HOME: &str = "/.sei";
/// User, group and volume group of every container.
const NON_ROOT: i64 = 65532;
/// Label of the cluster's machines that names their node pool.
const NODEPOOL_LABEL: &str = "karpenter.sh/nodepool";

/// Volume of the chain's data.
const DATA_VOLUME: &str = "data";
/// Scratch space shared by sidecar and exporter.
const SCRATCH_VOLUME: &str = "sidecar-tmp";
/// Access rules of the proxy.
const PROXY_CONFIG_VOLUME: &str = "rbac-proxy-config";

/// The pod of a node. Containers start from top to bottom: `seid-init` runs to its end, sidecar
/// and proxy start and stay, then `seid` and the exporter.
pub(super) fn spec(subject: &Subject<'_>) -> k8s::PodSpec {
    let nodepool = subject.mode.unwrap_or(Mode::FullNode).nodepool(subject.platform);
    k8s::PodSpec {
        service_account_name: Some(subject.platform.service_account.clone()),
        automount_service_account_token: Some(true),
        share_process_namespace: Some(true),
        security_context: Some(k8s::PodSecurityContext {
            fs_group: Some(NON_ROOT),
            fs_group_change_policy: Some("OnRootMismatch".to_owned()),
            ..k8s::PodSecurityContext::default()
        }),
        tolerations: Some(vec![k8s::Toleration {
            key: Some(subject.platform.toleration_key.clone()),
            value: Some(nodepool.to_owned()),
            effect: Some("NoSchedule".to_owned()),
            ..k8s::Toleration::default()
        }]),
        affinity: Some(only_in(nodepool)),
        volumes: Some(volumes(subject)),
        init_containers: Some(vec![
            containers::seid_init(subject),
            containers::sidecar(subject),
            containers::rbac_proxy(subject),
        ]),
        containers: vec![containers::seid(subject), containers::exporter(subject)],
        ..k8s::PodSpec::default()
    }
}

fn only_in(nodepool: &str) -> k8s::Affinity {
    let pool = k8s::NodeSelectorRequirement {
        key: NODEPOOL_LABEL.to_owned(),
        operator: "In".to_owned(),
        values: Some(vec![nodepool.to_owned()]),
    };
    let term = k8s::NodeSelectorTerm { match_expressions: Some(vec![pool]), match_fields: None };
    k8s::Affinity {
        node_affinity: Some(k8s::NodeAffinity {
            required_during_scheduling_ignored_during_execution: Some(k8s::NodeSelector {
                node_selector_terms: vec![term],
            }),
            ..k8s::NodeAffinity::default()
        }),
        ..k8s::Affinity::default()
    }
}

fn volumes(subject: &Subject<'_>) -> Vec<k8s::Volume> {
    let data = k8s::Volume {
        name: DATA_VOLUME.to_owned(),
        persistent_volume_claim: Some(k8s::PersistentVolumeClaimVolumeSource {
            claim_name: claim::claim_name(subject),
            read_only: None,
        }),
        ..k8s::Volume::default()
    };
    let scratch = k8s::Volume {
        name: SCRATCH_VOLUME.to_owned(),
        empty_dir: Some(k8s::EmptyDirVolumeSource::default()),
        ..k8s::Volume::default()
    };
    let proxy_config = k8s::Volume {
        name: PROXY_CONFIG_VOLUME.to_owned(),
        config_map: Some(k8s::ConfigMapVolumeSource {
            name: subject.name.proxy_config().into(),
            ..k8s::ConfigMapVolumeSource::default()
        }),
        ..k8s::Volume::default()
    };
    vec![data, scratch, proxy_config]
}
