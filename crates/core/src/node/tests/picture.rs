//! Decisions as text: what a reviewer has to see, and nothing that varies.

use std::fmt::Write;

use sei_api::condition::Type;
use sei_api::{PlanPhase, PlannedTask, TaskPlan, TaskStatus, k8s};

use crate::decision::Requeue;
use crate::effect::{Desired, Effect};
use crate::notice::Notice;

/// What fits beside the indentation of a test.
const COLUMNS_MAX: usize = 78;

/// A picture under construction: one line for each fact.
#[derive(Debug, Default)]
pub(crate) struct Picture(pub(crate) String);

impl Picture {
    /// Long text goes on under itself; the digest of an image is left out.
    pub(crate) fn line(&mut self, subject: &str, text: &str) {
        let mut line = format!("{subject:<8}");
        for word in text.split(' ') {
            let word = word.split_once("@sha256:").map_or(word, |(name, _)| name);
            if line.len() + word.len() > COLUMNS_MAX {
                writeln!(self.0, "{}", line.trim_end()).unwrap();
                line = " ".repeat(10);
            }
            line.push(' ');
            line.push_str(word);
        }
        writeln!(self.0, "{}", line.trim_end()).unwrap();
    }

    /// A line only if the fact changed.
    pub(crate) fn change(&mut self, subject: &str, before: Option<&str>, after: Option<&str>) {
        if before != after {
            let text = format!("{} -> {}", before.unwrap_or("none"), after.unwrap_or("none"));
            self.line(subject, &text);
        }
    }

    pub(crate) fn plan(&mut self, before: Option<&TaskPlan>, after: Option<&TaskPlan>) {
        if before == after {
            return;
        }
        let renewed = before.and_then(|it| it.id.as_ref()) != after.and_then(|it| it.id.as_ref());
        match after {
            None => self.line("plan", "none"),
            Some(plan) => {
                let mark = if renewed { "new " } else { "" };
                self.line("plan", &format!("{mark}{}", plan_text(plan)));
            }
        }
    }

    /// Conditions whose status, reason or message changed; the three of kstatus share a line.
    pub(crate) fn conditions(&mut self, before: &[k8s::Condition], after: &[k8s::Condition]) {
        let kstatus = [Type::Ready, Type::Reconciling, Type::Stalled].map(Type::as_str);
        let said = |list: &[k8s::Condition], kind: &str| {
            list.iter()
                .find(|it| it.type_ == kind)
                .map(|it| (it.status.clone(), it.reason.clone(), it.message.clone()))
        };
        for it in after.iter().filter(|it| !kstatus.contains(&it.type_.as_str())) {
            if said(before, &it.type_) != said(after, &it.type_) {
                let text = format!("{} {} {}: {}", it.type_, it.status, it.reason, it.message);
                self.line("cond", &text);
            }
        }
        let told: Vec<String> = kstatus
            .iter()
            .filter_map(|kind| after.iter().find(|it| it.type_ == *kind))
            .map(|it| format!("{}={}", it.type_, it.status))
            .collect();
        let ready = after.iter().find(|it| it.type_ == kstatus[0]);
        let why = ready.map(|it| format!("{}: {}", it.reason, it.message)).unwrap_or_default();
        self.line("kstatus", &format!("{} {why}", told.join(" ")));
    }

    pub(crate) fn effects(&mut self, effects: &[Effect]) {
        if effects.is_empty() {
            self.line("effects", "none");
        }
        for effect in effects {
            self.line("effect", &effect_text(effect));
        }
    }

    pub(crate) fn requeue(&mut self, requeue: Requeue) {
        self.line("requeue", &requeue_text(requeue));
    }

    pub(crate) fn notices(&mut self, notices: &[Notice]) {
        for it in notices {
            let text = format!("{} {}: {}", it.severity.as_str(), it.reason, it.message);
            self.line("notice", &text);
        }
    }
}

