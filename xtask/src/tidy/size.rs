//! Rules about size: a file and a function fit into one head.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::Finding;
use super::source::Source;

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// Files that are one table or one literal, by path, with the reason.
const LONG_FILES: [(&str, &str); 0] = [];

/// A source file has at most 600 lines.
pub fn file(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().count();
    let is_excepted = LONG_FILES.iter().any(|(path, _)| *path == source.path);
    if lines <= FILE_LINES_MAX || is_excepted {
        return Vec::new();
    }
    let message = format!("{lines} lines, at most {FILE_LINES_MAX}: split it by idea");
    vec![Finding::new(&source.path, 0, message)]
}

/// A function has at most 70 lines; `#[expect(clippy::too_many_lines, reason = …)]` names the
/// tables that have more.
pub fn functions(source: &Source) -> Vec<Finding> {
    let mut lengths = Lengths { path: &source.path, findings: Vec::new() };
    lengths.visit_file(&source.syntax);
    lengths.findings
}

struct Lengths<'a> {
    path: &'a str,
    findings: Vec<Finding>,
}

impl Lengths<'_> {
    fn check(&mut self, attributes: &[syn::Attribute], name: &syn::Ident, body: &syn::Block) {
        let first = name.span().start().line;
        let lines = body.span().end().line - first + 1;
        if lines > FUNCTION_LINES_MAX && !attributes.iter().any(is_excuse) {
            let message = format!(
                "function \"{name}\" has {lines} lines, at most {FUNCTION_LINES_MAX}: extract a step"
            );
            self.findings.push(Finding::new(self.path, first, message));
        }
    }
}

fn is_excuse(attribute: &syn::Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    list.path.is_ident("expect") && list.tokens.to_string().contains("too_many_lines")
}

impl<'ast> Visit<'ast> for Lengths<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.check(&function.attrs, &function.sig.ident, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.check(&function.attrs, &function.sig.ident, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.check(&function.attrs, &function.sig.ident, body);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    //! The limits hold to the line.

    use super::*;

    fn function_of(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    fn found(rule: fn(&Source) -> Vec<Finding>, text: &str) -> Vec<String> {
        let source = Source::parse("crates/a/src/b.rs", text).unwrap();
        rule(&source).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn function_one_line_too_long_is_found() {
        assert!(found(functions, &function_of(70)).is_empty());
        assert_eq!(
            found(functions, &function_of(71)),
            ["crates/a/src/b.rs:1: function \"long\" has 71 lines, at most 70: extract a step"]
        );
        let method = format!("struct S;\nimpl S {{\n{}}}\n", function_of(71));
        assert_eq!(found(functions, &method).len(), 1);
    }

    #[test]
    fn named_table_may_be_long() {
        let excused =
            format!("#[expect(clippy::too_many_lines, reason = \"a table\")]\n{}", function_of(90));
        assert!(found(functions, &excused).is_empty());
    }

    #[test]
    fn file_one_line_too_long_is_found() {
        assert!(found(file, &"\n".repeat(600)).is_empty());
        assert_eq!(
            found(file, &"\n".repeat(601)),
            ["crates/a/src/b.rs: 601 lines, at most 600: split it by idea"]
        );
    }
}
