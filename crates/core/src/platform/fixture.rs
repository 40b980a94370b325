//! The platform settings that every test uses, as environment pairs.

/// One value for each setting, required or not.
pub const FIXTURE: &[(&str, &str)] = &[
    ("SEI_NODEPOOL_NAME", "sei-node"),
    ("SEI_NODEPOOL_ARCHIVE", "sei-archive"),
    ("SEI_TOLERATION_KEY", "sei.io/workload"),
    ("SEI_SERVICE_ACCOUNT", "seid-node"),
    ("SEI_STORAGE_CLASS_PERF", "gp3-10k-750"),
    ("SEI_STORAGE_CLASS_DEFAULT", "gp3"),
    ("SEI_STORAGE_CLASS_ARCHIVE", "gp3-archive"),
    ("SEI_STORAGE_SIZE_DEFAULT", "2000Gi"),
    ("SEI_STORAGE_SIZE_ARCHIVE", "40Ti"),
    ("SEI_RESOURCE_CPU_ARCHIVE", "48"),
    ("SEI_RESOURCE_MEM_ARCHIVE", "448Gi"),
    ("SEI_RESOURCE_CPU_DEFAULT", "4"),
    ("SEI_RESOURCE_MEM_DEFAULT", "32Gi"),
    ("SEI_SNAPSHOT_BUCKET", "test-sei-snapshots"),
    ("SEI_SNAPSHOT_REGION", "us-east-2"),
    ("SEI_RESULT_EXPORT_BUCKET", "test-sei-shadow-results"),
    ("SEI_RESULT_EXPORT_REGION", "us-east-2"),
    ("SEI_RESULT_EXPORT_PREFIX", "shadow-results/"),
    ("SEI_GENESIS_BUCKET", "test-sei-k8s-genesis-artifacts"),
    ("SEI_GENESIS_REGION", "us-east-2"),
    ("SEI_GATEWAY_NAME", "sei-gateway"),
    ("SEI_GATEWAY_NAMESPACE", "istio-system"),
    ("SEI_GATEWAY_DOMAIN", "test.platform.sei.io"),
    ("SEI_GATEWAY_PUBLIC_DOMAIN", ""),
    (
        "SEI_SIDECAR_IMAGE",
        "ghcr.io/sei-protocol/seictl\
         @sha256:a2af4e1b8ed4c12661a3c98cce050bae3f292cc7560abc2ba98fd7dfc80d9be5",
    ),
    ("SEI_KUBE_RBAC_PROXY_IMAGE", "quay.io/brancz/kube-rbac-proxy:v0.19.1"),
    (
        "SEI_COSMOS_EXPORTER_IMAGE",
        "ghcr.io/sei-protocol/sei-cosmos-exporter\
         @sha256:0000000000000000000000000000000000000000000000000000000000000000",
    ),
];

/// The value of `name` in [`FIXTURE`]; the shape that `Platform::parse` wants.
#[must_use]
pub fn lookup(name: &str) -> Option<String> {
    FIXTURE.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
}
