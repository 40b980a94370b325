//! What stands at the children's names, which of them run the target, and which revision they get.

use std::time::Duration;

use expect_test::expect;

use super::scene::{Scene, check, check_each};
use crate::deployment::children::{self, on_target};
use crate::deployment::rollout::{Progress, progress};
use crate::deployment::target;

/// A rollout to `v2` whose only open question is child 0.
fn rollout(child: &str) -> Scene {
    Scene::new(&format!(
        "
        fleet image=v2 gen=2
        rollout target=v2
        plan at=await-spec-update
        child 0 {child}
        child 1 image=v2
        "
    ))
}

fn progress_of(scene: &Scene) -> Progress {
    progress(&scene.view())
}

#[test]
fn a_child_is_on_target_when_everything_says_so() {
    let table = [
        ("all of it", "image=v2", true),
        ("spec of another image", "image=v1 current=v2", false),
        ("another image runs", "image=v2 current=v1", false),
        ("nothing was seen running", "image=v2 current=none", false),
        ("its spec was not heard yet", "image=v2 observed=0", false),
        ("it has a plan", "image=v2 plan=any", false),
        ("it is being set up", "Initializing image=v2", false),
        ("it failed", "Failed image=v2", false),
        ("it is being deleted", "terminating image=v2", false),
        ("nobody has looked at it", "new image=v2", false),
    ];
    for (why, child, expected) in table {
        let scene = rollout(child);
        let node = scene.seen.children["s-0"].here().unwrap();
        assert_eq!(on_target(node, target::of(&scene.fleet.spec.template.spec)), expected, "{why}");
        let complete = progress_of(&scene) == Progress::Complete;
        assert_eq!(complete, expected, "{why}");
        assert_eq!(scene.round(None).status.rollout.is_none(), expected, "{why}");
    }
}

#[test]
fn a_sidecar_image_of_the_template_has_to_run_too() {
    for (child, expected) in [
        ("sidecar=t2 ranside=t2", true),
        ("sidecar=t2 ranside=t1", false),
        ("sidecar=t1 ranside=t2", false),
        ("ranside=t2", false),
    ] {
        let scene = Scene::new(&format!("fleet sidecar=t2 replicas=1 \n child 0 {child}"));
        let node = scene.seen.children["s-0"].here().unwrap();
        assert_eq!(
            on_target(node, target::of(&scene.fleet.spec.template.spec)),
            expected,
            "{child}"
        );
    }
}

#[test]
fn a_rollout_is_complete_when_seid_has_run_long_enough() {
    let rest = |seconds| Progress::Settling(Duration::from_secs(seconds));
    let table = [
        ("no pods here at all", "pod 0 none", Progress::Complete),
        ("long enough", "pod 0 age=10", Progress::Complete),
        ("not yet", "pod 0 age=9", rest(1)),
        ("just started", "pod 0 age=0", rest(10)),
        ("the youngest counts", "pod 0 age=3 \n pod 1 age=8", rest(7)),
        ("start-up probe not passed", "pod 0 starting", Progress::Moving),
        ("crash loop", "pod 0 waiting", Progress::Moving),
        ("terminating", "pod 0 terminating", Progress::Moving),
        ("readiness does not count", "workload 0 ready=0", Progress::Complete),
    ];
    for (why, world, expected) in table {
        let scene = rollout(&format!("image=v2 \n {world}"));
        assert_eq!(progress_of(&scene), expected, "{why}");
    }
}

#[test]
fn what_stands_at_a_childs_name_holds_up_a_rollout() {
    for place in ["absent", "stale", "unreadable", "orphan", "leftover", "foreign", "theirs"] {
        assert_eq!(
            progress_of(&rollout(&format!("{place} image=v2"))),
            Progress::Moving,
            "{place}"
        );
    }
}

