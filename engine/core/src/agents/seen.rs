//! What an agent sees when it is asked: the market, what the hub has found out, the others' signals, its own book.

use super::{AgentError, Signals, predictions::Predictions};
use crate::{
    event::Side,
    features::Features,
    instrument::{Instrument, InstrumentId, Instruments},
    market::{Market, Quote},
    structure::Structure,
};

/// Why an agent is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The quote of this instrument changed.
    Quote(InstrumentId),
    /// A trade was printed in this instrument, and on which side was who took.
    Trade(InstrumentId, Side),
    /// The periodic timer came due.
    Timer,
}

/// The window of one agent, for the length of one call.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The time of the present input, ns since the Unix epoch.
    pub now_ns: i64,
    /// The number of this agent on the bus.
    pub agent: usize,
    /// All instruments.
    pub instruments: &'a Instruments,
    /// Their markets.
    pub markets: &'a [Market],
    /// What is measured of each.
    pub features: &'a Features,
    /// What belongs together.
    pub structure: &'a Structure,
    /// What the others expect.
    pub signals: &'a Signals,
    /// What the models say.
    pub predictions: &'a Predictions,
    /// This agent's own positions, quantity mantissas.
    pub held: &'a [i64],
    /// Its capital in the account currency.
    pub capital: f64,
    /// What one unit of the currency that each instrument is paid in is worth in the account's; 0 = no rate.
    pub rates: &'a [f64],
    /// False while the hub may not grow its risk: nobody should explore then.
    pub is_active: bool,
    /// Timer ticks so far.
    pub ticks: u64,
}

impl<'a> Seen<'a> {
    /// Best bid and offer, if the book is live.
    pub fn quote(&self, index: usize) -> Option<Quote> {
        self.markets.get(index)?.quote()
    }

    /// One instrument's definition.
    pub fn rules(&self, index: usize) -> &'a Instrument {
        &self.instruments.rows()[index]
    }

    /// How many instruments there are.
    pub fn count(&self) -> usize {
        self.markets.len()
    }

    /// This agent's position as a share of its capital at the mid; 0 without a quote or capital.
    pub fn held_share(&self, index: usize) -> f64 {
        let Some(quote) = self.quote(index) else {
            return 0.0;
        };
        if self.held[index] == 0 || self.capital <= 0.0 {
            return 0.0;
        }
        let rules = self.rules(index);
        let price = rules.price_f64(quote.mid_doubled()) / 2.0 * self.rates[index];
        rules.quantity_f64(self.held[index]) * price / self.capital
    }

    /// What it costs to cross the spread once, as a log return: half the spread and the taker's fee.
    pub fn cost_to_cross(&self, index: usize) -> Option<f64> {
        let quote = self.quote(index)?;
        let half_spread = quote.spread() as f64 / quote.mid_doubled() as f64;
        Some(half_spread + self.rules(index).taker_fee_ppm as f64 * 1e-6)
    }
}

/// An agent cannot be made from its parameters.
pub(super) fn refuse(
    agent: &'static str,
    field: &'static str,
    expected: &'static str,
) -> AgentError {
    AgentError {
        agent,
        field,
        expected,
    }
}
