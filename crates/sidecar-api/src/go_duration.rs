//! Go's duration notation, as the node's configuration uses it.

/// The text is no Go duration, or one outside of what 64-bit nanoseconds hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid duration \"{0}\"")]
pub struct GoDurationError(pub String);

/// Reads a Go duration (`10s`, `100ms`, `168h0m0s`, `-1.5h`, `0`) as nanoseconds.
///
/// # Errors
/// A number without unit, an unknown unit, no digits, or more than 64 bits of nanoseconds.
pub fn parse_go_duration(text: &str) -> Result<i64, GoDurationError> {
    let invalid = || GoDurationError(text.to_owned());
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if unsigned == "0" {
        return Ok(0);
    }
    let mut rest = unsigned;
    let mut total: i128 = 0;
    loop {
        let (nanos, after) = leading_term(rest).ok_or_else(invalid)?;
        total = total.checked_add(nanos).ok_or_else(invalid)?;
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    let signed = if negative { -total } else { total };
    i64::try_from(signed).map_err(|_| invalid())
}

/// One number with its unit, and what follows it.
fn leading_term(text: &str) -> Option<(i128, &str)> {
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(number_end);
    let unit_end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let (unit, after) = rest.split_at(unit_end);
    let nanos_per_unit = nanos_per(unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let nanos = whole.checked_mul(nanos_per_unit)?;
    Some((nanos.checked_add(fraction_nanos(fraction, nanos_per_unit))?, after))
}

fn nanos_per(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// The digits after the point; what is smaller than a nanosecond is cut off.
fn fraction_nanos(digits: &str, nanos_per_unit: i128) -> i128 {
    let mut scale = nanos_per_unit;
    let mut nanos = 0;
    for digit in digits.bytes() {
        scale /= 10;
        nanos += i128::from(digit - b'0') * scale;
    }
    nanos
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        let table = [
            ("0", Some(0)),
            ("10s", Some(10_000_000_000)),
            ("100ms", Some(100_000_000)),
            ("1h30m", Some(5_400_000_000_000)),
            ("168h0m0s", Some(604_800_000_000_000)),
            ("-1.5h", Some(-5_400_000_000_000)),
            ("+5us", Some(5_000)),
            (".5s", Some(500_000_000)),
            ("1.s", Some(1_000_000_000)),
            ("2\u{b5}s", Some(2_000)),
            ("", None),
            ("10", None),
            ("s", None),
            (".s", None),
            ("1.2.3s", None),
            ("1d", None),
            ("1s ", None),
            ("3000000h", None),
        ];
        for (text, want) in table {
            assert_eq!(parse_go_duration(text).ok(), want, "{text:?}");
        }
    }
}
