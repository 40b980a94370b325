//! Waiting, on a clock that only moves when everybody sleeps.

use std::cell::Cell;
use std::time::Duration;

use anyhow::anyhow;
use tokio::time::Instant;

use super::{Progress, WaitOpts, check, consistently, wait_for_with};

const OPTS: WaitOpts =
    WaitOpts { timeout: Duration::from_secs(1), interval: Duration::from_millis(300) };

#[tokio::test(start_paused = true)]
async fn the_first_probe_comes_at_once() {
    let start = Instant::now();
    let got = wait_for_with(OPTS, "it", || async { Ok(Progress::Ready(7)) }).await.unwrap();
    assert_eq!((got, start.elapsed()), (7, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn the_last_probe_comes_at_the_deadline() {
    let start = Instant::now();
    let probe = || async move {
        Ok(match start.elapsed() >= OPTS.timeout {
            true => Progress::Ready(()),
            false => Progress::NotYet("early".to_owned()),
        })
    };
    wait_for_with(OPTS, "the deadline", probe).await.unwrap();
    assert_eq!(start.elapsed(), OPTS.timeout);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_says_who_waited_for_what_and_what_was_seen() {
    let count = Cell::new(0);
    let probe = || {
        count.set(count.get() + 1);
        let fails = count.get() == 2;
        async move {
            if fails {
                return Err(anyhow!("no route"));
            }
            Ok(Progress::<()>::NotYet("2 of 3".to_owned()))
        }
    };
    let message = wait_for_with(OPTS, "three", probe).await.unwrap_err().to_string();
    assert!(message.starts_with("timeout after 1.0 s waiting for: three\n"), "{message}");
    assert!(message.contains("wait/tests.rs"), "{message}");
    assert!(message.contains("probes: 5"), "{message}");
    assert!(message.contains("last seen: 2 of 3"), "{message}");
    assert!(message.contains("last error: no route"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_does_not_hang_the_wait() {
    let start = Instant::now();
    let probe = || std::future::pending::<anyhow::Result<Progress<()>>>();
    let failure = wait_for_with(OPTS, "it", probe).await.unwrap_err();
    assert!(start.elapsed() <= OPTS.timeout + OPTS.interval);
    assert_eq!(failure.last_error.as_deref(), Some("the probe did not return"));
}

#[tokio::test(start_paused = true)]
async fn consistently_lists_every_failing_field_of_the_bad_sample() {
    let count = Cell::new(0);
    let sample = || {
        count.set(count.get() + 1);
        let value = count.get();
        async move { Ok((value, "Active")) }
    };
    let checks = [
        check("count", true, |(count, _): &(i32, &str)| *count < 3),
        check("phase", "Active".to_owned(), |(count, phase): &(i32, &str)| {
            if *count < 3 { (*phase).to_owned() } else { "Ready".to_owned() }
        }),
        check("other", 1, |_| 1),
    ];
    let second = Duration::from_secs(1);
    let failure = consistently(second * 5, second, sample, &checks).await.unwrap_err();
    assert_eq!(
        failure.failures,
        [
            "count: wanted true, got false (at 2.0 s, sample 3)",
            "phase: wanted \"Active\", got \"Ready\" (at 2.0 s, sample 3)",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn consistently_takes_the_first_and_the_last_sample() {
    let count = Cell::new(0);
    let sample = || {
        count.set(count.get() + 1);
        async { Ok(()) }
    };
    let second = Duration::from_secs(1);
    consistently(second * 5, second, sample, &[]).await.unwrap();
    assert_eq!(count.get(), 6);
}

#[tokio::test(start_paused = true)]
async fn consistently_watches_longer_when_its_samples_are_slow() {
    let second = Duration::from_secs(1);
    let count = Cell::new(0);
    let slow = || {
        count.set(count.get() + 1);
        let taken = count.get();
        async move {
            tokio::time::sleep(second * 3).await;
            Ok(taken)
        }
    };
    consistently(second * 9, second, slow, &[]).await.unwrap();
    assert_eq!(count.get(), 8);

    // What the late ones show counts as much.
    let bad = [check("late", false, |taken| *taken > 14)];
    let failure = consistently(second * 9, second, slow, &bad).await.unwrap_err();
    assert_eq!(failure.failures, ["late: wanted false, got true (at 21.0 s, sample 7)"]);
}

#[tokio::test(start_paused = true)]
async fn consistently_fails_when_it_saw_too_little() {
    let sample = || async { anyhow::Result::<()>::Err(anyhow!("no route")) };
    let second = Duration::from_secs(1);
    let failure = consistently(second * 9, second, sample, &[]).await.unwrap_err();
    assert_eq!(failure.failures, ["only 0 of 10 samples were taken; last error: no route"]);
}
