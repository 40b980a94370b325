//! What a node says of a pod that does not come up, and how a failed plan is tried again.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use kube::api::{Patch, PatchParams, PostParams};
use sei_api::condition::{Reason, Type};
use sei_api::k8s::{Pod, StatefulSet};
use sei_api::{NodePhase, SeiNode, labels};
use sei_core::tempo::Tempo;
use sei_harness::fixtures::{IMAGE_V1, new_snd};
use sei_harness::request_log::{Requests, Verb};
use sei_harness::suite::{TestEnv, cond};
use sei_harness::wait::Progress;
use sei_sidecar_api::TaskType;
use sei_sidecar_sim::Target;
use serde_json::{Value, json};

use crate::support::{paced_scenario, scenario};

/// The kubelet alternates, the node says it once; the machine is asked for once; trouble that is
/// over is not told any longer.
#[test]
fn a_pod_that_does_not_come_up_is_told_once() {
    scenario("a_pod_that_does_not_come_up_is_told_once", |env| async move {
        env.create_snd(&new_snd(&env.ns, "ill").with_replicas(1).build()).await?;
        env.wait_settled("ill", IMAGE_V1).await?;
        make_pod(&env, "ill-0", Some("m1")).await?;
        let pull = |reason: &str, message: &str| {
            let waiting = json!({ "reason": reason, "message": message });
            json!({ "conditions": [ready("False")], "containerStatuses": [seid(&waiting)] })
        };
        let error = "rpc error: code = NotFound desc = v1: not found";
        kubelet_says(&env, "ill-0", pull("ErrImagePull", error)).await?;
        let told = says(&env, Reason::ImagePullFailed).await?;
        let back_off = format!("Back-off pulling image \"{IMAGE_V1}\": ErrImagePull: {error}");
        for (reason, message) in
            [("ImagePullBackOff", &*back_off), ("ErrImagePull", error)].repeat(3)
        {
            kubelet_says(&env, "ill-0", pull(reason, message)).await?;
        }
        let unready = json!({
            "conditions": [ready("False"), { "type": "ContainersReady", "status": "True" }],
            "containerStatuses": [],
        });
        kubelet_says(&env, "ill-0", unready).await?;
        says(&env, Reason::NodeUnreachable).await?;
        let written = env.requests.matching(&Requests::any().subresource("status").name("ill-0"));
        let since = |it: &Value| it["status"]["conditions"].to_string().contains("PullFailed");
        ensure!(written.iter().filter(|it| since(&it.body)).count() == 1, "{told}: {written:?}");
        let asked = env.requests.matching(&Requests::any().verb(Verb::Get).resource("nodes"));
        ensure!(asked.len() == 1, "{asked:?}");

        kubelet_says(&env, "ill-0", json!({ "conditions": [ready("True")] })).await?;
        says(&env, Reason::Ready).await?;
        for reason in ["ImagePullFailed", "NodeUnreachable"] {
            let node = env.api::<SeiNode>().get("ill-0").await?;
            let heard = env.list_events(&node, Some(reason)).await?.len();
            ensure!(heard == 1, "{heard} events {reason}");
        }
        Ok(())
    });
}

/// A plan that failed is held for long; a token makes it anew at once, and only once.
#[test]
fn a_failed_node_is_retried_by_a_token() {
    let hour = Duration::from_secs(3600);
    let tempo = Tempo { failed_retry_first: hour, failed_retry_max: hour, ..Tempo::default() };
    paced_scenario("a_failed_node_is_retried_by_a_token", tempo, |env| async move {
        let ours = Target::any().in_namespace(&env.ns).task(TaskType::ConfigApply);
        env.sidecars.fail_with(ours, "broken");
        env.create_snd(&new_snd(&env.ns, "ill").with_replicas(1).build()).await?;
        let failed = phase(&env, NodePhase::Failed).await?;
        let said = cond(&failed, "Stalled").context("no condition")?;
        ensure!(said.message.ends_with(", or set sei.io/retry"), "{}", said.message);
        let plan = |node: &SeiNode| node.status.as_ref()?.plan.as_ref()?.id.clone();

        // The trouble is still there: the token brings about one plan, no more.
        retry(&env, "a").await?;
        let again = env
            .wait_for("another plan to fail", || async {
                let node = phase(&env, NodePhase::Failed).await?;
                let same = plan(&node) == plan(&failed);
                Ok(if same { Progress::NotYet("the same".into()) } else { Progress::Ready(node) })
            })
            .await?;
        ensure!(again.status.as_ref().and_then(|it| it.last_retry_token.as_deref()) == Some("a"));
        env.kill_controllers().await;
        env.start_controllers().await?;
        env.sidecars.clear_faults();
        retry(&env, "b").await?;
        env.wait_settled("ill", IMAGE_V1).await?;
        let plans = env.history.nodes.versions()?.sequence_of(plan);
        let plans: BTreeSet<String> = plans.into_iter().flatten().collect();
        ensure!(plans.len() == 3, "plans {plans:?}");
        Ok(())
    });
}

