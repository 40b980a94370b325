//! Values that no server refuses and that cannot work: they would be found out by a kubelet, a
//! StatefulSet or `seid`, later and in other words.

use std::collections::BTreeMap;

use k8s::Quantity;
use sei_api::{LabelSource, PeerSource, Sidecar, k8s};

use super::{is_label, is_label_key, is_label_value};
use crate::quantity::Nanos;

/// A field under the spec, and what is wrong with it.
pub(super) type Wrong = (String, &'static str);

/// Is `text` free of blanks? The rest of an image's form is the container runtime's affair.
pub(super) fn is_image(text: &str) -> bool {
    !text.contains(|it: char| it.is_whitespace() || it.is_control())
}

/// What is wrong with the settings of the sidecar's container.
pub(super) fn of_sidecar(sidecar: &Sidecar) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    if !sidecar.image.as_deref().is_none_or(is_image) {
        wrong.push((".sidecar.image".to_owned(), "must not hold blanks"));
    }
    let Some(resources) = &sidecar.resources else { return wrong };
    let at = |what: &str| format!(".sidecar.resources.{what}");
    for (index, _) in resources.claims.iter().flatten().enumerate() {
        let field = at(&format!("claims[{index}]"));
        wrong.push((field, "the pod has no resource claims; remove name and request"));
    }
    let limits = resources.limits.clone().unwrap_or_default();
    let requests = resources.requests.clone().unwrap_or_default();
    for (kind, quantities) in [("limits", &limits), ("requests", &requests)] {
        wrong.extend(of_quantities(&at(kind), quantities));
    }
    for (name, request) in &requests {
        let above = limits.get(name).is_some_and(|limit| nanos(request) > nanos(limit));
        if above {
            wrong.push((at(&format!("requests[\"{name}\"]")), "must not be above its limit"));
        }
    }
    wrong
}

/// What is wrong with the `index`-th source of peers.
pub(super) fn of_peer(index: usize, peer: &PeerSource) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    for (place, address) in peer.static_.iter().flat_map(|it| &it.addresses).enumerate() {
        if !is_address(address) {
            let field = format!(".peers[{index}].static.addresses[{place}]");
            wrong.push((field, "must be an address of the form nodeId@host:port"));
        }
    }
    wrong.extend(peer.label.iter().flat_map(|it| of_label(index, it)));
    wrong
}

fn of_label(index: usize, label: &LabelSource) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let namespace = label.namespace.as_deref().unwrap_or_default();
    if !namespace.is_empty() && !is_label(namespace) {
        let field = format!(".peers[{index}].label.namespace");
        wrong.push((field, "must be the name of a namespace"));
    }
    for (key, value) in &label.selector {
        let good = is_label_key(key) && (value.is_empty() || is_label_value(value));
        if !good {
            let field = format!(".peers[{index}].label.selector[\"{key}\"]");
            wrong.push((field, "is no valid label"));
        }
    }
    wrong
}

fn of_quantities(at: &str, quantities: &BTreeMap<String, Quantity>) -> Vec<Wrong> {
    let of = |(name, quantity): (&String, &Quantity)| {
        let negative = nanos(quantity).is_none_or(|it| Some(it) < Nanos::parse("0"));
        let why = if !is_label_key(name) {
            "is no name of a resource"
        } else if negative {
            "must be a quantity of zero or more"
        } else {
            return None;
        };
        Some((format!("{at}[\"{name}\"]"), why))
    };
    quantities.iter().filter_map(of).collect()
}

fn nanos(quantity: &Quantity) -> Option<Nanos> {
    Nanos::parse(&quantity.0)
}

/// Is it what `seid` takes for a persistent peer? A scheme in front is allowed there.
fn is_address(text: &str) -> bool {
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let parts = text.split_once('@').and_then(|(id, rest)| Some((id, rest.rsplit_once(':')?)));
    let blank = |it: &str| it.is_empty() || it.contains([',', '@']) || !is_image(it);
    parts.is_some_and(|(id, (host, port))| {
        !blank(id) && !blank(host) && port.parse::<u16>().is_ok_and(|it| it > 0)
    })
}

#[cfg(test)]
mod tests {
    //! Each value that cannot work is named, with its neighbours that can.

    use serde_json::{Value, json};

    use super::*;

    fn sidecar(value: Value) -> Vec<String> {
        of_sidecar(&serde_json::from_value(value).unwrap()).into_iter().map(|(it, _)| it).collect()
    }

    fn peer(value: Value) -> Vec<String> {
        of_peer(2, &serde_json::from_value(value).unwrap()).into_iter().map(|(it, _)| it).collect()
    }

    #[test]
    fn images_hold_no_blanks() {
        for good in ["seid:v1", "ghcr.io/a/b@sha256:00", ""] {
            assert!(is_image(good), "{good}");
        }
        for wrong in ["seid: v1", "seid:v1\n", " seid", "seid\u{7f}"] {
            assert!(!is_image(wrong), "{wrong:?}");
        }
        assert_eq!(sidecar(json!({ "image": "two words" })), [".sidecar.image"]);
        assert!(sidecar(json!({ "image": "" })).is_empty());
    }

    #[test]
    fn resources_fit_each_other() {
        let good = json!({ "resources": {
            "requests": { "cpu": "500m", "memory": "1Gi" },
            "limits": { "cpu": "0.5", "memory": "2Gi", "example.com/gpu": "1" },
        } });
        assert!(sidecar(good).is_empty());
        let wrong = json!({ "resources": {
            "claims": [{ "name": "gpu" }],
            "requests": { "cpu": "2", "memory": "-1" },
            "limits": { "cpu": "1", "two words": "1" },
        } });
        let prefix = ".sidecar.resources";
        let expected = [
            format!("{prefix}.claims[0]"),
            format!("{prefix}.limits[\"two words\"]"),
            format!("{prefix}.requests[\"memory\"]"),
            format!("{prefix}.requests[\"cpu\"]"),
        ];
        assert_eq!(sidecar(wrong), expected);
    }

    #[test]
    fn peers_can_be_dialled() {
        for good in ["id@host:26656", "tcp://id@10.0.0.1:1", "id@[::1]:26656"] {
            assert!(peer(json!({ "static": { "addresses": [good] } })).is_empty(), "{good}");
        }
        for wrong in ["", "host:26656", "id@host", "id@:1", "@host:1", "id@host:0", "a@b:1,c@d:2"] {
            let found = peer(json!({ "static": { "addresses": ["id@host:1", wrong] } }));
            assert_eq!(found, [".peers[2].static.addresses[1]"], "{wrong:?}");
        }
    }

    #[test]
    fn peers_are_looked_for_where_they_can_be() {
        let label = |namespace: &str, key: &str, value: &str| {
            peer(json!({ "label": { "namespace": namespace, "selector": { key: value } } }))
        };
        assert!(label("", "sei.io/chain", "").is_empty());
        assert!(label("other", "app", "seid").is_empty());
        assert_eq!(label("Two Words", "app", "x"), [".peers[2].label.namespace"]);
        assert_eq!(label("a", "a b", "x"), [".peers[2].label.selector[\"a b\"]"]);
        assert_eq!(label("a", "app", "x y"), [".peers[2].label.selector[\"app\"]"]);
    }
}
