//! The binary from outside: how it starts, what it says when it cannot, how it leaves.
//!
//! No cluster is needed: the one it is pointed at does not answer, and that must not hold it up.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sei_core::platform::fixture::FIXTURE;
use serde_json::Value;

/// A kubeconfig for an address that refuses every connection.
const NOBODY: &str = r#"{
    "apiVersion": "v1", "kind": "Config", "current-context": "nobody",
    "clusters": [{"name": "nobody", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "nobody", "user": {}}],
    "contexts": [{"name": "nobody", "context": {"cluster": "nobody", "user": "nobody"}}]
}"#;

/// No test here needs an operator for longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The binary with an environment that holds `variables` and nothing else.
fn operator(variables: &[(&str, &str)], args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sei-operator"));
    command.env_clear().envs(variables.iter().copied()).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A running operator. Killed when the test ends, whatever comes.
struct Running {
    child: Child,
    log: BufReader<ChildStderr>,
    over: Arc<AtomicBool>,
    _kubeconfig: tempfile::TempDir,
}

impl Running {
    fn start(args: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let kubeconfig = directory.path().join("kubeconfig");
        std::fs::write(&kubeconfig, NOBODY).unwrap();
        let kubeconfig = format!("--kubeconfig={}", kubeconfig.display());
        let fixed = [&*kubeconfig, "--zap-encoder=json", "--health-probe-bind-address=127.0.0.1:0"];
        let args: Vec<&str> = fixed.iter().chain(args).copied().collect();
        let mut child = operator(FIXTURE, &args).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let over = Arc::new(AtomicBool::new(false));
        watch(child.id(), Arc::clone(&over));
        Self { child, log, over, _kubeconfig: directory }
    }

    /// The next line of the log that says `message`.
    fn hear(&mut self, message: &str) -> Value {
        let mut heard = String::new();
        loop {
            let mut line = String::new();
            let read = self.log.read_line(&mut line).unwrap();
            assert!(read > 0, "the log ended without \"{message}\":\n{heard}");
            let entry: Value = serde_json::from_str(&line).unwrap();
            if entry["message"].as_str().unwrap().contains(message) {
                return entry;
            }
            heard += &line;
        }
    }

    /// Where these servers listen, as the log tells; they start side by side, in any order.
    fn addresses<const N: usize>(&mut self, servers: [&str; N]) -> [SocketAddr; N] {
        let heard: Vec<Value> = servers.iter().map(|_| self.hear("listening")).collect();
        servers.map(|server| {
            let entry = heard.iter().find(|entry| entry["server"] == server);
            entry.unwrap()["address"].as_str().unwrap().parse().unwrap()
        })
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap();
        assert!(sent.success());
    }

    fn end(&mut self) -> (ExitStatus, Duration) {
        let since = Instant::now();
        (self.child.wait().unwrap(), since.elapsed())
    }
}

/// Ends an operator whose log never says what a test listens for, so that the test fails with it.
fn watch(id: u32, over: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if over.load(Ordering::Acquire) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        // A process that has ended meanwhile has nothing left to say.
        let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status();
    });
}

impl Drop for Running {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // It has ended already in a test that passes.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[test]
fn help_and_version_need_no_settings() {
    for (flag, says) in [("--help", "--metrics-bind-address"), ("--version", "sei-operator ")] {
        let Output { status, stdout, stderr } = operator(&[], &[flag]).output().unwrap();
        assert!(status.success(), "{flag}: {status}");
        assert!(text(&stdout).contains(says), "{flag}: {}", text(&stdout));
        assert_eq!(text(&stderr), "", "{flag}");
    }
}

#[test]
fn every_wrong_setting_is_named_before_anything_starts() {
    let Output { status, stderr, .. } =
        operator(&[], &["--enable-http2", "--zap-encoder=xml"]).output().unwrap();
    let stderr = text(&stderr);
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(stderr.starts_with("Invalid platform configuration\n"), "{stderr}");
    let required = FIXTURE.iter().filter(|(name, _)| stderr.contains(&format!("{name} is req")));
    assert_eq!(required.count(), 22, "{stderr}");
    for wrong in ["--enable-http2 is not built", "--zap-encoder must be"] {
        assert!(stderr.contains(wrong), "{wrong}: {stderr}");
    }
}

#[test]
fn an_unusable_kubeconfig_is_named() {
    let args = ["--kubeconfig=/does/not/exist", "--metrics-bind-address=0"];
    let args = [args[0], args[1], "--health-probe-bind-address=0"];
    let Output { status, stderr, .. } = operator(FIXTURE, &args).output().unwrap();
    let stderr = text(&stderr);
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("set by --kubeconfig") && stderr.contains("/does/not/exist"),
        "{stderr}"
    );
}

#[test]
fn what_this_build_does_not_serve_is_warned_of_by_name() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:hunter2@collector:4317");
    let variables: Vec<(&str, &str)> = FIXTURE.iter().copied().chain([endpoint]).collect();
    let args = ["--kubeconfig=/does/not/exist", "--metrics-bind-address=127.0.0.1:0"];
    let args = [args[0], args[1], "--health-probe-bind-address=0"];
    let stderr = text(&operator(&variables, &args).output().unwrap().stderr);
    let warning = stderr.lines().find(|line| line.contains("WARN")).unwrap();
    assert!(warning.contains("OTEL_EXPORTER_OTLP_ENDPOINT"), "{warning}");
    assert!(!stderr.contains("hunter2"), "{stderr}");
}

#[test]
fn it_serves_while_the_cluster_is_away_and_leaves_on_sigterm() {
    let mut running = Running::start(&["--metrics-bind-address=127.0.0.1:0"]);
    let [metrics, probes] = running.addresses(["metrics", "probes"]);
    assert_eq!(get(probes, "/healthz"), ("HTTP/1.1 200 OK".to_owned(), "ok\n".to_owned()));
    let (status, body) = get(probes, "/readyz");
    assert_eq!(status, "HTTP/1.1 503 Service Unavailable", "no store was filled: {body}");
    assert!(body.contains("SeiNode"), "{body}");
    let (_, body) = get(metrics, "/metrics");
    assert!(body.contains("sei_controller_build_info"), "{body}");

    running.signal("TERM");
    let (status, took) = running.end();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_candidate_that_waits_for_the_lease_leaves_on_sigint() {
    let mut running = Running::start(&["--metrics-bind-address=0", "--leader-elect"]);
    running.hear("cannot ask for the lease");
    running.signal("INT");
    let (status, took) = running.end();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn an_address_in_use_is_named_with_its_flag() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let flag = format!("--metrics-bind-address={}", taken.local_addr().unwrap());
    let mut running = Running::start(&[&flag]);
    let entry = running.hear("the operator ends");
    let error = entry["error"].as_str().unwrap();
    assert!(error.contains("--metrics-bind-address") && error.contains("in use"), "{error}");
    assert_eq!(running.end().0.code(), Some(1));
}
