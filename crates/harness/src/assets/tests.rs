//! What the search says in each environment.

use std::fs;
use std::path::PathBuf;

use super::locate_with;

fn failure(variables: &[(&str, PathBuf)]) -> String {
    let lookup =
        |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, path)| path.clone());
    match locate_with(lookup) {
        Ok(assets) => panic!("found {assets:?}"),
        Err(err) => err.to_string(),
    }
}

#[test]
fn an_empty_environment_names_the_variable_and_the_target() {
    let message = failure(&[]);
    assert!(message.contains("KUBEBUILDER_ASSETS is not set"), "{message}");
    assert!(message.contains("make setup-envtest"), "{message}");
}

#[test]
fn every_missing_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let message = failure(&[("KUBEBUILDER_ASSETS", dir.path().to_path_buf())]);
    assert!(message.contains("/etcd\""), "{message}");
    assert!(message.contains("/kube-apiserver\""), "{message}");
}

#[test]
fn a_single_binary_wins_over_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["etcd", "kube-apiserver", "other-etcd"] {
        fs::write(dir.path().join(name), "").unwrap();
    }
    let other = dir.path().join("other-etcd");
    let lookup = |name: &str| match name {
        "KUBEBUILDER_ASSETS" => Some(dir.path().to_path_buf()),
        "TEST_ASSET_ETCD" => Some(other.clone()),
        _ => None,
    };
    let assets = locate_with(lookup).unwrap();
    assert_eq!(assets.etcd, other);
    assert_eq!(assets.kube_apiserver, dir.path().join("kube-apiserver"));
}
