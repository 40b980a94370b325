//! When a sidecar is asked, and when its last answer will do.

use sei_sidecar_sim::Op;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_young_answer_will_do() {
    let (sidecars, simulated) = sidecars();
    let ready = sidecars.health(&key("a"), MINUTE).await;
    assert_eq!(ready, Ok(Health::NotReady));
    tokio::time::advance(MINUTE / 2).await;
    assert_eq!(sidecars.health(&key("a"), MINUTE).await, ready);
    assert_eq!(simulated.node("ns", "a").calls(Op::Healthz), 1);
    tokio::time::advance(MINUTE / 2).await;
    assert_eq!(sidecars.health(&key("a"), MINUTE).await, ready);
    assert_eq!(simulated.node("ns", "a").calls(Op::Healthz), 2, "as old as asked is too old");
    sidecars.health(&key("a"), Duration::ZERO).await.unwrap();
    assert_eq!(simulated.node("ns", "a").calls(Op::Healthz), 3, "no age at all");
}

#[tokio::test(start_paused = true)]
async fn a_changed_pod_makes_old_answers_worthless() {
    let (sidecars, simulated) = sidecars();
    simulated.node("ns", "a").always_ready();
    assert_eq!(sidecars.last_ready(&key("a")), None);
    sidecars.health(&key("a"), MINUTE).await.unwrap();
    assert_eq!(sidecars.last_ready(&key("a")), Some(true));
    sidecars.forget(&key("a"));
    assert_eq!(sidecars.last_ready(&key("a")), None);
    simulated.node("ns", "a").not_ready();
    assert_eq!(sidecars.health(&key("a"), MINUTE).await, Ok(Health::NotReady));
    assert_eq!(sidecars.last_ready(&key("a")), Some(false));
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_before_a_change_is_not_kept_after_it() {
    let (sidecars, simulated) = sidecars();
    simulated.node("ns", "a").hangs();
    let sidecars = Arc::new(sidecars);
    let asking = tokio::spawn({
        let sidecars = Arc::clone(&sidecars);
        async move { sidecars.health(&key("a"), MINUTE).await }
    });
    tokio::task::yield_now().await;
    sidecars.forget(&key("a"));
    assert!(asking.await.unwrap().is_err());
    assert_eq!(sidecars.last_ready(&key("a")), None);
}

fn sidecars() -> (Sidecars, sei_sidecar_sim::Sidecars) {
    let simulated = sei_sidecar_sim::Sidecars::new();
    let metrics = Arc::new(Metrics::new("test"));
    (Sidecars::new(Arc::new(simulated.clone()), metrics), simulated)
}

fn key(name: &str) -> Key {
    Key::new("ns", name)
}
