//! Which directory wins, and what is said when it is incomplete.

use super::*;

#[test]
fn given_assets_must_hold_the_whole_set() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["etcd", "kube-apiserver"] {
        fs::write(directory.path().join(name), "").unwrap();
    }
    let assets = directory.path().to_path_buf();
    assert_eq!(complete_assets(assets.clone(), Set::Envtest).unwrap(), assets);
    let refusal = complete_assets(assets, Set::Cluster).unwrap_err().to_string();
    assert!(
        refusal.contains("lacks kube-controller-manager, kube-scheduler, kubectl, kwok"),
        "{refusal}"
    );
}

#[test]
fn second_holder_of_the_lock_waits_for_the_first() {
    let directory = tempfile::tempdir().unwrap();
    let first = lock(directory.path()).unwrap();
    let path = directory.path().to_path_buf();
    let second = std::thread::spawn(move || lock(&path).map(drop));
    // Held by another open file: the system refuses, whoever asks.
    let probe = File::create(directory.path().join(".lock")).unwrap();
    assert!(matches!(probe.try_lock(), Err(TryLockError::WouldBlock)));
    drop(first);
    second.join().unwrap().unwrap();
}
