//! The reference documents that follow from the code: settings and metrics.
//!
//! A test compares them with the files in `docs/`; `UPDATE_EXPECT=1` writes these.

use std::fmt::Write as _;

use crate::metrics::table::{self, Kind};
use crate::settings::{environment, flags};

/// The text of `docs/settings.md`.
#[must_use]
pub fn settings_md() -> String {
    let mut text = String::from(
        "# Settings\n\n\
         Generated from the code; do not edit.\n\n\
         The operator checks all of them before it starts, names everything that is wrong at \
         once, and exits with 1. `sei-operator --help` prints the flags.\n\n\
         ## Flags\n\n\
         One dash or two; values as `--flag=value` or `--flag value`, of true-or-false flags only \
         `--flag` or `--flag=value`.\n\n",
    );
    let rows = flags::reference()
        .into_iter()
        .map(|flag| [code(&flag.name), code(&flag.default), flag.help]);
    table(&mut text, ["Flag", "Default", "Meaning"], rows);
    text.push_str("\n## Environment\n\nValues are trimmed; a blank value is an absent one.\n\n");
    let rows = environment::VARIABLES.iter().map(|variable| {
        let need = variable.need.as_str().to_owned();
        [code(variable.name), need, code(variable.example), variable.help.to_owned()]
    });
    table(&mut text, ["Variable", "", "Example", "Meaning"], rows);
    text
}

/// The text of `docs/metrics.md`.
#[must_use]
pub fn metrics_md() -> String {
    let mut text = String::from(
        "# Metrics\n\n\
         Generated from the code; do not edit.\n\n\
         Served as `GET /metrics` at `--metrics-bind-address`, as OpenMetrics or in the older text \
         format, whichever the scraper accepts. Gauges are read from the operator's cache at each \
         scrape and vanish with their object. The alerts of `config/monitoring` use nothing \
         else.\n\n",
    );
    let rows = table::ALL.iter().map(|info| {
        let labels: Vec<String> = info.labels.iter().map(|label| code(label)).collect();
        let kind = info.kind.as_str().to_owned();
        [code(info.name), kind, labels.join(", "), info.help.to_owned()]
    });
    table(&mut text, ["Name", "Type", "Labels", "Meaning"], rows);
    text.push_str("\n## Buckets, in seconds\n\n");
    let rows = table::ALL.iter().filter_map(|info| match info.kind {
        Kind::Histogram(bounds) => {
            let bounds: Vec<String> = bounds.iter().map(ToString::to_string).collect();
            Some([code(info.name), bounds.join(" ")])
        }
        Kind::Counter | Kind::Gauge => None,
    });
    table(&mut text, ["Name", "Upper bounds"], rows);
    text
}

/// A Markdown table with one line a row.
fn table<const N: usize>(
    text: &mut String,
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) {
    let mut line = |cells: [&str; N]| {
        // Writing to a String does not fail.
        let _ = writeln!(text, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    };
    line(head);
    line(["---"; N]);
    for row in rows {
        line(std::array::from_fn(|column| row[column].as_str()));
    }
}

/// In the type of code; nothing stays nothing.
fn code(word: &str) -> String {
    if word.is_empty() { String::new() } else { format!("`{word}`") }
}

#[cfg(test)]
mod tests;
