//! Every reason that a node can give here for not serving: told once, and gone with its cause.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::future::{BoxFuture, FutureExt as _, try_join_all};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use sei_api::SeiNode;
use sei_api::condition::{Reason, Type};
use sei_api::k8s::{Node, Pod, StatefulSet};
use sei_core::tempo::Tempo;
use sei_harness::fixtures::{IMAGE_V1, new_snd};
use sei_harness::status_faker::Mode;
use sei_harness::suite::{TestEnv, cond};
use sei_harness::wait::Progress;
use sei_sidecar_api::TaskType;
use sei_sidecar_sim::Target;
use serde_json::{Value, json};

use crate::diagnosis::{kubelet_says, make_pod, ready, seid};
use crate::support::{paced_scenario, status};

/// Of the closed set, `PlanFailed` and what a fleet says have tests of their own.
#[test]
fn each_cause_is_told_once_and_leaves_with_it() {
    let short = Duration::from_secs(1);
    let tempo = Tempo {
        start_patience: short,
        stop_patience: short,
        sidecar_patience: short,
        claim_patience: short,
        health_max_age: short * 2,
        task_backoff_first: short * 3,
        ..Tempo::default()
    };
    paced_scenario("each_cause_is_told_once_and_leaves_with_it", tempo, |env| async move {
        let env = &*env;
        let machines = Machines::join(env).await?;
        let mut stories: Vec<BoxFuture<'_, Result<()>>> = Vec::new();
        for (reason, on, said) in of_pods(&machines) {
            stories.push(pod_says(env, reason, (on, said)).boxed());
        }
        stories.push(pod_is_held(env, &machines).boxed());
        stories.push(pod_is_not_made(env).boxed());
        stories.push(sidecar_is_silent(env).boxed());
        stories.push(task_fails(env).boxed());
        let outcome = try_join_all(stories).await;
        machines.leave(env).await?;
        outcome.map(drop)
    });
}

/// What scheduler and kubelet say of a pod, where it is, and what the node makes of that.
fn of_pods(machines: &Machines) -> Vec<(Reason, Option<&str>, Value)> {
    let up = Some(machines.up.as_str());
    let waits = |reason: &str| seid(&json!({ "reason": reason, "message": "so it is" }));
    let crashed = |why: &str, code: i32| {
        let mut it = waits("CrashLoopBackOff");
        it["restartCount"] = json!(3);
        it["lastState"] = json!({ "terminated": { "reason": why, "exitCode": code } });
        it
    };
    let container =
        |it: Value| json!({ "conditions": [ready("False")], "containerStatuses": [it] });
    let condition = |kind: &str, status: &str, message: &str| {
        let mut it = ready(status);
        it["type"] = json!(kind);
        it["message"] = json!(message);
        it
    };
    let unplaced = |message: &str| {
        let placed = condition("PodScheduled", "False", message);
        json!({ "conditions": [ready("False"), placed] })
    };
    let contradicts = [ready("False"), condition("ContainersReady", "True", "")];
    let set_up = [
        ready("False"),
        condition("PodScheduled", "True", ""),
        condition("PodReadyToStartContainers", "False", ""),
    ];
    vec![
        (Reason::InvalidImage, up, container(waits("InvalidImageName"))),
        (Reason::ImagePullFailed, up, container(waits("ErrImagePull"))),
        (Reason::ContainerStartFailed, up, container(waits("CreateContainerConfigError"))),
        (Reason::OomKilled, up, container(crashed("OOMKilled", 137))),
        (Reason::CrashLoop, up, container(crashed("Error", 1))),
        (Reason::Unschedulable, None, unplaced("0/3 nodes are available: 3 Insufficient cpu.")),
        (
            Reason::VolumeNotBound,
            None,
            unplaced("pod has unbound immediate PersistentVolumeClaims"),
        ),
        (Reason::PodNotStarted, up, json!({ "conditions": set_up })),
        (Reason::NodeUnreachable, Some(&machines.down), json!({ "conditions": contradicts })),
    ]
}

async fn pod_says(env: &TestEnv, reason: Reason, (on, said): (Option<&str>, Value)) -> Result<()> {
    let node = settled(env, reason).await?;
    make_pod(env, &node, on).await?;
    kubelet_says(env, &node, said).await?;
    tells(env, reason).await?;
    kubelet_says(env, &node, serves()).await?;
    is_over(env, reason).await
}

/// A pod that is to go and that a finalizer keeps.
async fn pod_is_held(env: &TestEnv, machines: &Machines) -> Result<()> {
    let node = settled(env, Reason::PodTerminating).await?;
    make_pod(env, &node, Some(&machines.up)).await?;
    kubelet_says(env, &node, serves()).await?;
    let (pods, name) = (env.api::<Pod>(), format!("{node}-0"));
    let hold = |by: Value| Patch::Merge(json!({ "metadata": { "finalizers": by } }));
    pods.patch(&name, &PatchParams::default(), &hold(json!(["another.test/hold"]))).await?;
    pods.delete(&name, &DeleteParams::default()).await?;
    tells(env, Reason::PodTerminating).await?;
    pods.patch(&name, &PatchParams::default(), &hold(Value::Null)).await?;
    is_over(env, Reason::PodTerminating).await
}

/// A StatefulSet whose controller makes no pod.
async fn pod_is_not_made(env: &TestEnv) -> Result<()> {
    let node = settled(env, Reason::PodNotCreated).await?;
    env.faker.set_mode(&node, Mode::Frozen);
    let none = json!({ "status": {
        "replicas": 0, "readyReplicas": 0, "availableReplicas": 0, "updatedReplicas": 0,
        "currentReplicas": 0,
    } });
    let sets = env.api::<StatefulSet>();
    sets.patch_status(&node, &PatchParams::default(), &Patch::Merge(none)).await?;
    tells(env, Reason::PodNotCreated).await?;
    env.faker.set_mode(&node, Mode::RolledOut);
    is_over(env, Reason::PodNotCreated).await
}