/// The pod of `node` at the newest revision, on that machine or on none yet.
pub async fn make_pod(env: &TestEnv, node: &str, machine: Option<&str>) -> Result<()> {
    let set = env.api::<StatefulSet>().get(node).await?;
    let revision = set.status.and_then(|it| it.update_revision).context("no revision")?;
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {
            "name": format!("{node}-0"),
            "labels": { labels::NODE: node, "controller-revision-hash": revision },
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "StatefulSet", "name": node,
                "uid": set.metadata.uid, "controller": true,
            }],
        },
        "spec": {
            "nodeName": machine,
            "containers": [{ "name": "seid", "image": IMAGE_V1 }],
            "terminationGracePeriodSeconds": 0,
        },
    }))?;
    env.api::<Pod>().create(&PostParams::default(), &pod).await?;
    Ok(())
}

/// What the kubelet of the pod's machine reports of it; or the scheduler, while it has none.
pub async fn kubelet_says(env: &TestEnv, node: &str, status: Value) -> Result<()> {
    let patch = Patch::Merge(json!({ "status": status }));
    env.api::<Pod>().patch_status(&format!("{node}-0"), &PatchParams::default(), &patch).await?;
    Ok(())
}

/// The condition `Ready` of a pod or a machine.
pub fn ready(status: &str) -> Value {
    json!({ "type": "Ready", "status": status, "lastTransitionTime": "2026-01-01T00:00:00Z" })
}

/// The container `seid`, as it waits.
pub fn seid(waiting: &Value) -> Value {
    json!({
        "name": "seid", "image": IMAGE_V1, "imageID": "", "ready": false, "restartCount": 0,
        "state": { "waiting": waiting },
    })
}

/// Waits until the node's condition `Ready` gives this reason; its message.
async fn says(env: &TestEnv, reason: Reason) -> Result<String> {
    let seen = env
        .wait_for(&format!("the node to say {reason}"), || async {
            let node = env.api::<SeiNode>().get("ill-0").await?;
            let said = cond(&node, Type::Ready.as_str()).context("no condition")?;
            Ok(if said.reason == reason.as_str() {
                Progress::Ready(said.message.clone())
            } else {
                Progress::NotYet(format!("{}: {}", said.reason, said.message))
            })
        })
        .await?;
    Ok(seen)
}

async fn phase(env: &TestEnv, wanted: NodePhase) -> Result<SeiNode> {
    let seen = env
        .wait_for(&format!("the node to be {wanted}"), || async {
            let node = env.api::<SeiNode>().get_opt("ill-0").await?;
            let there = node
                .filter(|it| it.status.as_ref().and_then(|it| it.phase.as_ref()) == Some(&wanted));
            Ok(there.map_or(Progress::NotYet("not yet".into()), Progress::Ready))
        })
        .await?;
    Ok(seen)
}

async fn retry(env: &TestEnv, token: &str) -> Result<()> {
    let patch = json!({ "metadata": { "annotations": { labels::RETRY: token } } });
    let patch = Patch::Merge(patch);
    env.api::<SeiNode>().patch("ill-0", &PatchParams::default(), &patch).await?;
    Ok(())
}
