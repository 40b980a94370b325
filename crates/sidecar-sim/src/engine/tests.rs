//! The engine's rules, by table and by property.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const ID: &str = "9ce1fa13-9abe-55cc-af21-2697559af5a6";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn order(id: &str, task_type: &str) -> Order {
    Order { id: Some(id.to_owned()), task_type: task_type.to_owned(), params: Params::new() }
}

fn ends(second: i64) -> impl FnOnce(&TaskRow) -> Fate {
    move |_| Fate { ends_at: Some(at(second)), failure: None }
}

fn fails(second: i64) -> impl FnOnce(&TaskRow) -> Fate {
    move |_| Fate { ends_at: Some(at(second)), failure: Some("no".into()) }
}

fn settle(engine: &mut Engine, second: i64) -> Vec<Ended> {
    engine.settle(at(second), |_| Verdict::Done)
}

#[test]
fn a_task_runs_until_its_time_and_ends_at_that_time() {
    let mut engine = Engine::default();
    let accepted = engine.submit(at(0), order(ID, "config-apply"), ends(5));
    assert_eq!(accepted, Accepted { id: ID.into(), started: Some(1) });
    settle(&mut engine, 4);
    assert_eq!(engine.get(ID).unwrap().status, TaskStatus::Running);
    settle(&mut engine, 9);
    let row = engine.get(ID).unwrap();
    assert_eq!((&row.status, row.completed_at), (&TaskStatus::Completed, Some(at(5))));
}

#[test]
fn running_and_completed_ids_are_left_alone_whatever_comes_with_them() {
    let mut engine = Engine::default();
    engine.submit(at(0), order(ID, "config-apply"), ends(5));
    for second in [1, 6] {
        settle(&mut engine, second);
        let before = engine.get(ID).cloned();
        let again = engine.submit(at(second), order(ID, "mark-ready"), |_| unreachable!());
        assert_eq!(again.started, None);
        assert_eq!(engine.get(ID).cloned(), before);
    }
}

#[test]
fn a_failed_id_runs_again_as_the_new_request_says() {
    let mut engine = Engine::default();
    engine.submit(at(0), order(ID, "config-apply"), fails(0));
    settle(&mut engine, 0);
    assert_eq!(engine.get(ID).unwrap().error.as_deref(), Some("no"));
    assert_eq!(engine.submit(at(3), order(ID, "mark-ready"), ends(9)).started, Some(2));
    let row = engine.get(ID).unwrap();
    assert_eq!((row.task_type.as_str(), row.run, row.submitted_at), ("mark-ready", 2, at(3)));
    assert_eq!((&row.error, row.completed_at), (&None, None));
}

#[test]
fn a_deleted_row_comes_back_when_its_work_ends() {
    let mut engine = Engine::default();
    engine.submit(at(0), order(ID, "config-apply"), ends(5));
    assert!(engine.delete(ID));
    assert!(!engine.delete(ID));
    assert_eq!(engine.get(ID), None);
    settle(&mut engine, 5);
    assert_eq!(engine.get(ID).unwrap().status, TaskStatus::Completed);
}

#[test]
fn crash_recovers_what_ran_and_a_graceful_stop_does_not() {
    let mut engine = Engine::default();
    engine.submit(at(0), order(ID, "config-apply"), ends(5));
    engine.crash();
    settle(&mut engine, 9);
    assert_eq!(engine.get(ID).unwrap().status, TaskStatus::Running);
    engine.start(|_| Fate { ends_at: Some(at(12)), failure: None });
    settle(&mut engine, 12);
    let row = engine.get(ID).unwrap();
    assert_eq!((&row.status, row.run, row.submitted_at), (&TaskStatus::Completed, 1, at(0)));

    let other = "52870ba7-7f29-5143-8fa9-c17316f83728";
    engine
        .submit(at(20), order(other, "snapshot-upload"), |_| Fate { ends_at: None, failure: None });
    engine.stop_gracefully(at(21));
    engine.start(|_| unreachable!("nothing is left to recover"));
    let row = engine.get(other).unwrap();
    assert_eq!(
        (&row.status, row.error.as_deref()),
        (&TaskStatus::Failed, Some("context canceled"))
    );
}

