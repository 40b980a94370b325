//! What a scrape shows, and that the table says the same.

use std::collections::BTreeSet;

use expect_test::expect_file;
use sei_api::{DeploymentPhase, SeiNodeSpec, k8s};

use super::*;

struct Stores;

impl Snapshot for Stores {
    fn nodes(&self) -> Vec<NodeSample> {
        let node = |name: &str, phase: Option<NodePhase>, sidecar_ready| {
            let mut object = object(name);
            let initializing = phase == Some(NodePhase::Initializing);
            object.plan =
                initializing.then_some(PlanSample { active: true, failed: false, attempt: 3 });
            object.not_ready = initializing.then_some("ImagePullFailed");
            NodeSample { object, phase, sidecar_ready }
        };
        vec![
            node("rpc-0", Some(NodePhase::Running), Some(true)),
            node("rpc-1", Some(NodePhase::Initializing), Some(false)),
            node("rpc-2", None, None),
        ]
    }

    fn fleets(&self) -> Vec<FleetSample> {
        let mut object = object("rpc");
        object.stalled = Some("ImagePullFailed");
        let rollout = RolloutSample {
            target_hash: "1516ee7d38b0ed74".to_owned(),
            current_hash: "9c13d843e3cbbdb0".to_owned(),
            started_at: 1_767_225_600,
            progressed_at: 1_767_225_660,
            held: false,
        };
        vec![FleetSample {
            object,
            phase: Some(DeploymentPhase::Upgrading),
            replicas_desired: 3,
            replicas_ready: 1,
            replicas_updated: 2,
            rollout: Some(rollout),
            route_ready: Some(RouteSample { holds: false, reason: "DNSPending" }),
            route_accepted: Some(RouteSample { holds: true, reason: "Accepted" }),
        }]
    }
}

fn object(name: &str) -> ObjectSample {
    ObjectSample { namespace: "chain".to_owned(), name: name.to_owned(), ..ObjectSample::default() }
}

