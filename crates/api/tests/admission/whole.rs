//! What concerns a whole object: its name, its spec, its subresources, its columns, the samples.

use anyhow::{Context, Result};
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use sei_api::{NodePhase, SeiNode, SeiNodeDeployment, SeiNodeTask};
use serde_json::{Value, json};

use crate::cases::{Kind, none, yaml};
use crate::server::{Server, with_server};

/// The refusals of a name.
pub const NAME_ERRORS: &[(&str, &str)] = &[
    ("<nil>", "metadata.name must be a DNS-1035 label of at most 52 characters"),
    ("<nil>", "metadata.name must be a DNS-1035 label of at most 49 characters"),
];

#[test]
fn names_leave_room_for_what_is_derived_from_them() {
    with_server(async |server| {
        let mut wrong = Vec::new();
        for (kind, length_max, error) in
            [(Kind::Node, 52, NAME_ERRORS[0]), (Kind::Deployment, 49, NAME_ERRORS[1])]
        {
            for (name, admitted) in [
                ("n".repeat(length_max), true),
                ("n-1".to_owned(), true),
                ("n".repeat(length_max + 1), false),
                ("a.b".to_owned(), false),
                ("1a".to_owned(), false),
            ] {
                let mut object = kind.manifest("{}")?;
                object["metadata"]["name"] = json!(name);
                let outcome = server.create(kind.plural(), &object).await?;
                let refused = outcome.as_ref().err().is_some_and(|causes| {
                    matches!(causes.as_slice(), [(field, said)]
                        if field == error.0 && said.ends_with(error.1))
                });
                if outcome.is_ok() != admitted || (!admitted && !refused) {
                    wrong.push(format!("{name}: {outcome:?}"));
                }
            }
        }
        none(&wrong)
    });
}

#[test]
fn an_object_without_a_spec_is_refused() {
    with_server(async |server| {
        for kind in [Kind::Node, Kind::Deployment, Kind::Task] {
            for spec in [Value::Null, json!(null)] {
                let mut object = kind.manifest("{}")?;
                object["spec"] = spec;
                let refused = server.create(kind.plural(), &object).await?;
                let expected = vec![("spec".to_owned(), "Required value".to_owned())];
                assert_eq!(refused.err(), Some(expected));
            }
        }
        Ok(())
    });
}

#[test]
fn a_spec_cannot_be_dropped() {
    with_server(async |server| {
        for kind in [Kind::Node, Kind::Deployment, Kind::Task] {
            let name = stored(server, &kind, "{}").await?;
            let refused = server.patch(kind.plural(), &name, &json!({"spec": null})).await?;
            let expected = vec![("spec".to_owned(), "Required value".to_owned())];
            assert_eq!(refused.err(), Some(expected));
        }
        Ok(())
    });
}

#[test]
fn status_is_written_through_its_subresource_only() {
    with_server(async |server| {
        let name = stored(server, &Kind::Node, "{}").await?;
        let status = json!({"status": {"phase": "Running"}, "spec": {"image": "other"}});
        accepted(server.patch("seinodes", &name, &json!({"status": {"phase": "Failed"}})).await?)?;
        accepted(server.patch("seinodes", &format!("{name}/status"), &status).await?)?;
        let api: Api<SeiNode> = Api::namespaced(server.client(), "default");
        let node = api.get(&name).await?;
        assert_eq!(node.status.and_then(|status| status.phase), Some(NodePhase::Running));
        assert_eq!(node.spec.image, "seid:v1");
        Ok(())
    });
}

#[test]
fn a_bad_status_is_refused() {
    with_server(async |server| {
        let mut wrong = Vec::new();
        let name = stored(server, &Kind::Node, "{}").await?;
        let condition = "{type: A, status: 'True', reason: R, message: '', \
                         lastTransitionTime: '2026-01-02T01:04:05Z'}";
        for (status, field, message) in [
            (
                "{phase: Hibernating}".to_owned(),
                "status.phase",
                "supported values: \"Pending\", \"Initializing\", \"Running\", \"Failed\", \
                 \"Terminating\"",
            ),
            (
                format!("{{conditions: [{condition}, {condition}]}}"),
                "status.conditions[1]",
                "Duplicate value: {\"type\":\"A\"}",
            ),
            (
                "{conditions: [{type: A, status: Maybe, reason: R, message: '', \
                 lastTransitionTime: '2026-01-02T01:04:05Z'}]}"
                    .to_owned(),
                "status.conditions[0].status",
                "supported values: \"True\", \"False\", \"Unknown\"",
            ),
            ("{plan: {phase: Active}}".to_owned(), "status.plan.tasks", "Required value"),
            (
                "{plan: {phase: Active, tasks: [{type: a, id: b, status: Running}]}}".to_owned(),
                "status.plan.tasks[0].status",
                "supported values: \"Pending\", \"Complete\", \"Failed\"",
            ),
        ] {
            let patch = json!({"status": yaml(&status)?});
            let outcome = server.patch("seinodes", &format!("{name}/status"), &patch).await?;
            let matches = outcome.as_ref().err().is_some_and(|causes| {
                causes.iter().any(|(at, said)| at == field && said.ends_with(message))
            });
            if !matches {
                wrong.push(format!("{status}: {outcome:?}"));
            }
        }
        none(&wrong)
    });
}

