//! Where an edit applies: one place inside the body of one function.
//!
//! Tokens are compared, not text: a line that is broken elsewhere, or a comment, changes nothing.

use std::ops::Range;

use anyhow::{Result, anyhow, bail};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::Visit;

use crate::tidy::{Source, is_test_item};

/// Bytes of a file.
pub type Bytes = Range<usize>;

/// One place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The body of the outermost function around it, braces included.
    pub body: Bytes,
    /// The place itself.
    pub at: Bytes,
}

/// The one place of `source` whose tokens are those of `original`.
///
/// # Errors
/// There is none in a function that is shipped, or more than one; `original` is no Rust.
pub fn find(source: &Source, original: &str) -> Result<Place> {
    let wanted = tokens(parse(original)?);
    let mut functions = Functions { found: Vec::new() };
    functions.visit_file(&source.syntax);
    let mut places: Vec<Place> = Vec::new();
    for (signature, body) in functions.found {
        let found = occurrences(body, &wanted);
        if !found.is_empty() && is_opaque(signature) {
            bail!("\"{}\" returns an opaque type: change its caller instead", signature.ident);
        }
        places.extend(found);
    }
    match places.as_slice() {
        [place] => Ok(place.clone()),
        [] => bail!("no function of {} holds the original", source.path),
        _ => bail!("the functions of {} hold the original {} times", source.path, places.len()),
    }
}

fn parse(text: &str) -> Result<TokenStream> {
    let stream: TokenStream =
        text.parse().map_err(|err| anyhow!("the original is no Rust: {err}"))?;
    if stream.is_empty() {
        bail!("the original is empty");
    }
    Ok(stream)
}

fn occurrences(body: &syn::Block, wanted: &[Token]) -> Vec<Place> {
    let held = tokens(body.to_token_stream());
    let outer = body.brace_token.span;
    let body = outer.open().byte_range().start..outer.close().byte_range().end;
    let same = |window: &[Token]| window.iter().zip(wanted).all(|(a, b)| a.text == b.text);
    held.windows(wanted.len())
        .filter(|window| same(window))
        .filter_map(|window| Some(window.first()?.at.start..window.last()?.at.end))
        .map(|at| Place { body: body.clone(), at })
        .collect()
}

struct Token {
    text: String,
    at: Bytes,
}

fn tokens(stream: TokenStream) -> Vec<Token> {
    let mut found = Vec::new();
    flatten(stream, &mut found);
    found
}

fn flatten(stream: TokenStream, found: &mut Vec<Token>) {
    for tree in stream {
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = delimiters(&group);
                found.push(Token { text: open.to_owned(), at: group.span_open().byte_range() });
                flatten(group.stream(), found);
                found.push(Token { text: close.to_owned(), at: group.span_close().byte_range() });
            }
            other => {
                found.push(Token { text: other.to_string(), at: other.span().byte_range() });
            }
        }
    }
}

fn delimiters(group: &Group) -> (&'static str, &'static str) {
    match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

/// Does it return `impl …`? Two bodies then have two types.
fn is_opaque(signature: &syn::Signature) -> bool {
    let output = tokens(signature.output.to_token_stream());
    output.iter().any(|it| it.text == "impl")
}

/// Signatures and bodies of the functions that are shipped; what is inside one belongs to it.
struct Functions<'ast> {
    found: Vec<(&'ast syn::Signature, &'ast syn::Block)>,
}

impl<'ast> Visit<'ast> for Functions<'ast> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_test_item(&module.attrs) {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        if !is_test_item(&function.attrs) {
            self.found.push((&function.sig, &function.block));
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.found.push((&function.sig, &function.block));
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        self.found.extend(function.default.as_ref().map(|body| (&function.sig, body)));
    }
}

#[cfg(test)]
mod tests {
    //! One place is found, whatever the line breaks; none or two are an error.

    use super::*;

    const TEXT: &str = "//! ünïcode first.\nstruct S;\nimpl S {\n    fn sum(&self) -> i32 {\n\
                        \x20       // Why.\n        one(\n            1,\n        )\n    }\n}\n\
                        fn two() -> i32 { 2 + 2 }\n\
                        fn many() -> impl Iterator { [4].into_iter() }\n\
                        #[cfg(test)]\nmod tests { fn sum() { one(1,) } }\n";

    fn found(original: &str) -> Result<(String, String)> {
        let source = Source::parse("crates/a/src/b.rs", TEXT)?;
        let Place { body, at } = find(&source, original)?;
        Ok((TEXT[body].to_owned(), TEXT[at].to_owned()))
    }

    #[test]
    fn line_breaks_and_comments_do_not_matter() {
        let (body, at) = found("one(1,)").unwrap();
        assert!(body.starts_with("{\n        // Why.") && body.ends_with("    }"), "{body}");
        assert_eq!(at, "one(\n            1,\n        )");
    }

    #[test]
    fn none_and_two_are_told() {
        let told = |original: &str| found(original).unwrap_err().to_string();
        assert_eq!(told("3"), "no function of crates/a/src/b.rs holds the original");
        assert_eq!(told("2"), "the functions of crates/a/src/b.rs hold the original 2 times");
        assert_eq!(told("struct S"), "no function of crates/a/src/b.rs holds the original");
        assert_eq!(told(""), "the original is empty");
        assert_eq!(told("4"), "\"many\" returns an opaque type: change its caller instead");
        assert!(told("one(").starts_with("the original is no Rust"));
    }
}
