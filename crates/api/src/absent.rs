//! Reads an object without a spec.
//!
//! Definitions of this API once let the spec be left out. Such an object, however useless, must
//! not break the list or watch of its kind.

/// Reads an absent value of the type as its default; all else as the derives of `remote = "Self"`
/// read and write it.
///
/// It is a missing field that the derive of a root type hands to us: asked for an `Option`, it
/// yields none, asked for anything else, it is an error.
macro_rules! absent_is_default {
    ($spec:ty) => {
        impl serde::Serialize for $spec {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$spec>::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $spec {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Present($spec);

                impl<'de> serde::Deserialize<'de> for Present {
                    fn deserialize<D: serde::Deserializer<'de>>(
                        deserializer: D,
                    ) -> Result<Self, D::Error> {
                        <$spec>::deserialize(deserializer).map(Present)
                    }
                }

                let present = <Option<Present> as serde::Deserialize>::deserialize(deserializer)?;
                Ok(present.map_or_else(Self::default, |present| present.0))
            }
        }
    };
}

pub(crate) use absent_is_default;
