//! The same cause gives the same words, whichever attempt tells it.

use super::*;

#[test]
fn a_pull_error_reads_the_same_in_and_out_of_its_back_off() {
    let error = "failed to pull and unpack image \"r.io/a:bad\": failed to resolve reference \
                 \"r.io/a:bad\": r.io/a:bad: not found";
    let rpc = format!("rpc error: code = NotFound desc = {error}");
    let table = [
        error.to_owned(),
        rpc.clone(),
        format!("Back-off pulling image \"r.io/a:bad\": ErrImagePull: {rpc}"),
        format!("Back-off pulling image \"r.io/a:bad\": ErrImagePull: {error}"),
        format!("Back-off pulling image \"r.io/a:bad\": ImagePullBackOff: {error}"),
        format!("  {error}. "),
    ];
    for text in table {
        assert_eq!(of_pull(&text, "ErrImagePull"), error, "{text}");
    }
}

#[test]
fn a_bare_back_off_says_nothing() {
    assert_eq!(of_pull("Back-off pulling image \"r.io/a:bad\"", "ImagePullBackOff"), "");
}

#[test]
fn a_pull_without_words_gives_its_reason() {
    assert_eq!(of_pull("", "ErrImageNeverPull"), "ErrImageNeverPull");
}

#[test]
fn the_scheduler_is_heard_without_its_counts() {
    let table = [
        (
            "0/5 nodes are available: 2 Insufficient cpu, 3 node(s) had untolerated taint {a: b, \
             c}. preemption: 0/5 nodes are available: 5 Preemption is not helpful.",
            "Insufficient cpu, node(s) had untolerated taint {a: b, c}",
        ),
        (
            "0/12 nodes are available: 3 node(s) had untolerated taint {a: b, c}, 9 Insufficient \
             cpu. no new claims to deallocate, preemption: 0/12 nodes are available.",
            "Insufficient cpu, node(s) had untolerated taint {a: b, c}",
        ),
        (
            "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found",
            "pod has unbound immediate PersistentVolumeClaims. not found",
        ),
        ("running PreFilter plugin: timeout", "running PreFilter plugin: timeout"),
        ("", ""),
    ];
    for (text, expected) in table {
        assert_eq!(of_scheduler(text), expected, "{text}");
    }
}

#[test]
fn what_varies_is_left_out() {
    let table = [
        (
            "read udp 10.0.0.7:41234->10.96.0.10:53: i/o timeout",
            "read udp 10.96.0.10:53: i/o timeout",
        ),
        ("denied (request id: 3f2504e0-4f89-11d3-9a0c-0305e82c3301)", "denied (request id: ...)"),
        ("image r.io/a@sha256:0123 is gone", "image r.io/a@sha256:0123 is gone"),
        ("two\n lines.", "two lines"),
        ("", ""),
    ];
    for (text, expected) in table {
        assert_eq!(stable(text), expected, "{text}");
    }
    assert!(stable(&"é ".repeat(BYTES_MAX)).len() <= BYTES_MAX);
}
