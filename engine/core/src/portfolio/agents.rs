//! What each agent holds and has earned: every fill belongs to the agent whose order it filled.
//!
//! Agents share one account, so one may be long what another is short. The books of account know only the sum; these know
//! the parts, for limits on one agent. A mark costs one step for every agent that holds the instrument.
//!
//! Invariant: the quantities of all agents add up to the account's position.

use alloc::{vec, vec::Vec};

use super::position::{add, sub};
use crate::{
    instrument::InstrumentId,
    money::Money,
    orders::{AGENTS_MAX, agent_index},
    risk::Terms,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// Sums of one agent in one currency.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    /// Received less paid, fees and funding included.
    flow: Money,
    /// What it holds at the marks, shorts negative.
    value: Money,
    /// Sizes of what it holds at the marks.
    gross: Money,
}

impl Sums {
    fn after_value(self, before: Money, after: Money) -> Option<Self> {
        let growth = sub(
            Money(after.0.checked_abs()?),
            Money(before.0.checked_abs()?),
        )?;
        Some(Self {
            value: add(self.value, sub(after, before)?)?,
            gross: add(self.gross, growth)?,
            ..self
        })
    }

    fn profit(self) -> Option<Money> {
        add(self.flow, self.value)
    }
}

/// A fill, as the agents' books need it.
pub(super) struct AgentFill {
    pub(super) instrument: InstrumentId,
    pub(super) currency: usize,
    /// Positive = bought.
    pub(super) signed: i64,
    /// Signed notional paid and fee together.
    pub(super) spent: Money,
    /// The price that the instrument is valued at; its first fill is its first mark, so nobody holds it before.
    pub(super) mark: i64,
}

/// The books of all agents.
#[derive(Clone, Debug)]
pub(super) struct Agents {
    instruments: usize,
    currencies: usize,
    /// By agent, then by instrument.
    quantity: Vec<i64>,
    /// Which agents hold an instrument: bit `n` is agent `n + 1`.
    holders: Vec<u16>,
    /// By agent, then by currency.
    sums: Vec<Sums>,
    /// By currency.
    gross: Vec<Vec<Money>>,
}

const _: () = assert!(AGENTS_MAX == u16::BITS as usize);

impl Agents {
    pub(super) fn new(instruments: usize, currencies: usize) -> Self {
        Self {
            instruments,
            currencies,
            quantity: vec![0; AGENTS_MAX * instruments],
            holders: vec![0; instruments],
            sums: vec![Sums::default(); AGENTS_MAX * currencies],
            gross: vec![vec![Money::ZERO; currencies]; AGENTS_MAX],
        }
    }

    pub(super) fn quantity(&self, agent: u16, instrument: InstrumentId) -> i64 {
        if instrument.index() >= self.instruments {
            return 0;
        }
        self.quantity[agent_index(agent) * self.instruments + instrument.index()]
    }

    /// Sizes of all that an agent holds, by currency.
    pub(super) fn gross(&self, agent: u16) -> &[Money] {
        &self.gross[agent_index(agent)]
    }

    /// What an agent has earned in one currency since the start.
    pub(super) fn profit(&self, agent: u16, currency: usize) -> Money {
        let sums = self.sums[agent_index(agent) * self.currencies + currency];
        // Every change was refused that would leave the integer.
        sums.profit().unwrap_or(Money::ZERO)
    }

    pub(super) fn is_held(&self, instrument: InstrumentId) -> bool {
        self.holders[instrument.index()] != 0
    }

    /// Books a fill; `None` when a number would leave its integer, then nothing changed.
    pub(super) fn fill(&mut self, agent: u16, fill: &AgentFill, terms: &Terms) -> Option<()> {
        let agent = agent_index(agent);
        let place = agent * self.instruments + fill.instrument.index();
        let before = self.quantity[place];
        let after = before.checked_add(fill.signed)?;
        let mut sums = self.sums[agent * self.currencies + fill.currency].after_value(
            terms.exact(fill.mark, before)?,
            terms.exact(fill.mark, after)?,
        )?;
        sums.flow = sub(sums.flow, fill.spent)?;
        sums.profit()?;
        self.quantity[place] = after;
        self.put(agent, fill.currency, sums);
        let bit = 1 << agent;
        let holders = &mut self.holders[fill.instrument.index()];
        *holders = if after == 0 {
            *holders & !bit
        } else {
            *holders | bit
        };
        Some(())
    }

