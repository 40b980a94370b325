//! The promises of this crate that a single round of a fleet can break, each in a test of its
//! name, over arbitrary statuses: good ones, those of other versions, and garbage.

use proptest::prelude::*;
use sei_api::condition::Type;
use sei_api::{PlanPhase, SeiNodeDeploymentStatus, k8s};

use super::scene::Scene;
use crate::condition::is_true;
use crate::decision::{Requeue, Urgency};
use crate::deployment::children::Place;
use crate::deployment::view::Station;
use crate::deployment::{
    Doors, Routes, children, doors, needs, spec, target, template_hash, urgency,
};
use crate::effect::{Desired, Effect, Resource, Target};
use crate::fault::{Class, Fault};
use crate::node::Seen;
use crate::node::tests::world::check_conditions;
use crate::ownership::controlled_by;

/// Fleets at every station of their lives.
const FLEETS: &[&str] = &[
    "fleet",
    "fleet new",
    "fleet image=v2 gen=2 observed=1",
    "fleet image=v3 gen=3 observed=2",
    "fleet image=v2 hash=none phase=Initializing",
    "fleet replicas=3 gen=2 observed=1",
    "fleet replicas=1 image=v2",
    "fleet sidecar=t2 hash=v1+t1",
    "fleet label=a:b",
    "fleet genesis image=v2",
    "fleet networking image=v2 gen=2 observed=1",
    "fleet networking validator",
    "fleet image=v2 gen=2 unavailable=1",
    "fleet image=v2 gen=2 unavailable=50% ascending",
    "fleet image=v2 gen=2 partition=1",
    "fleet image=v2 gen=2 rollback deadline=30",
    "fleet image=v2 gen=2 rollback good=none deadline=30",
    "fleet image=v2 gen=2 rejected=v2",
    "fleet image=v2 gen=2 rejected=v2 retry=a",
    "fleet image=v3 gen=2 rejected=v2 retry=a heard=a",
    "fleet image=v2 gen=2 paused",
    "fleet paused",
    "fleet networking deleting phase=Terminating",
    "fleet networking deleting retain phase=Terminating",
    "fleet deleting",
    "fleet deleting retain phase=Terminating",
    "fleet deleting phase=Terminating",
];

/// What is in flight, if anything.
const ROLLOUTS: &[&str] = &[
    "",
    "rollout target=v1",
    "rollout target=v2",
    "rollout target=v2 \n plan at=await-spec-update",
    "rollout target=v2 \n plan none",
    "rollout target=v2 \n plan unknown",
    "rollout target=v3 \n plan at=await-spec-update",
    "rollout target=v2 back",
    "rollout target=v2 since=700 progress=650",
    "pause since=40",
    "rollout target=v2 \n pause since=40",
    "plan stray",
];

/// What stands at a child's name.
const CHILDREN: &[&str] = &[
    "ours",
    "ours image=v2",
    "ours image=v2 current=v1",
    "ours current=none",
    "ours image=v2 plan=any",
    "ours image=v2 current=v1 why=ImagePullFailed",
    "ours why=CrashLoop since=100",
    "ours paused",
    "ours image=v2 selfpaused",
    "ours image=v2 observed=0",
    "ours sidecar=t2 ranside=t2",
    "new",
    "Initializing",
    "Failed image=v2",
    "absent",
    "stale",
    "unreadable",
    "orphan",
    "orphan image=v2",
    "leftover",
    "foreign",
    "theirs",
    "terminating",
];

/// The internal Service.
const SERVICES: &[&str] =
    &["ours", "absent", "stale", "unreadable", "changed", "orphan", "foreign", "leftover"];

/// The public face, wanted or not.
const FACES: &[&str] = &[
    "",
    "external absent",
    "external stale",
    "external unreadable",
    "external changed",
    "external foreign",
    "external orphan \n route evm ours",
    "routes unlisted",
    "routes unreadable",
    "routes missing",
    "routes none",
    "name pending",
    "name unknown",
    "external ours \n route evm ours \n route rpc theirs \n route rest foreign",
    "route evm stale \n route rpc unreadable",
    "route evm leftover \n route rpc terminating \n route rest orphan \n route grpc changed",
];

