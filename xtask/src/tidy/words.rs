//! Rules about the text of a file: its header, its promises, its width.

use std::ops::RangeInclusive;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;

use super::Finding;
use super::source::Source;

/// The width that rustfmt keeps for code and nobody keeps for comments.
const COLUMNS_MAX: usize = 100;

/// The first line says what the file owns.
pub fn header(source: &Source) -> Vec<Finding> {
    if source.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![Finding::new(
        &source.path,
        1,
        "the first line must be `//! `: one sentence, what this file owns",
    )]
}

/// A promise without an issue is kept by nobody.
pub fn todo_has_issue(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().enumerate();
    let open = lines.filter(|(_, line)| comment(line).is_some_and(is_open_promise));
    open.map(|(index, _)| {
        Finding::new(&source.path, index + 1, "write `TODO(#issue)`, or do it now")
    })
    .collect()
}

/// The comment on a line; a `//` after a quote or a colon is data or an address.
fn comment(line: &str) -> Option<&str> {
    let start = line.find("//")?;
    (!line[..start].ends_with([':', '"', '`'])).then(|| &line[start..])
}

fn is_open_promise(comment: &str) -> bool {
    ["TODO", "FIXME", "XXX"].iter().any(|word| {
        let numbered = format!("{word}(#");
        comment
            .match_indices(word)
            .any(|(at, _)| is_word(comment, at, word) && !comment[at..].starts_with(&numbered))
    })
}

fn is_word(text: &str, at: usize, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '`' | '"');
    let before = text[..at].chars().next_back();
    let after = text[at + word.len()..].chars().next();
    !before.is_some_and(joins) && !after.is_some_and(joins)
}

/// Lines stay readable side by side; a line that is one long literal or address cannot be broken.
pub fn columns(source: &Source) -> Vec<Finding> {
    let mut literals = Vec::new();
    multi_line_literals(source.syntax.to_token_stream(), &mut literals);
    let is_literal = |line: usize| literals.iter().any(|lines| lines.contains(&line));
    let lines = source.text.lines().enumerate().map(|(index, text)| (index + 1, text));
    lines
        .filter(|(_, text)| text.chars().count() > COLUMNS_MAX && !is_unbreakable(text))
        .filter(|(line, _)| !is_literal(*line))
        .map(|(line, _)| {
            Finding::new(&source.path, line, format!("more than {COLUMNS_MAX} columns"))
        })
        .collect()
}

fn is_unbreakable(line: &str) -> bool {
    line.contains('"') || line.contains("://")
}

/// The lines of each string that spans several, such as a picture in a test.
fn multi_line_literals(stream: TokenStream, lines: &mut Vec<RangeInclusive<usize>>) {
    for tree in stream {
        match tree {
            TokenTree::Group(group) => multi_line_literals(group.stream(), lines),
            TokenTree::Literal(literal) => {
                let span = literal.span();
                let (first, last) = (span.start().line, span.end().line);
                if first < last {
                    lines.push(first..=last);
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    //! What the text of a file may and may not say.

    use super::*;

    fn lines(rule: fn(&Source) -> Vec<Finding>, text: &str) -> Vec<usize> {
        let source = Source::parse("crates/a/src/b.rs", text).unwrap();
        rule(&source).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn file_without_header_is_found() {
        assert!(lines(header, "//! Owns nothing.\n").is_empty());
        assert_eq!(lines(header, "use std::fs;\n//! Late.\n".split_once("//").unwrap().0), [1]);
        assert_eq!(lines(header, "// A comment.\n"), [1]);
    }

    #[test]
    fn promise_without_issue_is_found() {
        let promise = |word: &str| format!("//! A.\n// {word}: later\n");
        for word in ["TODO", "FIXME", "XXX"] {
            assert_eq!(lines(todo_has_issue, &promise(word)), [2], "{word}");
        }
        assert!(lines(todo_has_issue, &promise("TODO(#7)")).is_empty());
        assert!(lines(todo_has_issue, "const T: &str = \"TODO\";\n").is_empty());
    }

    #[test]
    fn wide_comment_is_found_but_not_a_wide_literal() {
        let wide = "x".repeat(COLUMNS_MAX);
        assert_eq!(lines(columns, &format!("// {wide}\n")), [1]);
        assert!(lines(columns, &format!("const T: &str = \"{wide}\";\n")).is_empty());
        let picture = format!("const T: &str = r#\"\n{wide}y\n\"#;\n// {wide}\n");
        assert_eq!(lines(columns, &picture), [4], "only what follows the literal");
        assert!(lines(columns, &format!("const T: &str = \"\n{wide}y\n\";\n")).is_empty());
    }
}
