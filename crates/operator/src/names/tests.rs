//! Names over a scripted resolver and a clock that jumps.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::pending;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::*;

/// Answers as told; counts the questions.
#[derive(Debug, Default)]
struct Script {
    resolves: Mutex<BTreeSet<String>>,
    silent: Mutex<BTreeSet<String>>,
    asked: AtomicUsize,
    open: AtomicUsize,
}

impl Resolver for Arc<Script> {
    fn resolves(&self, host: &str) -> BoxFuture<'static, bool> {
        self.asked.fetch_add(1, Ordering::AcqRel);
        self.open.fetch_add(1, Ordering::AcqRel);
        if self.silent.lock().unwrap().contains(host) {
            return pending().boxed();
        }
        let answer = self.resolves.lock().unwrap().contains(host);
        let script = Arc::clone(self);
        let look_up = async move {
            sleep(Duration::from_millis(1)).await;
            script.open.fetch_sub(1, Ordering::AcqRel);
            answer
        };
        look_up.boxed()
    }
}

struct World {
    script: Arc<Script>,
    fleets: Arc<Queue<Key>>,
    names: Names,
}

impl World {
    fn new() -> Self {
        let (script, fleets) = (Arc::new(Script::default()), Arc::new(Queue::new()));
        // No jitter, so that the tests may count seconds.
        let ids = Ids::from_fn(Uuid::max);
        let limits = Limits::default();
        let names = Names::new(Arc::new(Arc::clone(&script)), &limits, &ids, &fleets);
        Self { script, fleets, names }
    }

    fn resolve(&self, host: &str) {
        self.script.resolves.lock().unwrap().insert(host.to_owned());
    }

    fn lose(&self, host: &str) {
        self.script.resolves.lock().unwrap().remove(host);
    }

    fn asked(&self) -> usize {
        self.script.asked.load(Ordering::Acquire)
    }

    /// How long it takes until `key` is woken.
    async fn woken(&self, key: &Key) -> Duration {
        let began = Instant::now();
        let woken = self.fleets.next().await;
        assert_eq!(woken.as_ref(), Some(key));
        self.fleets.done(key);
        began.elapsed()
    }
}

fn key(name: &str) -> Key {
    Key::new("ns", name)
}

#[tokio::test(start_paused = true)]
async fn an_answer_wakes_who_asked_and_nobody_waits_for_it() {
    let world = World::new();
    assert_eq!(world.names.ask(&key("a"), "a.test"), Resolution::Unknown);
    assert_eq!(world.asked(), 0, "asked by somebody else, later");
    world.woken(&key("a")).await;
    assert_eq!(world.names.ask(&key("a"), "a.test"), Resolution::Pending);
    world.resolve("a.test");
    assert!(world.woken(&key("a")).await <= Duration::from_secs(11));
    assert_eq!(world.names.ask(&key("a"), "a.test"), Resolution::Resolved);
}

#[tokio::test(start_paused = true)]
async fn asks_less_and_less_often_and_rarely_after_success() {
    let world = World::new();
    world.names.ask(&key("a"), "a.test");
    sleep(Duration::from_secs(600)).await;
    let pending = world.asked();
    assert!((60..=70).contains(&pending), "every ten seconds: {pending}");
    world.resolve("a.test");
    sleep(Duration::from_secs(11)).await;
    let before = world.asked();
    sleep(Duration::from_secs(3000)).await;
    let settled = world.asked() - before;
    assert!((9..=11).contains(&settled), "every five minutes: {settled}");
}

#[tokio::test(start_paused = true)]
async fn one_failed_look_up_does_not_lose_a_name() {
    let world = World::new();
    world.resolve("a.test");
    world.names.ask(&key("a"), "a.test");
    world.woken(&key("a")).await;
    world.lose("a.test");
    // The next look-up is five minutes away; two more follow it within seconds.
    let lost = world.woken(&key("a")).await;
    let after = Duration::from_secs(303)..Duration::from_secs(304);
    assert!(after.contains(&lost), "{lost:?}");
    assert_eq!(world.names.ask(&key("a"), "a.test"), Resolution::Pending);
}

#[tokio::test(start_paused = true)]
async fn look_ups_that_never_end_hold_up_nobody_else_for_long() {
    let world = World::new();
    world.resolve("good.test");
    let slow = Limits::default().lookups_at_once - 1;
    for index in 0..slow {
        let host = format!("slow-{index}.test");
        world.script.silent.lock().unwrap().insert(host.clone());
        world.names.ask(&key(&host), &host);
    }
    world.names.ask(&key("good"), "good.test");
    assert!(world.woken(&key("good")).await < Duration::from_secs(1));
    // A look-up without an answer is one without success.
    sleep(Limits::default().lookup_timeout).await;
    assert_eq!(world.names.ask(&key("slow-0.test"), "slow-0.test"), Resolution::Pending);
    sleep(Duration::from_secs(60)).await;
    let open = world.script.open.load(Ordering::Acquire);
    assert!(open <= Limits::default().lookups_at_once, "{open} at once");
}

#[tokio::test(start_paused = true)]
async fn one_look_up_serves_all_who_ask_for_a_name() {
    let world = World::new();
    for name in ["a", "b"] {
        world.names.ask(&key(name), "shared.test");
    }
    world.woken(&key("a")).await;
    world.woken(&key("b")).await;
    assert_eq!(world.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_nobody_wants_is_not_asked_for() {
    let world = World::new();
    world.names.ask(&key("a"), "old.test");
    world.woken(&key("a")).await;
    world.names.ask(&key("a"), "new.test");
    world.woken(&key("a")).await;
    assert_eq!(world.names.0.book().hosts.len(), 1, "only the new name");
    world.names.forget(&key("a"));
    let asked = world.asked();
    sleep(Duration::from_secs(600)).await;
    assert_eq!(world.asked(), asked);
    assert!(world.names.0.book().asked.is_empty());
}

/// What the machine's own resolver says, without any network: `localhost` is in every hosts file,
/// and no name below `invalid` exists anywhere.
#[tokio::test]
async fn the_resolver_of_the_machine_knows_itself_and_no_invalid_name() {
    for (host, resolves) in [("localhost", true), ("127.0.0.1", true), ("nobody.invalid", false)] {
        assert_eq!(SystemResolver.resolves(host).await, resolves, "{host}");
    }
}
