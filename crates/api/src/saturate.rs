//! Reads 32-bit integers that a server stored without looking at their range.
//!
//! A server takes `format: int32` for a remark. One object with a larger number must not break the
//! list or watch of its kind; the schema refuses it today by a bound.

use serde::{Deserialize, Deserializer};

/// The nearest 32-bit integer.
pub fn int32<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    i64::deserialize(deserializer).map(nearest)
}

/// The nearest 32-bit integer, or none for null.
pub fn optional_int32<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    Option::<i64>::deserialize(deserializer).map(|number| number.map(nearest))
}

fn nearest(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}
