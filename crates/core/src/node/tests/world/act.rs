//! What becomes of effects: the API server's and the sidecars' half of the contract.

use std::collections::BTreeMap;

use sei_api::{SeiNode, k8s, labels};
use sei_sidecar_api::{TaskRequest, TaskResult, TaskStatus, TaskType};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::World;
use crate::effect::{Desired, Effect, Outcome, Resource, Target};
use crate::fault::{Class, Fault};
use crate::node::tests::picture::effect_text;
use crate::node::tests::scene::at;
use crate::node::tests::server::applied;

/// On whose behalf.
#[derive(Clone, Copy, Debug)]
pub(super) struct Actor<'a> {
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) manager: &'a str,
}

impl World {
    /// Does `effect`, twice if such is the world's habit.
    pub(super) fn act(&mut self, actor: Actor<'_>, effect: &Effect) -> Outcome {
        if self.habits.refused.iter().any(|it| effect_text(effect).contains(it)) {
            return Outcome::Failed(Fault::transient("api server cannot be reached"));
        }
        self.moves += 1;
        self.writes += u64::from(!matches!(effect, Effect::Submit(_)));
        let written = match effect {
            Effect::Apply { object, .. } | Effect::Create(object) => {
                Some((object.resource(), object.name().to_owned()))
            }
            Effect::SetOwners { target, .. } | Effect::Delete(target) => {
                Some((target.resource, target.name.clone()))
            }
            Effect::RemoveFinalizer | Effect::Submit(_) => None,
        };
        let cached = [Resource::SeiNode, Resource::StatefulSet, Resource::Pod];
        self.caches.written.extend(written.filter(|(resource, _)| cached.contains(resource)));
        let outcome = self.once(actor, effect);
        if self.habits.twice {
            let _ = self.once(actor, effect);
        }
        outcome
    }

    fn once(&mut self, actor: Actor<'_>, effect: &Effect) -> Outcome {
        match effect {
            Effect::Apply { object, over } => self.apply(actor, object, over.as_deref()),
            Effect::Create(object) => {
                if self.claims.contains_key(object.name()) {
                    return conflict();
                }
                self.apply(actor, object, None)
            }
            Effect::SetOwners { target, owners } => self.own(target, owners),
            Effect::Delete(target) => self.delete(target),
            Effect::RemoveFinalizer => {
                self.release(actor);
                Outcome::Done { uid: None }
            }
            Effect::Submit(request) => self.submit(actor.name, request),
        }
    }

    fn apply(&mut self, actor: Actor<'_>, object: &Desired, over: Option<&str>) -> Outcome {
        let uid = self.uid();
        let ask = Ask { manager: actor.manager, over, uid };
        match object {
            Desired::SeiNode(desired) => {
                let outcome = put(&mut self.nodes, desired, ask);
                if let Some(node) = self.nodes.get_mut(object.name()) {
                    node.metadata.finalizers = Some(vec![labels::NODE_FINALIZER.to_owned()]);
                }
                outcome
            }
            Desired::StatefulSet(desired) => put(&mut self.sets, desired, ask),
            Desired::Service(desired) => put(&mut self.services, desired, ask),
            Desired::Claim(desired) => put(&mut self.claims, desired, ask),
            Desired::ConfigMap(desired) => put(&mut self.maps, desired, ask),
            Desired::HttpRoute(_) => panic!("no fleet of a story has a public face"),
        }
    }

    fn meta(&mut self, target: &Target) -> Option<&mut k8s::ObjectMeta> {
        let name = &target.name;
        match target.resource {
            Resource::SeiNode => self.nodes.get_mut(name).map(|it| &mut it.metadata),
            Resource::Service => self.services.get_mut(name).map(|it| &mut it.metadata),
            Resource::Claim => self.claims.get_mut(name).map(|it| &mut it.metadata),
            Resource::Pod => self.pods.get_mut(name).map(|it| &mut it.metadata),
            Resource::StatefulSet
            | Resource::ConfigMap
            | Resource::HttpRoute
            | Resource::SeiNodeDeployment
            | Resource::Event => panic!("nobody may touch {target:?}"),
        }
    }

    fn own(&mut self, target: &Target, owners: &[k8s::OwnerReference]) -> Outcome {
        let Some(meta) = self.meta(target).filter(|it| is(it, target)) else { return conflict() };
        meta.owner_references = Some(owners.to_vec());
        bump(meta);
        Outcome::Done { uid: None }
    }

