//! What the arithmetic of money needs to know of an instrument, in integers that are copied, not looked up.

use crate::{
    instrument::Instrument,
    money::{MONEY_EXPONENT, Money},
};

/// Largest amount that the gate reckons with, about 2 * 10^16 currency units: times a share in ppm it still fits i128.
pub const MONEY_MAX: Money = Money(1 << 94);
const _: () = assert!(MONEY_MAX.0.checked_mul(u32::MAX as i128).is_some());

/// Steps and scale of one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Smallest price step, price mantissa.
    pub tick: i64,
    /// Smallest quantity step, quantity mantissa.
    pub lot: i64,
    /// Smallest order, quantity mantissa.
    pub quantity_min: i64,
    /// Money of one price mantissa times one quantity mantissa: a power of ten up to 10^12.
    pub scale: i64,
}

impl Terms {
    /// The terms of an instrument of a checked table.
    pub fn of(instrument: &Instrument) -> Self {
        let places = instrument
            .price_exponent
            .saturating_add(instrument.quantity_exponent);
        let power = u32::from(MONEY_EXPONENT.saturating_sub(places));
        Self {
            tick: instrument.tick,
            lot: instrument.lot,
            quantity_min: instrument.quantity_min,
            scale: 10i64.pow(power),
        }
    }

    /// Exact signed price times quantity, or `None` when it leaves i128.
    pub fn exact(&self, price: i64, quantity: i64) -> Option<Money> {
        // Two factors of 63 bits need at most 126; the scale may overflow.
        let product = i128::from(price) * i128::from(quantity);
        product.checked_mul(i128::from(self.scale)).map(Money)
    }

    /// As `exact`, but `None` beyond `MONEY_MAX` either way.
    pub fn notional(&self, price: i64, quantity: i64) -> Option<Money> {
        self.notional_wide(price, i128::from(quantity))
    }

    /// As `notional` for a sum of quantities.
    pub(super) fn notional_wide(&self, price: i64, quantity: i128) -> Option<Money> {
        let product = i128::from(price).checked_mul(quantity)?;
        let amount = product.checked_mul(i128::from(self.scale))?;
        (-MONEY_MAX.0..=MONEY_MAX.0)
            .contains(&amount)
            .then_some(Money(amount))
    }
}
