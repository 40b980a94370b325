//! Which story is told, and what all of them do: create, type commands, wait for a state.

mod rollback;
mod rollout;
mod scale;
mod stuck;

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use kube::api::PostParams;
use kube::{Api, ResourceExt};
use sei_api::SeiNodeDeployment;
use sei_api::condition::{Reason, Status, Type};
use sei_api::k8s::Condition;
use sei_harness::local::LocalCluster;

use crate::fleet::{Fleet, View};
use crate::rows::{pod_image, tag};
use crate::sample::{FLEET, NAMESPACE, image};
use crate::screen::Screen;

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Story {
    /// A published fleet, and a rollout that is superseded in mid-flight
    Rollout,
    /// A bad tag: what is said of it, a scale while it is stuck, the way back by hand
    Stuck,
    /// To five nodes and down to two: what stays is not touched
    Scale,
    /// A version that crashes: the fleet goes back by itself
    Rollback,
}

impl Story {
    /// Every story, and how it is asked for, in one line.
    pub fn all() -> impl Iterator<Item = (Self, String)> {
        Self::value_variants().iter().filter_map(|story| {
            let value = story.to_possible_value()?;
            let about = value.get_help().map(ToString::to_string).unwrap_or_default();
            Some((*story, format!("make run STORY={:<9} {about}", value.get_name())))
        })
    }

    /// Tells it; ends well only if the cluster did what the lines say.
    ///
    /// # Errors
    /// What was waited for did not come.
    pub async fn tell(self, teller: &Teller<'_>) -> Result<()> {
        match self {
            Self::Rollout => rollout::tell(teller).await,
            Self::Stuck => stuck::tell(teller).await,
            Self::Scale => scale::tell(teller).await,
            Self::Rollback => rollback::tell(teller).await,
        }
    }
}

/// Who tells a story: where it plays, and who sees it.
pub struct Teller<'a> {
    pub screen: &'a Screen,
    pub fleet: &'a Fleet,
    deployments: Api<SeiNodeDeployment>,
    kubectl: PathBuf,
    kubeconfig: PathBuf,
}

impl<'a> Teller<'a> {
    /// A teller in this cluster.
    ///
    /// # Errors
    /// There is no `kubectl`.
    pub fn new(cluster: &LocalCluster, screen: &'a Screen, fleet: &'a Fleet) -> Result<Self> {
        Ok(Self {
            screen,
            fleet,
            deployments: Api::namespaced(cluster.client(), NAMESPACE),
            kubectl: cluster.kubectl()?,
            kubeconfig: cluster.kubeconfig().to_owned(),
        })
    }

    /// Creates a fleet and waits until it is ready on its version.
    async fn create(&self, deployment: &SeiNodeDeployment) -> Result<()> {
        self.deployments.create(&PostParams::default(), deployment).await?;
        let tag = tag(&deployment.spec.template.spec.image);
        self.screen.act(&format!("created SeiNodeDeployment {FLEET} with {tag}"));
        self.settled(usize::try_from(deployment.spec.replicas)?, tag).await
    }

    /// Waits until the fleet is ready on a version, and says so.
    async fn settled(&self, replicas: usize, tag: &str) -> Result<()> {
        let what = format!("ready with {replicas} nodes on {tag}");
        self.fleet.wait_for(&what, |view| settled(view, replicas, tag)).await?;
        self.screen.done(&format!("the fleet is Ready, every pod runs {tag}"));
        Ok(())
    }

    /// Runs what a person would type, and shows it with what it prints.
    async fn types(&self, args: &[&str]) -> Result<()> {
        let quoted: Vec<String> = args.iter().map(|it| quoted(it)).collect();
        self.screen.types(&format!("kubectl {}", quoted.join(" ")));
        let output = tokio::process::Command::new(&self.kubectl)
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(["--namespace", NAMESPACE])
            .args(args)
            .stdin(Stdio::null())
            .output()
            .await
            .context("start kubectl")?;
        ensure!(output.status.success(), "kubectl: {}", String::from_utf8_lossy(&output.stderr));
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            self.screen.prints(line.trim_end());
        }
        Ok(())
    }

    /// Asks for so many nodes, as a person would.
    async fn scale(&self, replicas: usize) -> Result<()> {
        self.types(&["scale", "snd", FLEET, "--replicas", &replicas.to_string()]).await
    }

    /// Edits the image of the fleet's template, as a person would.
    async fn push(&self, tag: &str) -> Result<()> {
        let image = image(tag);
        let patch = format!(r#"{{"spec":{{"template":{{"spec":{{"image":"{image}"}}}}}}}}"#);
        self.types(&["patch", "snd", FLEET, "--type", "merge", "-p", &patch]).await
    }
}

