//! How many children move at one time, which, in what order, and what stops them.

use expect_test::expect;
use sei_api::{InPlace, SeiNodeDeployment, k8s};

use super::scene::{Scene, check};
use crate::deployment::is_held;
use crate::deployment::spec::refusal;
use crate::effect::{Desired, Effect};

/// A rollout to `v2` of the five children that `world` describes; a child of which it says nothing
/// runs `v1` and is ready.
fn scene(fleet: &str, world: &str) -> Scene {
    let all: String =
        (2..5).map(|it| format!("child {it} ours \n workload {it} ready=1 \n")).collect();
    let fleet = format!("fleet replicas=5 image=v2 gen=2 {fleet}");
    Scene::new(&format!("{fleet} \n rollout target=v2 \n {all} {world}"))
}

/// The children that this round brings to the target, as ordinals.
fn moved(fleet: &str, world: &str) -> String {
    let effects = scene(fleet, world).decide().effects;
    let moves = effects.iter().filter_map(|it| match it {
        Effect::Apply { object, .. } => match object.as_ref() {
            Desired::SeiNode(node) if node.spec.image == "v2" => object.name().strip_prefix("s-"),
            _ => None,
        },
        _ => None,
    });
    moves.collect::<Vec<_>>().join(" ")
}

const DONE: &str = "image=v2";
const BUSY: &str = "image=v2 current=v1 plan=any";

#[test]
fn a_wave_takes_down_as_many_as_it_may() {
    let table = [
        ("all at once without a word", "", String::new(), "0 1 2 3 4"),
        ("all at once in other words", "unavailable=100%", String::new(), "0 1 2 3 4"),
        ("one", "unavailable=1", String::new(), "4"),
        ("a share, rounded down", "unavailable=50%", String::new(), "3 4"),
        ("a share that would be nothing", "unavailable=1%", String::new(), "4"),
        ("from the other end", "unavailable=2 ascending", String::new(), "0 1"),
        ("one is on its way", "unavailable=2", format!("child 4 {BUSY}"), "3"),
        ("as many as may are", "unavailable=1", format!("child 4 {BUSY}"), ""),
        ("one is done", "unavailable=1", format!("child 4 {DONE}"), "3"),
        ("one has to prove itself", "unavailable=1", format!("child 4 {DONE} \n pod 4 age=9"), ""),
        (
            "as long as the strategy says",
            "unavailable=1 minready=60",
            format!("child 4 {DONE} \n pod 4 age=59"),
            "",
        ),
        (
            "and no longer",
            "unavailable=1 minready=5",
            format!("child 4 {DONE} \n pod 4 age=5"),
            "3",
        ),
        (
            "one runs and is not ready",
            "unavailable=1",
            format!("child 4 {DONE} \n workload 4 ready=0"),
            "",
        ),
        ("one was written a moment ago", "unavailable=1", "child 4 stale".to_owned(), ""),
        ("a new one takes nothing down", "unavailable=1", "child 4 absent".to_owned(), "3 4"),
        ("nor while it comes up", "unavailable=1", "child 4 Initializing image=v2".to_owned(), "3"),
        ("validators, one by one", "validator", String::new(), "4"),
        ("unless told otherwise", "validator unavailable=100%", String::new(), "0 1 2 3 4"),
        ("or told in between", "validator unavailable=2", String::new(), "3 4"),
        ("the limit is gone", "", format!("child 4 {BUSY}"), "0 1 2 3"),
    ];
    for (why, fleet, world, expected) in table {
        assert_eq!(moved(fleet, &world), expected, "{why}");
    }
}

#[test]
fn a_rollout_says_how_many_it_may_have_down() {
    let table = [
        ("", None),
        ("unavailable=100%", None),
        ("unavailable=50%", Some(2)),
        ("unavailable=7", None),
        ("validator", Some(1)),
        ("validator unavailable=100%", None),
    ];
    for (fleet, expected) in table {
        let status = scene(fleet, "").round(None).status;
        assert_eq!(status.rollout.unwrap().max_unavailable, expected, "{fleet}");
    }
    let alone = Scene::new("fleet replicas=1 image=v2 gen=2 validator \n rollout target=v2");
    assert_eq!(alone.round(None).status.rollout.unwrap().max_unavailable, None);
}

