//! Tests of conditions.

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn set(list: &mut Vec<k8s::Condition>, seconds: i64, say: Say) {
    Conditions { list, generation: seconds, now: at(seconds) }.set(Type::Ready, say);
}

#[test]
fn the_time_moves_with_the_status_only() {
    let mut list = Vec::new();
    let table = [
        (1, Say::no(Reason::Progressing, "a"), 1),
        (2, Say::no(Reason::Progressing, "b"), 1),
        (3, Say::no(Reason::Retrying, "b"), 1),
        (4, Say::yes(Reason::Ready, "b"), 4),
        (5, Say::unknown(Reason::Unreachable, "b"), 5),
    ];
    for (seconds, say, since) in table {
        set(&mut list, seconds, say.clone());
        let it = find(&list, Type::Ready).unwrap();
        assert_eq!(it.last_transition_time.0, at(since), "{say:?}");
        assert_eq!(it.observed_generation, Some(seconds));
        assert_eq!((it.reason.as_str(), &it.message), (say.reason.as_str(), &say.message));
    }
    assert_eq!(list.len(), 1, "one entry a type");
}

#[test]
fn a_status_that_comes_back_before_it_is_stored_keeps_its_time() {
    let mut stored = Vec::new();
    set(&mut stored, 1, Say::no(Reason::Progressing, "task 8 of 9"));
    let mut list = stored.clone();
    set(&mut list, 2, Say::yes(Reason::Ready, "done"));
    let mut moved = list.clone();
    keep_times(&stored, &mut moved);
    assert_eq!(find(&moved, Type::Ready).unwrap().last_transition_time.0, at(2));
    set(&mut list, 3, Say::no(Reason::Progressing, "task 1 of 5"));
    keep_times(&stored, &mut list);
    let it = find(&list, Type::Ready).unwrap();
    assert_eq!((it.last_transition_time.0, it.message.as_str()), (at(1), "task 1 of 5"));
    keep_times(&[], &mut list);
    assert_eq!(find(&list, Type::Ready).unwrap().last_transition_time.0, at(1), "a new one stays");
}

#[test]
fn a_seed_says_nothing_over_what_is_said() {
    let mut list = Vec::new();
    set(&mut list, 1, Say::yes(Reason::Ready, "said"));
    let mut conditions = Conditions { list: &mut list, generation: 7, now: at(9) };
    conditions.seed(Type::Ready, Say::no(Reason::NotStarted, "seed"));
    conditions.seed(Type::Stalled, Say::no(Reason::NotStarted, "seed"));
    let said = find(&list, Type::Ready).unwrap();
    assert_eq!((said.message.as_str(), said.observed_generation), ("said", Some(7)));
    assert_eq!(find(&list, Type::Stalled).unwrap().message, "seed");
    assert!(is_true(&list, Type::Ready) && !is_true(&list, Type::Stalled));
    assert!(!is_true(&list, Type::Reconciling), "absent is not true");
}
