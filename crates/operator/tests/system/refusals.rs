//! What the operator cannot or will not do, as a person sees it: the last sections of
//! `docs/troubleshooting.md`.

use anyhow::Result;
use kube::api::{DeleteParams, PostParams};
use kube::{Api, ResourceExt};
use sei_api::SeiNode;
use sei_api::condition::{Reason, Type};
use sei_api::k8s::Service;
use serde_json::{Value, json};

use crate::cluster::{FLEET, Sight, Story, story};
use crate::diagnosis::ready;

/// The API server refuses the StatefulSet for good: the plan ends, is kept, and is tried again.
#[test]
fn a_step_that_is_refused_for_good_ends_the_plan_and_says_so() {
    story("plan-failed", |story| async move {
        refuse_statefulsets(&story, true).await?;
        story.create_fleet(1, "v1.0.0").await?;
        let says = |sight: &Sight| node_says(sight, Reason::PlanFailed);
        let sight = story.wait_for("saying PlanFailed", says).await?;
        let message = ready(&sight, "fleet-0").map(|it| it.message.clone()).unwrap_or_default();
        for word in ["apply-statefulset", "StatefulSet \"fleet-0\" is refused", "sei.io/retry"] {
            assert!(message.contains(word), "{word:?} is not in {message:?}");
        }
        let stalled = r#"jsonpath={.status.conditions[?(@.type=="Stalled")].message}"#;
        story.kubectl(&["get", "snode", "fleet-0", "-o", stalled]).await?;
        story.kubectl(&["get", "snode", "-o", "wide"]).await?;
        let of = "involvedObject.name=fleet-0,reason=NodeFailed";
        story.kubectl(&["get", "events", "--field-selector", of]).await?;

        refuse_statefulsets(&story, false).await?;
        story.kubectl(&["annotate", "snode", "fleet-0", "sei.io/retry=1"]).await?;
        story.settled(1, "v1.0.0").await?;
        Ok(())
    });
}

/// The Service of a predecessor that is kept by a finalizer.
#[test]
fn a_predecessors_object_is_waited_for() {
    story("leftover", |story| async move {
        let services = story.api::<Service>();
        let old = json!({
            "metadata": {
                "name": "fleet-internal", "finalizers": ["example.com/backup"],
                "labels": {"sei.io/nodedeployment": FLEET},
                "ownerReferences": [{
                    "apiVersion": sei_api::API_VERSION, "kind": "SeiNodeDeployment",
                    "name": FLEET, "uid": "0d5f63e6-5d0a-4b0e-8a62-2f6d2a5b7c11",
                    "controller": true,
                }],
            },
            "spec": {"clusterIP": "None", "ports": [{"port": 1}]},
        });
        services.create(&PostParams::default(), &serde_json::from_value(old)?).await?;
        services.delete("fleet-internal", &DeleteParams::default()).await?;
        story.create_fleet(1, "v1.0.0").await?;
        let says = |sight: &Sight| fleet_says(sight, Type::Ready, Reason::LeftoverObject);
        story.wait_for("saying LeftoverObject", says).await?;
        let message = r#"jsonpath={.status.conditions[?(@.type=="Ready")].message}"#;
        let said = story.kubectl(&["get", "snd", "fleet", "-o", message]).await?;
        assert!(said.contains("fleet-internal"), "{said}");
        story.kubectl(&["get", "snd", "-o", "wide"]).await?;
        let held = "jsonpath={.metadata.finalizers}";
        story.kubectl(&["get", "svc", "fleet-internal", "-o", held]).await?;

        let free = r#"{"metadata":{"finalizers":null}}"#;
        story.kubectl(&["patch", "svc", "fleet-internal", "--type", "merge", "-p", free]).await?;
        story.settled(1, "v1.0.0").await?;
        Ok(())
    });
}

/// No rule of the schema refuses a blank in an image, and no kubelet can pull it.
#[test]
fn a_value_that_cannot_work_is_named_by_its_field() {
    story("invalid", |story| async move {
        story.create_fleet(1, "v1.0.0 ").await?;
        let says = |sight: &Sight| fleet_says(sight, Type::Stalled, Reason::InvalidSpec);
        let sight = story.wait_for("saying InvalidSpec", says).await?;
        assert!(sight.nodes.is_empty(), "nothing is made");
        let message = r#"jsonpath={.status.conditions[?(@.type=="Stalled")].message}"#;
        let said = story.kubectl(&["get", "snd", "fleet", "-o", message]).await?;
        assert!(said.contains("image"), "{said}");
        story.kubectl(&["get", "snd", "-o", "wide"]).await?;

        story.push("v1.0.0").await?;
        story.settled(1, "v1.0.0").await?;
        Ok(())
    });
}

/// Lets the namespace have no StatefulSet, by a policy of the API server, or lifts that again.
async fn refuse_statefulsets(story: &Story, refuse: bool) -> Result<()> {
    if !refuse {
        let name = "no-statefulsets";
        story.kubectl(&["delete", "validatingadmissionpolicybinding", name]).await?;
        story.kubectl(&["delete", "validatingadmissionpolicy", name]).await?;
        return allowed(story, true).await;
    }
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), policy(story.namespace).to_string())?;
    story.kubectl(&["apply", "-f", &file.path().display().to_string()]).await?;
    allowed(story, false).await
}

fn policy(namespace: &str) -> Value {
    let api = "admissionregistration.k8s.io/v1";
    let rule = json!({
        "apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"],
        "resources": ["statefulsets"],
    });
    let names = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": api, "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "no-statefulsets"},
            "spec": {
                "matchConstraints": {"resourceRules": [rule]},
                "validations": [{
                    "expression": "false", "message": "StatefulSets need a cost centre",
                    "reason": "Invalid",
                }],
            },
        },
        {
            "apiVersion": api, "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "no-statefulsets"},
            "spec": {
                "policyName": "no-statefulsets", "validationActions": ["Deny"],
                "matchResources": {"namespaceSelector": names},
            },
        },
    ]})
}

/// Until the API server, asked without effect, refuses a StatefulSet or takes it.
async fn allowed(story: &Story, wanted: bool) -> Result<()> {
    let set = json!({
        "metadata": {"name": "probe"},
        "spec": {
            "serviceName": "", "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "a", "image": "a"}]},
            },
        },
    });
    let set = serde_json::from_value(set)?;
    let sets: Api<sei_api::k8s::StatefulSet> = story.api();
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    for _ in 0..PROBES_MAX {
        if sets.create(&dry, &set).await.is_ok() == wanted {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    anyhow::bail!("StatefulSets are still {}", if wanted { "refused" } else { "taken" })
}

/// A policy takes effect within a second or two.
const PROBES_MAX: u32 = 120;

fn node_says(sight: &Sight, reason: Reason) -> Option<String> {
    let said = ready(sight, "fleet-0").map(|it| it.reason.as_str());
    let names = || sight.nodes.iter().map(SeiNode::name_any).collect::<Vec<_>>();
    (said != Some(reason.as_str())).then(|| format!("{:?} say {said:?}", names()))
}

fn fleet_says(sight: &Sight, kind: Type, reason: Reason) -> Option<String> {
    let said = sight.condition(kind).map(|it| it.reason.as_str());
    (said != Some(reason.as_str())).then(|| format!("{kind:?} is {said:?}"))
}
