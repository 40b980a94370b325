//! What went wrong, who has to act, and how it is said.

use std::fmt;

/// What happens next. The shell never chooses; it only obeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Not yet. Wait for the watch or the poll; costs no attempt.
    Waiting,
    /// Somebody else wrote first. Read again at once; costs no attempt.
    Conflict,
    /// This attempt failed. Retry with back-off, counted where the task has a budget.
    Transient,
    /// Cannot succeed with this input. Ends the plan; a change of the spec may start another.
    Terminal,
}

/// One thing that did not work, in words that stay the same from one attempt to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Who has to act.
    pub class: Class,
    /// Lower case, no full stop, names in double quotes, at most [`DETAIL_BYTES_MAX`] bytes.
    pub detail: String,
}

/// A condition message may hold 32 KiB; a person reads two lines.
pub const DETAIL_BYTES_MAX: usize = 1024;

impl Fault {
    /// A fault of `class`; `detail` is cut to [`DETAIL_BYTES_MAX`].
    #[must_use]
    pub fn new(class: Class, detail: impl Into<String>) -> Self {
        Self { class, detail: cut(detail.into(), DETAIL_BYTES_MAX) }
    }

    /// Not yet; a watch event or a poll will tell.
    #[must_use]
    pub fn waiting(detail: impl Into<String>) -> Self {
        Self::new(Class::Waiting, detail)
    }

    /// This attempt failed; another may succeed.
    #[must_use]
    pub fn transient(detail: impl Into<String>) -> Self {
        Self::new(Class::Transient, detail)
    }

    /// No attempt can succeed with this input.
    #[must_use]
    pub fn terminal(detail: impl Into<String>) -> Self {
        Self::new(Class::Terminal, detail)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

/// Cuts `text` to at most `bytes_max` bytes at a character boundary.
#[must_use]
pub fn cut(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        let end = (0..=bytes_max).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// Shortens `text` to at most `bytes_max` bytes: whole words of it and an ellipsis. What has no
/// blank in its second half, such as one long name, is cut within the word.
#[must_use]
pub fn shorten(text: String, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text;
    }
    let room = bytes_max.saturating_sub(ELLIPSIS.len());
    let mut kept = cut(text.clone(), room);
    let ends_a_word = text[kept.len()..].starts_with(char::is_whitespace);
    let blank = kept.rfind(char::is_whitespace).filter(|at| at * 2 >= kept.len());
    if let (false, Some(blank)) = (ends_a_word, blank) {
        kept.truncate(blank);
    }
    let end = kept.trim_end_matches([' ', ',', ';', ':', '.']).len();
    kept.truncate(end);
    if bytes_max >= ELLIPSIS.len() {
        kept.push_str(ELLIPSIS);
    }
    kept
}

/// Stands for what is left out.
const ELLIPSIS: &str = "…";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        let table =
            [("abc", 3, "abc"), ("abc", 2, "ab"), ("aé", 2, "a"), ("é", 1, ""), ("", 0, "")];
        for (text, bytes, expected) in table {
            assert_eq!(cut(text.to_owned(), bytes), expected, "{text} {bytes}");
        }
        let long = Fault::transient("é".repeat(DETAIL_BYTES_MAX));
        assert_eq!(long.detail.len(), DETAIL_BYTES_MAX);
    }

    #[test]
    fn text_is_shortened_between_words() {
        let table = [
            ("image cannot be pulled", 22, "image cannot be pulled"),
            ("image cannot be pulled", 21, "image cannot be…"),
            ("image cannot be pulled", 18, "image cannot be…"),
            ("image cannot be pulled", 17, "image cannot…"),
            ("cannot be; pulled", 14, "cannot be…"),
            ("a name-without-any-blank", 12, "a name-wi…"),
            ("éééé", 6, "é…"),
            ("abcd", 3, "…"),
            ("abcd", 2, ""),
        ];
        for (text, bytes, expected) in table {
            let short = shorten(text.to_owned(), bytes);
            assert_eq!(short, expected, "{text} {bytes}");
            assert!(short.len() <= bytes, "{text} {bytes}");
        }
    }

    #[test]
    fn the_most_final_fault_decides() {
        use crate::effect::{Outcome, worst};
        let done = || Outcome::Done { uid: None };
        let failed = |class| Outcome::Failed(Fault::new(class, ""));
        let outcomes = [done(), failed(Class::Conflict), failed(Class::Waiting), done()];
        assert_eq!(worst(&outcomes).map(|it| it.class), Some(Class::Conflict));
        assert_eq!(worst(&[done()]), None);
        let all = [Class::Waiting, Class::Conflict, Class::Transient, Class::Terminal];
        assert_eq!(worst(&all.map(failed)).map(|it| it.class), Some(Class::Terminal));
    }
}
