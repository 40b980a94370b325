//! Which fleet specs can be worked with: all faults at once, each naming its field.

use sei_api::SeiNodeDeployment;
use sei_api::UpdateStrategyType::InPlace;

use crate::deployment::strategy;
use crate::name::FleetName;
use crate::node::spec::{self as node_spec, Refusal, SpecFault};

/// Children of a fleet.
pub(super) const REPLICAS_MAX: i32 = 100;
/// Where the template's node spec is.
const TEMPLATE: &str = "spec.template.spec";

/// Why this fleet is not acted on; none if it is.
pub(super) fn refusal(fleet: &SeiNodeDeployment) -> Option<Refusal> {
    let name = fleet.metadata.name.as_deref().unwrap_or_default();
    let mut faults = Vec::new();
    let mut check = |holds: bool, field: &str, detail: String| {
        if !holds {
            faults.push(SpecFault { field: field.to_owned(), detail });
        }
    };
    let label = format!("must be a DNS-1035 label of at most {} characters", FleetName::BYTES_MAX);
    check(FleetName::parse(name).is_ok(), "metadata.name", label);
    let replicas = (1..=REPLICAS_MAX).contains(&fleet.spec.replicas);
    check(replicas, "spec.replicas", format!("must be between 1 and {REPLICAS_MAX}"));
    let strategy = fleet.spec.update_strategy.as_ref().and_then(|it| it.type_.as_ref());
    let known = strategy.is_none_or(|it| it.as_str().is_empty() || *it == InPlace);
    check(known, "spec.updateStrategy.type", "must be InPlace, or absent".to_owned());
    for (key, value) in fleet.spec.template.metadata.iter().flat_map(|it| &it.labels) {
        let good =
            node_spec::is_label_key(key) && (value.is_empty() || node_spec::is_label_value(value));
        let field = format!("spec.template.metadata.labels[\"{key}\"]");
        check(good, &field, "is no valid label".to_owned());
    }
    for key in fleet.spec.template.metadata.iter().flat_map(|it| it.annotations.keys()) {
        let field = format!("spec.template.metadata.annotations[\"{key}\"]");
        check(is_annotation_key(key), &field, "is no valid key".to_owned());
    }
    faults.extend(strategy::faults(fleet));
    faults.extend(node_spec::faults(&fleet.spec.template.spec, TEMPLATE));
    let mut unsupported = node_spec::unsupported(&fleet.spec.template.spec, TEMPLATE);
    if fleet.spec.genesis.is_some() {
        unsupported.push("spec.genesis".to_owned());
    }
    node_spec::refuse(&faults, &unsupported)
}

/// Is `key` what Kubernetes takes for an annotation's key? Case does not matter there.
fn is_annotation_key(key: &str) -> bool {
    node_spec::is_label_key(&key.to_lowercase())
}
