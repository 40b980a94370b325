//! What kubelet, scheduler and machines say, without what varies from one attempt to the next.

use std::collections::BTreeSet;

use crate::fault::cut;

/// A person reads two lines.
const BYTES_MAX: usize = 300;
/// A word of this many hexadecimal digits is the id of a request or of an attempt.
const ID_DIGITS_MIN: usize = 16;

/// Why an image could not be pulled. Empty if the kubelet only says that it waits before the next
/// attempt.
///
/// The kubelet alternates between the error itself and a back-off around it; both give the same.
pub(super) fn of_pull(text: &str, reason: &str) -> String {
    let mut rest = text.trim();
    while let Some(inner) = unwrapped(rest) {
        rest = inner.trim();
    }
    if rest.starts_with(BACK_OFF) {
        return String::new();
    }
    if rest.is_empty() { reason.to_owned() } else { stable(rest) }
}

const BACK_OFF: &str = "Back-off pulling image";

/// What a wrapper of an error holds.
fn unwrapped(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix(BACK_OFF) {
        // The image is quoted, and holds colons.
        let rest = rest.trim_start().strip_prefix('"')?;
        return rest.split_once('"')?.1.strip_prefix(": ");
    }
    if text.starts_with("rpc error: code = ") {
        return text.split_once(" desc = ").map(|(_, rest)| rest);
    }
    ["ErrImagePull: ", "ImagePullBackOff: "].iter().find_map(|it| text.strip_prefix(it))
}

/// Why no machine fits, without how many there are: that changes with every machine that comes.
pub(super) fn of_scheduler(text: &str) -> String {
    let ends = [" no new claims to deallocate,", " preemption:"];
    let end = ends.iter().filter_map(|it| text.find(it)).min().unwrap_or(text.len());
    let text = &text[..end];
    let Some((_, why)) = text.split_once("nodes are available:") else { return stable(text) };
    let mut why = why.trim().trim_end_matches('.');
    let counted = |part: &str| {
        let (count, rest) = part.split_once(' ').unwrap_or(("", part));
        let is_count = !count.is_empty() && count.bytes().all(|it| it.is_ascii_digit());
        if is_count { rest.to_owned() } else { part.to_owned() }
    };
    let mut reasons = BTreeSet::new();
    // A reason may hold commas; the next one begins with its count.
    while !why.is_empty() {
        let end = why
            .match_indices(", ")
            .map(|(at, _)| at)
            .find(|at| why[at + 2..].bytes().next().is_some_and(|it| it.is_ascii_digit()));
        let (part, rest) = end.map_or((why, ""), |at| (&why[..at], &why[at + 2..]));
        reasons.insert(counted(part.trim()));
        why = rest;
    }
    stable(&reasons.into_iter().collect::<Vec<_>>().join(", "))
}

/// One line of at most two that a person reads; ids of requests and the local ends of connections
/// are left out.
pub(super) fn stable(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(word).collect();
    let text = words.join(" ");
    cut(text.trim_end_matches(['.', ';', ',']).to_owned(), BYTES_MAX)
}

fn word(word: &str) -> String {
    // `read udp 10.0.0.7:41234->10.96.0.10:53`: the first end is another each time.
    if let Some((_, remote)) = word.split_once("->") {
        return remote.to_owned();
    }
    let bare = word.trim_matches(|it: char| !it.is_ascii_alphanumeric());
    let hex = |text: &str| {
        text.bytes().all(|it| it.is_ascii_hexdigit() || it == b'-')
            && text.bytes().filter(u8::is_ascii_hexdigit).count() >= ID_DIGITS_MIN
    };
    if hex(bare) { word.replace(bare, "...") } else { word.to_owned() }
}

#[cfg(test)]
mod tests;
