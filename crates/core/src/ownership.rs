//! Whose is an object that stands at one of our names?
//!
//! The answer decides what we may do: ours is applied, an orphan is adopted, a leftover is waited
//! for, a foreign object is left alone.

use sei_api::k8s;

/// The object on whose behalf we look.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// `SeiNode` or `SeiNodeDeployment`.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its UID.
    pub uid: &'a str,
    /// The label that marks what belongs to it: `sei.io/node` or `sei.io/nodedeployment`.
    pub label: &'a str,
}

/// Whose an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Controlled by the owner's UID and not being deleted: apply.
    Ours,
    /// Controlled by nobody and carries the owner's label: adopt.
    Orphan,
    /// Being deleted, or controlled by a predecessor of the same kind and name: the garbage
    /// collector is about to remove it. Wait; an apply would take over a dead owner's object.
    Leftover,
    /// Anything else: refuse, write nothing, delete nothing.
    Foreign,
}

/// Whose is the object that `meta` describes?
#[must_use]
pub fn classify(meta: &k8s::ObjectMeta, owner: Owner<'_>) -> Ownership {
    let controller = controller(meta);
    if controller.is_some_and(|it| it.uid == owner.uid) {
        return if meta.deletion_timestamp.is_some() {
            Ownership::Leftover
        } else {
            Ownership::Ours
        };
    }
    let labelled =
        meta.labels.as_ref().and_then(|it| it.get(owner.label)).is_some_and(|it| it == owner.name);
    match controller {
        Some(it) if is_predecessor(it, owner) => Ownership::Leftover,
        Some(_) => Ownership::Foreign,
        None if labelled && meta.deletion_timestamp.is_some() => Ownership::Leftover,
        None if labelled => Ownership::Orphan,
        None => Ownership::Foreign,
    }
}

/// Names this reference an object of the owner's kind and name, whatever its UID?
fn is_predecessor(reference: &k8s::OwnerReference, owner: Owner<'_>) -> bool {
    let group = reference.api_version.split_once('/').map(|(group, _)| group);
    group == Some(sei_api::GROUP) && reference.kind == owner.kind && reference.name == owner.name
}

/// The controller's owner reference, if there is one.
#[must_use]
pub fn controller(meta: &k8s::ObjectMeta) -> Option<&k8s::OwnerReference> {
    meta.owner_references.iter().flatten().find(|it| it.controller == Some(true))
}

/// Is this object controlled by the owner of this UID, terminating or not?
#[must_use]
pub fn controlled_by(meta: &k8s::ObjectMeta, uid: &str) -> bool {
    controller(meta).is_some_and(|it| it.uid == uid)
}

#[cfg(test)]
mod tests;
