//! A sidecar's gate closes with its pod and opens only by `mark-ready` of the next.

use serde_json::json;

use super::*;

fn pod(uid: &str, phase: &str) -> Pod {
    let pod = json!({
        "metadata": {"name": "a-0", "namespace": "ns", "uid": uid, "labels": {NODE_LABEL: "a"}},
        "status": {"phase": phase},
    });
    serde_json::from_value(pod).unwrap()
}

/// What was seen of a pod, then whether the gate of `a` is open with a hand on `mark-ready`.
struct World {
    sidecars: Sidecars,
    lives: SidecarLives,
}

impl World {
    fn new() -> Self {
        Self { sidecars: Sidecars::strict(), lives: SidecarLives::default() }
    }

    fn seen(&mut self, pod: &Pod) -> bool {
        self.lives.seen(&self.sidecars, pod);
        self.lives.is_ready(&self.sidecars, pod)
    }

    fn open_gate(&self) {
        self.sidecars.node("ns", "a").always_ready();
    }
}

#[test]
fn only_a_running_pod_has_a_sidecar() {
    let mut world = World::new();
    assert!(!world.seen(&pod("1", "Pending")));
    assert!(!world.seen(&pod("1", "Running")));
    world.open_gate();
    assert!(world.seen(&pod("1", "Running")));
}

#[test]
fn readiness_belongs_to_the_pod_that_earned_it() {
    let mut world = World::new();
    world.seen(&pod("1", "Running"));
    world.open_gate();
    world.lives.gone(&world.sidecars, &pod("1", "Running"));
    assert!(!world.lives.is_ready(&world.sidecars, &pod("1", "Running")));
    // A late word about the old pod does not touch the new one.
    assert!(world.seen(&pod("2", "Running")));
    world.lives.gone(&world.sidecars, &pod("1", "Running"));
    assert!(world.lives.is_ready(&world.sidecars, &pod("2", "Running")));
}

#[test]
fn lost_claim_takes_the_sidecar_with_it() {
    let mut world = World::new();
    world.seen(&pod("1", "Running"));
    world.open_gate();
    world.lives.claim_gone(&world.sidecars, &("ns".into(), "a".into()));
    assert!(!world.lives.is_ready(&world.sidecars, &pod("1", "Running")));
}
