//! The workload's labels and owner are kept without a plan, and its template is left for one.

use std::sync::Arc;

use sei_api::{k8s, labels};

use super::scene::Scene;
use crate::effect::{Desired, Effect};
use crate::node::Seen;

/// What the round writes to the workload.
fn written(scene: &Scene) -> Vec<k8s::StatefulSet> {
    let effects = scene.decide().effects.into_iter();
    let sets = effects.filter_map(|effect| match effect {
        Effect::Apply { object, over } => match *object {
            Desired::StatefulSet(set) => {
                assert!(over.is_some(), "applied over whatever is there");
                Some(set)
            }
            _ => None,
        },
        _ => None,
    });
    sets.collect()
}

fn live(scene: &Scene) -> k8s::StatefulSet {
    scene.seen.statefulset.here().unwrap().clone()
}

#[test]
fn a_workload_as_rendered_is_not_written() {
    assert!(written(&Scene::new("node Running current=v1")).is_empty());
}

#[test]
fn an_orphaned_workload_is_taken_back_with_the_template_it_has() {
    let mut scene = Scene::new("node Running current=v1 \n workload orphan");
    // Another operator version would render another pod.
    scene.platform.images.sidecar = "of-a-newer-operator".to_owned();
    let [taken] = &written(&scene)[..] else { panic!("not written once") };
    let owners = taken.metadata.owner_references.as_ref().unwrap();
    assert_eq!(owners.len(), 1);
    assert_eq!(Some(&owners[0].uid), scene.node.metadata.uid.as_ref());
    let template = |set: &k8s::StatefulSet| set.spec.as_ref().unwrap().template.clone();
    assert_eq!(template(taken), template(&live(&scene)), "a pod would be made anew");
}

#[test]
fn a_label_that_was_changed_comes_back() {
    let mut scene = Scene::new("node Running current=v1");
    let mut set = live(&scene);
    let label = set.metadata.labels.as_mut().unwrap().get_mut(labels::NODE).unwrap();
    "changed".clone_into(label);
    scene.seen.statefulset = Seen::Here(Arc::new(set));
    let [back] = &written(&scene)[..] else { panic!("not written once") };
    assert_eq!(back.metadata.labels.as_ref().unwrap()[labels::NODE], "fn-0");
}

#[test]
fn a_workload_that_is_not_ours_is_left_alone() {
    for whose in ["foreign", "theirs", "leftover", "terminating"] {
        let scene = Scene::new(&format!("node Running current=v1 \n workload {whose}"));
        assert!(written(&scene).is_empty(), "{whose}");
    }
}

/// Its marks follow with the plan that is in flight, or not at all.
#[test]
fn a_plan_in_flight_is_not_joined() {
    let scene = Scene::new(
        "node Running current=v1 \n workload orphan \n plan update at=observe-image target=v1",
    );
    assert!(written(&scene).is_empty());
}
