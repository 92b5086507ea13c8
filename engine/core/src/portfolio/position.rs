//! One position and what a fill makes of it.

use crate::{
    money::Money,
    risk::Terms,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// What is held of one instrument and what it has earned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Quantity mantissa; negative = short.
    pub quantity: i64,
    /// Signed notional that was paid for the open part; has the sign of `quantity` while prices are positive.
    pub cost: Money,
    /// Profit of what was closed, before fees.
    pub realised: Money,
    /// Fees paid; negative when rebates outweigh them.
    pub fees: Money,
    /// Notional of all fills.
    pub volume: Money,
    /// Funding received; negative when more was paid.
    pub funding: Money,
    /// Price mantissa that the position is valued at; 0 before the first mark or fill.
    pub mark_price: i64,
}

/// What a fill did to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PositionChange {
    /// From nothing.
    Opened = 1,
    /// More of the same side.
    Added = 2,
    /// Less of it, something left.
    Reduced = 3,
    /// Nothing left.
    Closed = 4,
    /// Through nothing to the other side.
    Flipped = 5,
}

/// What a fill did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FillEffect {
    /// To the position.
    pub change: PositionChange,
    /// Quantity after it.
    pub quantity: i64,
    /// Profit that it realised, before its fee.
    pub realised: Money,
    /// Its fee.
    pub fee: Money,
}

impl Position {
    /// The position after a fill of `signed` quantity (positive = bought) for the signed notional `paid`, or `None`
    /// on overflow.
    pub(super) fn after_fill(
        &self,
        terms: &Terms,
        price: i64,
        signed: i64,
        paid: Money,
        fee: Money,
    ) -> Option<(Self, FillEffect)> {
        let mut next = *self;
        let quantity = self.quantity.checked_add(signed)?;
        let is_same_side = self.quantity == 0 || (self.quantity < 0) == (signed < 0);
        let (change, realised) = if is_same_side {
            next.cost = add(self.cost, paid)?;
            let change = if self.quantity == 0 {
                PositionChange::Opened
            } else {
                PositionChange::Added
            };
            (change, Money::ZERO)
        } else {
            next.close(terms, price, signed)?
        };
        next.quantity = quantity;
        next.fees = add(self.fees, fee)?;
        next.volume = add(self.volume, Money(paid.0.checked_abs()?))?;
        let effect = FillEffect {
            change,
            quantity,
            realised,
            fee,
        };
        Some((next, effect))
    }

    /// Closes as much as a fill of the other side can; what is left of the fill opens the other side at its price.
    fn close(&mut self, terms: &Terms, price: i64, signed: i64) -> Option<(PositionChange, Money)> {
        let held = self.quantity;
        let after = held.checked_add(signed)?;
        let is_whole = after == 0 || (after < 0) != (held < 0);
        // What is closed, with the sign of the position.
        let closed = if is_whole {
            held
        } else {
            signed.checked_neg()?
        };
        let share = if is_whole {
            self.cost
        } else {
            cost_share(self.cost, closed, held)?
        };
        let realised = sub(terms.exact(price, closed)?, share)?;
        self.realised = add(self.realised, realised)?;
        self.cost = sub(self.cost, share)?;
        if !is_whole {
            return Some((PositionChange::Reduced, realised));
        }
        if after == 0 {
            return Some((PositionChange::Closed, realised));
        }
        self.cost = terms.exact(price, after)?;
        Some((PositionChange::Flipped, realised))
    }

    /// Writes every field.
    pub(super) fn write(&self, out: &mut impl Sink) {
        out.i64(self.quantity);
        out.i64(self.mark_price);
        for amount in [
            self.cost,
            self.realised,
            self.fees,
            self.volume,
            self.funding,
        ] {
            out.i128(amount.0);
        }
    }

    /// Reads every field; whether they fit each other the books find out.
    pub(super) fn load(from: &mut Decoder<'_>) -> Result<Self, SnapshotError> {
        Ok(Self {
            quantity: from.i64()?,
            mark_price: from.i64()?,
            cost: Money(from.i128()?),
            realised: Money(from.i128()?),
            fees: Money(from.i128()?),
            volume: Money(from.i128()?),
            funding: Money(from.i128()?),
        })
    }
}

/// `cost * closed / held`, rounded towards zero. `closed` and `held` have one sign and `closed` is the smaller.
///
/// The product may need more than 128 bits, so the quotient is taken first: with `cost = q * held + r` the result is
/// `q * closed + r * closed / held`. The two terms have one sign, so rounding the second rounds their sum; `q * closed`
/// is no larger than `cost`, and `r` and `closed` are each below 2^63.
fn cost_share(cost: Money, closed: i64, held: i64) -> Option<Money> {
    let (closed, held) = (i128::from(closed), i128::from(held));
    let quotient = cost.0.checked_div(held)?;
    let rest = cost.0.checked_rem(held)?;
    let whole = quotient.checked_mul(closed)?;
    Some(Money(whole.checked_add(rest.checked_mul(closed)? / held)?))
}

/// Sum, or `None` on overflow.
pub(super) fn add(left: Money, right: Money) -> Option<Money> {
    left.0.checked_add(right.0).map(Money)
}

/// Difference, or `None` on overflow.
pub(super) fn sub(left: Money, right: Money) -> Option<Money> {
    left.0.checked_sub(right.0).map(Money)
}