    fn delete(&mut self, target: &Target) -> Outcome {
        let now = k8s::Time(at(self.now));
        let Some(meta) = self.meta(target) else { return Outcome::Done { uid: None } };
        if !is(meta, target) {
            return conflict();
        }
        if meta.finalizers.iter().flatten().next().is_some() {
            meta.deletion_timestamp.get_or_insert(now);
            bump(meta);
            return Outcome::Done { uid: None };
        }
        let name = &target.name;
        if target.resource == Resource::Claim {
            self.claims.remove(name);
            self.sidecars.remove(name.trim_start_matches("data-"));
        } else {
            self.pods.remove(name).expect("nothing else is deleted at once");
        }
        Outcome::Done { uid: None }
    }

    fn release(&mut self, actor: Actor<'_>) {
        if actor.kind == "SeiNode" {
            self.nodes.remove(actor.name);
        } else {
            self.fleets.remove(actor.name);
        }
    }

    fn submit(&mut self, node: &str, request: &TaskRequest) -> Outcome {
        if !self.answers(node) {
            return Outcome::Failed(Fault::transient("sidecar unreachable: cannot connect"));
        }
        let sidecar = self.sidecars.entry(node.to_owned()).or_default();
        let known = sidecar.rows.get(&request.id);
        let run = match known.map(|it| (&it.status, it.run)) {
            None => 1,
            Some((TaskStatus::Failed, run)) => run + 1,
            Some(_) => return Outcome::Done { uid: None },
        };
        // This one is over at once, and opens the gate.
        let releases = request.task_type == TaskType::MarkReady;
        let row = TaskResult {
            id: request.id,
            task_type: request.task_type.as_str().to_owned(),
            status: if releases { TaskStatus::Completed } else { TaskStatus::Running },
            run,
            params: request.params.clone(),
            error: None,
            submitted_at: Some(at(self.now)),
            completed_at: releases.then(|| at(self.now)),
            result: None,
        };
        sidecar.rows.insert(request.id, row);
        sidecar.ready |= releases;
        Outcome::Done { uid: None }
    }
}

fn conflict() -> Outcome {
    Outcome::Failed(Fault::new(Class::Conflict, "somebody else wrote first"))
}

fn is(meta: &k8s::ObjectMeta, target: &Target) -> bool {
    let version = meta.resource_version.clone().unwrap_or_default();
    meta.uid.as_deref() == Some(&target.uid) && version == target.resource_version
}

fn bump(meta: &mut k8s::ObjectMeta) {
    let version: u64 = meta.resource_version.iter().find_map(|it| it.parse().ok()).unwrap_or(0);
    meta.resource_version = Some((version + 1).to_string());
}

/// How an apply is asked for.
struct Ask<'a> {
    manager: &'a str,
    over: Option<&'a str>,
    /// Of a new object.
    uid: String,
}

/// A server-side apply. Unforced, it does not touch what this manager never applied.
fn put<T>(map: &mut BTreeMap<String, T>, desired: &T, ask: Ask<'_>) -> Outcome
where
    T: Clone + Serialize + DeserializeOwned + k8s::Resource<DynamicType = ()>,
{
    let name = desired.meta().name.clone().unwrap();
    let live = map.get(&name);
    let uid = live.and_then(|it| it.meta().uid.as_deref());
    if ask.over.is_some() && ask.over != uid {
        return conflict();
    }
    let known = live.is_none_or(|it| {
        let managers = it.meta().managed_fields.iter().flatten();
        managers.filter_map(|it| it.manager.as_deref()).any(|it| it == ask.manager)
    });
    if ask.over.is_none() && !known {
        return conflict();
    }
    let mut stored = applied(live, desired, ask.manager);
    let uid = stored.meta().uid.clone().unwrap_or(ask.uid);
    stored.meta_mut().uid = Some(uid.clone());
    map.insert(name, stored);
    Outcome::Done { uid: Some(uid) }
}

/// The child `name` as the API server has it.
pub(super) fn of_node<'a>(node: &'a SeiNode) -> Actor<'a> {
    let name = node.metadata.name.as_deref().unwrap();
    Actor { kind: "SeiNode", name, manager: labels::NODE_FIELD_MANAGER }
}
