//! The access rules of the proxy: who may reach a node's sidecar.

use std::collections::BTreeMap;

use sei_api::k8s;

use super::Subject;

/// File of the access rules in the ConfigMap and in the proxy's container.
pub(super) const CONFIG_FILE: &str = "config.yaml";

/// Words that YAML 1.1 reads as a boolean or as nothing.
const RESERVED: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];

/// The ConfigMap that the proxy reads its rules from.
pub(super) fn config_map(subject: &Subject<'_>) -> k8s::ConfigMap {
    let config = access_rules(&subject.namespace, subject.name.as_str());
    k8s::ConfigMap {
        metadata: subject.metadata(subject.name.proxy_config().as_str()),
        data: Some(BTreeMap::from([(CONFIG_FILE.to_owned(), config)])),
        ..k8s::ConfigMap::default()
    }
}

/// A caller needs the verb of its HTTP method on `seinodetasks/<node>` in the node's namespace.
fn access_rules(namespace: &str, node: &str) -> String {
    format!(
        "authorization:\n  \
           resourceAttributes:\n    \
             apiGroup: sei.io\n    \
             resource: seinodetasks\n    \
             namespace: {}\n    \
             name: {}\n",
        scalar(namespace),
        scalar(node),
    )
}

/// `text` as a YAML scalar that every reader takes for a string; plain where that is enough.
fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { format!("{text:?}") }
}

/// Object names hold lower-case letters, digits, hyphens and dots. Of these, YAML misreads words,
/// numbers and dates.
fn is_plain(text: &str) -> bool {
    let letters_first = text.starts_with(|c: char| c.is_ascii_lowercase());
    let name_only = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
        && !text.is_empty();
    if letters_first {
        return name_only && !RESERVED.contains(&text);
    }
    name_only && text.starts_with(|c: char| c.is_ascii_digit()) && !is_number(text)
}

/// May some YAML reader take `text`, which starts with a digit, for a number or a date?
fn is_number(text: &str) -> bool {
    let radix = ["0x", "0o", "0b"].iter().any(|prefix| text.starts_with(prefix));
    let decimal = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'e' | b'-' | b'.'));
    radix || decimal
}

#[cfg(test)]
mod tests;
