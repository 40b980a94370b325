//! What holds for every sequence of edits.

use proptest::prelude::*;

use super::world::{Habits, World};

/// One thing that a user does, and how long they wait before the next.
#[derive(Clone, Debug)]
enum Edit {
    Image(usize),
    Sidecar(usize),
    Replicas(i32),
    Label(usize),
    DeleteNode(i32),
    DeletePod(i32),
    Pause(bool),
}

const IMAGES: [&str; 3] = ["a", "b", "c"];

fn edits() -> impl Strategy<Value = Vec<(Edit, i64)>> {
    let edit = prop_oneof![
        4 => (0..3_usize).prop_map(Edit::Image),
        1 => (0..2_usize).prop_map(Edit::Sidecar),
        2 => (1..=3).prop_map(Edit::Replicas),
        1 => (0..2_usize).prop_map(Edit::Label),
        1 => (0..3).prop_map(Edit::DeleteNode),
        1 => (0..3).prop_map(Edit::DeletePod),
        1 => any::<bool>().prop_map(Edit::Pause),
    ];
    let wait = prop_oneof![3 => 0..4_i64, 1 => Just(15)];
    prop::collection::vec((edit, wait), 1..6)
}

impl World {
    fn does(&mut self, edit: &Edit) {
        match edit {
            Edit::Image(at) => self.set_image(IMAGES[*at]),
            Edit::Sidecar(at) => self.edit(|it| {
                let image = Some(format!("t{at}"));
                it.spec.template.spec.sidecar.get_or_insert_default().image = image;
            }),
            Edit::Replicas(replicas) => self.edit(|it| it.spec.replicas = *replicas),
            Edit::Label(at) => self.edit(|it| {
                let labels = &mut it.spec.template.metadata.get_or_insert_default().labels;
                labels.insert("a".to_owned(), at.to_string());
            }),
            Edit::DeleteNode(ordinal) => {
                if self.nodes.contains_key(&format!("s-{ordinal}")) {
                    self.delete_node(&format!("s-{ordinal}"));
                }
            }
            Edit::DeletePod(ordinal) => {
                let name = format!("s-{ordinal}");
                let pod = self.pods.remove(&format!("{name}-0"));
                // A pod may outlive its StatefulSet for a while, or come before its counts.
                let set = self.sets.get_mut(&name).and_then(|it| it.status.as_mut());
                if let (Some(_), Some(status)) = (pod, set) {
                    (status.ready_replicas, status.updated_replicas) = (None, None);
                }
            }
            Edit::Pause(paused) => self.habits.paused = *paused,
        }
    }
}

/// The world after these edits, at rest.
fn after(edits: &[(Edit, i64)], habits: Habits) -> World {
    let mut world = World::with_fleet(2, "a");
    world.habits = habits;
    world.go(6);
    for (edit, wait) in edits {
        world.does(edit);
        world.go(*wait);
    }
    world.habits.paused = false;
    world.rest(40);
    world
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").map_or(6, |it| it.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever happened on the way, only the last spec counts in the end.
    #[test]
    fn every_story_ends_where_its_last_spec_says(edits in edits()) {
        let world = after(&edits, Habits::default());
        let mut straight = World::with_fleet(2, "a");
        straight.fleets.get_mut("s").unwrap().spec = world.fleet().spec.clone();
        straight.rest(40);
        prop_assert_eq!(world.facts(), straight.facts());
    }

    /// **`effects_replay`:** any effect may run twice with the result of once.
    #[test]
    fn effects_replay(edits in edits()) {
        let twice = Habits { twice: true, ..Habits::default() };
        prop_assert_eq!(after(&edits, twice).facts(), after(&edits, Habits::default()).facts());
    }

    /// Caches that lag, each at its own pace, change nothing: own writes are waited for.
    #[test]
    fn lagging_caches_change_nothing(edits in edits(), pace in 1..4_u64) {
        let lagging = Habits { lag: Some(pace), ..Habits::default() };
        prop_assert_eq!(after(&edits, lagging).facts(), after(&edits, Habits::default()).facts());
    }
}

/// Stories that a search once found and that showed a mistake, of the operator's or of the checks.
#[test]
fn stories_that_once_broke_stay_whole() {
    use Edit::{DeleteNode, DeletePod, Image, Replicas};
    let table = [
        (vec![(Image(1), 15), (Image(0), 1), (Replicas(1), 15), (DeletePod(0), 0)], 3),
        (vec![(DeletePod(0), 2), (DeleteNode(0), 0), (Image(1), 0)], 2),
        // `Ready` came back to False within one pass, with a new transition time.
        (vec![(Image(1), 15), (Image(1), 0), (Replicas(3), 1), (Image(0), 0)], 3),
        (vec![(Image(0), 2), (Image(1), 15), (DeleteNode(0), 0)], 3),
    ];
    for (edits, pace) in table {
        let lagging = Habits { lag: Some(pace), ..Habits::default() };
        assert_eq!(after(&edits, lagging).facts(), after(&edits, Habits::default()).facts());
    }
}
