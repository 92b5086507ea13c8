//! The books of account: positions, cash and profit in exact integers.
//!
//! One account, one balance in every currency in which something is paid. Amounts stay in the currency in which they
//! arose; where currencies meet (equity, exposures) they are converted at the present rate, rounded down. A currency
//! without a rate counts as nothing.
//!
//! A fill of a position's own side adds its notional to the position's cost. A fill of the other side takes out of
//! the cost the share `cost * closed / quantity`, rounded towards zero; what rounding leaves stays in the cost of the
//! open part, and the last close takes all of it. So no unit of 10^-12 is ever lost, only realised later.
//!
//! Funding is received or paid on a position's notional at the venue's price or our mark, rounded down, so that rounding is
//! always against us.
//!
//! Invariant, in integers, in every currency, after every fill, mark and funding:
//!
//! ```text
//! equity  ==  cash + value of positions at their marks
//!         ==  starting cash + realised + unrealised + funding - fees
//! ```
//!
//! The two sides are kept by different paths: cash by what was paid and received, profit by what positions cost. And in the
//! account's currency, after every change of a rate too:
//!
//! ```text
//! equity  ==  sum of the currencies' equities at their rates
//!         ==  starting cash + earned + revaluation
//! ```
//!
//! where `earned` is what fills, marks and funding changed, each at the rate of its moment, and `revaluation` what rates did.
//! Invariant: an operation that would overflow or break conservation is refused whole and changes nothing.

mod agents;
mod position;
mod report;
mod sums;
mod totals;

pub use position::{FillEffect, Position, PositionChange};
pub use report::CurrencyBooks;

use alloc::vec::Vec;

use crate::{
    currency::{Rate, RateSource, Rates},
    event::Side,
    groups::{Group, Groups},
    instrument::{InstrumentId, Instruments},
    money::Money,
    risk::Terms,
    snapshot::{Decoder, Sink, SnapshotError, Tag},
};
use agents::{AgentFill, Agents};
use position::{add, sub};
use sums::Sums;
use totals::Totals;

/// Why the books refused an operation; they are unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortfolioError {
    /// The instrument is not in the hub's table.
    #[error("instrument {0} is not in the table of instruments")]
    UnknownInstrument(u16),
    /// The currency is not in the hub's table, or is the account's own.
    #[error("currency {0} is not in the table of currencies, or is the account's own")]
    UnknownCurrency(u32),
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
/// Denominator of a funding rate.
const FUNDING_ONE: i128 = 10i128.pow(crate::event::FUNDING_RATE_EXPONENT);

/// One instrument's part of the books.
#[derive(Clone, Copy, Debug)]
struct Row {
    terms: Terms,
    group: Group,
    margin_ppm: u32,
    position: Position,
    /// Signed notional at the mark.
    value: Money,
    /// False until the first mark or fill.
    is_marked: bool,
}

/// Everything that one operation changes, computed before any of it is taken over.
struct Step {
    row: Row,
    totals: Totals,
    margin: Money,
    /// The currency's equity in the account's currency.
    converted: Money,
    equity: Money,
    earned: Money,
}

/// The books of account.
#[derive(Clone, Debug)]
pub struct Portfolio {
    rows: Vec<Row>,
    rates: Rates,
    /// By currency.
    totals: Vec<Totals>,
    /// Equity of every currency in the account's.
    converted: Vec<Money>,
    sums: Sums,
    agents: Agents,
    equity: Money,
    equity_max: Money,
    earned: Money,
    revaluation: Money,
}

impl Portfolio {
    /// Books with `cash` in the currency of most instruments, without margins.
    pub fn new(instruments: &Instruments, cash: Money) -> Self {
        Self::with_groups(instruments, &Groups::new(instruments, ""), |_| 0, cash)
    }

