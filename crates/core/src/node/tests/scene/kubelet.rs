//! What kubelet, scheduler and the machine say, in words.

use std::sync::Arc;

use sei_api::k8s;

use super::{at, running};
use crate::fault::Fault;
use crate::node::tests::line::Line;
use crate::node::tests::server::disown;
use crate::node::{Observed, Pods, Seen};

/// The first pod that a scene names takes the place of the one that it would have had.
pub(super) fn add_pod(line: &Line, seen: &mut Observed) {
    line.knows(
        &["running", "waiting", "terminating", "theirs", "unlabelled", "bare"],
        &["rev", "image", "sidecar", "on", "ended", "finalizer"],
    );
    let Seen::Here(set) = &seen.statefulset else { panic!("a pod needs a workload") };
    let mut pod = super::pod(set, line.get("rev").unwrap_or("a"));
    let spec = pod.spec.as_mut().unwrap();
    if let Some(image) = line.text("image") {
        spec.containers.iter_mut().find(|it| it.name == "seid").unwrap().image = Some(image);
    }
    if let Some(image) = line.text("sidecar") {
        let mut init = spec.init_containers.iter_mut().flatten();
        init.find(|it| it.name == "sei-sidecar").unwrap().image = Some(image);
    }
    pod.status.as_mut().unwrap().container_statuses = Some(vec![running(!line.is("waiting"))]);
    pod.metadata.deletion_timestamp = line.is("terminating").then(|| k8s::Time(at(0)));
    place(line, &mut pod);
    if line.is("theirs") {
        disown(&mut pod.metadata, "theirs", "StatefulSet", "fn-0");
    }
    if line.is("unlabelled") {
        pod.metadata.labels.as_mut().unwrap().remove("controller-revision-hash");
    }
    if let Pods::Known(pods) = &mut seen.pods {
        pods.retain(|it| it.metadata.uid.as_deref() != Some("pod-uid"));
        pod.metadata.uid = Some(format!("pod-{}", pods.len()));
        pods.push(Arc::new(pod));
    }
}

/// Where the pod is, and how it goes.
fn place(line: &Line, pod: &mut k8s::Pod) {
    pod.metadata.creation_timestamp = Some(k8s::Time(at(-600)));
    pod.spec.as_mut().unwrap().node_name = line.text("on");
    if let Some(ended) = line.number("ended") {
        pod.metadata.deletion_timestamp = Some(k8s::Time(at(-ended)));
    }
    pod.metadata.finalizers = line.text("finalizer").map(|it| vec![it]);
    if line.is("bare") {
        pod.status = Some(Default::default());
    }
}

/// `container <name> <state> …` of the last pod: `wait=<reason>`, `ended`, or `up=<seconds>`;
/// `said=`; and of its last end `exit=`, `oom`, `lasted=`; `restarts=`, `ready`.
pub(super) fn container(line: &Line, seen: &mut Observed) {
    line.knows(
        &[line.word().unwrap(), "ended", "oom", "ready"],
        &["wait", "up", "said", "exit", "lasted", "restarts", "start"],
    );
    let ended = || k8s::ContainerStateTerminated {
        exit_code: i32::try_from(line.number("exit").unwrap_or(1)).unwrap(),
        reason: match (line.is("oom"), line.text("start")) {
            (true, _) => Some("OOMKilled".to_owned()),
            (_, Some(_)) => Some("StartError".to_owned()),
            (_, None) => None,
        },
        message: line.text("start"),
        started_at: Some(k8s::Time(at(-100 - line.number("lasted").unwrap_or(5)))),
        finished_at: Some(k8s::Time(at(-100))),
        ..Default::default()
    };
    let mut state = k8s::ContainerState::default();
    if let Some(reason) = line.text("wait") {
        let message = line.text("said");
        state.waiting = Some(k8s::ContainerStateWaiting { reason: Some(reason), message });
    } else if line.is("ended") {
        state.terminated = Some(ended());
    } else {
        let started_at = line.number("up").map(|it| k8s::Time(at(-it)));
        state.running = Some(k8s::ContainerStateRunning { started_at });
    }
    let restarts = line.number("restarts").unwrap_or_default();
    let last = (restarts > 0)
        .then(|| k8s::ContainerState { terminated: Some(ended()), ..Default::default() });
    let name = line.word().unwrap();
    let container = k8s::ContainerStatus {
        name: name.to_owned(),
        restart_count: i32::try_from(restarts).unwrap(),
        ready: line.is("ready"),
        state: Some(state),
        last_state: last,
        ..Default::default()
    };
    let status = last_pod(seen).status.get_or_insert_default();
    let is_main = ["seid", "cosmos-exporter"].contains(&name);
    let list = match is_main {
        true => status.container_statuses.get_or_insert_default(),
        false => status.init_container_statuses.get_or_insert_default(),
    };
    list.retain(|it| it.name != name);
    list.push(container);
}

/// `podcond <type> <status> since=<seconds> said=<text>` of the last pod.
pub(super) fn condition(line: &Line, seen: &mut Observed) {
    let condition = k8s::PodCondition {
        type_: line.word().unwrap().to_owned(),
        status: line.second().unwrap().to_owned(),
        message: line.text("said"),
        last_transition_time: line.number("since").map(|it| k8s::Time(at(-it))),
        ..Default::default()
    };
    let status = last_pod(seen).status.get_or_insert_default();
    status.conditions.get_or_insert_default().push(condition);
}

/// `phase=`, `class=`, `age=` and `volume=` of the claim.
pub(super) fn claim(line: &Line, seen: &mut Seen<k8s::PersistentVolumeClaim>) {
    let Seen::Here(claim) = seen else { return };
    let claim = Arc::make_mut(claim);
    if let Some(phase) = line.text("phase") {
        claim.status.get_or_insert_default().phase = Some(phase);
    }
    if let Some(class) = line.text("class") {
        claim.spec.get_or_insert_default().storage_class_name = Some(class);
    }
    if let Some(volume) = line.text("volume") {
        claim.spec.get_or_insert_default().volume_name = Some(volume);
    }
    if let Some(age) = line.number("age") {
        claim.metadata.creation_timestamp = Some(k8s::Time(at(-age)));
    }
}

/// `host <name> <Ready's status> since= said=`, `host gone`, `host unreadable`.
pub(super) fn host(line: &Line) -> Seen<k8s::Node> {
    let name = match line.word().unwrap() {
        "gone" => return Seen::Absent,
        "unreadable" => return Seen::Unreadable(Fault::transient("nodes is forbidden")),
        name => name,
    };
    let ready = k8s::NodeCondition {
        type_: "Ready".to_owned(),
        status: line.second().unwrap().to_owned(),
        message: line.text("said"),
        last_transition_time: line.number("since").map(|it| k8s::Time(at(-it))),
        ..Default::default()
    };
    let mut host = k8s::Node::default();
    host.metadata.name = Some(name.to_owned());
    host.status.get_or_insert_default().conditions = Some(vec![ready]);
    Seen::Here(Arc::new(host))
}

fn last_pod(seen: &mut Observed) -> &mut k8s::Pod {
    let Pods::Known(pods) = &mut seen.pods else { panic!("no pod is known") };
    Arc::make_mut(pods.last_mut().unwrap())
}