#[test]
fn a_child_that_is_down_already_uses_no_budget() {
    let table = [
        ("it moves at once", "child 1 ours \n workload 1 ready=0", "1 4"),
        ("and first of all", "child 4 ours \n workload 4 ready=0", "3 4"),
        (
            "on its way, down since before",
            "child 4 image=v2 current=v1 why=Progressing since=61",
            "3",
        ),
        ("on its way, down since", "child 4 image=v2 current=v1 why=Progressing since=60", ""),
    ];
    for (why, world, expected) in table {
        assert_eq!(moved("unavailable=1", world), expected, "{why}");
    }
}

#[test]
fn the_first_failure_stops_further_disruption() {
    let of = |child: &str| moved("unavailable=3", child);
    for why in [
        "ImagePullFailed",
        "InvalidImage",
        "CrashLoop",
        "ContainerStartFailed",
        "PodNotCreated",
        "OOMKilled",
        "Unschedulable",
        "VolumeNotBound",
        "SidecarTaskFailed",
        "NodeUnreachable",
        "PlanFailed",
        "ForeignObject",
    ] {
        let failed = format!("child 4 image=v2 current=v1 why={why}");
        assert_eq!(of(&failed), "", "{why}");
        assert_eq!(of(&format!("{failed} observed=0")), "2 3", "{why} of an older spec");
        // Whoever is down has nothing to lose.
        assert_eq!(of(&format!("{failed} \n workload 0 ready=0")), "0", "{why}");
        assert_eq!(moved("", &failed), "0 1 2 3", "without a limit nothing stops");
    }
    let runs_now = "child 4 image=v2 current=v2 why=CrashLoop \n pod 4 age=3";
    assert_eq!(of(runs_now), "", "it runs between two crashes");
    for why in ["Progressing", "SidecarUnreachable", "PodTerminating", "PodNotStarted", "NotReady"]
    {
        assert_eq!(of(&format!("child 4 image=v2 current=v1 why={why}")), "2 3", "{why}");
    }
    assert_eq!(of("child 4 Failed image=v2"), "", "phase");
    assert_eq!(of("child 4 image=v2 current=v1 plan=Failed"), "", "plan");
    assert_eq!(of("child 4 ours why=CrashLoop"), "2 3 4", "on the old template it is no failure");
    assert_eq!(moved("unavailable=3 deadline=60", &format!("child 4 {BUSY}")), "", "late");
    assert_eq!(moved("unavailable=3 deadline=61", &format!("child 4 {BUSY}")), "2 3", "in time");
}

#[test]
fn a_partition_holds_what_is_below_it() {
    let table = [
        ("the others go", "partition=3", String::new(), "3 4"),
        ("within the budget", "partition=2 unavailable=1", String::new(), "4"),
        (
            "what runs it already stays",
            "partition=3",
            "child 0 image=v2 edited=v3".to_owned(),
            "3 4",
        ),
        ("all are held", "partition=5", String::new(), ""),
        ("one that is down too", "partition=3", "workload 0 ready=0".to_owned(), "3 4"),
    ];
    for (why, fleet, world, expected) in table {
        assert_eq!(moved(fleet, &world), expected, "{why}");
    }
}

