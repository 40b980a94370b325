//! Promises that are looked at in every step of every story.

use sei_api::condition::{Status, Type};
use sei_api::{PlanPhase, SeiNode, SeiNodeDeployment, SeiNodeDeploymentStatus, SeiNodeStatus, k8s};
use sei_sidecar_api::TaskStatus as Row;

use super::World;
use super::cluster::running_image;
use crate::condition::is_true;
use crate::deployment::template_hash;
use crate::effect::{Desired, Effect, Resource, Target};
use crate::node::Observed;
use crate::ownership::controlled_by;

impl World {
    /// A stored status of a fleet against the one before it.
    pub(super) fn check_fleet(
        &self,
        fleet: &SeiNodeDeployment,
        before: &SeiNodeDeploymentStatus,
        after: &SeiNodeDeploymentStatus,
    ) {
        check_conditions(&before.conditions, &after.conditions);
        assert!(after.observed_generation >= before.observed_generation);
        let rolling = after.rollout.is_some();
        assert_eq!(rolling, is_true(&after.conditions, Type::RolloutInProgress), "I1");
        assert_eq!(after.plan.is_some(), is_true(&after.conditions, Type::PlanInProgress), "I3");
        assert!(after.plan.as_ref().is_none_or(|it| it.phase == PlanPhase::Active), "I2");
        let target =
            |it: &SeiNodeDeploymentStatus| it.rollout.as_ref().map(|it| it.target_hash.clone());
        let started =
            |it: &SeiNodeDeploymentStatus| it.rollout.as_ref().map(|it| it.started_at.clone());
        let plan = |it: &SeiNodeDeploymentStatus| it.plan.as_ref().and_then(|it| it.id.clone());
        if target(before) == target(after) {
            assert_eq!(started(before), started(after), "I6: started_at_stable");
            assert_eq!(plan(before), plan(after), "I5");
        } else if rolling {
            assert_ne!(plan(before), plan(after), "I5");
            let wanted = template_hash(&fleet.spec.template.spec);
            assert_eq!(target(after), Some(wanted), "I9");
        }
        let upgrading = after.phase.as_ref().is_some_and(|it| it.as_str() == "Upgrading");
        let terminating = after.phase.as_ref().is_some_and(|it| it.as_str() == "Terminating");
        assert!(terminating || rolling == upgrading, "I7");
        if before.template_hash != after.template_hash {
            assert!(!rolling, "I8: the baseline moves when the rollout is over");
        }
        if before.rollout.is_some() && !rolling && !terminating {
            let wanted = template_hash(&fleet.spec.template.spec);
            assert_eq!(after.template_hash, Some(wanted), "I10");
            self.check_rollout_truth(fleet);
        }
    }

    /// **`rollout_truth`:** each wanted child runs the target, as far as the operator can know.
    ///
    /// Nobody can know that a pod was deleted a moment ago; what it had seen must have run.
    fn check_rollout_truth(&self, fleet: &SeiNodeDeployment) {
        let wanted = fleet.spec.template.spec.image.as_str();
        for ordinal in 0..fleet.spec.replicas {
            let name = format!("s-{ordinal}");
            let set = self.cached_set(&name).expect("a child of a finished rollout has its set");
            let template = set.spec.as_ref().unwrap().template.spec.as_ref().unwrap();
            let image = crate::node::evidence::image_of(template, "seid");
            assert_eq!(image, Some(wanted), "{name}: template");
            if self.habits.no_kubelets {
                continue;
            }
            let pods = self.cached_pods(&name);
            let seen = pods.iter().find_map(|pod| running_image(pod));
            assert_eq!(seen, Some(wanted), "{name}: pod as seen");
            let live = self.running().remove(&name);
            assert!(live.is_none_or(|it| it == wanted), "{name}: pod");
        }
    }

    /// What a fleet is about to do.
    ///
    /// What a lagging operator aims at may be gone; the preconditions see to that.
    pub(super) fn check_fleet_effects(&self, fleet: &SeiNodeDeployment, effects: &[Effect]) {
        let uid = fleet.metadata.uid.as_deref().unwrap();
        for effect in effects {
            match effect {
                Effect::Apply { object, .. } => {
                    if let Desired::SeiNode(child) = object.as_ref() {
                        self.check_child_write(fleet, child);
                    }
                }
                Effect::Delete(target) => self.check_deletion(target, uid),
                Effect::Create(_)
                | Effect::SetOwners { .. }
                | Effect::RemoveFinalizer
                | Effect::Submit(_) => {}
            }
        }
    }

