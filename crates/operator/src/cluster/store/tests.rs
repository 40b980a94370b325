//! What a store promises: relists, reading our own writes, who is told what.

use std::collections::BTreeMap;

use super::*;

#[test]
fn a_relist_tells_what_vanished_and_what_is_new() {
    let store = store();
    store.replace(vec![here("a", 1), here("b", 2), here("c", 3)], "3");
    let changes = store.replace(vec![here("b", 2), here("c", 5), here("d", 6)], "7");
    let told: Vec<String> = changes.iter().map(picture).collect();
    assert_eq!(told, ["b 2->2", "c 3->5", "d -->6", "a 1->-"]);
    assert_eq!(names(&store), ["b", "c", "d"]);
}

#[test]
fn an_undecodable_object_keeps_its_last_readable_state() {
    let store = store();
    store.replace(vec![here("a", 1), here("b", 2)], "2");
    let changes = store.replace(vec![Listed::Undecodable(key("a")), here("b", 2)], "9");
    assert_eq!(changes.iter().map(picture).collect::<Vec<_>>(), ["b 2->2"]);
    assert_eq!(names(&store), ["a", "b"]);
    assert_eq!(picture(&store.forget(&key("a"))[0]), "a 1->-");
}

#[tokio::test(start_paused = true)]
async fn an_object_is_stale_until_the_stream_shows_our_write() {
    let store = store();
    store.replace(vec![here("a", 1)], "1");
    store.wrote(&key("a"), Some("5"));
    assert!(matches!(store.get(&key("a")), Cached::Stale(_)));
    store.apply(object("a", 3));
    assert!(matches!(store.get(&key("a")), Cached::Stale(_)), "an older write of somebody else");
    assert_eq!(version(&store.peek(&key("a"))), "3");
    let changes = store.apply(object("a", 5));
    assert!(changes[0].ours);
    assert!(matches!(store.get(&key("a")), Cached::Here(_)));
}

