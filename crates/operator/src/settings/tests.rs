//! Command lines and environments, and what the operator makes of them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use expect_test::{expect, expect_file};
use sei_core::platform::fixture;

use super::environment::{Need, VARIABLES};
use super::*;

fn parse(line: &str) -> Result<Settings, Stop> {
    parse_with(line, &[])
}

/// The fixture's environment, with `changes` on top.
fn parse_with(line: &str, changes: &[(&str, &str)]) -> Result<Settings, Stop> {
    let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    Settings::parse(&args, &|name| {
        let changed = changes.iter().find(|(changed, _)| *changed == name);
        changed.map(|(_, value)| (*value).to_owned()).or_else(|| fixture::lookup(name))
    })
}

/// What the flags amount to, in one line.
fn told(settings: Result<Settings, Stop>) -> String {
    let settings = match settings {
        Ok(settings) => settings,
        Err(Stop::Invalid(faults)) => return faults.to_string(),
        Err(Stop::Asked(text)) => return format!("asked: {}", text.lines().next().unwrap()),
    };
    let address = |listen: Option<Listen>| listen.map_or("off".to_owned(), |it| it.to_string());
    format!(
        "metrics {} probes {} elect {} {:?} {:?} {:?} {:?}",
        address(settings.metrics),
        address(settings.probes),
        settings.leader_elect,
        settings.kubeconfig.unwrap_or_default().display().to_string(),
        settings.log.verbosity,
        settings.log.encoder,
        settings.scope,
    )
}

/// Command lines, and after each what came of it.
fn transcript(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("$ sei-operator {line}\n{}\n", told(parse(line)))).collect()
}

