//! The promises of the lifeline, kept by shells instead of servers.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Server, ServerSpec};

const SOON: Duration = Duration::from_secs(10);

/// A server that writes its process id and then runs `script`.
fn spec(dir: &Path, script: &str) -> ServerSpec {
    let script = format!("echo $$ >{0}/pid.new; mv {0}/pid.new {0}/pid; {script}", dir.display());
    ServerSpec {
        name: "fake",
        binary: "sh".into(),
        args: vec!["-c".into(), script.into()],
        dir: dir.join("fake"),
        attach_output: false,
    }
}

async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < SOON, "not seen: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn pid(dir: &Path) -> String {
    let file = dir.join("pid");
    eventually("process id", || file.exists()).await;
    fs::read_to_string(file).unwrap().trim().to_owned()
}

/// Whether the process exists; a zombie does not count.
fn alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().starts_with(" Z"))
}

#[tokio::test]
async fn the_process_id_is_the_servers_own() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::spawn(&spec(dir.path(), "sleep 1000 & wait")).unwrap();
    let own = pid(dir.path()).await;
    assert_eq!(server.pid().unwrap().to_string(), own);
}

#[tokio::test]
async fn dropping_the_lifeline_kills_and_removes_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::spawn(&spec(dir.path(), "trap '' TERM; sleep 1000 & wait")).unwrap();
    let pid = pid(dir.path()).await;
    assert!(alive(&pid));
    drop(server);
    eventually("death", || !alive(&pid)).await;
    eventually("an empty place", || !dir.path().join("fake").exists()).await;
}

#[tokio::test]
async fn stop_lets_the_server_leave_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let script = "trap 'echo bye; exit 0' TERM; while :; do sleep 0.01; done";
    let server = Server::spawn(&spec(dir.path(), script)).unwrap();
    let (pid, log) = (pid(dir.path()).await, server.log().to_owned());
    server.stop(SOON).await.unwrap();
    assert!(!alive(&pid));
    assert_eq!(fs::read_to_string(log).unwrap(), "bye\n");
}

#[tokio::test]
async fn stop_kills_a_server_that_stays() {
    let dir = tempfile::tempdir().unwrap();
    let script = "trap '' TERM; while :; do sleep 0.01; done";
    let server = Server::spawn(&spec(dir.path(), script)).unwrap();
    let pid = pid(dir.path()).await;
    server.stop(Duration::from_millis(50)).await.unwrap();
    assert!(!alive(&pid));
}

#[tokio::test]
async fn an_early_exit_is_seen_with_its_last_words() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::spawn(&spec(dir.path(), "echo one; echo two; exit 3")).unwrap();
    let mut status = None;
    eventually("exit", || {
        status = status.or(server.exited());
        status.is_some()
    })
    .await;
    assert_eq!(status.and_then(|status| status.code()), Some(3));
    assert_eq!(server.log_tail(1), "two");
}
