//! One table: what the API server may answer, and what it means for a write.

use expect_test::expect;
use serde_json::json;

use super::*;

#[test]
fn every_refusal_has_a_class_and_a_stable_text() {
    let conflict = json!([{ "reason": "FieldManagerConflict", "field": ".spec.replicas" }]);
    let table = [
        (404, "NotFound", json!([])),
        (409, "AlreadyExists", json!([])),
        (409, "Conflict", json!([])),
        (409, "Conflict", conflict),
        (410, "Expired", json!([])),
        (422, "Invalid", json!([])),
        (400, "BadRequest", json!([])),
        (403, "Forbidden", json!([{ "reason": "NamespaceTerminating" }])),
        (401, "Unauthorized", json!([])),
        (429, "TooManyRequests", json!([])),
        (500, "InternalError", json!([])),
        (504, "Timeout", json!([])),
        (503, "", json!([])),
    ];
    let lines: Vec<String> = table
        .into_iter()
        .map(|(code, reason, causes)| {
            let fault = ApiFault::of(refusal(code, reason, causes)).of_write("Service \"rpc-0\"");
            format!("{code} {reason:<15} {:<9} {fault}\n", format!("{:?}", fault.class))
        })
        .collect();
    expect![[r#"
        404 NotFound        Transient Service "rpc-0" does not exist
        409 AlreadyExists   Conflict  Service "rpc-0" already exists
        409 Conflict        Conflict  Service "rpc-0" was changed by somebody else meanwhile
        409 Conflict        Terminal  Service "rpc-0" already exists and is managed by somebody else
        410 Expired         Conflict  Service "rpc-0" was read too long ago
        422 Invalid         Terminal  Service "rpc-0" is refused: scripted message
        400 BadRequest      Terminal  Service "rpc-0" is refused: scripted message
        403 Forbidden       Transient Service "rpc-0" is forbidden: scripted message
        401 Unauthorized    Transient Service "rpc-0": the API server does not know the operator (401)
        429 TooManyRequests Transient Service "rpc-0": the API server is overloaded (429)
        500 InternalError   Transient Service "rpc-0": the API server answered 500 (InternalError): scripted message
        504 Timeout         Transient Service "rpc-0": the API server answered 504 (Timeout): scripted message
        503                 Transient Service "rpc-0": the API server answered 503 (no reason): scripted message
    "#]]
    .assert_eq(&lines.concat());
}

#[test]
fn what_the_api_server_says_of_its_failure_is_told_if_it_stays_the_same() {
    let told = |message: &str| {
        let status = json!({
            "status": "Failure", "code": 500, "reason": "InternalError", "message": message,
        });
        ApiFault::of(kube::Error::Api(serde_json::from_value(status).unwrap())).to_string()
    };
    let full = "Internal error occurred: failed to allocate a serviceIP: range is full";
    assert_eq!(told(full), format!("the API server answered 500 (InternalError): {full}"));
    let nothing = "the API server answered 500 (InternalError)";
    assert_eq!(told(" "), nothing);
    assert_eq!(told("read tcp 10.0.0.9:40512->10.0.0.1:443: connection reset by peer"), nothing);
}

#[test]
fn a_failed_read_may_always_succeed_later() {
    for code in [400, 403, 404, 409, 410, 422, 500] {
        let fault = ApiFault::of(refusal(code, "Any", json!([]))).of_read("Pod \"a\"");
        assert_eq!(fault.class, Class::Transient, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_nothing_is_known() {
    let never = std::future::pending::<()>();
    let elapsed = tokio::time::timeout(std::time::Duration::from_secs(10), never).await;
    let fault = ApiFault::from(elapsed.unwrap_err()).of_write("Pod \"a\"");
    assert_eq!(fault, Fault::transient("Pod \"a\": the API server did not answer in time"));
}

fn refusal(code: u16, reason: &str, causes: serde_json::Value) -> kube::Error {
    let status = json!({
        "status": "Failure", "code": code, "reason": reason, "message": "scripted message",
        "details": { "causes": causes },
    });
    kube::Error::Api(serde_json::from_value(status).unwrap())
}
