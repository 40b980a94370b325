//! The environment: every variable that is read, and what is read from it.

use sei_core::platform::Platform;
use sei_sidecar_client::UrlTemplate;

use super::fault::SettingFault;
use super::{PodIdentity, Scope};

/// One variable, for the reference document.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Whether the process starts without it.
    pub need: Need,
    /// A value that works on a cloud cluster; empty where none is better than another.
    pub example: &'static str,
    /// What it is for.
    pub help: &'static str,
}

/// Whether the process starts without a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It does not.
    Required,
    /// It does.
    Optional,
    /// It does, and nothing reads the variable: manifests of older builds set it.
    Unread,
}

impl Need {
    /// The word of the reference document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
            Self::Unread => "not read",
        }
    }
}

/// Every variable, in the order of the reference document.
pub const VARIABLES: [Variable; 33] = [
    required("SEI_NODEPOOL_NAME", "sei-node", "Node pool of every mode but archive"),
    required("SEI_NODEPOOL_ARCHIVE", "sei-archive", "Node pool of archive nodes"),
    required("SEI_TOLERATION_KEY", "sei.io/workload", "Key of the taint on both pools"),
    required("SEI_SERVICE_ACCOUNT", "seid-node", "ServiceAccount of node pods"),
    required("SEI_STORAGE_CLASS_PERF", "gp3-10k-750", "StorageClass of data volumes"),
    required("SEI_STORAGE_CLASS_ARCHIVE", "gp3-archive", "The same, archive nodes"),
    required("SEI_STORAGE_SIZE_DEFAULT", "2000Gi", "Size of data volumes"),
    required("SEI_STORAGE_SIZE_ARCHIVE", "40Ti", "The same, archive nodes"),
    required("SEI_RESOURCE_CPU_ARCHIVE", "48", "CPU request of seid, archive nodes"),
    required("SEI_RESOURCE_MEM_ARCHIVE", "448Gi", "Memory request of seid, archive nodes"),
    required("SEI_RESOURCE_CPU_DEFAULT", "4", "CPU request of seid"),
    required("SEI_RESOURCE_MEM_DEFAULT", "32Gi", "Memory request of seid"),
    required("SEI_SNAPSHOT_BUCKET", "dev-sei-snapshots", "Bucket of snapshots"),
    required("SEI_SNAPSHOT_REGION", "us-east-2", "Its region"),
    required("SEI_GENESIS_BUCKET", "dev-sei-k8s-genesis-artifacts", "Bucket of genesis artifacts"),
    required("SEI_GENESIS_REGION", "us-east-2", "Its region"),
    required("SEI_GATEWAY_NAME", "sei-gateway", "Gateway of public routes"),
    required("SEI_GATEWAY_NAMESPACE", "gateway", "Its namespace"),
    required("SEI_GATEWAY_DOMAIN", "prod.platform.sei.io", "Domain of public routes"),
    optional("SEI_GATEWAY_PUBLIC_DOMAIN", "", "Second domain of public routes"),
    required("SEI_SIDECAR_IMAGE", "", "Image of the sidecar where a node names none"),
    required(
        "SEI_KUBE_RBAC_PROXY_IMAGE",
        "quay.io/brancz/kube-rbac-proxy:v0.19.1",
        "Image of the proxy in front of the sidecar",
    ),
    required("SEI_COSMOS_EXPORTER_IMAGE", "", "Image of the metrics exporter beside seid"),
    optional(
        SIDECAR_URL,
        "http://127.0.0.1:7777/{namespace}/{node}",
        "Base URL of a node's sidecar, with `{namespace}` and `{node}` for its names; needed where \
         the cluster's names do not resolve. Without it the name within the cluster",
    ),
    optional(WATCH_NAMESPACE, "", "The one namespace to watch; empty: all of the cluster"),
    optional(
        POD_NAME,
        "",
        "Name of the operator's pod: stands in the lease and in Kubernetes Events",
    ),
    optional(POD_NAMESPACE, "", "Namespace of the lease; without it the client's own namespace"),
    optional(SERVICE_HOST, "", "Set by the kubelet: tells that the process runs in a pod"),
    unread("SEI_STORAGE_CLASS_DEFAULT", "StorageClass that no mode uses"),
    unread("SEI_RESULT_EXPORT_BUCKET", "Results of shadow replayers"),
    unread("SEI_RESULT_EXPORT_REGION", "The same"),
    unread("SEI_RESULT_EXPORT_PREFIX", "The same"),
    unread(OTLP_ENDPOINT, "OTLP export is not built; a warning at start says so"),
];

