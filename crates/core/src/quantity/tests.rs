//! Quantities: equal values in different spellings, and what is not a quantity.

use proptest::prelude::*;

use super::*;

#[test]
fn spellings_of_one_value_are_equal() {
    for (left, right) in [
        ("1", "1000m"),
        ("0.5", "500m"),
        ("4", "4.0"),
        ("4", "+4"),
        ("1k", "1000"),
        ("1e3", "1k"),
        ("1E3", "1k"),
        ("1E", "1000P"),
        ("1Ki", "1024"),
        ("32Gi", "32768Mi"),
        ("1.5Gi", "1536Mi"),
        (".5", "0.5"),
        ("5.", "5"),
        ("40Ti", "40960Gi"),
        ("0.0000000001", "1n"),
        ("1e-40", "1n"),
        ("-1", "-1000m"),
        ("8Ei", "8192Pi"),
    ] {
        assert_eq!(Nanos::parse(left), Nanos::parse(right), "{left} = {right}");
        assert!(Nanos::parse(left).is_some(), "{left}");
    }
}

#[test]
fn different_values_differ() {
    for (left, right) in [("1", "1m"), ("1k", "1Ki"), ("1M", "1m"), ("1", "-1")] {
        assert_ne!(Nanos::parse(left), Nanos::parse(right), "{left} <> {right}");
    }
}

#[test]
fn anything_else_is_no_quantity() {
    for text in ["", " ", "x", "1x", "1 Gi", "Gi", "1.2.3", "--1", "1e", "1ee3", "1e99", "+", "."] {
        assert_eq!(Nanos::parse(text), None, "{text:?}");
    }
}

#[test]
fn zero_and_less_are_not_positive() {
    for (text, positive) in [("0", false), ("0Gi", false), ("-4", false), ("1n", true)] {
        assert_eq!(Nanos::parse(text).map(Nanos::is_positive), Some(positive), "{text}");
    }
}

proptest! {
    #[test]
    fn whole_numbers_keep_their_value(count in any::<i64>()) {
        let nanos = Nanos(i128::from(count) * 1_000_000_000);
        prop_assert_eq!(Nanos::parse(&count.to_string()), Some(nanos));
    }

    #[test]
    fn no_text_stops_the_parser(text in "[-+]?[0-9.]{0,40}[a-zA-Z]{0,3}[-+0-9]{0,12}") {
        let _value: Option<Nanos> = Nanos::parse(&text);
    }
}
