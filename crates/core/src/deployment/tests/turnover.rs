//! Children that come and go are told once each, whoever heard the answer.

use std::sync::Arc;

use sei_api::{SeiNode, k8s};

use super::scene::Scene;
use crate::fault::Fault;
use crate::node::Seen;
use crate::node::tests::scene::at;

/// Names, as they are told of and discriminated.
type Told = Vec<(String, String)>;

/// A round, after which its status is the stored one. What was told of children.
fn told(scene: &mut Scene, fault: Option<Fault>) -> Told {
    let end = scene.round(fault);
    scene.status = end.status;
    let about = |it: &crate::notice::Notice| it.reason.as_str().starts_with("SeiNode");
    let told = end.notices.into_iter().filter(about);
    told.map(|it| (it.message, it.discriminator)).collect()
}

fn lost() -> Option<Fault> {
    Some(Fault::transient("the API server cannot be reached"))
}

/// The fleet was made a minute ago.
fn scene(input: &str) -> Scene {
    let mut scene = Scene::new(input);
    scene.fleet.metadata.creation_timestamp = Some(k8s::Time(at(-60)));
    scene
}

/// `s-1` stands there as a round of another scene has it, made so many seconds ago.
fn stands(scene: &mut Scene, age: i64) {
    let other = Scene::new("fleet").seen.children.remove("s-1");
    let Some(Seen::Here(mut child)) = other else { panic!("no child") };
    let it = Arc::make_mut(&mut child);
    it.metadata.uid = Some("its-uid".to_owned());
    it.metadata.creation_timestamp = Some(k8s::Time(at(-age)));
    scene.seen.children.insert("s-1".to_owned(), Seen::Here(child));
}

fn change(scene: &mut Scene, edit: impl FnOnce(&mut SeiNode)) {
    let Some(Seen::Here(child)) = scene.seen.children.get_mut("s-1") else { panic!("no child") };
    edit(Arc::make_mut(child));
}

fn terminates(scene: &mut Scene) {
    change(scene, |it| it.metadata.deletion_timestamp = Some(k8s::Time(at(0))));
}

fn of<const N: usize>(told: [(&str, &str); N]) -> Told {
    told.map(|(message, which)| (message.to_owned(), which.to_owned())).to_vec()
}

const NOTHING: Told = Vec::new();

mod coming {
    use super::*;

    #[test]
    fn is_told_when_the_server_confirms_it_and_never_again() {
        let mut scene = scene("fleet \n child 1 absent");
        assert_eq!(told(&mut scene, None), of([("Created SeiNode s-1", "new")]));
        scene.seen.children.insert("s-1".to_owned(), Seen::Stale);
        assert_eq!(told(&mut scene, None), NOTHING);
        stands(&mut scene, 0);
        assert_eq!(told(&mut scene, None), NOTHING);
    }

    #[test]
    fn is_told_when_it_is_seen_if_the_answer_was_lost() {
        let mut scene = scene("fleet \n child 1 absent");
        assert_eq!(told(&mut scene, lost()), NOTHING, "nobody knows yet");
        stands(&mut scene, 1);
        assert_eq!(told(&mut scene, None), of([("Created SeiNode s-1", "its-uid")]));
        assert_eq!(told(&mut scene, None), NOTHING);
    }

    #[test]
    fn is_not_told_of_a_child_that_was_there_before_its_fleet() {
        let mut scene = scene("fleet \n child 1 absent");
        assert_eq!(told(&mut scene, lost()), NOTHING);
        stands(&mut scene, 61);
        assert_eq!(told(&mut scene, None), NOTHING);
    }

    #[test]
    fn is_old_news_when_a_status_was_wiped() {
        for (age, news) in [(599, 1), (601, 0)] {
            let mut scene = scene("fleet");
            scene.fleet.metadata.creation_timestamp = Some(k8s::Time(at(-9999)));
            stands(&mut scene, age);
            scene.status = Default::default();
            assert_eq!(told(&mut scene, None).len(), news, "{age}");
        }
    }
}

mod going {
    use super::*;

    const WENT: (&str, &str) = ("Scaled down SeiNode s-1", "s-1/2");

    #[test]
    fn is_told_when_the_server_confirms_it_and_never_again() {
        let mut scene = scene("fleet replicas=1 gen=2");
        assert_eq!(told(&mut scene, None), of([WENT]));
        scene.seen.children.insert("s-1".to_owned(), Seen::Stale);
        assert_eq!(told(&mut scene, None), NOTHING);
        stands(&mut scene, 9);
        terminates(&mut scene);
        assert_eq!(told(&mut scene, None), NOTHING);
        scene.seen.children.remove("s-1");
        assert_eq!(told(&mut scene, None), NOTHING);
    }

    #[test]
    fn is_told_when_it_is_seen_if_the_answer_was_lost() {
        let mut scene = scene("fleet replicas=1 gen=2");
        assert_eq!(told(&mut scene, lost()), NOTHING, "nobody knows yet");
        terminates(&mut scene);
        assert_eq!(told(&mut scene, None), of([WENT]));
        scene.seen.children.remove("s-1");
        assert_eq!(told(&mut scene, None), NOTHING);
    }

    #[test]
    fn is_told_of_a_child_that_went_unseen() {
        let mut scene = scene("fleet replicas=1 gen=2");
        assert_eq!(told(&mut scene, lost()), NOTHING);
        scene.seen.children.remove("s-1");
        assert_eq!(told(&mut scene, None), of([WENT]));
        assert_eq!(told(&mut scene, None), NOTHING);
    }

    #[test]
    fn is_not_told_of_a_child_that_is_not_seen_for_a_moment() {
        let mut scene = scene("fleet replicas=1 gen=2");
        assert_eq!(told(&mut scene, lost()), NOTHING);
        scene.seen.children.insert("s-1".to_owned(), Seen::Stale);
        assert_eq!(told(&mut scene, None), NOTHING);
    }

    #[test]
    fn by_hand_is_no_scaling() {
        let mut scene = scene("fleet");
        terminates(&mut scene);
        assert_eq!(told(&mut scene, None), NOTHING);
        scene.seen.children.remove("s-1");
        assert_eq!(told(&mut scene, None), of([("Created SeiNode s-1", "new")]));
    }
}
