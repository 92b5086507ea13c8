//! Exact money: i128 in units of 10^-12 of a currency.

use alloc::string::String;
use core::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Neg, Sub, SubAssign},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Decimal places of `Money`.
pub const MONEY_EXPONENT: u8 = 12;
/// Decimal places of a fee in `event::OrderFilled`.
pub const FEE_EXPONENT: u8 = 8;

/// An amount of money in units of 10^-12.
///
/// Its text form, for configuration and manifests, is the exact decimal number: `1250000.25`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(pub i128);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One unit of the currency.
    pub const ONE: Self = Self(10i128.pow(MONEY_EXPONENT as u32));

    /// A whole number of currency units.
    pub const fn from_units(units: i64) -> Self {
        Self(units as i128 * Self::ONE.0)
    }

    /// A fee as venues report it, in units of 10^-8.
    pub const fn from_fee(fee: i64) -> Self {
        Self(fee as i128 * 10i128.pow((MONEY_EXPONENT - FEE_EXPONENT) as u32))
    }

    /// The nearest f64, for statistics and reports; never for books of account.
    pub fn to_f64(self) -> f64 {
        // The nearest either way; a conversion of 128 bits is a call.
        let amount = i64::try_from(self.0).map_or(self.0 as f64, |amount| amount as f64);
        amount / Self::ONE.0 as f64
    }

    /// The size without sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// This share of it in parts per million, rounded towards zero.
    #[must_use]
    pub const fn share_ppm(self, ppm: i64) -> Self {
        Self(self.0 * ppm as i128 / 1_000_000)
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let one = Self::ONE.0.unsigned_abs();
        let (units, rest) = (self.0.unsigned_abs() / one, self.0.unsigned_abs() % one);
        if rest == 0 {
            return write!(formatter, "{sign}{units}");
        }
        let digits = alloc::format!("{rest:012}");
        write!(formatter, "{sign}{units}.{}", digits.trim_end_matches('0'))
    }
}

/// A text that is not an amount of money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a decimal amount with at most 12 places")]
pub struct MoneyError(pub String);

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let refuse = || MoneyError(String::from(text));
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (units, places) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(units) || !is_number(places) || places.len() > MONEY_EXPONENT as usize {
            return Err(refuse());
        }
        let scale = 10i128.pow(u32::from(MONEY_EXPONENT) - places.len() as u32);
        let units: i128 = units.parse().map_err(|_| refuse())?;
        let places: i128 = places.parse().map_err(|_| refuse())?;
        let total = units
            .checked_mul(Self::ONE.0)
            .and_then(|sum| sum.checked_add(places * scale));
        let total = total.ok_or_else(refuse)?;
        Ok(Self(if is_negative { -total } else { total }))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn text_is_exact_both_ways() {
        for text in ["0", "1", "-1", "0.000000000001", "-12.5", "1250000.25"] {
            assert_eq!(
                text.parse::<Money>().map(|money| money.to_string()),
                Ok(text.to_string())
            );
        }
    }

    #[test]
    fn text_that_is_no_amount_is_refused() {
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "1e3",
            "0.0000000000001",
            "9".repeat(40).as_str(),
        ] {
            assert!(text.parse::<Money>().is_err(), "{text} was taken");
        }
    }
}
