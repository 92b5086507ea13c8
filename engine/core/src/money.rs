//! Exact money: i128 in units of 10^-12 of a currency.

use core::{
    iter::Sum,
    ops::{Add, AddAssign, Neg, Sub, SubAssign},
};

use serde::{Deserialize, Serialize};

/// Decimal places of `Money`.
pub const MONEY_EXPONENT: u8 = 12;
/// Decimal places of a fee in `event::OrderFilled`.
pub const FEE_EXPONENT: u8 = 8;

/// An amount of money in units of 10^-12.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
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
        self.0 as f64 / Self::ONE.0 as f64
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
