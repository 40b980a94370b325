//! What the types read and write, compared with what a Go client of the same API does.

use sei_api::k8s::{ObjectMeta, Time};
use sei_api::{
    DeploymentPhase, FullNode, GroupNode, NodePhase, PlanPhase, PlannedTask, SeiNode,
    SeiNodeDeployment, SeiNodeDeploymentSpec, SeiNodeDeploymentStatus, SeiNodeSpec, SeiNodeStatus,
    SeiNodeTask, SeiNodeTemplate, TaskPlan, TaskStatus,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What a type writes after it has read `value`; the error when it cannot be read.
fn reread<T: DeserializeOwned + Serialize>(value: Value) -> Value {
    serde_json::from_value::<T>(value).map_or_else(|err| json!(err.to_string()), |read| json!(read))
}

fn node(spec: Value) -> Value {
    json!({"apiVersion": "sei.io/v1alpha1", "kind": "SeiNode", "metadata": {}, "spec": spec})
}

#[test]
fn every_field_of_a_spec_survives_a_round_trip() {
    for (file, text) in [
        ("every mode", include_str!("wire/nodes.yaml")),
        ("fleet", include_str!("wire/deployments.yaml")),
        ("tasks", include_str!("wire/tasks.yaml")),
    ] {
        for object in serde_saphyr::from_multiple::<Value>(text).unwrap() {
            let again = match object["kind"].as_str().unwrap() {
                "SeiNode" => reread::<SeiNode>(object.clone()),
                "SeiNodeDeployment" => reread::<SeiNodeDeployment>(object.clone()),
                "SeiNodeTask" => reread::<SeiNodeTask>(object.clone()),
                other => unreachable!("no kind {other} in {file}"),
            };
            assert_eq!(again, object, "{file}");
        }
    }
}

#[test]
fn optional_fields_vanish_at_their_zero_value() {
    let spec = json!({"chainId": "c", "image": "i", "fullNode": {}});
    for zero in [
        json!({"peers": []}),
        json!({"overrides": {}, "podLabels": {}}),
        json!({"sidecar": {"image": "", "port": 0}}),
        json!({"fullNode": {"snapshot": {"stateSync": {}, "trustPeriod": "", "backfillBlocks": 0}}}),
    ] {
        let mut with_zero = spec.clone();
        let mut without = spec.clone();
        for (key, value) in zero.as_object().unwrap() {
            with_zero[key] = value.clone();
        }
        for (key, value) in
            [("sidecar", json!({})), ("fullNode", json!({"snapshot": {"stateSync": {}}}))]
        {
            if zero.get(key).is_some() {
                without[key] = value;
            }
        }
        assert_eq!(reread::<SeiNode>(node(with_zero)), node(without));
    }
    assert_eq!(json!(SeiNodeStatus::default()), json!({}));
    assert_eq!(json!(SeiNodeDeploymentStatus::default()), json!({}));
}

#[test]
fn presence_of_an_empty_object_is_kept() {
    for spec in [
        json!({"chainId": "c", "image": "i", "fullNode": {}}),
        json!({"chainId": "c", "image": "i", "archive": {}}),
        json!({"chainId": "c", "image": "i", "validator": {"operatorKeyring": {}}}),
        json!({"chainId": "c", "image": "i", "fullNode": {
            "snapshot": {"stateSync": {}},
            "snapshotGeneration": {"tendermint": {"keepRecent": 2, "publish": {}}},
        }}),
    ] {
        assert_eq!(reread::<SeiNode>(node(spec.clone())), node(spec));
    }
}

#[test]
fn required_fields_are_written_at_their_zero_value_too() {
    let fleet = SeiNodeDeployment {
        metadata: ObjectMeta::default(),
        spec: SeiNodeDeploymentSpec {
            template: SeiNodeTemplate {
                metadata: None,
                spec: SeiNodeSpec { full_node: Some(FullNode::default()), ..Default::default() },
            },
            ..Default::default()
        },
        status: None,
    };
    assert_eq!(
        json!(fleet)["spec"],
        json!({"replicas": 1, "template": {"spec": {"chainId": "", "image": "", "fullNode": {}}}}),
    );
}

#[test]
fn a_plan_always_lists_its_tasks_and_a_first_failed_index() {
    let plan = TaskPlan {
        id: Some("p".into()),
        phase: PlanPhase::Failed,
        failed_task_index: Some(0),
        ..TaskPlan::default()
    };
    assert_eq!(
        json!(plan),
        json!({"id": "p", "phase": "Failed", "tasks": [], "failedTaskIndex": 0}),
    );
}

#[test]
fn a_task_keeps_its_payload_as_it_is() {
    let task = PlannedTask {
        type_: "config-apply".into(),
        id: "t".into(),
        status: TaskStatus::Pending,
        params: Some(json!({"Intent": {"Mode": "full", "Overrides": {"a.b": null}}})),
        retry_count: 1,
        ..PlannedTask::default()
    };
    assert_eq!(
        json!(task),
        json!({
            "type": "config-apply", "id": "t", "status": "Pending", "retryCount": 1,
            "params": {"Intent": {"Mode": "full", "Overrides": {"a.b": null}}},
        }),
    );
    assert_eq!(serde_json::from_value::<PlannedTask>(json!(task)).unwrap(), task);
}

#[test]
fn counters_of_a_fleet_are_absent_at_zero() {
    let status = SeiNodeDeploymentStatus {
        phase: Some(DeploymentPhase::Upgrading),
        replicas: 3,
        ready_replicas: 0,
        nodes: vec![GroupNode { name: "f-0".into(), ..GroupNode::default() }],
        genesis_s3_uri: Some("s3://b/k".into()),
        ..SeiNodeDeploymentStatus::default()
    };
    assert_eq!(
        json!(status),
        json!({
            "phase": "Upgrading", "replicas": 3, "nodes": [{"name": "f-0"}],
            "genesisS3URI": "s3://b/k",
        }),
    );
    let read: SeiNodeDeploymentStatus = serde_json::from_value(json!({"replicas": 3})).unwrap();
    assert_eq!((read.replicas, read.ready_replicas), (3, 0));
}

#[test]
fn times_are_read_in_any_form_and_written_in_whole_utc_seconds() {
    for (read, written) in [
        ("2026-01-02T01:04:05Z", "2026-01-02T01:04:05Z"),
        ("2026-01-02T01:04:05.999999Z", "2026-01-02T01:04:05Z"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"),
    ] {
        let time: Time = serde_json::from_value(json!(read)).unwrap();
        assert_eq!(json!(time), json!(written), "{read}");
    }
}

#[test]
fn durations_stay_the_text_that_was_sent() {
    for text in ["5m", "5m0s", "banana"] {
        let task = json!({
            "apiVersion": "sei.io/v1alpha1", "kind": "SeiNodeTask", "metadata": {},
            "spec": {
                "kind": "UpdateNodeImage",
                "target": {"nodeRef": {"name": "n"}, "requirePhaseTimeout": text},
                "updateNodeImage": {"image": "i"},
            },
        });
        assert_eq!(reread::<SeiNodeTask>(task.clone()), task);
    }
}

#[test]
fn unknown_words_are_kept_and_unknown_fields_ignored() {
    let stored = json!({
        "phase": "Hibernating",
        "plan": {"phase": "Paused", "tasks": [{"type": "x", "id": "1", "status": "Running"}]},
        "fieldOfALaterVersion": {"a": 1},
    });
    let status: SeiNodeStatus = serde_json::from_value(stored).unwrap();
    assert_eq!(status.phase, Some(NodePhase::Unknown("Hibernating".into())));
    let plan = status.plan.unwrap();
    assert_eq!(plan.phase.as_str(), "Paused");
    assert_eq!(plan.tasks[0].status.to_string(), "Running");
    assert_eq!(json!(plan.tasks[0]), json!({"type": "x", "id": "1", "status": "Running"}));
}

#[test]
fn one_strange_object_does_not_break_the_list_of_its_kind() {
    let fleet = |change: Value| {
        let mut spec = json!({"replicas": 1, "template": {"spec": {"chainId": "c", "image": "i"}}});
        for (key, value) in change.as_object().unwrap() {
            spec[key] = value.clone();
        }
        json!({"metadata": {"name": "f"}, "spec": spec})
    };
    let list = json!({
        "apiVersion": "sei.io/v1alpha1", "kind": "SeiNodeDeploymentList", "metadata": {},
        "items": [
            fleet(json!({})),
            fleet(json!({"deletionPolicy": "Orphan"})),
            fleet(json!({"updateStrategy": {"type": "BlueGreen"}})),
            fleet(json!({"genesis": {"chainId": "c", "maxCeremonyDuration": "banana"}})),
        ],
    });
    let read: kube::core::ObjectList<SeiNodeDeployment> = serde_json::from_value(list).unwrap();
    assert_eq!(read.items.len(), 4);
}

#[test]
fn an_object_without_a_spec_reads_as_an_empty_one() {
    let node: SeiNode = serde_json::from_value(json!({"metadata": {"name": "n"}})).unwrap();
    assert_eq!(node.spec, SeiNodeSpec::default());
    let fleet: SeiNodeDeployment = serde_json::from_value(json!({"metadata": {}})).unwrap();
    assert_eq!(fleet.spec, SeiNodeDeploymentSpec::default());
    let task: SeiNodeTask = serde_json::from_value(json!({"metadata": {}})).unwrap();
    assert_eq!(task.spec.kind.as_str(), "");
}

#[test]
fn a_number_beyond_its_range_reads_as_the_nearest() {
    let spec = json!({"chainId": "c", "image": "i", "sidecar": {"port": 4_294_967_296_i64}});
    let read: SeiNode = serde_json::from_value(node(spec)).unwrap();
    assert_eq!(read.spec.sidecar.unwrap().port, Some(i32::MAX));
}

#[test]
fn quantities_may_be_numbers_or_text() {
    let spec = node(json!({"chainId": "c", "image": "i", "fullNode": {}, "sidecar": {
        "resources": {"requests": {"cpu": 1, "memory": "2048Mi"}},
    }}));
    let read: SeiNode = serde_json::from_value(spec).unwrap();
    let requests = read.spec.sidecar.unwrap().resources.unwrap().requests.unwrap();
    assert_eq!((requests["cpu"].0.as_str(), requests["memory"].0.as_str()), ("1", "2048Mi"));
}