pub(super) fn scenes() -> impl Strategy<Value = Scene> {
    let one = prop::sample::select::<&'static str>;
    let services = (one(SERVICES), one(FACES));
    (one(FLEETS), one(ROLLOUTS), [CHILDREN, CHILDREN].map(one), services).prop_map(
        |(fleet, rollout, [zero, first], (service, face))| {
            // A fleet that nobody has looked at has nothing in flight.
            let rollout = if fleet.contains("new") { "" } else { rollout };
            let children = format!("child 0 {zero} \n child 1 {first}");
            Scene::new(&format!(
                "{fleet} \n {rollout} \n {children} \n service {service} \n {face}"
            ))
        },
    )
}

/// How the effects of a round may end.
pub(super) fn fates() -> impl Strategy<Value = Option<Fault>> {
    let classes = vec![Class::Waiting, Class::Conflict, Class::Transient, Class::Terminal];
    prop::option::of(prop::sample::select(classes).prop_map(|class| Fault::new(class, "no")))
}

fn target(status: &SeiNodeDeploymentStatus) -> Option<&str> {
    status.rollout.as_ref().map(|it| it.target_hash.as_str())
}

/// What was seen of the object that `target` names.
pub(super) fn seen_meta<'a>(scene: &'a Scene, target: &Target) -> Option<&'a k8s::ObjectMeta> {
    let seen = &scene.seen;
    match (target.resource, &seen.doors.routes) {
        (Resource::SeiNode, _) => Some(&seen.children.get(&target.name)?.here()?.metadata),
        (Resource::HttpRoute, Routes::Known(known)) => {
            Some(&known.get(&target.name)?.here()?.metadata)
        }
        (Resource::Service, _) => {
            let services = [&seen.internal_service, &seen.doors.service];
            let mut services = services.into_iter().filter_map(Seen::here).map(|it| &it.metadata);
            services.find(|it| it.name.as_deref() == Some(&target.name))
        }
        _ => None,
    }
}