    /// Books with `cash` in the account's currency, nothing in any other, and no position. `margin_ppm` gives the margin
    /// share of an instrument. The only place that allocates.
    pub fn with_groups(
        instruments: &Instruments,
        groups: &Groups,
        margin_ppm: impl Fn(InstrumentId) -> u32,
        cash: Money,
    ) -> Self {
        let row = |(id, instrument)| Row {
            terms: Terms::of(instrument),
            group: groups.of(id),
            margin_ppm: margin_ppm(id),
            position: Position::default(),
            value: Money::ZERO,
            is_marked: false,
        };
        let currencies = groups.currencies().len();
        let start = |currency| if currency == 0 { cash } else { Money::ZERO };
        Self {
            rows: instruments.iter().map(row).collect(),
            rates: Rates::new(currencies),
            totals: (0..currencies)
                .map(|index| Totals::new(start(index)))
                .collect(),
            converted: (0..currencies).map(start).collect(),
            sums: Sums::new(groups),
            agents: Agents::new(instruments.count(), currencies),
            equity: cash,
            equity_max: cash,
            earned: Money::ZERO,
            revaluation: Money::ZERO,
        }
    }

    /// Books one fill of the first agent; see `apply_agent_fill`.
    ///
    /// # Errors
    /// As `apply_agent_fill`.
    pub fn apply_fill(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        price: i64,
        quantity: i64,
        fee: Money,
    ) -> Result<FillEffect, PortfolioError> {
        self.apply_agent_fill(1, instrument, side, price, quantity, fee)
    }

