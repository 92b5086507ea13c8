//! Sums over all positions of one currency, kept from fill to fill so that equity costs nothing to read.

use super::{
    PortfolioError,
    position::{Position, add, sub},
};
use crate::money::Money;

/// The sums.
#[derive(Clone, Copy, Debug)]
pub(super) struct Totals {
    /// Cash at the start.
    pub(super) start: Money,
    /// Starting cash, less what was paid, plus what was received, plus funding, less fees.
    pub(super) cash: Money,
    /// Positions at their marks, shorts negative.
    pub(super) value: Money,
    /// Sizes of positions at their marks.
    pub(super) gross: Money,
    /// Signed notional paid for open parts.
    pub(super) cost: Money,
    pub(super) realised: Money,
    pub(super) fees: Money,
    pub(super) volume: Money,
    /// Funding received; negative when more was paid.
    pub(super) funding: Money,
    /// `cash + value`.
    pub(super) equity: Money,
}

impl Totals {
    pub(super) fn new(cash: Money) -> Self {
        Self {
            start: cash,
            cash,
            value: Money::ZERO,
            gross: Money::ZERO,
            cost: Money::ZERO,
            realised: Money::ZERO,
            fees: Money::ZERO,
            volume: Money::ZERO,
            funding: Money::ZERO,
            equity: cash,
        }
    }

    /// The sums after a position went from `before` to `after` for the signed notional `paid`.
    pub(super) fn after_fill(
        &self,
        before: &Position,
        after: &Position,
        paid: Money,
    ) -> Option<Self> {
        let fee = sub(after.fees, before.fees)?;
        Some(Self {
            cash: sub(sub(self.cash, paid)?, fee)?,
            cost: add(self.cost, sub(after.cost, before.cost)?)?,
            realised: add(self.realised, sub(after.realised, before.realised)?)?,
            fees: add(self.fees, fee)?,
            volume: add(self.volume, sub(after.volume, before.volume)?)?,
            ..*self
        })
    }

    /// The sums after funding was received.
    pub(super) fn after_funding(&self, received: Money) -> Option<Self> {
        Some(Self {
            cash: add(self.cash, received)?,
            funding: add(self.funding, received)?,
            ..*self
        })
    }

    /// The sums after the value of one position went from `before` to `after`.
    pub(super) fn after_value(&self, before: Money, after: Money) -> Option<Self> {
        let growth = after
            .0
            .checked_abs()?
            .checked_sub(before.0.checked_abs()?)?;
        Some(Self {
            value: add(self.value, sub(after, before)?)?,
            gross: add(self.gross, Money(growth))?,
            ..*self
        })
    }

    /// The sums with one more position and its value; cash stays.
    pub(super) fn with_row(&self, position: &Position, value: Money) -> Option<Self> {
        Some(Self {
            cost: add(self.cost, position.cost)?,
            realised: add(self.realised, position.realised)?,
            fees: add(self.fees, position.fees)?,
            volume: add(self.volume, position.volume)?,
            funding: add(self.funding, position.funding)?,
            ..self.after_value(Money::ZERO, value)?
        })
    }

    /// Computes equity, and makes sure that the other side of the balance fits its integer too.
    pub(super) fn settle(&mut self) -> Option<()> {
        self.equity = add(self.cash, self.value)?;
        self.equity_by_profit().map(|_| ())
    }

    /// Equity the other way: by what was earned.
    fn equity_by_profit(&self) -> Option<Money> {
        let unrealised = sub(self.value, self.cost)?;
        let earned = add(self.realised, unrealised)?;
        sub(add(add(self.start, earned)?, self.funding)?, self.fees)
    }

    /// Equity must be the same by cash and by profit.
    pub(super) fn check(&self) -> Result<(), PortfolioError> {
        same("equity", self.equity, self.equity_by_profit())
    }
}

/// Refuses two amounts that differ.
pub(super) fn same(
    what: &'static str,
    kept: Money,
    anew: Option<Money>,
) -> Result<(), PortfolioError> {
    if Some(kept) == anew {
        return Ok(());
    }
    Err(PortfolioError::Conservation {
        what,
        kept: kept.0,
        anew: anew.map_or(i128::MAX, |anew| anew.0),
    })
}