    /// **`plan_before_effect`:** the image of a child that ran moves only after the plan is stored.
    fn check_child_write(&self, fleet: &SeiNodeDeployment, child: &SeiNode) {
        let live = self.nodes.get(child.metadata.name.as_deref().unwrap());
        let ran =
            live.is_some_and(|it| it.status.as_ref().is_some_and(|it| it.current_image.is_some()));
        if ran && live.is_some_and(|it| it.spec.image != child.spec.image) {
            let stored = self.fleets["s"].status.clone().unwrap_or_default();
            let target = stored.rollout.map(|it| it.target_hash);
            let wanted = template_hash(&fleet.spec.template.spec);
            let baseline = stored.template_hash;
            assert!(
                target.as_ref() == Some(&wanted) && stored.plan.is_some()
                    || baseline.as_ref() == Some(&wanted),
                "a child was moved without a stored rollout: {target:?}"
            );
        }
    }

    /// **`owned_deletes`.**
    fn check_deletion(&self, target: &Target, uid: &str) {
        let owned = |meta: &k8s::ObjectMeta| {
            controlled_by(meta, uid) && meta.uid.as_deref() == Some(&target.uid)
        };
        let ours = match target.resource {
            Resource::SeiNode => self.nodes.get(&target.name).is_none_or(|it| owned(&it.metadata)),
            Resource::Claim => self.claims.get(&target.name).is_none_or(|it| owned(&it.metadata)),
            Resource::Pod => {
                let Some(pod) = self.pods.get(&target.name) else { return };
                let set = self.sets.values().find(|it| controlled_by(&it.metadata, uid));
                let set = set.and_then(|it| it.metadata.uid.as_deref()).unwrap();
                controlled_by(&pod.metadata, set)
            }
            Resource::StatefulSet
            | Resource::Service
            | Resource::ConfigMap
            | Resource::HttpRoute
            | Resource::SeiNodeDeployment
            | Resource::Event => false,
        };
        assert!(ours, "{target:?} is not controlled by {uid}");
    }

    /// What a node is about to do.
    pub(super) fn check_node_effects(
        &self,
        (node, status): (&SeiNode, &SeiNodeStatus),
        seen: &Observed,
        effects: &[Effect],
    ) {
        let uid = node.metadata.uid.as_deref().unwrap();
        let stored = node.status.as_ref().and_then(|it| it.plan.as_ref());
        if let Some(plan) = status.plan.as_ref().filter(|_| !effects.is_empty()) {
            let planned = stored.and_then(|it| it.id.as_ref()) == plan.id.as_ref();
            assert!(planned || plan.phase == PlanPhase::Failed, "plan_before_effect");
        }
        for effect in effects {
            match effect {
                Effect::Delete(target) => self.check_deletion(target, uid),
                Effect::Submit(_) => {
                    let answer = seen.task.as_ref().expect("poll_before_submit");
                    let row = answer.as_ref().expect("poll_before_submit").as_ref();
                    assert!(row.is_none_or(|it| it.status == Row::Failed), "poll_before_submit");
                }
                Effect::Apply { .. }
                | Effect::Create(_)
                | Effect::SetOwners { .. }
                | Effect::RemoveFinalizer => {}
            }
        }
    }

    /// A stored status of a node against the one before it.
    pub(super) fn check_node(&self, before: &SeiNodeStatus, after: &SeiNodeStatus) {
        check_conditions(&before.conditions, &after.conditions);
        assert!(after.observed_generation >= before.observed_generation);
        if before.phase == after.phase {
            assert_eq!(before.phase_transition_time, after.phase_transition_time);
        }
        if before.current_image != after.current_image {
            let image = after.current_image.as_ref().expect("what ran is not forgotten");
            // What a lagging cache still shows did run.
            let seen = || self.nodes.keys().flat_map(|it| self.cached_pods(it));
            let runs = self.running().values().any(|it| it == image)
                || seen().any(|pod| running_image(&pod) == Some(image));
            assert!(runs || self.habits.no_kubelets, "current_from_workload: {image}");
        }
        let starts = |it: &SeiNodeStatus| {
            let tasks = it.plan.iter().flat_map(|it| it.tasks.clone());
            tasks.filter(|it| it.submitted_at.is_some()).collect::<Vec<_>>()
        };
        for (old, new) in starts(before).iter().flat_map(|old| {
            starts(after)
                .into_iter()
                .filter(|it| it.id == old.id)
                .map(|it| (old.clone(), it))
                .collect::<Vec<_>>()
        }) {
            if old.retry_count == new.retry_count {
                assert_eq!(old.submitted_at, new.submitted_at, "started_at_stable");
            }
        }
    }
}

/// **`conditions_stay`:** one entry a type, none ever removed, the time moves with the status only.
pub(crate) fn check_conditions(before: &[k8s::Condition], after: &[k8s::Condition]) {
    for (index, it) in after.iter().enumerate() {
        assert!(after[..index].iter().all(|other| other.type_ != it.type_), "twice: {it:?}");
        assert!(Status::ALL.iter().any(|word| word.as_str() == it.status));
    }
    for old in before {
        let new = after.iter().find(|it| it.type_ == old.type_).expect("a condition stays");
        let moved = new.last_transition_time != old.last_transition_time;
        assert!(new.status != old.status || !moved, "{old:?} -> {new:?}");
    }
}
