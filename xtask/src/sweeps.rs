//! Kills the operator at each of its writes and fails each of its requests, and tabulates it.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::binaries;
use crate::built;
use crate::progress::human;
use crate::root::target;

/// Names the file of rows to the tests, and makes them whole.
const REPORT: &str = "SEI_SWEEPS_REPORT";
/// Names the first seed to the tests.
const SEED: &str = "SEI_SWEEPS_SEED";
/// Sweeps side by side; the tests themselves bound the tellings of all.
const SIDE_BY_SIDE: &str = "4";

/// What to sweep.
#[derive(clap::Args)]
pub struct Options {
    /// First seed of the kills by chance; another one each time unless it is given.
    #[arg(long)]
    seed: Option<u64>,
    /// Only the tests below this path, such as `kills` or `faults::of_each_watch`.
    #[arg(long, default_value = "")]
    only: String,
}

/// What one sweep of one story tells.
#[derive(Debug, Deserialize)]
struct Row {
    sweep: String,
    story: String,
    cases: usize,
    met: usize,
    /// As many of the disturbances have to come about.
    needed: usize,
    /// Those that did not.
    unmet: Vec<String>,
    failed: usize,
    /// Of the undisturbed telling, the costliest one, and what is allowed.
    requests: usize,
    worst: usize,
    bound: usize,
    seconds: f64,
}

/// `cargo xtask sweeps`.
///
/// # Errors
/// A case failed, or the tests cannot be built or run.
pub fn command(options: &Options) -> Result<()> {
    let assets = binaries::ensure_built(binaries::Set::Envtest)?;
    let mut tests = built::scenarios(&assets)?;
    let seed = options.seed.unwrap_or_else(fresh_seed);
    println!("first seed of the kills by chance: {seed} (--seed {seed} repeats it)");
    let directory = target().join("sweeps");
    std::fs::create_dir_all(&directory).context("create a directory for the report")?;
    let report = directory.join("report.jsonl");
    let log = directory.join("log.txt");
    // That of the last time, if there is one.
    let _ = std::fs::remove_file(&report);
    let begun = Instant::now();
    let output = std::fs::File::create(&log).context("create a log")?;
    let status = tests
        .arg(format!("sweeps::{}", path_part(&options.only)))
        .args(["--test-threads", SIDE_BY_SIDE])
        .env(REPORT, &report)
        .env(SEED, seed.to_string())
        .stdout(output.try_clone().context("share a log")?)
        .stderr(output)
        .status()
        .context("start the tests")?;
    let rows = rows(&report)?;
    print!("{}", Table { rows: &rows, took: begun.elapsed() });
    let failed: usize = rows.iter().map(|row| row.failed).sum();
    for row in rows.iter().filter(|row| row.is_calm()) {
        println!("{}, {}: {} came about, not {}:", row.sweep, row.story, row.met, row.needed);
        row.unmet.iter().for_each(|case| println!("  not {case}"));
    }
    ensure!(!rows.iter().any(Row::is_calm), "too little was disturbed; see {}", log.display());
    ensure!(status.success() && failed == 0, "{failed} cases failed; see {}", log.display());
    ensure!(!rows.is_empty(), "there is no such sweep");
    Ok(())
}

impl Row {
    /// Whether too few of the tellings were disturbed for the others to prove anything.
    fn is_calm(&self) -> bool {
        self.failed == 0 && self.met < self.needed
    }
}

/// As a filter of the test program, which looks for it anywhere in a test's path.
fn path_part(only: &str) -> &str {
    only.trim_start_matches("sweeps::")
}

fn fresh_seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|it| it.as_secs()).unwrap_or_default()
}

fn rows(report: &Path) -> Result<Vec<Row>> {
    let text = std::fs::read_to_string(report).unwrap_or_default();
    let rows: Result<Vec<Row>, _> = text.lines().map(serde_json::from_str).collect();
    let mut rows = rows.context("read the report of the sweeps")?;
    rows.sort_by(|a, b| (&a.sweep, &a.story).cmp(&(&b.sweep, &b.story)));
    Ok(rows)
}

struct Table<'a> {
    rows: &'a [Row],
    took: Duration,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = ["sweep", "story", "cases", "met", "passed", "failed", "requests", "wall time"];
        let line = |f: &mut fmt::Formatter<'_>, cells: [String; 8]| {
            let [sweep, story, cases, met, passed, failed, requests, wall] = cells;
            let numbers = format!("{cases:>6} {met:>6} {passed:>7} {failed:>7}");
            writeln!(f, "{sweep:<8} {story:<24} {numbers} {requests:>16} {wall:>10}")
        };
        line(f, heads.map(str::to_owned))?;
        let mut sums = [0; 3];
        for row in self.rows {
            let counts = [row.cases, row.met, row.failed];
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            let cells = [
                row.sweep.clone(),
                row.story.clone(),
                row.cases.to_string(),
                row.met.to_string(),
                (row.cases - row.failed).to_string(),
                row.failed.to_string(),
                format!("{} / {} / {}", row.requests, row.worst, row.bound),
                human(Duration::from_secs_f64(row.seconds)),
            ];
            line(f, cells)?;
        }
        let [cases, met, failed] = sums;
        let [cases, met, passed, failed] =
            [cases, met, cases - failed, failed].map(|count| count.to_string());
        let (all, wall) = ("all".to_owned(), human(self.took));
        line(f, [all, String::new(), cases, met, passed, failed, String::new(), wall])?;
        writeln!(f, "\nmet: the disturbance came about. requests: undisturbed / worst / bound.")
    }
}

#[cfg(test)]
mod tests {
    //! The table of a report.

    use expect_test::expect;

    use super::*;

    #[test]
    fn a_report_is_a_table_with_a_sum() {
        let directory = tempfile::tempdir().unwrap();
        let report = directory.path().join("report");
        let row = |sweep: &str, story: &str, failed: usize| {
            serde_json::json!({
                "sweep": sweep, "story": story, "cases": 28, "met": 27, "failed": failed,
                "needed": 25, "unmet": ["killed before Patch seinodes f-0 status #7"],
                "requests": 18, "worst": 22, "bound": 35, "untold": 1, "seconds": 62.5,
            })
        };
        let (second, first) = (row("watch", "rollout", 1), row("kill", "create, published", 0));
        std::fs::write(&report, format!("{second}\n{first}\n")).unwrap();
        let rows = rows(&report).unwrap();
        let table = Table { rows: &rows, took: Duration::from_secs(130) }.to_string();
        expect![[r#"
            sweep    story                     cases    met  passed  failed         requests  wall time
            kill     create, published            28     27      28       0     18 / 22 / 35      1m02s
            watch    rollout                      28     27      27       1     18 / 22 / 35      1m02s
            all                                   56     54      55       1                       2m10s

            met: the disturbance came about. requests: undisturbed / worst / bound.
        "#]].assert_eq(&table);
        assert!(rows.iter().all(|row| !row.is_calm()));
        let calm = Row { needed: 28, failed: 0, ..rows.into_iter().next().unwrap() };
        assert!(calm.is_calm());
    }
}
