//! The value of a Kubernetes quantity, so that `1000m` and `1` are known to be equal.

/// Quantities are exact to a billionth: `10^-9`.
const NANO_DIGITS: i32 = 9;
/// More digits than any quantity that the API server accepts; bounds the arithmetic below.
const DIGITS_MAX: usize = 30;

/// A quantity in billionths of its unit (cores, bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nanos(i128);

impl Nanos {
    /// Reads `text` as the API server does: a decimal number with a decimal (`m`, `k`, `M`, …),
    /// binary (`Ki`, `Mi`, …) or exponent (`e3`) suffix. Finer than a billionth rounds up.
    ///
    /// `None` if it is not a quantity, or too large for one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix(['+', '-']) {
            Some(rest) => (text.starts_with('-'), rest),
            None => (false, text),
        };
        let end =
            unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || digits.len() > DIGITS_MAX || fraction.contains('.') {
            return None;
        }
        let mantissa: i128 = digits.parse().ok()?;
        let nanos = scale(mantissa, Multiplier::parse(suffix)?, fraction.len())?;
        Some(Self(if negative { -nanos } else { nanos }))
    }

    /// Is it more than nothing?
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }
}

/// What a suffix multiplies by.
enum Multiplier {
    /// `10^n`.
    Ten(i32),
    /// `2^n`.
    Two(u32),
}

impl Multiplier {
    fn parse(suffix: &str) -> Option<Self> {
        Some(match suffix {
            "n" => Self::Ten(-9),
            "u" => Self::Ten(-6),
            "m" => Self::Ten(-3),
            "" => Self::Ten(0),
            "k" => Self::Ten(3),
            "M" => Self::Ten(6),
            "G" => Self::Ten(9),
            "T" => Self::Ten(12),
            "P" => Self::Ten(15),
            "E" => Self::Ten(18),
            "Ki" => Self::Two(10),
            "Mi" => Self::Two(20),
            "Gi" => Self::Two(30),
            "Ti" => Self::Two(40),
            "Pi" => Self::Two(50),
            "Ei" => Self::Two(60),
            exponent => Self::Ten(exponent.strip_prefix(['e', 'E'])?.parse().ok()?),
        })
    }
}

/// `mantissa * multiplier / 10^decimals` in billionths, rounded up.
fn scale(mantissa: i128, multiplier: Multiplier, decimals: usize) -> Option<i128> {
    let decimals = i32::try_from(decimals).ok()?;
    let (value, exponent) = match multiplier {
        Multiplier::Ten(exponent) => (mantissa, exponent.checked_sub(decimals)?),
        Multiplier::Two(bits) => (mantissa.checked_mul(1 << bits)?, -decimals),
    };
    let exponent = exponent.checked_add(NANO_DIGITS)?;
    let power = 10_i128.checked_pow(exponent.unsigned_abs());
    if exponent >= 0 {
        return value.checked_mul(power?);
    }
    match power {
        Some(power) => Some(value / power + i128::from(value % power != 0)),
        None => Some(i128::from(value != 0)),
    }
}

#[cfg(test)]
mod tests;
