//! What a queue promises, under a clock that only moves when everybody waits.

use std::sync::Arc;

use super::*;

const MS: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn a_key_added_often_is_given_out_once() {
    let queue = Queue::new();
    for _ in 0..3 {
        queue.add("a");
    }
    queue.add("b");
    assert_eq!(queue.next().await, Some("a"));
    assert_eq!(queue.next().await, Some("b"));
    queue.done(&"a");
    queue.done(&"b");
    assert!(nothing_is_due(&queue).await);
    assert!(queue.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_earliest_time_wins() {
    let queue = Queue::new();
    let start = Instant::now();
    queue.add_after("a", 500 * MS);
    queue.add_after("a", 20 * MS);
    queue.add_after("a", 900 * MS);
    assert_eq!(queue.next().await, Some("a"));
    assert_eq!(start.elapsed(), 20 * MS);
    queue.done(&"a");
    assert!(nothing_is_due(&queue).await, "the later times are forgotten");
}

#[tokio::test(start_paused = true)]
async fn a_key_is_not_given_out_while_it_is_worked_on() {
    let queue = Queue::new();
    queue.add("a");
    assert_eq!(queue.next().await, Some("a"));
    queue.add("a");
    queue.add_after("a", 100 * MS);
    assert!(nothing_is_due(&queue).await);
    queue.done(&"a");
    assert_eq!(queue.next().await, Some("a"), "what came meanwhile follows");
}

#[tokio::test(start_paused = true)]
async fn an_earlier_addition_wakes_a_waiting_taker() {
    let queue = Arc::new(Queue::new());
    queue.add_after("late", 10_000 * MS);
    let start = Instant::now();
    let taker = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move { queue.next().await }
    });
    tokio::time::sleep(5 * MS).await;
    queue.add("now");
    assert_eq!(taker.await.unwrap(), Some("now"));
    assert_eq!(start.elapsed(), 5 * MS);
}

#[tokio::test(start_paused = true)]
async fn keys_due_at_once_come_in_the_order_of_their_addition() {
    let queue = Queue::new();
    for key in ["c", "a", "b"] {
        queue.add(key);
    }
    queue.add("a");
    for expected in ["c", "a", "b"] {
        assert_eq!(queue.next().await, Some(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_closed_queue_gives_nothing_more() {
    let queue = Arc::new(Queue::new());
    let taker = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move { queue.next().await }
    });
    tokio::time::sleep(MS).await;
    queue.close();
    assert_eq!(taker.await.unwrap(), None);
    queue.add("a");
    assert_eq!(queue.next().await, None);
}

async fn nothing_is_due(queue: &Queue<&'static str>) -> bool {
    tokio::time::timeout(5 * MS, queue.next()).await.is_err()
}
