//! Where a node's sidecar is: a URL with the node's name in it.

use reqwest::Url;

/// The template of a cluster with the usual domain: the pod's stable name and the API's port.
pub const IN_CLUSTER_TEMPLATE: &str = "http://{node}-0.{node}.{namespace}.svc.cluster.local:8443";

/// Names that stand in for real ones when a template is checked; as long as labels may be.
const SAMPLE: &str = "a23456789-123456789-123456789-123456789-123456789-123456789-123";

/// A checked base URL, into which a node's names are put.
///
/// May hold a path; `/v0/…` is appended. A template without `{node}` means one sidecar for all
/// nodes, which is for experiments with one node: see [`UrlTemplate::tells_nodes_apart`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate(String);

/// Everything that is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("sidecar URL template \"{template}\": {}", .faults.join("; "))]
pub struct InvalidTemplate {
    /// As it was given.
    pub template: String,
    /// What is wrong, at least one thing.
    pub faults: Vec<String>,
}

impl UrlTemplate {
    /// Reads a template with the placeholders `{namespace}` and `{node}`.
    ///
    /// # Errors
    /// Names all faults at once.
    pub fn parse(text: &str) -> Result<Self, InvalidTemplate> {
        let template = text.trim().trim_end_matches('/').to_owned();
        let mut faults = placeholder_faults(&template);
        if faults.is_empty() {
            faults = url_faults(&filled(&template, SAMPLE, SAMPLE));
        }
        if faults.is_empty() {
            return Ok(Self(template));
        }
        Err(InvalidTemplate { template: text.to_owned(), faults })
    }

    /// The template of a cluster with another domain or port.
    ///
    /// # Errors
    /// The domain does not fit into a URL.
    pub fn in_cluster(domain: &str, port: u16) -> Result<Self, InvalidTemplate> {
        Self::parse(&format!("http://{{node}}-0.{{node}}.{{namespace}}.svc.{domain}:{port}"))
    }

    /// Whether two nodes of one namespace have different sidecars.
    pub fn tells_nodes_apart(&self) -> bool {
        self.0.contains("{node}")
    }

    /// The base URL of a node's sidecar, without a slash at its end.
    pub fn base_url(&self, namespace: &str, node: &str) -> String {
        filled(&self.0, namespace, node)
    }

    /// The template as it was given, without spaces around it and slashes at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for UrlTemplate {
    fn default() -> Self {
        Self(IN_CLUSTER_TEMPLATE.to_owned())
    }
}

fn filled(template: &str, namespace: &str, node: &str) -> String {
    template.replace("{namespace}", namespace).replace("{node}", node)
}

fn placeholder_faults(template: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut rest = template;
    while let Some(start) = rest.find(['{', '}']) {
        let after = &rest[start + 1..];
        let end = after.find(['{', '}']).filter(|end| after[*end..].starts_with('}'));
        match end {
            Some(end) if rest[start..].starts_with('{') => {
                let name = &after[..end];
                if name != "namespace" && name != "node" {
                    faults.push(format!(
                        "unknown placeholder \"{{{name}}}\" (known: {{namespace}}, {{node}})"
                    ));
                }
                rest = &after[end + 1..];
            }
            Some(_) | None => {
                faults.push("a brace has no partner".to_owned());
                return faults;
            }
        }
    }
    faults
}

fn url_faults(text: &str) -> Vec<String> {
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(_) if text.is_empty() => return vec!["it is empty".to_owned()],
        Err(error) => return vec![format!("it is no URL: {error}")],
    };
    let mut faults = Vec::new();
    if url.scheme() != "http" {
        faults.push(format!("scheme \"{}\" is not supported, use http", url.scheme()));
    }
    if url.host_str().is_none_or(str::is_empty) {
        faults.push("it names no host".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        faults.push("it holds a user name or password".to_owned());
    }
    if url.query().is_some() {
        faults.push("it holds a query".to_owned());
    }
    if url.fragment().is_some() {
        faults.push("it holds a fragment".to_owned());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_hold_the_names_and_end_without_slash() {
        let table = [
            (IN_CLUSTER_TEMPLATE, "http://rpc-0-0.rpc-0.sei.svc.cluster.local:8443"),
            ("http://127.0.0.1:9000/{namespace}/{node}/", "http://127.0.0.1:9000/sei/rpc-0"),
            (" http://[::1]:80/{node} ", "http://[::1]:80/rpc-0"),
            ("http://localhost:7777", "http://localhost:7777"),
        ];
        for (template, want) in table {
            let parsed = UrlTemplate::parse(template);
            assert_eq!(parsed.map(|t| t.base_url("sei", "rpc-0")), Ok(want.to_owned()));
        }
        assert_eq!(UrlTemplate::in_cluster("cluster.local", 8443), Ok(UrlTemplate::default()));
        assert!(UrlTemplate::default().tells_nodes_apart());
        assert!(!UrlTemplate::parse("http://localhost:7777").unwrap().tells_nodes_apart());
    }

    #[test]
    fn all_faults_are_named() {
        let said: Vec<String> = [
            "",
            "localhost:7777/{node}",
            "https://u:p@h/{node}?a=b#c",
            "http://h/{pod}/{ns}",
            "http://h/{node",
            "http://h/node}",
            "http://h/{{node}}",
            "http://{node}:99999",
        ]
        .iter()
        .map(|template| match UrlTemplate::parse(template) {
            Ok(template) => format!("accepted {}", template.as_str()),
            Err(error) => error.to_string(),
        })
        .collect();
        expect_test::expect![[r#"
            sidecar URL template "": it is empty
            sidecar URL template "localhost:7777/{node}": scheme "localhost" is not supported, use http; it names no host
            sidecar URL template "https://u:p@h/{node}?a=b#c": scheme "https" is not supported, use http; it holds a user name or password; it holds a query; it holds a fragment
            sidecar URL template "http://h/{pod}/{ns}": unknown placeholder "{pod}" (known: {namespace}, {node}); unknown placeholder "{ns}" (known: {namespace}, {node})
            sidecar URL template "http://h/{node": a brace has no partner
            sidecar URL template "http://h/node}": a brace has no partner
            sidecar URL template "http://h/{{node}}": a brace has no partner
            sidecar URL template "http://{node}:99999": it is no URL: invalid port number"#]]
        .assert_eq(&said.join("\n"));
    }
}
