//! The books of account: positions, cash and profit in exact integers.
//!
//! One account in one currency: every quote currency counts 1:1 as that currency. A hub that trades quotes which
//! drift apart needs a conversion before this module, not in it.
//!
//! A fill of a position's own side adds its notional to the position's cost. A fill of the other side takes out of
//! the cost the share `cost * closed / quantity`, rounded towards zero; what rounding leaves stays in the cost of the
//! open part, and the last close takes all of it. So no unit of 10^-12 is ever lost, only realised later.
//!
//! Invariant, in integers, after every fill and every mark:
//!
//! ```text
//! equity  ==  cash + value of positions at their marks
//!         ==  starting cash + realised + unrealised - fees
//! ```
//!
//! The two sides are kept by different paths: cash by what was paid and received, profit by what positions cost.
//! Invariant: an operation that would overflow or break conservation is refused whole and changes nothing.

mod position;
mod totals;

pub use position::{FillEffect, Position, PositionChange};

use alloc::vec::Vec;

use crate::{
    event::Side,
    hash::StateHasher,
    instrument::{InstrumentId, Instruments},
    money::Money,
    risk::Terms,
    snapshot::{Decoder, Encoder, SnapshotError, Tag},
};
use position::{add, sub};
use totals::Totals;

/// Why the books refused an operation; they are unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortfolioError {
    /// The instrument is not in the hub's table.
    #[error("instrument {0} is not in the table of instruments")]
    UnknownInstrument(u16),
    /// A fill of nothing or less.
    #[error("instrument {instrument}: a fill must have a positive quantity, not {quantity}")]
    Quantity {
        /// Index of the instrument.
        instrument: u16,
        /// Quantity of the fill.
        quantity: i64,
    },
    /// A quantity or an amount leaves its integer.
    #[error("instrument {0}: a quantity or an amount of money would overflow")]
    Overflow(u16),
    /// Two ways to the same sum differ: a defect in this module.
    #[error("the books do not balance: {what} is {kept}, computed anew {anew}")]
    Conservation {
        /// Which sum.
        what: &'static str,
        /// As kept from fill to fill.
        kept: i128,
        /// As computed anew from the positions; the largest integer when that overflows.
        anew: i128,
    },
}

const SECTION: Tag = Tag(*b"PORT");

/// One instrument's part of the books.
#[derive(Clone, Copy, Debug)]
struct Row {
    terms: Terms,
    position: Position,
    /// Signed notional at the mark.
    value: Money,
    /// False until the first mark or fill.
    is_marked: bool,
}

/// The books of account.
#[derive(Clone, Debug)]
pub struct Portfolio {
    rows: Vec<Row>,
    cash_at_start: Money,
    equity_max: Money,
    totals: Totals,
}

impl Portfolio {
    /// Books with `cash` and no position. The only place that allocates.
    pub fn new(instruments: &Instruments, cash: Money) -> Self {
        let row = |(_, instrument)| Row {
            terms: Terms::of(instrument),
            position: Position::default(),
            value: Money::ZERO,
            is_marked: false,
        };
        Self {
            rows: instruments.iter().map(row).collect(),
            cash_at_start: cash,
            equity_max: cash,
            totals: Totals::new(cash),
        }
    }

    /// Books one fill. A position that was never marked is marked at the fill's price; a marked one keeps its mark.
    ///
    /// # Errors
    /// Unknown instrument, a quantity that is not positive, or overflow; nothing changed.
    pub fn apply_fill(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        price: i64,
        quantity: i64,
        fee: Money,
    ) -> Result<FillEffect, PortfolioError> {
        let row = self.row(instrument)?;
        if quantity <= 0 {
            return Err(PortfolioError::Quantity {
                instrument: instrument.0,
                quantity,
            });
        }
        let overflow = PortfolioError::Overflow(instrument.0);
        let signed = side.sign() * quantity;
        let paid = row.terms.exact(price, signed).ok_or(overflow)?;
        let (position, effect) = row
            .position
            .after_fill(&row.terms, price, signed, paid, fee)
            .ok_or(overflow)?;
        let mut next = Row {
            position,
            is_marked: true,
            ..*row
        };
        if !row.is_marked {
            next.position.mark_price = price;
        }
        next.value = next.worth().ok_or(overflow)?;
        let mut totals = self
            .totals
            .after_fill(&row.position, &position, paid)
            .and_then(|totals| totals.after_value(row.value, next.value))
            .ok_or(overflow)?;
        totals.settle(self.cash_at_start).ok_or(overflow)?;
        self.commit(instrument, next, totals)?;
        Ok(effect)
    }

    /// Values a position at `price`.
    ///
    /// # Errors
    /// Unknown instrument or overflow; nothing changed.
    pub fn mark(&mut self, instrument: InstrumentId, price: i64) -> Result<(), PortfolioError> {
        let row = self.row(instrument)?;
        if row.is_marked && row.position.mark_price == price {
            return Ok(());
        }
        let mut next = Row {
            is_marked: true,
            ..*row
        };
        next.position.mark_price = price;
        if row.position.quantity == 0 {
            self.rows[instrument.index()] = next;
            return Ok(());
        }
        let overflow = PortfolioError::Overflow(instrument.0);
        next.value = next.worth().ok_or(overflow)?;
        let mut totals = self
            .totals
            .after_value(row.value, next.value)
            .ok_or(overflow)?;
        totals.settle(self.cash_at_start).ok_or(overflow)?;
        self.commit(instrument, next, totals)
    }