/// The plan's kind is read from its tasks.
pub(crate) fn plan_text(plan: &TaskPlan) -> String {
    let has = |kind: &str| plan.tasks.iter().any(|it| it.type_ == kind);
    let kind = match () {
        () if has("observe-image") => "update",
        () if has("ensure-data-pvc") => "init",
        () if has("update-node-specs") => "rollout",
        () if has("mark-ready") => "mark-ready",
        () => "unknown",
    };
    let target = plan.target.as_ref().map(|it| {
        let sidecar = it.sidecar_image.iter().map(|image| format!("+{image}"));
        format!(" {}{}", it.image.clone().unwrap_or_default(), sidecar.collect::<String>())
    });
    let mut phase =
        if plan.phase == PlanPhase::Active { String::new() } else { format!(" {}", plan.phase) };
    phase += &plan.attempt.map(|it| format!(" attempt {it}")).unwrap_or_default();
    let tasks: Vec<String> = plan.tasks.iter().map(task_text).collect();
    format!("{kind}{}{phase}: {}", target.unwrap_or_default(), tasks.join(", "))
}

/// `+` done, `>` begun, `!` failed; then the retry count and the error, if there are any.
fn task_text(task: &PlannedTask) -> String {
    let mark = match (&task.status, &task.submitted_at) {
        (TaskStatus::Complete, _) => "+",
        (TaskStatus::Failed, _) => "!",
        (TaskStatus::Pending | TaskStatus::Unknown(_), Some(_)) => ">",
        (TaskStatus::Pending | TaskStatus::Unknown(_), None) => "",
    };
    let retry =
        if task.retry_count > 0 { format!(" #{}", task.retry_count) } else { String::new() };
    let error = task.error.iter().map(|it| format!(" ({it})")).collect::<String>();
    format!("{mark}{}{retry}{error}", task.type_)
}

pub(crate) fn requeue_text(requeue: Requeue) -> String {
    match requeue {
        Requeue::Again => "again".to_owned(),
        Requeue::NextPass => "next pass".to_owned(),
        Requeue::After(delay) => format!("after {delay:?}"),
        Requeue::Backoff => "backoff".to_owned(),
        Requeue::Never => "never".to_owned(),
    }
}

pub(crate) fn effect_text(effect: &Effect) -> String {
    match effect {
        Effect::Apply { object, over } => {
            let force = if over.is_some() { " forced" } else { "" };
            format!("apply {}{force}", desired_text(object))
        }
        Effect::Create(object) => format!("create {}", desired_text(object)),
        Effect::SetOwners { target, owners } => {
            let owners: Vec<String> = owners.iter().map(|it| it.uid.clone()).collect();
            format!("own {:?} {} by [{}]", target.resource, target.name, owners.join(", "))
        }
        Effect::Delete(target) => format!("delete {:?} {}", target.resource, target.name),
        Effect::RemoveFinalizer => "remove finalizer".to_owned(),
        Effect::Submit(request) => {
            let params = request.params.as_ref().map(|it| serde_json::to_string(it).unwrap());
            format!("submit {} {}", request.task_type.as_str(), params.unwrap_or_default())
        }
    }
}

fn desired_text(object: &Desired) -> String {
    let images = match object {
        Desired::SeiNode(node) => {
            let sidecar = node.spec.sidecar.as_ref().and_then(|it| it.image.as_ref());
            let revision = &node.spec.pod_labels[sei_api::labels::REVISION];
            let sidecar = sidecar.map(|it| format!("+{it}")).unwrap_or_default();
            format!(" {}{sidecar} rev {revision}", node.spec.image)
        }
        Desired::StatefulSet(set) => {
            let pod = set.spec.as_ref().unwrap().template.spec.as_ref().unwrap();
            let image = crate::node::evidence::image_of(pod, crate::node::SEID);
            format!(" {}", image.unwrap_or_default())
        }
        Desired::HttpRoute(route) => {
            format!(" {}", route.spec.hostnames.clone().unwrap_or_default().join(" "))
        }
        Desired::Service(_) | Desired::Claim(_) | Desired::ConfigMap(_) => String::new(),
    };
    format!("{:?} {}{images}", object.resource(), object.name())
}
