//! When an optional field is left out of the JSON we write.
//!
//! A Go client with `omitempty` drops zero values, so a reader of this API treats absent as zero.
//! Writing the zero would be a difference to every stored object.

/// True for an absent or empty text.
pub fn blank(value: &Option<String>) -> bool {
    value.as_deref().is_none_or(str::is_empty)
}

/// True for the zero of a number.
pub fn zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// True for an absent number and for zero.
pub fn none_or_zero<T: Default + PartialEq>(value: &Option<T>) -> bool {
    value.as_ref().is_none_or(zero)
}
