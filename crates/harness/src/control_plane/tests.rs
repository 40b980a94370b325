//! How a start fails, played by shell scripts in the place of the servers.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::{ControlPlane, ControlPlaneOptions};
use crate::assets::Assets;

/// Starts a control plane whose etcd is this script and whose API server waits for it, and returns
/// why it failed.
async fn failure_of(script: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let program = |name: &str, script: &str| {
        let path = dir.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let options = ControlPlaneOptions {
        assets: Assets {
            kube_apiserver: program("kube-apiserver", "exec sleep 1000"),
            etcd: program("etcd", script),
        },
        crd_dirs: Vec::new(),
        api_server_flags: BTreeMap::new(),
        start_timeout: Duration::from_millis(300),
        stop_timeout: Duration::from_secs(1),
        attach_output: false,
    };
    ControlPlane::start(options).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_server_that_ends_is_quoted() {
    let message = failure_of("echo 'unknown flag: --data-dir' >&2; exit 2").await;
    assert!(message.starts_with("etcd ended at start (exit status: 2):"), "{message}");
    assert!(message.contains("unknown flag: --data-dir"), "{message}");
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    let message = failure_of("echo 'waiting for peers'; sleep 1000").await;
    assert!(message.starts_with("etcd is not healthy after 300ms:"), "{message}");
    assert!(message.contains("waiting for peers"), "{message}");
}

#[tokio::test]
async fn a_taken_port_is_tried_again_five_times() {
    let dir = tempfile::tempdir().unwrap();
    let count = dir.path().join("count");
    let script =
        format!("echo x >>{}; echo 'listen: address already in use'; exit 1", count.display());
    let message = failure_of(&script).await;
    assert_eq!(message, "ports were taken by others in 5 attempts");
    assert_eq!(lines(&count), 5);
}

fn lines(file: &Path) -> usize {
    fs::read_to_string(file).unwrap().lines().count()
}
