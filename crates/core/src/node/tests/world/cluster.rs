//! The controllers around us: StatefulSets that replace nothing by themselves, kubelets, sidecars,
//! the garbage collector.

use std::collections::BTreeSet;

use sei_api::k8s;
use sei_sidecar_api::TaskStatus;

use super::World;
use crate::node::tests::scene::{at, pod, running};

/// Does `seid` run in this pod?
fn runs(pod: &k8s::Pod) -> bool {
    let statuses = pod.status.iter().flat_map(|it| it.container_statuses.iter().flatten());
    statuses.into_iter().any(|it| it.state.as_ref().is_some_and(|it| it.running.is_some()))
}

/// The image of `seid`, when it runs in this pod.
pub(super) fn running_image(pod: &k8s::Pod) -> Option<&str> {
    let image = crate::node::evidence::image_of(pod.spec.as_ref()?, crate::node::SEID)?;
    runs(pod).then_some(image)
}

impl World {
    /// One step of everything that is not us.
    pub(super) fn others(&mut self) {
        self.collect();
        if !self.habits.paused {
            let names: Vec<String> = self.sets.keys().cloned().collect();
            names.iter().for_each(|name| self.roll(name));
        }
        let nodes: Vec<String> = self.sidecars.keys().cloned().collect();
        nodes
            .iter()
            .filter(|it| self.answers(it))
            .cloned()
            .collect::<Vec<_>>()
            .iter()
            .for_each(|node| self.work(node));
    }

    /// Does this node's sidecar answer?
    pub(super) fn answers(&self, node: &str) -> bool {
        if self.habits.no_kubelets {
            return self.sets.contains_key(node);
        }
        self.pods.get(&format!("{node}-0")).is_some_and(runs)
    }

    /// Objects without a living controller go.
    fn collect(&mut self) {
        let count = |world: &Self| {
            let living = world.nodes.values().filter(|it| it.metadata.deletion_timestamp.is_none());
            living.count()
                + world.sets.len()
                + world.services.len()
                + world.maps.len()
                + world.claims.len()
                + world.pods.len()
        };
        let before = count(self);
        let living: BTreeSet<String> = self
            .fleets
            .values()
            .map(|it| &it.metadata)
            .chain(self.nodes.values().map(|it| &it.metadata))
            .chain(self.sets.values().map(|it| &it.metadata))
            .filter_map(|it| it.uid.clone())
            .collect();
        let lives = |meta: &k8s::ObjectMeta| {
            crate::ownership::controller(meta).is_none_or(|it| living.contains(&it.uid))
        };
        let now = k8s::Time(at(self.now));
        for node in self.nodes.values_mut().filter(|it| !lives(&it.metadata)) {
            node.metadata.deletion_timestamp.get_or_insert(now.clone());
        }
        self.sets.retain(|_, it| lives(&it.metadata));
        self.services.retain(|_, it| lives(&it.metadata));
        self.maps.retain(|_, it| lives(&it.metadata));
        self.claims.retain(|_, it| lives(&it.metadata));
        self.pods.retain(|_, it| lives(&it.metadata));
        self.moves += u64::from(count(self) != before);
    }

    /// The StatefulSet controller and the kubelet of one node.
    fn roll(&mut self, name: &str) {
        let set = self.sets[name].clone();
        let template = serde_json::to_value(&set.spec.as_ref().unwrap().template).unwrap();
        let known = self.revisions.entry(name.to_owned()).or_default();
        let number = known.iter().position(|it| *it == template).unwrap_or_else(|| {
            known.push(template);
            known.len() - 1
        });
        let revision = format!("{name}-{number}");
        let place = format!("{name}-0");
        if !self.habits.no_kubelets {
            match self.pods.get_mut(&place) {
                None => {
                    let mut pod = pod(&set, &revision);
                    pod.metadata.uid = Some(self.uid());
                    let statuses = Some(vec![running(false)]);
                    pod.status.as_mut().unwrap().container_statuses = statuses;
                    self.pods.insert(place.clone(), pod);
                    // Readiness is in memory only.
                    self.sidecars.entry(name.to_owned()).or_default().ready = false;
                }
                Some(pod) if !runs(pod) => start(pod, self.now),
                Some(_) => {}
            }
        }
        let pod = self.pods.get(&place);
        let at_revision = |pod: &k8s::Pod| !crate::node::evidence::is_old(pod, &revision);
        let fake = self.habits.no_kubelets;
        let status = k8s::StatefulSetStatus {
            observed_generation: set.metadata.generation,
            replicas: 1,
            updated_replicas: Some(i32::from(fake || pod.is_some_and(at_revision))),
            ready_replicas: Some(i32::from(fake || pod.is_some_and(runs))),
            update_revision: Some(revision.clone()),
            current_revision: Some(format!("{name}-0")),
            ..Default::default()
        };
        if set.status.as_ref() != Some(&status) {
            self.moves += 1;
            self.sets.get_mut(name).unwrap().status = Some(status);
        }
    }

    /// What was handed in ends.
    fn work(&mut self, node: &str) {
        let now = at(self.now);
        let failures = &mut self.habits.failures;
        let sidecar = self.sidecars.get_mut(node).unwrap();
        for row in sidecar.rows.values_mut().filter(|it| it.status == TaskStatus::Running) {
            self.moves += 1;
            row.completed_at = Some(now);
            match failures.get_mut(&row.task_type).filter(|left| **left > 0) {
                Some(left) => {
                    *left -= 1;
                    row.status = TaskStatus::Failed;
                    row.error = Some("missing".to_owned());
                }
                None => row.status = TaskStatus::Completed,
            }
        }
    }
}

/// An image with `bad` in its name cannot be pulled.
fn start(pod: &mut k8s::Pod, now: i64) {
    let image = crate::node::evidence::image_of(pod.spec.as_ref().unwrap(), "seid").unwrap();
    if image.contains("bad") {
        return;
    }
    let mut status = running(true);
    let state = status.state.as_mut().unwrap().running.as_mut().unwrap();
    state.started_at = Some(k8s::Time(at(now)));
    pod.status.as_mut().unwrap().container_statuses = Some(vec![status]);
}
