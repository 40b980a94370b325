//! What a scrape tells of objects in each of their states, and when it no longer does.

use sei_api::{SeiNode, SeiNodeDeployment};
use sei_sidecar_sim::Sidecars as Simulated;
use serde_json::{Value, json};

use super::*;
use crate::metrics::Metrics;

#[test]
fn a_fleet_at_rest_shows_no_rollout_and_no_trouble() {
    let sample = fleet(json!({
        "phase": "Ready", "readyReplicas": 2, "updatedReplicas": 2,
        "templateHash": "9c13d843e3cbbdb0",
        "conditions": [
            said("Ready", "True", "Ready", ""),
            said("Stalled", "False", "Settled", ""),
            said("RouteReady", "False", "NotApplicable", ""),
        ],
    }));
    assert_eq!(sample.rollout, None);
    assert_eq!((sample.route_ready, sample.route_accepted), (None, None));
    assert_eq!((sample.object.stalled, sample.object.not_ready), (None, None));
    assert_eq!((sample.replicas_ready, sample.replicas_updated), (2, 2));
}

#[test]
fn a_rollout_shows_where_it_goes_and_since_when() {
    let rollout = |more: Value| fleet(more).rollout.unwrap();
    let record = json!({"targetHash": "1516ee7d38b0ed74", "startedAt": "2026-01-01T00:00:00Z"});
    let first = rollout(json!({ "rollout": record }));
    assert_eq!(first.target_hash, "1516ee7d38b0ed74");
    assert_eq!(first.current_hash, "none");
    assert_eq!((first.started_at, first.progressed_at), (1_767_225_600, 1_767_225_600));
    assert!(!first.held);

    let record = json!({
        "targetHash": "of a later version", "startedAt": "2026-01-01T00:00:00Z",
        "lastProgressAt": "2026-01-01T00:01:00Z",
    });
    let held = "rolling; 1 of 2, held at partition 1";
    let later = rollout(json!({
        "rollout": record, "templateHash": "9c13d843e3cbbdb0",
        "conditions": [said("RolloutInProgress", "True", "TemplateChanged", held)],
    }));
    assert_eq!((later.target_hash.as_str(), later.progressed_at), ("other", 1_767_225_660));
    assert_eq!(later.current_hash, "9c13d843e3cbbdb0");
    assert!(later.held);
}

#[test]
fn trouble_is_told_by_a_reason_of_the_closed_set() {
    let troubled = |reason: &str| {
        fleet(json!({"conditions": [
            said("Ready", "False", reason, ""),
            said("Stalled", "True", reason, ""),
            said("RouteReady", "False", reason, ""),
            said("RouteAccepted", "Unknown", reason, ""),
        ]}))
    };
    for (reason, shown) in [("ImagePullFailed", "ImagePullFailed"), ("Eclipse", "other")] {
        let sample = troubled(reason);
        assert_eq!(sample.object.stalled, Some(shown));
        assert_eq!(sample.object.not_ready, Some(shown));
        let route = Some(RouteSample { holds: false, reason: shown });
        assert_eq!((sample.route_ready, sample.route_accepted), (route, route));
    }
}

#[test]
fn a_deleted_object_leaves_no_series() {
    let metrics = Arc::new(Metrics::new("test"));
    let sidecars = Sidecars::new(Arc::new(Simulated::new()), Arc::clone(&metrics));
    let stores = Arc::new(Stores::new());
    metrics.show(Arc::new(Shown { stores: Arc::clone(&stores), sidecars: Arc::new(sidecars) }));
    let scrape = || metrics.scrape(None).unwrap().body;
    let status = json!({
        "phase": "Upgrading",
        "rollout": {"targetHash": "1516ee7d38b0ed74", "startedAt": "2026-01-01T00:00:00Z"},
        "plan": {"phase": "Failed", "tasks": []},
        "conditions": [
            said("Stalled", "True", "CrashLoop", ""), said("Ready", "False", "CrashLoop", ""),
            said("RouteReady", "True", "HTTPRouteReady", ""),
        ],
    });
    let fleet: SeiNodeDeployment = object("SeiNodeDeployment", &status);
    let node: SeiNode = object("SeiNode", &status);
    stores.fleets.apply(fleet.clone());
    stores.nodes.apply(node.clone());
    let series = |body: &str| body.lines().filter(|it| it.contains("\"gone\"")).count();
    assert!(series(&scrape()) > 20, "{}", scrape());
    stores.fleets.delete(fleet);
    stores.nodes.delete(node);
    assert_eq!(series(&scrape()), 0, "{}", scrape());
}

fn fleet(status: Value) -> FleetSample {
    fleet_sample(&object("SeiNodeDeployment", &status))
}

fn object<K: serde::de::DeserializeOwned>(kind: &str, status: &Value) -> K {
    let node = json!({"chainId": "pacific-1", "image": "seid:v1", "fullNode": {}});
    let spec = if kind == "SeiNode" { node } else { json!({"template": {"spec": node}}) };
    serde_json::from_value(json!({
        "apiVersion": "sei.io/v1alpha1", "kind": kind, "spec": spec, "status": status,
        "metadata": {"name": "gone", "namespace": "chain", "uid": "1", "resourceVersion": "7"},
    }))
    .unwrap()
}

fn said(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    })
}
