//! Rules about attributes and macros: what may be silenced, and who may print.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::Finding;
use super::source::{Source, is_test_item};

/// Lints that stand for "nothing panics after start-up"; only test support may expect them.
const PANIC_LINTS: [&str; 5] =
    ["unwrap_used", "expect_used", "clippy :: panic", "clippy :: todo", "unimplemented"];

/// Files whose job is to talk to a person or to start the process.
const CLI_PATHS: [&str; 5] =
    ["xtask/src/", "crates/bench/src/", "/src/bin/", "/examples/", "crates/operator/src/main.rs"];

/// Where a failed expectation is the purpose, as in a test.
const TEST_SUPPORT: [&str; 1] = ["harness"];

/// `#[allow]` rots, `#[ignore]` and `should_panic` hide; an excuse from the panic lints needs a
/// test or a start-up around it.
pub fn attributes(source: &Source) -> Vec<Finding> {
    let mut walk = Walk::new(source);
    walk.visit_file(&source.syntax);
    walk.attributes
}

/// Only command-line tools print; `dbg!` and `unreachable!` stay on the desk.
pub fn output(source: &Source) -> Vec<Finding> {
    let mut walk = Walk::new(source);
    walk.visit_file(&source.syntax);
    walk.macros
}

struct Walk<'a> {
    source: &'a Source,
    in_test: bool,
    attributes: Vec<Finding>,
    macros: Vec<Finding>,
}

impl<'a> Walk<'a> {
    fn new(source: &'a Source) -> Self {
        Self { source, in_test: source.is_test(), attributes: Vec::new(), macros: Vec::new() }
    }

    fn is_cli(&self) -> bool {
        CLI_PATHS.iter().any(|path| self.source.path.contains(path))
    }

    fn may_panic(&self) -> bool {
        self.in_test
            || self.is_cli()
            || TEST_SUPPORT.iter().any(|name| self.source.is_in_crate(name))
    }
}

/// The complaint about an attribute, if there is one.
fn complaint(attribute: &syn::Attribute, may_panic: bool) -> Option<&'static str> {
    let path = attribute.path();
    let arguments = match &attribute.meta {
        syn::Meta::List(list) => list.tokens.to_string(),
        syn::Meta::Path(_) | syn::Meta::NameValue(_) => String::new(),
    };
    let silences_panics = PANIC_LINTS.iter().any(|lint| arguments.contains(lint));
    if path.is_ident("allow") {
        Some("use `#[expect(…, reason = \"…\")]`: it tells when it is no longer needed")
    } else if path.is_ident("expect") && !arguments.contains("reason") {
        Some("say why: `#[expect(…, reason = \"…\")]`")
    } else if path.is_ident("expect") && silences_panics && !may_panic {
        Some("nothing panics after start-up: return a fault instead")
    } else if path.is_ident("ignore") || path.is_ident("should_panic") {
        Some("a test runs and says what it expects: no `ignore`, no `should_panic`")
    } else {
        None
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let Some(message) = complaint(attribute, self.may_panic()) {
            let line = attribute.span().start().line;
            self.attributes.push(Finding::new(&self.source.path, line, message));
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let name = call.path.segments.last().map(|segment| segment.ident.to_string());
        let message = match name.as_deref() {
            Some("dbg") => Some("`dbg!` stays on the desk"),
            Some("println" | "print" | "eprintln" | "eprint")
                if !self.is_cli() && !self.in_test =>
            {
                Some("only command-line tools print: use `tracing`, or return the text")
            }
            Some("unreachable") if !self.may_panic() => {
                Some("nothing panics after start-up: let the type say that it cannot happen")
            }
            _ => None,
        };
        if let Some(message) = message {
            let line = call.span().start().line;
            self.macros.push(Finding::new(&self.source.path, line, message));
        }
        visit::visit_macro(self, call);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let outer = self.in_test;
        self.in_test |= is_test_item(&module.attrs);
        visit::visit_item_mod(self, module);
        self.in_test = outer;
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        let outer = self.in_test;
        self.in_test |= is_test_item(&function.attrs);
        visit::visit_item_fn(self, function);
        self.in_test = outer;
    }
}

#[cfg(test)]
mod tests {
    //! Who may silence what, and who may print.

    use super::*;

    fn lines(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
        let source = Source::parse(path, text).unwrap();
        rule(&source).iter().map(|finding| finding.line).collect()
    }

    const LIBRARY: &str = "crates/core/src/a.rs";

    #[test]
    fn silencing_attributes_are_found() {
        let found = |text| lines(attributes, LIBRARY, text);
        assert_eq!(found("#[allow(dead_code)]\nfn a() {}"), [1]);
        assert_eq!(found("#[expect(dead_code)]\nfn a() {}"), [1]);
        assert!(found("#[expect(dead_code, reason = \"soon\")]\nfn a() {}").is_empty());
        assert_eq!(found("\n#[test]\n#[ignore]\nfn a() {}"), [3]);
        assert_eq!(found("#[test]\n#[should_panic]\nfn a() {}"), [2]);
    }

    #[test]
    fn panic_lints_are_excused_in_tests_and_start_up_only() {
        let excuse = "#[expect(clippy::unwrap_used, reason = \"x\")]\nfn a() {}";
        assert_eq!(lines(attributes, LIBRARY, excuse), [1]);
        assert!(lines(attributes, "crates/core/src/a/tests.rs", excuse).is_empty());
        assert!(lines(attributes, "crates/operator/src/main.rs", excuse).is_empty());
        assert!(lines(attributes, "crates/harness/src/wait.rs", excuse).is_empty());
    }

    #[test]
    fn only_command_line_tools_print() {
        let print = "fn a() { println!(\"hello\"); }";
        assert_eq!(lines(output, LIBRARY, print), [1]);
        assert!(lines(output, "xtask/src/main.rs", print).is_empty());
        assert!(
            lines(output, LIBRARY, "#[cfg(test)]\nmod t { fn a() { println!(); } }").is_empty()
        );
        assert_eq!(lines(output, "xtask/src/main.rs", "fn a() { dbg!(1); }"), [1]);
    }

    #[test]
    fn unreachable_is_found_outside_tests() {
        let text = "fn a() {\n    unreachable!()\n}\n#[test]\nfn b() { unreachable!() }";
        assert_eq!(lines(output, LIBRARY, text), [2]);
    }
}
