//! What the API server is sent, and how often.

use std::sync::Mutex;

use expect_test::expect;
use sei_api::event::Reason;
use serde_json::Value;

use super::*;
use crate::script::{self, Answer, Asked};

/// Every request that the script has seen.
type Seen = Arc<Mutex<Vec<Asked>>>;

fn start(mut answer: impl FnMut(usize) -> Answer + Send + 'static) -> (Recorder, Delivery, Seen) {
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    let client = script::client(move |asked| {
        let mut log = log.lock().unwrap();
        log.push(asked.clone());
        answer(log.len())
    });
    let (recorder, delivery) = Recorder::start(Parts {
        client,
        clock: Clock::from_fn(|| "2026-01-02T03:04:05.678901Z".parse().unwrap()),
        metrics: Arc::new(Metrics::new("1")),
        instance: "sei-operator-7d9f".to_owned(),
    });
    (recorder, delivery, seen)
}

fn created(asked: &Asked) -> Answer {
    Answer::Json(201, asked.body.clone())
}

fn accept_all() -> (Recorder, Delivery, Seen) {
    start(|_| Answer::Json(201, serde_json::json!({"metadata": {}, "involvedObject": {}})))
}

fn fleet() -> k8s::ObjectReference {
    k8s::ObjectReference {
        api_version: Some("sei.io/v1alpha1".to_owned()),
        kind: Some("SeiNodeDeployment".to_owned()),
        namespace: Some("chain".to_owned()),
        name: Some("rpc".to_owned()),
        uid: Some("c0ffee".to_owned()),
        ..k8s::ObjectReference::default()
    }
}

fn superseded(target: &str) -> Notice {
    let message =
        format!("Spec changed during active rollout, replacing plan (old target: {target})");
    Notice::normal(Reason::RolloutSuperseded, message, target)
}

