//! The claim for a node's data volume.

use std::collections::BTreeMap;

use sei_api::k8s;

use super::Subject;
use super::mode::Mode;

/// The claim of a node that imports none.
pub(super) fn claim(subject: &Subject<'_>) -> k8s::PersistentVolumeClaim {
    let capacity = subject.mode.unwrap_or(Mode::FullNode).capacity(subject.platform);
    let size = k8s::Quantity(capacity.storage_size.clone());
    k8s::PersistentVolumeClaim {
        metadata: subject.metadata(&claim_name(subject)),
        spec: Some(k8s::PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            storage_class_name: Some(capacity.storage_class.clone()),
            resources: Some(k8s::VolumeResourceRequirements {
                requests: Some(BTreeMap::from([("storage".to_owned(), size)])),
                limits: None,
            }),
            ..k8s::PersistentVolumeClaimSpec::default()
        }),
        status: None,
    }
}

/// The one rule for which claim holds a node's data.
pub(super) fn claim_name(subject: &Subject<'_>) -> String {
    let imported = subject.spec.data_volume.as_ref().and_then(|it| it.import.as_ref());
    match imported {
        Some(import) if !import.pvc_name.is_empty() => import.pvc_name.clone(),
        Some(_) | None => subject.name.claim().into(),
    }
}
