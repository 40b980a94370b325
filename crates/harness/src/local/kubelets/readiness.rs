//! What probes make of a pod's status when its sidecar's gate opens or closes; pure.
//!
//! `seid`'s startup probe asks the sidecar's gate: once started it stays so. The proxy's readiness
//! probe asks the same gate again and again.

use sei_api::k8s::Pod;
use serde_json::{Value, json};

/// The container whose start waits for the gate.
const GATED: &str = "seid";
/// The container whose readiness is the gate's.
const PROXY: &str = "kube-rbac-proxy";

/// The parts of the status that must change, or nothing. Times of conditions move with their
/// status only.
pub(super) fn changed(pod: &Pod, gate_open: bool) -> Option<Value> {
    let status = serde_json::to_value(pod.status.as_ref()?).ok()?;
    if status["phase"] != "Running" || pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let mut after = status.clone();
    for list in ["containerStatuses", "initContainerStatuses"] {
        for container in after[list].as_array_mut().into_iter().flatten() {
            probe(container, gate_open);
        }
    }
    let all_ready = ["containerStatuses", "initContainerStatuses"]
        .iter()
        .flat_map(|list| after[*list].as_array().into_iter().flatten())
        .all(|container| container["ready"] == true);
    for condition in after["conditions"].as_array_mut().into_iter().flatten() {
        set(condition, all_ready);
    }
    (after != status).then(|| {
        let fields = ["conditions", "containerStatuses", "initContainerStatuses"];
        fields.into_iter().map(|field| (field.to_owned(), after[field].take())).collect()
    })
}

/// Only what runs is probed.
fn probe(container: &mut Value, gate_open: bool) {
    if container["state"].get("running").is_none() {
        return;
    }
    if container["name"] == GATED {
        let started = gate_open || container["started"] == true;
        container["started"] = json!(started);
        container["ready"] = json!(started);
    } else if container["name"] == PROXY {
        container["ready"] = json!(gate_open);
    }
}

fn set(condition: &mut Value, ready: bool) {
    let wanted = if ready { "True" } else { "False" };
    let follows = condition["type"] == "Ready" || condition["type"] == "ContainersReady";
    if !follows || condition["status"] == wanted {
        return;
    }
    condition["status"] = json!(wanted);
    condition["lastTransitionTime"] = json!(jiff::Timestamp::now());
    condition["reason"] = if ready { Value::Null } else { json!("ContainersNotReady") };
}

#[cfg(test)]
mod tests {
    //! Started stays, ready follows, and nothing is written twice.

    use super::*;

    fn pod(started: bool, proxy_ready: bool, ready: &str) -> Pod {
        let pod = json!({
            "metadata": {"name": "a-0"},
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": ready}],
                "containerStatuses": [
                    {"name": "seid", "started": started, "ready": started, "image": "",
                     "imageID": "", "restartCount": 0, "state": {"running": {}}},
                ],
                "initContainerStatuses": [
                    {"name": "kube-rbac-proxy", "started": true, "ready": proxy_ready, "image": "",
                     "imageID": "", "restartCount": 0, "state": {"running": {}}},
                ],
            },
        });
        serde_json::from_value(pod).unwrap()
    }

    /// Started, ready, pod ready after a probe; nothing when nothing changes.
    fn after(pod: &Pod, gate_open: bool) -> Option<(bool, bool, String)> {
        let status = changed(pod, gate_open)?;
        let seid = &status["containerStatuses"][0];
        let proxy = &status["initContainerStatuses"][0];
        let ready = status["conditions"][0]["status"].as_str().unwrap().to_owned();
        Some((seid["started"] == true, proxy["ready"] == true, ready))
    }

    #[test]
    fn open_gate_starts_seid_and_makes_the_pod_ready() {
        let opened = after(&pod(false, false, "False"), true);
        assert_eq!(opened, Some((true, true, "True".to_owned())));
    }

    #[test]
    fn closed_gate_takes_readiness_but_not_the_start() {
        let closed = after(&pod(true, true, "True"), false);
        assert_eq!(closed, Some((true, false, "False".to_owned())));
    }

    #[test]
    fn nothing_changes_without_a_change() {
        assert_eq!(after(&pod(false, false, "False"), false), None);
        assert_eq!(after(&pod(true, true, "True"), true), None);
    }

    #[test]
    fn crashed_seid_does_not_become_ready_with_its_sidecar() {
        let mut crashed = pod(false, true, "False");
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let status = crashed.status.as_mut().unwrap();
        status.container_statuses.as_mut().unwrap()[0].state =
            serde_json::from_value(waiting).unwrap();
        assert_eq!(after(&crashed, true), None);
    }

    #[test]
    fn pod_on_its_way_out_is_left_alone() {
        let mut leaving = pod(false, false, "False");
        leaving.metadata.deletion_timestamp =
            serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
        assert_eq!(after(&leaving, true), None);
    }
}
