//! When a machine is asked for, and when its last answer will do.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::script::{Answer, client};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_young_answer_will_do_also_when_it_is_a_refusal() {
    for (code, reason) in [(404, "NotFound"), (403, "Forbidden")] {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let client = client(move |request| {
            assert_eq!(request.path, "/api/v1/nodes/m1");
            counter.fetch_add(1, Ordering::Relaxed);
            Answer::refusal(code, reason)
        });
        let (client, limits, hosts) = (ClientHandle(client), Limits::default(), Hosts::default());
        for (advance, calls) in [(0, 1), (59, 1), (1, 2), (1, 2)] {
            tokio::time::advance(Duration::from_secs(advance)).await;
            let seen = hosts.get((&client, &limits), "m1", MINUTE).await;
            assert_eq!(matches!(seen, Seen::Absent), code == 404);
            assert_eq!(asked.load(Ordering::Relaxed), calls, "{code} after {advance} s");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_nobody_wants_are_forgotten() {
    let client = ClientHandle(client(|_| Answer::refusal(404, "NotFound")));
    let (limits, hosts) = (Limits::default(), Hosts::default());
    for name in ["m1", "m2"] {
        hosts.get((&client, &limits), name, MINUTE).await;
        tokio::time::advance(MINUTE).await;
    }
    assert_eq!(hosts.seen().len(), 1);
}