#[test]
fn a_child_that_is_made_anew_below_the_partition_runs_the_last_good_template() {
    check(
        "
        fleet image=v2 gen=2 partition=1
        rollout target=v2
        child 0 absent
        child 1 image=v2
        ",
        expect![[r#"
            plan     rollout: >update-node-specs, await-spec-update
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                       template <v2>: 1 of 2, held at partition 1
            effect   apply SeiNode s-0 v1 rev 1
            requeue  after 5s
            notice   Normal SeiNodeCreated: Created SeiNode s-0
        "#]],
    );
}

#[test]
fn an_orphan_is_adopted_before_its_turn_and_moved_in_its_turn() {
    check(
        "
        fleet image=v2 gen=2 unavailable=1
        rollout target=v2
        child 0 orphan
        child 1 ours
        ",
        expect![[r#"
            plan     rollout: >update-node-specs, await-spec-update
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                       template <v2>: 0 of 2 nodes on target
            effect   apply SeiNode s-0 v1 rev 2 forced
            effect   apply SeiNode s-1 v2 rev 2 forced
            requeue  after 5s
        "#]],
    );
}

#[test]
fn whether_a_rollout_is_held_can_be_read_from_its_status() {
    let scene = |partition, child| {
        let fleet = format!("fleet image=v2 gen=2 partition={partition}\nrollout target=v2\n");
        Scene::new(&format!("{fleet}child 1 image=v2\n{child}")).round(None).status
    };
    assert!(is_held(&scene(1, "")));
    assert!(!is_held(&scene(1, "child 1 image=v2 current=v1")), "the other is on its way");
    assert!(!is_held(&scene(0, "")), "the other is not held");
    assert!(!is_held(&scene(0, "child 0 image=v2")), "complete");
}

#[test]
fn a_rollout_that_is_held_says_so_and_is_never_late() {
    check(
        "
        fleet image=v2 gen=2 partition=1
        rollout target=v2 since=9999
        child 1 image=v2
        ",
        expect![[r#"
            plan     rollout: >update-node-specs, await-spec-update
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                       template <v2>: 1 of 2, held at partition 1
            effects  none
            requeue  after 5s
        "#]],
    );
}

#[test]
fn lowering_the_partition_goes_on_with_a_new_clock() {
    check(
        "
        fleet image=v2 gen=3 observed=2 unavailable=1
        rollout target=v2 since=9999
        plan begun
        child 1 image=v2
        ",
        expect![[r#"
            plan     rollout: +update-node-specs, await-spec-update
            observed 2 -> 3
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                       template <v2>: 1 of 2 nodes on target
            effect   apply SeiNode s-0 v2 rev 1 forced
            requeue  after 5s
        "#]],
    );
}

/// **M13:** while one is on its way, the next keeps its image, and so does what others wrote there.
#[test]
fn the_next_child_waits_for_the_one_before() {
    check(
        "
        fleet image=v2 gen=2 replicas=3 unavailable=1
        rollout target=v2
        child 2 image=v2 current=v1 plan=any
        workload 2 ready=1
        ",
        expect![[r#"
            plan     rollout: >update-node-specs, await-spec-update
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: rolling out
                       template <v2>: 0 of 3 nodes on target
            effects  none
            requeue  after 5s
        "#]],
    );
}

#[test]
fn a_strategy_that_breaks_a_rule_is_refused() {
    let text = |it: &str| Some(k8s::IntOrString::String(it.to_owned()));
    let strategies = [
        (InPlace { max_unavailable: text("0%"), ..InPlace::default() }, "maxUnavailable"),
        (InPlace { max_unavailable: text("x"), ..InPlace::default() }, "maxUnavailable"),
        (InPlace { partition: Some(-1), ..InPlace::default() }, "partition"),
        (InPlace { partition: Some(101), ..InPlace::default() }, "partition"),
        (InPlace { min_ready_seconds: Some(-1), ..InPlace::default() }, "minReadySeconds"),
        (InPlace { min_ready_seconds: Some(600), ..InPlace::default() }, "minReadySeconds"),
        (
            InPlace {
                order: Some(sei_api::UpdateOrder::Unknown("x".to_owned())),
                ..InPlace::default()
            },
            "order",
        ),
        (
            InPlace {
                on_failure: Some(sei_api::OnFailure::Unknown("x".to_owned())),
                ..InPlace::default()
            },
            "onFailure",
        ),
    ];
    for (in_place, field) in strategies {
        let mut fleet: SeiNodeDeployment = Scene::new("fleet").fleet;
        fleet.spec.update_strategy.get_or_insert_default().in_place = Some(in_place);
        let message = refusal(&fleet).map(|it| it.message).unwrap_or_default();
        assert!(
            message.starts_with(&format!("spec.updateStrategy.inPlace.{field}: ")),
            "{message}"
        );
        assert!(!message.contains("; "), "{message}");
    }
    let mut fleet: SeiNodeDeployment = Scene::new("fleet").fleet;
    fleet.spec.progress_deadline_seconds = Some(0);
    let message = refusal(&fleet).map(|it| it.message).unwrap_or_default();
    assert_eq!(message, "spec.progressDeadlineSeconds: must be at least 1");
}
