//! Rates between currencies: exact integers, rounded in one documented way.
//!
//! The books keep every amount in the currency in which it arose; a rate is used only where amounts of several
//! currencies meet: equity, exposures and margin. So a change of a rate touches no booked amount.

use alloc::{vec, vec::Vec};

use crate::{
    money::Money,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// Most decimal places of a rate: what is left of a division by 10^18 times a mantissa still fits i128.
pub const RATE_EXPONENT_MAX: u32 = 18;

/// What one unit of a currency is worth in the account's: `mantissa / 10^exponent`; mantissa 0 = not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    mantissa: i64,
    exponent: u32,
}

impl Rate {
    /// The account's own currency.
    pub const ONE: Self = Self {
        mantissa: 1,
        exponent: 0,
    };
    /// Nobody has said what the currency is worth: it counts as nothing, and nothing may grow in it.
    pub const UNKNOWN: Self = Self {
        mantissa: 0,
        exponent: 0,
    };

    /// A rate; `None` when it is negative or has more than `RATE_EXPONENT_MAX` decimal places.
    pub const fn new(mantissa: i64, exponent: u32) -> Option<Self> {
        if mantissa < 0 || exponent > RATE_EXPONENT_MAX {
            return None;
        }
        Some(Self { mantissa, exponent })
    }

    /// One unit of the account's currency costs `price / 10^exponent` of this one: the reciprocal, rounded down to 12
    /// places. `None` when that leaves the mantissa or is nothing.
    pub const fn reciprocal(price: i64, exponent: u32) -> Option<Self> {
        if price <= 0 || exponent > 12 {
            return None;
        }
        let mantissa = 10i128.pow(exponent + 12) / price as i128;
        if mantissa == 0 || mantissa > i64::MAX as i128 {
            return None;
        }
        Self::new(mantissa as i64, 12)
    }

    /// The mantissa; 0 for `UNKNOWN`.
    pub const fn mantissa(self) -> i64 {
        self.mantissa
    }

    /// Decimal places of the mantissa.
    pub const fn exponent(self) -> u32 {
        self.exponent
    }

    /// False for `UNKNOWN`.
    pub const fn is_known(self) -> bool {
        self.mantissa > 0
    }

    const fn is_one(self) -> bool {
        self.mantissa == 1 && self.exponent == 0
    }

    /// An amount of this currency in the account's, rounded down; `None` on overflow.
    ///
    /// The product may need more than 128 bits, so the amount is split at the divisor first: with
    /// `amount = whole * 10^exponent + rest` the result is `whole * mantissa + rest * mantissa / 10^exponent`, and
    /// `rest` is below 2^60.
    pub fn convert(self, amount: Money) -> Option<Money> {
        if self.is_one() {
            return Some(amount);
        }
        let divisor = 10i128.pow(self.exponent);
        let mantissa = i128::from(self.mantissa);
        let whole = amount.0.div_euclid(divisor).checked_mul(mantissa)?;
        let rest = amount.0.rem_euclid(divisor) * mantissa / divisor;
        Some(Money(whole.checked_add(rest)?))
    }

    /// An amount of the account's currency in this one, rounded down; `None` on overflow or when the rate is not known.
    pub fn invert(self, amount: Money) -> Option<Money> {
        if self.is_one() {
            return Some(amount);
        }
        let scaled = amount.0.checked_mul(10i128.pow(self.exponent))?;
        scaled
            .checked_div_euclid(i128::from(self.mantissa))
            .map(Money)
    }

    /// Writes the rate.
    pub fn write(self, out: &mut impl Sink) {
        out.i64(self.mantissa);
        out.u32(self.exponent);
    }

    /// Reads what `write` wrote.
    ///
    /// # Errors
    /// The bytes end, or hold no rate.
    pub fn load(from: &mut Decoder<'_>) -> Result<Self, SnapshotError> {
        let (mantissa, exponent) = (from.i64()?, from.u32()?);
        Self::new(mantissa, exponent).ok_or_else(|| from.invalid("a rate"))
    }
}

/// Who said what a currency is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RateSource {
    /// Nobody yet.
    Nobody = 0,
    /// It is the account's own currency.
    Account = 1,
    /// The configuration, for the start.
    Configuration = 2,
    /// A market of the hub that trades the two.
    Market = 3,
    /// An event from outside.
    Event = 4,
}

impl RateSource {
    /// Every source, in the order of the codes.
    pub const ALL: [Self; 5] = [
        Self::Nobody,
        Self::Account,
        Self::Configuration,
        Self::Market,
        Self::Event,
    ];

    /// The source with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|source| *source as u8 == code)
    }

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "Nobody",
            Self::Account => "Account",
            Self::Configuration => "Configuration",
            Self::Market => "Market",
            Self::Event => "Event",
        }
    }
}

/// The rates of all currencies of the hub, by their index; the first is the account's own.
#[derive(Clone, Debug)]
pub struct Rates {
    rates: Vec<Rate>,
    sources: Vec<RateSource>,
}

