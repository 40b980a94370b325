//! The texts and classes that conditions are made of.

use super::*;

#[test]
fn texts_and_classes_are_stable() {
    let text = |text: &str| text.to_owned();
    let errors = [
        SidecarError::Rejected {
            task_type: TaskType::ConfigApply,
            message: text("unknown task type: config-apply"),
        },
        SidecarError::Store { message: text("persist task: disk full") },
        SidecarError::Unauthorized,
        SidecarError::Forbidden { body: text("Forbidden (user=u, verb=create)") },
        SidecarError::Unavailable { status: 502 },
        SidecarError::NotARoute,
        SidecarError::Unexpected { status: 500, body: text("boom") },
        SidecarError::Unexpected { status: 307, body: String::new() },
        SidecarError::Transport { kind: TransportKind::Dns },
        SidecarError::Transport { kind: TransportKind::Connect },
        SidecarError::Transport { kind: TransportKind::Timeout },
        SidecarError::Transport { kind: TransportKind::Reset },
        SidecarError::Transport { kind: TransportKind::Other },
        SidecarError::Decode { fault: DecodeFault::OtherTask },
        SidecarError::Token { detail: text("file is empty") },
    ];
    let lines: Vec<String> = errors
        .iter()
        .map(|error| format!("{:?} {}: {error}", error.class(), error.reason()))
        .collect();
    expect_test::expect![[r#"
        Permanent Rejected: sidecar rejected config-apply task: unknown task type: config-apply
        Transient StoreFailed: sidecar could not store the task: persist task: disk full
        Transient Unauthorized: sidecar refused the operator's token (401)
        Transient Forbidden: sidecar denied the request (403): Forbidden (user=u, verb=create)
        Transient Unavailable: sidecar unavailable (502)
        Permanent NotARoute: no sidecar API at this address (404)
        Transient Unexpected: sidecar answered 500: boom
        Transient Unexpected: sidecar answered 307
        Transient NameNotResolved: sidecar unreachable: name does not resolve
        Transient CannotConnect: sidecar unreachable: cannot connect
        Transient Timeout: sidecar unreachable: no answer in time
        Transient ConnectionReset: sidecar unreachable: connection closed before the answer
        Transient TransportFailed: sidecar unreachable: transport failed
        Transient Undecodable: sidecar's answer cannot be understood: answer is about another task
        Transient TokenUnusable: operator's sidecar token is unusable: file is empty"#]]
    .assert_eq(&lines.join("\n"));
}