/// As a shell wants it.
fn quoted(word: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "-_./=,:".contains(it);
    if word.chars().all(plain) {
        return word.to_owned();
    }
    match word.split_once('=') {
        Some((name, value)) if name.chars().all(plain) => format!("{name}='{value}'"),
        Some(_) | None => format!("'{word}'"),
    }
}

/// Whether the fleet says that it is ready on a version, and its pods say the same.
fn settled(view: &View, replicas: usize, wanted: &str) -> Result<(), String> {
    let deployment = view.deployment(FLEET).ok_or("it is not there")?;
    let ready = condition(&deployment, Type::Ready).ok_or("it has no condition Ready")?;
    let (nodes, image) = (view.nodes(), image(wanted));
    if nodes.len() != replicas {
        return Err(format!("{} of {replicas} nodes exist", nodes.len()));
    }
    for node in &nodes {
        let name = node.name_any();
        let pod = view.pod_of(&name).ok_or_else(|| format!("\"{name}\" has no pod"))?;
        let runs = pod_image(&pod).unwrap_or_default();
        if runs != image || pod.metadata.deletion_timestamp.is_some() {
            return Err(format!("the pod of \"{name}\" is made for {}", tag(runs)));
        }
        let seen = node.status.as_ref().and_then(|status| status.current_image.as_deref());
        if seen != Some(image.as_str()) {
            return Err(format!("\"{name}\" is not seen to run {wanted}"));
        }
    }
    let status = deployment.status.as_ref();
    let observed = status.and_then(|status| status.observed_generation);
    if ready.status != Status::True.as_str() || observed != deployment.metadata.generation {
        return Err(format!("Ready is {}, {}: {}", ready.status, ready.reason, ready.message));
    }
    Ok(())
}

/// A condition of a fleet.
fn condition(deployment: &SeiNodeDeployment, wanted: Type) -> Option<Condition> {
    let conditions = &deployment.status.as_ref()?.conditions;
    conditions.iter().find(|condition| condition.type_ == wanted.as_str()).cloned()
}

/// Whether the fleet is stalled for this reason.
fn stalled(view: &View, reason: Reason) -> Result<(), String> {
    let deployment = view.deployment(FLEET).ok_or("it is not there")?;
    let said = condition(&deployment, Type::Stalled).ok_or("it has no condition Stalled")?;
    let is_meant = said.status == Status::True.as_str() && said.reason == reason.as_str();
    is_meant.then_some(()).ok_or_else(|| format!("Stalled is {}, {}", said.status, said.reason))
}

/// The UIDs of the pods of these nodes.
fn pods_of(view: &View, nodes: &[&str]) -> Vec<Option<String>> {
    nodes.iter().map(|node| view.pod_of(node)?.uid()).collect()
}

#[cfg(test)]
mod tests {
    //! Commands can be copied.

    use super::*;

    #[test]
    fn every_story_has_its_line() {
        let lines: Vec<String> = Story::all().map(|(_, line)| line).collect();
        let stuck = "make run STORY=stuck     A bad tag: what is said of it, a scale while it is stuck, \
                     the way back by hand";
        assert_eq!((lines.len(), lines[1].as_str()), (4, stuck));
        assert!(lines.iter().all(|line| line.len() <= 105), "{lines:#?}");
    }

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("--replicas=5"), "--replicas=5");
        assert_eq!(quoted(r#"{"spec":{}}"#), r#"'{"spec":{}}'"#);
        assert_eq!(quoted("jsonpath={.a==1}"), "jsonpath='{.a==1}'");
    }
}
