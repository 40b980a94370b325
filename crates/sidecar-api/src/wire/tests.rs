//! Rows are read as sidecars of all versions write them.

use super::*;

const ID: &str = "9ce1fa13-9abe-55cc-af21-2697559af5a6";

fn read(row: &str) -> TaskResult {
    serde_json::from_str(&row.replace("ID", ID)).unwrap()
}

#[test]
fn a_full_row_is_read() {
    let row = read(
        r#"{"id":"ID","type":"config-apply","status":"failed","run":3,"params":{"mode":"full"},
            "error":"no","submittedAt":"2026-05-21T10:00:00.123456789Z",
            "completedAt":"2026-05-21T10:00:01Z"}"#,
    );
    assert_eq!(row.id.to_string(), ID);
    assert_eq!((row.status, row.run), (TaskStatus::Failed, 3));
    assert_eq!(row.error.as_deref(), Some("no"));
    assert_eq!(row.submitted_at.unwrap().to_string(), "2026-05-21T10:00:00.123456789Z");
    assert!(row.completed_at.unwrap() > row.submitted_at.unwrap());
}

#[test]
fn what_a_row_lacks_or_adds_is_tolerated() {
    let sparse = read(r#"{"id":"ID","status":"queued","submittedAt":"soon","later":{"a":1}}"#);
    assert_eq!(sparse.status, TaskStatus::Unknown("queued".into()));
    assert_eq!((sparse.run, sparse.submitted_at, sparse.params), (1, None, None));

    for run in ["null", "0"] {
        let row = read(&format!(r#"{{"id":"ID","status":"running","run":{run}}}"#));
        assert_eq!(row.run, 1, "run {run}");
    }
    let later = read(r#"{"id":"ID","status":"completed","result":{"txHash":"AB"}}"#);
    assert_eq!(later.result.unwrap()["txHash"], "AB");
}

#[test]
fn a_row_without_id_or_status_is_none() {
    for row in [r#"{"status":"running"}"#, r#"{"id":"9ce1fa13-9abe-55cc-af21-2697559af5a6"}"#] {
        assert!(serde_json::from_str::<TaskResult>(row).is_err(), "{row}");
    }
}

#[test]
fn node_ids_fit_into_a_peer_list() {
    let table = [
        ("6f1e0b7a7a5e3d1c0b9a8f7e6d5c4b3a29180706", true),
        ("", false),
        ("a@b", false),
        ("a,b", false),
        ("a b", false),
        ("a\n", false),
    ];
    for (text, sound) in table {
        assert_eq!(NodeId::parse(text).is_ok(), sound, "{text:?}");
    }
}
