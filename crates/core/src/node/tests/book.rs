//! `docs/troubleshooting.md` has a section for whatever a node says of its trouble.

use crate::node::diagnosis::PRECEDENCE;

/// Whoever reads a word of the closed set finds what to do about it.
#[test]
fn every_reason_has_a_section_in_the_book() {
    let book = include_str!("../../../../../docs/troubleshooting.md");
    let headings: Vec<&str> = book.lines().filter_map(|it| it.strip_prefix("## ")).collect();
    let words: Vec<&str> = PRECEDENCE.iter().map(|(reason, _)| reason.as_str()).collect();
    let told: Vec<&str> = headings.iter().copied().filter(|it| words.contains(it)).collect();
    assert_eq!(told, words, "the sections follow the order in which causes are told");
    for (reason, event) in PRECEDENCE {
        assert_eq!(reason.as_str(), event.as_str(), "an event has the section of its reason");
    }
}