    /// Books one fill of an agent's order. A position that was never marked is marked at the fill's price; a marked one
    /// keeps its mark. The fee is in the instrument's quote currency.
    ///
    /// # Errors
    /// Unknown instrument, a quantity that is not positive, or overflow; nothing changed.
    pub fn apply_agent_fill(
        &mut self,
        agent: u16,
        instrument: InstrumentId,
        side: Side,
        price: i64,
        quantity: i64,
        fee: Money,
    ) -> Result<FillEffect, PortfolioError> {
        let row = *self.row(instrument)?;
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
            ..row
        };
        if !row.is_marked {
            next.position.mark_price = price;
        }
        let totals = &self.totals[row.group.currency];
        let totals = totals.after_fill(&row.position, &position, paid);
        let step = totals.and_then(|totals| self.step(&row, next, totals));
        let step = step.ok_or(overflow)?;
        step.totals.check()?;
        let fill = AgentFill {
            instrument,
            currency: row.group.currency,
            signed,
            spent: add(paid, fee).ok_or(overflow)?,
            mark: step.row.position.mark_price,
        };
        self.agents.fill(agent, &fill, &row.terms).ok_or(overflow)?;
        self.sums.trade(row.group, paid);
        self.commit(instrument, &step);
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
        if row.position.quantity == 0 && !self.agents.is_held(instrument) {
            self.rows[instrument.index()] = next;
            return Ok(());
        }
        let row = *row;
        let overflow = PortfolioError::Overflow(instrument.0);
        let totals = self.totals[row.group.currency];
        let step = self.step(&row, next, totals).ok_or(overflow)?;
        step.totals.check()?;
        let before = row.position.mark_price;
        self.agents
            .mark(instrument, row.group.currency, &row.terms, before, price)
            .ok_or(overflow)?;
        self.commit(instrument, &step);
        Ok(())
    }

    /// Books funding on a position: longs pay `rate` (units of 10^-12) of its notional at `price`, or at the mark where the
    /// price is 0, to shorts. What is received is rounded down, against us. Returns it.
    ///
    /// # Errors
    /// Unknown instrument or overflow; nothing changed.
    pub fn settle_funding(
        &mut self,
        instrument: InstrumentId,
        rate: i64,
        price: i64,
    ) -> Result<Money, PortfolioError> {
        let row = *self.row(instrument)?;
        let overflow = PortfolioError::Overflow(instrument.0);
        let price = if price > 0 {
            price
        } else {
            row.position.mark_price
        };
        let share = |quantity: i64| {
            let value = row.terms.exact(price, quantity)?;
            let product = value.0.checked_mul(-i128::from(rate))?;
            Some(Money(product.div_euclid(FUNDING_ONE)))
        };
        let received = share(row.position.quantity).ok_or(overflow)?;
        let mut next = row;
        next.position.funding = add(next.position.funding, received).ok_or(overflow)?;
        let totals = self.totals[row.group.currency].after_funding(received);
        let step = totals.and_then(|totals| self.step(&row, next, totals));
        let step = step.ok_or(overflow)?;
        step.totals.check()?;
        self.agents
            .settle_funding(instrument, row.group.currency, share)
            .ok_or(overflow)?;
        self.commit(instrument, &step);
        Ok(received)
    }

    /// Changes what a currency is worth in the account's. No booked amount changes; equity does, by the revaluation.
    ///
    /// # Errors
    /// The account's own currency, an unknown one, or overflow; nothing changed.
    pub fn set_rate(
        &mut self,
        currency: usize,
        rate: Rate,
        source: RateSource,
    ) -> Result<(), PortfolioError> {
        if currency == 0 || currency >= self.totals.len() {
            return Err(PortfolioError::UnknownCurrency(currency as u32));
        }
        let anew = || {
            let converted = rate.convert(self.totals[currency].equity)?;
            let change = sub(converted, self.converted[currency])?;
            Some((
                converted,
                add(self.equity, change)?,
                add(self.revaluation, change)?,
            ))
        };
        let overflow = PortfolioError::Overflow(u16::MAX);
        let (converted, equity, revaluation) = anew().ok_or(overflow)?;
        self.rates.set(currency, rate, source);
        self.converted[currency] = converted;
        self.revaluation = revaluation;
        self.set_equity(equity);
        self.check_account()
    }

    /// What changes when `row` becomes `next` and its currency's sums `totals`; values are computed here.
    fn step(&self, row: &Row, mut next: Row, totals: Totals) -> Option<Step> {
        let currency = row.group.currency;
        next.value = next.worth()?;
        let mut totals = totals.after_value(row.value, next.value)?;
        totals.settle()?;
        let margin = self
            .sums
            .margin_after(currency, row.margin_ppm, row.value, next.value)?;
        let converted = self.rates.get(currency).convert(totals.equity)?;
        let change = sub(converted, self.converted[currency])?;
        Some(Step {
            row: next,
            totals,
            margin,
            converted,
            equity: add(self.equity, change)?,
            earned: add(self.earned, change)?,
        })
    }

    /// Takes over what was computed and has been checked.
    fn commit(&mut self, instrument: InstrumentId, step: &Step) {
        let row = &mut self.rows[instrument.index()];
        let group = row.group;
        self.sums
            .revalue(group, row.value, step.row.value, step.margin);
        *row = step.row;
        self.totals[group.currency] = step.totals;
        self.converted[group.currency] = step.converted;
        self.earned = step.earned;
        self.set_equity(step.equity);
    }

    fn set_equity(&mut self, equity: Money) {
        self.equity = equity;
        self.equity_max = self.equity_max.max(equity);
    }

    /// The account's equity must be the same by its currencies and by what was earned and revalued.
    fn check_account(&self) -> Result<(), PortfolioError> {
        let mut by_currency = Some(Money::ZERO);
        for (index, totals) in self.totals.iter().enumerate() {
            let worth = self.rates.get(index).convert(totals.equity);
            by_currency = by_currency.and_then(|sum| add(sum, worth?));
        }
        totals::same("equity of the account", self.equity, by_currency)?;
        let by_cause = add(self.cash_at_start(), self.earned);
        let by_cause = by_cause.and_then(|sum| add(sum, self.revaluation));
        totals::same("equity by its causes", self.equity, by_cause)
    }

    fn row(&self, instrument: InstrumentId) -> Result<&Row, PortfolioError> {
        let row = self.rows.get(instrument.index());
        row.ok_or(PortfolioError::UnknownInstrument(instrument.0))
    }

    /// Computes every sum anew from the positions and compares. One pass over the instruments; every fill and mark
    /// already checks the balance of the kept sums.
    ///
    /// # Errors
    /// The first sum that differs.
    pub fn check_conservation(&self) -> Result<(), PortfolioError> {
        for (currency, totals) in self.totals.iter().enumerate() {
            let rows = || {
                self.rows
                    .iter()
                    .filter(|row| row.group.currency == currency)
            };
            let anew = |part: fn(&Row) -> Option<Money>| {
                rows().try_fold(Money::ZERO, |sum, row| add(sum, part(row)?))
            };
            let size = |row: &Row| Some(row.worth()?.abs());
            let pairs = [
                ("value", totals.value, anew(Row::worth)),
                ("net exposure", self.sums.net[currency], anew(Row::worth)),
                ("gross", totals.gross, anew(size)),
                ("gross exposure", self.sums.gross[currency], anew(size)),
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
                (
                    "funding",
                    totals.funding,
                    anew(|row| Some(row.position.funding)),
                ),
                ("margin", self.sums.margin[currency], anew(Row::margin)),
            ];
            for (what, kept, anew) in pairs {
                totals::same(what, kept, anew)?;
            }
            totals.check()?;
        }
        for (index, row) in self.rows.iter().enumerate() {
            totals::same("value of a position", row.value, row.worth())?;
            let held = Money(i128::from(row.position.quantity));
            let of_agents = self.agents.total(InstrumentId(index as u16));
            let of_agents = of_agents.map(|quantity| Money(i128::from(quantity)));
            totals::same("a position of all agents", held, of_agents)?;
        }
        self.check_account()
    }

    /// Writes positions, balances, rates and peak; values and sums follow from these. Serves the snapshot and the hash.
    pub fn write(&self, out: &mut impl Sink) {
        for totals in &self.totals {
            out.i128(totals.cash.0);
        }
        for amount in [self.equity_max, self.earned, self.revaluation] {
            out.i128(amount.0);
        }
        self.rates.write(out);
        for row in &self.rows {
            out.bool(row.is_marked);
            row.position.write(out);
        }
        self.agents.write(out);
    }

    /// Folds in what `write` writes.
    pub fn digest(&self, hasher: &mut crate::hash::StateHasher) {
        self.write(hasher);
    }

    pub(crate) fn save(&self, out: &mut crate::snapshot::Encoder) {
        out.section(SECTION);
        self.write(out);
    }

    /// Reads into books of the same instruments and starting cash. They must balance.
    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        from.section(SECTION)?;
        for totals in &mut self.totals {
            totals.cash = Money(from.i128()?);
        }
        let equity_max = Money(from.i128()?);
        self.earned = Money(from.i128()?);
        self.revaluation = Money(from.i128()?);
        self.rates.load(from)?;
        for index in 0..self.rows.len() {
            self.load_row(index, from)?;
        }
        let rows = &self.rows;
        self.agents.load(from, |index| {
            let row = &rows[index];
            (row.terms, row.group.currency, row.position.mark_price)
        })?;
        self.equity = Money::ZERO;
        for (currency, totals) in self.totals.iter_mut().enumerate() {
            let rate = self.rates.get(currency);
            let converted = totals.settle().and_then(|()| rate.convert(totals.equity));
            let sum = converted.and_then(|worth| add(self.equity, worth));
            let (Some(converted), Some(sum)) = (converted, sum) else {
                return Err(from.invalid("amounts that fit their integers"));
            };
            self.converted[currency] = converted;
            self.equity = sum;
        }
        let is_balanced = self.check_conservation().is_ok();
        from.expect(is_balanced, "books that balance")?;
        let is_peak = equity_max >= self.equity && equity_max >= self.cash_at_start();
        from.expect(is_peak, "a peak of equity that is no lower than equity")?;
        self.equity_max = equity_max;
        Ok(())
    }

    /// Reads one position and adds it to the sums.
    fn load_row(&mut self, index: usize, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        let row = &mut self.rows[index];
        row.is_marked = from.bool()?;
        row.position = Position::load(from)?;
        let is_touched = row.is_marked || row.position == Position::default();
        from.expect(is_touched, "a mark wherever something was held")?;
        let is_volume = row.position.volume >= Money::ZERO;
        from.expect(is_volume, "a volume that is not negative")?;
        let overflow = || from.invalid("amounts that fit their integers");
        row.value = row.worth().ok_or_else(overflow)?;
        let (group, position, value) = (row.group, row.position, row.value);
        let margin_ppm = row.margin_ppm;
        let totals = &mut self.totals[group.currency];
        *totals = totals.with_row(&position, value).ok_or_else(overflow)?;
        let margin = self
            .sums
            .margin_after(group.currency, margin_ppm, Money::ZERO, value)
            .ok_or_else(overflow)?;
        self.sums.revalue(group, Money::ZERO, value, margin);
        self.sums.trade(group, position.volume);
        Ok(())
    }
}

impl Row {
    /// Signed notional at the mark, if it and the profit that it implies fit their integers.
    fn worth(&self) -> Option<Money> {
        let position = &self.position;
        let value = self.terms.exact(position.mark_price, position.quantity)?;
        sub(value, position.cost).map(|_| value)
    }

    /// Size at the mark times the margin share in ppm.
    fn margin(&self) -> Option<Money> {
        let size = self.worth()?.0.checked_abs()?;
        size.checked_mul(i128::from(self.margin_ppm)).map(Money)
    }
}

#[cfg(test)]
mod tests;
