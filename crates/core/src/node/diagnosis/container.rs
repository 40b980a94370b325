//! What is wrong with the containers of a pod, in the order in which they start.

use std::time::Duration;

use jiff::Timestamp;
use sei_api::condition::Reason;
use sei_api::k8s;

use super::{Cause, name_of, says, unready_since, words};
use crate::tempo::Tempo;

/// What is wrong with each container; in a pod that is ready, only with those that are, too.
pub(super) fn causes(pod: &k8s::Pod, now: Timestamp, tempo: &Tempo) -> Vec<Cause> {
    let Some(status) = &pod.status else { return Vec::new() };
    let init = status.init_container_statuses.iter().flatten();
    let all = init.chain(status.container_statuses.iter().flatten());
    let serves = says(pod, "Ready", "True");
    let told = all.filter(|it| !serves || it.ready);
    told.filter_map(|it| Some(cause(pod, it, &trouble(it, now, tempo)?))).collect()
}

/// What is wrong with one container.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Trouble {
    /// Its image's name means nothing.
    Name(String),
    /// Its image does not come.
    Pull(String),
    /// It cannot be created, or its command cannot be run.
    Start(String),
    /// It was killed for its use of memory.
    Memory,
    /// It ends soon after each start.
    Crash(String),
}

fn trouble(status: &k8s::ContainerStatus, now: Timestamp, tempo: &Tempo) -> Option<Trouble> {
    let state = status.state.as_ref()?;
    let last = status.last_state.as_ref().and_then(|it| it.terminated.as_ref());
    if let Some(waiting) = &state.waiting {
        return waits(waiting, last);
    }
    if let Some(ended) = &state.terminated {
        // The kubelet tries again at once after the first time.
        let again = status.restart_count > 0;
        return ended_badly(ended).filter(|it| again || !matches!(it, Trouble::Crash(_)));
    }
    // Between two crashes it runs for a while, which heals nothing. It may be ready then, because
    // its probe asks for no more than the sidecar's leave to start.
    let last = last.filter(|_| status.restart_count > 1)?;
    let began = state.running.as_ref()?.started_at.as_ref().map(|it| it.0);
    let lasted = life(last).filter(|it| *it < tempo.crash_memory)?;
    let lasts = began.map_or(Duration::ZERO, |it| now.duration_since(it).unsigned_abs());
    let enough = if status.ready { tempo.min_ready } else { lasted.max(tempo.min_ready) };
    if lasts <= enough { ended_badly(last) } else { None }
}

fn waits(
    waiting: &k8s::ContainerStateWaiting,
    last: Option<&k8s::ContainerStateTerminated>,
) -> Option<Trouble> {
    let said = waiting.message.as_deref().unwrap_or_default();
    match waiting.reason.as_deref().unwrap_or_default() {
        "InvalidImageName" => Some(Trouble::Name(words::stable(said))),
        reason @ ("ErrImagePull"
        | "ImagePullBackOff"
        | "ErrImageNeverPull"
        | "ImageInspectError"
        | "RegistryUnavailable"
        | "SignatureValidationFailed") => Some(Trouble::Pull(words::of_pull(said, reason))),
        "CreateContainerConfigError"
        | "CreateContainerError"
        | "PreCreateHookError"
        | "PreStartHookError"
        | "PostStartHookError"
        | "RunContainerError" => Some(Trouble::Start(words::stable(said))),
        "CrashLoopBackOff" => {
            let crashed = || Trouble::Crash(last.map(exit).unwrap_or_default());
            Some(last.and_then(ended_badly).unwrap_or_else(crashed))
        }
        _ => None,
    }
}

/// How a container ended, unless it ended well.
fn ended_badly(ended: &k8s::ContainerStateTerminated) -> Option<Trouble> {
    match ended.reason.as_deref().unwrap_or_default() {
        "OOMKilled" => Some(Trouble::Memory),
        "StartError" | "ContainerCannotRun" => {
            Some(Trouble::Start(words::stable(ended.message.as_deref().unwrap_or_default())))
        }
        _ if ended.exit_code == 0 => None,
        _ => Some(Trouble::Crash(exit(ended))),
    }
}

fn exit(ended: &k8s::ContainerStateTerminated) -> String {
    format!("its last exit code is {}", ended.exit_code)
}

fn life(ended: &k8s::ContainerStateTerminated) -> Option<Duration> {
    let (began, end) = (ended.started_at.as_ref()?.0, ended.finished_at.as_ref()?.0);
    Some(end.duration_since(began).unsigned_abs())
}

fn cause(pod: &k8s::Pod, status: &k8s::ContainerStatus, trouble: &Trouble) -> Cause {
    let (name, container) = (name_of(&pod.metadata), &status.name);
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let image = pod.spec.as_ref().and_then(|it| crate::node::evidence::image_of(it, container));
    let image = image.unwrap_or(&status.image);
    let describe = format!("see kubectl -n {namespace} describe pod {name}");
    let logs = format!("see kubectl -n {namespace} logs {name} -c {container} --previous");
    let (reason, how, because, said, next) = match trouble {
        Trouble::Name(said) => (
            Reason::InvalidImage,
            "cannot start",
            format!("image \"{image}\" is no valid reference"),
            said.as_str(),
            "correct the image in the spec".to_owned(),
        ),
        Trouble::Pull(said) => (
            Reason::ImagePullFailed,
            "cannot start",
            format!("image \"{image}\" cannot be pulled"),
            said.as_str(),
            "correct the image in the spec, or let the registry serve it".to_owned(),
        ),
        Trouble::Start(said) => {
            (Reason::ContainerStartFailed, "cannot start", String::new(), said.as_str(), describe)
        }
        Trouble::Memory => (
            Reason::OomKilled,
            "is not ready",
            "it was killed for its use of memory".to_owned(),
            "",
            format!("give it more memory, or find what takes it: {logs}"),
        ),
        Trouble::Crash(code) => (Reason::CrashLoop, "does not stay up", code.clone(), "", logs),
    };
    let what = format!("container \"{container}\" of pod \"{name}\" {how}");
    let needs_help = matches!(trouble, Trouble::Name(_));
    let since = unready_since(pod);
    Cause { reason, needs_help, what, since, because, said: said.to_owned(), next }
}
