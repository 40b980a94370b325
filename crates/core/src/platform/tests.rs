//! Settings: the fixture is valid, and every fault is named, all at once, in one order.

use expect_test::expect;

use super::*;

fn without<'a>(names: &'a [&'a str]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| if names.contains(&name) { None } else { fixture::lookup(name) }
}

#[test]
fn fixture_is_a_valid_platform() {
    let platform = Platform::parse(&fixture::lookup).unwrap();
    assert_eq!(platform.nodepool, "sei-node");
    assert_eq!(platform.default.cpu, "4");
    assert_eq!(platform.archive.storage_size, "40Ti");
    assert_eq!(platform.gateway.public_domain, None);
}

#[test]
fn nothing_set_names_every_required_setting_in_order() {
    let faults = Platform::parse(&|_| None).unwrap_err();
    let listed = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    expect![[r"
        SEI_NODEPOOL_NAME is required
        SEI_NODEPOOL_ARCHIVE is required
        SEI_TOLERATION_KEY is required
        SEI_SERVICE_ACCOUNT is required
        SEI_STORAGE_CLASS_PERF is required
        SEI_STORAGE_CLASS_ARCHIVE is required
        SEI_STORAGE_SIZE_DEFAULT is required
        SEI_STORAGE_SIZE_ARCHIVE is required
        SEI_RESOURCE_CPU_ARCHIVE is required
        SEI_RESOURCE_MEM_ARCHIVE is required
        SEI_RESOURCE_CPU_DEFAULT is required
        SEI_RESOURCE_MEM_DEFAULT is required
        SEI_SNAPSHOT_BUCKET is required
        SEI_SNAPSHOT_REGION is required
        SEI_GENESIS_BUCKET is required
        SEI_GENESIS_REGION is required
        SEI_GATEWAY_NAME is required
        SEI_GATEWAY_NAMESPACE is required
        SEI_GATEWAY_DOMAIN is required
        SEI_SIDECAR_IMAGE is required
        SEI_KUBE_RBAC_PROXY_IMAGE is required
        SEI_COSMOS_EXPORTER_IMAGE is required"]]
    .assert_eq(&listed);
}

#[test]
fn unused_settings_may_be_missing() {
    let unused = [
        "SEI_STORAGE_CLASS_DEFAULT",
        "SEI_RESULT_EXPORT_BUCKET",
        "SEI_RESULT_EXPORT_REGION",
        "SEI_RESULT_EXPORT_PREFIX",
        "SEI_GATEWAY_PUBLIC_DOMAIN",
    ];
    assert_eq!(Platform::parse(&without(&unused)), Platform::parse(&fixture::lookup));
}

#[test]
fn wrong_quantities_and_missing_images_are_named_together() {
    let faults = Platform::parse(&|name| match name {
        "SEI_STORAGE_SIZE_DEFAULT" => Some("2000 Gi".to_owned()),
        "SEI_RESOURCE_CPU_DEFAULT" => Some("0".to_owned()),
        "SEI_COSMOS_EXPORTER_IMAGE" => Some("  ".to_owned()),
        _ => fixture::lookup(name),
    })
    .unwrap_err();
    expect![[
        r#"SEI_STORAGE_SIZE_DEFAULT must be a quantity greater than zero, such as 2000Gi: "2000 Gi"; SEI_RESOURCE_CPU_DEFAULT must be a quantity greater than zero, such as 4: "0"; SEI_COSMOS_EXPORTER_IMAGE is required"#
    ]]
    .assert_eq(&faults.to_string());
}

#[test]
fn blanks_around_a_value_are_no_part_of_it() {
    let platform = Platform::parse(&|name| fixture::lookup(name).map(|it| format!(" {it}\n")));
    assert_eq!(platform, Platform::parse(&fixture::lookup));
}