const SIDECAR_URL: &str = "SEI_SIDECAR_URL_TEMPLATE";
const WATCH_NAMESPACE: &str = "SEI_WATCH_NAMESPACE";
const POD_NAME: &str = "POD_NAME";
const POD_NAMESPACE: &str = "POD_NAMESPACE";
const SERVICE_HOST: &str = "KUBERNETES_SERVICE_HOST";
const OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Variables that ask for something this build does not do.
const UNSERVED: [&str; 3] =
    [OTLP_ENDPOINT, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

const fn required(name: &'static str, example: &'static str, help: &'static str) -> Variable {
    Variable { name, need: Need::Required, example, help }
}

const fn optional(name: &'static str, example: &'static str, help: &'static str) -> Variable {
    Variable { name, need: Need::Optional, example, help }
}

const fn unread(name: &'static str, help: &'static str) -> Variable {
    Variable { name, need: Need::Unread, example: "", help }
}

/// What the environment says once it is understood.
#[derive(Debug)]
pub(super) struct Environment {
    pub platform: Platform,
    pub sidecar_url: UrlTemplate,
    pub scope: Scope,
    pub pod: PodIdentity,
    pub unserved: Vec<&'static str>,
}

impl Environment {
    /// Understands the variables. `None` only with at least one fault.
    pub(super) fn read(
        lookup: &dyn Fn(&str) -> Option<String>,
        faults: &mut Vec<SettingFault>,
    ) -> Option<Self> {
        let platform = match Platform::parse(lookup) {
            Ok(platform) => Some(platform),
            Err(wrong) => {
                faults.extend(wrong.iter().cloned().map(SettingFault::from));
                None
            }
        };
        let sidecar_url = match text(lookup, SIDECAR_URL).map(|url| UrlTemplate::parse(&url)) {
            None => UrlTemplate::default(),
            Some(Ok(template)) => template,
            Some(Err(wrong)) => {
                faults.push(SettingFault::SidecarUrl(wrong.faults.join("; ")));
                UrlTemplate::default()
            }
        };
        let scope = match text(lookup, WATCH_NAMESPACE) {
            None => Scope::Cluster,
            Some(name) => {
                if !is_namespace(&name) {
                    faults.push(SettingFault::NotANamespace(name.clone()));
                }
                Scope::Namespace(name)
            }
        };
        let name = text(lookup, POD_NAME);
        let pod = PodIdentity { name, namespace: text(lookup, POD_NAMESPACE) };
        let unserved = UNSERVED.into_iter().filter(|name| text(lookup, name).is_some()).collect();
        Some(Self { platform: platform?, sidecar_url, scope, pod, unserved })
    }
}

/// Whether the process runs in a pod.
pub(super) fn in_pod(lookup: &dyn Fn(&str) -> Option<String>) -> bool {
    text(lookup, SERVICE_HOST).is_some()
}

fn text(lookup: &dyn Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// A DNS label, as the API server wants it.
fn is_namespace(name: &str) -> bool {
    const LABEL_BYTES_MAX: usize = 63;
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    name.len() <= LABEL_BYTES_MAX
        && name.bytes().all(plain)
        && !name.starts_with('-')
        && !name.ends_with('-')
}
