//! Labels of a node's objects.

use std::collections::BTreeMap;

use sei_api::labels;

use super::Subject;

/// The only label that selects: nothing else of a node may change what its Service reaches.
pub(super) fn selector(subject: &Subject<'_>) -> BTreeMap<String, String> {
    BTreeMap::from([(labels::NODE.to_owned(), subject.name.to_string())])
}

/// The user's pod labels under the system's, which win.
pub(super) fn merged(subject: &Subject<'_>) -> BTreeMap<String, String> {
    let mut merged = subject.spec.pod_labels.clone();
    merged.extend(selector(subject));
    if !subject.spec.chain_id.is_empty() {
        merged.insert(labels::CHAIN.to_owned(), subject.spec.chain_id.clone());
    }
    if let Some(mode) = subject.mode {
        merged.insert(labels::ROLE.to_owned(), mode.role().to_owned());
    }
    merged
}
