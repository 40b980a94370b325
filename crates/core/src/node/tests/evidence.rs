//! What proves that an image runs.
//!
//! Each scene runs `v2` by its spec and template and was last seen running `v1`.

use super::scene::Scene;

/// The image that a round over this workload records.
fn seen(world: &str) -> String {
    let scene = Scene::new(&format!(
        "node Running image=v2 current=v1 \n plan update at=observe-image \n {world}"
    ));
    scene.round(None).status.current_image.unwrap()
}

#[test]
fn a_running_pod_of_the_newest_revision() {
    assert_eq!(seen("workload rev=b \n pod rev=b"), "v2");
}

#[test]
fn the_image_is_the_pods_not_the_templates() {
    assert_eq!(seen("workload rev=b \n pod rev=b image=v9"), "v9");
}

#[test]
fn where_there_are_no_pods_the_counts_of_the_workload() {
    assert_eq!(seen("workload rev=b ready=1 updated=1 \n pods none"), "v2");
}

#[test]
fn nothing_else_is_evidence() {
    let table = [
        ("another revision", "workload rev=b \n pod rev=a image=v1"),
        ("no revision", "workload rev=b \n pod unlabelled"),
        ("terminating", "workload rev=b \n pod rev=b terminating"),
        ("not running", "workload rev=b \n pod rev=b waiting"),
        ("an old and a waiting one", "workload rev=b \n pod rev=a \n pod rev=b waiting"),
        ("template not seen yet", "workload rev=b gen=3 seen=2 \n pod rev=b"),
        ("no revision yet", "workload rev= \n pod rev=b"),
        ("our write not seen yet", "workload rev=b stale"),
        ("workload unreadable", "workload rev=b unreadable"),
        ("workload gone", "workload absent"),
        ("pods not asked for", "workload rev=b \n pods unconfirmed"),
        ("pods unreadable", "workload rev=b \n pods unreadable"),
        ("no pods, none updated", "workload ready=1 updated=0 \n pods none"),
        ("no pods, none ready", "workload ready=0 updated=1 \n pods none"),
        ("no pods, counts of an old template", "workload gen=3 seen=2 \n pods none"),
    ];
    for (why, world) in table {
        assert_eq!(seen(world), "v1", "{why}");
    }
}

#[test]
fn a_running_pod_beside_an_old_one_is_enough() {
    assert_eq!(seen("workload rev=b \n pod rev=a image=v1 \n pod rev=b"), "v2");
}

#[test]
fn the_sidecars_image_is_seen_too() {
    let scene =
        Scene::new("node Running sidecar=s2 current=v1 ranside=s1 \n workload sidecar=s2 rev=b");
    assert_eq!(scene.round(None).status.current_sidecar_image.as_deref(), Some("s2"));
}

/// What starts an update of a node at rest.
#[test]
fn drift_is_any_difference_of_spec_and_workload() {
    let table = [
        ("node Running current=v1", None),
        ("node Running current=none \n pod waiting", None),
        (
            "node Running image=v2 current=v1 \n workload image=v1",
            Some("image drift detected: spec=v2 current=v1"),
        ),
        (
            "node Running current=v1 \n workload image=v2 \n pod rev=b",
            Some("image drift detected: spec=v1 current=v2"),
        ),
        // A pod of a revision in between stands in the way, although nothing else tells of it.
        (
            "node Running current=v1 \n pod rev=z image=v2 waiting",
            Some("image drift detected: spec=v1 current=v2"),
        ),
        ("node Running current=v1 \n pod rev=z image=v2 waiting terminating", None),
        ("node Running current=v1 \n pod rev=z image=v2 waiting theirs", None),
        ("node Running current=v1 \n pod rev=z waiting", None),
        ("node Running current=v1 \n pod rev=a image=mirror/v1 waiting", None),
        (
            "node Running sidecar=s1 current=v1 ranside=s1 \n workload sidecar=s1 \n \
             pod rev=z sidecar=s2 waiting",
            Some("sidecar image drift detected: spec=s1 current=s2"),
        ),
        (
            "node Running current=v1 \n workload absent \n pods none",
            Some("image drift detected: spec=v1 current=v1"),
        ),
        (
            "node Running sidecar=s2 current=v1 ranside=s1 \n workload sidecar=s2 \n pod waiting",
            Some("sidecar image drift detected: spec=s2 current=s1"),
        ),
        (
            "node Running sidecar=s1 current=v1 ranside=s1 \n workload sidecar=s2 \n pod waiting",
            Some("sidecar image drift detected: spec=s1 current=s2"),
        ),
        // Who takes the sidecar's image back leaves it to the operator's next write.
        ("node Running current=v1 ranside=s1 \n workload sidecar=s1", None),
    ];
    for (input, expected) in table {
        let status = Scene::new(input).round(None).status;
        let kind = sei_api::condition::Type::NodeUpdateInProgress;
        let said = crate::condition::find(&status.conditions, kind).unwrap();
        let started = (said.status == "True").then_some(said.message.as_str());
        assert_eq!(started, expected, "{input}");
        assert_eq!(status.plan.is_some(), expected.is_some(), "{input}");
    }
}
