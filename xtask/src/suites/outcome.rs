//! What a test program reported, and the table over all of them.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::ops::AddAssign;
use std::process::Output;
use std::time::Duration;

use super::Suite;

/// Numbers of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// The end of one test program.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub counts: Counts,
    /// Set when the program ended in a way that its own report does not explain.
    trouble: Option<String>,
}

impl Outcome {
    /// Reads the report; a program that failed without a report counts as one failed test.
    pub fn read(output: &Output) -> Self {
        let mut counts = reported(&String::from_utf8_lossy(&output.stdout));
        let unexplained = !output.status.success() && counts.failed == 0;
        counts.failed += usize::from(unexplained);
        Self { counts, trouble: unexplained.then(|| output.status.to_string()) }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4} passed", self.counts.passed)?;
        if self.counts.failed > 0 {
            write!(f, ", {} FAILED", self.counts.failed)?;
        }
        self.trouble.as_ref().map_or(Ok(()), |trouble| write!(f, " ({trouble})"))
    }
}

/// Adds up every `test result:` line; doc tests print one for each crate.
fn reported(stdout: &str) -> Counts {
    let mut counts = Counts::default();
    for line in stdout.lines().filter(|line| line.starts_with("test result:")) {
        counts += Counts { passed: number(line, "passed"), failed: number(line, "failed") };
    }
    counts
}

/// The number in front of `word`.
fn number(line: &str, word: &str) -> usize {
    let words: Vec<_> = line.split([' ', ';', '.']).filter(|word| !word.is_empty()).collect();
    let at = words.iter().position(|found| *found == word).unwrap_or_default();
    at.checked_sub(1).and_then(|before| words[before].parse().ok()).unwrap_or_default()
}

/// The last thing a person reads.
pub fn summary(suites: &BTreeMap<Suite, (Counts, Duration)>) -> String {
    let mut text = format!("\n{:<14}{:>8}{:>8}{:>10}\n", "suite", "passed", "failed", "seconds");
    let (mut total, mut elapsed) = (Counts::default(), Duration::ZERO);
    for (suite, (counts, duration)) in suites {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{}", row(suite.name(), *counts, *duration));
        total += *counts;
        elapsed += *duration;
    }
    let _ = writeln!(text, "{}", row("all", total, elapsed));
    let _ = writeln!(text, "\n{} passed, {} failed", total.passed, total.failed);
    text
}

fn row(name: &str, counts: Counts, duration: Duration) -> String {
    let Counts { passed, failed } = counts;
    format!("{name:<14}{passed:>8}{failed:>8}{:>10.1}", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    //! Reports are read right, also when there is none.

    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use expect_test::expect;

    use super::*;

    fn outcome(code: i32, stdout: &str) -> String {
        let status = ExitStatus::from_raw(code << 8);
        let output = Output { status, stdout: stdout.into(), stderr: Vec::new() };
        Outcome::read(&output).to_string().trim_start().to_owned()
    }

    #[test]
    fn reports_are_added_up() {
        let line = "test result: ok. 30 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; \
                    finished in 0.01s\n";
        assert_eq!(outcome(0, line), "30 passed");
        assert_eq!(outcome(0, &line.repeat(2)), "60 passed");
        let failed = "test result: FAILED. 1 passed; 2 failed; 0 ignored; finished in 0.01s\n";
        assert_eq!(outcome(101, failed), "1 passed, 2 FAILED");
    }

    #[test]
    fn program_that_dies_without_report_has_failed() {
        assert_eq!(outcome(1, "oops"), "0 passed, 1 FAILED (exit status: 1)");
    }

    #[test]
    fn summary_ends_with_one_readable_line() {
        let suites = BTreeMap::from([
            (Suite::Unit, (Counts { passed: 512, failed: 0 }, Duration::from_millis(12_340))),
            (Suite::System, (Counts { passed: 3, failed: 1 }, Duration::from_secs(90))),
        ]);
        expect![[r"

            suite           passed  failed   seconds
            unit               512       0      12.3
            system               3       1      90.0
            all                515       1     102.3

            515 passed, 1 failed
        "]]
        .assert_eq(&summary(&suites));
    }
}