#[test]
fn a_foreign_child_is_never_written_and_is_shown() {
    check_each(
        ["foreign", "theirs"].map(|whose| format!("fleet \n child 1 {whose}")),
        expect![[r#"
            kstatus  Ready=False Reconciling=False Stalled=True ForeignObject: SeiNode
                       "s-1" already exists and is not controlled by SeiNodeDeployment "s";
                       delete or rename it
            effects  none
            requeue  after 600s
        "#]],
    );
}

#[test]
fn a_leftover_child_is_waited_for() {
    check_each(
        ["leftover", "terminating"].map(|whose| format!("fleet \n child 1 {whose}")),
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False LeftoverObject: SeiNode
                       "s-1" is about to be removed; it is created anew when it is gone
            effects  none
            requeue  after 600s
        "#]],
    );
}

#[test]
fn an_orphan_is_adopted() {
    check(
        "fleet \n child 1 orphan",
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Progressing: bringing the
                   nodes to the spec
        effect   apply SeiNode s-1 v1 rev 1 forced
        requeue  after 600s
    "#]],
    );
}

#[test]
fn what_cannot_be_seen_is_not_created_anew() {
    check(
        "fleet \n child 1 unreadable",
        expect![[r#"
        kstatus  Ready=False Reconciling=True Stalled=False Retrying: api server cannot
                   be reached
        effects  none
        requeue  after 5s
    "#]],
    );
    check(
        "fleet \n service unreadable",
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Retrying: api server cannot
                       be reached
            effects  none
            requeue  after 5s
        "#]],
    );
    check(
        "fleet \n child 1 stale",
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False Progressing: bringing the
                       nodes to the spec
            effects  none
            requeue  after 5s
        "#]],
    );
}

#[test]
fn surplus_of_others_is_never_deleted() {
    for whose in ["foreign", "theirs", "orphan", "leftover", "terminating"] {
        let scene = Scene::new(&format!("fleet replicas=1 \n child 1 {whose}"));
        assert_eq!(scene.decide().effects, [], "{whose}");
    }
}

#[test]
fn a_foreign_service_is_never_written_and_is_shown() {
    check_each(
        ["foreign", "theirs"].map(|whose| format!("fleet \n service {whose}")),
        expect![[r#"
            kstatus  Ready=False Reconciling=False Stalled=True ForeignObject: Service
                       "s-internal" already exists and is not controlled by
                       SeiNodeDeployment "s"; delete or rename it
            effects  none
            requeue  after 30s
        "#]],
    );
    for place in ["stale", "unreadable"] {
        let scene = Scene::new(&format!("fleet \n service {place}"));
        assert_eq!(scene.decide().effects, [], "{place}");
    }
}

#[test]
fn a_leftover_service_is_waited_for_and_is_shown() {
    check_each(
        ["leftover", "terminating"].map(|whose| format!("fleet \n service {whose}")),
        expect![[r#"
            kstatus  Ready=False Reconciling=True Stalled=False LeftoverObject: Service
                       "s-internal" is about to be removed; it is created anew when it is
                       gone
            effects  none
            requeue  after 600s
        "#]],
    );
}

#[test]
fn the_revision_is_the_generation_that_brought_the_template() {
    let revision = |input: &str| {
        let scene = Scene::new(input);
        let view = scene.view();
        children::revision(&scene.fleet, &view.children, view.goal.target())
    };
    let table = [
        ("nobody runs it yet", "fleet image=v2 gen=7", 7),
        ("other edits leave it", "fleet gen=7 \n child 0 rev=3 \n child 1 rev=3", 3),
        ("a child that is there already", "fleet image=v2 gen=7 \n child 1 image=v2 rev=6", 6),
        ("the newest of several", "fleet gen=7 \n child 0 rev=3 \n child 1 rev=5", 5),
        ("back to the baseline", "fleet gen=7 \n child 0 image=v2 rev=6 \n child 1 rev=3", 3),
    ];
    for (why, input, expected) in table {
        assert_eq!(revision(input), expected, "{why}");
    }
}
