//! Every answer that a sidecar, its proxy or a stranger can give, call by call.

use sei_sidecar_api::{TaskSpec, TaskType};

use super::*;

const ID: &str = "9ce1fa13-9abe-55cc-af21-2697559af5a6";
const OTHER: &str = "52870ba7-7f29-5143-8fa9-c17316f83728";

/// `status content-type body`; the content type is `json`, `text` or `-`.
fn reply(line: &str) -> Reply {
    let mut parts = line.splitn(3, ' ');
    let mut next = || parts.next().unwrap_or_default();
    let status = next().parse().unwrap();
    let content_type = match next() {
        "json" => Some("application/json; charset=utf-8".to_owned()),
        "text" => Some("text/plain; charset=utf-8".to_owned()),
        _ => None,
    };
    let quoted = |id: &str| format!("\"{id}\"");
    let body = next().replace("\"ID\"", &quoted(ID)).replace("\"OTHER\"", &quoted(OTHER));
    let body = body.into_bytes();
    Reply { status, content_type, body, cut_off: false }
}

/// The call's reading of each line, one a line.
fn table<T: std::fmt::Debug>(
    lines: &[&str],
    read: impl Fn(&Reply) -> Result<T, SidecarError>,
    expected: &expect_test::Expect,
) {
    let said: Vec<String> = lines
        .iter()
        .map(|line| match read(&reply(line)) {
            Ok(answer) => format!("{line}\n  = {answer:?}\n"),
            Err(error) => format!("{line}\n  ! {:?} {error}\n", error.class()),
        })
        .collect();
    expected.assert_eq(&said.concat());
}

fn id() -> Uuid {
    Uuid::parse_str(ID).unwrap()
}

