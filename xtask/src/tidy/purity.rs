//! What sei-core must never see: effects, clocks, chance, order that is not an order.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;

use super::Finding;
use super::source::{Source, is_test_item};

/// Words that no file of core may use outside its tests, with what to do instead.
const WORDS: [(&str, &str); 17] = [
    ("async", "decide is synchronous: ask for a read in `Needs`"),
    ("await", "decide is synchronous: ask for a read in `Needs`"),
    ("tokio", "no runtime in core"),
    ("futures", "no runtime in core"),
    ("tracing", "core does not log: return a notice"),
    ("log", "core does not log: return a notice"),
    ("Instant", "the time comes in as an observation"),
    ("SystemTime", "the time comes in as an observation"),
    ("now_utc", "the time comes in as an observation"),
    ("rand", "fresh ids come in as observations"),
    ("new_v4", "fresh ids come in as observations"),
    ("HashMap", "iteration must have an order: `BTreeMap`"),
    ("HashSet", "iteration must have an order: `BTreeSet`"),
    ("Mutex", "core shares nothing that changes"),
    ("RwLock", "core shares nothing that changes"),
    ("println", "core does not print: return a notice"),
    ("eprintln", "core does not print: return a notice"),
];

/// Modules of std that reach outside the process or the call.
const STD_MODULES: [&str; 6] = ["env", "fs", "io", "net", "process", "thread"];

/// Types whose `now` reads the clock.
const CLOCKS: [&str; 3] = ["Timestamp", "Zoned", "Utc"];

/// Packages that must not be built into core.
const PACKAGES: [&str; 8] =
    ["tokio", "futures", "hyper", "reqwest", "tower", "tracing", "rand", "kube-client"];

/// Forbidden words in the code of core; its tests are free.
pub fn core_words(source: &Source) -> Vec<Finding> {
    if !source.is_in_crate("core") || source.is_test() {
        return Vec::new();
    }
    let mut tokens = Vec::new();
    for item in &source.syntax.items {
        if !is_test_item(attributes_of(item)) {
            flatten(item.to_token_stream(), &mut tokens);
        }
    }
    let complaints = (0..tokens.len()).filter_map(|at| complaint(&tokens, at));
    complaints.map(|(line, message)| Finding::new(&source.path, line, message)).collect()
}

/// Forbidden packages in the output of `cargo tree -p sei-core`.
pub fn core_tree(tree: &str) -> Vec<Finding> {
    let packages = tree.lines().filter_map(|line| line.split_whitespace().next());
    let mut forbidden: Vec<_> = packages.filter(|name| PACKAGES.contains(name)).collect();
    forbidden.sort_unstable();
    forbidden.dedup();
    let manifest = "crates/core/Cargo.toml";
    forbidden
        .into_iter()
        .map(|name| Finding::new(manifest, 0, format!("\"{name}\" is built into core")))
        .collect()
}

struct Token {
    text: String,
    line: usize,
}

fn complaint(tokens: &[Token], at: usize) -> Option<(usize, String)> {
    let text = |offset: usize| tokens.get(at + offset).map(|token| token.text.as_str());
    let (word, line) = (text(0)?, tokens.get(at)?.line);
    // `::` arrives as two marks.
    let is_path = text(1) == Some(":") && text(2) == Some(":");
    if let Some((_, advice)) = WORDS.iter().find(|(banned, _)| *banned == word) {
        let is_field_or_name = word == "log" && !is_path;
        return (!is_field_or_name).then(|| (line, format!("`{word}` in core: {advice}")));
    }
    if CLOCKS.contains(&word) && is_path && text(3) == Some("now") {
        return Some((line, format!("`{word}::now` in core: the time comes in as an observation")));
    }
    if word == "std" && is_path {
        let module = std_modules(&tokens[at + 3..]).find(|name| STD_MODULES.contains(name))?;
        return Some((line, format!("`std::{module}` in core: effects are the shell's")));
    }
    None
}

/// The modules named after `std::`: one, or each first word inside a brace.
fn std_modules(rest: &[Token]) -> impl Iterator<Item = &str> {
    let is_group = rest.first().is_some_and(|token| token.text == "{");
    let end = if is_group { rest.iter().position(|token| token.text == "}") } else { Some(1) };
    rest[..end.unwrap_or(rest.len()).min(rest.len())].iter().map(|token| token.text.as_str())
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    _ => ("(", ")"),
                };
                tokens.push(Token { text: open.to_owned(), line });
                flatten(group.stream(), tokens);
                tokens.push(Token { text: close.to_owned(), line });
            }
            TokenTree::Ident(ident) => tokens.push(Token { text: ident.to_string(), line }),
            TokenTree::Punct(mark) => tokens.push(Token { text: mark.to_string(), line }),
            // What a string says is data, not a use.
            TokenTree::Literal(_) => {}
        }
    }
}

fn attributes_of(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    //! Each forbidden word is found in core, and nowhere else.

    use super::*;

    fn found(text: &str) -> Vec<String> {
        let source = Source::parse("crates/core/src/a.rs", text).unwrap();
        core_words(&source).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn effects_in_core_are_found() {
        for text in [
            "async fn a() {}",
            "use std::collections::HashMap;",
            "use std::{collections::BTreeMap, fs};",
            "fn a() { let _ = std::env::var(\"A\"); }",
            "fn a() { let _ = jiff::Timestamp::now(); }",
            "fn a() { let _ = std::time::Instant::now(); }",
            "fn a() { let _ = uuid::Uuid::new_v4(); }",
            "fn a() { tracing::info!(\"hello\"); }",
            "fn a() { log::info!(\"hello\"); }",
            "fn a() { b!(tokio::spawn(c)); }",
        ] {
            assert_eq!(found(text).len(), 1, "{text}: {:?}", found(text));
        }
    }

    #[test]
    fn pure_code_data_and_tests_are_free() {
        for text in [
            "use std::collections::{BTreeMap, BTreeSet};",
            "const TEXT: &str = \"async HashMap\";",
            "/// Not `async`.\nfn a(now: Timestamp, log: u8) -> u8 { log }",
            "#[cfg(test)]\nmod tests { use std::collections::HashMap; }",
        ] {
            assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        }
        let shell = Source::parse("crates/operator/src/a.rs", "async fn a() {}").unwrap();
        assert!(core_words(&shell).is_empty());
    }

    #[test]
    fn runtime_under_core_is_found() {
        let tree = "sei-core v0.1.0 (/somewhere)\nserde v1.0.1\ntokio v1.52.0\ntokio v1.52.0 (*)\n";
        let found: Vec<_> = core_tree(tree).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["crates/core/Cargo.toml: \"tokio\" is built into core"]);
    }
}
