//! Fixtures in words: one thing a line, a subject, flags and `key=value` pairs.

use std::collections::BTreeMap;

/// One line of a fixture.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) subject: String,
    flags: Vec<String>,
    pairs: BTreeMap<String, String>,
}

/// The lines of `text`; empty ones are skipped.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    text.lines().map(words).filter(|it| !it.is_empty()).map(line).collect()
}

impl Line {
    /// Fails on a word that nobody reads, so that a typo cannot hide.
    pub(crate) fn knows(&self, flags: &[&str], keys: &[&str]) {
        for flag in &self.flags {
            assert!(flags.contains(&flag.as_str()), "\"{}\" knows no \"{flag}\"", self.subject);
        }
        for key in self.pairs.keys() {
            assert!(keys.contains(&key.as_str()), "\"{}\" knows no \"{key}=\"", self.subject);
        }
    }

    pub(crate) fn is(&self, flag: &str) -> bool {
        self.flags.iter().any(|it| it == flag)
    }

    /// The first flag, if there is one.
    pub(crate) fn word(&self) -> Option<&str> {
        self.flags.first().map(String::as_str)
    }

    /// The second flag, if there is one.
    pub(crate) fn second(&self) -> Option<&str> {
        self.flags.get(1).map(String::as_str)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.pairs.get(key).map(String::as_str)
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.get(key).map(str::to_owned)
    }

    pub(crate) fn number(&self, key: &str) -> Option<i64> {
        self.get(key).map(|it| it.parse().unwrap_or_else(|_| panic!("{key}={it} is no number")))
    }

    /// A comma-separated list; empty if the key is missing.
    pub(crate) fn list(&self, key: &str) -> Vec<&str> {
        self.get(key).map(|it| it.split(',').collect()).unwrap_or_default()
    }
}

fn line(words: Vec<String>) -> Line {
    let mut words = words.into_iter();
    let subject = words.next().unwrap_or_default();
    let (mut flags, mut pairs) = (Vec::new(), BTreeMap::new());
    for word in words {
        match word.split_once('=') {
            Some((key, value)) => {
                pairs.insert(key.to_owned(), value.to_owned());
            }
            None => flags.push(word),
        }
    }
    Line { subject, flags, pairs }
}

/// Splits at blanks, except between double quotes.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                words.extend(Some(std::mem::take(&mut word)).filter(|it| !it.is_empty()));
            }
            c => word.push(c),
        }
    }
    words.extend(Some(word).filter(|it| !it.is_empty()));
    words
}
