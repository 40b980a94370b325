//! The state of a test's namespace in words, for whoever reads a failure.

use std::fmt::Write;

use kube::ResourceExt;
use kube::api::ListParams;
use sei_api::k8s::{Event, StatefulSet};
use sei_api::{SeiNode, SeiNodeDeployment, TaskPlan};

use super::TestEnv;
use crate::request_log::{Outcome, Record, Verb};

/// How many of the controllers' last requests are shown.
const REQUESTS_SHOWN: usize = 50;

impl TestEnv {
    /// Fleets, children, StatefulSets, events, doubles, and what the controllers sent last.
    pub async fn dump(&self) -> String {
        let mut text = format!("--- state of namespace \"{}\"\n", self.ns);
        let all = ListParams::default();
        section(&mut text, self.api().list(&all).await, fleet);
        section(&mut text, self.api().list(&all).await, node);
        section(&mut text, self.api().list(&all).await, stateful_set);
        section(&mut text, self.api().list(&all).await, event);
        line(&mut text, format_args!("status faker: {}", self.faker.describe()));
        let submissions = self.sidecars.submissions();
        line(&mut text, format_args!("sidecar submissions: {}", submissions.len()));
        if let Some(controllers) = self.controllers.lock().await.as_ref() {
            line(
                &mut text,
                format_args!("controllers ended by themselves: {}", controllers.ended()),
            );
        }
        let sent = self.requests.all();
        line(&mut text, format_args!("requests of the controllers: {}, the last:", sent.len()));
        // Of watches that work, the last ones would be all.
        let dull = |record: &&Record| {
            record.verb == Verb::Watch && record.outcome == Outcome::Answered(200)
        };
        let telling: Vec<_> = sent.iter().filter(|it| !dull(it)).collect();
        for record in &telling[telling.len().saturating_sub(REQUESTS_SHOWN)..] {
            line(&mut text, format_args!("  {record}"));
        }
        text
    }
}

fn section<K: Clone>(
    text: &mut String,
    list: kube::Result<kube::core::ObjectList<K>>,
    show: fn(&K) -> String,
) {
    match list {
        Ok(list) => list.items.iter().for_each(|item| line(text, format_args!("{}", show(item)))),
        Err(err) => line(text, format_args!("cannot list: {err}")),
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

fn fleet(snd: &SeiNodeDeployment) -> String {
    let status = serde_json::to_value(&snd.status).unwrap_or_default();
    format!(
        "SeiNodeDeployment \"{}\" generation {:?} image \"{}\"\n{status:#}",
        snd.name_any(),
        snd.metadata.generation,
        snd.spec.template.spec.image,
    )
}

fn node(node: &SeiNode) -> String {
    let status = node.status.clone().unwrap_or_default();
    format!(
        "SeiNode \"{}\" phase {:?} spec \"{}\" current {:?} plan {}",
        node.name_any(),
        status.phase,
        node.spec.image,
        status.current_image,
        status.plan.as_ref().map_or("none".to_owned(), plan),
    )
}

fn plan(plan: &TaskPlan) -> String {
    let tasks = plan.tasks.iter().map(|task| {
        let error = task.error.as_ref().map_or(String::new(), |error| format!(" ({error})"));
        let submitted = if task.submitted_at.is_some() { " submitted" } else { "" };
        format!("{}={}{submitted}{error}", task.type_, task.status)
    });
    format!("{} {}", plan.phase, tasks.collect::<Vec<_>>().join(", "))
}

fn stateful_set(set: &StatefulSet) -> String {
    let spec = set.spec.as_ref();
    let containers = spec.and_then(|spec| spec.template.spec.as_ref()).map(|pod| &pod.containers);
    let images: Vec<String> = containers
        .into_iter()
        .flatten()
        .map(|c| format!("{}={}", c.name, c.image.as_deref().unwrap_or("none")))
        .collect();
    let status = serde_json::to_value(&set.status).unwrap_or_default();
    format!(
        "StatefulSet \"{}\" generation {:?} {} status {status}",
        set.name_any(),
        set.metadata.generation,
        images.join(" "),
    )
}

fn event(event: &Event) -> String {
    format!(
        "Event {} on {} \"{}\": {}",
        event.reason.as_deref().unwrap_or("?"),
        event.involved_object.kind.as_deref().unwrap_or("?"),
        event.involved_object.name.as_deref().unwrap_or("?"),
        event.message.as_deref().unwrap_or(""),
    )
}
