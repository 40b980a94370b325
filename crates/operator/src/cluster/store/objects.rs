//! The objects of a store, by key and by the value of one label.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sei_api::k8s;

use super::label_of;
use crate::cluster::Key;

/// Objects by key, and their names by namespace and label value.
///
/// **Invariant:** the index names exactly the objects that carry the label.
#[derive(Debug)]
pub(super) struct Objects<K> {
    label: Option<&'static str>,
    by_key: BTreeMap<Key, Arc<K>>,
    /// The keys' names are label values.
    by_label: BTreeMap<Key, BTreeSet<String>>,
}

impl<K: k8s::Resource<DynamicType = ()>> Objects<K> {
    /// None yet; `label` is the one that they are looked up by.
    pub(super) fn new(label: Option<&'static str>) -> Self {
        Self { label, by_key: BTreeMap::new(), by_label: BTreeMap::new() }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Arc<K>> {
        self.by_key.get(key)
    }

    /// All of them, by namespace and name.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<K>> {
        self.by_key.values()
    }

    /// Those of `namespace`, by name.
    pub(super) fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &Arc<K>> {
        let following = self.by_key.range(Key::new(namespace, "")..);
        following.take_while(move |(key, _)| key.namespace == namespace).map(|(_, object)| object)
    }

    /// Those of `namespace` whose label `label` is `value`, by name.
    pub(super) fn labelled(&self, namespace: &str, (label, value): (&str, &str)) -> Vec<Arc<K>> {
        if self.label == Some(label) {
            let names = self.by_label.get(&Key::new(namespace, value)).into_iter().flatten();
            let named = |name: &String| self.by_key.get(&Key::new(namespace, name));
            return names.filter_map(named).map(Arc::clone).collect();
        }
        let all = self.in_namespace(namespace);
        all.filter(|it| label_of(it.meta(), label) == Some(value)).map(Arc::clone).collect()
    }

    /// Puts `object` at `key`; gives what was there.
    pub(super) fn insert(&mut self, key: Key, object: Arc<K>) -> Option<Arc<K>> {
        let value = self.value(&key, &object);
        let old = self.by_key.get(&key).map(Arc::clone);
        let was = old.as_ref().and_then(|old| self.value(&key, old));
        if was != value {
            self.unlist(was, &key.name);
            if let Some(value) = value {
                self.by_label.entry(value).or_default().insert(key.name.clone());
            }
        }
        self.by_key.insert(key, object);
        old
    }

    /// Takes away what is at `key`.
    pub(super) fn remove(&mut self, key: &Key) -> Option<Arc<K>> {
        let old = self.by_key.remove(key)?;
        self.unlist(self.value(key, &old), &key.name);
        Some(old)
    }

    /// Takes away all of them.
    pub(super) fn take(&mut self) -> BTreeMap<Key, Arc<K>> {
        self.by_label.clear();
        std::mem::take(&mut self.by_key)
    }

    fn value(&self, key: &Key, object: &Arc<K>) -> Option<Key> {
        let value = label_of(object.meta(), self.label?)?;
        Some(Key::new(&key.namespace, value))
    }

    fn unlist(&mut self, value: Option<Key>, name: &str) {
        let Some(value) = value else { return };
        let Some(names) = self.by_label.get_mut(&value) else { return };
        names.remove(name);
        if names.is_empty() {
            self.by_label.remove(&value);
        }
    }
}

#[cfg(test)]
mod tests;