async fn sidecar_is_silent(env: &TestEnv) -> Result<()> {
    let node = settled(env, Reason::SidecarUnreachable).await?;
    let sidecar = env.sidecars.node(&env.ns, &node);
    sidecar.unreachable();
    tells(env, Reason::SidecarUnreachable).await?;
    sidecar.reachable();
    is_over(env, Reason::SidecarUnreachable).await
}

/// A task that is repeated, and succeeds then.
async fn task_fails(env: &TestEnv) -> Result<()> {
    let (fleet, node) = names(Reason::SidecarTaskFailed);
    let first = Target::node(&env.ns, &node).task(TaskType::ConfigureGenesis);
    env.sidecars.fail_times(first, 1, "broken");
    env.create_snd(&new_snd(&env.ns, &fleet).build()).await?;
    tells(env, Reason::SidecarTaskFailed).await?;
    is_over(env, Reason::SidecarTaskFailed).await
}

/// A fleet of one of the reason's name; its node.
async fn settled(env: &TestEnv, reason: Reason) -> Result<String> {
    let (fleet, node) = names(reason);
    env.create_snd(&new_snd(&env.ns, &fleet).build()).await?;
    env.wait_settled(&fleet, IMAGE_V1).await?;
    Ok(node)
}

fn names(reason: Reason) -> (String, String) {
    let fleet = reason.as_str().to_lowercase();
    (fleet.clone(), format!("{fleet}-0"))
}

/// Until node and fleet say `reason`.
async fn tells(env: &TestEnv, reason: Reason) -> Result<()> {
    says(env, reason, ("False", reason.as_str(), Some(reason.as_str()))).await
}

/// Until neither says it any more; and it was heard once.
async fn is_over(env: &TestEnv, reason: Reason) -> Result<()> {
    says(env, reason, ("True", Reason::Ready.as_str(), None)).await?;
    let node: SeiNode = env.api().get(&names(reason).1).await?;
    let conditions = node.status.as_ref().map(|it| it.conditions.as_slice()).unwrap_or_default();
    let still: Vec<_> = conditions.iter().filter(|it| it.reason == reason.as_str()).collect();
    ensure!(still.is_empty(), "still told: {still:?}");
    let heard = env
        .wait_for(&format!("the event {reason}"), || async {
            let events = env.list_events(&node, Some(reason.as_str())).await?;
            let none = Progress::NotYet("none".to_owned());
            Ok(if events.is_empty() { none } else { Progress::Ready(events) })
        })
        .await?;
    let often: i32 = heard.iter().map(|it| it.count.unwrap_or(1)).sum();
    ensure!(often == 1, "heard {often} times: {heard:?}");
    Ok(())
}

/// Until `Ready` of the node is so, and its line in the fleet's status gives that reason.
async fn says(env: &TestEnv, of: Reason, wanted: (&str, &str, Option<&str>)) -> Result<()> {
    let (fleet, node) = names(of);
    env.wait_for(&format!("\"{node}\" to say {wanted:?}"), || async {
        let said: SeiNode = env.api().get(&node).await?;
        let said = cond(&said, Type::Ready.as_str());
        let said = said.map(|it| (it.status.clone(), it.reason.clone())).unwrap_or_default();
        let lines = status(&env.get_snd(&fleet).await?).nodes;
        let line = lines.into_iter().find(|it| it.name == node).and_then(|it| it.reason);
        let is = (said.0.as_str(), said.1.as_str(), line.as_deref());
        Ok(if is == wanted { Progress::Ready(()) } else { Progress::NotYet(format!("{is:?}")) })
    })
    .await?;
    Ok(())
}

/// All is well with the pod.
fn serves() -> Value {
    let conditions = ["Ready", "ContainersReady", "PodScheduled", "PodReadyToStartContainers"];
    let conditions = conditions.map(|kind| {
        let mut it = ready("True");
        it["type"] = json!(kind);
        it
    });
    let mut seid = seid(&Value::Null);
    seid["ready"] = json!(true);
    seid["state"] = json!({ "running": { "startedAt": "2026-01-01T00:00:00Z" } });
    json!({ "phase": "Running", "conditions": conditions, "containerStatuses": [seid] })
}

/// A machine whose kubelet lives, and one whose kubelet is silent.
struct Machines {
    up: String,
    down: String,
}

impl Machines {
    async fn join(env: &TestEnv) -> Result<Self> {
        let it = Self { up: format!("{}-up", env.ns), down: format!("{}-down", env.ns) };
        let api: Api<Node> = Api::all((*env.client).clone());
        for (name, says) in [(&it.up, "True"), (&it.down, "Unknown")] {
            let node: Node = serde_json::from_value(json!({ "metadata": { "name": name } }))?;
            api.create(&PostParams::default(), &node).await.context("a machine")?;
            let status = Patch::Merge(json!({ "status": { "conditions": [ready(says)] } }));
            api.patch_status(name, &PatchParams::default(), &status).await?;
        }
        Ok(it)
    }

    /// Machines are in no namespace: nobody else takes them away.
    async fn leave(self, env: &TestEnv) -> Result<()> {
        let api: Api<Node> = Api::all((*env.client).clone());
        for name in [self.up, self.down] {
            api.delete(&name, &DeleteParams::default()).await?;
        }
        Ok(())
    }
}