#[test]
fn openmetrics_scrape_has_every_metric() {
    let scrape = everything().scrape(Some("application/openmetrics-text;version=1.0.0")).unwrap();
    assert_eq!(scrape.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(scrape.body.ends_with("# EOF\n"));
    expect_file!["tests/openmetrics.txt"].assert_eq(&sorted(&scrape.body));
}

#[test]
fn older_scrapers_get_the_same_series_in_the_text_format() {
    let metrics = everything();
    // The two formats spell the bounds of buckets differently: 1 and 1.0.
    let series = |body: &str| -> BTreeSet<String> {
        let shown = body.lines().filter(|line| !line.starts_with('#') && !line.contains("_bucket"));
        shown.map(str::to_owned).collect()
    };
    let text = metrics.scrape(Some("text/plain;version=0.0.4;q=0.5,*/*;q=0.1")).unwrap();
    let openmetrics = metrics.scrape(Some(OPENMETRICS)).unwrap();
    assert_eq!(text.content_type, "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(series(&text.body), series(&openmetrics.body));
    assert_eq!(text, metrics.scrape(None).unwrap());
}

#[test]
fn the_table_tells_what_a_scrape_shows() {
    let body = everything().scrape(None).unwrap().body;
    let mut shown: Vec<&str> =
        body.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let expected: Vec<String> =
        table::ALL.iter().map(|info| format!("{} {}", info.name, info.kind.as_str())).collect();
    let mut expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    shown.sort_unstable();
    expected.sort_unstable();
    assert_eq!(shown, expected);
    for info in table::ALL {
        assert_eq!(labels_of(&body, info), info.labels, "labels of {}", info.name);
        assert!(!info.help.ends_with('.'), "{}: the full stop is added", info.name);
    }
}

#[test]
fn a_forgotten_object_leaves_no_series() {
    let metrics = Metrics::new("1");
    let one = ObjectName { controller: Controller::Node, namespace: "a", name: "gone" };
    metrics.pass_ended(one, PassEnd { took: Duration::ZERO, failed: false });
    assert!(metrics.scrape(None).unwrap().body.contains("gone"));
    metrics.forget(one);
    assert!(!metrics.scrape(None).unwrap().body.contains("gone"));
}

#[test]
fn a_status_write_without_a_new_phase_counts_nothing() {
    let metrics = Metrics::new("1");
    let node = node_in(Some(NodePhase::Running), Some("2026-01-01T00:00:00Z"));
    metrics.node_status_written(&node, &node.status.clone().unwrap());
    metrics.node_status_written(&node, &SeiNodeStatus::default());
    assert!(!metrics.scrape(None).unwrap().body.contains("phase_transitions_total{"));
}

#[test]
fn the_first_phase_has_no_predecessor_and_no_duration() {
    let metrics = Metrics::new("1");
    let after = status(Some(NodePhase::Initializing), Some("2026-01-01T00:00:00Z"));
    metrics.node_status_written(&node_in(None, None), &after);
    let body = metrics.scrape(None).unwrap().body;
    assert!(body.contains(r#"from_phase="",to_phase="Initializing"} 1"#), "{body}");
    assert!(!body.contains("phase_duration_seconds_count{"), "{body}");
}

/// A registry in which everything has happened once.
fn everything() -> Metrics {
    let metrics = Metrics::new("1.2.3");
    metrics.show(Arc::new(Stores));
    metrics.node_status_written(
        &node_in(Some(NodePhase::Initializing), Some("2026-01-01T00:00:00Z")),
        &status(Some(NodePhase::Running), Some("2026-01-01T00:01:30Z")),
    );
    metrics.sidecar_probed("chain", ProbeOutcome::NotReady);
    metrics.plan_ended(
        Controller::Node,
        "chain",
        PlanEnd {
            plan_type: PlanType::NodeUpdate,
            outcome: PlanOutcome::Complete,
            took: Duration::from_secs(42),
        },
    );
    metrics.task_failed(Controller::Node, "chain", "config-apply");
    metrics.task_retried(Controller::Node, "chain", ("configure-genesis", 2));
    let fleet = ObjectName { controller: Controller::Deployment, namespace: "chain", name: "rpc" };
    metrics.pass_ended(fleet, PassEnd { took: Duration::from_millis(7), failed: true });
    metrics.stale_skipped(fleet);
    metrics.invariant_violated("one_status_write");
    metrics.watch_restarted("Pod");
    metrics.undecodable("SeiNode");
    let asked = requests::Asked { verb: "patch", resource: "seinodes/status".to_owned() };
    metrics.api_request(&asked, Some(409));
    metrics.api_request(&asked, None);
    metrics.event(EventOutcome::Posted);
    metrics
}

fn node_in(phase: Option<NodePhase>, since: Option<&str>) -> SeiNode {
    let spec = SeiNodeSpec { chain_id: "pacific-1".to_owned(), ..SeiNodeSpec::default() };
    let mut node = SeiNode::new("rpc-0", spec);
    node.metadata.namespace = Some("chain".to_owned());
    node.status = Some(status(phase, since));
    node
}

fn status(phase: Option<NodePhase>, since: Option<&str>) -> SeiNodeStatus {
    let phase_transition_time = since.map(|time| k8s::Time(time.parse().unwrap()));
    SeiNodeStatus { phase, phase_transition_time, ..SeiNodeStatus::default() }
}

/// The label names of the first series of `info`.
fn labels_of<'b>(body: &'b str, info: &table::Info) -> Vec<&'b str> {
    let series = match info.kind {
        table::Kind::Histogram(_) => format!("{}_count{{", info.name),
        table::Kind::Counter | table::Kind::Gauge => format!("{}{{", info.name),
    };
    let rest = body.lines().find_map(|line| line.strip_prefix(&series));
    let rest = rest.unwrap_or_else(|| panic!("{} has no series", info.name));
    let (labels, _) = rest.rsplit_once('}').unwrap();
    labels.split("\",").map(|pair| pair.split('=').next().unwrap()).collect()
}

/// The families in a stable order; the registry keeps label sets in a hash map.
fn sorted(body: &str) -> String {
    let mut families: Vec<Vec<&str>> = Vec::new();
    for line in body.lines().filter(|line| *line != "# EOF") {
        if line.starts_with("# HELP") {
            families.push(Vec::new());
        }
        families.last_mut().unwrap().push(line);
    }
    for family in &mut families {
        let series = &mut family[2..];
        // Buckets stay in the order of their bounds: only whole histograms could change places,
        // and each has one label set here.
        if !series.iter().any(|line| line.contains("_bucket{")) {
            series.sort_unstable();
        }
    }
    families.concat().join("\n") + "\n"
}
