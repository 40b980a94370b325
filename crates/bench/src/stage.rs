//! Everything around what is measured: one API server, sidecars, the driver, the watches that tell
//! when something is done; and the few things that a user does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use sei_api::k8s::{Namespace, StatefulSet};
use sei_api::{SeiNode, SeiNodeDeployment};
use sei_harness::fixtures::new_snd;
use sei_harness::suite::operator_kubeconfig;
use sei_harness::{ControlPlane, ControlPlaneOptions};
use sei_sidecar_sim::Sidecars;
use sei_sidecar_sim::http::HttpFront;
use serde_json::json;
use tokio::time::Instant;

use crate::driver::{Driver, Pace};
use crate::observer::{Observer, Sight};
use crate::operator::Operator;

/// All fleets are in one namespace: whatever scans a namespace shows.
pub const NAMESPACE: &str = "bench";

/// Nodes of each fleet.
pub const REPLICAS: i32 = 2;

/// A user's requests that are under way at once.
const REQUESTS_AT_ONCE: usize = 64;

/// One API server and all that is around the operator.
pub struct Stage {
    // Field order is drop order: the operator first, the API server last.
    operator: Option<Operator>,
    /// Plays the StatefulSet controller.
    pub driver: Driver,
    /// All fleets.
    pub fleets: Observer<SeiNodeDeployment>,
    /// All nodes.
    pub nodes: Observer<SeiNode>,
    /// All workloads.
    pub sets: Observer<StatefulSet>,
    /// An administrator's client.
    pub client: Client,
    front: HttpFront,
    program: PathBuf,
    kubeconfig: PathBuf,
    images: u32,
    control_plane: ControlPlane,
}

impl Stage {
    /// Starts everything but the operator.
    ///
    /// # Errors
    /// Binaries are missing, or something does not start.
    pub async fn start(program: &Path) -> Result<Self> {
        let control_plane = ControlPlane::start(ControlPlaneOptions::from_env()?).await?;
        let client = control_plane.client()?;
        let mut namespace = Namespace::default();
        namespace.metadata.name = Some(NAMESPACE.to_owned());
        Api::all(client.clone()).create(&PostParams::default(), &namespace).await?;
        let front = HttpFront::start(Sidecars::new()).await.context("serve the sidecars")?;
        Ok(Self {
            operator: None,
            driver: Driver::start(Pace::Immediate, &client, NAMESPACE),
            fleets: Observer::start(Api::namespaced(client.clone(), NAMESPACE)),
            nodes: Observer::start(Api::namespaced(client.clone(), NAMESPACE)),
            sets: Observer::start(Api::namespaced(client.clone(), NAMESPACE)),
            kubeconfig: operator_kubeconfig(&control_plane).await?,
            client,
            front,
            program: program.to_owned(),
            images: 0,
            control_plane,
        })
    }

    /// Starts the operator and waits until it is ready.
    ///
    /// # Errors
    /// It does not get ready.
    pub async fn start_operator(&mut self) -> Result<()> {
        self.spawn_operator()?.ready().await
    }

    /// Starts the operator; it is not ready yet.
    ///
    /// # Errors
    /// No process can be started.
    pub fn spawn_operator(&mut self) -> Result<&mut Operator> {
        let operator =
            Operator::spawn(&self.program, &self.kubeconfig, &self.front.url_template())?;
        Ok(self.operator.insert(operator))
    }

    /// The running operator.
    ///
    /// # Errors
    /// None runs.
    pub fn operator(&self) -> Result<&Operator> {
        self.operator.as_ref().context("no operator runs")
    }

    /// Stops the operator, if one runs.
    ///
    /// # Errors
    /// The process cannot be waited for.
    pub async fn stop_operator(&mut self) -> Result<()> {
        match self.operator.take() {
            Some(operator) => operator.stop().await,
            None => Ok(()),
        }
    }

    /// From now on StatefulSets are driven at this pace.
    pub fn drive(&mut self, pace: Pace) {
        self.driver = Driver::start(pace, &self.client, NAMESPACE);
    }

    /// An image that no fleet has had.
    pub fn next_image(&mut self) -> String {
        self.images += 1;
        format!("ghcr.io/sei-protocol/seid:v1.{}.0", self.images)
    }