#[test]
fn a_completed_mark_ready_opens_the_gate_once_and_for_this_process_only() {
    let mut engine = Engine::default();
    engine.submit(at(0), order(ID, "mark-ready"), ends(0));
    assert!(!engine.is_ready());
    settle(&mut engine, 0);
    assert!(engine.is_ready());
    engine.crash();
    engine.start(|_| unreachable!("completed rows are not run again"));
    assert!(!engine.is_ready());
    engine.submit(at(1), order(ID, "mark-ready"), |_| unreachable!("the id is completed"));
    settle(&mut engine, 1);
    assert!(!engine.is_ready(), "a completed id does not open the gate again");
}

#[test]
fn what_still_waits_is_asked_again_and_ends_when_it_is_found_ended() {
    let mut engine = Engine::default();
    engine.submit(at(0), order(ID, "await-condition"), ends(0));
    assert!(engine.settle(at(1), |_| Verdict::NotYet).is_empty());
    settle(&mut engine, 7);
    assert_eq!(engine.get(ID).unwrap().completed_at, Some(at(7)));
}

#[test]
fn lists_show_the_newest_hundred_first() {
    let mut engine = Engine::default();
    for n in 0..105_u128 {
        let id = Uuid::from_u128(n).to_string();
        let second = i64::try_from(n / 2).unwrap();
        engine.submit(at(second), order(&id, "config-apply"), ends(999));
    }
    let list = engine.list();
    assert_eq!(list.len(), 100);
    assert_eq!(list[0].id, Uuid::from_u128(104).to_string());
    assert_eq!(list[99].id, Uuid::from_u128(5).to_string());
}

#[test]
fn a_task_without_id_gets_one_of_its_own() {
    let mut engine = Engine::default();
    let anonymous = || Order { id: Some(String::new()), ..order("", "mark-ready") };
    let first = engine.submit(at(0), anonymous(), ends(0)).id;
    let second = engine.submit(at(0), anonymous(), ends(0)).id;
    assert_ne!(first, second);
    assert!(Uuid::parse_str(&first).is_ok());
}

#[derive(Debug, Clone)]
enum Step {
    Submit { id: usize, fails: bool, takes: u64, mark_ready: bool },
    Wait { seconds: i64 },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_usize, any::<bool>(), 0..4_u64, any::<bool>()).prop_map(
            |(id, fails, takes, mark_ready)| Step::Submit { id, fails, takes, mark_ready }
        ),
        3 => (0..4_i64).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    /// Against the plainest possible account of what must be so.
    #[test]
    fn runs_count_failures_and_the_gate_follows_mark_ready(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut engine = Engine::default();
        let mut now = at(0);
        let mut failures = [0_u64; 3];
        let mut opened = false;
        for step in steps {
            let ended = engine.settle(now, |_| Verdict::Done);
            for end in &ended {
                let index = usize::try_from(Uuid::parse_str(&end.id).unwrap().as_u128()).unwrap();
                failures[index] += u64::from(end.error.is_some());
                let row = engine.get(&end.id).unwrap();
                opened |= end.error.is_none() && row.task_type == "mark-ready";
            }
            match step {
                Step::Wait { seconds } => now += Duration::from_secs(seconds.unsigned_abs()),
                Step::Restart => {
                    engine.crash();
                    let takes = now + Duration::from_secs(1);
                    engine.start(|_| Fate { ends_at: Some(takes), failure: None });
                    opened = false;
                }
                Step::Submit { id, fails, takes, mark_ready } => {
                    let text = Uuid::from_u128(id as u128).to_string();
                    let before = engine.get(&text).cloned();
                    let task_type = if mark_ready { "mark-ready" } else { "config-apply" };
                    let end = now + Duration::from_secs(takes);
                    let failure = fails.then(|| "no".to_owned());
                    let accepted = engine.submit(now, order(&text, task_type), |_| {
                        Fate { ends_at: Some(end), failure }
                    });
                    prop_assert_eq!(&accepted.id, &text);
                    match before {
                        Some(row) if row.status != TaskStatus::Failed => {
                            prop_assert_eq!(accepted.started, None);
                            prop_assert_eq!(engine.get(&text), Some(&row));
                        }
                        Some(_) | None => {
                            prop_assert_eq!(accepted.started, Some(failures[id] + 1));
                        }
                    }
                }
            }
            prop_assert_eq!(engine.is_ready(), opened);
        }
    }
}
