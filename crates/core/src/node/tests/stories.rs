//! Stories: what a fleet and its nodes come to over many passes.

use std::collections::BTreeMap;

use expect_test::expect;
use sei_api::condition::Type;
use sei_api::{NodePhase, SeiNodeStatus, k8s};

use super::world::World;
use crate::condition::{find, is_true};

/// A fleet of two that runs `v1` and has come to rest.
fn settled() -> World {
    let mut world = World::with_fleet(2, "v1");
    world.rest(40);
    world.heard.clear();
    world
}

fn node<'a>(world: &'a World, name: &str) -> &'a SeiNodeStatus {
    world.nodes[name].status.as_ref().unwrap()
}

fn images(world: &World) -> Vec<String> {
    world.running().into_values().collect()
}

/// Who wrote what, to be compared: versions of everything that is stored.
fn versions(world: &World) -> BTreeMap<String, Option<String>> {
    let metas = world.nodes.values().map(|it| &it.metadata);
    let metas = metas.chain(world.sets.values().map(|it| &it.metadata));
    let metas = metas.chain(world.services.values().map(|it| &it.metadata));
    let metas = metas.chain(world.maps.values().map(|it| &it.metadata));
    metas
        .enumerate()
        .map(|(at, it)| (format!("{at} {:?}", it.name), it.resource_version.clone()))
        .collect()
}

