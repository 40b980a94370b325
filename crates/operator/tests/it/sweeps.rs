//! Sweeps: a story is recorded once undisturbed, then told again and again, each time disturbed at
//! another of its points; it has to end the same way every time.
//!
//! The operator is the binary, a process of its own that reaches the API server through a proxy of
//! ours: a kill is a `SIGKILL`, and nothing of the operator knows that it is watched.
//! `cargo xtask sweeps` disturbs every point; the tests alone take a fixed choice of them.

mod breadth;
mod chance;
mod edits;
mod faults;
mod judge;
mod kills;
mod once;
mod picture;
mod point;
mod process;
mod stories;
mod telling;

use sei_harness::request_log::{Record, Verb};

/// Is it one of those that `decisions` count: everything but lists and watches?
fn is_counted(record: &Record) -> bool {
    !matches!(record.verb, Verb::List | Verb::Watch)
}
