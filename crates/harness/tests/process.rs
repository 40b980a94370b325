//! `envtest-up` as a process: what it gives to its command, and what it leaves behind.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::ensure;
use http::Request;
use kube::Config;
use kube::config::KubeConfigOptions;
use sei_harness::suite::{Controllers, start_function};
use sei_harness::{RunOptions, suite};
use serde_json::{Value, json};

/// For what happens after a process was killed.
const SOON: Duration = Duration::from_secs(10);

fn envtest_up() -> Command {
    Command::new(env!("CARGO_BIN_EXE_envtest-up"))
}

fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < SOON, "not seen: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The command lines of running processes that mention `text`.
fn running(text: &Path) -> Vec<String> {
    let text = text.display().to_string();
    let mut found = Vec::new();
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(line) = std::fs::read(process.path().join("cmdline")) else { continue };
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(&text) {
            found.push(line);
        }
    }
    found
}

#[test]
fn a_killed_starter_leaves_no_process_and_no_directory() {
    let mut starter = envtest_up()
        .args(["sh", "-c", "echo $KUBECONFIG; cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut kubeconfig = String::new();
    BufReader::new(starter.stdout.take().unwrap()).read_line(&mut kubeconfig).unwrap();
    let kubeconfig = PathBuf::from(kubeconfig.trim());
    assert!(kubeconfig.exists(), "{kubeconfig:?}");
    let dir = kubeconfig.ancestors().nth(3).unwrap().to_path_buf();
    assert!(running(&dir).len() >= 2, "{:?}", running(&dir));

    // SIGKILL: nothing of the starter's own code runs any more.
    starter.kill().unwrap();
    starter.wait().unwrap();
    eventually("the end of all servers", || running(&dir).is_empty());
    eventually("an empty place", || !dir.exists());
}

#[test]
fn the_status_of_the_command_is_handed_on_and_nothing_stays() {
    let script = "dirname $(dirname $(dirname $KUBECONFIG)); exit 7";
    let output = envtest_up().args(["sh", "-c", script]).output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    let dir = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    assert!(dir.is_absolute() && !dir.exists(), "{dir:?}");
    assert_eq!(running(&dir), Vec::<String>::new());
}

#[test]
fn a_suite_attaches_to_the_cluster_it_is_given() {
    let inner = ["--exact", "controllers_are_a_user_of_their_own"];
    let output = envtest_up().arg(env::current_exe().unwrap()).args(inner).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// Runs twice: on a control plane of this process, and attached, within the test above.
#[test]
fn controllers_are_a_user_of_their_own() {
    let controllers = start_function(|inputs| async move {
        let review = Request::post("/apis/authentication.k8s.io/v1/selfsubjectreviews")
            .header("content-type", "application/json")
            .body(serde_json::to_vec(&json!({
                "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview",
            }))?)?;
        let review: Value = inputs.client.request(review).await?;
        let user = &review["status"]["userInfo"];
        ensure!(user["username"] == "sei-operator-under-test", "{user}");
        ensure!(user["groups"] == json!(["system:authenticated"]), "{user}");
        Ok(Controllers::spawn(|stop| async move {
            stop.cancelled().await;
            Ok(())
        }))
    });
    suite().run("user", RunOptions::new().with_controllers(controllers), |_| async {
        if env::var_os("USE_EXISTING_CLUSTER").is_some() {
            let given = Config::from_kubeconfig(&KubeConfigOptions::default()).await?;
            ensure!(suite().config().await?.cluster_url == given.cluster_url);
        }
        Ok(())
    });
}
