//! The operator as the shell runs it: rounds until rest, then one commit, then notices.

use std::sync::Arc;

use sei_api::{SeiNode, k8s};
use sei_sidecar_api::{Health, SidecarError, TransportKind};

use super::World;
use super::act::{Actor, of_node};
use crate::condition::keep_times;
use crate::decision::{Requeue, Urgency};
use crate::deployment::{self, Workload};
use crate::effect::{Outcome, Resource};
use crate::node::tests::scene::at;
use crate::node::{self, Env, Needs, Observed, Pods, Seen};
use crate::notice::Notice;

/// Rounds of a pass; a story that needs more spins.
const ROUNDS_MAX: usize = 32;

impl World {
    /// Goes on until nothing has changed for `calm` seconds; fails after a day.
    pub(crate) fn rest(&mut self, calm: i64) {
        let mut since = self.now;
        while self.now < since + calm {
            let before = self.moves;
            let wake = self.step();
            if self.moves == before {
                self.now += wake.clamp(1, 30);
            } else {
                self.now += 1;
                since = self.now;
            }
            assert!(self.now < 86_400, "no rest:\n{}{:?}", self.facts(), self.heard);
        }
    }

    /// Goes on for `seconds`, whatever happens.
    pub(crate) fn go(&mut self, seconds: i64) {
        let end = self.now + seconds;
        while self.now < end {
            let before = self.moves;
            let wake = self.step();
            let rest = if self.moves == before { wake.clamp(1, end - self.now) } else { 1 };
            self.now += rest;
        }
    }

    /// One pass over everything, and a step of everybody else; when the next one is due.
    pub(crate) fn step(&mut self) -> i64 {
        let fleets: Vec<String> = self.fleets.keys().cloned().collect();
        let mut wake = fleets.iter().map(|name| self.fleet_pass(name)).min().unwrap_or(30);
        let nodes: Vec<String> = self.nodes.keys().cloned().collect();
        for name in nodes {
            wake = wake.min(self.node_pass(&name));
        }
        self.others();
        self.refresh();
        wake
    }

    /// Lets the caches catch up, each kind at its own pace.
    fn refresh(&mut self) {
        let Some(pace) = self.habits.lag else { return };
        let caches = &mut self.caches;
        caches.steps += 1;
        let due = |at: u64| caches.steps.is_multiple_of(1 + pace + at);
        let (nodes, sets, pods) = (due(2), due(0), due(1));
        let mut caught_up = |resource: Resource| {
            caches.written.retain(|(written, _)| *written != resource);
        };
        if nodes {
            caught_up(Resource::SeiNode);
        }
        if sets {
            caught_up(Resource::StatefulSet);
        }
        if pods {
            caught_up(Resource::Pod);
        }
        if nodes {
            caches.nodes = self.nodes.clone();
        }
        if sets {
            caches.sets = self.sets.clone();
        }
        if pods {
            caches.pods = self.pods.clone();
        }
        // A cache that lags means that there is more to come.
        let behind = caches.nodes != self.nodes || caches.sets != self.sets;
        let behind = behind || caches.pods != self.pods || !caches.written.is_empty();
        self.moves += u64::from(behind);
    }

    /// Has the operator not seen its own write yet?
    fn is_stale(&self, resource: Resource, name: &str) -> bool {
        self.habits.lag.is_some() && self.caches.written.contains(&(resource, name.to_owned()))
    }

    pub(super) fn cached_pods(&self, node: &str) -> Vec<Arc<k8s::Pod>> {
        let pods = if self.habits.lag.is_some() { &self.caches.pods } else { &self.pods };
        pods.get(&format!("{node}-0")).cloned().map(Arc::new).into_iter().collect()
    }

    pub(super) fn cached_set(&self, node: &str) -> Option<&k8s::StatefulSet> {
        let sets = if self.habits.lag.is_some() { &self.caches.sets } else { &self.sets };
        sets.get(node)
    }

