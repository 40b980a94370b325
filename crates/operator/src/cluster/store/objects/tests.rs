//! The index says what a scan would.

use proptest::prelude::*;

use super::*;

const INDEXED: &str = "indexed";

fn object(namespace: &str, name: &str, value: Option<&str>) -> Arc<k8s::ConfigMap> {
    let mut object = k8s::ConfigMap::default();
    object.metadata.namespace = Some(namespace.to_owned());
    object.metadata.name = Some(name.to_owned());
    object.metadata.labels = value.map(|it| [(INDEXED.to_owned(), it.to_owned())].into());
    Arc::new(object)
}

#[derive(Clone, Debug)]
enum Step {
    Insert(Key, Option<&'static str>),
    Remove(Key),
    TakeAll,
}

fn key() -> impl Strategy<Value = Key> {
    let name = prop::sample::select(vec!["a", "b", "c"]);
    (prop::sample::select(vec!["x", "y"]), name).prop_map(|(space, name)| Key::new(space, name))
}

fn step() -> impl Strategy<Value = Step> {
    let value = prop::option::of(prop::sample::select(vec!["one", "two"]));
    prop_oneof![
        8 => (key(), value).prop_map(|(key, value)| Step::Insert(key, value)),
        4 => key().prop_map(Step::Remove),
        1 => Just(Step::TakeAll),
    ]
}

proptest! {
    #[test]
    fn an_index_finds_what_a_scan_finds(steps in prop::collection::vec(step(), 0..40)) {
        let (mut indexed, mut scanned) = (Objects::new(Some(INDEXED)), Objects::new(None));
        for step in steps {
            match step {
                Step::Insert(key, value) => {
                    let object = object(&key.namespace, &key.name, value);
                    indexed.insert(key.clone(), Arc::clone(&object));
                    scanned.insert(key, object);
                }
                Step::Remove(key) => prop_assert_eq!(indexed.remove(&key), scanned.remove(&key)),
                Step::TakeAll => prop_assert_eq!(indexed.take(), scanned.take()),
            }
            for namespace in ["x", "y", "z"] {
                for value in ["one", "two", "three"] {
                    prop_assert_eq!(
                        indexed.labelled(namespace, (INDEXED, value)),
                        scanned.labelled(namespace, (INDEXED, value))
                    );
                }
            }
            let named: usize = indexed.by_label.values().map(BTreeSet::len).sum();
            let labelled = indexed.all().filter(|it| it.metadata.labels.is_some()).count();
            prop_assert_eq!(named, labelled, "nothing of the past is left");
        }
    }
}
