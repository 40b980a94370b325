//! One line that says what is being done and for how long, on a terminal or in a log.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// A log gets a line this often, so that a CI job does not look dead.
const LOG_EVERY: Duration = Duration::from_secs(15);

/// How often a line on the terminal is worth redrawing.
pub const REDRAW: Duration = Duration::from_millis(250);

/// The progress of one piece of work. A terminal shows one line that is rewritten; anything else
/// gets a full line now and then.
pub struct Progress {
    label: String,
    started: Instant,
    last_log: Instant,
    is_terminal: bool,
}

impl Progress {
    /// Starts the clock and names the work.
    pub fn start(label: impl Into<String>) -> Self {
        let (label, now) = (label.into(), Instant::now());
        let progress =
            Self { label, started: now, last_log: now, is_terminal: stderr().is_terminal() };
        if progress.is_terminal {
            progress.draw("");
        }
        progress
    }

    /// Shows the newest detail; cheap enough to be called several times a second.
    pub fn update(&mut self, detail: &str) {
        if self.is_terminal || self.last_log.elapsed() >= LOG_EVERY {
            self.last_log = Instant::now();
            self.draw(detail);
        }
    }

    /// Ends the line with its outcome.
    pub fn finish(self, outcome: &str) {
        self.draw(outcome);
        if self.is_terminal {
            eprintln!();
        }
    }

    /// Ends the work without a word: there is nothing to tell.
    pub fn discard(self) {
        if self.is_terminal {
            eprint!("\r\x1b[K");
        }
    }

    fn draw(&self, detail: &str) {
        let line = format!("  {:<32} {:>7}  {detail}", self.label, human(self.started.elapsed()));
        if self.is_terminal {
            eprint!("\r\x1b[K{line}");
        } else {
            eprintln!("{}", line.trim_end());
        }
        // A closed stderr must not stop the work.
        let _ = stderr().flush();
    }
}

/// A duration as people say it: `8s`, `2m05s`.
pub fn human(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds => format!("{}m{:02}s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_speech() {
        let shown = [0, 59, 60, 125, 3600].map(|s| human(Duration::from_secs(s)));
        assert_eq!(shown, ["0s", "59s", "1m00s", "2m05s", "60m00s"]);
    }
}
