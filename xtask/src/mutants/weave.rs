//! Many mutants in one source: each changed function asks which one is on.
//!
//! A function's body becomes a choice between whole bodies, so an edit may be anything inside one:
//! an arm of a match, a binding, two statements. Mutants of one function do not disturb each other.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};

use super::mutant::Mutant;
use super::place::{self, Bytes};
use crate::tidy::Source;

/// The variable that turns one mutant on in a woven program.
pub const SWITCH: &str = "SEI_MUTANT";

/// The text of each changed file, by path, with every mutant in it, and of the files that hold the
/// switch.
///
/// # Errors
/// An edit does not apply, or leaves something that is no Rust; the first is told.
pub fn weave(sources: &[Source], mutants: &[Mutant]) -> Result<BTreeMap<String, String>> {
    let mut files: BTreeMap<&str, Bodies<'_>> = BTreeMap::new();
    for mutant in mutants {
        let changed = changed(sources, mutant).with_context(|| mutant.path())?;
        for ((path, start), body) in changed {
            files.entry(path).or_default().entry(start).or_default().push((&mutant.id, body));
        }
    }
    let mut woven = BTreeMap::new();
    for (path, bodies) in files {
        woven.insert(path.to_owned(), choices(&source(sources, path)?.text, bodies));
    }
    let roots: BTreeSet<String> = woven.keys().filter_map(|path| root_of(path)).collect();
    for root in roots {
        let text = match woven.get(&root) {
            Some(text) => text,
            None => &source(sources, &root)?.text,
        };
        let text = format!("{text}\nmod mutant;\n");
        woven.insert(root.replace("/lib.rs", "/mutant.rs"), switch());
        woven.insert(root, text);
    }
    Ok(woven)
}

/// The root of the library that the file at `path` is part of.
fn root_of(path: &str) -> Option<String> {
    let (package, _) = path.split_once("/src/")?;
    Some(format!("{package}/src/lib.rs"))
}

/// Text of the module that says which mutant is on.
fn switch() -> String {
    format!(
        "//! Which mutant is on.\n\
         pub(crate) fn active() -> &'static str {{\n\
         \x20   static ACTIVE: std::sync::LazyLock<String> =\n\
         \x20       std::sync::LazyLock::new(|| std::env::var(\"{SWITCH}\").unwrap_or_default());\n\
         \x20   &ACTIVE\n\
         }}\n"
    )
}

/// The bodies that one mutant changes, by file and by where the original begins.
///
/// # Errors
/// As [`weave`].
pub fn changed<'a>(
    sources: &'a [Source],
    mutant: &Mutant,
) -> Result<BTreeMap<(&'a str, usize), Body>> {
    let mut edits: BTreeMap<(&str, usize), Change<'_>> = BTreeMap::new();
    for edit in &mutant.edits {
        let source = source(sources, &edit.file)?;
        let place = place::find(source, &edit.original)?;
        let key = (source.path.as_str(), place.body.start);
        let change = Change { body: place.body, parts: Vec::new() };
        edits.entry(key).or_insert(change).parts.push((place.at, &edit.mutated));
    }
    let bodies = edits.into_iter().map(|((path, start), Change { body, parts })| {
        let text = replaced(&source(sources, path)?.text, &body, parts)?;
        let parsed = syn::parse_str::<syn::Block>(&text);
        parsed.with_context(|| format!("the mutated function is no Rust:\n{text}"))?;
        Ok(((path, start), Body { original: body, mutated: text }))
    });
    bodies.collect()
}

/// The edits inside one body.
struct Change<'a> {
    body: Bytes,
    parts: Vec<(Bytes, &'a str)>,
}

/// A function's body, as it is and as a mutant has it.
#[derive(Debug)]
pub struct Body {
    original: Bytes,
    mutated: String,
}

/// By where the original begins: the mutants of that body.
type Bodies<'a> = BTreeMap<usize, Vec<(&'a str, Body)>>;

fn source<'a>(sources: &'a [Source], path: &str) -> Result<&'a Source> {
    sources.iter().find(|it| it.path == path).with_context(|| format!("there is no file {path}"))
}

