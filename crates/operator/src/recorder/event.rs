//! A notice as a core/v1 Event, filled so that both event APIs show it whole.

use std::fmt::Write as _;

use sei_api::k8s;
use sei_core::fault::cut;
use sei_core::notice::Notice;
use sha2::{Digest as _, Sha256};

use crate::clock::Clock;
use crate::controller::Controller;

/// What the API server allows for a reporting instance.
const INSTANCE_BYTES_MAX: usize = 128;
/// What the API server allows for a name.
const NAME_BYTES_MAX: usize = 253;
/// Of the hash, in the name: 16 hexadecimal digits.
const HASH_BYTES: usize = 8;
/// The newer API demands an action; whatever is told here, a reconciling pass has done.
const ACTION: &str = "Reconcile";

/// Who tells, and when.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    clock: Clock,
    instance: String,
}

impl Reporter {
    /// `instance` must not be empty: the API server refuses an event without one.
    pub(super) fn new(clock: Clock, instance: &str) -> Self {
        let instance = if instance.is_empty() { "sei-operator" } else { instance };
        Self { clock, instance: cut(instance.to_owned(), INSTANCE_BYTES_MAX) }
    }

    /// The event that tells `notice`.
    ///
    /// `eventTime` makes it an event of the newer API, with its stricter limits; the older fields
    /// are filled as well, for what reads only those.
    pub(super) fn event(
        &self,
        controller: Controller,
        regarding: &k8s::ObjectReference,
        notice: &Notice,
    ) -> k8s::Event {
        let now = self.clock.now();
        let component = Some(controller.component().to_owned());
        k8s::Event {
            metadata: k8s::ObjectMeta {
                name: Some(name(regarding, notice)),
                namespace: regarding.namespace.clone(),
                ..k8s::ObjectMeta::default()
            },
            involved_object: regarding.clone(),
            type_: Some(notice.severity.as_str().to_owned()),
            reason: Some(notice.reason.as_str().to_owned()),
            message: Some(notice.message.clone()),
            action: Some(ACTION.to_owned()),
            source: Some(k8s::EventSource { component: component.clone(), host: None }),
            reporting_component: component,
            reporting_instance: Some(self.instance.clone()),
            event_time: Some(k8s::MicroTime(now)),
            first_timestamp: Some(k8s::Time(now)),
            last_timestamp: Some(k8s::Time(now)),
            count: Some(1),
            related: None,
            series: None,
        }
    }
}

/// `<object>.<16 hex digits>`: the same for the same occurrence, another for any other.
fn name(regarding: &k8s::ObjectReference, notice: &Notice) -> String {
    let mut hash = Sha256::new();
    // No part can hold a zero byte, so different parts never make the same text.
    let uid = regarding.uid.as_deref().unwrap_or_default();
    for part in [uid, notice.reason.as_str(), &notice.discriminator] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut digits = String::with_capacity(2 * HASH_BYTES);
    for byte in hash.finalize().iter().take(HASH_BYTES) {
        // Writing to a String does not fail.
        let _ = write!(digits, "{byte:02x}");
    }
    let object = regarding.name.clone().unwrap_or_default();
    let object = cut(object, NAME_BYTES_MAX - 1 - digits.len());
    format!("{}.{digits}", object.trim_end_matches(['.', '-']))
}
