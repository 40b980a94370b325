//! The five scenarios of the operator, side by side, with the time that each took.

use std::ffi::OsStr;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::binaries;
use crate::built;

/// What all of them may take on two cores, the control plane included. A goal for people who change
/// the operator: a machine may be busy, so that missing it fails nothing.
const GOAL: Duration = Duration::from_secs(18);

/// Letter, what it shows, its test.
const SCENARIOS: [(&str, &str, &str); 5] = [
    ("A", "rollout in place", "rollout::in_place_rollout_end_to_end"),
    ("B", "supersession", "supersession::in_place_rollout_supersession"),
    ("C", "routes of full nodes", "networking::full_node_publishes_its_routes"),
    ("D", "validators without routes", "networking::validator_publishes_no_routes"),
    ("E", "stuck rollout", "stuck::inplace_rollout_stuck_on_await_spec_update"),
];

/// `cargo xtask scenarios`.
///
/// # Errors
/// A scenario failed, or the tests cannot be built or run.
pub fn command() -> Result<()> {
    let assets = binaries::ensure_built(binaries::Set::Envtest)?;
    let mut scenarios = built::scenarios(&assets)?;
    let begun = Instant::now();
    let output = scenarios
        .args(SCENARIOS.map(|(_, _, test)| test))
        .args(["--exact", "--nocapture", "--test-threads"].map(OsStr::new))
        .arg(SCENARIOS.len().to_string())
        .output()
        .context("start the tests")?;
    let took = begun.elapsed();
    let told = String::from_utf8_lossy(&output.stderr);
    let rows: Vec<Row> = SCENARIOS.iter().map(|it| Row::read(*it, &told)).collect();
    print!("{}", Table { rows: &rows, took });
    if !output.status.success() {
        eprint!("{told}");
    }
    let passed = rows.iter().filter(|row| row.passed).count();
    ensure!(output.status.success() && passed == rows.len(), "{passed} of {} passed", rows.len());
    Ok(())
}

struct Row {
    letter: &'static str,
    shows: &'static str,
    passed: bool,
    /// As the suite tells it.
    seconds: String,
}

impl Row {
    /// Of the line `envtest NAME ... ok in 9.21 s`.
    fn read((letter, shows, test): (&'static str, &'static str, &str), told: &str) -> Self {
        let name = test.rsplit("::").next().unwrap_or(test);
        let start = format!("envtest {name} ... ");
        let verdict = told.lines().find_map(|line| line.split_once(&start)).map(|(_, it)| it);
        let ended = verdict.and_then(|it| it.split_once(" in "));
        let (passed, seconds) = ended.unwrap_or(("", "no word"));
        Self { letter, shows, passed: passed == "ok", seconds: seconds.to_owned() }
    }
}

struct Table<'a> {
    rows: &'a [Row],
    took: Duration,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Row { letter, shows, passed, seconds } in self.rows {
            let verdict = if *passed { "ok" } else { "FAILED" };
            writeln!(f, "{letter}  {shows:<26} {verdict:<6} {seconds:>9}")?;
        }
        let all = format!("{:.2} s", self.took.as_secs_f64());
        writeln!(f, "   {:<26} {:<6} {all:>9}", "all, with the control plane", "")?;
        let verdict = if self.took <= GOAL { "met" } else { "missed" };
        let goal = format!("{:.2} s", GOAL.as_secs_f64());
        writeln!(f, "   {:<26}  {verdict:<6} {goal:>9}", "goal, on two cores")
    }
}

#[cfg(test)]
mod tests {
    //! What the suite tells becomes a table.

    use expect_test::expect;

    use super::*;

    #[test]
    fn each_scenario_has_its_line() {
        let told = "\
            envtest in_place_rollout_end_to_end ... ok in 4.10 s\n\
            test x ... envtest inplace_rollout_stuck_on_await_spec_update ... FAILED in 60.00 s\n";
        let rows = SCENARIOS.map(|it| Row::read(it, told));
        expect![[r#"
            A  rollout in place           ok        4.10 s
            B  supersession               FAILED   no word
            C  routes of full nodes       FAILED   no word
            D  validators without routes  FAILED   no word
            E  stuck rollout              FAILED   60.00 s
               all, with the control plane          15.50 s
               goal, on two cores          met      18.00 s
        "#]]
        .assert_eq(&Table { rows: &rows, took: Duration::from_millis(15_500) }.to_string());
    }

    #[test]
    fn goal_is_met_up_to_its_last_moment() {
        let table = |took| Table { rows: &[], took }.to_string();
        assert!(table(GOAL).contains(" met "));
        assert!(table(GOAL + Duration::from_millis(1)).contains(" missed "));
    }
}
