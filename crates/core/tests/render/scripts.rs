//! The scripts, run as the containers run them, in a home of their own with stubs for what they
//! start.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use sei_api::SeiNode;
use tempfile::TempDir;

use crate::rendered;

/// Prints its own process id and its arguments, one a line.
const STUB: &str = "#!/bin/sh\necho \"pid=$$\"\nfor arg; do echo \"[$arg]\"; done\n";

#[test]
fn scripts_are_valid_in_their_shells() {
    for program in [seid_init("pacific-1"), seid(7777), exporter()] {
        let mut command = Command::new(&program.shell);
        let output = command.args(["-n", "-c", &program.script]).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn init_creates_the_home_of_a_new_node() {
    let home = Home::new();
    home.stub("seid", STUB);
    let output = home.run(&seid_init("pacific-1"));
    assert!(output.status.success(), "{output:?}");
    let at = home.path().display().to_string();
    assert_eq!(
        args(&output),
        ["init", "pacific-1", "--chain-id", "pacific-1", "--home", &at, "--overwrite"]
    );
    assert!(home.path().join("tmp").is_dir());
}

#[test]
fn init_leaves_an_existing_home_alone() {
    let home = Home::new();
    home.stub("seid", STUB);
    fs::create_dir(home.path().join("config")).unwrap();
    fs::write(home.path().join("config/genesis.json"), "{}").unwrap();
    let output = home.run(&seid_init("pacific-1"));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(args(&output), Vec::<String>::new());
    assert!(home.path().join("tmp").is_dir());
}

#[test]
fn failed_init_fails_the_container() {
    let home = Home::new();
    home.stub("seid", "#!/bin/sh\nexit 3\n");
    assert_eq!(home.run(&seid_init("pacific-1")).status.code(), Some(3));
    assert!(!home.path().join("tmp").exists());
}

#[test]
fn shell_text_in_a_chain_id_is_never_run() {
    let home = Home::new();
    home.stub("seid", STUB);
    let chain_id = "a'b \"$(touch \"$HOME/ran\")\"; touch \"$HOME/ran\" #";
    let output = home.run(&seid_init(chain_id));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(args(&output)[1], chain_id);
    assert!(!home.path().join("ran").exists());
}

#[test]
fn seid_starts_once_the_sidecar_says_ready() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let program = seid(listener.local_addr().unwrap().port().into()).impatient().telling();
    let home = Home::new();
    home.stub("seid", STUB);
    let child = home.start(&program).spawn().unwrap();
    let pid = child.id();
    // Refused, silent, wrong and not ready: each is another try.
    for reply in ["", "garbage\r\n", "HTTP/1.0 503 Service Unavailable\r\n\r\n"] {
        answer(&listener, reply);
    }
    let request = answer(&listener, "HTTP/1.1 200 OK\r\n\r\n");
    assert_eq!(request, "GET /v0/healthz HTTP/1.0\r\nHost: localhost\r\n\r\n");
    let output = child.wait_with_output().unwrap();
    let at = home.path().display().to_string();
    assert_eq!(args(&output), ["start", "--home", &at]);
    assert_eq!(process(&output), pid, "seid replaces the shell, so signals reach it");
    assert!(!lines(&output).contains(&LIVES_ON.to_owned()), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn seid_tries_again_when_a_sidecar_does_not_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::new();
    home.stub("seid", STUB);
    let port = listener.local_addr().unwrap().port();
    let child = home.start(&seid(port.into()).impatient()).spawn().unwrap();
    let silent = listener.accept().unwrap();
    answer(&listener, "HTTP/1.0 200 OK\r\n\r\n");
    drop(silent);
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test]
fn seid_tries_again_when_nobody_listens() {
    const NOBODY: i32 = 1;
    let home = Home::new();
    let mut program = seid(NOBODY).impatient();
    program.script = program.script.replace("until ", "until echo try; ");
    let mut child = home.start(&program).spawn().unwrap();
    let mut tries = [0; "try\ntry\ntry\n".len()];
    child.stdout.as_mut().unwrap().read_exact(&mut tries).unwrap();
    child.kill().unwrap();
    assert!(child.wait_with_output().unwrap().stderr.is_empty());
}

#[test]
fn exporter_starts_once_seid_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let home = Home::new();
    let stub = home.stub("exporter", STUB).display().to_string();
    let program = exporter()
        .impatient()
        .telling()
        .with("grpc_port=9090", &format!("grpc_port={port}"))
        .with("/usr/local/bin/sei-cosmos-exporter", &stub);
    let child = home.start(&program).spawn().unwrap();
    let pid = child.id();
    drop(listener.accept().unwrap());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        args(&output),
        [
            "--denom",
            "usei",
            "--denom-coefficient",
            "1000000",
            "--bech-prefix",
            "sei",
            "--listen-address",
            ":9300",
        ]
    );
    assert_eq!(process(&output), pid);
    assert!(!lines(&output).contains(&LIVES_ON.to_owned()), "{output:?}");
}

