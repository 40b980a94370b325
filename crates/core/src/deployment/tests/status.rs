//! What a fleet's status says besides its rollout.

use expect_test::expect;
use sei_api::condition::{Reason, Type};
use sei_api::{SeiNodeDeploymentStatus, k8s};

use super::scene::{Scene, check};
use crate::condition::{Conditions, Say, find};
use crate::decision::Urgency;
use crate::deployment::{diagnosis, notices, urgency};
use crate::node::tests::picture::Picture;
use crate::node::tests::scene::at;

fn status(input: &str) -> SeiNodeDeploymentStatus {
    Scene::new(input).round(None).status
}

#[test]
fn the_phase_follows_the_table() {
    let table = [
        ("fleet image=v2 \n rollout target=v2", "Upgrading"),
        ("fleet new \n child 0 absent \n child 1 absent", "Pending"),
        ("fleet", "Ready"),
        ("fleet \n workload 1 ready=0", "Initializing"),
        ("fleet \n child 0 Failed \n child 1 Failed", "Failed"),
        ("fleet \n child 0 Failed", "Degraded"),
        ("fleet \n child 0 Failed \n workload 1 ready=0", "Degraded"),
        ("fleet \n child 0 Failed \n child 1 Initializing", "Initializing"),
        ("fleet replicas=3 \n child 2 absent", "Initializing"),
        ("fleet deleting", "Terminating"),
    ];
    for (input, expected) in table {
        assert_eq!(status(input).phase.unwrap().as_str(), expected, "{input}");
    }
}

#[test]
fn nodes_ready_counts_children_that_run_and_are_ready() {
    let table = [
        ("fleet", "True AllNodesReady 2/2 nodes ready"),
        ("fleet image=v2 \n rollout target=v2", "True AllNodesReady 2/2 nodes ready"),
        ("fleet \n workload 1 ready=0", "False NodesInitializing 1/2 nodes ready (0 initializing)"),
        (
            "fleet \n child 1 Initializing",
            "False NodesInitializing 1/2 nodes ready (1 initializing)",
        ),
        (
            "fleet \n child 0 Failed \n child 1 Initializing",
            "False NodesFailed 0/2 nodes ready (1 failed, 1 initializing)",
        ),
    ];
    for (input, expected) in table {
        let status = status(input);
        let it = find(&status.conditions, Type::NodesReady).unwrap();
        assert_eq!(format!("{} {} {}", it.status, it.reason, it.message), expected, "{input}");
    }
}

#[test]
fn ready_means_on_target_and_ready_and_nothing_less() {
    let ready = |input: &str| {
        let status = status(input);
        find(&status.conditions, Type::Ready).unwrap().status == "True"
    };
    assert!(ready("fleet"));
    for input in [
        "fleet image=v2",
        "fleet image=v2 \n rollout target=v2",
        "fleet label=a:b",
        "fleet genesis",
        "fleet networking \n external foreign",
        "fleet networking \n route evm foreign",
        "fleet \n workload 1 ready=0",
        "fleet \n child 1 current=v0",
        "fleet \n child 1 plan=any",
        "fleet \n child 1 observed=0",
        "fleet \n child 1 Failed",
        "fleet \n child 1 stale",
        "fleet \n child 1 foreign",
        "fleet \n service foreign",
        "fleet deleting",
    ] {
        assert!(!ready(input), "{input}");
    }
}