/// Is this a fleet that we act for?
fn is_served(scene: &Scene) -> bool {
    scene.fleet.metadata.deletion_timestamp.is_none() && spec::refusal(&scene.fleet).is_none()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn pure_core(scene in scenes(), fate in fates()) {
        let (one, two) = (scene.decide(), scene.decide());
        prop_assert_eq!(&one.status, &two.status);
        prop_assert_eq!(&one.effects, &two.effects);
        let (one, two) = (scene.round(fate.clone()), scene.round(fate));
        prop_assert_eq!(one.status, two.status);
        prop_assert_eq!((one.requeue, one.notices), (two.requeue, two.notices));
    }

    /// A rollout is stored before any child is moved, and a new plan brings no effect with it.
    #[test]
    fn plan_before_effect(scene in scenes()) {
        let decision = scene.decide();
        let id = |it: &SeiNodeDeploymentStatus| it.plan.as_ref().and_then(|it| it.id.clone());
        if id(&decision.status).is_some() && id(&decision.status) != id(&scene.status) {
            prop_assert_eq!(&decision.effects, &[]);
            prop_assert_eq!(decision.requeue, Requeue::NextPass);
        }
        let goal = target::goal(&scene.fleet, &decision.status);
        let stored = target(&scene.status) == Some(goal.hash());
        let baseline = scene.status.template_hash.as_deref() == Some(goal.hash());
        for effect in &decision.effects {
            let Effect::Apply { object, .. } = effect else { continue };
            let Desired::SeiNode(child) = object.as_ref() else { continue };
            let live = scene.seen.children.get(object.name()).and_then(Seen::here);
            let ran = live.and_then(|it| it.status.as_ref()?.current_image.as_ref()).is_some();
            let moved = live.is_some_and(|it| it.spec.image != child.spec.image);
            prop_assert!(!(ran && moved) || stored || baseline);
        }
    }

    /// Whatever is seen of the public face, and whatever its writes come to, children and rollouts
    /// are treated alike. The end of a fleet is another matter.
    #[test]
    fn doors_gate_nothing(scene in scenes(), fate in fates()) {
        if scene.fleet.metadata.deletion_timestamp.is_some() {
            return Ok(());
        }
        let mut other = scene.clone();
        other.seen.doors = Doors::unseen();
        let rest = |scene: &Scene| {
            let mut effects = scene.decide().effects;
            effects.retain(|it| !doors::owns(&scene.fleet, it));
            (effects, scene.decide().status)
        };
        prop_assert_eq!(rest(&scene), rest(&other));
        let after = |scene: &Scene, fate: Option<Fault>| {
            let status = scene.round_where(|it| match doors::owns(&scene.fleet, it) {
                true => fate.clone(),
                false => None,
            });
            let status = status.status;
            (status.plan, status.rollout, status.template_hash, status.nodes, status.phase)
        };
        prop_assert_eq!(after(&scene, fate), after(&other, None));
    }

    #[test]
    fn owned_deletes(scene in scenes()) {
        let uid = scene.fleet.metadata.uid.as_deref().unwrap();
        for effect in scene.decide().effects {
            let (Effect::Delete(target) | Effect::SetOwners { target, .. }) = &effect else {
                continue;
            };
            let meta = seen_meta(&scene, target).expect("an object that was seen");
            prop_assert!(controlled_by(meta, uid));
            prop_assert_eq!(meta.uid.as_ref(), Some(&target.uid));
            prop_assert_eq!(meta.resource_version.as_ref(), Some(&target.resource_version));
        }
    }

    /// **`rollout_truth`** for one round: what ends, ends with every wanted child on target.
    #[test]
    fn rollout_truth(scene in scenes(), fate in fates()) {
        let after = scene.round(fate).status;
        let baseline = after.template_hash != scene.status.template_hash;
        let over = target(&scene.status).is_some() && after.rollout.is_none();
        if baseline || over {
            let goal = target::goal(&scene.fleet, &after);
            let children = children::read(&scene.fleet, &scene.seen);
            for slot in &children.wanted {
                let children::Place::Ours(node) = slot.place else {
                    return Err(TestCaseError::fail(slot.name.clone()));
                };
                prop_assert!(children::on_target(node, goal.target()));
            }
            prop_assert_eq!(after.template_hash.as_deref(), Some(goal.hash()));
            prop_assert_eq!(after.last_good.as_ref(), Some(&goal.template));
            prop_assert!(children.surplus.is_empty());
        }
    }

    #[test]
    fn started_at_stable(scene in scenes(), fate in fates()) {
        let after = scene.round(fate).status;
        if target(&scene.status) == target(&after) {
            let start = |it: &SeiNodeDeploymentStatus| {
                it.rollout.as_ref().map(|it| it.started_at.clone())
            };
            prop_assert_eq!(start(&scene.status), start(&after));
        }
        let old = scene.status.plan.iter().flat_map(|it| &it.tasks);
        let new = after.plan.iter().flat_map(|it| &it.tasks);
        for (old, new) in old.zip(new).filter(|(old, new)| old.id == new.id) {
            prop_assert!(old.submitted_at.is_none() || old.submitted_at == new.submitted_at);
        }
    }

    /// Whatever was stored, a fleet in service rolls out what its spec says, or nothing.
    #[test]
    fn spec_always_heard(scene in scenes(), fate in fates()) {
        let after = scene.round(fate).status;
        if !is_served(&scene) {
            return Ok(());
        }
        prop_assert_eq!(after.observed_generation, scene.fleet.metadata.generation);
        if scene.fleet.spec.paused {
            return Ok(());
        }
        let goal = target::goal(&scene.fleet, &after);
        prop_assert!(target(&after).is_none_or(|it| it == goal.hash()));
        let wanted = template_hash(&scene.fleet.spec.template.spec);
        let rejected = after.rejected_hash.as_ref() == Some(&wanted);
        prop_assert_eq!(goal.hash() == wanted, !(goal.is_return && rejected));
        if after.rollout.is_some() {
            let plan = after.plan.as_ref().expect("a rollout has a plan");
            prop_assert_eq!(&plan.phase, &PlanPhase::Active);
        }
    }

    /// Record, plan, conditions and phase tell the same (I1, I3, I7).
    #[test]
    fn everything_tells_of_the_same_rollout(scene in scenes()) {
        let after = scene.round(None).status;
        if !is_served(&scene) || scene.fleet.spec.paused {
            return Ok(());
        }
        let rolling = after.rollout.is_some();
        prop_assert_eq!(rolling, is_true(&after.conditions, Type::RolloutInProgress));
        prop_assert_eq!(after.plan.is_some(), is_true(&after.conditions, Type::PlanInProgress));
        prop_assert_eq!(rolling, after.phase.as_ref().unwrap().as_str() == "Upgrading");
    }

    /// Nothing of a paused fleet moves; its children are told to stay as they are.
    #[test]
    fn pause_freezes(scene in scenes(), fate in fates()) {
        if !is_served(&scene) || !scene.fleet.spec.paused {
            return Ok(());
        }
        let after = scene.round(fate).status;
        prop_assert!(is_true(&after.conditions, Type::Paused));
        prop_assert_eq!(&after.plan, &scene.status.plan);
        prop_assert_eq!(&after.rollout, &scene.status.rollout);
        prop_assert_eq!(&after.template_hash, &scene.status.template_hash);
        for effect in scene.decide().effects {
            // Services and routes are kept.
            let Effect::Apply { object, over } = effect else {
                prop_assert!(doors::owns(&scene.fleet, &effect));
                continue;
            };
            let Desired::SeiNode(child) = *object else { continue };
            prop_assert!(over.is_some());
            let name = child.metadata.name.clone().unwrap();
            let live = scene.seen.children[&name].here().unwrap();
            prop_assert!(child.spec.paused && !live.spec.paused);
            prop_assert_eq!(&child.spec.image, &live.spec.image);
            prop_assert_eq!(&child.spec.sidecar, &live.spec.sidecar);
            prop_assert_eq!(&child.spec.pod_labels, &live.spec.pod_labels);
        }
    }

    /// A wave takes down no more than it may, nothing that is held, and nothing after a failure.
    #[test]
    fn wave_budget(scene in scenes()) {
        let view = scene.view();
        let limited = view.strategy.max_unavailable < view.children.wanted.len();
        if !is_served(&scene) || scene.status.rollout.is_none() {
            return Ok(());
        }
        let effects = scene.decide().effects;
        let moved = |slot: &children::Slot<'_>, node: &sei_api::SeiNode| {
            effects.iter().any(|effect| matches!(effect, Effect::Apply { object, .. }
                if object.name() == slot.name && matches!(object.as_ref(), Desired::SeiNode(it)
                    if it.spec.image != node.spec.image)))
        };
        let (mut down, mut new, mut failed) = (0, 0, false);
        for slot in &view.children.wanted {
            let station = view.station(slot);
            down += usize::from(matches!(
                station,
                Station::Unseen
                    | Station::Arrived { .. }
                    | Station::OnItsWay { took_down: true, .. }
            ));
            failed |= matches!(
                station,
                Station::OnItsWay { has_failed: true, .. } | Station::Arrived { has_failed: true }
            );
            let (Place::Ours(node) | Place::Orphan(node)) = slot.place else { continue };
            if moved(slot, node) {
                prop_assert!(view.goal.is_return || slot.ordinal >= view.strategy.partition);
                new += usize::from(station == Station::Before { is_down: false });
            }
        }
        if limited && new > 0 {
            prop_assert!(down + new <= view.strategy.max_unavailable);
            prop_assert!(!failed);
        }
    }

    /// The template that was given up reaches no child.
    #[test]
    fn what_was_given_up_stays_away(scene in scenes()) {
        let decision = scene.decide();
        let goal = target::goal(&scene.fleet, &decision.status);
        if !goal.is_return || !is_served(&scene) || scene.fleet.spec.paused {
            return Ok(());
        }
        for effect in decision.effects {
            let Effect::Apply { object, .. } = effect else { continue };
            let Desired::SeiNode(child) = *object else { continue };
            prop_assert_eq!(child.spec.image.as_str(), goal.target().image);
        }
    }

    #[test]
    fn conditions_stay(scene in scenes(), fate in fates()) {
        let after = scene.round(fate).status;
        check_conditions(&scene.status.conditions, &after.conditions);
        let says = |kind| is_true(&after.conditions, kind);
        prop_assert!(!(says(Type::Ready) && (says(Type::Reconciling) || says(Type::Stalled))));
        prop_assert!(!(says(Type::Reconciling) && says(Type::Stalled)), "kstatus");
    }

    #[test]
    fn urgency_is_none_iff_nothing_changed(scene in scenes(), fate in fates()) {
        let after = scene.round(fate).status;
        let none = urgency(&scene.status, &after) == Urgency::None;
        prop_assert_eq!(none, scene.status == after);
    }

    /// **`bounded`:** any stored number of replicas is survived, and refused where it is wrong.
    #[test]
    fn any_number_of_replicas_is_survived(replicas in any::<i32>()) {
        let mut scene = Scene::new("fleet");
        scene.fleet.spec.replicas = replicas;
        prop_assert!(needs(&scene.fleet, scene.env()).names.len() <= 100);
        let stalled = is_true(&scene.round(None).status.conditions, Type::Stalled);
        prop_assert_eq!(stalled, !(1..=100).contains(&replicas));
    }
}
