//! What became of a mutant, in one line.

use std::fmt;
use std::time::Duration;

use super::mutant::Mutant;
use super::trial::{Ending, Outcome, TIME_LIMIT};

/// Characters of a reason that are shown.
const REASON_LENGTH: usize = 120;

/// What became of a mutant.
#[derive(Debug, PartialEq, Eq)]
pub enum Fate {
    /// Every named test failed, for the reason it should.
    Killed,
    /// This test passed all the same.
    Survived { test: String },
    /// This test failed, but not for the reason that the mutant's file names.
    DiedOtherwise { test: String, why: String },
    /// This test did not end in time, which is not what the mutant is about.
    NotJudged { test: String },
}

/// A mutant and what became of it.
#[derive(Debug)]
pub struct Verdict {
    pub mutant: Mutant,
    pub fate: Fate,
    /// What the last test said.
    reason: String,
    elapsed: Duration,
}

impl Verdict {
    /// Judges by the ends of the mutant's tests, in their order.
    pub fn of(mutant: &Mutant, endings: &[Ending]) -> Self {
        let mut fate = Fate::Killed;
        for (test, ending) in mutant.killed_by.iter().zip(endings) {
            let is_said = |it: &String| ending.output.contains(it);
            let said = mutant.says.is_empty() || mutant.says.iter().any(is_said);
            match ending.outcome {
                Outcome::Passed => {
                    fate = Fate::Survived { test: test.clone() };
                    break;
                }
                Outcome::Hung if !mutant.hangs => fate = Fate::NotJudged { test: test.clone() },
                Outcome::Failed if !said => {
                    fate = Fate::DiedOtherwise { test: test.clone(), why: reason(&ending.output) };
                }
                Outcome::Hung | Outcome::Failed => {}
            }
        }
        let reason = endings.last().map(|it| reason(&it.output)).unwrap_or_default();
        let elapsed = endings.iter().map(|it| it.elapsed).sum();
        Self { mutant: mutant.clone(), fate, reason, elapsed }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mutant, fate, reason, elapsed } = self;
        let seconds = elapsed.as_secs_f64();
        write!(f, "{:<4} ", mutant.id)?;
        match fate {
            Fate::Killed => {
                let tests = mutant.killed_by.join(" and ");
                write!(f, "killed by {tests} ({seconds:.1} s): {reason}")
            }
            Fate::Survived { test } => {
                write!(f, "SURVIVED {test} ({seconds:.1} s), although {}", mutant.breaks)
            }
            Fate::DiedOtherwise { test, why } => {
                let says = mutant.says.join("\" or \"");
                write!(f, "MISSED by {test} ({seconds:.1} s): not \"{says}\" but: {why}")
            }
            Fate::NotJudged { test } => {
                let limit = TIME_LIMIT.as_secs();
                write!(f, "NOT JUDGED by {test}: it did not end within {limit} s")
            }
        }
    }
}

/// What a failed test said first, without the place where it said it.
pub fn reason(output: &str) -> String {
    let mut lines = output.lines().skip_while(|line| !line.contains("panicked at ")).skip(1);
    let Some(first) = lines.next() else {
        let picture = output.contains("expect test failed");
        let reason = if picture { "another picture" } else { "it ended without a word" };
        return reason.to_owned();
    };
    // The harness names test and place first.
    let said = first.strip_prefix("test \"").and_then(|it| it.split_once(": ")).map(|(_, it)| it);
    let mut reason = said.unwrap_or(first).trim().to_owned();
    let is_place = |it: &str| ["  at ", "  probes: "].iter().any(|start| it.starts_with(start));
    let more = lines.find(|it| !is_place(it)).and_then(|it| it.strip_prefix("  "));
    // An object that is shown begins with a quote, and says nothing in one line.
    if let Some(more) = more.filter(|it| !it.starts_with('"')) {
        reason = format!("{}: {}", reason.trim_end_matches(':'), more.trim());
    }
    reason.chars().take(REASON_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    //! Only a test that fails, and for the right reason, kills.

    use super::*;

    const SAID: &str = "running 1 test\n\n---- a stdout ----\n\nthread 'a' (7) panicked at x.rs:1:2:\n\
                        test \"a\" at crates/x.rs:3:4: the plan was kept\nnote: run with\n";

    fn ending(outcome: Outcome, output: &str) -> Ending {
        Ending { outcome, output: output.to_owned(), elapsed: Duration::from_millis(1500) }
    }

    fn mutant(says: Option<&str>) -> Mutant {
        Mutant {
            id: "M5".to_owned(),
            breaks: "the old plan is kept".to_owned(),
            killed_by: vec!["it::a".to_owned(), "it::b".to_owned()],
            says: says.map(str::to_owned).into_iter().collect(),
            hangs: false,
            edits: Vec::new(),
        }
    }

    fn judged(says: Option<&str>, endings: &[Ending]) -> String {
        Verdict::of(&mutant(says), endings).to_string()
    }

    #[test]
    fn every_test_must_fail() {
        let red = ending(Outcome::Failed, SAID);
        let green = ending(Outcome::Passed, "running 1 test\n");
        assert_eq!(
            judged(None, &[red.clone(), red.clone()]),
            "M5   killed by it::a and it::b (3.0 s): the plan was kept"
        );
        assert_eq!(
            judged(None, &[red, green]),
            "M5   SURVIVED it::b (3.0 s), although the old plan is kept"
        );
    }

    #[test]
    fn reason_must_be_the_right_one() {
        let red = ending(Outcome::Failed, SAID);
        assert!(judged(Some("plan was kept"), &[red.clone(), red.clone()]).contains("killed"));
        assert_eq!(
            judged(Some("no event"), &[red.clone(), red]),
            "M5   MISSED by it::b (3.0 s): not \"no event\" but: the plan was kept"
        );
    }

    #[test]
    fn test_that_hangs_kills_only_what_is_about_hanging() {
        let endings = [ending(Outcome::Failed, SAID), ending(Outcome::Hung, "running 1 test\n")];
        assert_eq!(judged(None, &endings), "M5   NOT JUDGED by it::b: it did not end within 180 s");
        let hangs = Mutant { hangs: true, ..mutant(Some("plan was kept")) };
        assert_eq!(Verdict::of(&hangs, &endings).fate, Fate::Killed);
    }

    #[test]
    fn program_that_dies_in_silence_has_a_reason_too() {
        assert_eq!(reason("running 1 test\n"), "it ended without a word");
        assert_eq!(reason("error: expect test failed\n"), "another picture");
    }

    #[test]
    fn reason_of_a_list_is_its_first_line() {
        let output = "thread 'a' panicked at x.rs:1:2:\nit did not stay so\n  at y.rs:3:4\n\
                      \x20 plan id: wanted a, got b\n  phase: wanted c, got d\n";
        assert_eq!(reason(output), "it did not stay so: plan id: wanted a, got b");
    }
}