#[test]
fn a_created_object_is_stale_and_not_absent() {
    let store = store();
    store.replace(vec![], "1");
    store.wrote(&key("a"), Some("2"));
    assert!(matches!(store.get(&key("a")), Cached::Stale(_)));
    store.apply(object("a", 2));
    assert!(matches!(store.get(&key("a")), Cached::Here(_)));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_object_is_stale_until_the_stream_takes_it_away() {
    type End = fn(&Store<k8s::ConfigMap>);
    let other = |store: &Store<k8s::ConfigMap>| {
        let mut again = object("a", 9);
        again.metadata.uid = Some("another".to_owned());
        drop(store.apply(again));
    };
    let ends: [(&str, End); 4] = [
        ("its deletion", |store| drop(store.delete(object("a", 9)))),
        ("another object of its name", other),
        ("a listing", |store| drop(store.replace(vec![], "9"))),
        ("the loss of the kind", |store| drop(store.missing())),
    ];
    for (what, end) in ends {
        let store = store();
        store.replace(vec![here("a", 1)], "1");
        store.deleted(&key("a"), "not this one");
        assert!(matches!(store.get(&key("a")), Cached::Here(_)), "{what}");
        store.deleted(&key("a"), "uid-a");
        store.apply(object("a", 3));
        assert!(matches!(store.get(&key("a")), Cached::Stale(_)), "{what}");
        assert!(store.wait_for(&key("a")), "a pass must not ask again and again");
        end(&store);
        assert!(!matches!(store.get(&key("a")), Cached::Stale(_)), "{what}");
    }
}

#[test]
fn a_kind_that_goes_takes_its_objects_along() {
    let store = store();
    assert_eq!(store.presence(), Presence::Unknown);
    store.replace(vec![here("a", 1)], "1");
    assert_eq!(store.presence(), Presence::Served);
    store.wrote(&key("b"), Some("5"));
    assert_eq!(store.missing().iter().map(picture).collect::<Vec<_>>(), ["a 1->-"]);
    assert_eq!(store.presence(), Presence::Missing);
    assert!(matches!(store.get(&key("b")), Cached::Absent), "our write went with it");
}

#[test]
fn whatever_the_stream_shows_of_a_later_version_ends_staleness() {
    type End = fn(&Store<k8s::ConfigMap>);
    let ends: [(&str, End); 5] = [
        ("a newer write of somebody else", |store| drop(store.apply(object("a", 9)))),
        ("another object's event", |store| drop(store.apply(object("z", 9)))),
        ("its deletion", |store| drop(store.delete(object("a", 9)))),
        ("a bookmark", |store| drop(store.bookmark("9"))),
        ("a listing", |store| drop(store.replace(vec![], "9"))),
    ];
    for (what, end) in ends {
        let store = store();
        store.replace(vec![here("a", 1)], "1");
        store.wrote(&key("a"), Some("5"));
        end(&store);
        assert!(!matches!(store.get(&key("a")), Cached::Stale(_)), "{what}");
    }
}

#[test]
fn a_listing_from_before_our_write_does_not_end_staleness() {
    let store = store();
    store.wrote(&key("a"), Some("5"));
    store.replace(vec![here("a", 1)], "4");
    assert!(matches!(store.get(&key("a")), Cached::Stale(_)));
}

#[test]
fn a_write_that_the_stream_has_shown_already_is_not_stale() {
    let store = store();
    store.apply(object("a", 5));
    store.wrote(&key("a"), Some("5"));
    assert!(matches!(store.get(&key("a")), Cached::Here(_)));
    store.wrote(&key("a"), Some("3"));
    assert!(matches!(store.get(&key("a")), Cached::Here(_)), "a write that changed nothing");
}

#[test]
fn a_resource_version_that_is_no_number_fails_open() {
    let store = store();
    store.replace(vec![here("a", 1)], "1");
    for version in [None, Some(""), Some("v7"), Some("-1")] {
        store.wrote(&key("a"), version);
        assert!(matches!(store.get(&key("a")), Cached::Here(_)), "{version:?}");
    }
}

#[test]
fn who_waits_is_woken_when_the_object_is_fresh() {
    let store = store();
    store.replace(vec![here("a", 1)], "1");
    assert!(!store.wait_for(&key("a")), "nothing to wait for");
    store.wrote(&key("a"), Some("5"));
    assert!(store.wait_for(&key("a")));
    assert!(store.apply(object("z", 4)).iter().all(|change| !change.awaited));
    let woken: Vec<Change<k8s::ConfigMap>> =
        store.bookmark("6").into_iter().filter(|change| change.awaited).collect();
    assert_eq!(woken.len(), 1);
    assert_eq!(woken[0].key, key("a"));
    assert!(store.bookmark("7").is_empty(), "once");
}

#[test]
fn our_own_write_is_told_from_the_next_ones() {
    let store = store();
    store.replace(vec![here("a", 1)], "1");
    store.wrote(&key("a"), Some("5"));
    let ours = |changes: &[Change<k8s::ConfigMap>]| changes.iter().any(|change| change.ours);
    assert!(ours(&store.apply(object("a", 5))));
    assert!(!ours(&store.apply(object("a", 6))));
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_past_the_store_counts_for_a_while() {
    let store = store();
    store.wrote(&key("a"), Some("5"));
    tokio::time::advance(Duration::from_secs(6)).await;
    assert!(matches!(store.get(&key("a")), Cached::Stale(age) if age.as_secs() == 6));
    store.renew(&key("a"));
    assert!(matches!(store.get(&key("a")), Cached::Stale(age) if age.is_zero()));
}

#[test]
fn lookups_stay_in_their_namespace() {
    let store = store();
    let mut other = object("a", 1);
    other.metadata.namespace = Some("other".to_owned());
    let mut labelled = object("b", 2);
    labelled.metadata.labels = Some(BTreeMap::from([("l".to_owned(), "v".to_owned())]));
    for object in [other, labelled, object("c", 3)] {
        store.apply(object);
    }
    let found = |objects: Vec<Arc<k8s::ConfigMap>>| -> Vec<String> {
        objects.iter().filter_map(|it| it.metadata.name.clone()).collect()
    };
    assert_eq!(found(store.in_namespace("ns")), ["b", "c"]);
    assert_eq!(found(store.labelled("ns", ("l", "v"))), ["b"]);
    assert_eq!(found(store.labelled("ns", ("l", "w"))), [""; 0]);
    assert_eq!(found(store.all()), ["b", "c", "a"]);
}

#[test]
fn the_record_of_managers_is_kept_where_we_apply() {
    let entry = |manager: &str, subresource: Option<&str>| k8s_entry(manager, subresource);
    let mut full = object("a", 1);
    full.metadata.managed_fields =
        Some(vec![entry("ours", None), entry("theirs", None), entry("theirs", Some("status"))]);
    for (managers, expected) in [(Managers::Kept, Some(2)), (Managers::Dropped, None)] {
        let store = Store::new("ConfigMap", managers);
        store.apply(full.clone());
        let kept = store.peek(&key("a")).unwrap().metadata.managed_fields.clone();
        assert_eq!(kept.map(|entries| entries.len()), expected);
    }
}

fn store() -> Store<k8s::ConfigMap> {
    Store::new("ConfigMap", Managers::Kept)
}

fn key(name: &str) -> Key {
    Key::new("ns", name)
}

fn object(name: &str, version: u64) -> k8s::ConfigMap {
    let metadata = k8s::ObjectMeta {
        namespace: Some("ns".to_owned()),
        name: Some(name.to_owned()),
        uid: Some(format!("uid-{name}")),
        resource_version: Some(version.to_string()),
        ..k8s::ObjectMeta::default()
    };
    k8s::ConfigMap { metadata, ..k8s::ConfigMap::default() }
}

fn here(name: &str, version: u64) -> Listed<k8s::ConfigMap> {
    Listed::Here(object(name, version))
}

fn names(store: &Store<k8s::ConfigMap>) -> Vec<String> {
    store.all().iter().filter_map(|it| it.metadata.name.clone()).collect()
}

fn version(object: &Option<Arc<k8s::ConfigMap>>) -> String {
    let found = object.as_ref().and_then(|it| it.metadata.resource_version.clone());
    found.unwrap_or_else(|| "-".to_owned())
}

fn picture(change: &Change<k8s::ConfigMap>) -> String {
    format!("{} {}->{}", change.key.name, version(&change.old), version(&change.new))
}

fn k8s_entry<T: serde::de::DeserializeOwned>(manager: &str, subresource: Option<&str>) -> T {
    let entry = serde_json::json!({
        "manager": manager, "operation": "Apply", "subresource": subresource,
    });
    serde_json::from_value(entry).unwrap()
}
