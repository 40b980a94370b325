//! The timeouts that the environment may set, in the notation of Go: `20s`, `1m30s`.

use std::env;
use std::time::Duration;

use anyhow::{Context, Result};

/// For starting and for stopping, each server.
const DEFAULT: Duration = Duration::from_secs(20);

/// The duration that `variable` names; 20 s when it is absent.
///
/// # Errors
/// When it does not parse; the message names the variable.
pub(super) fn from_env(variable: &str) -> Result<Duration> {
    match env::var(variable) {
        Err(_) => Ok(DEFAULT),
        Ok(text) => parse(&text).with_context(|| {
            format!("{variable}: \"{text}\" is no duration such as \"20s\" or \"1m30s\"")
        }),
    }
}

/// Hours, minutes, seconds and milliseconds, whole numbers only.
fn parse(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let amount: u32 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |length| digits + length);
        let unit = match &rest[digits..unit_end] {
            "h" => Duration::from_secs(3600),
            "m" => Duration::from_secs(60),
            "s" => Duration::from_secs(1),
            "ms" => Duration::from_millis(1),
            _ => return None,
        };
        total += unit * amount;
        rest = &rest[unit_end..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_the_notation_of_go() {
        for (text, millis) in
            [("20s", 20_000), ("1m30s", 90_000), ("2h", 7_200_000), ("250ms", 250), ("0s", 0)]
        {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "20", "s", "1.5s", "20 s", "1d"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
