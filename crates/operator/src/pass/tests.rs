//! What a pass promises, over a scripted API server and a kind whose decisions are scripted too.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Mutex;

use expect_test::expect;
use sei_api::condition::{Reason, Type};
use sei_api::{NodePhase, SeiNode, SeiNodeSpec, SeiNodeStatus, event, labels};
use sei_core::condition::{Conditions, Say};
use sei_core::decision::{Conclusion, Decision};
use sei_core::effect::{Resource, Target};
use sei_core::node::Env;
use serde_json::{Value, json};

use super::*;
use crate::cluster::store::Store;
use crate::cluster::stores::Stores;
use crate::context::fixture;
use crate::controller::Controller;
use crate::script::{self, Answer, Asked};

#[tokio::test]
async fn nothing_is_written_when_nothing_changed() {
    let world = World::of(node(running()));
    decides([rest(running(), Requeue::After(MINUTE))]);
    assert_eq!(world.pass().await, Next::After(MINUTE));
    assert_eq!(world.log(), "");
}

#[tokio::test]
async fn one_status_write_with_the_loaded_version_and_nothing_else() {
    let world = World::of(node(running()));
    let mut after = running();
    after.phase = Some(NodePhase::Failed);
    after.current_image = None;
    decides([rest(after, Requeue::Never)]);
    assert_eq!(world.pass().await, Next::Never);
    expect![[r#"
        PATCH /status {"metadata":{"resourceVersion":"3"},"status":{"currentImage":null,"phase":"Failed"}}
        EVENT NodeFailed
    "#]]
    .assert_eq(&world.log());
}

#[tokio::test]
async fn a_node_without_finalizer_gets_it_before_anything_is_decided() {
    let mut bare = node(SeiNodeStatus::default());
    bare.metadata.finalizers = None;
    let world = World::of(bare);
    decides([rest(running(), Requeue::Never)]);
    assert_eq!(world.pass().await, Next::Never);
    expect![[r#"
        PATCH  {"metadata":{"finalizers":["sei.io/seinode-finalizer"],"resourceVersion":"3"}}
        PATCH /status {"metadata":{"resourceVersion":"4"},"status":{"currentImage":"v1","phase":"Running"}}
        EVENT NodeFailed
    "#]]
    .assert_eq(&world.log());
}

/// **Invariant `plan_before_effect`:** the shell's half. A decision that asks for another pass is
/// stored before the next is taken, and that one works on what the API server answered.
#[tokio::test]
async fn a_plan_is_stored_before_its_first_effect() {
    let world = World::of(node(SeiNodeStatus::default()));
    let mut planned = running();
    planned.phase = Some(NodePhase::Initializing);
    decides([
        rest(planned.clone(), Requeue::NextPass),
        acting(planned, delete_pod(), Requeue::Never),
    ]);
    assert_eq!(world.pass().await, Next::Never);
    expect![[r#"
        PATCH /status {"metadata":{"resourceVersion":"3"},"status":{"currentImage":"v1","phase":"Initializing"}}
        DELETE  {"preconditions":{"resourceVersion":"7","uid":"seen"}}
        EVENT NodeFailed
    "#]]
    .assert_eq(&world.log());
}

#[tokio::test]
async fn rounds_follow_each_other_within_one_status_write() {
    let world = World::of(node(running()));
    let image = |image: &str| SeiNodeStatus { current_image: Some(image.into()), ..running() };
    decides([
        rest(image("v2"), Requeue::Again),
        acting(image("v3"), delete_pod(), Requeue::Again),
        rest(image("v4"), Requeue::After(MINUTE)),
    ]);
    assert_eq!(world.pass().await, Next::After(MINUTE));
    expect![[r#"
        DELETE  {"preconditions":{"resourceVersion":"7","uid":"seen"}}
        PATCH /status {"metadata":{"resourceVersion":"3"},"status":{"currentImage":"v4"}}
        EVENT NodeFailed
    "#]]
    .assert_eq(&world.log());
}

#[tokio::test]
async fn an_object_that_never_rests_is_stored_and_queued_again() {
    let world = World::of(node(running()));
    for round in 0..=ROUNDS_MAX {
        let image = Some(format!("v{round}"));
        decides([rest(SeiNodeStatus { current_image: image, ..running() }, Requeue::Again)]);
    }
    assert_eq!(world.pass().await, Next::Now);
    assert!(world.log().contains(r#"{"currentImage":"v63"}"#), "{}", world.log());
}

#[tokio::test]
async fn an_object_that_plans_for_ever_lets_go_of_its_worker() {
    let world = World::of(node(running()));
    for pass in 0..=PASSES_MAX {
        let image = Some(format!("v{pass}"));
        decides([rest(SeiNodeStatus { current_image: image, ..running() }, Requeue::NextPass)]);
    }
    assert_eq!(world.pass().await, Next::Now);
    assert_eq!(world.log().matches("/status").count(), PASSES_MAX as usize);
}

#[tokio::test]
async fn a_failed_effect_is_part_of_the_status() {
    let world = World::of(node(running()));
    world.answers("DELETE", || Answer::refusal(500, "InternalError"));
    decides([acting(running(), delete_pod(), Requeue::Never)]);
    assert_eq!(world.pass().await, Next::Backoff);
    expect![[r#"
        DELETE  {"preconditions":{"resourceVersion":"7","uid":"seen"}}
        PATCH /status {"metadata":{"resourceVersion":"3"},"status":{"externalAddress":"Pod \"rpc-0-0\": the API server answered 500 (InternalError): scripted InternalError"}}
        EVENT NodeFailed
    "#]]
    .assert_eq(&world.log());
}

#[tokio::test]
async fn a_stale_object_is_not_passed_over() {
    let world = World::of(node(running()));
    Toy::store(&world.shell.context.stores).wrote(&key(), Some("9"));
    assert_eq!(world.pass().await, Next::Stale);
    assert_eq!(world.log(), "");
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_stays_behind_is_asked_past() {
    let world = World::of(node(running()));
    Toy::store(&world.shell.context.stores).wrote(&key(), Some("9"));
    tokio::time::advance(Duration::from_secs(5)).await;
    decides([rest(running(), Requeue::Never)]);
    assert_eq!(world.pass().await, Next::Never);
    assert_eq!(world.log(), "GET  null\n");
    assert_eq!(world.pass().await, Next::Stale, "but not again at once");
}

#[tokio::test]
async fn what_is_gone_is_forgotten() {
    let world = World::of(node(running()));
    let elsewhere = Key::new("chain", "other");
    let end = world.shell.pass(&elsewhere).await;
    assert_eq!(end, End { uid: None, next: Next::Gone });
    world.answers("PATCH", || Answer::refusal(404, "NotFound"));
    decides([rest(SeiNodeStatus::default(), Requeue::Never)]);
    assert_eq!(world.pass().await, Next::Gone);
}

#[tokio::test]
async fn a_conflict_on_the_status_is_tried_again_without_noise() {
    let world = World::of(node(running()));
    world.answers("PATCH", || Answer::refusal(409, "Conflict"));
    decides([rest(SeiNodeStatus::default(), Requeue::Never)]);
    assert_eq!(world.pass().await, Next::Conflict);
    assert!(!world.log().contains("EVENT"), "nothing is told that is not stored");
}

#[tokio::test]
async fn what_has_happened_is_told_although_the_status_came_too_late() {
    let world = World::of(node(running()));
    world.answers("PATCH", || Answer::refusal(409, "Conflict"));
    let told = Notice::normal(event::Reason::SeiNodeCreated, "made".to_owned(), "x");
    decides([rest(SeiNodeStatus::default(), Requeue::Never).telling([told.clone()])]);
    assert_eq!(world.pass().await, Next::Conflict);
    // The next pass may find the same again.
    decides([rest(running(), Requeue::Never).telling([told])]);
    assert_eq!(world.pass().await, Next::Never);
    let log = world.log();
    assert!(log.ends_with("EVENT SeiNodeCreated\n"), "{log}");
    assert_eq!(log.matches("EVENT").count(), 1);
}

#[tokio::test]
async fn a_status_that_cannot_be_stored_is_a_failure() {
    let world = World::of(node(running()));
    world.answers("PATCH", || Answer::refusal(503, "ServiceUnavailable"));
    decides([rest(SeiNodeStatus::default(), Requeue::Never)]);
    assert_eq!(world.pass().await, Next::Backoff);
}

#[tokio::test]
async fn a_status_whose_answer_got_lost_is_told_once_it_is_seen() {
    let world = World::of(node(SeiNodeStatus::default()));
    world.answers("PATCH", || Answer::Broken);
    decides([rest(running(), Requeue::Never)]);
    assert_eq!(world.pass().await, Next::Backoff);
    // The cache is not there yet, so the write is repeated, with the old resourceVersion.
    world.answers("PATCH", || Answer::refusal(409, "Conflict"));
    decides([rest(running(), Requeue::Never)]);
    assert_eq!(world.pass().await, Next::Conflict);
    assert!(!world.log().contains("EVENT"), "nothing is told that is not seen stored");
    let mut stored = node(running());
    stored.metadata.resource_version = Some("4".to_owned());
    world.stores(stored);
    for _ in 0..2 {
        decides([rest(running(), Requeue::Never)]);
        assert_eq!(world.pass().await, Next::Never);
        assert_eq!(world.log().matches("EVENT NodeFailed").count(), 1);
    }
}

#[tokio::test]
async fn after_our_finalizer_is_gone_nothing_is_stored() {
    let world = World::of(node(running()));
    // The API server answers with the last version that was stored.
    world.answers("PATCH", || Answer::Json(200, serde_json::to_value(node(running())).unwrap()));
    let release = Effect::RemoveFinalizer;
    decides([acting(SeiNodeStatus::default(), release, Requeue::Never)]);
    assert_eq!(world.pass().await, Next::Gone);
    expect![[r#"
        PATCH  {"metadata":{"finalizers":[],"resourceVersion":"3"}}
    "#]]
    .assert_eq(&world.log());
    assert_eq!(world.pass().await, Next::Stale, "the watch has yet to show that it is gone");
    assert_eq!(world.log().matches("PATCH").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_mark_waits_for_the_next_write_but_not_for_ever() {
    let world = World::of(node(running()));
    let mark = |text: &str| SeiNodeStatus { external_address: Some(text.into()), ..running() };
    decides([rest(mark("one"), Requeue::After(MINUTE))]);
    assert_eq!(world.pass().await, Next::After(Duration::from_millis(250)));
    assert_eq!(world.log(), "");

    tokio::time::advance(Duration::from_millis(100)).await;
    decides([rest(mark("two"), Requeue::After(MINUTE))]);
    assert_eq!(world.pass().await, Next::After(Duration::from_millis(150)));
    assert_eq!(starts(), [None, Some("one".to_owned())], "the next pass goes on with the mark");
    assert_eq!(world.log(), "");

    tokio::time::advance(Duration::from_millis(150)).await;
    decides([rest(mark("two"), Requeue::After(MINUTE))]);
    assert_eq!(world.pass().await, Next::After(MINUTE));
    expect![[r#"
        PATCH /status {"metadata":{"resourceVersion":"3"},"status":{"externalAddress":"two"}}
        EVENT NodeFailed
    "#]]
    .assert_eq(&world.log());
}

#[tokio::test(start_paused = true)]
async fn a_mark_rides_the_next_write() {
    let world = World::of(node(running()));
    let mut status = SeiNodeStatus { external_address: Some("one".into()), ..running() };
    decides([rest(status.clone(), Requeue::After(MINUTE))]);
    world.pass().await;
    status.current_image = Some("v2".to_owned());
    decides([rest(status, Requeue::Never)]);
    assert_eq!(world.pass().await, Next::Never);
    let written = r#""status":{"currentImage":"v2","externalAddress":"one"}"#;
    assert!(world.log().contains(written), "{}", world.log());
}

#[tokio::test(start_paused = true)]
async fn a_mark_on_a_status_that_changed_meanwhile_is_dropped() {
    let world = World::of(node(running()));
    let mark = SeiNodeStatus { external_address: Some("one".into()), ..running() };
    decides([rest(mark, Requeue::After(MINUTE))]);
    world.pass().await;
    world.stores(node(SeiNodeStatus { phase: Some(NodePhase::Failed), ..running() }));
    decides([rest(running(), Requeue::Never)]);
    world.pass().await;
    assert_eq!(starts(), [None, None]);
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_comes_back_within_a_pass_has_not_moved() {
    let ready = |says: bool, seconds: i64| {
        let mut status = running();
        let now = jiff::Timestamp::from_second(seconds).unwrap();
        let say = if says { Say::yes(Reason::Ready, "") } else { Say::no(Reason::Progressing, "") };
        let list = &mut status.conditions;
        Conditions { list, generation: 1, now }.set(Type::Ready, say);
        status
    };
    let world = World::of(node(ready(false, 1)));
    decides([rest(ready(true, 2), Requeue::Again), rest(ready(false, 3), Requeue::Never)]);
    world.pass().await;
    assert_eq!(world.log(), "", "nothing that anybody could see has changed");
}

const MINUTE: Duration = Duration::from_secs(60);

thread_local! {
    /// What the toy decides next.
    static DECISIONS: RefCell<VecDeque<Decision<SeiNodeStatus>>> = RefCell::default();
    /// The marks that each decision started from.
    static STARTS: RefCell<Vec<Option<String>>> = RefCell::default();
}

fn decides(decisions: impl IntoIterator<Item = Decision<SeiNodeStatus>>) {
    DECISIONS.with_borrow_mut(|queue| queue.extend(decisions));
}

fn starts() -> Vec<Option<String>> {
    STARTS.with_borrow(Clone::clone)
}

fn rest(status: SeiNodeStatus, requeue: Requeue) -> Decision<SeiNodeStatus> {
    Decision::rest(status, requeue)
}

fn acting(status: SeiNodeStatus, effect: Effect, requeue: Requeue) -> Decision<SeiNodeStatus> {
    Decision { effects: vec![effect], ..Decision::rest(status, requeue) }
}

fn delete_pod() -> Effect {
    Effect::Delete(Target {
        resource: Resource::Pod,
        name: "rpc-0-0".to_owned(),
        uid: "seen".to_owned(),
        resource_version: "7".to_owned(),
    })
}

fn running() -> SeiNodeStatus {
    SeiNodeStatus {
        phase: Some(NodePhase::Running),
        current_image: Some("v1".to_owned()),
        ..SeiNodeStatus::default()
    }
}

fn node(status: SeiNodeStatus) -> SeiNode {
    let mut node = SeiNode::new("rpc-0", SeiNodeSpec::default());
    node.metadata.namespace = Some("chain".to_owned());
    node.metadata.uid = Some("u".to_owned());
    node.metadata.resource_version = Some("3".to_owned());
    node.metadata.finalizers = Some(vec![labels::NODE_FINALIZER.to_owned()]);
    node.status = (status != SeiNodeStatus::default()).then_some(status);
    node
}

fn key() -> Key {
    Key::new("chain", "rpc-0")
}

/// A kind whose decisions are scripted. `externalAddress` stands for what may wait.
#[derive(Debug)]
struct Toy;

impl Kind for Toy {
    type Object = SeiNode;
    type Status = SeiNodeStatus;
    type Needs = ();
    type Observed = ();

    const CONTROLLER: Controller = Controller::Node;
    const KIND: &'static str = "SeiNode";
    const FINALIZER: &'static str = labels::NODE_FINALIZER;
    const MANAGER: &'static str = labels::NODE_FIELD_MANAGER;

    fn store(stores: &Stores) -> &Store<SeiNode> {
        &stores.nodes
    }

    fn status(object: &SeiNode) -> Option<&SeiNodeStatus> {
        object.status.as_ref()
    }

    fn needs(_: &SeiNode, _: &SeiNodeStatus, _: Env<'_>) {}

    async fn observe(_: &Context, _: &SeiNode, (): ()) {}

    fn decide(_: &SeiNode, status: &SeiNodeStatus, (): &(), _: Env<'_>) -> Decision<SeiNodeStatus> {
        STARTS.with_borrow_mut(|starts| starts.push(status.external_address.clone()));
        DECISIONS.with_borrow_mut(|queue| queue.pop_front().expect("a further decision"))
    }

    fn conclude(
        (_, before): (&SeiNode, &SeiNodeStatus),
        (): &(),
        _: Env<'_>,
        (decision, outcomes): (Decision<SeiNodeStatus>, &[Outcome]),
    ) -> Conclusion<SeiNodeStatus> {
        let Decision { status, requeue, notices, .. } = decision;
        match sei_core::effect::worst(outcomes) {
            None => Conclusion { status, requeue, notices },
            Some(fault) => {
                let external_address = Some(fault.detail.clone());
                let status = SeiNodeStatus { external_address, ..before.clone() };
                Conclusion { status, requeue: Requeue::Backoff, notices }
            }
        }
    }

    fn keep_times(before: &SeiNodeStatus, after: &mut SeiNodeStatus) {
        sei_core::condition::keep_times(&before.conditions, &mut after.conditions);
    }

    fn urgency(before: &SeiNodeStatus, after: &SeiNodeStatus) -> Urgency {
        let unmarked =
            |status: &SeiNodeStatus| SeiNodeStatus { external_address: None, ..status.clone() };
        match (before == after, unmarked(before) == unmarked(after)) {
            (true, _) => Urgency::None,
            (false, true) => Urgency::Mark,
            (false, false) => Urgency::Now,
        }
    }

    fn notices(_: &SeiNode, _: Written<'_, SeiNodeStatus>) -> Vec<Notice> {
        vec![Notice::warning(event::Reason::NodeFailed, "told".to_owned(), "x")]
    }

    fn count(_: &Context, _: &SeiNode, _: Written<'_, SeiNodeStatus>) {}

    fn forget(_: &Context, _: &Key) {}
}

type Override = (String, Box<dyn Fn() -> Answer + Send>);

/// A shell over a script that keeps one node.
struct World {
    shell: Shell<Toy>,
    log: Arc<Mutex<Vec<String>>>,
    overrides: Arc<Mutex<Option<Override>>>,
}

impl World {
    fn of(node: SeiNode) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let overrides: Arc<Mutex<Option<Override>>> = Arc::default();
        let (lines, other) = (Arc::clone(&log), Arc::clone(&overrides));
        let mut server = Server { node: serde_json::to_value(&node).unwrap(), version: 3 };
        let client = script::client(move |asked: &Asked| {
            lines.lock().unwrap().push(line(asked));
            let other = other.lock().unwrap();
            match other.as_ref().filter(|(method, _)| *method == asked.method.as_str()) {
                Some((_, answer)) => answer(),
                None => server.answer(asked),
            }
        });
        let (context, _) = fixture::context(client);
        let world = Self { shell: Shell::new(Arc::new(context)), log, overrides };
        world.stores(node);
        world
    }

    /// The watch shows this.
    fn stores(&self, node: SeiNode) {
        Toy::store(&self.shell.context.stores).apply(node);
    }

    /// From now on requests of this method are answered so.
    fn answers(&self, method: &str, answer: impl Fn() -> Answer + Send + 'static) {
        *self.overrides.lock().unwrap() = Some((method.to_owned(), Box::new(answer)));
    }

    async fn pass(&self) -> Next {
        let end = self.shell.pass(&key()).await;
        // Events are posted in the background.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        end.next
    }

    /// What was sent, events last: they overtake each other.
    fn log(&self) -> String {
        let mut lines = self.log.lock().unwrap().clone();
        lines.sort_by_key(|line| line.starts_with("EVENT"));
        lines.concat()
    }
}

/// Keeps one node as a real server would, as far as passes need it.
struct Server {
    node: Value,
    version: u64,
}

impl Server {
    fn answer(&mut self, asked: &Asked) -> Answer {
        if asked.path.contains("/events") {
            return Answer::Json(201, asked.body.clone());
        }
        if asked.path.contains("/pods/") {
            return Answer::Json(200, json!({ "kind": "Status", "status": "Success" }));
        }
        if asked.method == http::Method::PATCH {
            self.version += 1;
            merge(&mut self.node, &asked.body);
            self.node["metadata"]["resourceVersion"] = Value::from(self.version.to_string());
        }
        Answer::Json(200, self.node.clone())
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        merge(&mut target[key.as_str()], value);
    }
    if let Some(target) = target.as_object_mut() {
        target.retain(|_, value| !value.is_null());
    }
}

fn line(asked: &Asked) -> String {
    if asked.path.contains("/events") {
        return format!("EVENT {}\n", asked.body["reason"].as_str().unwrap_or_default());
    }
    let sub = if asked.path.contains("/status?") { "/status" } else { "" };
    format!("{} {sub} {}\n", asked.method, asked.body)
}
