//! How a template change reaches the children of a fleet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::k8s::IntOrString;
use crate::words::open_words;
use crate::{omit, saturate, schema};

/// `minReadySeconds` when absent.
pub const DEFAULT_MIN_READY_SECONDS: i32 = 10;

/// How a template change reaches the children.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateStrategy {
    /// The strategy; absent means in place.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<UpdateStrategyType>,
    /// How fast and how far an update in place goes; absent means all children at once,
    /// validators one by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_place: Option<InPlace>,
}

/// How fast and how far an update in place goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InPlace {
    /// How many children may be down because of the update at one time: a count, or a percentage
    /// of `replicas` rounded down, but at least one. Children that are down anyway do not count.
    /// Absent means all, and one for validators: a chain stops without a third of their power.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::max_unavailable")]
    pub max_unavailable: Option<IntOrString>,
    /// Only children with this ordinal or a higher one are updated; absent means every one.
    /// Children below it keep what they run until the number is lowered.
    #[serde(
        default,
        deserialize_with = "saturate::optional_int32",
        skip_serializing_if = "omit::none_or_zero"
    )]
    #[schemars(range(min = 0, max = 100), extend("default" = 0))]
    pub partition: Option<i32>,
    /// How long an updated `seid` must have run without a restart before it counts, in seconds;
    /// absent means 10.
    #[serde(
        default,
        deserialize_with = "saturate::optional_int32",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(range(min = 0, max = 86400))]
    pub min_ready_seconds: Option<i32>,
    /// Which child comes first; absent means the one with the highest ordinal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "OrdinalDescending"))]
    pub order: Option<UpdateOrder>,
    /// What happens when the update does not come through; absent means Hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Hold"))]
    pub on_failure: Option<OnFailure>,
}

open_words! {
    /// The strategies of an update.
    UpdateStrategyType {
        /// The children get the new template; their volumes and names stay.
        InPlace = "InPlace",
    }
}

open_words! {
    /// Which child is updated first.
    #[derive(Default)]
    UpdateOrder {
        /// The one with the highest ordinal.
        #[default]
        OrdinalDescending = "OrdinalDescending",
        /// The one with the lowest ordinal.
        OrdinalAscending = "OrdinalAscending",
    }
}

open_words! {
    /// What happens to a rollout that makes no progress.
    #[derive(Default)]
    OnFailure {
        /// It stays where it is, and says so.
        #[default]
        Hold = "Hold",
        /// The children go back to the images that were last seen fully rolled out.
        Rollback = "Rollback",
    }
}
