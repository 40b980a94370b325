//! Names: each rule with a text that keeps it and one that breaks it, and the derived names.

use expect_test::expect;
use proptest::prelude::*;

use super::*;

/// A name of `len` bytes.
fn long(len: usize) -> String {
    "n".repeat(len)
}

#[test]
fn each_rule_is_named_when_broken() {
    let mut listed = String::new();
    for text in ["", &long(53), "Fn", "f.n", "f_n", "0n", "-n", "n-"] {
        listed += &format!("{}\n", NodeName::parse(text).unwrap_err());
    }
    expect![[r#"
        "" must be a DNS-1035 label of at most 52 characters: it is empty
        "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" must be a DNS-1035 label of at most 52 characters: it has 53
        "Fn" must be a DNS-1035 label of at most 52 characters: it must not contain 'F'
        "f.n" must be a DNS-1035 label of at most 52 characters: it must not contain '.'
        "f_n" must be a DNS-1035 label of at most 52 characters: it must not contain '_'
        "0n" must be a DNS-1035 label of at most 52 characters: it must start with a lower-case letter
        "-n" must be a DNS-1035 label of at most 52 characters: it must start with a lower-case letter
        "n-" must be a DNS-1035 label of at most 52 characters: it must end with a lower-case letter or a digit
    "#]]
    .assert_eq(&listed);
}

#[test]
fn limits_are_inclusive() {
    for (len, node, fleet) in [(1, true, true), (49, true, true), (50, true, false)] {
        assert_eq!(NodeName::parse(&long(len)).is_ok(), node, "node of {len}");
        assert_eq!(FleetName::parse(&long(len)).is_ok(), fleet, "fleet of {len}");
    }
    assert!(NodeName::parse(&long(52)).is_ok());
    assert!(ChainId::parse(&long(63)).is_ok());
    assert_eq!(ChainId::parse(&long(64)).unwrap_err().rule(), Rule::TooLong(64));
}

#[test]
fn chain_may_start_with_a_digit_but_holds_no_shell_text() {
    assert!(ChainId::parse("4-net").is_ok());
    assert_eq!(ChainId::parse("-x").unwrap_err().rule(), Rule::StartsWithoutAlphanumeric);
    assert_eq!(ChainId::parse("$(id)").unwrap_err().rule(), Rule::Contains('$'));
}

#[test]
fn derived_names_follow_their_patterns() {
    let node = NodeName::parse("fn-0").unwrap();
    assert_eq!(node.claim().as_str(), "data-fn-0");
    assert_eq!(node.proxy_config().as_str(), "fn-0-rbac-proxy-config");
    assert_eq!(node.pod().as_str(), "fn-0-0");
    assert_eq!(node.host("sei"), "fn-0-0.fn-0.sei.svc.cluster.local");
    let fleet = FleetName::parse("fn").unwrap();
    assert_eq!(fleet.child(12).as_str(), "fn-12");
    assert_eq!(fleet.internal_service().as_str(), "fn-internal");
}

proptest! {
    #[test]
    fn every_child_of_a_valid_fleet_is_a_valid_node(
        fleet in "[a-z]([-a-z0-9]{0,47}[a-z0-9])?",
        ordinal in 0..100,
    ) {
        let child = FleetName::parse(&fleet).unwrap().child(ordinal);
        prop_assert_eq!(NodeName::parse(child.as_str()), Ok(child));
    }

    #[test]
    fn every_accepted_node_name_is_a_dns_label(text in "[-a-zA-Z0-9._$ ]{0,60}") {
        if let Ok(name) = NodeName::parse(&text) {
            let text = name.as_str();
            prop_assert!(text.len() <= 52 && text.starts_with(|c: char| c.is_ascii_lowercase()));
            prop_assert!(text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')));
            prop_assert!(!text.ends_with('-'));
        }
    }
}
