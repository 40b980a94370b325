//! The promises of this crate that a single round can break, each in a test of its name, over
//! arbitrary statuses: good ones, those of other versions, and garbage.

use std::sync::Arc;

use proptest::prelude::*;
use sei_api::condition::Type;
use sei_api::{NodePhase, PlanPhase, SeiNodeStatus, k8s};
use sei_sidecar_api::TaskStatus as Row;

use super::scene::{Scene, at};
use crate::decision::Urgency;
use crate::effect::{Effect, Outcome, Resource};
use crate::fault::{Class, Fault};
use crate::node::{Pods, Seen, conclude, urgency};
use crate::ownership::controlled_by;

/// Nodes at every station of their lives.
const NODES: &[&str] = &[
    "node new",
    "node Running current=v1",
    "node Running current=none",
    "node Failed",
    "node Running image=v2 current=v1 gen=2 observed=1",
    "node Initializing peers=label,static",
    "node Initializing image=v2 gen=2 observed=1",
    "node Failed since=400 gen=2 observed=1",
    "node Running deleting current=v1",
    "node Terminating deleting",
    "node Running replayer",
    "node Terminating deleting import",
    "node Terminating deleting keep",
    "node Terminating deleting validator",
    "node Running sidecar=s2 current=v1 ranside=s1",
];

/// Plans: fitting, outdated, of another version, garbage.
const PLANS: &[&str] = &[
    "",
    "plan init",
    "plan init at=configure-genesis begun=9 retry=1",
    "plan init target=v9",
    "plan update",
    "plan update at=replace-pod",
    "plan update at=observe-image target=v1",
    "plan mark-ready begun=60",
    "plan mark-ready garbage=id",
    "plan update garbage=type",
    "plan init at=config-apply garbage=params",
    "plan update target=none",
    "plan update complete",
    "plan init at=config-apply failed=broken",
    "plan init at=config-apply failed=broken wait=60 attempt=2",
    "plan init at=configure-genesis retry=2 wait=9",
    "plan update at=mark-ready failed=broken begun=9",
];

/// What stands at one of the names.
const PLACES: &[&str] = &[
    "ours",
    "absent",
    "stale",
    "unconfirmed",
    "unreadable",
    "orphan",
    "leftover",
    "foreign",
    "theirs",
    "terminating",
    "changed",
];

/// What is known of the pods.
const PODS: &[&str] = &[
    "",
    "pods none",
    "pods unconfirmed",
    "pods unreadable",
    "pods theirs",
    "pods old",
    "pods waiting",
    "pods terminating",
];

/// What the sidecar answers.
const SIDECARS: &[&str] = &[
    "task=none",
    "task=running",
    "task=completed health=503",
    "task=failed run=2 ended=5",
    "task=down health=down",
    "task=rejected",
    "task=completed",
    "task=failed error=x",
];

/// What the workload would run.
const WORKLOADS: &[&str] = &["", "image=v1", "image=v2", "image=v3 gen=2 seen=1"];

/// A scene out of these words.
pub(super) fn scenes() -> impl Strategy<Value = Scene> {
    let one = prop::sample::select::<&'static str>;
    let places = [PLACES, PLACES, PLACES, PLACES].map(one);
    let world = (one(WORKLOADS), places, one(PODS), one(SIDECARS));
    (one(NODES), one(PLANS), world).prop_map(|(node, plan, (workload, places, pods, sidecar))| {
        let [set, service, claim, map] = places;
        let sidecar = if plan.is_empty() { "health=503" } else { sidecar };
        let words = format!(
            "{node} \n workload {workload} \n {plan} \n workload {set} {workload} \n \
             service {service} \n claim {claim} \n configmap {map} \n sidecar {sidecar}"
        );
        scene(&words, pods)
    })
}

/// The scene of `words`, with other pods.
fn scene(words: &str, pods: &str) -> Scene {
    let mut scene = Scene::new(words);
    match pods.trim_start_matches("pods ") {
        "none" => scene.seen.pods = Pods::Known(Vec::new()),
        "unconfirmed" => scene.seen.pods = Pods::Unconfirmed,
        "unreadable" => scene.seen.pods = Pods::Unreadable(Fault::transient("no answer")),
        how => {
            let Pods::Known(pods) = &mut scene.seen.pods else { return scene };
            for pod in pods {
                let pod = Arc::make_mut(pod);
                match how {
                    "theirs" => pod.metadata.owner_references = None,
                    "old" => pod.metadata.labels = None,
                    "waiting" => pod.status = None,
                    "terminating" => pod.metadata.deletion_timestamp = Some(k8s::Time(at(0))),
                    _ => {}
                }
            }
        }
    }
    scene
}

