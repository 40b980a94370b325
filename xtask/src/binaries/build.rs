//! One `go build`, watched: its progress is shown and its error kept.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use super::pins::{Binary, Pins};
use crate::progress::{Progress, REDRAW};

/// The oldest Go release that builds both modules.
const GO_MIN: (u32, u32) = (1, 26);
/// How much of a failed build's output is worth reading.
const TAIL_LINES_MAX: usize = 20;

/// Builds `binary` and moves it into `directory` in one step, so that a reader never sees half of
/// it and an interrupted build leaves nothing that looks finished.
pub fn build(pins: &Pins, binary: Binary, directory: &Path) -> Result<()> {
    check_go(pins.directory(binary))?;
    let unfinished = directory.join(format!(".{}.unfinished", binary.name()));
    let mut child = Command::new("go")
        .current_dir(pins.directory(binary))
        .args(["build", "-v", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags"])
        .arg(pins.ldflags(binary))
        .arg("-o")
        .arg(&unfinished)
        .arg(binary.package())
        // A flag or workspace of the user's must not change what the key promises.
        .envs([("CGO_ENABLED", "0"), ("GOWORK", "off"), ("GOFLAGS", "")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("start go")?;
    let output = child.stderr.take().context("go has no stderr")?;
    let mut progress = Progress::start(format!("build {}", binary.name()));
    let tail = watch(&lines_of(output), &mut progress);
    let status = child.wait().context("wait for go")?;
    if !status.success() {
        progress.finish("failed");
        bail!("go build {} failed ({status}):\n{}", binary.package(), tail.join("\n"));
    }
    fs::rename(&unfinished, directory.join(binary.name()))
        .with_context(|| format!("put {} into {}", binary.name(), directory.display()))?;
    progress.finish("done");
    Ok(())
}

fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Shows what go prints until it closes its output; returns the last lines.
fn watch(lines: &Receiver<String>, progress: &mut Progress) -> Vec<String> {
    let mut seen = Seen::default();
    let mut tail = VecDeque::new();
    loop {
        match lines.recv_timeout(REDRAW) {
            Ok(line) => {
                seen.count(&line);
                tail.push_back(line);
                if tail.len() > TAIL_LINES_MAX {
                    tail.pop_front();
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return tail.into(),
        }
        progress.update(&seen.to_string());
    }
}

/// What `go build -v` has reported so far.
#[derive(Default)]
struct Seen {
    downloads: usize,
    packages: usize,
}

impl Seen {
    fn count(&mut self, line: &str) {
        if line.starts_with("go: downloading") {
            self.downloads += 1;
        } else if !line.contains(' ') {
            self.packages += 1;
        }
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.downloads, self.packages) {
            (0, 0) => f.write_str("resolving packages"),
            (modules, 0) => write!(f, "downloaded {modules} modules"),
            (_, packages) => write!(f, "compiled {packages} packages"),
        }
    }
}

/// Asked inside the module, so that a toolchain which go would fetch by itself counts.
fn check_go(directory: &Path) -> Result<()> {
    let advice = format!(
        "building the control plane needs Go {}.{} or newer (https://go.dev/dl); \
         or set {} to a directory with ready binaries",
        GO_MIN.0,
        GO_MIN.1,
        super::ASSETS
    );
    let answer = Command::new("go").current_dir(directory).args(["env", "GOVERSION"]).output();
    let output = answer.with_context(|| format!("go was not found; {advice}"))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    ensure!(output.status.success(), "{advice}; go says: {said}");
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    ensure!(release(&version).is_none_or(|found| found >= GO_MIN), "found {version}; {advice}");
    Ok(())
}

/// `go1.26.8` is release 1.26; a development build has no number and is trusted.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix("go")?.split('.');
    let mut next = || numbers.next()?.parse().ok();
    Some((next()?, next()?))
}

#[cfg(test)]
mod tests {
    //! What go prints is understood.

    use super::*;

    #[test]
    fn go_releases_are_compared_by_number() {
        assert_eq!(release("go1.26.8"), Some((1, 26)));
        assert_eq!(release("go1.30"), Some((1, 30)));
        assert_eq!(release("devel +abc"), None);
        assert!(release("go1.9.7") < Some(GO_MIN));
    }

    #[test]
    fn progress_tells_downloads_from_packages() {
        let mut seen = Seen::default();
        assert_eq!(seen.to_string(), "resolving packages");
        seen.count("go: downloading k8s.io/api v0.34.4");
        assert_eq!(seen.to_string(), "downloaded 1 modules");
        seen.count("k8s.io/api/core/v1");
        seen.count("# some/package: an error line");
        assert_eq!(seen.to_string(), "compiled 1 packages");
    }

    #[test]
    fn only_the_last_lines_of_a_failed_build_are_kept() {
        let (sender, receiver) = mpsc::channel();
        (0..50).for_each(|n| sender.send(format!("line {n}")).unwrap());
        drop(sender);
        let tail = watch(&receiver, &mut Progress::start("test"));
        assert_eq!(tail.len(), TAIL_LINES_MAX);
        assert_eq!(tail.last().unwrap(), "line 49");
    }
}
