//! Pauses after each kind of end, and what happens when the process leaves.

use expect_test::expect;

use super::*;
use crate::context::fixture;
use crate::node::Node;
use crate::script::{self, Answer};

#[tokio::test]
async fn failures_grow_the_pause_and_success_forgets_them() {
    let worker = worker(Answer::refusal(500, "InternalError"));
    let ends = [
        Next::Backoff,
        Next::Backoff,
        Next::Backoff,
        Next::Stale,
        Next::Backoff,
        Next::Conflict,
        Next::Conflict,
        Next::After(Duration::from_secs(7)),
        Next::Backoff,
        Next::Now,
        Next::Backoff,
        Next::Never,
        Next::Conflict,
        Next::Gone,
    ];
    let pauses: Vec<String> = ends
        .into_iter()
        .map(|next| {
            let end = End { uid: Some("u".to_owned()), next };
            format!("{:?} {:?}\n", end.next, worker.again(&key(), &end))
        })
        .collect();
    expect![[r#"
        Backoff Some(5ms)
        Backoff Some(10ms)
        Backoff Some(20ms)
        Stale Some(1s)
        Backoff Some(40ms)
        Conflict Some(5ms)
        Conflict Some(10ms)
        After(7s) Some(7s)
        Backoff Some(5ms)
        Now Some(0ns)
        Backoff Some(5ms)
        Never None
        Conflict Some(5ms)
        Gone None
    "#]]
    .assert_eq(&pauses.concat());
}

#[tokio::test]
async fn a_new_object_of_the_same_name_starts_afresh() {
    let worker = worker(Answer::refusal(500, "InternalError"));
    let fail = |uid: Option<&str>| {
        let end = End { uid: uid.map(str::to_owned), next: Next::Backoff };
        worker.again(&key(), &end).unwrap().as_millis()
    };
    let pauses = [fail(Some("a")), fail(Some("a")), fail(None), fail(Some("b")), fail(Some("b"))];
    assert_eq!(pauses, [5, 10, 20, 5, 10]);
}

#[tokio::test]
async fn conflicts_never_wait_longer_than_a_second() {
    let worker = worker(Answer::refusal(500, "InternalError"));
    let end = End { uid: None, next: Next::Conflict };
    let longest = (0..40).filter_map(|_| worker.again(&key(), &end)).max();
    assert_eq!(longest, Some(Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_hangs_is_cut_off_and_no_new_one_begins() {
    let worker = worker(Answer::Silence);
    worker.shell.context.stores.nodes.apply(node());
    let shutdown = CancellationToken::new();
    worker.queue.add(key());
    let running = tokio::spawn(Arc::clone(&worker).run(shutdown.clone()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    shutdown.cancel();
    worker.queue.add(Key::new("chain", "another"));
    running.await.unwrap();
    assert_eq!(began.elapsed(), worker.shell.context.limits.stop_grace);
    assert_eq!(worker.queue.len(), 2, "both wait for the next process");
    let scrape = worker.shell.context.metrics.scrape(None).unwrap().body;
    assert!(!scrape.contains("invariant=\"pass_ends\""), "{scrape}");
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_panics_is_counted_and_repeated_later() {
    let client = script::client(|_| panic!("a bug"));
    let (context, _) = fixture::context(client);
    let worker = Worker::<Node>::new(Shell::new(Arc::new(context)), Arc::new(Queue::new()));
    worker.shell.context.stores.nodes.apply(node());
    let shutdown = CancellationToken::new();
    worker.queue.add(key());
    let running = tokio::spawn(Arc::clone(&worker).run(shutdown.clone()));
    tokio::time::sleep(RETRY_AFTER_PANIC / 2).await;
    let broken = "sei_controller_invariant_violations_total{invariant=\"pass_ends\"} 1\n";
    let scrape = worker.shell.context.metrics.scrape(None).unwrap().body;
    assert!(scrape.contains(broken), "{scrape}");
    shutdown.cancel();
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_running_passes_the_end_is_immediate() {
    let worker = worker(Answer::Silence);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&worker).run(shutdown.clone()));
    tokio::task::yield_now().await;
    let began = Instant::now();
    shutdown.cancel();
    running.await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
}

fn worker(answer: Answer) -> Arc<Worker<Node>> {
    let mut answer = Some(answer);
    let client = script::client(move |_| answer.take().unwrap_or(Answer::Silence));
    let (context, _) = fixture::context(client);
    Worker::new(Shell::new(Arc::new(context)), Arc::new(Queue::new()))
}

fn node() -> sei_api::SeiNode {
    let mut node = sei_api::SeiNode::new("rpc-0", sei_api::SeiNodeSpec::default());
    node.metadata.namespace = Some("chain".to_owned());
    node
}

fn key() -> Key {
    Key::new("chain", "rpc-0")
}
