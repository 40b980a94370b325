//! One server process that never outlives its starter, however that ends.
//!
//! A shell stands between us and the server. It holds the read end of a pipe, the lifeline;
//! when the starter dies, even by `SIGKILL`, the kernel closes the other end and the shell
//! kills the server and removes its directory. A parent-death signal would need `unsafe` and
//! follows the thread that forked, not the process.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

/// First line on the lifeline: terminate. Second line, or its end at any time: kill. Status 137
/// is death by `SIGKILL`: nobody is left who would remove the directory.
const SUPERVISE: &str = r#"
dir=$1; shift
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
echo "$server" >"$dir/pid"
(
    if read -r order; then kill -TERM "$server"; read -r order; fi
    kill -KILL "$server"
) <&3 3<&- 2>/dev/null &
watcher=$!
exec 3<&-
wait "$server"; code=$?
kill "$watcher" 2>/dev/null
if [ "$code" -eq 137 ]; then
    rm -rf "$dir"
    rmdir "$(dirname "$dir")" 2>/dev/null
fi
exit "$code"
"#;

/// Between two orders to leave.
const HURRY: Duration = Duration::from_millis(100);

/// What to start.
#[derive(Clone, Debug)]
pub struct ServerSpec {
    /// How logs and errors call it.
    pub name: &'static str,
    /// The program.
    pub binary: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// A directory of its own; removed when the starter dies. Its parent goes with the last
    /// server that leaves it empty.
    pub dir: PathBuf,
    /// True: the server writes to our standard error instead of its log file.
    pub attach_output: bool,
}

/// A running server. Dropping it kills the process.
#[derive(Debug)]
pub struct Server {
    name: &'static str,
    supervisor: Child,
    lifeline: ChildStdin,
    log: PathBuf,
    pid: PathBuf,
}

impl Server {
    /// Starts the server; it runs in a process group of its own, so that Ctrl-C reaches the
    /// starter only.
    ///
    /// # Errors
    /// When the directory cannot be written or no shell can be started. A server that starts
    /// and fails is seen by [`Server::exited`].
    pub fn spawn(spec: &ServerSpec) -> Result<Self> {
        std::fs::create_dir_all(&spec.dir)
            .with_context(|| format!("cannot create the directory of {}", spec.name))?;
        let log = spec.dir.join(format!("{}.log", spec.name));
        let mut command = Command::new("sh");
        command.arg("-c").arg(SUPERVISE).arg("supervise").arg(&spec.dir).arg(&spec.binary);
        command.args(&spec.args).stdin(Stdio::piped()).process_group(0);
        if !spec.attach_output {
            let file = File::create(&log).context("cannot create a log file")?;
            command.stdout(file.try_clone().context("cannot share a log file")?).stderr(file);
        }
        let mut supervisor =
            command.spawn().with_context(|| format!("cannot start a shell for {}", spec.name))?;
        let lifeline = supervisor.stdin.take().context("the shell has no standard input")?;
        let pid = spec.dir.join("pid");
        Ok(Self { name: spec.name, supervisor, lifeline, log, pid })
    }

    /// How logs and errors call it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The server's process id, for whoever looks it up in the process table.
    ///
    /// # Errors
    /// When the shell has not started the server yet.
    pub fn pid(&self) -> Result<u32> {
        let text = std::fs::read_to_string(&self.pid).context("the server was not started yet")?;
        text.trim().parse().context("the process id of a server does not parse")
    }

    /// The file that holds what the server printed.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The status, once the server has ended by itself.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.supervisor.try_wait().ok().flatten()
    }

    /// The last lines of the log, for the message of a failure.
    pub fn log_tail(&self, lines: usize) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Makes a server leave at once that takes a second SIGTERM for an order, and waits until it is
    /// gone; its directory stays.
    ///
    /// # Errors
    /// When it cannot be signalled or waited for, or has not left after `grace`.
    pub async fn hurry(mut self, grace: Duration) -> Result<()> {
        let pid = self.pid()?.to_string();
        let gone = async {
            loop {
                // It fails when the server is gone, and then the supervisor leaves.
                let _ =
                    Command::new("kill").args(["-TERM", &pid]).stderr(Stdio::null()).status().await;
                if timeout(HURRY, self.supervisor.wait()).await.is_ok() {
                    return;
                }
            }
        };
        timeout(grace, gone).await.with_context(|| format!("{} stays", self.name))
    }

    /// Kills the server where it stands, by `SIGKILL`, and waits until it is gone.
    ///
    /// # Errors
    /// When the process cannot be waited for.
    pub async fn kill(self) -> Result<()> {
        let Self { name, mut supervisor, lifeline, .. } = self;
        drop(lifeline);
        supervisor.wait().await.with_context(|| format!("cannot wait for {name}"))?;
        Ok(())
    }

    /// Asks the server to leave, and kills it when it has not left after `grace`.
    ///
    /// # Errors
    /// When the process cannot be waited for.
    pub async fn stop(mut self, grace: Duration) -> Result<()> {
        // A failed write means that the supervisor, and so the server, has already left.
        let _ = self.lifeline.write_all(b"terminate\n").await;
        if timeout(grace, self.supervisor.wait()).await.is_err() {
            tracing::warn!(server = self.name, "killed: did not leave in time");
            // As above.
            let _ = self.lifeline.write_all(b"kill\n").await;
            self.supervisor
                .wait()
                .await
                .with_context(|| format!("cannot wait for {}", self.name))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
