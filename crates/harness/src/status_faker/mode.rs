//! What the faker writes for a StatefulSet, by mode. Pure.

use sei_api::k8s::StatefulSet;
use serde::Serialize;
use serde_json::{Value, json};

/// The revision of a StatefulSet whose rollout is done.
const REVISION: &str = "stub-rev";

/// How a StatefulSet is treated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Every edit is rolled out at once.
    #[default]
    RolledOut,
    /// The controller has seen the edit, but no pod is updated or ready.
    ObservedNotUpdated,
    /// As rolled out, but pods of two revisions are said to run.
    RevisionSplit {
        /// What `currentRevision` says.
        current: String,
        /// What `updateRevision` says.
        update: String,
    },
    /// Nothing is written.
    Frozen,
}

/// The eight fields that the faker owns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fields {
    observed_generation: i64,
    replicas: i32,
    ready_replicas: i32,
    updated_replicas: i32,
    available_replicas: i32,
    current_replicas: i32,
    current_revision: String,
    update_revision: String,
}

impl Fields {
    /// As they are; absent reads as zero.
    pub(super) fn of(set: &StatefulSet) -> Self {
        let status = set.status.clone().unwrap_or_default();
        Self {
            observed_generation: status.observed_generation.unwrap_or_default(),
            replicas: status.replicas,
            ready_replicas: status.ready_replicas.unwrap_or_default(),
            updated_replicas: status.updated_replicas.unwrap_or_default(),
            available_replicas: status.available_replicas.unwrap_or_default(),
            current_replicas: status.current_replicas.unwrap_or_default(),
            current_revision: status.current_revision.unwrap_or_default(),
            update_revision: status.update_revision.unwrap_or_default(),
        }
    }
}

/// The merge patch that rolls out the newest edit of a StatefulSet; `None` if it has been.
pub fn rolled_out(set: &StatefulSet) -> Option<Value> {
    let wanted = wanted(set, &Mode::RolledOut)?;
    (Fields::of(set) != wanted).then(|| json!({ "status": wanted }))
}

/// As they shall be; `None` leaves them alone.
pub(super) fn wanted(set: &StatefulSet, mode: &Mode) -> Option<Fields> {
    let replicas = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let rolled_out = Fields {
        observed_generation: set.metadata.generation.unwrap_or_default(),
        replicas,
        ready_replicas: replicas,
        updated_replicas: replicas,
        available_replicas: replicas,
        current_replicas: replicas,
        current_revision: REVISION.to_owned(),
        update_revision: REVISION.to_owned(),
    };
    match mode {
        Mode::RolledOut => Some(rolled_out),
        Mode::ObservedNotUpdated => Some(Fields {
            ready_replicas: 0,
            updated_replicas: 0,
            available_replicas: 0,
            ..rolled_out
        }),
        Mode::RevisionSplit { current, update } => Some(Fields {
            current_revision: current.clone(),
            update_revision: update.clone(),
            ..rolled_out
        }),
        Mode::Frozen => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(generation: i64, replicas: i32) -> StatefulSet {
        let mut set = StatefulSet::default();
        set.metadata.generation = Some(generation);
        set.spec.get_or_insert_default().replicas = Some(replicas);
        set
    }

    #[test]
    fn rolled_out_fills_all_eight_fields() {
        let fields = serde_json::to_value(wanted(&set(3, 2), &Mode::RolledOut)).unwrap();
        assert_eq!(
            fields,
            serde_json::json!({
                "observedGeneration": 3, "replicas": 2, "readyReplicas": 2, "updatedReplicas": 2,
                "availableReplicas": 2, "currentReplicas": 2,
                "currentRevision": "stub-rev", "updateRevision": "stub-rev",
            })
        );
    }

    #[test]
    fn observed_not_updated_keeps_revisions_equal_and_pods_old() {
        let fields = wanted(&set(3, 2), &Mode::ObservedNotUpdated).unwrap();
        assert_eq!((fields.observed_generation, fields.replicas), (3, 2));
        assert_eq!((fields.updated_replicas, fields.ready_replicas), (0, 0));
        assert_eq!(fields.current_revision, fields.update_revision);
    }

    #[test]
    fn a_split_names_both_revisions_and_frozen_writes_nothing() {
        let split = Mode::RevisionSplit { current: "a".into(), update: "b".into() };
        let fields = wanted(&set(1, 1), &split).unwrap();
        assert_eq!((fields.current_revision.as_str(), fields.update_revision.as_str()), ("a", "b"));
        assert_eq!(wanted(&set(1, 1), &Mode::Frozen), None);
    }
}