    /// Takes over a row and the sums that belong to it, if they balance.
    fn commit(
        &mut self,
        instrument: InstrumentId,
        row: Row,
        totals: Totals,
    ) -> Result<(), PortfolioError> {
        totals.check(self.cash_at_start)?;
        self.rows[instrument.index()] = row;
        self.totals = totals;
        self.equity_max = self.equity_max.max(totals.equity);
        Ok(())
    }

    fn row(&self, instrument: InstrumentId) -> Result<&Row, PortfolioError> {
        let row = self.rows.get(instrument.index());
        row.ok_or(PortfolioError::UnknownInstrument(instrument.0))
    }

    /// The position in an instrument; empty for an unknown one.
    pub fn position(&self, instrument: InstrumentId) -> Position {
        let row = self.rows.get(instrument.index());
        row.map_or_else(Position::default, |row| row.position)
    }

    /// Profit of the open part at its mark.
    pub fn unrealised(&self, instrument: InstrumentId) -> Money {
        let row = self.rows.get(instrument.index());
        row.map_or(Money::ZERO, |row| row.value - row.position.cost)
    }

    /// Signed notional of the position at its mark.
    pub fn exposure(&self, instrument: InstrumentId) -> Money {
        let row = self.rows.get(instrument.index());
        row.map_or(Money::ZERO, |row| row.value)
    }

    /// What the account is worth: cash and all positions at their marks.
    pub const fn equity(&self) -> Money {
        self.totals.equity
    }

    /// The highest equity after any fill or mark; at first the starting cash.
    pub const fn equity_max(&self) -> Money {
        self.equity_max
    }

    /// Cash as if every instrument were paid for in full: what was received less what was paid. Negative with leverage.
    pub const fn cash(&self) -> Money {
        self.totals.cash
    }

    /// Cash at the start.
    pub const fn cash_at_start(&self) -> Money {
        self.cash_at_start
    }

    /// Profit of all that was closed, before fees.
    pub const fn realised(&self) -> Money {
        self.totals.realised
    }

    /// Fees paid; negative when rebates outweigh them.
    pub const fn fees(&self) -> Money {
        self.totals.fees
    }

    /// Notional of all fills.
    pub const fn volume(&self) -> Money {
        self.totals.volume
    }

    /// Sum of the sizes of all positions at their marks.
    pub const fn gross_exposure(&self) -> Money {
        self.totals.gross
    }

    /// Sum of all positions at their marks, shorts negative.
    pub const fn net_exposure(&self) -> Money {
        self.totals.value
    }

    /// Computes every sum anew from the positions and compares. One pass over the instruments; every fill and mark
    /// already checks the balance of the kept sums.
    ///
    /// # Errors
    /// The first sum that differs.
    pub fn check_conservation(&self) -> Result<(), PortfolioError> {
        let anew = |part: fn(&Row) -> Option<Money>| {
            let mut sum = Some(Money::ZERO);
            for row in &self.rows {
                sum = sum.and_then(|sum| add(sum, part(row)?));
            }
            sum
        };
        let totals = &self.totals;
        let pairs = [
            ("value", totals.value, anew(Row::worth)),
            (
                "gross exposure",
                totals.gross,
                anew(|row| Some(row.worth()?.abs())),
            ),
            ("cost", totals.cost, anew(|row| Some(row.position.cost))),
            (
                "realised",
                totals.realised,
                anew(|row| Some(row.position.realised)),
            ),
            ("fees", totals.fees, anew(|row| Some(row.position.fees))),
            (
                "volume",
                totals.volume,
                anew(|row| Some(row.position.volume)),
            ),
        ];
        for (what, kept, anew) in pairs {
            totals::same(what, kept, anew)?;
        }
        for row in &self.rows {
            totals::same("value of a position", row.value, row.worth())?;
        }
        totals.check(self.cash_at_start)
    }

    /// Writes positions, cash and peak; values and sums follow from these.
    pub(crate) fn save(&self, out: &mut Encoder) {
        out.section(SECTION);
        out.i128(self.totals.cash.0);
        out.i128(self.equity_max.0);
        for row in &self.rows {
            out.bool(row.is_marked);
            row.position.save(out);
        }
    }

    /// Reads into books of the same instruments and starting cash. They must balance.
    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        from.section(SECTION)?;
        let mut totals = Totals::new(Money(from.i128()?));
        let equity_max = Money(from.i128()?);
        for row in &mut self.rows {
            row.is_marked = from.bool()?;
            row.position = Position::load(from)?;
            let is_touched = row.is_marked || row.position == Position::default();
            from.expect(is_touched, "a mark wherever something was held")?;
            let overflow = || from.invalid("amounts that fit their integers");
            row.value = row.worth().ok_or_else(overflow)?;
            totals = totals
                .with_row(&row.position, row.value)
                .ok_or_else(overflow)?;
        }
        let is_settled = totals.settle(self.cash_at_start).is_some();
        let is_balanced = is_settled && totals.check(self.cash_at_start).is_ok();
        from.expect(is_balanced, "books that balance")?;
        let is_peak = equity_max >= totals.equity && equity_max >= self.cash_at_start;
        from.expect(is_peak, "a peak of equity that is no lower than equity")?;
        self.equity_max = equity_max;
        self.totals = totals;
        Ok(())
    }

    /// Folds in all positions and sums.
    pub fn digest(&self, hasher: &mut StateHasher) {
        for row in &self.rows {
            row.position.digest(hasher);
        }
        hasher.wide(self.totals.cash.0);
        hasher.wide(self.totals.equity.0);
        hasher.wide(self.equity_max.0);
    }
}

impl Row {
    /// Signed notional at the mark, if it and the profit that it implies fit their integers.
    fn worth(&self) -> Option<Money> {
        let position = &self.position;
        let value = self.terms.exact(position.mark_price, position.quantity)?;
        sub(value, position.cost).map(|_| value)
    }
}