#[test]
fn waiting_needs_nothing_but_the_shell() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let program = seid(listener.local_addr().unwrap().port().into()).impatient();
    let home = Home::new();
    home.stub("seid", STUB);
    let mut command = home.start(&program);
    let child = command.env("PATH", home.bin()).spawn().unwrap();
    answer(&listener, "HTTP/1.0 503 Service Unavailable\r\n\r\n");
    answer(&listener, "HTTP/1.0 200 OK\r\n\r\n");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

/// What only a shell that was not replaced would say. Without a last command of its own, a shell
/// replaces itself even where the script forgets to ask for it.
const LIVES_ON: &str = "the shell lives on";

/// A script with its shell and the variables of its container.
struct Program {
    shell: String,
    script: String,
    env: Vec<(String, String)>,
}

impl Program {
    /// The same, with pauses too short to notice.
    fn impatient(self) -> Self {
        self.with("retry_seconds=5", "retry_seconds=0.05")
    }

    /// The same, with a shell that speaks up if it comes back from what the script starts.
    fn telling(mut self) -> Self {
        self.script += &format!("echo {LIVES_ON}\n");
        self
    }

    fn with(mut self, from: &str, to: &str) -> Self {
        assert!(self.script.contains(from), "{from:?} is in the script");
        self.script = self.script.replace(from, to);
        self
    }
}

/// A temporary home, with a folder of stubs that come first on the path.
struct Home {
    home: TempDir,
    bin: TempDir,
}

impl Home {
    fn new() -> Self {
        Self { home: TempDir::new().unwrap(), bin: TempDir::new().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.home.path().to_owned()
    }

    fn bin(&self) -> PathBuf {
        self.bin.path().to_owned()
    }

    /// Written by another process: a file that we had open for writing could not be executed
    /// while a child that another test is just starting still holds it.
    fn stub(&self, name: &str, text: &str) -> PathBuf {
        let path = self.bin.path().join(name);
        let write = r#"printf %s "$1" >"$2" && chmod 755 "$2""#;
        let mut shell = Command::new("/bin/sh");
        let status = shell.args(["-c", write, "stub", text]).arg(&path).status().unwrap();
        assert!(status.success());
        path
    }

    fn run(&self, program: &Program) -> Output {
        self.start(program).output().unwrap()
    }

    fn start(&self, program: &Program) -> Command {
        let mut command = Command::new(&program.shell);
        command
            .args(["-c", &program.script])
            .env_clear()
            .envs(program.env.iter().map(|(name, value)| (name, value)))
            .env("HOME", self.home.path())
            .env("PATH", format!("{}:/usr/bin:/bin", self.bin.path().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

fn node(chain_id: &str, sidecar_port: i32) -> SeiNode {
    serde_json::from_value(serde_json::json!({
        "apiVersion": "sei.io/v1alpha1",
        "kind": "SeiNode",
        "metadata": {"name": "fn-0", "namespace": "sei"},
        "spec": {
            "chainId": chain_id, "image": "sei", "fullNode": {}, "sidecar": {"port": sidecar_port}
        }
    }))
    .unwrap()
}

fn seid_init(chain_id: &str) -> Program {
    program(&node(chain_id, 7777), "seid-init")
}

fn seid(sidecar_port: i32) -> Program {
    program(&node("pacific-1", sidecar_port), "seid")
}

fn exporter() -> Program {
    program(&node("pacific-1", 7777), "cosmos-exporter")
}

/// What the container called `name` of this node runs.
fn program(node: &SeiNode, name: &str) -> Program {
    let pod = rendered(node).statefulset.spec.unwrap().template.spec.unwrap();
    let mut containers = pod.init_containers.into_iter().flatten().chain(pod.containers);
    let container = containers.find(|it| it.name == name).unwrap();
    let mut words = container.command.into_iter().chain(container.args).flatten();
    let (shell, flag, script) = (words.next(), words.next(), words.next());
    assert_eq!((flag.as_deref(), words.next()), (Some("-c"), None));
    let variables = container.env.into_iter().flatten();
    Program {
        shell: shell.unwrap(),
        script: script.unwrap(),
        env: variables.map(|it| (it.name, it.value.unwrap())).collect(),
    }
}

/// Takes the next connection, reads the request and writes `reply`.
fn answer(listener: &TcpListener, reply: &str) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let request = read_request(&mut stream);
    stream.write_all(reply.as_bytes()).unwrap();
    request
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        request.push(byte[0]);
    }
    String::from_utf8(request).unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
}

/// What the stub was started with.
fn args(output: &Output) -> Vec<String> {
    let unquoted = |line: &String| Some(line.strip_prefix('[')?.strip_suffix(']')?.to_owned());
    lines(output).iter().filter_map(unquoted).collect()
}

/// The process that the stub ran in.
fn process(output: &Output) -> u32 {
    let pid = |line: &String| line.strip_prefix("pid=")?.parse().ok();
    lines(output).iter().find_map(pid).unwrap()
}
