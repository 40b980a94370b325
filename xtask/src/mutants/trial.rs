//! One test of a woven program, with one mutant on or none.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::check::program_of;
use super::server::Server;
use super::weave::SWITCH;

/// A test that runs longer hangs; the harness itself gives a scenario two minutes.
pub const TIME_LIMIT: Duration = Duration::from_secs(180);
/// Between two looks at a running test.
const POLL: Duration = Duration::from_millis(20);

/// One test, under one mutant.
#[derive(Clone, Debug)]
pub struct Trial {
    /// None tries the sources as they are.
    pub mutant: Option<String>,
    /// Program and path of the test.
    pub test: String,
}

/// What the test's program came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Failed,
    /// It was stopped at the limit of its time: nothing is known of what it would have said.
    Hung,
}

/// How a trial ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    pub outcome: Outcome,
    /// All that the program printed.
    pub output: String,
    pub elapsed: Duration,
}

/// The built test programs and what is around them.
pub struct Bench {
    /// Executable and directory of its crate, by the name that the mutants use.
    pub programs: Vec<(&'static str, PathBuf, PathBuf)>,
    /// Present if a test needs it.
    pub server: Option<Server>,
    /// Where the output of each trial is kept.
    pub logs: PathBuf,
}

impl Bench {
    /// Runs one trial to its end.
    ///
    /// # Errors
    /// The program cannot be started, or has no such test.
    pub fn run(&self, trial: &Trial) -> Result<Ending> {
        let Trial { mutant, test } = trial;
        let (program, path) = program_of(test).with_context(|| format!("no program of {test}"))?;
        let (_, executable, directory) =
            self.programs.iter().find(|(name, ..)| *name == program.name).context("not built")?;
        let log = self.log(trial);
        let mut command = Command::new(executable);
        command
            .args(["--exact", path])
            .current_dir(directory)
            .env("CARGO_MANIFEST_DIR", directory)
            .env(SWITCH, mutant.as_deref().unwrap_or_default())
            .envs(self.server.iter().flat_map(Server::environment));
        let begun = Instant::now();
        let status = to_the_end(command, &log).with_context(|| format!("run {test}"))?;
        let elapsed = begun.elapsed();
        let output = fs::read(&log).with_context(|| format!("read {}", log.display()))?;
        let output = String::from_utf8_lossy(&output).into_owned();
        ensure!(output.contains("running 1 test"), "there is no test {test}:\n{output}");
        let outcome = match status {
            Some(status) if status.success() => Outcome::Passed,
            Some(_) => Outcome::Failed,
            None => Outcome::Hung,
        };
        Ok(Ending { outcome, output, elapsed })
    }

    /// Where the output of a trial is kept.
    pub fn log(&self, Trial { mutant, test }: &Trial) -> PathBuf {
        let mutant = mutant.as_deref().unwrap_or("none");
        self.logs.join(format!("{mutant}-{}.txt", test.replace("::", "-")))
    }
}

/// The status with which the program ended; none if it did not end in time.
fn to_the_end(mut command: Command, log: &Path) -> Result<Option<ExitStatus>> {
    let file = File::create(log).with_context(|| format!("create {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let mut child = command.spawn().context("start it")?;
    let deadline = Instant::now() + TIME_LIMIT;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(POLL);
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}
