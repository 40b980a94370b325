//! A little world for stories: an API server's objects, the controllers that surround us, sidecars,
//! and the operator as the shell runs it. Every promise that can be seen from here is checked at
//! every step.

mod act;
mod checks;
mod cluster;
mod operator;

use std::collections::{BTreeMap, BTreeSet};

use sei_api::{SeiNode, SeiNodeDeployment, k8s, labels};
use sei_sidecar_api::TaskResult;
use serde_json::Value;
use uuid::Uuid;

use super::scene::{at, platform};

use crate::effect::Resource;
use crate::platform::Platform;
use crate::tempo::Tempo;
pub(crate) use checks::check_conditions;

/// Everything there is.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// Seconds since the story began.
    pub(crate) now: i64,
    pub(crate) fleets: BTreeMap<String, SeiNodeDeployment>,
    pub(crate) nodes: BTreeMap<String, SeiNode>,
    pub(crate) sets: BTreeMap<String, k8s::StatefulSet>,
    pub(crate) pods: BTreeMap<String, k8s::Pod>,
    pub(crate) services: BTreeMap<String, k8s::Service>,
    pub(crate) claims: BTreeMap<String, k8s::PersistentVolumeClaim>,
    pub(crate) maps: BTreeMap<String, k8s::ConfigMap>,
    pub(crate) sidecars: BTreeMap<String, Sidecar>,
    /// What people heard: object, reason and message.
    pub(crate) heard: Vec<String>,
    pub(crate) habits: Habits,
    caches: Caches,
    revisions: BTreeMap<String, Vec<Value>>,
    uids: u128,
    /// Counts everything that moved.
    moves: u64,
    /// Counts what the operator cannot but send to the API server.
    pub(crate) writes: u64,
    platform: Platform,
    tempo: Tempo,
}

/// How this world behaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Habits {
    /// No pods are made: only the StatefulSets' counts move.
    pub(crate) no_kubelets: bool,
    /// The StatefulSet controller stands still.
    pub(crate) paused: bool,
    /// Every write happens twice.
    pub(crate) twice: bool,
    /// Attempts of a sidecar task that fail before one succeeds.
    pub(crate) failures: BTreeMap<String, u32>,
    /// The operator's caches are refreshed every so many steps, each kind at its own pace.
    pub(crate) lag: Option<u64>,
    /// Writes of these kinds and names fail, as long as they are here.
    pub(crate) refused: BTreeSet<String>,
}

/// What a lagging operator has seen, and what it wrote since.
#[derive(Clone, Debug, Default)]
struct Caches {
    steps: u64,
    nodes: BTreeMap<String, SeiNode>,
    sets: BTreeMap<String, k8s::StatefulSet>,
    pods: BTreeMap<String, k8s::Pod>,
    written: BTreeSet<(Resource, String)>,
}

/// A sidecar: its rows outlive the pod, its readiness does not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sidecar {
    pub(crate) rows: BTreeMap<Uuid, TaskResult>,
    pub(crate) ready: bool,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            now: 0,
            fleets: BTreeMap::new(),
            nodes: BTreeMap::new(),
            sets: BTreeMap::new(),
            pods: BTreeMap::new(),
            services: BTreeMap::new(),
            claims: BTreeMap::new(),
            maps: BTreeMap::new(),
            sidecars: BTreeMap::new(),
            heard: Vec::new(),
            habits: Habits::default(),
            caches: Caches::default(),
            revisions: BTreeMap::new(),
            uids: 0,
            moves: 0,
            writes: 0,
            platform: platform(),
            tempo: Tempo::default(),
        }
    }

    /// A world with the fleet `s`.
    pub(crate) fn with_fleet(replicas: i32, image: &str) -> Self {
        let mut world = Self::new();
        let mut fleet = SeiNodeDeployment::new("s", Default::default());
        fleet.metadata.namespace = Some("ns".to_owned());
        fleet.metadata.uid = Some("fleet-uid".to_owned());
        fleet.metadata.generation = Some(1);
        fleet.metadata.finalizers = Some(vec![labels::NODEDEPLOYMENT_FINALIZER.to_owned()]);
        fleet.spec.replicas = replicas;
        fleet.spec.template.spec.chain_id = "c1".to_owned();
        fleet.spec.template.spec.image = image.to_owned();
        fleet.spec.template.spec.full_node = Some(Default::default());
        world.fleets.insert("s".to_owned(), fleet);
        world
    }

    pub(crate) fn fleet(&self) -> &SeiNodeDeployment {
        &self.fleets["s"]
    }

    /// The user edits the fleet; a change of its spec is a new generation.
    pub(crate) fn edit(&mut self, edit: impl FnOnce(&mut SeiNodeDeployment)) {
        let fleet = self.fleets.get_mut("s").unwrap();
        let before = fleet.spec.clone();
        edit(fleet);
        if fleet.spec != before {
            *fleet.metadata.generation.as_mut().unwrap() += 1;
        }
    }

    pub(crate) fn set_image(&mut self, image: &str) {
        self.edit(|it| image.clone_into(&mut it.spec.template.spec.image));
    }

    /// The user deletes a node.
    pub(crate) fn delete_node(&mut self, name: &str) {
        let now = k8s::Time(at(self.now));
        let node = self.nodes.get_mut(name).unwrap();
        node.metadata.deletion_timestamp.get_or_insert(now);
    }

    /// What runs in each pod, by node.
    pub(crate) fn running(&self) -> BTreeMap<String, String> {
        let image = |name: &String| {
            let image = cluster::running_image(self.pods.get(&format!("{name}-0"))?)?;
            Some((name.clone(), image.to_owned()))
        };
        self.sets.keys().filter_map(image).collect()
    }

    /// How often people heard `reason` of `object`.
    pub(crate) fn times_heard(&self, object: &str, reason: &str) -> usize {
        let start = format!("{object} {reason}:");
        self.heard.iter().filter(|it| it.starts_with(&start)).count()
    }

    /// The facts that may not depend on how we came here.
    pub(crate) fn facts(&self) -> String {
        let mut facts = format!("running {:?}\n", self.running());
        for (name, node) in &self.nodes {
            let status = node.status.clone().unwrap_or_default();
            let plan = status.plan.is_some();
            facts += &format!(
                "{name}: {:?} {} {:?} {:?} plan={plan}\n",
                status.phase, node.spec.image, status.current_image, status.current_sidecar_image
            );
        }
        for (name, set) in &self.sets {
            let template = &set.spec.as_ref().unwrap().template.spec;
            let image = crate::node::evidence::image_of(template.as_ref().unwrap(), "seid");
            facts += &format!("set {name} {image:?}\n");
        }
        let names = |keys: Vec<&String>| format!("{keys:?}\n");
        facts += &names(self.services.keys().collect());
        facts += &names(self.claims.keys().collect());
        facts += &names(self.maps.keys().collect());
        for fleet in self.fleets.values() {
            let status = fleet.status.clone().unwrap_or_default();
            let rollout = status.rollout.is_some() || status.plan.is_some();
            facts += &format!("{:?} {:?} {rollout}\n", status.phase, status.template_hash);
        }
        facts
    }

    fn uid(&mut self) -> String {
        self.uids += 1;
        format!("uid-{}", self.uids)
    }

    fn fresh_id(&mut self) -> Uuid {
        self.uids += 1;
        Uuid::from_u128(self.uids)
    }
}