#[test]
fn field_managers_own_their_conditions_and_children_one_by_one() {
    with_server(async |server| {
        let name = stored(server, &Kind::Deployment, "{}").await?;
        let path = format!("{name}/status");
        for word in ["First", "Second"] {
            let document = json!({
                "apiVersion": "sei.io/v1alpha1",
                "kind": "SeiNodeDeployment",
                "status": {
                    "conditions": [{
                        "type": word, "status": "True", "reason": "R", "message": "",
                        "lastTransitionTime": "2026-01-02T01:04:05Z",
                    }],
                    "nodes": [{"name": word}],
                    "perPodServices": [{
                        "name": word, "namespace": "default",
                        "ports": {"evmHttp": 8545, "evmWs": 8546},
                    }],
                    "endpoints": {"nodes": [{"name": word}]},
                },
            });
            accepted(server.apply("seinodedeployments", (&path, word), &document).await?)?;
        }
        let status = server.get("seinodedeployments", &name).await?["status"].take();
        for list in ["/conditions", "/nodes", "/perPodServices", "/endpoints/nodes"] {
            let entries = status.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
            assert_eq!(entries, 2, "{list}");
        }
        Ok(())
    });
}

#[test]
fn a_fleet_is_scaled_through_its_subresource() {
    with_server(async |server| {
        let name = stored(server, &Kind::Deployment, "{replicas: 2}").await?;
        let status = json!({"status": {"replicas": 2, "selector": "sei.io/nodedeployment=x"}});
        let path = format!("{name}/status");
        accepted(server.patch("seinodedeployments", &path, &status).await?)?;
        let path = format!("{name}/scale");
        let scale = server.get("seinodedeployments", &path).await?;
        assert_eq!(scale["spec"], json!({"replicas": 2}));
        assert_eq!(scale["status"], json!({"replicas": 2, "selector": "sei.io/nodedeployment=x"}),);
        let three = json!({"spec": {"replicas": 3}});
        accepted(server.patch("seinodedeployments", &path, &three).await?)?;
        let fleet = server.get("seinodedeployments", &name).await?;
        assert_eq!(fleet["spec"]["replicas"], json!(3));
        Ok(())
    });
}

#[test]
fn lists_show_what_an_operator_asks_first() {
    with_server(async |server| {
        let condition = |kind: &str, status: &str| {
            json!({
                "type": kind, "status": status, "reason": "OOMKilled", "message": "",
                "lastTransitionTime": "2026-01-02T01:04:05Z",
            })
        };
        let conditions = json!([condition("Ready", "False"), condition("Stalled", "True")]);
        for (kind, change, status, columns, cells) in [
            (
                Kind::Deployment,
                "{replicas: 3}",
                json!({"readyReplicas": 2, "replicas": 3, "phase": "Upgrading", "rollout": {
                    "targetHash": "753bf0c944503efa", "startedAt": "2026-01-02T01:04:05Z",
                }, "updatedReplicas": 1, "conditions": conditions}),
                "Ready integer 0, Replicas integer 0, Phase string 0, Target string 1, \
                 Updated integer 1, Stalled string 1, Reason string 1, Image string 1, \
                 Age date 0",
                json!([2, 3, "Upgrading", "753bf0c944503efa", 1, "True", "OOMKilled", "seid:v1"]),
            ),
            (
                Kind::Node,
                "{}",
                json!({
                    "phase": "Running", "currentImage": "seid:v0", "conditions": conditions,
                }),
                "Phase string 0, Image string 0, Target string 1, Stalled string 1, \
                 Reason string 1, Age date 0",
                json!(["Running", "seid:v0", "seid:v1", "True", "OOMKilled"]),
            ),
            (
                Kind::Task,
                "{}",
                json!({"phase": "Running"}),
                "Kind string 0, Target string 0, Phase string 0, Age date 0",
                json!(["UpdateNodeImage", "fn-0", "Running"]),
            ),
        ] {
            let name = stored(server, &kind, change).await?;
            let status = json!({"status": status});
            accepted(server.patch(kind.plural(), &format!("{name}/status"), &status).await?)?;
            let table = server.table(kind.plural()).await?;
            assert_eq!(shown_columns(&table), columns);
            let row = row(&table, &name).with_context(|| format!("{name} is not listed"))?;
            let between = row.len().saturating_sub(1);
            assert_eq!(json!(&row[1..between]), cells);
        }
        Ok(())
    });
}