    /// Creates fleets of two, all at once, and waits until each runs; gives when each did.
    ///
    /// # Errors
    /// One is refused, or does not come up.
    pub async fn create(&self, names: &[String], image: &str) -> Result<Arrivals> {
        let api = self.deployments();
        let begun = Instant::now();
        let create = |name: &String| {
            let fleet = new_snd(NAMESPACE, name).with_replicas(REPLICAS).with_image(image).build();
            let api = api.clone();
            async move { api.create(&PostParams::default(), &fleet).await }
        };
        let created = stream::iter(names.iter().map(create)).buffer_unordered(REQUESTS_AT_ONCE);
        created.try_for_each(|_| async { Ok(()) }).await.context("create fleets")?;
        let sights = self.complete(names, image).await?;
        Ok(Arrivals { begun, sights })
    }

    /// Edits the image of fleets, all at once, and waits until each runs it everywhere; gives when
    /// each did.
    ///
    /// # Errors
    /// One is refused, or does not get there.
    pub async fn roll_out(&self, names: &[String], image: &str) -> Result<Arrivals> {
        let begun = Instant::now();
        let edits = stream::iter(names.iter().map(|name| self.edit(name, image)));
        let edits = edits.buffer_unordered(REQUESTS_AT_ONCE);
        edits.try_for_each(|()| async { Ok(()) }).await?;
        let sights = self.complete(names, image).await?;
        Ok(Arrivals { begun, sights })
    }

    /// What a user does to roll out an image.
    ///
    /// # Errors
    /// It is refused.
    pub async fn edit(&self, name: &str, image: &str) -> Result<()> {
        let patch = json!({ "spec": { "template": { "spec": { "image": image } } } });
        let sent = Patch::Merge(&patch);
        self.deployments().patch(name, &PatchParams::default(), &sent).await.context("edit")?;
        Ok(())
    }

    /// Waits until each of these fleets runs `image` everywhere.
    ///
    /// # Errors
    /// One does not get there.
    pub async fn complete(
        &self,
        names: &[String],
        image: &str,
    ) -> Result<BTreeMap<String, Sight<SeiNodeDeployment>>> {
        let names: BTreeSet<String> = names.iter().cloned().collect();
        let found =
            self.fleets.until_all(names, "rollout", |fleet| is_complete(fleet, image)).await;
        found.with_context(|| {
            let log = self.operator.as_ref().map(Operator::log).unwrap_or_default();
            format!("the operator's log:\n{log}\n")
        })
    }

    fn deployments(&self) -> Api<SeiNodeDeployment> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    /// Stops everything, the API server last.
    ///
    /// # Errors
    /// A process cannot be waited for.
    pub async fn stop(mut self) -> Result<()> {
        self.stop_operator().await?;
        let Self { driver, fleets, nodes, sets, front, control_plane, .. } = self;
        drop((driver, fleets, nodes, sets, front));
        control_plane.stop().await
    }
}

/// Fleets that were told something at one moment, and when each had done it.
#[derive(Debug)]
pub struct Arrivals {
    begun: Instant,
    sights: BTreeMap<String, Sight<SeiNodeDeployment>>,
}

impl Arrivals {
    /// How long each fleet took.
    pub fn each(&self) -> Vec<std::time::Duration> {
        self.sights.values().map(|sight| sight.at - self.begun).collect()
    }

    /// How long the last one took.
    pub fn last(&self) -> std::time::Duration {
        self.each().into_iter().max().unwrap_or_default()
    }
}

/// Does the fleet say that it rests, and that every node was seen running `image`?
pub fn is_complete(fleet: &SeiNodeDeployment, image: &str) -> bool {
    let Some(status) = &fleet.status else { return false };
    let runs = status.nodes.iter().filter(|it| it.current_image.as_deref() == Some(image)).count();
    fleet.spec.template.spec.image == image
        && status.observed_generation == fleet.metadata.generation
        && status.template_hash.is_some()
        && status.rollout.is_none()
        && status.plan.is_none()
        && runs == usize::try_from(fleet.spec.replicas).unwrap_or_default()
}
