//! Questions to a recorded sequence of versions.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use kube::{Resource, ResourceExt};
use serde::Serialize;

/// One stored version of one object.
#[derive(Clone, Debug)]
pub struct Version<K> {
    /// When it was seen, counted from the start of the history.
    pub at: Duration,
    /// True for the last version of an object that was removed.
    pub deleted: bool,
    /// Whether versions between this one and the one before may have been missed.
    pub after_hole: bool,
    /// The object as it was stored.
    pub object: Arc<K>,
}

/// Versions in the order in which they were stored.
#[derive(Clone, Debug)]
pub struct Versions<K> {
    versions: Vec<Version<K>>,
}

impl<K> Versions<K> {
    pub(super) fn new(versions: Vec<Version<K>>) -> Self {
        Self { versions }
    }

    /// The versions, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Version<K>> {
        self.versions.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.versions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// The stretches in which no version is missing: one, unless a hole was bridged.
    pub fn unbroken(&self) -> Vec<Self>
    where
        K: Clone,
    {
        let stretches = self.versions.chunk_by(|_, next| !next.after_hole);
        stretches.map(|stretch| Self::new(stretch.to_vec())).collect()
    }

    /// The values that `field` took, without repeats in a row.
    pub fn sequence_of<T: PartialEq>(&self, field: impl Fn(&K) -> T) -> Vec<T> {
        let mut values = Vec::new();
        for version in &self.versions {
            let value = field(&version.object);
            if values.last() != Some(&value) {
                values.push(value);
            }
        }
        values
    }

    /// The first version that satisfies `wanted`.
    pub fn first(&self, wanted: impl Fn(&K) -> bool) -> Option<&Version<K>> {
        self.versions.iter().find(|version| wanted(&version.object))
    }

    /// The newest version.
    pub fn last(&self) -> Option<&Version<K>> {
        self.versions.last()
    }
}

impl<K: Resource<DynamicType = ()> + Clone + Serialize> Versions<K> {
    /// The versions of the object with this UID.
    #[must_use]
    pub fn of_uid(&self, uid: &str) -> Self {
        self.filtered(|object| object.meta().uid.as_deref() == Some(uid))
    }

    /// The versions of all objects that had this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        self.filtered(|object| object.meta().name.as_deref() == Some(name))
    }

    /// Checks that `rule` holds for every version.
    ///
    /// # Errors
    /// Shows the first version that breaks the rule, what the rule says, and the one before.
    pub fn always(&self, what: &str, rule: impl Fn(&K) -> Result<(), String>) -> Result<()> {
        for (index, version) in self.versions.iter().enumerate() {
            let Err(why) = rule(&version.object) else { continue };
            let before = index.checked_sub(1).map(|index| &self.versions[index]);
            bail!(
                "\"{what}\" breaks in version {} of {} (resourceVersion {}, at {:.3} s): {why}\
                 \n--- before\n{}\n--- broken\n{}",
                index + 1,
                self.versions.len(),
                number(&*version.object),
                version.at.as_secs_f64(),
                before.map_or("nothing".to_owned(), |version| json(&*version.object)),
                json(&*version.object),
            );
        }
        Ok(())
    }

    /// Checks that no version satisfies `forbidden`.
    ///
    /// # Errors
    /// Shows the first that does, as [`Versions::always`].
    pub fn never(&self, what: &str, forbidden: impl Fn(&K) -> bool) -> Result<()> {
        let rule = |object: &K| match forbidden(object) {
            true => Err("it was seen".to_owned()),
            false => Ok(()),
        };
        self.always(&format!("never {what}"), rule)
    }

    pub(super) fn last_as_json(&self) -> String {
        self.last().map_or("none".to_owned(), |version| json(&*version.object))
    }

    fn filtered(&self, keep: impl Fn(&K) -> bool) -> Self {
        let versions = self.versions.iter().filter(|version| keep(&version.object));
        Self { versions: versions.cloned().collect() }
    }
}

/// The resourceVersion; comparable within one kind.
pub(super) fn number(object: &impl Resource) -> u64 {
    object.resource_version().and_then(|version| version.parse().ok()).unwrap_or_default()
}

fn json(object: &impl Serialize) -> String {
    let mut value = serde_json::to_value(object).unwrap_or_default();
    if let Some(metadata) = value["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    format!("{value:#}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sei_api::k8s::ConfigMap;

    fn versions(values: &[&str]) -> Versions<ConfigMap> {
        let version = |(index, value): (usize, &&str)| {
            let mut object = ConfigMap::default();
            object.metadata.uid = Some("u".into());
            object.metadata.resource_version = Some((index + 1).to_string());
            object.data = Some([("key".to_owned(), (*value).to_owned())].into());
            Version {
                at: Duration::ZERO,
                deleted: false,
                after_hole: false,
                object: Arc::new(object),
            }
        };
        Versions::new(values.iter().enumerate().map(version).collect())
    }

    fn value(object: &ConfigMap) -> String {
        object.data.as_ref().unwrap()["key"].clone()
    }

    #[test]
    fn a_sequence_drops_repeats_but_not_returns() {
        assert_eq!(versions(&["a", "a", "b", "a"]).sequence_of(value), ["a", "b", "a"]);
    }

    #[test]
    fn a_broken_rule_shows_the_version_and_the_one_before() {
        let message = versions(&["a", "b"])
            .never("b", |object| value(object) == "b")
            .unwrap_err()
            .to_string();
        assert!(message.starts_with("\"never b\" breaks in version 2 of 2 (resourceVersion 2"));
        assert!(message.contains("\"key\": \"a\"") && message.contains("\"key\": \"b\""));
        versions(&["a"]).never("b", |object| value(object) == "b").unwrap();
    }

    #[test]
    fn the_first_match_wins() {
        let versions = versions(&["a", "b", "b"]);
        let first = versions.first(|object| value(object) == "b").unwrap();
        assert_eq!(number(&*first.object), 2);
        assert!(versions.first(|object| value(object) == "c").is_none());
    }
}