    fn cached_node(&self, name: &str) -> Seen<SeiNode> {
        if self.is_stale(Resource::SeiNode, name) {
            return Seen::Stale;
        }
        let nodes = if self.habits.lag.is_some() { &self.caches.nodes } else { &self.nodes };
        seen(nodes.get(name), true)
    }

    /// One pass over the fleet.
    pub(crate) fn fleet_pass(&mut self, name: &str) -> i64 {
        for _ in 0..ROUNDS_MAX {
            let Some(fleet) = self.fleets.get(name).cloned() else { return 30 };
            let base = fleet.status.clone().unwrap_or_default();
            let (mut status, mut told) = (base.clone(), Vec::new());
            let mut requeue = Requeue::Again;
            for round in 0.. {
                assert!(round < ROUNDS_MAX, "fleet {name} spins: {status:?}");
                let seen = self.seen_of_fleet(&fleet);
                let (platform, tempo) = (self.platform.clone(), self.tempo.clone());
                let env = Env { platform: &platform, tempo: &tempo };
                let decision = deployment::decide(&fleet, &status, &seen, env);
                self.check_fleet_effects(&fleet, &decision.effects);
                let manager = sei_api::labels::NODEDEPLOYMENT_FIELD_MANAGER;
                let actor = Actor { kind: "SeiNodeDeployment", name, manager };
                let outcomes: Vec<Outcome> =
                    decision.effects.iter().map(|it| self.act(actor, it)).collect();
                let acted = (decision, outcomes.as_slice());
                let end = deployment::conclude((&fleet, &status), &seen, env, acted);
                status = end.status;
                told.extend(end.notices);
                requeue = end.requeue;
                if requeue != Requeue::Again {
                    break;
                }
            }
            let Some(stored) = self.fleets.get_mut(name) else { return 30 };
            keep_times(&base.conditions, &mut status.conditions);
            let urgency = deployment::urgency(&base, &status);
            self.writes += u64::from(urgency == Urgency::Now);
            if urgency != Urgency::None {
                self.moves += 1;
                stored.status = Some(status.clone());
                self.check_fleet(&fleet, &base, &status);
                told.extend(deployment::notices(&fleet, &base, &status));
            }
            self.hear(name, &told);
            if requeue != Requeue::NextPass {
                return seconds(requeue);
            }
        }
        panic!("fleet {name} never rests")
    }

    /// One pass over the node.
    pub(crate) fn node_pass(&mut self, name: &str) -> i64 {
        for _ in 0..ROUNDS_MAX {
            let Some(node) = self.nodes.get(name).cloned() else { return 30 };
            let base = node.status.clone().unwrap_or_default();
            let mut status = base.clone();
            let mut requeue = Requeue::Again;
            let (platform, tempo) = (self.platform.clone(), self.tempo.clone());
            let env = Env { platform: &platform, tempo: &tempo };
            for round in 0.. {
                assert!(round < ROUNDS_MAX, "node {name} spins: {status:?}");
                let seen = self.seen_of_node(&node, &node::needs(&node, &status, env));
                let decision = node::decide(&node, &status, &seen, env);
                self.check_node_effects((&node, &status), &seen, &decision.effects);
                let outcomes: Vec<Outcome> =
                    decision.effects.iter().map(|it| self.act(of_node(&node), it)).collect();
                let acted = (decision, outcomes.as_slice());
                let end = node::conclude((&node, &status), &seen, env, acted);
                assert_eq!(end.notices, [], "a node tells after its commit");
                status = end.status;
                requeue = end.requeue;
                if requeue != Requeue::Again {
                    break;
                }
            }
            let Some(stored) = self.nodes.get_mut(name) else { return 30 };
            keep_times(&base.conditions, &mut status.conditions);
            let urgency = node::urgency(&base, &status);
            self.writes += u64::from(urgency == Urgency::Now);
            if urgency != Urgency::None {
                self.moves += 1;
                stored.status = Some(status.clone());
                self.check_node(&base, &status);
                let told = node::notices(&node, &base, &status);
                self.hear(name, &told);
            }
            if requeue != Requeue::NextPass {
                return seconds(requeue);
            }
        }
        panic!("node {name} never rests")
    }

