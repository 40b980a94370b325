//! One way to break the operator, as a file of `mutants/` says it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Deserializer};

/// Directory of the mutants, one file each: `M5.toml` is mutant M5.
const DIRECTORY: &str = "mutants";

/// A change of the production sources that must not go unnoticed.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mutant {
    /// Name of its file.
    #[serde(skip)]
    pub id: String,
    /// What it breaks, in one sentence.
    pub breaks: String,
    /// Tests that must fail, each by itself: program and path, such as `it::rollout::end_to_end`.
    pub killed_by: Vec<String>,
    /// Parts of what a failing test says, so that no test fails for another reason; one will do.
    #[serde(default, deserialize_with = "one_or_more")]
    pub says: Vec<String>,
    /// Whether a test that hangs is what it brings about; else a test that hangs judges nothing.
    #[serde(default)]
    pub hangs: bool,
    /// The change.
    pub edits: Vec<Edit>,
}

/// A part of one function, and what it becomes.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Edit {
    /// Path of the source file from the root of the checkout.
    pub file: String,
    /// Tokens that the bodies of its functions hold exactly once.
    pub original: String,
    /// What stands there instead; may be empty.
    pub mutated: String,
}

/// A text, or a list of texts.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        One(String),
        More(Vec<String>),
    }
    Ok(match Texts::deserialize(deserializer)? {
        Texts::One(text) => vec![text],
        Texts::More(texts) => texts,
    })
}

impl Mutant {
    /// Path of its file from the root of the checkout.
    pub fn path(&self) -> String {
        format!("{DIRECTORY}/{}.toml", self.id)
    }

    fn parse(id: &str, text: &str) -> Result<Self> {
        let mutant = Self { id: id.to_owned(), ..toml::from_str(text)? };
        ensure!(!mutant.killed_by.is_empty(), "killed-by names no test");
        ensure!(!mutant.edits.is_empty(), "there is no edit");
        Ok(mutant)
    }
}

/// Every mutant, by letter and number.
///
/// # Errors
/// A file cannot be read, or is none.
pub fn read_all(root: &Path) -> Result<Vec<Mutant>> {
    let directory = root.join(DIRECTORY);
    let mut mutants = Vec::new();
    let entries = fs::read_dir(&directory)
        .with_context(|| format!("list the directory {}", directory.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "toml") {
            let id = path.file_stem().unwrap_or_default().to_string_lossy();
            let shown = path.display();
            let text = fs::read_to_string(&path).with_context(|| format!("read {shown}"))?;
            let mutant = Mutant::parse(&id, &text).with_context(|| format!("read {shown}"))?;
            mutants.push(mutant);
        }
    }
    mutants.sort_by_key(|it| order(&it.id));
    Ok(mutants)
}

/// `M9` comes before `M10a`, and that before `M10b`.
fn order(id: &str) -> (String, u32, String) {
    let digit = |it: char| it.is_ascii_digit();
    let (letters, rest) = id.split_at(id.find(digit).unwrap_or(id.len()));
    let (number, variant) = rest.split_at(rest.find(|it| !digit(it)).unwrap_or(rest.len()));
    (letters.to_owned(), number.parse().unwrap_or_default(), variant.to_owned())
}

#[cfg(test)]
mod tests {
    //! What a file of a mutant may say.

    use super::*;

    const WHOLE: &str = r#"
        breaks = "one and one is three"
        killed-by = ["core::sum::tests::adds"]
        [[edits]]
        file = "crates/core/src/sum.rs"
        original = "1 + 1"
        mutated = "3"
    "#;

    #[test]
    fn file_is_read_and_its_name_is_the_id() {
        let mutant = Mutant::parse("M1", WHOLE).unwrap();
        assert_eq!((mutant.id.as_str(), mutant.edits[0].mutated.as_str()), ("M1", "3"));
        assert_eq!(mutant.path(), "mutants/M1.toml");
    }

    #[test]
    fn file_without_test_or_with_a_misspelt_field_is_refused() {
        let without = WHOLE.replace("\"core::sum::tests::adds\"", "");
        assert!(Mutant::parse("M1", &without).is_err());
        assert!(Mutant::parse("M1", &WHOLE.replace("mutated", "mutation")).is_err());
    }

    #[test]
    fn numbers_are_sorted_as_numbers() {
        let mut ids = ["N1", "M10b", "M10a", "M9"];
        ids.sort_by_key(|it| order(it));
        assert_eq!(ids, ["M9", "M10a", "M10b", "N1"]);
    }
}
