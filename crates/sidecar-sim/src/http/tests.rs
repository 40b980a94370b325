//! Status codes, headers and bodies, request by request.

use sei_sidecar_api::TransportKind;

use super::*;
use crate::{RequestAction, RequestFault, Target};

const ID: &str = "9ce1fa13-9abe-55cc-af21-2697559af5a6";

struct Front {
    sidecars: Sidecars,
    root: Option<(String, String)>,
}

impl Front {
    fn new() -> Self {
        let second = || jiff::Timestamp::from_second(1_780_000_000).unwrap();
        Self { sidecars: Sidecars::new().with_clock(second), root: None }
    }

    fn ask(&self, line: &str, body: &str) -> String {
        let (method, path) = line.split_once(' ').unwrap();
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            authorization: None,
            body: body.as_bytes().to_vec(),
        };
        show(answer(&self.sidecars, self.root.as_ref(), &request))
    }

    fn post(&self, body: &str) -> String {
        self.ask("POST /sei/rpc-0/v0/tasks", &body.replace("ID", ID))
    }
}

fn show(served: Served) -> String {
    match served.fate {
        Fate::Break => "(connection ends)".to_owned(),
        Fate::Hang => "(silence)".to_owned(),
        Fate::Respond(response) => {
            let RawReply { status, content_type, body } = response.reply;
            let kind = content_type.unwrap_or_else(|| "-".to_owned());
            let header = response.header.map(|(name, value)| format!(" {name}={value}"));
            let body = String::from_utf8(body).unwrap();
            format!("{status} {kind}{} {body:?}", header.unwrap_or_default())
        }
    }
}