    fn hear(&mut self, object: &str, told: &[Notice]) {
        let said = told.iter().map(|it| format!("{object} {}: {}", it.reason, it.message));
        self.heard.extend(said);
    }

    fn seen_of_fleet(&mut self, fleet: &sei_api::SeiNodeDeployment) -> deployment::Observed {
        let service = format!("{}-internal", fleet.metadata.name.as_deref().unwrap());
        let names = self.nodes.keys().cloned();
        let env = Env { platform: &self.platform, tempo: &self.tempo };
        let wanted = deployment::needs(fleet, env).names;
        let names: std::collections::BTreeSet<String> = names.chain(wanted).collect();
        let workload = |name: &String| Workload {
            statefulset: self.cached_set(name).cloned().map(Arc::new),
            pods: self.cached_pods(name),
        };
        deployment::Observed {
            now: at(self.now),
            children: names.iter().map(|name| (name.clone(), self.cached_node(name))).collect(),
            workloads: names.iter().map(|name| (name.clone(), workload(name))).collect(),
            internal_service: seen(self.services.get(&service), true),
            doors: deployment::Doors::unseen(),
            fresh_id: self.fresh_id(),
        }
    }

    fn seen_of_node(&mut self, node: &SeiNode, needs: &Needs) -> Observed {
        let name = node.metadata.name.clone().unwrap();
        let asked = |resource| needs.confirm.contains(&resource);
        let mut pods = self.cached_pods(&name);
        let known = !pods.is_empty() || needs.confirm_pods;
        if pods.is_empty() && needs.confirm_pods {
            // Nothing in the cache is confirmed by the API server.
            pods.extend(self.pods.get(&format!("{name}-0")).cloned().map(Arc::new));
        }
        let known = known && !self.is_stale(Resource::Pod, &format!("{name}-0"));
        let asks = asked(Resource::StatefulSet);
        let statefulset = match self.cached_set(&name) {
            _ if self.is_stale(Resource::StatefulSet, &name) => Seen::Stale,
            Some(set) => seen(Some(set), asks),
            None if asks => seen(self.sets.get(&name), asks),
            None => Seen::Unconfirmed,
        };
        let down = || SidecarError::Transport { kind: TransportKind::Connect };
        let answers = self.answers(&name);
        let sidecar = self.sidecars.get(&name);
        let row = |id| sidecar.and_then(|it| it.rows.get(&id)).cloned();
        let ready = sidecar.is_some_and(|it| it.ready);
        let health = if ready { Health::Ready } else { Health::NotReady };
        Observed {
            now: at(self.now),
            statefulset,
            service: seen(self.services.get(&name), asked(Resource::Service)),
            claim: seen(self.claims.get(&format!("data-{name}")), asked(Resource::Claim)),
            config_map: seen(
                self.maps.get(&format!("{name}-rbac-proxy-config")),
                asked(Resource::ConfigMap),
            ),
            pods: if known { Pods::Known(pods) } else { Pods::Unconfirmed },
            host: None,
            peers: self.nodes.values().cloned().map(Arc::new).collect(),
            task: needs.task.map(|id| answers.then(|| row(id)).ok_or_else(down)),
            health: needs.health.map(|_| answers.then_some(health).ok_or_else(down)),
            fresh_id: self.fresh_id(),
        }
    }
}

fn seen<T: Clone>(live: Option<&T>, asked: bool) -> Seen<T> {
    match live {
        Some(live) => Seen::Here(Arc::new(live.clone())),
        None if asked => Seen::Absent,
        None => Seen::Unconfirmed,
    }
}

fn seconds(requeue: Requeue) -> i64 {
    match requeue {
        Requeue::Again | Requeue::NextPass => 0,
        Requeue::After(delay) => i64::try_from(delay.as_secs()).unwrap(),
        Requeue::Backoff => 1,
        Requeue::Never => 30,
    }
}