#[test]
fn healthz_and_livez() {
    let lines = [
        "200 -",
        "503 -",
        "401 text Unauthorized",
        "502 -",
        "504 -",
        "404 text 404 page not found",
        "500 text boom",
    ];
    table(
        &lines,
        Reply::healthz,
        &expect_test::expect![[r#"
            200 -
              = Ready
            503 -
              = NotReady
            401 text Unauthorized
              ! Transient sidecar refused the operator's token (401)
            502 -
              ! Transient sidecar unavailable (502)
            504 -
              ! Transient sidecar unavailable (504)
            404 text 404 page not found
              ! Permanent no sidecar API at this address (404)
            500 text boom
              ! Transient sidecar answered 500: boom
        "#]],
    );
    assert_eq!(reply("200 -").livez(), Ok(true));
    assert_eq!(reply("503 json {\"error\":\"sql: database is closed\"}").livez(), Ok(false));
}

fn submit(lines: &[&str], expected: &expect_test::Expect) {
    let request = TaskRequest::new(id(), &TaskSpec::MarkReady);
    table(lines, |reply| reply.submit(&request), expected);
}

#[test]
fn accepted_submits() {
    let lines = [
        r#"201 json {"id":"ID"}"#,
        r#"202 json {"id":"ID","more":1}"#,
        r#"201 json {"id":"OTHER"}"#,
        r#"201 json {"id":"00000000-0000-0000-0000-000000000000"}"#,
        r#"201 json {"id":null}"#,
        "201 json {}",
        "201 json [",
        "201 json",
        r#"201 text {"id":"ID"}"#,
        r#"200 json {"id":"ID"}"#,
    ];
    submit(
        &lines,
        &expect_test::expect![[r#"
        201 json {"id":"ID"}
          = 9ce1fa13-9abe-55cc-af21-2697559af5a6
        202 json {"id":"ID","more":1}
          = 9ce1fa13-9abe-55cc-af21-2697559af5a6
        201 json {"id":"OTHER"}
          ! Transient sidecar's answer cannot be understood: answer is about another task
        201 json {"id":"00000000-0000-0000-0000-000000000000"}
          ! Transient sidecar's answer cannot be understood: no task id in the answer
        201 json {"id":null}
          ! Transient sidecar's answer cannot be understood: no task id in the answer
        201 json {}
          ! Transient sidecar's answer cannot be understood: no task id in the answer
        201 json [
          ! Transient sidecar's answer cannot be understood: body is not the expected JSON
        201 json
          ! Transient sidecar's answer cannot be understood: body is empty
        201 text {"id":"ID"}
          ! Transient sidecar's answer cannot be understood: content type is not JSON
        200 json {"id":"ID"}
          ! Transient sidecar answered 200: {"id":"9ce1fa13-9abe-55cc-af21-2697559af5a6"}
    "#]],
    );
}

#[test]
fn refused_submits() {
    let lines = [
        r#"400 json {"error":"invalid request body"}"#,
        r#"400 json {"error":"type is required"}"#,
        r#"400 json {"error":"unknown task type: mark-ready"}"#,
        r#"400 json {"error":"task ID must be a valid UUID: \"x\""}"#,
        r#"400 json {"error":"persist task: database is locked"}"#,
        "400 text Bad Request. The request or configuration is malformed.",
    ];
    submit(
        &lines,
        &expect_test::expect![[r#"
        400 json {"error":"invalid request body"}
          ! Permanent sidecar rejected mark-ready task: invalid request body
        400 json {"error":"type is required"}
          ! Permanent sidecar rejected mark-ready task: type is required
        400 json {"error":"unknown task type: mark-ready"}
          ! Permanent sidecar rejected mark-ready task: unknown task type: mark-ready
        400 json {"error":"task ID must be a valid UUID: \"x\""}
          ! Permanent sidecar rejected mark-ready task: task ID must be a valid UUID: "x"
        400 json {"error":"persist task: database is locked"}
          ! Transient sidecar could not store the task: persist task: database is locked
        400 text Bad Request. The request or configuration is malformed.
          ! Transient sidecar answered 400: Bad Request. The request or configuration is malformed.
    "#]],
    );
}

#[test]
fn submits_that_do_not_arrive() {
    let lines = [
        "401 text Unauthorized",
        r#"401 json {"error":"missing X-Remote-User header"}"#,
        "403 text Forbidden (user=op, verb=create, resource=seinodetasks, subresource=)",
        "404 text 404 page not found",
        "405 text Method Not Allowed",
        "307 -",
        "500 text Authorization error (user=op)",
        "502 -",
        "503 -",
        "504 text gateway time-out",
    ];
    submit(
        &lines,
        &expect_test::expect![[r#"
        401 text Unauthorized
          ! Transient sidecar refused the operator's token (401)
        401 json {"error":"missing X-Remote-User header"}
          ! Transient sidecar refused the operator's token (401)
        403 text Forbidden (user=op, verb=create, resource=seinodetasks, subresource=)
          ! Transient sidecar denied the request (403): Forbidden (user=op, verb=create, resource=seinodetasks, subresource=)
        404 text 404 page not found
          ! Permanent no sidecar API at this address (404)
        405 text Method Not Allowed
          ! Transient sidecar answered 405: Method Not Allowed
        307 -
          ! Transient sidecar answered 307
        500 text Authorization error (user=op)
          ! Transient sidecar answered 500: Authorization error (user=op)
        502 -
          ! Transient sidecar unavailable (502)
        503 -
          ! Transient sidecar unavailable (503)
        504 text gateway time-out
          ! Transient sidecar unavailable (504)
    "#]],
    );
}

#[test]
fn get() {
    let lines = [
        r#"404 json {"error":"task not found"}"#,
        r#"404 json {"error":"no such route"}"#,
        "404 text 404 page not found",
        r#"404 text {"error":"task not found"}"#,
        r#"200 json {"id":"OTHER","type":"mark-ready","status":"completed"}"#,
        r#"200 json {"id":"ID"}"#,
        "200 json",
        "200 json null",
        r#"200 text {"id":"ID","status":"running"}"#,
        "403 text Forbidden (user=op)",
        "503 -",
    ];
    table(
        &lines,
        |reply| reply.get(id()),
        &expect_test::expect![[r#"
            404 json {"error":"task not found"}
              = None
            404 json {"error":"no such route"}
              ! Permanent no sidecar API at this address (404)
            404 text 404 page not found
              ! Permanent no sidecar API at this address (404)
            404 text {"error":"task not found"}
              ! Permanent no sidecar API at this address (404)
            200 json {"id":"OTHER","type":"mark-ready","status":"completed"}
              ! Transient sidecar's answer cannot be understood: answer is about another task
            200 json {"id":"ID"}
              ! Transient sidecar's answer cannot be understood: body is not the expected JSON
            200 json
              ! Transient sidecar's answer cannot be understood: body is empty
            200 json null
              ! Transient sidecar's answer cannot be understood: body is not the expected JSON
            200 text {"id":"ID","status":"running"}
              ! Transient sidecar's answer cannot be understood: content type is not JSON
            403 text Forbidden (user=op)
              ! Transient sidecar denied the request (403): Forbidden (user=op)
            503 -
              ! Transient sidecar unavailable (503)
        "#]],
    );
    let row = reply(r#"200 json {"id":"ID","type":"config-apply","status":"failed","error":"no"}"#);
    let row = row.get(id()).unwrap().unwrap();
    assert_eq!((row.task_type.as_str(), row.run), (TaskType::ConfigApply.as_str(), 1));
    assert_eq!(row.error.as_deref(), Some("no"));
}

#[test]
fn node_id() {
    let lines = [
        r#"200 json {"nodeId":"6f1e0b7a7a5e3d1c0b9a8f7e6d5c4b3a29180706"}"#,
        r#"200 json {"nodeId":""}"#,
        r#"200 json {"nodeId":"a@b"}"#,
        r#"200 json {"nodeID":"a"}"#,
        "500 json {\"error\":\"node_key.json not found \u{2014} generate-identity may not have run yet\"}",
        r#"500 json {"error":"failed to parse node_key.json"}"#,
    ];
    table(
        &lines,
        Reply::node_id,
        &expect_test::expect![[r#"
            200 json {"nodeId":"6f1e0b7a7a5e3d1c0b9a8f7e6d5c4b3a29180706"}
              = NodeId("6f1e0b7a7a5e3d1c0b9a8f7e6d5c4b3a29180706")
            200 json {"nodeId":""}
              ! Transient sidecar's answer cannot be understood: no node id in the answer
            200 json {"nodeId":"a@b"}
              ! Transient sidecar's answer cannot be understood: no node id in the answer
            200 json {"nodeID":"a"}
              ! Transient sidecar's answer cannot be understood: no node id in the answer
            500 json {"error":"node_key.json not found — generate-identity may not have run yet"}
              ! Transient sidecar answered 500: node_key.json not found — generate-identity may not have run yet
            500 json {"error":"failed to parse node_key.json"}
              ! Transient sidecar answered 500: failed to parse node_key.json
        "#]],
    );
}

#[test]
fn list_delete_and_status() {
    assert_eq!(reply("200 json []").list(), Ok(vec![]));
    let rows = reply(r#"200 json [{"id":"ID","type":"x","status":"queued"}]"#).list().unwrap();
    assert_eq!(rows.len(), 1);
    assert!(reply("200 text []").list().is_err());

    assert_eq!(reply("204 -").delete(), Ok(true));
    assert_eq!(reply(r#"404 json {"error":"task not found"}"#).delete(), Ok(false));
    assert_eq!(reply("404 text 404 page not found").delete(), Err(SidecarError::NotARoute));
    assert_eq!(reply("200 -").delete().unwrap_err().reason(), "Unexpected");

    for (word, want) in [
        ("Ready", SidecarState::Ready),
        ("Initializing", SidecarState::Initializing),
        ("Draining", SidecarState::Unknown("Draining".into())),
    ] {
        let line = format!(r#"200 json {{"status":"{word}"}}"#);
        assert_eq!(reply(&line).status(), Ok(want));
    }
}

#[test]
fn long_bodies_are_cut_in_errors_and_refused_in_answers() {
    let mut long = reply("500 text x");
    long.body = "\u{20ac}".repeat(400).into_bytes();
    let Err(SidecarError::Unexpected { body, .. }) = long.list() else { panic!("500 is no list") };
    assert_eq!(body.len(), 510, "no character is cut in two");

    let mut cut = reply("200 json []");
    cut.cut_off = true;
    let fault = DecodeFault::TooLarge { limit_bytes: 2 };
    assert_eq!(cut.list(), Err(SidecarError::Decode { fault }));
}
