//! A task of the sidecar that fails again and again: one cause, told once, since its first failure.

use sei_api::SeiNodeStatus;
use sei_api::condition::{Reason, Type};
use sei_api::event;

use super::scene::{Scene, at};
use crate::condition::{Conditions, Say, find};
use crate::node::notices;
use crate::notice::Notice;

fn scene() -> Scene {
    Scene::new(
        "node Initializing since=900 \n plan init at=configure-genesis \n \
         sidecar task=failed error=\"bucket is gone\"",
    )
}

/// Attempt number `run` fails at `seconds`; what the status says then, and what is told.
fn fails(scene: &mut Scene, run: u64, seconds: i64) -> (String, Vec<Notice>) {
    scene.seen.now = at(seconds);
    let Some(Ok(Some(row))) = &mut scene.seen.task else { panic!("no row") };
    row.run = run;
    let after = scene.round(None).status;
    let told = notices(&scene.node, &scene.status, &after);
    scene.status = after;
    (ready(&scene.status), told)
}

fn ready(status: &SeiNodeStatus) -> String {
    let it = find(&status.conditions, Type::Ready).unwrap();
    format!("{}: {}", it.reason, it.message)
}

const NEXT: &str = "it is repeated by itself, see kubectl -n ns logs fn-0-0 -c sei-sidecar";

#[test]
fn it_says_the_same_after_each_failure() {
    let mut scene = scene();
    let (first, told) = fails(&mut scene, 1, 60);
    let since = "since 2026-01-01T00:01:00Z";
    let said =
        format!("SidecarTaskFailed: task configure-genesis fails {since}: bucket is gone; {NEXT}");
    assert_eq!(first, said);
    assert_eq!(told.len(), 1);
    for run in 2..5 {
        let hour = i64::try_from(run).unwrap();
        let (again, told) = fails(&mut scene, run, hour * 3600);
        assert_eq!((again, told.len()), (said.clone(), 0), "{run}");
        assert_eq!(scene.status.plan.as_ref().unwrap().tasks[5].retry_count, hour);
    }
}

/// When it first failed is not known any more then, and nothing is made up.
#[test]
fn another_trouble_in_between_makes_no_second_event() {
    let mut scene = scene();
    let (_, first) = fails(&mut scene, 1, 60);
    let (generation, now) = (1, at(120));
    let list = &mut scene.status.conditions;
    Conditions { list, generation, now }
        .set(Type::Ready, Say::no(Reason::SidecarUnreachable, "no answer"));
    let (said, second) = fails(&mut scene, 2, 3600);
    let expected =
        format!("SidecarTaskFailed: task configure-genesis fails: bucket is gone; {NEXT}");
    assert_eq!(said, expected);
    for told in [&first, &second] {
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].reason, event::Reason::SidecarTaskFailed);
    }
    assert_eq!(first[0].discriminator, second[0].discriminator);
}