impl Rates {
    /// The account's currency and `count - 1` others, whose rates are not known. The only place that allocates.
    pub fn new(count: usize) -> Self {
        let mut rates = vec![Rate::UNKNOWN; count.max(1)];
        rates[0] = Rate::ONE;
        let mut sources = vec![RateSource::Nobody; rates.len()];
        sources[0] = RateSource::Account;
        Self { rates, sources }
    }

    /// The rate of a currency; unknown for one that is not in the table.
    pub fn get(&self, currency: usize) -> Rate {
        self.rates.get(currency).copied().unwrap_or(Rate::UNKNOWN)
    }

    /// Who gave the rate of a currency; nobody for one that is not in the table.
    pub fn source(&self, currency: usize) -> RateSource {
        self.sources
            .get(currency)
            .copied()
            .unwrap_or(RateSource::Nobody)
    }

    /// How many currencies there are.
    pub fn count(&self) -> usize {
        self.rates.len()
    }

    /// Changes a rate; false for the account's own currency and for an unknown one.
    pub(crate) fn set(&mut self, currency: usize, rate: Rate, source: RateSource) -> bool {
        if currency == 0 || currency >= self.rates.len() {
            return false;
        }
        self.rates[currency] = rate;
        self.sources[currency] = source;
        true
    }

    /// Amounts of all currencies, in their order, in the account's; an amount that overflows is the largest there is, which
    /// no limit lets pass.
    #[inline]
    pub fn sum(&self, amounts: &[Money]) -> Money {
        if let [amount] = amounts {
            return *amount;
        }
        let mut sum = Money::ZERO;
        for (rate, amount) in self.rates.iter().zip(amounts) {
            let worth = rate.convert(*amount).unwrap_or(Money(i128::MAX));
            sum = Money(sum.0.saturating_add(worth.0));
        }
        sum
    }

    /// Writes all rates but the account's own, which is one, and whose they are.
    pub(crate) fn write(&self, out: &mut impl Sink) {
        for (rate, source) in self.rates.iter().zip(&self.sources).skip(1) {
            rate.write(out);
            out.u8(*source as u8);
        }
    }

    /// Reads into a table of as many currencies.
    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for (rate, source) in self.rates.iter_mut().zip(&mut self.sources).skip(1) {
            *rate = Rate::load(from)?;
            let found = RateSource::from_code(from.u8()?);
            let is_possible = |found: &RateSource| match found {
                RateSource::Account => false,
                RateSource::Nobody => !rate.is_known(),
                RateSource::Configuration | RateSource::Market | RateSource::Event => true,
            };
            let found = found.filter(is_possible);
            *source = found.ok_or_else(|| from.invalid("who gave a rate"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::Encoder;

    #[test]
    fn conversion_rounds_down_on_both_sides_of_nothing() {
        let third = Rate::new(333, 3).unwrap();
        for (amount, expected) in [(10, 3), (-10, -4), (0, 0), (1, 0), (-1, -1), (1000, 333)] {
            assert_eq!(third.convert(Money(amount)), Some(Money(expected)));
        }
        assert_eq!(Rate::UNKNOWN.convert(Money(5)), Some(Money::ZERO));
        assert_eq!(Rate::UNKNOWN.invert(Money(5)), None);
        assert_eq!(Rate::new(-1, 0), None);
        assert_eq!(Rate::new(1, 19), None);
        let half = Rate::reciprocal(200, 2).unwrap();
        assert_eq!(half.convert(Money(9)), Some(Money(4)));
        assert_eq!(half.invert(Money(4)), Some(Money(8)));
    }

    #[test]
    fn a_rate_comes_back_only_with_a_source_that_can_have_given_it() {
        let half = Rate::new(5, 1).unwrap();
        for (rate, code, is_taken) in [
            (half, RateSource::Nobody as u8, false),
            (half, RateSource::Account as u8, false),
            (half, RateSource::Configuration as u8, true),
            (half, RateSource::Market as u8, true),
            (half, RateSource::Event as u8, true),
            (half, 5, false),
            (Rate::UNKNOWN, RateSource::Nobody as u8, true),
            (Rate::UNKNOWN, RateSource::Event as u8, true),
        ] {
            let mut out = Encoder::default();
            rate.write(&mut out);
            out.u8(code);
            let bytes = out.into_bytes();
            let mut rates = Rates::new(2);
            let loaded = rates.load(&mut Decoder::over(&bytes));
            assert_eq!(loaded.is_ok(), is_taken, "{rate:?} by {code}");
            if is_taken {
                let found = (rates.get(1), rates.source(1));
                assert_eq!(found, (rate, RateSource::from_code(code).unwrap()));
            }
        }
    }

    proptest! {
        #[test]
        fn conversion_equals_the_plain_product_where_that_fits(
            amount in -(1i128 << 60)..(1 << 60), mantissa in 0i64..i64::MAX, exponent in 0u32..19,
        ) {
            let rate = Rate::new(mantissa, exponent).unwrap();
            let plain = (amount * i128::from(mantissa)).div_euclid(10i128.pow(exponent));
            prop_assert_eq!(rate.convert(Money(amount)), Some(Money(plain)));
        }
    }
}
