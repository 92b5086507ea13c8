//! What can be read from the books: amounts of the account in its own currency, and of every level that has a limit.

use super::{Portfolio, Position, totals::Totals};
use crate::{
    currency::{Rate, Rates},
    instrument::InstrumentId,
    money::Money,
};

/// The books of one currency, every amount in that currency.
///
/// In integers: `equity == cash + value == start + realised + unrealised + funding - fees`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrencyBooks {
    /// Cash at the start.
    pub start: Money,
    /// Cash now, as if every instrument were paid for in full.
    pub cash: Money,
    /// Positions that are paid in it, at their marks, shorts negative.
    pub value: Money,
    /// Profit of all that was closed, before fees and funding.
    pub realised: Money,
    /// Profit of all that is open, at the marks.
    pub unrealised: Money,
    /// Fees paid; negative when rebates outweigh them.
    pub fees: Money,
    /// Funding received; negative when more was paid.
    pub funding: Money,
    /// Cash and positions.
    pub equity: Money,
    /// The same in the account's currency at the present rate.
    pub equity_in_account: Money,
}

impl Portfolio {
    /// The books of one currency by its index in the groups; none for an unknown one.
    pub fn currency(&self, currency: usize) -> Option<CurrencyBooks> {
        let totals = self.totals.get(currency)?;
        Some(CurrencyBooks {
            start: totals.start,
            cash: totals.cash,
            value: totals.value,
            realised: totals.realised,
            unrealised: totals.value - totals.cost,
            fees: totals.fees,
            funding: totals.funding,
            equity: totals.equity,
            equity_in_account: self.converted[currency],
        })
    }

    /// The position in an instrument; empty for an unknown one.
    pub fn position(&self, instrument: InstrumentId) -> Position {
        let row = self.rows.get(instrument.index());
        row.map_or_else(Position::default, |row| row.position)
    }

    /// What an agent holds of an instrument.
    pub fn agent_quantity(&self, agent: u16, instrument: InstrumentId) -> i64 {
        self.agents.quantity(agent, instrument)
    }

    /// Profit of the open part at its mark, in the instrument's quote currency.
    pub fn unrealised(&self, instrument: InstrumentId) -> Money {
        let row = self.rows.get(instrument.index());
        row.map_or(Money::ZERO, |row| row.value - row.position.cost)
    }

    /// Signed notional of the position at its mark, in the account's currency.
    pub fn exposure(&self, instrument: InstrumentId) -> Money {
        let row = self.rows.get(instrument.index());
        row.map_or(Money::ZERO, |row| {
            worth(self.rates.get(row.group.currency), row.value)
        })
    }

    /// What the account is worth: cash and all positions at their marks.
    pub const fn equity(&self) -> Money {
        self.equity
    }

    /// The highest equity after any fill, mark, funding or rate; at first the starting cash.
    pub const fn equity_max(&self) -> Money {
        self.equity_max
    }

    /// Cash as if every instrument were paid for in full: what was received less what was paid. Negative with leverage.
    pub fn cash(&self) -> Money {
        self.sum(|totals| totals.cash)
    }

    /// Cash of one currency, in that currency; nothing for an unknown one.
    pub fn balance(&self, currency: usize) -> Money {
        self.totals
            .get(currency)
            .map_or(Money::ZERO, |totals| totals.cash)
    }

    /// Cash at the start.
    pub fn cash_at_start(&self) -> Money {
        self.totals[0].start
    }

    /// Profit of all that was closed, before fees and funding, at the present rates.
    pub fn realised(&self) -> Money {
        self.sum(|totals| totals.realised)
    }

    /// Profit of all that is open, at the marks and the present rates.
    pub fn unrealised_total(&self) -> Money {
        self.sum(|totals| totals.value - totals.cost)
    }

    /// Fees paid, at the present rates; negative when rebates outweigh them.
    pub fn fees(&self) -> Money {
        self.sum(|totals| totals.fees)
    }

    /// Funding received, at the present rates; negative when more was paid.
    pub fn funding(&self) -> Money {
        self.sum(|totals| totals.funding)
    }

    /// What fills, marks, fees and funding have done to equity, each at the rate of its moment. Together with `revaluation` it
    /// is the whole change of equity, in integers.
    pub const fn earned(&self) -> Money {
        self.earned
    }

    /// What changes of rates have done to equity.
    pub const fn revaluation(&self) -> Money {
        self.revaluation
    }

    /// Notional of all fills, at the present rates.
    pub fn volume(&self) -> Money {
        self.sum(|totals| totals.volume)
    }

    /// The rates between the currencies and the account's.
    pub const fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Sum of the sizes of all positions at their marks.
    pub fn gross_exposure(&self) -> Money {
        self.rates.sum(&self.sums.gross)
    }

    /// Sum of all positions at their marks, shorts negative.
    pub fn net_exposure(&self) -> Money {
        self.rates.sum(&self.sums.net)
    }

    /// Sum of the sizes of the positions at one venue, by its index in the groups.
    pub fn venue_exposure(&self, venue: usize) -> Money {
        self.rates.sum(self.sums.venue_gross(venue))
    }

    /// Notional of all fills at one venue.
    pub fn venue_volume(&self, venue: usize) -> Money {
        self.rates.sum(self.sums.venue_volume(venue))
    }

    /// All positions in one base asset netted, whatever their venue and contract, by its index in the groups.
    pub fn base_exposure(&self, base: usize) -> Money {
        self.rates.sum(self.sums.base_net(base))
    }

    /// Sum of the sizes of what one agent holds.
    pub fn agent_exposure(&self, agent: u16) -> Money {
        self.rates.sum(self.agents.gross(agent))
    }

    /// What one agent has earned since the start, fees and funding included, at the present rates.
    pub fn agent_profit(&self, agent: u16) -> Money {
        let mut sum = Money::ZERO;
        for currency in 0..self.totals.len() {
            let profit = worth(
                self.rates.get(currency),
                self.agents.profit(agent, currency),
            );
            sum = Money(sum.0.saturating_add(profit.0));
        }
        sum
    }

    /// Margin that the positions take up, rounded up.
    pub fn margin_used(&self) -> Money {
        let millionths = self.rates.sum(&self.sums.margin).0;
        Money(-((-millionths).div_euclid(1_000_000)))
    }

    /// Equity beyond the margin of the positions; negative when it is short.
    pub fn margin_free(&self) -> Money {
        Money(self.equity.0.saturating_sub(self.margin_used().0))
    }

    pub(crate) fn margin_millionths(&self) -> Money {
        self.rates.sum(&self.sums.margin)
    }

    fn sum(&self, part: impl Fn(&Totals) -> Money) -> Money {
        let mut sum = Money::ZERO;
        for (currency, totals) in self.totals.iter().enumerate() {
            let amount = worth(self.rates.get(currency), part(totals));
            sum = Money(sum.0.saturating_add(amount.0));
        }
        sum
    }
}

/// An amount in the account's currency; the largest there is when that overflows.
fn worth(rate: Rate, amount: Money) -> Money {
    rate.convert(amount).unwrap_or(Money(i128::MAX))
}