#[test]
fn failed_children_stall_a_fleet_and_are_named() {
    check(
        "fleet \n child 1 Failed",
        expect![[r#"
        kstatus  Ready=False Reconciling=False Stalled=True NodesFailed: failed: s-1;
                   see their condition Stalled
        effects  none
        requeue  after 600s
    "#]],
    );
}

#[test]
fn children_and_addresses_are_listed_by_ordinal() {
    let status = status("fleet replicas=3 \n child 2 plan=any current=v0 \n child 1 absent");
    let mut picture = Picture::default();
    let mut tell = |what: &str, value: serde_json::Value| {
        picture.line(what, &value.to_string().replace(',', ", "));
    };
    tell("selector", serde_json::json!(status.selector));
    tell("nodes", serde_json::json!(status.nodes));
    tell("present", serde_json::json!(status.incumbent_nodes));
    tell("pods", serde_json::json!(status.per_pod_services));
    tell("service", serde_json::json!(status.internal_service));
    tell("urls", serde_json::json!(status.endpoints));
    expect![[r#"
        selector "sei.io/nodedeployment=s"
        nodes    [{"currentImage":"v1", "name":"s-0", "phase":"Running"},
                   {"currentImage":"v0", "name":"s-2", "phase":"Running"}]
        present  ["s-0", "s-1", "s-2"]
        pods     [{"name":"s-0", "namespace":"ns", "ports":{"evmHttp":8545,
                   "evmWs":8546}}, {"name":"s-2", "namespace":"ns",
                   "ports":{"evmHttp":8545, "evmWs":8546}}]
        service  {"name":"s-internal", "namespace":"ns", "ports":{"evmHttp":8545,
                   "rest":1317, "rpc":26657}}
        urls     {"nodes":[{"evmJsonRpc":"http://s-0.ns.svc:8545",
                   "evmWs":"ws://s-0.ns.svc:8546", "name":"s-0"},
                   {"evmJsonRpc":"http://s-2.ns.svc:8545",
                   "evmWs":"ws://s-2.ns.svc:8546", "name":"s-2"}],
                   "tendermintRest":"http://s-internal.ns.svc:1317",
                   "tendermintRpc":"http://s-internal.ns.svc:26657"}
    "#]]
    .assert_eq(&picture.0);
}

#[test]
fn addresses_of_a_service_that_is_not_ours_are_not_told() {
    let status = status("fleet new \n service foreign \n child 0 absent \n child 1 absent");
    assert_eq!((status.internal_service, status.endpoints), (None, None));
}

#[test]
fn a_child_that_is_not_on_target_says_why() {
    let mut scene = Scene::new("fleet");
    let crate::node::Seen::Here(child) = scene.seen.children.get_mut("s-1").unwrap() else {
        panic!("the child is there")
    };
    let status = std::sync::Arc::make_mut(child).status.as_mut().unwrap();
    status.plan = Some(sei_api::TaskPlan::default());
    Conditions { list: &mut status.conditions, generation: 1, now: at(0) }
        .set(Type::Stalled, Say::yes(Reason::PlanFailed, "task config-apply: broken"));
    let told = scene.round(None).status.nodes;
    assert_eq!(told[0].reason, None);
    assert_eq!(told[1].reason.as_deref(), Some("PlanFailed"));
    assert_eq!(told[1].message.as_deref(), Some("task config-apply: broken"));
}

#[test]
fn conditions_are_there_from_the_first_look_on() {
    for input in ["fleet new", "fleet new genesis", "fleet new networking", "fleet new deleting"] {
        let status = status(input);
        for kind in [
            Type::NodesReady,
            Type::RouteReady,
            Type::RouteAccepted,
            Type::PlanInProgress,
            Type::RolloutInProgress,
            Type::GenesisCeremonyNeeded,
            Type::GenesisCeremonyComplete,
            Type::Ready,
            Type::Reconciling,
            Type::Stalled,
        ] {
            assert!(find(&status.conditions, kind).is_some(), "{input}: {kind}");
        }
    }
}

#[test]
fn specs_of_the_fleet_are_refused_by_field() {
    type Edit = fn(&mut sei_api::SeiNodeDeployment);
    let table: [(Edit, &str); 8] = [
        (|it| it.metadata.name = Some("a".repeat(50)), "metadata.name: "),
        (|it| it.spec.replicas = 0, "spec.replicas: "),
        (|it| it.spec.replicas = 101, "spec.replicas: "),
        (|it| it.spec.template.spec.image.clear(), "spec.template.spec.image: "),
        (
            |it| {
                let key = [("two words".to_owned(), String::new())];
                let metadata = it.spec.template.metadata.get_or_insert_default();
                metadata.annotations.extend(key);
            },
            "spec.template.metadata.annotations[\"two words\"]: ",
        ),
        (|it| it.spec.template.spec.full_node = None, "spec.template.spec: exactly one of "),
        (|it| it.spec.genesis = Some(Default::default()), "spec.genesis is not supported"),
        (
            |it| {
                let strategy = serde_json::json!({"type": "Canary"});
                it.spec.update_strategy = serde_json::from_value(strategy).unwrap();
            },
            "spec.updateStrategy.type: ",
        ),
    ];
    for (edit, start) in table {
        let mut scene = Scene::new("fleet");
        edit(&mut scene.fleet);
        let end = scene.round(None);
        let stalled = find(&end.status.conditions, Type::Stalled).unwrap();
        assert!(stalled.message.starts_with(start), "{}", stalled.message);
        assert_eq!(stalled.status, "True");
        assert_eq!(scene.decide().effects, [], "{start}");
    }
}

#[test]
fn an_absent_or_empty_strategy_means_in_place() {
    for strategy in
        [serde_json::json!(null), serde_json::json!({}), serde_json::json!({"type": ""})]
    {
        let mut scene = Scene::new("fleet image=v2");
        scene.fleet.spec.update_strategy = serde_json::from_value(strategy).unwrap();
        assert!(scene.round(None).status.rollout.is_some());
    }
}

#[test]
fn a_count_may_wait_and_an_event_may_not() {
    type Edit = fn(&mut SeiNodeDeploymentStatus);
    let table: [(&str, Edit, Urgency); 10] = [
        ("nothing", |_| {}, Urgency::None),
        ("counts", |it| it.ready_replicas = 0, Urgency::Mark),
        ("children", |it| it.nodes.clear(), Urgency::Mark),
        ("addresses", |it| it.endpoints = None, Urgency::Mark),
        (
            "begun",
            |it| it.plan.as_mut().unwrap().tasks[0].submitted_at = Some(k8s::Time(at(0))),
            Urgency::Mark,
        ),
        ("phase", |it| it.phase = None, Urgency::Now),
        ("rollout", |it| it.rollout = None, Urgency::Now),
        ("plan", |it| it.plan = None, Urgency::Now),
        ("hash", |it| it.template_hash = None, Urgency::Now),
        ("generation", |it| it.observed_generation = Some(9), Urgency::Now),
    ];
    let before = Scene::new("fleet image=v2 \n rollout target=v2").status;
    for (what, edit, expected) in table {
        let mut after = before.clone();
        edit(&mut after);
        assert_eq!(urgency(&before, &after), expected, "{what}");
    }
}

#[test]
fn a_status_that_stays_tells_nothing() {
    let scene = Scene::new("fleet image=v2 \n rollout target=v2");
    assert_eq!(notices(&scene.fleet, &scene.status, &scene.status), []);
}

/// Whoever reads why a fleet does not get on finds what to do about it, and every section is about
/// a word that somebody may read.
#[test]
fn every_reason_has_a_section_in_the_book() {
    let book = include_str!("../../../../../docs/troubleshooting.md");
    let headings = book.lines().filter_map(|it| it.strip_prefix("## "));
    let headings: Vec<&str> = headings.filter(|it| *it != "Where to look").collect();
    let of_fleets = [
        Reason::ProgressDeadlineExceeded,
        Reason::RolledBack,
        Reason::Paused,
        Reason::LeftoverObject,
    ];
    let of_nodes = [&diagnosis::FAILURES[..], &diagnosis::SYMPTOMS, &diagnosis::REFUSALS].concat();
    let mut words: Vec<&str> = of_nodes.iter().chain(&of_fleets).map(|it| it.as_str()).collect();
    words.push(sei_api::event::Reason::DeleteFailed.as_str());
    for word in &words {
        assert!(headings.contains(word), "docs/troubleshooting.md has no section {word}");
    }
    for heading in headings {
        assert!(words.contains(&heading), "{heading} is no word that is told");
    }
}
