//! One row per kind of change: who is woken by it.

use std::collections::BTreeMap;

use expect_test::expect;
use sei_api::{NodePhase, PeerSource, PlanPhase, PlannedTask, TaskPlan, TaskStatus};

use super::*;
use crate::cluster::store::{Listed, Managers, Store};
use crate::metrics::Metrics;

#[tokio::test]
async fn a_node_is_woken_by_what_is_asked_of_it_and_not_by_our_own_writes() {
    type Edit = fn(&mut SeiNode);
    let rows: [(&str, Edit, bool); 9] = [
        ("the same again", |_| {}, false),
        ("a new generation", |node| node.metadata.generation = Some(2), false),
        ("a deletion", |node| node.metadata.deletion_timestamp = Some(epoch()), false),
        ("a finalizer", |node| node.metadata.finalizers = Some(vec!["x".into()]), false),
        ("a label", |node| node.metadata.labels = labels_of("team", "a"), false),
        ("an annotation", |node| node.metadata.annotations = labels_of("a", "b"), false),
        ("a status by somebody else", |node| node.status = None, false),
        ("a status by us", |node| phase(node, NodePhase::Failed), true),
        ("a label in our own write", |node| node.metadata.labels = labels_of("a", "b"), true),
    ];
    let mut lines = String::new();
    for (what, edit, ours) in rows {
        let world = World::new();
        let mut after = node("rpc-0");
        phase(&mut after, NodePhase::Running);
        world.has(after.clone());
        edit(&mut after);
        world.node(after, ours);
        lines += &format!("{what:<26} {}\n", world.woken().await);
    }
    expect![[r#"
        the same again             
        a new generation           node rpc-0, fleet rpc
        a deletion                 node rpc-0, fleet rpc
        a finalizer                node rpc-0, fleet rpc
        a label                    node rpc-0, fleet rpc
        an annotation              node rpc-0, fleet rpc
        a status by somebody else  node rpc-0, fleet rpc
        a status by us             fleet rpc
        a label in our own write   node rpc-0, fleet rpc
    "#]]
    .assert_eq(&lines);
}

#[tokio::test]
async fn a_fleet_does_not_care_for_marks_on_tasks() {
    let world = World::new();
    let mut child = node("rpc-0");
    let task = PlannedTask { status: TaskStatus::Pending, ..PlannedTask::default() };
    let plan = TaskPlan { phase: PlanPhase::Active, tasks: vec![task], ..TaskPlan::default() };
    child.status = Some(SeiNodeStatus { plan: Some(plan), ..SeiNodeStatus::default() });
    world.has(child.clone());
    let plan = child.status.as_mut().and_then(|status| status.plan.as_mut()).unwrap();
    plan.tasks[0].status = TaskStatus::Complete;
    plan.tasks[0].error = Some("late".to_owned());
    world.node(child.clone(), true);
    assert_eq!(world.woken().await, "");
    child.status = Some(SeiNodeStatus::default());
    world.node(child, true);
    assert_eq!(world.woken().await, "fleet rpc");
}

#[tokio::test]
async fn a_pass_that_was_put_off_is_made_up_for() {
    let world = World::new();
    world.has(node("rpc-0"));
    let version = "77";
    world.stores.nodes.wrote(&key("rpc-0"), Some(version));
    assert!(world.stores.nodes.wait_for(&key("rpc-0")));
    for change in world.stores.nodes.bookmark(version) {
        world.triggers.node_changed(&change);
    }
    assert_eq!(world.woken().await, "node rpc-0");
}

#[tokio::test]
async fn parts_wake_their_node_and_what_runs_wakes_its_fleet() {
    let world = World::new();
    world.has(node("rpc-0"));
    let labels = labels_of(labels::NODE, "rpc-0");
    let set: k8s::StatefulSet = part("rpc-0", labels.clone());
    world.triggers.statefulset_changed(&appeared(set.clone()));
    assert_eq!(world.woken().await, "node rpc-0, fleet rpc");
    world.triggers.statefulset_changed(&listed_again(set));
    assert_eq!(world.woken().await, "");
    world.triggers.pod_changed(&appeared(part("rpc-0-0", labels.clone())));
    assert_eq!(world.woken().await, "node rpc-0, fleet rpc");
    world.triggers.node_part_changed::<k8s::ConfigMap>(&appeared(part("rpc-0-x", labels)));
    assert_eq!(world.woken().await, "node rpc-0");
}

#[tokio::test]
async fn a_part_without_label_is_found_by_its_controller() {
    let world = World::new();
    let mut claim: k8s::PersistentVolumeClaim = part("data", None);
    claim.metadata.owner_references = Some(vec![k8s::OwnerReference {
        kind: "SeiNode".to_owned(),
        name: "rpc-0".to_owned(),
        controller: Some(true),
        ..k8s::OwnerReference::default()
    }]);
    world.triggers.node_part_changed(&appeared(claim));
    assert_eq!(world.woken().await, "node rpc-0");
}

#[tokio::test]
async fn a_fleets_service_wakes_the_fleet() {
    let world = World::new();
    let service = part("rpc-internal", labels_of(labels::NODEDEPLOYMENT, "rpc"));
    world.triggers.fleet_service_changed(&appeared(service));
    assert_eq!(world.woken().await, "fleet rpc");
}

#[tokio::test]
async fn a_route_wakes_its_fleet_by_label_and_by_owner() {
    let world = World::new();
    let mut route: HttpRoute = part("rpc-evm", labels_of(labels::NODEDEPLOYMENT, "rpc"));
    world.triggers.route_changed(&appeared(route.clone()));
    assert_eq!(world.woken().await, "fleet rpc");
    route.metadata.labels = None;
    route.metadata.owner_references = Some(vec![k8s::OwnerReference {
        kind: "SeiNodeDeployment".to_owned(),
        name: "web".to_owned(),
        controller: Some(true),
        ..k8s::OwnerReference::default()
    }]);
    world.triggers.route_changed(&appeared(route));
    assert_eq!(world.woken().await, "fleet web");
}

#[tokio::test]
async fn the_kind_of_routes_wakes_the_fleets_that_want_some() {
    let world = World::new();
    world.stores.fleets.apply(fleet("inner"));
    let mut published = fleet("outer");
    published.spec.networking = Some(sei_api::Networking::default());
    world.stores.fleets.apply(published);
    world.triggers.routes_turned();
    assert_eq!(world.woken().await, "fleet outer");
}

#[tokio::test]
async fn a_stranger_at_a_childs_name_wakes_the_fleet() {
    let world = World::new();
    world.stores.fleets.apply(fleet("web"));
    for (name, expected) in
        [("web-1", "node web-1, fleet web"), ("web-x", "node web-x"), ("gap-1", "node gap-1")]
    {
        let mut stranger = node(name);
        stranger.metadata.labels = None;
        world.node(stranger, false);
        assert_eq!(world.woken().await, expected);
    }
}

#[tokio::test]
async fn a_node_that_comes_goes_or_is_relabelled_wakes_those_that_look_for_it() {
    let world = World::new();
    let mut seeker = node("seeker");
    seeker.metadata.labels = None;
    let selector = BTreeMap::from([("role".to_owned(), "seed".to_owned())]);
    let label = Some(sei_api::LabelSource { selector, namespace: None });
    seeker.spec.peers = vec![PeerSource { label, ..PeerSource::default() }];
    world.has(seeker);
    let mut seed = node("seed");
    seed.metadata.labels = labels_of("role", "seed");
    world.node(seed.clone(), false);
    assert_eq!(world.woken().await, "node seed, node seeker");
    phase(&mut seed, NodePhase::Running);
    world.node(seed.clone(), true);
    assert_eq!(world.woken().await, "", "what a peer does is its own business");
    seed.metadata.labels = labels_of("role", "other");
    world.node(seed.clone(), false);
    assert_eq!(world.woken().await, "node seed, node seeker", "it was one");
    for change in world.stores.nodes.delete(seed) {
        world.triggers.node_changed(&change);
    }
    assert_eq!(world.woken().await, "node seed", "it is none any more");
}

#[tokio::test]
async fn nothing_is_due_before_every_store_is_complete() {
    let world = World::new();
    world.triggers.open.store(false, Ordering::Release);
    world.node(node("rpc-0"), false);
    world.stores.fleets.apply(fleet("web"));
    assert_eq!(world.woken().await, "");
    world.triggers.open();
    assert_eq!(world.woken().await, "node rpc-0, fleet web");
}

#[test]
fn a_listing_of_what_is_known_moves_nothing() {
    let store: Store<SeiNode> = Store::new("SeiNode", Managers::Kept);
    store.apply(node("a"));
    let changes = store.replace(vec![Listed::Here(node("a"))], "9");
    assert!(changes.iter().all(|change| !moved(change)));
}

struct World {
    stores: Arc<Stores>,
    triggers: Triggers,
}

impl World {
    fn new() -> Self {
        let stores = Arc::new(Stores::new());
        let factory = Arc::new(sei_sidecar_sim::Sidecars::new());
        let sidecars = Arc::new(Sidecars::new(factory, Arc::new(Metrics::new("test"))));
        let triggers = Triggers {
            stores: Arc::clone(&stores),
            nodes: Arc::default(),
            fleets: Arc::default(),
            sidecars,
            open: AtomicBool::new(true),
        };
        Self { stores, triggers }
    }

    /// The stores have this node; nobody is told.
    fn has(&self, node: SeiNode) {
        self.stores.nodes.apply(node);
    }

    /// The watch shows this node, a version later, written by us or by somebody else.
    fn node(&self, mut node: SeiNode, ours: bool) {
        let key = Key::of(&node.metadata);
        let version = self.stores.nodes.peek(&key).map_or(1, |old| {
            let old: u64 = old.metadata.resource_version.as_ref().unwrap().parse().unwrap();
            old + 1
        });
        node.metadata.resource_version = Some(version.to_string());
        if ours {
            self.stores.nodes.wrote(&key, Some(&version.to_string()));
        }
        for change in self.stores.nodes.apply(node) {
            self.triggers.node_changed(&change);
        }
    }

    /// Who is due, and takes them off the queues.
    async fn woken(&self) -> String {
        let mut woken = Vec::new();
        for (word, queue) in [("node", &self.triggers.nodes), ("fleet", &self.triggers.fleets)] {
            let mut names = BTreeSet::new();
            while let Some(Some(key)) = futures::FutureExt::now_or_never(queue.next()) {
                queue.done(&key);
                names.insert(format!("{word} {}", key.name));
            }
            woken.extend(names);
        }
        woken.join(", ")
    }
}

fn key(name: &str) -> Key {
    Key::new("chain", name)
}

fn epoch() -> k8s::Time {
    k8s::Time(jiff::Timestamp::UNIX_EPOCH)
}

fn labels_of(key: &str, value: &str) -> Option<BTreeMap<String, String>> {
    Some(BTreeMap::from([(key.to_owned(), value.to_owned())]))
}

/// A child of the fleet `rpc`.
fn node(name: &str) -> SeiNode {
    let mut node = SeiNode::new(name, sei_api::SeiNodeSpec::default());
    node.metadata = meta(name, labels_of(labels::NODEDEPLOYMENT, "rpc"));
    node.metadata.generation = Some(1);
    node
}

fn fleet(name: &str) -> SeiNodeDeployment {
    let mut fleet = SeiNodeDeployment::new(name, sei_api::SeiNodeDeploymentSpec::default());
    fleet.metadata = meta(name, None);
    fleet
}

fn meta(name: &str, labels: Option<BTreeMap<String, String>>) -> k8s::ObjectMeta {
    k8s::ObjectMeta {
        namespace: Some("chain".to_owned()),
        name: Some(name.to_owned()),
        uid: Some(format!("uid-{name}")),
        resource_version: Some("1".to_owned()),
        labels,
        ..k8s::ObjectMeta::default()
    }
}

fn part<K: Object + Default>(name: &str, labels: Option<BTreeMap<String, String>>) -> K {
    let mut object = K::default();
    *object.meta_mut() = meta(name, labels);
    object
}

fn phase(node: &mut SeiNode, phase: NodePhase) {
    node.status.get_or_insert_default().phase = Some(phase);
}

fn appeared<K: Object>(object: K) -> Change<K> {
    let key = Key::of(object.meta());
    Change { key, old: None, new: Some(Arc::new(object)), ours: false, awaited: false }
}

fn listed_again<K: Object>(object: K) -> Change<K> {
    let same = Some(Arc::new(object.clone()));
    Change { old: same, ..appeared(object) }
}
