//! One API server that all trials share.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::binaries;

/// Tells where the server is and keeps it until our end of the pipe is closed.
const KEEP: &str = "printf '%s\\n' \"$KUBECONFIG\"; cat >/dev/null";

/// A running API server; stopped when dropped.
pub struct Server {
    child: Child,
    /// Its end is the end of the server.
    hold: Option<ChildStdin>,
    kubeconfig: String,
}

impl Server {
    /// Starts one with the program `envtest-up`.
    ///
    /// # Errors
    /// It does not start; what it said is on our stderr.
    pub fn start(envtest_up: &Path) -> Result<Self> {
        let assets = binaries::ensure_built(binaries::Set::Envtest)?;
        let mut child = Command::new(envtest_up)
            .args(["sh", "-c", KEEP])
            .env(binaries::ASSETS, assets)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .context("start envtest-up")?;
        let hold = child.stdin.take();
        let output = child.stdout.take().context("envtest-up has no output")?;
        let mut line = String::new();
        BufReader::new(Read::take(output, 4096)).read_line(&mut line)?;
        let server = Self { child, hold, kubeconfig: line.trim_end().to_owned() };
        ensure!(!server.kubeconfig.is_empty(), "envtest-up did not start an API server");
        Ok(server)
    }

    /// What a test program needs to find it.
    pub fn environment(&self) -> [(&'static str, &str); 2] {
        [("KUBECONFIG", &self.kubeconfig), ("USE_EXISTING_CLUSTER", "true")]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.hold.take());
        // It stops by itself; there is nobody left to tell if it did not.
        let _ = self.child.wait();
    }
}