/// How the effects of a round may end.
pub(super) fn fates() -> impl Strategy<Value = Option<Fault>> {
    let classes = vec![Class::Waiting, Class::Conflict, Class::Transient, Class::Terminal];
    prop::option::of(prop::sample::select(classes).prop_map(|class| Fault::new(class, "no")))
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
        prop_assert_eq!(one.requeue, two.requeue);
        let (one, two) = (scene.round(fate.clone()), scene.round(fate));
        prop_assert_eq!(one.status, two.status);
        prop_assert_eq!(one.requeue, two.requeue);
    }

    #[test]
    fn plan_before_effect(scene in scenes(), fate in fates()) {
        let decision = scene.decide();
        let stored = scene.status.plan.as_ref().and_then(|it| it.id.clone());
        let planned = decision.status.plan.as_ref().and_then(|it| it.id.clone());
        if planned.is_some() && planned != stored {
            prop_assert_eq!(&decision.effects, &[]);
            prop_assert_eq!(decision.requeue, crate::decision::Requeue::NextPass);
        }
        // What fails is not taken for done.
        let after = scene.round(fate.clone()).status;
        let goes_on = scene.status.plan.as_ref().is_some_and(|it| {
            crate::plan::is_active(Some(it))
                && crate::node::plans::still_wanted(it, &scene.node)
                && !crate::node::plans::is_bereft(it, &scene.seen)
        });
        if fate.is_some() && !decision.effects.is_empty() && goes_on {
            let done = |it: &SeiNodeStatus| it.plan.as_ref().and_then(crate::plan::current);
            prop_assert!(after.plan.is_some());
            prop_assert_eq!(done(&after), done(&scene.status));
        }
    }

    #[test]
    fn poll_before_submit(scene in scenes()) {
        for effect in scene.decide().effects {
            if let Effect::Submit(request) = effect {
                let plan = scene.status.plan.as_ref().unwrap();
                let task = &plan.tasks[crate::plan::current(plan).unwrap()];
                prop_assert_eq!(request.id.to_string(), task.id.clone());
                let row = scene.seen.task.clone().unwrap().unwrap();
                let counted = u64::try_from(task.retry_count).unwrap();
                let retried = |status: &Row, run| *status == Row::Failed && run <= counted;
                prop_assert!(row.is_none_or(|it| retried(&it.status, it.run)));
            }
        }
    }

    #[test]
    fn owned_deletes(scene in scenes()) {
        let uid = scene.node.metadata.uid.as_deref().unwrap();
        for effect in scene.decide().effects {
            let Effect::Delete(target) = effect else { continue };
            prop_assert!(!target.uid.is_empty());
            match target.resource {
                Resource::Claim => {
                    let claim = scene.seen.claim.here().unwrap();
                    prop_assert!(controlled_by(&claim.metadata, uid));
                }
                Resource::Pod => {
                    let set = scene.seen.statefulset.here().unwrap();
                    let Pods::Known(pods) = &scene.seen.pods else { panic!("unseen pod") };
                    let is = |it: &&Arc<k8s::Pod>| it.metadata.uid.as_deref() == Some(&target.uid);
                    let pod = pods.iter().find(is).unwrap();
                    let set = set.metadata.uid.as_deref().unwrap();
                    prop_assert!(controlled_by(&pod.metadata, set));
                }
                other => prop_assert!(false, "deletes {:?}", other),
            }
        }
    }

    /// Nothing is written over what is not ours, by any verb.
    #[test]
    fn foreign_objects_stay(scene in scenes()) {
        use crate::ownership::{Ownership, classify};
        let owner = crate::node::owner(&scene.node);
        for effect in scene.decide().effects {
            let Effect::Apply { object, over } = effect else { continue };
            let live = match object.resource() {
                Resource::StatefulSet => scene.seen.statefulset.here().map(|it| &it.metadata),
                Resource::Service => scene.seen.service.here().map(|it| &it.metadata),
                _ => scene.seen.config_map.here().map(|it| &it.metadata),
            };
            prop_assert_eq!(over.as_ref(), live.and_then(|it| it.uid.as_ref()));
            let whose = live.map(|it| classify(it, owner));
            prop_assert!(matches!(whose, None | Some(Ownership::Ours | Ownership::Orphan)));
        }
    }

    #[test]
    fn current_from_workload(scene in scenes(), fate in fates()) {
        let after = scene.round(fate).status.current_image;
        if after != scene.status.current_image {
            let set = scene.seen.statefulset.here().unwrap();
            let template = set.spec.as_ref().unwrap().template.spec.as_ref().unwrap();
            prop_assert_eq!(after.as_deref(), crate::node::evidence::image_of(template, "seid"));
        }
    }

    #[test]
    fn started_at_stable(scene in scenes(), fate in fates()) {
        let after = scene.round(fate).status;
        let (Some(old), Some(new)) = (&scene.status.plan, &after.plan) else { return Ok(()) };
        for (old, new) in old.tasks.iter().zip(&new.tasks).filter(|(old, new)| old.id == new.id) {
            if old.submitted_at.is_some() && old.retry_count == new.retry_count {
                prop_assert_eq!(&old.submitted_at, &new.submitted_at);
            }
        }
    }

    /// After a round whose plan goes on, the plan is for what the spec says now.
    #[test]
    fn spec_always_heard(scene in scenes(), fate in fates()) {
        let after = scene.round(fate).status;
        let quiet = scene.node.metadata.deletion_timestamp.is_some()
            || crate::node::spec::refusal(&scene.node).is_some()
            || !matches!(scene.seen.statefulset, Seen::Here(_) | Seen::Absent | Seen::Unconfirmed);
        if quiet {
            return Ok(());
        }
        prop_assert_eq!(after.observed_generation, scene.node.metadata.generation);
        if let Some(plan) = after.plan.filter(|it| it.phase == PlanPhase::Active) {
            prop_assert!(crate::node::plans::still_wanted(&plan, &scene.node));
        }
    }

    #[test]
    fn conditions_stay(scene in scenes(), fate in fates()) {
        let after = scene.round(fate).status;
        super::world::check_conditions(&scene.status.conditions, &after.conditions);
        for kind in [Type::Ready, Type::Reconciling, Type::Stalled, Type::SidecarReady] {
            prop_assert!(crate::condition::find(&after.conditions, kind).is_some());
        }
        let says = |kind| crate::condition::is_true(&after.conditions, kind);
        prop_assert!(!(says(Type::Ready) && (says(Type::Reconciling) || says(Type::Stalled))));
        prop_assert!(!(says(Type::Reconciling) && says(Type::Stalled)), "kstatus");
    }

    /// A status is written if and only if it changed.
    #[test]
    fn urgency_is_none_iff_nothing_changed(scene in scenes(), fate in fates()) {
        let after = scene.round(fate).status;
        let none = urgency(&scene.status, &after) == Urgency::None;
        prop_assert_eq!(none, scene.status == after);
    }

    /// The phase's time moves with the phase only.
    #[test]
    fn phase_time_is_stable(scene in scenes(), fate in fates()) {
        let after = scene.round(fate).status;
        let left = after.phase == Some(NodePhase::Terminating);
        let moved = scene.status.phase_transition_time != after.phase_transition_time;
        prop_assert_eq!(moved, !left && scene.status.phase != after.phase);
    }

    /// What a token of `sei.io/retry` brings about is stored with the token before any effect of
    /// it, and a used one brings about nothing.
    #[test]
    fn token_once(scene in scenes()) {
        let with = |used: Option<&str>| {
            let mut scene = scene.clone();
            let retry = (sei_api::labels::RETRY.to_owned(), "a".to_owned());
            scene.node.metadata.annotations = Some([retry].into());
            scene.status.last_retry_token = used.map(str::to_owned);
            scene.decide()
        };
        let (without, fresh, used) = (scene.decide(), with(None), with(Some("a")));
        prop_assert_eq!(&used.effects, &without.effects);
        prop_assert_eq!(&used.status.plan, &without.status.plan);
        if fresh.status.plan != without.status.plan || fresh.effects != without.effects {
            // Where the token only ends what had failed, a node at rest is kept in repair.
            prop_assert!(fresh.effects.is_empty() || fresh.status.plan.is_none());
            prop_assert_eq!(fresh.status.last_retry_token.as_deref(), Some("a"));
        }
    }

    /// **Invariant `no_silent_retry`:** whatever is to be tried again is said, in its own words and
    /// where people look: in a condition that is not what it should be.
    #[test]
    fn no_silent_retry(scene in scenes(), fate in fates()) {
        let (effects, end) = (scene.decide().effects, scene.round(fate.clone()));
        let conflicts = fate.as_ref().is_some_and(|it| it.class == Class::Conflict);
        let says = |words: &str| {
            let tasks = end.status.plan.iter().flat_map(|plan| &plan.tasks);
            let conditions = end.status.conditions.iter().filter(|it| it.status != "True"
                || ["Reconciling", "Stalled"].contains(&it.type_.as_str()));
            tasks.filter_map(|it| it.error.as_deref()).any(|it| it.contains(words))
                || conditions.into_iter().any(|it| it.message.contains(words))
        };
        // A write that failed. Whoever wrote first is nobody's trouble.
        let quiet = [Class::Conflict, Class::Waiting];
        let failed = fate.filter(|it| !effects.is_empty() && !quiet.contains(&it.class));
        if let Some(fault) = failed.filter(|_| crate::node::spec::refusal(&scene.node).is_none()) {
            prop_assert!(says(&fault.detail), "{:?}", end.status.conditions);
        }
        let stopped = scene.node.metadata.deletion_timestamp.is_some()
            || crate::node::spec::refusal(&scene.node).is_some();
        for plan in end.status.plan.iter().filter(|_| !stopped) {
            let old = scene.status.plan.iter().flat_map(|plan| &plan.tasks);
            let counts: Vec<_> = old.map(|it| (&it.id, it.retry_count)).collect();
            for task in plan.tasks.iter().filter(|it| it.retry_count > 0) {
                let counted = !counts.contains(&(&task.id, task.retry_count));
                prop_assert!(!counted || task.error.is_some(), "a repeat without a reason");
            }
            let ended = plan.phase == PlanPhase::Failed;
            let failed = plan.failed_task_detail.as_ref().filter(|_| ended);
            prop_assert!(failed.is_none_or(|it| says(&it.error)));
        }
        // Nor does a node serve in silence while it is tried again.
        let conflict = conflicts && !effects.is_empty();
        if end.requeue == crate::decision::Requeue::Backoff && !conflict {
            prop_assert!(!crate::condition::is_true(&end.status.conditions, Type::Ready));
        }
    }

    /// **Invariant `bounded`:** every wait has a maximum and none is zero, so that nothing spins or
    /// sleeps for ever; every text that others had a part in is cut.
    #[test]
    fn bounded(scene in scenes(), fate in fates(), length in 0..3_usize) {
        const MESSAGE_BYTES_MAX: usize = 4096;
        let fate = fate.map(|it| Fault::new(it.class, "é".repeat(1 << (8 * length))));
        let end = scene.round(fate);
        let tempo = &scene.tempo;
        let longest = [tempo.steady, tempo.failed_retry_max, tempo.health_max_age];
        if let crate::decision::Requeue::After(delay) = end.requeue {
            prop_assert!(!delay.is_zero() && delay <= longest.into_iter().max().unwrap());
        }
        for task in end.status.plan.iter().flat_map(|plan| &plan.tasks) {
            let error = task.error.as_deref().unwrap_or_default();
            prop_assert!(error.len() <= crate::fault::DETAIL_BYTES_MAX);
            prop_assert!(task.retry_count <= task.max_retries || task.max_retries == 0);
        }
        for condition in &end.status.conditions {
            prop_assert!(condition.message.len() <= MESSAGE_BYTES_MAX, "{}", condition.type_);
        }
        let told = crate::node::notices(&scene.node, &scene.status, &end.status);
        for notice in told {
            prop_assert!(notice.message.len() <= crate::notice::MESSAGE_BYTES_MAX);
        }
    }

    /// Outcomes of another length than the effects, as a crash leaves them, break nothing.
    #[test]
    fn any_number_of_outcomes_is_survived(scene in scenes(), count in 0..4_usize) {
        let outcomes = vec![Outcome::Done { uid: None }; count];
        let acted = (scene.decide(), outcomes.as_slice());
        let end = conclude((&scene.node, &scene.status), &scene.seen, scene.env(), acted);
        prop_assert_eq!(end.notices, vec![]);
    }
}