fn check(lines: &[String], expected: &expect_test::Expect) {
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn submits_are_refused_in_the_documented_order() {
    let front = Front::new();
    let said = [
        "",
        "[]",
        "{",
        r#"{"type":7}"#,
        r#"{"type":"mark-ready","params":[]}"#,
        "null",
        "{}",
        r#"{"type":"brew-coffee","id":"nonsense"}"#,
        r#"{"type":"mark-ready","id":"nonsense"}"#,
        r#"{"type":"mark-ready","id":"ID"}"#,
        r#"{"type":"brew-coffee","Type":"x"} trailing"#,
        r#"{"TYPE":"mark-ready","Id":"{ID}","extra":1,"params":null} trailing"#,
    ]
    .map(|body| front.post(body));
    check(
        &said,
        &expect_test::expect![[r#"
            400 application/json "{\"error\":\"invalid request body\"}\n"
            400 application/json "{\"error\":\"invalid request body\"}\n"
            400 application/json "{\"error\":\"invalid request body\"}\n"
            400 application/json "{\"error\":\"invalid request body\"}\n"
            400 application/json "{\"error\":\"invalid request body\"}\n"
            400 application/json "{\"error\":\"type is required\"}\n"
            400 application/json "{\"error\":\"type is required\"}\n"
            400 application/json "{\"error\":\"unknown task type: brew-coffee\"}\n"
            400 application/json "{\"error\":\"task ID must be a valid UUID: \\\"nonsense\\\"\"}\n"
            201 application/json "{\"id\":\"9ce1fa13-9abe-55cc-af21-2697559af5a6\"}\n"
            400 application/json "{\"error\":\"unknown task type: x\"}\n"
            201 application/json "{\"id\":\"{9ce1fa13-9abe-55cc-af21-2697559af5a6}\"}\n""#]],
    );
}

#[test]
fn a_task_is_shown_listed_and_removed() {
    let front = Front::new();
    front.post(r#"{"id":"ID","type":"config-apply","params":{"mode":"full"}}"#);
    let one = format!("/sei/rpc-0/v0/tasks/{ID}");
    let said = [
        front.ask(&format!("GET {one}"), ""),
        front.ask("GET /sei/rpc-0/v0/tasks", ""),
        front.ask("GET /sei/rpc-1/v0/tasks", ""),
        front.ask(&format!("DELETE {one}"), ""),
        front.ask(&format!("DELETE {one}"), ""),
        front.ask(&format!("GET {one}"), ""),
    ];
    check(
        &said,
        &expect_test::expect![[r#"
            200 application/json "{\"completedAt\":\"2026-05-28T20:26:40Z\",\"id\":\"9ce1fa13-9abe-55cc-af21-2697559af5a6\",\"params\":{\"mode\":\"full\"},\"run\":1,\"status\":\"completed\",\"submittedAt\":\"2026-05-28T20:26:40Z\",\"type\":\"config-apply\"}\n"
            200 application/json "[{\"completedAt\":\"2026-05-28T20:26:40Z\",\"id\":\"9ce1fa13-9abe-55cc-af21-2697559af5a6\",\"params\":{\"mode\":\"full\"},\"run\":1,\"status\":\"completed\",\"submittedAt\":\"2026-05-28T20:26:40Z\",\"type\":\"config-apply\"}]\n"
            200 application/json "[]\n"
            204 - ""
            404 application/json "{\"error\":\"task not found\"}\n"
            404 application/json "{\"error\":\"task not found\"}\n""#]],
    );
}

#[test]
fn health_and_identity() {
    let front = Front::new();
    let mut said: Vec<String> = ["healthz", "startupz", "livez", "status", "node-id"]
        .iter()
        .map(|path| front.ask(&format!("GET /sei/rpc-0/v0/{path}"), ""))
        .collect();
    front.post(r#"{"id":"ID","type":"mark-ready"}"#);
    front.sidecars.node("sei", "rpc-0").without_identity();
    for path in ["healthz", "status", "node-id"] {
        said.push(front.ask(&format!("GET /sei/rpc-0/v0/{path}"), ""));
    }
    check(
        &said,
        &expect_test::expect![[r#"
            503 - ""
            503 - ""
            200 - ""
            200 application/json "{\"status\":\"Initializing\"}\n"
            200 application/json "{\"nodeId\":\"536d366dbe7bfc2b5b8871f02234578e3cbc4fc3\"}\n"
            200 - ""
            200 application/json "{\"status\":\"Ready\"}\n"
            500 application/json "{\"error\":\"node_key.json not found — generate-identity may not have run yet\"}\n""#]],
    );
}

#[test]
fn what_is_not_the_api_is_answered_in_plain_text() {
    let mut front = Front::new();
    let mut said: Vec<String> = [
        "GET /",
        "GET /v0/tasks",
        "GET /sei/rpc-0/v1/tasks",
        "GET /sei/rpc-0/v0/tasks/",
        "GET /sei/rpc-0/v0/tasks/a/b",
        "PUT /sei/rpc-0/v0/tasks",
        "POST /sei/rpc-0/v0/tasks/a",
        "POST /sei/rpc-0/v0/healthz",
        "GET /sei/rpc-0/v0//tasks",
    ]
    .iter()
    .map(|line| front.ask(line, ""))
    .collect();
    front.root = Some(("sei".into(), "rpc-0".into()));
    said.push(front.ask("GET /v0/tasks", ""));
    check(
        &said,
        &expect_test::expect![[r#"
            404 text/plain; charset=utf-8 "404 page not found\n"
            404 text/plain; charset=utf-8 "404 page not found\n"
            404 text/plain; charset=utf-8 "404 page not found\n"
            404 text/plain; charset=utf-8 "404 page not found\n"
            404 text/plain; charset=utf-8 "404 page not found\n"
            405 text/plain; charset=utf-8 allow=GET, HEAD, POST "Method Not Allowed\n"
            405 text/plain; charset=utf-8 allow=DELETE, GET, HEAD "Method Not Allowed\n"
            405 text/plain; charset=utf-8 allow=GET, HEAD "Method Not Allowed\n"
            307 - location=/v0/tasks ""
            200 application/json "[]\n""#]],
    );
}

#[test]
fn the_proxy_in_front_wants_the_token_and_says_when_nobody_is_behind_it() {
    let front = Front::new();
    front.sidecars.require_token(Some("good"));
    let ask = |path: &str, authorization: Option<&str>| {
        let request = Request {
            method: "GET".to_owned(),
            path: format!("/sei/rpc-0/v0/{path}"),
            authorization: authorization.map(str::to_owned),
            body: Vec::new(),
        };
        show(answer(&front.sidecars, None, &request))
    };
    let mut said = vec![
        ask("tasks", None),
        ask("tasks", Some("Bearer bad")),
        ask("tasks", Some("Bearer good")),
        ask("healthz", None),
    ];
    let node = front.sidecars.node("sei", "rpc-0");
    node.stop();
    said.push(ask("tasks", Some("Bearer good")));
    node.start();
    node.fails_with(TransportKind::Connect);
    said.push(ask("healthz", None));
    node.hangs();
    said.push(ask("healthz", None));
    node.reachable();
    let reply = RawReply::text(403, "Forbidden (user=op, verb=get)");
    let fault = RequestFault::new(Target::node("sei", "rpc-0"), RequestAction::Reply(reply));
    front.sidecars.inject_request(fault);
    said.push(ask("tasks", Some("Bearer good")));
    check(
        &said,
        &expect_test::expect![[r#"
            401 text/plain; charset=utf-8 "Unauthorized\n"
            401 text/plain; charset=utf-8 "Unauthorized\n"
            200 application/json "[]\n"
            503 - ""
            502 - ""
            (connection ends)
            (silence)
            403 text/plain; charset=utf-8 "Forbidden (user=op, verb=get)\n""#]],
    );
}

#[test]
fn params_come_through_as_doubles() {
    let front = Front::new();
    front.post(r#"{"id":"ID","type":"config-patch","params":{"files":{"n":9007199254740993}}}"#);
    let task = front.sidecars.node("sei", "rpc-0").task(ID).unwrap();
    assert_eq!(task.params["files"]["n"], 9_007_199_254_740_992_i64);
}
