//! Access rules: what is quoted, and that every name is read back as the string it is.

use expect_test::expect;
use proptest::prelude::*;

use super::*;

#[test]
fn plain_names_stay_unquoted() {
    expect![[r"
        authorization:
          resourceAttributes:
            apiGroup: sei.io
            resource: seinodetasks
            namespace: sei
            name: fn-0
    "]]
    .assert_eq(&access_rules("sei", "fn-0"));
}

#[test]
fn quotes_only_what_yaml_would_misread() {
    for (text, written) in [
        ("sei", "sei"),
        ("1password", "1password"),
        ("7d", "7d"),
        ("e3", "e3"),
        ("nan", "nan"),
        ("123", "\"123\""),
        ("1e3", "\"1e3\""),
        ("1e-3", "\"1e-3\""),
        ("0x1f", "\"0x1f\""),
        ("0o17", "\"0o17\""),
        ("2026-11-25", "\"2026-11-25\""),
        ("true", "\"true\""),
        ("no", "\"no\""),
        ("null", "\"null\""),
        ("", "\"\""),
        ("a: b", "\"a: b\""),
        ("-x", "\"-x\""),
    ] {
        assert_eq!(scalar(text), written);
    }
}

proptest! {
    #[test]
    fn every_name_is_read_back_as_the_same_string(
        namespace in "([a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?|[0-9]{1,4}[e-]?[0-9]{0,3})",
        node in "[a-z]([-a-z0-9]{0,6}[a-z0-9])?",
    ) {
        let text = access_rules(&namespace, &node);
        let read: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        let attributes = &read["authorization"]["resourceAttributes"];
        prop_assert_eq!(&attributes["namespace"], &serde_json::json!(namespace));
        prop_assert_eq!(&attributes["name"], &serde_json::json!(node));
    }
}