#[test]
fn samples_apply_under_strict_validation() {
    with_server(async |server| {
        let mut seen = Vec::new();
        for entry in std::fs::read_dir(sei_harness::shipped("config/samples"))? {
            let path = entry?.path();
            let text = std::fs::read_to_string(&path)?;
            for object in serde_saphyr::from_multiple::<Value>(&text)? {
                let plural = match object["kind"].as_str().unwrap_or_default() {
                    "SeiNode" => "seinodes",
                    "SeiNodeDeployment" => "seinodedeployments",
                    "SeiNodeTask" => "seinodetasks",
                    "Kustomization" => continue,
                    other => anyhow::bail!("{} holds a \"{other}\"", path.display()),
                };
                accepted(server.create(plural, &object).await?)
                    .with_context(|| path.display().to_string())?;
                seen.push(plural);
            }
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, ["seinodedeployments", "seinodes", "seinodetasks"]);
        Ok(())
    });
}

#[test]
fn every_admitted_object_can_be_read_with_the_types() {
    with_server(async |server| {
        for (kind, text) in [
            (Kind::Node, include_str!("../wire/nodes.yaml")),
            (Kind::Deployment, include_str!("../wire/deployments.yaml")),
            (Kind::Task, include_str!("../wire/tasks.yaml")),
        ] {
            for (index, mut object) in
                serde_saphyr::from_multiple::<Value>(text)?.into_iter().enumerate()
            {
                let name = format!("wire-{index}");
                object["metadata"] = json!({"name": name, "namespace": "default"});
                let stored = accepted(server.create(kind.plural(), &object).await?)?;
                let sent = &object["spec"];
                assert!(is_part_of(sent, &stored["spec"]), "{sent}\n{}", stored["spec"]);
                if let Some(status) = object.get("status") {
                    let patch = json!({"status": status});
                    let path = format!("{name}/status");
                    let stored = accepted(server.patch(kind.plural(), &path, &patch).await?)?;
                    assert_eq!(&stored["status"], status);
                }
            }
        }
        let client = server.client();
        let all = ListParams::default();
        let nodes: Api<SeiNode> = Api::namespaced(client.clone(), "default");
        let fleets: Api<SeiNodeDeployment> = Api::namespaced(client.clone(), "default");
        let tasks: Api<SeiNodeTask> = Api::namespaced(client, "default");
        let count = |names: Vec<String>| names.iter().filter(|n| n.starts_with("wire-")).count();
        let names = nodes.list(&all).await?.items.iter().map(ResourceExt::name_any).collect();
        assert_eq!(count(names), 5);
        let names = fleets.list(&all).await?.items.iter().map(ResourceExt::name_any).collect();
        assert_eq!(count(names), 2);
        let names = tasks.list(&all).await?.items.iter().map(ResourceExt::name_any).collect();
        assert_eq!(count(names), 5);
        Ok(())
    });
}

async fn stored(server: &Server, kind: &Kind, change: &str) -> Result<String> {
    let object = kind.manifest(change)?;
    let stored = accepted(server.create(kind.plural(), &object).await?)?;
    Ok(stored["metadata"]["name"].as_str().context("an object has no name")?.to_owned())
}

fn accepted<T>(outcome: Result<T, crate::server::Causes>) -> Result<T> {
    outcome.map_err(|causes| anyhow::anyhow!("refused: {causes:?}"))
}

fn shown_columns(table: &Value) -> String {
    let columns = table["columnDefinitions"].as_array().into_iter().flatten().skip(1);
    let shown = columns.map(|column| {
        let text = |key: &str| column[key].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", text("name"), text("type"), column["priority"])
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn row(table: &Value, name: &str) -> Option<Vec<Value>> {
    let rows = table["rows"].as_array()?;
    let row = rows.iter().find(|row| row["object"]["metadata"]["name"] == name)?;
    row["cells"].as_array().cloned()
}

/// True when every value of `part` is in `whole`: the server adds defaults, nothing else.
fn is_part_of(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(key, value)| whole.get(key).is_some_and(|other| is_part_of(value, other))),
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(a, b)| is_part_of(a, b))
        }
        (part, whole) => part == whole,
    }
}