fn outcomes(recorder: &Recorder) -> Vec<String> {
    let body = recorder.metrics.scrape(None).unwrap().body;
    let prefix = "sei_controller_events_total{outcome=";
    let mut lines: Vec<String> =
        body.lines().filter_map(|line| line.strip_prefix(prefix)).map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

#[tokio::test(start_paused = true)]
async fn an_event_says_who_what_and_about_whom() {
    let (recorder, delivery, seen) = accept_all();
    recorder.publish(Controller::Deployment, &fleet(), &superseded("abc"));
    assert_eq!(delivery.drain(Duration::from_secs(2)).await, 0);
    let asked = seen.lock().unwrap().remove(0);
    assert_eq!(asked.method, http::Method::POST);
    let path = "/api/v1/namespaces/chain/events?&fieldManager=seinodedeployment-controller";
    assert_eq!(asked.path, path);
    expect![[r#"
        {
          "action": "Reconcile",
          "apiVersion": "v1",
          "count": 1,
          "eventTime": "2026-01-02T03:04:05.678901Z",
          "firstTimestamp": "2026-01-02T03:04:05Z",
          "involvedObject": {
            "apiVersion": "sei.io/v1alpha1",
            "kind": "SeiNodeDeployment",
            "name": "rpc",
            "namespace": "chain",
            "uid": "c0ffee"
          },
          "kind": "Event",
          "lastTimestamp": "2026-01-02T03:04:05Z",
          "message": "Spec changed during active rollout, replacing plan (old target: abc)",
          "metadata": {
            "name": "rpc.3872e5791a4e619a",
            "namespace": "chain"
          },
          "reason": "RolloutSuperseded",
          "reportingComponent": "seinodedeployment-controller",
          "reportingInstance": "sei-operator-7d9f",
          "source": {
            "component": "seinodedeployment-controller"
          },
          "type": "Normal"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&asked.body).unwrap());
}

#[tokio::test(start_paused = true)]
async fn one_occurrence_is_one_name_and_another_is_another() {
    let (recorder, delivery, seen) = accept_all();
    let other_object = k8s::ObjectReference { uid: Some("beef".to_owned()), ..fleet() };
    let long = k8s::ObjectReference { name: Some("a.".repeat(126)), ..fleet() };
    recorder.publish(Controller::Deployment, &fleet(), &superseded("abc"));
    recorder.publish(Controller::Deployment, &fleet(), &superseded("abc"));
    recorder.publish(Controller::Deployment, &fleet(), &superseded("abd"));
    recorder.publish(Controller::Deployment, &other_object, &superseded("abc"));
    recorder.publish(Controller::Deployment, &long, &superseded("abc"));
    assert_eq!(delivery.drain(Duration::from_secs(2)).await, 0);
    let seen = seen.lock().unwrap();
    let names: Vec<&str> =
        seen.iter().map(|asked| asked.body["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(names[0], names[1]);
    let different: std::collections::BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(different.len(), 4, "{names:?}");
    assert!(names.iter().all(|name| name.len() <= 253 && !name.contains("..")), "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_exists_is_delivered() {
    let (recorder, delivery, seen) = start(|_| Answer::refusal(409, "AlreadyExists"));
    recorder.publish(Controller::Node, &fleet(), &superseded("abc"));
    assert_eq!(delivery.drain(Duration::from_secs(2)).await, 0);
    assert_eq!(seen.lock().unwrap().len(), 1);
    assert_eq!(outcomes(&recorder), ["\"existed\"} 1"]);
}

#[tokio::test(start_paused = true)]
async fn what_kept_the_server_from_deciding_is_tried_again() {
    let (recorder, delivery, seen) = start(|request| match request {
        1 => Answer::refusal(500, "InternalError"),
        2 => Answer::refusal(429, "TooManyRequests"),
        3 => Answer::Broken,
        4 => Answer::Silence,
        5 => Answer::refusal(409, "Conflict"),
        _ => Answer::Json(201, serde_json::json!({"metadata": {}, "involvedObject": {}})),
    });
    recorder.publish(Controller::Node, &fleet(), &superseded("abc"));
    assert_eq!(delivery.drain(Duration::from_secs(60)).await, 0);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 6);
    assert!(seen.iter().all(|asked| asked.body == seen[0].body), "the same event each time");
    assert_eq!(outcomes(&recorder), ["\"posted\"} 1"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_refuses_is_counted_and_dropped() {
    for (code, reason) in [(404, "NotFound"), (422, "Invalid")] {
        let (recorder, delivery, seen) = start(move |_| Answer::refusal(code, reason));
        recorder.publish(Controller::Node, &fleet(), &superseded("abc"));
        assert_eq!(delivery.drain(Duration::from_secs(2)).await, 0);
        assert_eq!(seen.lock().unwrap().len(), 1, "{reason}");
        assert_eq!(outcomes(&recorder), ["\"refused\"} 1"], "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_namespace_on_its_way_out_gets_no_second_attempt() {
    let status = serde_json::json!({
        "kind": "Status", "status": "Failure", "code": 403, "reason": "Forbidden", "message": "no",
        "details": { "causes": [{ "reason": "NamespaceTerminating", "message": "no" }] },
    });
    let (recorder, delivery, seen) = start(move |_| Answer::Json(403, status.clone()));
    recorder.publish(Controller::Node, &fleet(), &superseded("abc"));
    assert_eq!(delivery.drain(Duration::from_secs(2)).await, 0);
    assert_eq!(seen.lock().unwrap().len(), 1);
    assert_eq!(outcomes(&recorder), ["\"refused\"} 1"]);
}

/// An API server that has just started knows no roles for a moment.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_believed_when_it_stays() {
    let (recorder, delivery, seen) = start(|request| match request {
        1..=3 => Answer::refusal(403, "Forbidden"),
        _ => Answer::Json(201, serde_json::json!({"metadata": {}, "involvedObject": {}})),
    });
    recorder.publish(Controller::Node, &fleet(), &superseded("abc"));
    assert_eq!(delivery.drain(Duration::from_secs(60)).await, 0);
    assert_eq!(
        (seen.lock().unwrap().len(), outcomes(&recorder)),
        (4, vec!["\"posted\"} 1".into()])
    );

    let (recorder, delivery, seen) = start(|_| Answer::refusal(403, "Forbidden"));
    recorder.publish(Controller::Node, &fleet(), &superseded("abc"));
    assert_eq!(delivery.drain(Duration::from_secs(60)).await, 0);
    // 0.1 + 0.2 + … + 6.4 s.
    assert_eq!(
        (seen.lock().unwrap().len(), outcomes(&recorder)),
        (8, vec!["\"refused\"} 1".into()])
    );
}

#[tokio::test(start_paused = true)]
async fn old_news_are_abandoned() {
    let (recorder, delivery, seen) = start(|_| Answer::refusal(503, "ServiceUnavailable"));
    recorder.publish(Controller::Node, &fleet(), &superseded("abc"));
    assert_eq!(delivery.drain(Duration::from_secs(600)).await, 0);
    // 0.1 + 0.2 + … + 6.4 s, then every 10 s until five minutes have passed.
    assert_eq!(seen.lock().unwrap().len(), 36);
    assert_eq!(outcomes(&recorder), ["\"abandoned\"} 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_pass_never_waits_and_the_queue_is_bounded() {
    let (recorder, delivery, _) = start(|_| Answer::Silence);
    let published = 2 * QUEUE_MAX;
    for occurrence in 0..published {
        recorder.publish(Controller::Node, &fleet(), &superseded(&occurrence.to_string()));
    }
    assert_eq!(outcomes(&recorder), [format!("\"overflow\"}} {}", published - QUEUE_MAX)]);
    assert_eq!(delivery.drain(Duration::from_secs(2)).await, QUEUE_MAX);
    let expected = [format!("\"abandoned\"}} {QUEUE_MAX}"), format!("\"overflow\"}} {QUEUE_MAX}")];
    assert_eq!(outcomes(&recorder), expected);
}

#[tokio::test(start_paused = true)]
async fn one_event_that_hangs_does_not_hold_up_the_others() {
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    let client = script::client(move |asked| {
        log.lock().unwrap().push(asked.clone());
        match asked.body["message"].as_str() {
            Some(message) if message.contains("slow") => Answer::Silence,
            Some(_) | None => created(asked),
        }
    });
    let (recorder, delivery) = Recorder::start(Parts {
        client,
        clock: Clock::from_fn(|| jiff::Timestamp::UNIX_EPOCH),
        metrics: Arc::new(Metrics::new("1")),
        instance: String::new(),
    });
    recorder.publish(Controller::Node, &fleet(), &superseded("slow"));
    recorder.publish(Controller::Node, &fleet(), &superseded("quick"));
    assert_eq!(delivery.drain(Duration::from_secs(2)).await, 1);
    assert_eq!(outcomes(&recorder), ["\"abandoned\"} 1", "\"posted\"} 1"]);
    let instance = &seen.lock().unwrap()[0].body["reportingInstance"];
    assert_eq!(*instance, Value::from("sei-operator"));
}

#[tokio::test(start_paused = true)]
async fn after_the_drain_nothing_is_taken() {
    let (recorder, delivery, seen) = accept_all();
    assert_eq!(delivery.drain(Duration::from_secs(2)).await, 0);
    recorder.publish(Controller::Node, &fleet(), &superseded("abc"));
    assert_eq!(outcomes(&recorder), ["\"abandoned\"} 1"]);
    assert!(seen.lock().unwrap().is_empty());
}
