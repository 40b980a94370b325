//! Tests of ownership.

use super::*;

const OWNER: Owner<'static> =
    Owner { kind: "SeiNode", name: "fn-0", uid: "me", label: sei_api::labels::NODE };

/// A controller reference in words: `kind/name/uid`, with an API group in front or ours.
fn controlled(words: &str) -> k8s::ObjectMeta {
    let mut parts = words.split('/');
    let mut part = || parts.next().unwrap().to_owned();
    let (group, kind, name, uid) = (part(), part(), part(), part());
    let reference = k8s::OwnerReference {
        api_version: format!("{group}/v1alpha1"),
        kind,
        name,
        uid,
        controller: Some(true),
        ..Default::default()
    };
    k8s::ObjectMeta { owner_references: Some(vec![reference]), ..Default::default() }
}

fn labelled(name: &str) -> k8s::ObjectMeta {
    let labels = [(sei_api::labels::NODE.to_owned(), name.to_owned())];
    k8s::ObjectMeta { labels: Some(labels.into()), ..Default::default() }
}

#[test]
fn an_object_is_whose_its_controller_says() {
    let table = [
        ("by our UID", controlled("sei.io/SeiNode/fn-0/me"), Ownership::Ours),
        ("by our UID, whatever else", controlled("a.b/X/y/me"), Ownership::Ours),
        ("by a predecessor", controlled("sei.io/SeiNode/fn-0/before"), Ownership::Leftover),
        ("by another node", controlled("sei.io/SeiNode/fn-1/x"), Ownership::Foreign),
        ("by another kind", controlled("sei.io/SeiNodeTask/fn-0/x"), Ownership::Foreign),
        ("by another group", controlled("other.io/SeiNode/fn-0/x"), Ownership::Foreign),
        ("by nobody, with our label", labelled("fn-0"), Ownership::Orphan),
        ("by nobody, with another's label", labelled("fn-1"), Ownership::Foreign),
        ("by nobody, without a label", k8s::ObjectMeta::default(), Ownership::Foreign),
    ];
    for (why, meta, expected) in table {
        assert_eq!(classify(&meta, OWNER), expected, "{why}");
        let going = k8s::ObjectMeta {
            deletion_timestamp: Some(k8s::Time(jiff::Timestamp::UNIX_EPOCH)),
            ..meta
        };
        let expected = match expected {
            Ownership::Ours | Ownership::Orphan | Ownership::Leftover => Ownership::Leftover,
            Ownership::Foreign => Ownership::Foreign,
        };
        assert_eq!(classify(&going, OWNER), expected, "{why}, being deleted");
    }
}

#[test]
fn an_owner_that_does_not_control_does_not_count() {
    let mut meta = controlled("sei.io/SeiNode/fn-0/me");
    meta.owner_references.as_mut().unwrap()[0].controller = None;
    assert_eq!(classify(&meta, OWNER), Ownership::Foreign);
    assert!(!controlled_by(&meta, "me"));
}