#[test]
fn flags_are_read_in_every_go_spelling() {
    let told = transcript(&[
        "--zap-devel=false",
        "--metrics-bind-address=0 --health-probe-bind-address=127.0.0.1:9000",
        "-metrics-bind-address :9090 -health-probe-bind-address [::1]:0",
        "--leader-elect",
        "--leader-elect=true --leader-elect=F",
        "-leader-elect=1 --kubeconfig dev.yaml",
        "--zap-devel",
        "--zap-devel=true --zap-encoder=json --zap-log-level=error",
        "--zap-log-level=debug --zap-encoder console",
        "--zap-log-level=5",
        "--zap-log-level=panic",
        "--metrics-bind-address=:0 --health-probe-bind-address=:0",
    ]);
    expect![[r#"
        $ sei-operator --zap-devel=false
        metrics :8080 probes :8081 elect false "" Info Json Cluster
        $ sei-operator --metrics-bind-address=0 --health-probe-bind-address=127.0.0.1:9000
        metrics off probes 127.0.0.1:9000 elect false "" Info Json Cluster
        $ sei-operator -metrics-bind-address :9090 -health-probe-bind-address [::1]:0
        metrics :9090 probes [::1]:0 elect false "" Info Json Cluster
        $ sei-operator --leader-elect
        metrics :8080 probes :8081 elect true "" Info Json Cluster
        $ sei-operator --leader-elect=true --leader-elect=F
        metrics :8080 probes :8081 elect false "" Info Json Cluster
        $ sei-operator -leader-elect=1 --kubeconfig dev.yaml
        metrics :8080 probes :8081 elect true "dev.yaml" Info Json Cluster
        $ sei-operator --zap-devel
        metrics :8080 probes :8081 elect false "" Debug Console Cluster
        $ sei-operator --zap-devel=true --zap-encoder=json --zap-log-level=error
        metrics :8080 probes :8081 elect false "" Error Json Cluster
        $ sei-operator --zap-log-level=debug --zap-encoder console
        metrics :8080 probes :8081 elect false "" Debug Console Cluster
        $ sei-operator --zap-log-level=5
        metrics :8080 probes :8081 elect false "" Trace Json Cluster
        $ sei-operator --zap-log-level=panic
        metrics :8080 probes :8081 elect false "" Error Json Cluster
        $ sei-operator --metrics-bind-address=:0 --health-probe-bind-address=:0
        metrics :0 probes :0 elect false "" Info Json Cluster
    "#]]
    .assert_eq(&told);
}

#[test]
fn flags_that_are_not_built_are_accepted_only_at_their_default() {
    let told = transcript(&[
        "--metrics-secure=false --metrics-cert-path= --metrics-cert-name=tls.crt \
         --metrics-cert-key=tls.key --enable-http2=0 --zap-stacktrace-level=error \
         --zap-time-encoding=rfc3339",
        "--metrics-secure --metrics-cert-path=/certs --metrics-cert-name=a \
         --metrics-cert-key=b --enable-http2 --zap-stacktrace-level=info \
         --zap-time-encoding=epoch",
    ]);
    expect_file!["tests/not_built.txt"].assert_eq(&told);
}

#[test]
fn wrong_flags_are_named_all_at_once() {
    let told = transcript(&[
        "--metrics-bind-address=8080 --health-probe-bind-address=::1 --leader-elect=yes \
         --zap-devel=no --zap-encoder=xml --zap-log-level=loud",
        "--metrics-bind-address=:8081",
        "--zap-log-level=0 --zap-log-level",
        "--token hunter2 --other=hunter2 hunter2 --",
    ]);
    expect_file!["tests/wrong.txt"].assert_eq(&told);
}

#[test]
fn help_and_version_come_before_every_fault() {
    let told = transcript(&["--help --nonsense", "-h", "--version"]);
    expect![[r#"
        $ sei-operator --help --nonsense
        asked: Runs fleets of Sei nodes on Kubernetes: reconciles SeiNode and SeiNodeDeployment.
        $ sei-operator -h
        asked: Runs fleets of Sei nodes on Kubernetes: reconciles SeiNode and SeiNodeDeployment.
        $ sei-operator --version
        asked: sei-operator 0.1.0
    "#]]
    .assert_eq(&told);
}

#[test]
fn missing_variables_are_named_all_at_once_after_the_flags() {
    let args = ["--zap-encoder=xml".to_owned()];
    let stop = Settings::parse(&args, &|name| {
        (name == "SEI_RESOURCE_CPU_DEFAULT").then(|| "four".to_owned())
    });
    let expected = expect![[r#"
        Invalid platform configuration
          --zap-encoder must be json or console: "xml"
          SEI_NODEPOOL_NAME is required
          SEI_NODEPOOL_ARCHIVE is required
          SEI_TOLERATION_KEY is required
          SEI_SERVICE_ACCOUNT is required
          SEI_STORAGE_CLASS_PERF is required
          SEI_STORAGE_CLASS_ARCHIVE is required
          SEI_STORAGE_SIZE_DEFAULT is required
          SEI_STORAGE_SIZE_ARCHIVE is required
          SEI_RESOURCE_CPU_ARCHIVE is required
          SEI_RESOURCE_MEM_ARCHIVE is required
          SEI_RESOURCE_CPU_DEFAULT must be a quantity greater than zero, such as 4: "four"
          SEI_RESOURCE_MEM_DEFAULT is required
          SEI_SNAPSHOT_BUCKET is required
          SEI_SNAPSHOT_REGION is required
          SEI_GENESIS_BUCKET is required
          SEI_GENESIS_REGION is required
          SEI_GATEWAY_NAME is required
          SEI_GATEWAY_NAMESPACE is required
          SEI_GATEWAY_DOMAIN is required
          SEI_SIDECAR_IMAGE is required
          SEI_KUBE_RBAC_PROXY_IMAGE is required
          SEI_COSMOS_EXPORTER_IMAGE is required"#]];
    expected.assert_eq(&told(stop));
}

#[test]
fn leader_election_defaults_to_on_in_a_pod_only() {
    let in_pod = [("KUBERNETES_SERVICE_HOST", "10.0.0.1")];
    assert!(!parse("").unwrap().leader_elect);
    assert!(parse_with("", &in_pod).unwrap().leader_elect);
    assert!(!parse_with("--leader-elect=false", &in_pod).unwrap().leader_elect);
}

#[test]
fn one_namespace_or_all_of_them() {
    let scope = |value: &str| parse_with("", &[("SEI_WATCH_NAMESPACE", value)]).map(|s| s.scope);
    assert_eq!(scope(" "), Ok(Scope::Cluster));
    assert_eq!(scope(" chain "), Ok(Scope::Namespace("chain".to_owned())));
    for wrong in ["a,b", "*", "-a", "Upper", &"a".repeat(64)] {
        let fault = SettingFault::NotANamespace(wrong.to_owned());
        assert_eq!(scope(wrong), Err(Stop::Invalid(fault.into())), "{wrong}");
    }
}

#[test]
fn sidecars_are_in_the_cluster_unless_a_template_says_where() {
    let url = |value: &str| {
        let settings = parse_with("", &[("SEI_SIDECAR_URL_TEMPLATE", value)]);
        settings.map(|settings| settings.sidecar_url.base_url("chain", "rpc-0"))
    };
    assert_eq!(url(""), Ok("http://rpc-0-0.rpc-0.chain.svc.cluster.local:8443".to_owned()));
    let local = url("http://127.0.0.1:7777/{namespace}/{node}/");
    assert_eq!(local, Ok("http://127.0.0.1:7777/chain/rpc-0".to_owned()));
    let Err(Stop::Invalid(faults)) = url("http://me:hunter2@host/{node}?{pod}") else {
        panic!("accepted")
    };
    assert!(!faults.to_string().contains("hunter2"), "{faults}");
    let expected = expect![[r#"
        Invalid platform configuration
          SEI_SIDECAR_URL_TEMPLATE: unknown placeholder "{pod}" (known: {namespace}, {node})"#]];
    expected.assert_eq(&faults.to_string());
}

#[test]
fn what_is_not_served_is_remembered_by_name_only() {
    let endpoint = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hunter2@collector:4317")];
    let settings = parse_with("", &endpoint).unwrap();
    assert_eq!(settings.unserved, ["OTEL_EXPORTER_OTLP_ENDPOINT"]);
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn the_reference_lists_every_variable_that_is_read() {
    let read = RefCell::new(BTreeSet::new());
    let stop = Settings::parse(&[], &|name| {
        read.borrow_mut().insert(name.to_owned());
        None
    });
    let Err(Stop::Invalid(faults)) = stop else { panic!("an empty environment was accepted") };
    let named = |need: &[Need]| -> BTreeSet<String> {
        let listed = VARIABLES.iter().filter(|variable| need.contains(&variable.need));
        listed.map(|variable| variable.name.to_owned()).collect()
    };
    let otlp = |name: &String| !name.starts_with("OTEL_");
    let read: BTreeSet<String> = read.into_inner().into_iter().filter(otlp).collect();
    assert_eq!(named(&[Need::Required, Need::Optional]), read);
    let missing: BTreeSet<String> = faults
        .iter()
        .map(|fault| fault.to_string().strip_suffix(" is required").unwrap().to_owned())
        .collect();
    assert_eq!(named(&[Need::Required]), missing);
}

#[test]
fn addresses_are_shown_as_they_are_written() {
    for text in [":8080", "127.0.0.1:8080", "[::1]:8080", "localhost:0"] {
        assert_eq!(Listen::parse(text).unwrap().to_string(), text);
    }
    for text in ["", "8080", "::1", "[::1]", "[host]:1", "host:", ":70000", "a b:1", "[]:1"] {
        assert_eq!(Listen::parse(text), None, "{text}");
    }
}
