//! An object of a listing or a watch that may be unreadable while its neighbours are not.
//!
//! Why not the guard of the library: it builds a tree of every object, copies the tree and decodes
//! the copy, which costs several times as much as decoding.

use std::borrow::Cow;

use sei_api::k8s::{ObjectMeta, Resource};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde_json::value::RawValue;

/// An object, or what is left of one that cannot be decoded.
#[derive(Clone, Debug)]
pub struct Guarded<K>(pub Result<K, Unreadable>);

/// What is known of an object that cannot be decoded.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// What is wrong with it.
    pub error: String,
    /// Whose it is.
    pub metadata: ObjectMeta,
}

impl<'de, K: DeserializeOwned> Deserialize<'de> for Guarded<K> {
    /// Works on text only, and in a watch event only where `type` comes before `object`, as the API
    /// server writes it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Named {
            metadata: ObjectMeta,
        }
        let text = <&RawValue>::deserialize(deserializer)?.get();
        Ok(Self(match serde_json::from_str(text) {
            Ok(object) => Ok(object),
            Err(error) => {
                let Named { metadata } = serde_json::from_str(text).map_err(D::Error::custom)?;
                Err(Unreadable { error: error.to_string(), metadata })
            }
        }))
    }
}

impl<K: Resource> Resource for Guarded<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(of: &K::DynamicType) -> Cow<'_, str> {
        K::kind(of)
    }

    fn group(of: &K::DynamicType) -> Cow<'_, str> {
        K::group(of)
    }

    fn version(of: &K::DynamicType) -> Cow<'_, str> {
        K::version(of)
    }

    fn plural(of: &K::DynamicType) -> Cow<'_, str> {
        K::plural(of)
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.as_ref().map_or_else(|unreadable| &unreadable.metadata, K::meta)
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0.as_mut().map_or_else(|unreadable| &mut unreadable.metadata, K::meta_mut)
    }
}
