//! What a person sees: chapters and events that scroll, and on a terminal a table that stays.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::rows::{Row, table};

/// A handle on the screen; clones write to the same one.
#[derive(Clone)]
pub struct Screen {
    inner: Arc<Inner>,
}

struct Inner {
    begun: Instant,
    /// The table that is redrawn in place; absent without a terminal.
    live: Option<ProgressBar>,
    once: bool,
    has_color: bool,
    shown: Mutex<Shown>,
}

/// What was shown last, so that only changes are told.
#[derive(Default)]
struct Shown {
    chapters: u32,
    rows: Vec<Row>,
    doors: Vec<String>,
}

impl Screen {
    /// The screen of this process; with `once`, nothing is kept after the story.
    pub fn new(once: bool) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        // https://no-color.org: present and not empty.
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let live = is_terminal.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
            // The template is a constant that parses; the plain style shows the same text.
            bar.set_style(
                ProgressStyle::with_template("{msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            bar
        });
        let inner = Inner {
            begun: Instant::now(),
            live,
            once,
            has_color: is_terminal && !no_color,
            shown: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Whether a person is there to try things after the story.
    pub fn keeps_cluster(&self) -> bool {
        self.inner.live.is_some() && !self.inner.once
    }

    /// A new part of the story begins.
    pub fn chapter(&self, title: &str) {
        let number = {
            let mut shown = self.shown();
            shown.chapters += 1;
            shown.chapters
        };
        self.print("");
        self.print(&self.bold(&format!("{number}. {title}")));
        if let Some(live) = self.inner.live.as_ref().filter(|live| live.message().is_empty()) {
            live.set_message("         working …");
        }
    }

    /// Something that was waited for has come.
    pub fn done(&self, text: &str) {
        self.timed("ok", text);
    }

    /// Somebody did something to the cluster.
    pub fn act(&self, text: &str) {
        self.timed("do", text);
    }

    /// Somebody typed a command.
    pub fn types(&self, command: &str) {
        let stamp = stamp(self.inner.begun.elapsed());
        // In one piece, so that it can be copied.
        self.print(&format!("{stamp} type  {}", self.bold(&format!("$ {command}"))));
    }

    /// A line that a command printed.
    pub fn prints(&self, line: &str) {
        for line in wrapped(line) {
            self.print(format!("{:14} {line}", "").trim_end());
        }
    }

    /// Nothing will be seen for a while.
    pub fn waits(&self, text: &str) {
        self.timed("wait", text);
    }

    /// A Kubernetes Event.
    pub fn event(&self, text: &str) {
        self.timed("event", text);
    }

    /// The nodes and the ways to them as they are now: a table on a terminal, else a line for each
    /// change.
    pub fn fleet(&self, rows: &[Row], doors: &[String]) {
        let (nodes, faces) = {
            let mut shown = self.shown();
            let nodes = std::mem::replace(&mut shown.rows, rows.to_vec());
            (nodes, std::mem::replace(&mut shown.doors, doors.to_vec()))
        };
        if nodes == rows && faces == doors {
            return;
        }
        if let Some(live) = &self.inner.live {
            let doors = doors.iter().flat_map(|it| wrapped(it));
            let doors: String = doors.map(|it| format!("\n {it}")).collect();
            live.set_message(table(rows) + &doors);
            return;
        }
        for row in rows.iter().filter(|row| !nodes.contains(row)) {
            self.timed("node", &row.line());
        }
        for line in doors.iter().filter(|line| !faces.contains(line)) {
            self.timed("doors", line);
        }
    }

    /// A line as it is.
    pub fn print(&self, line: &str) {
        match &self.inner.live {
            Some(live) if !live.is_finished() => live.suspend(|| println!("{line}")),
            Some(_) | None => println!("{line}"),
        }
    }

    /// The table is left where it is; from now on, lines follow it.
    pub fn close(&self) {
        if let Some(live) = &self.inner.live {
            live.abandon();
        }
    }

    /// Text that stands out, where the terminal may.
    pub fn bold(&self, text: &str) -> String {
        if self.inner.has_color { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn timed(&self, kind: &str, text: &str) {
        let stamp = stamp(self.inner.begun.elapsed());
        for (index, line) in wrapped(text).iter().enumerate() {
            let head = if index == 0 { format!("{stamp} {kind:<5}") } else { format!("{:14}", "") };
            self.print(&format!("{head} {line}"));
        }
    }

    fn shown(&self) -> std::sync::MutexGuard<'_, Shown> {
        // Whoever panicked while holding it left a whole value behind.
        self.inner.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a person reads beside the time, in one line.
const COLUMNS: usize = 106;

/// Lines of whole words, as many columns wide as is read easily.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + word.trim_end().chars().count() > COLUMNS {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Seconds since the start, in a column of their own.
fn stamp(elapsed: Duration) -> String {
    format!("{:>7.2}s", elapsed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    //! Times stand under each other, and lines are not too long.

    use super::*;

    #[test]
    fn stamps_are_aligned() {
        let stamps = [320, 61_500].map(|millis| stamp(Duration::from_millis(millis)));
        assert_eq!(stamps, ["   0.32s", "  61.50s"]);
    }

    #[test]
    fn long_lines_are_broken_between_words() {
        let long = format!("{} {} end", "a".repeat(60), "b".repeat(46));
        let lines = ["a".repeat(60), format!("{} end", "b".repeat(46))];
        assert_eq!(wrapped(&long), lines);
        assert_eq!(wrapped("routes  a.test  b.test"), ["routes  a.test  b.test"]);
        assert_eq!(wrapped(&"x".repeat(200)).len(), 1);
    }
}