    /// Values what the agents hold of an instrument at another price; `None` on overflow, then nothing changed.
    pub(super) fn mark(
        &mut self,
        instrument: InstrumentId,
        currency: usize,
        terms: &Terms,
        before: i64,
        after: i64,
    ) -> Option<()> {
        let mut next = [Sums::default(); AGENTS_MAX];
        for agent in self.holders_of(instrument) {
            let quantity = self.quantity[agent * self.instruments + instrument.index()];
            let sums = self.sums[agent * self.currencies + currency];
            let sums = sums.after_value(
                terms.exact(before, quantity)?,
                terms.exact(after, quantity)?,
            )?;
            sums.profit()?;
            next[agent] = sums;
        }
        for agent in self.holders_of(instrument) {
            self.put(agent, currency, next[agent]);
        }
        Some(())
    }

    /// Books funding: each agent's share of it by what it holds; `share` gives what a value receives.
    pub(super) fn settle_funding(
        &mut self,
        instrument: InstrumentId,
        currency: usize,
        share: impl Fn(i64) -> Option<Money>,
    ) -> Option<()> {
        let mut next = [Sums::default(); AGENTS_MAX];
        for agent in self.holders_of(instrument) {
            let quantity = self.quantity[agent * self.instruments + instrument.index()];
            let mut sums = self.sums[agent * self.currencies + currency];
            sums.flow = add(sums.flow, share(quantity)?)?;
            sums.profit()?;
            next[agent] = sums;
        }
        for agent in self.holders_of(instrument) {
            self.put(agent, currency, next[agent]);
        }
        Some(())
    }

    fn put(&mut self, agent: usize, currency: usize, sums: Sums) {
        self.sums[agent * self.currencies + currency] = sums;
        self.gross[agent][currency] = sums.gross;
    }

    /// The agents that hold an instrument, in the order of their numbers.
    fn holders_of(&self, instrument: InstrumentId) -> impl Iterator<Item = usize> + use<> {
        let mut left = self.holders[instrument.index()];
        core::iter::from_fn(move || {
            (left != 0).then(|| {
                let agent = left.trailing_zeros() as usize;
                left &= left - 1;
                agent
            })
        })
    }

    /// What all agents hold of an instrument together; `None` on overflow.
    pub(super) fn total(&self, instrument: InstrumentId) -> Option<i64> {
        let mut total = 0i64;
        for agent in self.holders_of(instrument) {
            total =
                total.checked_add(self.quantity[agent * self.instruments + instrument.index()])?;
        }
        Some(total)
    }

    /// Writes who holds what, and what each agent received less paid; values follow from the marks.
    pub(super) fn write(&self, out: &mut impl Sink) {
        for (index, holders) in self.holders.iter().enumerate() {
            out.u32(u32::from(*holders));
            for agent in self.holders_of(InstrumentId(index as u16)) {
                out.i64(self.quantity[agent * self.instruments + index]);
            }
        }
        for sums in &self.sums {
            out.i128(sums.flow.0);
        }
    }

    /// Reads into empty books; `mark` gives terms, currency and mark of an instrument.
    pub(super) fn load(
        &mut self,
        from: &mut Decoder<'_>,
        mark: impl Fn(usize) -> (Terms, usize, i64),
    ) -> Result<(), SnapshotError> {
        for index in 0..self.instruments {
            let holders = u16::try_from(from.u32()?);
            self.holders[index] = holders.map_err(|_| from.invalid("agents from 1 to 16"))?;
            let (terms, currency, price) = mark(index);
            for agent in self.holders_of(InstrumentId(index as u16)) {
                let quantity = from.i64()?;
                from.expect(quantity != 0, "a quantity for every holder")?;
                self.quantity[agent * self.instruments + index] = quantity;
                let sums = self.sums[agent * self.currencies + currency];
                let value = terms.exact(price, quantity);
                let next = value.and_then(|value| sums.after_value(Money::ZERO, value));
                let next = next.ok_or_else(|| from.invalid("amounts that fit their integers"))?;
                self.put(agent, currency, next);
            }
        }
        for place in 0..self.sums.len() {
            self.sums[place].flow = Money(from.i128()?);
            let fits = self.sums[place].profit().is_some();
            from.expect(fits, "amounts that fit their integers")?;
        }
        Ok(())
    }
}