#[test]
fn a_new_fleet_comes_up() {
    let mut world = World::with_fleet(2, "v1");
    world.rest(40);
    expect![[r#"
        running {"s-0": "v1", "s-1": "v1"}
        s-0: Some(Running) v1 Some("v1") Some("ghcr.io/sei-protocol/seictl@sha256:a2af4e1b8ed4c12661a3c98cce050bae3f292cc7560abc2ba98fd7dfc80d9be5") plan=false
        s-1: Some(Running) v1 Some("v1") Some("ghcr.io/sei-protocol/seictl@sha256:a2af4e1b8ed4c12661a3c98cce050bae3f292cc7560abc2ba98fd7dfc80d9be5") plan=false
        set s-0 Some("v1")
        set s-1 Some("v1")
        ["s-0", "s-1", "s-internal"]
        ["data-s-0", "data-s-1"]
        ["s-0-rbac-proxy-config", "s-1-rbac-proxy-config"]
        Some(Ready) Some("1afe9321618d483d") false
    "#]].assert_eq(&world.facts());
    expect![[r#"
        s SeiNodeCreated: Created SeiNode s-0
        s SeiNodeCreated: Created SeiNode s-1
        s-0 PhaseTransition: Phase changed from  to Initializing
        s-1 PhaseTransition: Phase changed from  to Initializing
        s-0 PhaseTransition: Phase changed from Initializing to Running
        s-1 PhaseTransition: Phase changed from Initializing to Running"#]]
    .assert_eq(&world.heard.join("\n"));
}

#[test]
fn a_new_image_rolls_out() {
    let mut world = settled();
    world.set_image("v2");
    world.rest(40);
    expect![[r#"
        running {"s-0": "v2", "s-1": "v2"}
        s-0: Some(Running) v2 Some("v2") Some("ghcr.io/sei-protocol/seictl@sha256:a2af4e1b8ed4c12661a3c98cce050bae3f292cc7560abc2ba98fd7dfc80d9be5") plan=false
        s-1: Some(Running) v2 Some("v2") Some("ghcr.io/sei-protocol/seictl@sha256:a2af4e1b8ed4c12661a3c98cce050bae3f292cc7560abc2ba98fd7dfc80d9be5") plan=false
        set s-0 Some("v2")
        set s-1 Some("v2")
        ["s-0", "s-1", "s-internal"]
        ["data-s-0", "data-s-1"]
        ["s-0-rbac-proxy-config", "s-1-rbac-proxy-config"]
        Some(Ready) Some("f74bd32312e437f5") false
    "#]].assert_eq(&world.facts());
    expect![[r#"
        s RolloutStarted: InPlace rollout started (target: f74bd323)
        s PlanStarted: Plan execution started
        s RolloutComplete: Deployment rollout completed successfully
        s PlanComplete: Plan completed successfully"#]]
    .assert_eq(&world.heard.join("\n"));
}

#[test]
fn a_rollout_works_where_no_kubelet_runs() {
    let mut world = World::with_fleet(2, "v1");
    world.habits.no_kubelets = true;
    world.rest(40);
    world.set_image("v2");
    world.rest(40);
    assert_eq!(node(&world, "s-1").current_image.as_deref(), Some("v2"));
    assert_eq!(world.times_heard("s", "RolloutComplete"), 1);
}

/// The chain is plan, two child specs, two node plans, two workloads, two settled nodes, end.
#[test]
fn a_rollout_of_two_costs_ten_writes() {
    let mut world = World::with_fleet(2, "v1");
    world.habits.no_kubelets = true;
    world.rest(40);
    world.heard.clear();
    world.writes = 0;
    world.set_image("v2");
    world.rest(40);
    assert_eq!(world.writes, 10);
    assert_eq!(world.heard.len(), 4, "{:?}", world.heard);
}

#[test]
fn a_third_image_supersedes_the_second_in_mid_flight() {
    let mut world = settled();
    world.habits.paused = true;
    world.set_image("v2");
    world.go(20);
    assert_eq!(node(&world, "s-0").current_image.as_deref(), Some("v1"));
    world.set_image("v3");
    world.go(20);
    world.habits.paused = false;
    world.rest(40);
    assert_eq!(images(&world), ["v3", "v3"]);
    let told = world.heard.join("\n").replace(" (", "\n  (");
    expect![[r#"
        s RolloutStarted: InPlace rollout started
          (target: f74bd323)
        s PlanStarted: Plan execution started
        s RolloutSuperseded: Spec changed during active rollout, replacing plan
          (old target: f74bd32312e437f5)
        s RolloutStarted: InPlace rollout started
          (target: 61661616)
        s PlanStarted: Plan execution started
        s RolloutComplete: Deployment rollout completed successfully
        s PlanComplete: Plan completed successfully"#]]
    .assert_eq(&told);
}

#[test]
fn a_return_to_the_first_image_in_mid_flight_ends_there() {
    for seconds in [0, 1, 20] {
        for paused in [true, false] {
            let mut world = settled();
            world.habits.paused = paused;
            world.set_image("v2");
            world.go(seconds);
            let rolling = world.fleet().status.as_ref().unwrap().rollout.is_some();
            world.set_image("v1");
            world.go(5);
            world.habits.paused = false;
            world.rest(40);
            assert_eq!(images(&world), ["v1", "v1"], "{seconds} {paused}");
            let superseded = world.times_heard("s", "RolloutSuperseded");
            assert_eq!(superseded, usize::from(rolling), "{seconds} {paused}");
            assert_eq!(world.facts(), settled().facts(), "{seconds} {paused}");
        }
    }
}

#[test]
fn a_bad_image_is_never_reported_as_rolled_out() {
    let mut world = settled();
    world.set_image("bad");
    world.go(60);
    let started = world.fleet().status.clone().unwrap().rollout;
    world.go(900);
    let status = world.fleet().status.clone().unwrap();
    assert_eq!(status.rollout, started);
    assert_eq!(status.phase.unwrap().as_str(), "Upgrading");
    assert_eq!(world.times_heard("s", "RolloutComplete"), 0);
    assert_eq!(node(&world, "s-0").current_image.as_deref(), Some("v1"));
    let why = node(&world, "s-0").plan.as_ref().unwrap().tasks[3].error.clone();
    assert_eq!(why.unwrap(), "container \"seid\" of pod \"s-0-0\" does not run yet");

    world.set_image("v3");
    world.rest(40);
    assert_eq!(images(&world), ["v3", "v3"]);
    assert_eq!(world.times_heard("s", "RolloutComplete"), 1);
}

#[test]
fn a_bad_first_image_is_mended_by_an_edit_without_a_rollout() {
    let mut world = World::with_fleet(2, "bad");
    world.go(120);
    assert_eq!(node(&world, "s-0").phase, Some(NodePhase::Initializing));
    assert_eq!(world.fleet().status.as_ref().unwrap().template_hash, None);
    world.set_image("v2");
    world.rest(40);
    assert_eq!(images(&world), ["v2", "v2"]);
    assert_eq!(world.times_heard("s", "RolloutStarted"), 0);
}

#[test]
fn a_child_that_is_deleted_in_mid_flight_comes_back_at_the_target() {
    let mut world = settled();
    world.habits.paused = true;
    world.set_image("v2");
    world.go(10);
    world.delete_node("s-1");
    world.go(10);
    assert_eq!(world.nodes["s-1"].spec.image, "v2");
    world.habits.paused = false;
    world.rest(40);
    assert_eq!(images(&world), ["v2", "v2"]);
    assert_eq!(world.times_heard("s", "RolloutComplete"), 1);
}

#[test]
fn a_fleet_is_scaled_in_mid_flight() {
    for (replicas, expected) in [(1, vec!["v2"]), (3, vec!["v2"; 3])] {
        let mut world = settled();
        world.habits.paused = true;
        world.set_image("v2");
        world.go(10);
        world.edit(|it| it.spec.replicas = replicas);
        world.go(10);
        world.habits.paused = false;
        world.rest(40);
        assert_eq!(images(&world), expected);
        assert_eq!(world.times_heard("s", "RolloutStarted"), 1);
        assert_eq!(world.times_heard("s", "RolloutComplete"), 1);
    }
}

#[test]
fn a_new_sidecar_image_rolls_out_too() {
    let mut world = settled();
    world.edit(|it| {
        it.spec.template.spec.sidecar.get_or_insert_default().image = Some("t2".to_owned());
    });
    world.rest(40);
    for name in ["s-0", "s-1"] {
        assert_eq!(node(&world, name).current_sidecar_image.as_deref(), Some("t2"));
        let pod = world.pods[&format!("{name}-0")].spec.clone().unwrap();
        assert_eq!(crate::node::evidence::image_of(&pod, "sei-sidecar"), Some("t2"));
    }
    assert_eq!(world.times_heard("s", "RolloutComplete"), 1);
}

#[test]
fn other_fields_reach_the_children_and_restart_nobody() {
    let mut world = settled();
    let pods: Vec<_> = world.pods.values().map(|it| it.metadata.uid.clone()).collect();
    world.edit(|it| {
        it.spec.template.metadata.get_or_insert_default().labels.insert("a".into(), "b".into());
        it.spec.template.spec.overrides.insert("chain.min_retain_blocks".into(), "7".into());
    });
    world.rest(40);
    assert_eq!(world.nodes["s-1"].metadata.labels.as_ref().unwrap()["a"], "b");
    assert_eq!(world.nodes["s-1"].spec.overrides["chain.min_retain_blocks"], "7");
    assert_eq!(world.pods.values().map(|it| it.metadata.uid.clone()).collect::<Vec<_>>(), pods);
    assert_eq!(world.heard, [""; 0]);
}

#[test]
fn a_settled_fleet_is_silent_for_an_hour() {
    let mut world = settled();
    world.set_image("v2");
    world.rest(40);
    world.heard.clear();
    let (facts, before) = (world.facts(), versions(&world));
    let statuses = (world.fleets.clone(), world.nodes.clone());
    for _ in 0..20 {
        world.now += 180;
        world.step();
    }
    assert_eq!(world.facts(), facts);
    assert_eq!(versions(&world), before);
    assert_eq!((world.fleets.clone(), world.nodes.clone()), statuses);
    assert_eq!(world.heard, [""; 0]);
}

#[test]
fn what_is_deleted_by_hand_comes_back() {
    let mut world = settled();
    let facts = world.facts();
    world.sets.remove("s-0");
    world.services.remove("s-1");
    world.services.remove("s-internal");
    world.maps.remove("s-1-rbac-proxy-config");
    world.rest(40);
    assert_eq!(world.facts(), facts);
    assert_eq!(world.times_heard("s", "RolloutStarted"), 0);
}

#[test]
fn a_workload_deleted_in_mid_update_comes_back() {
    let mut world = settled();
    world.habits.paused = true;
    world.set_image("v2");
    world.go(10);
    world.sets.remove("s-0");
    world.go(5);
    world.habits.paused = false;
    world.rest(40);
    assert_eq!(images(&world), ["v2", "v2"]);
}

#[test]
fn a_restarted_pod_is_released_again() {
    let mut world = settled();
    world.pods.remove("s-0-0");
    world.rest(40);
    assert!(world.sidecars["s-0"].ready);
    assert_eq!(world.times_heard("s-0", "SidecarReadinessLost"), 1);
    assert_eq!(world.times_heard("s-0", "SidecarReadinessRestored"), 1);
    assert_eq!(node(&world, "s-0").plan, None);
}

#[test]
fn a_task_with_a_budget_is_repeated_until_it_succeeds() {
    let mut world = World::with_fleet(1, "v1");
    world.habits.failures.insert("configure-genesis".to_owned(), 3);
    world.rest(40);
    let rows = world.sidecars["s-0"].rows.values();
    let genesis: Vec<u64> =
        rows.filter(|it| it.task_type == "configure-genesis").map(|it| it.run).collect();
    assert_eq!(genesis, [4]);
    assert_eq!(node(&world, "s-0").phase, Some(NodePhase::Running));
    assert!(world.now >= 10 + 20 + 30, "no back-off was cut short: {}", world.now);
}

#[test]
fn a_node_that_failed_tries_again_by_itself() {
    let mut world = World::with_fleet(1, "v1");
    world.habits.failures.insert("config-apply".to_owned(), 1);
    world.go(60);
    assert_eq!(node(&world, "s-0").phase, Some(NodePhase::Failed));
    assert!(is_true(&node(&world, "s-0").conditions, Type::Stalled));
    world.go(300);
    assert_eq!(node(&world, "s-0").phase, Some(NodePhase::Running));
    assert_eq!(world.times_heard("s-0", "NodeFailed"), 1);
}

#[test]
fn a_foreign_claim_survives_the_advice_to_delete_the_node() {
    let mut world = World::with_fleet(1, "v1");
    let claim = k8s::PersistentVolumeClaim {
        metadata: k8s::ObjectMeta {
            name: Some("data-s-0".to_owned()),
            uid: Some("precious".to_owned()),
            ..Default::default()
        },
        ..Default::default()
    };
    world.claims.insert("data-s-0".to_owned(), claim.clone());
    world.go(60);
    assert_eq!(node(&world, "s-0").phase, Some(NodePhase::Failed));
    world.delete_node("s-0");
    world.go(60);
    assert_eq!(world.claims["data-s-0"], claim);
}

#[test]
fn a_deleted_fleet_takes_everything_along() {
    let mut world = settled();
    world.edit(|it| it.metadata.deletion_timestamp = Some(k8s::Time(super::scene::at(0))));
    world.rest(40);
    assert!(world.fleets.is_empty() && world.nodes.is_empty() && world.claims.is_empty());
    assert!(world.sets.is_empty() && world.pods.is_empty() && world.services.is_empty());
}

#[test]
fn a_retained_fleet_goes_on_and_is_adopted_by_its_successor() {
    let mut world = settled();
    world.edit(|it| {
        it.spec.deletion_policy = Some(sei_api::DeletionPolicy::Retain);
        it.metadata.deletion_timestamp = Some(k8s::Time(super::scene::at(0)));
    });
    world.rest(40);
    assert_eq!(world.times_heard("s", "RetainResources"), 1);
    assert_eq!(images(&world), ["v1", "v1"]);
    let pods: Vec<_> = world.pods.values().map(|it| it.metadata.uid.clone()).collect();

    let successor = World::with_fleet(2, "v1").fleets.remove("s").unwrap();
    world.fleets.insert("s".to_owned(), successor);
    world.fleets.get_mut("s").unwrap().metadata.uid = Some("successor".to_owned());
    world.rest(40);
    let controlled = |it: &k8s::ObjectMeta| crate::ownership::controlled_by(it, "successor");
    assert!(world.nodes.values().all(|it| controlled(&it.metadata)));
    assert!(controlled(&world.services["s-internal"].metadata));
    assert_eq!(world.pods.values().map(|it| it.metadata.uid.clone()).collect::<Vec<_>>(), pods);
    assert_eq!(world.fleet().status.as_ref().unwrap().phase.as_ref().unwrap().as_str(), "Ready");
}

#[test]
fn a_write_that_fails_is_seen_and_made_good() {
    let mut world = settled();
    world.habits.refused.insert("apply StatefulSet s-1".to_owned());
    world.set_image("v2");
    world.go(60);
    let status = node(&world, "s-1");
    let ready = find(&status.conditions, Type::Ready).unwrap();
    assert_eq!(ready.message, "task 1 of 5: apply-statefulset: api server cannot be reached");
    assert_eq!(status.observed_generation, world.nodes["s-1"].metadata.generation);
    world.habits.refused.clear();
    world.rest(40);
    assert_eq!(images(&world), ["v2", "v2"]);
}

#[test]
fn a_second_rollout_leaves_no_second_wave() {
    let mut world = settled();
    world.habits.paused = true;
    world.set_image("v2");
    world.go(10);
    world.set_image("v3");
    world.go(10);
    world.habits.paused = false;
    while world.fleet().status.as_ref().unwrap().rollout.is_some() {
        world.go(1);
    }
    let before = versions(&world);
    world.rest(40);
    assert_eq!(versions(&world), before);
}