fn replaced(text: &str, body: &Bytes, mut parts: Vec<(Bytes, &str)>) -> Result<String> {
    parts.sort_by_key(|(at, _)| at.start);
    let (mut new, mut rest) = (String::new(), body.start);
    for (at, mutated) in parts {
        ensure!(rest <= at.start, "two edits overlap");
        new.push_str(&text[rest..at.start]);
        new.push_str(mutated);
        rest = at.end;
    }
    new.push_str(&text[rest..body.end]);
    Ok(new)
}

fn choices(text: &str, bodies: Bodies<'_>) -> String {
    let (mut new, mut rest) = (String::new(), 0);
    for mutated in bodies.into_values() {
        let Some(original) = mutated.first().map(|(_, body)| body.original.clone()) else {
            continue;
        };
        new.push_str(&text[rest..original.start]);
        new.push_str("{ match crate::mutant::active() {");
        for (id, body) in &mutated {
            new.push_str(&format!("\n\"{id}\" => {}", body.mutated));
        }
        new.push_str(&format!("\n_ => {}\n}} }}", &text[original.clone()]));
        rest = original.end;
    }
    new.push_str(&text[rest..]);
    new
}

#[cfg(test)]
mod tests {
    //! The original stays whole beside its mutants.

    use expect_test::expect;

    use super::*;
    use crate::mutants::mutant::Edit;

    fn mutant(id: &str, edits: &[(&str, &str)]) -> Mutant {
        let edit = |(original, mutated): &(&str, &str)| Edit {
            file: "crates/a/src/b.rs".to_owned(),
            original: (*original).to_owned(),
            mutated: (*mutated).to_owned(),
        };
        Mutant {
            id: id.to_owned(),
            breaks: "sums".to_owned(),
            killed_by: Vec::new(),
            says: Vec::new(),
            hangs: false,
            edits: edits.iter().map(edit).collect(),
        }
    }

    fn woven(mutants: &[Mutant]) -> Result<String> {
        let text = "fn a(x: i32) -> i32 {\n    match x {\n        0 => 1,\n        _ => x + 2,\n    }\n}\n\
                    fn b() {}\nfn c() -> i32 {\n    3\n}\n";
        let sources = [
            Source::parse("crates/a/src/b.rs", text)?,
            Source::parse("crates/a/src/lib.rs", "mod b;")?,
        ];
        let woven = weave(&sources, mutants)?;
        assert_eq!(woven["crates/a/src/lib.rs"], "mod b;\nmod mutant;\n");
        syn::parse_file(&woven["crates/a/src/mutant.rs"])?;
        let text = woven["crates/a/src/b.rs"].clone();
        syn::parse_file(&text)?;
        Ok(text)
    }

    #[test]
    fn each_function_chooses_among_its_bodies() {
        let mutants =
            [mutant("M1", &[("0 => 1,", ""), ("3", "4")]), mutant("M2", &[("x + 2", "x - 2")])];
        expect![[r#"
            fn a(x: i32) -> i32 { match crate::mutant::active() {
            "M1" => {
                match x {
                    
                    _ => x + 2,
                }
            }
            "M2" => {
                match x {
                    0 => 1,
                    _ => x - 2,
                }
            }
            _ => {
                match x {
                    0 => 1,
                    _ => x + 2,
                }
            }
            } }
            fn b() {}
            fn c() -> i32 { match crate::mutant::active() {
            "M1" => {
                4
            }
            _ => {
                3
            }
            } }
        "#]]
        .assert_eq(&woven(&mutants).unwrap());
    }

    #[test]
    fn edit_that_does_not_fit_names_its_mutant() {
        let told =
            |edits: &[(&str, &str)]| format!("{:#}", woven(&[mutant("M7", edits)]).unwrap_err());
        assert_eq!(
            told(&[("7", "8")]),
            "mutants/M7.toml: no function of crates/a/src/b.rs holds the original"
        );
        assert_eq!(told(&[("x + 2", "1"), ("+ 2", "- 2")]), "mutants/M7.toml: two edits overlap");
        assert!(told(&[("3", "let")]).contains("the mutated function is no Rust"));
    }
}
