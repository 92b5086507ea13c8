//! What each agent would have earned with all of its capital: the measure by which the allocator shares.
//!
//! An agent's real book depends on the share that it was given and on what the gate let through. Its shadow trades every
//! wish at once for a capital of 1: across the spread with the taker's fee where the wish can pay for that, else at the touch
//! once the market has come to it. So all agents are measured alike, whether they have capital or not.
//!
//! Floats: this is a belief about agents, not money.

use alloc::{vec, vec::Vec};

use crate::{
    agents::Wish,
    event::Side,
    instrument::Instrument,
    market::Quote,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// Changes of the wished share below this are left alone.
const SHARE_STEP: f64 = 0.02;

/// One instrument in one agent's shadow.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    /// Base units held per unit of capital.
    units: f64,
    /// Price at which it waits, mantissa; 0 = it does not.
    rest_price: i64,
    /// Share that it waits for.
    rest_share: f64,
    /// Last mid, in quote units.
    price: f64,
}

/// The shadows of all agents.
#[derive(Debug)]
pub(super) struct Shadows {
    /// `[agent][instrument]`.
    rows: Vec<Row>,
    /// Earned so far per unit of capital, without what is open.
    cash: Vec<f64>,
    /// Worth at the end of the last period.
    before: Vec<f64>,
    instrument_count: usize,
}

impl Shadows {
    pub(super) fn new(agent_count: usize, instrument_count: usize) -> Self {
        Self {
            rows: vec![Row::default(); agent_count * instrument_count],
            cash: vec![0.0; agent_count],
            before: vec![0.0; agent_count],
            instrument_count,
        }
    }

    /// Follows a wish at this quote.
    pub(super) fn follow(
        &mut self,
        agent: usize,
        index: usize,
        wish: &Wish,
        quote: &Quote,
        rules: &Instrument,
    ) {
        let row = &mut self.rows[agent * self.instrument_count + index];
        let cash = &mut self.cash[agent];
        let mid = rules.price_f64(quote.mid_doubled()) / 2.0;
        row.price = mid;
        let held = row.units * mid;
        let change = wish.target_share - held;
        let is_flat = wish.target_share.to_bits() << 1 == 0;
        let is_small = libm::fabs(change) < SHARE_STEP && !(is_flat && libm::fabs(held) > 1e-6);
        if is_small {
            row.rest_price = 0;
            return;
        }
        let side = if change > 0.0 { Side::Bid } else { Side::Ask };
        let touch = quote.level(side).price;
        let opposite = quote.level(side.opposite()).price;
        // The market has come to where it waited.
        let waits_same_way = row.rest_price != 0 && (row.rest_share > held) == (change > 0.0);
        let is_reached = waits_same_way
            && match side {
                Side::Bid => opposite <= row.rest_price,
                Side::Ask => opposite >= row.rest_price,
            };
        let cost = (mid - rules.price_f64(opposite)) * -side.sign() as f64 / mid
            + rules.taker_fee_ppm as f64 * 1e-6;
        let (price, fee_ppm) = if is_reached {
            (row.rest_price, rules.maker_fee_ppm)
        } else if wish.is_urgent || wish.edge > cost {
            (opposite, rules.taker_fee_ppm)
        } else {
            row.rest_price = touch;
            row.rest_share = wish.target_share;
            return;
        };
        let units = change / mid;
        let paid = units * rules.price_f64(price);
        *cash -= paid + libm::fabs(paid) * fee_ppm as f64 * 1e-6;
        row.units += units;
        row.rest_price = 0;
    }

    /// Takes the new price of an instrument for all agents.
    pub(super) fn mark(&mut self, index: usize, price: f64) {
        for agent in 0..self.cash.len() {
            self.rows[agent * self.instrument_count + index].price = price;
        }
    }

    /// What each agent earned since the last call, per unit of capital.
    pub(super) fn end_period(&mut self, earned: &mut [f64]) {
        for (agent, earned) in earned.iter_mut().enumerate() {
            let first = agent * self.instrument_count;
            let mut worth = self.cash[agent];
            for row in &self.rows[first..first + self.instrument_count] {
                worth += row.units * row.price;
            }
            *earned = worth - self.before[agent];
            self.before[agent] = worth;
        }
    }

    pub(super) fn write(&self, out: &mut impl Sink) {
        for row in &self.rows {
            out.f64(row.units);
            out.i64(row.rest_price);
            out.f64(row.rest_share);
            out.f64(row.price);
        }
        self.cash.iter().for_each(|cash| out.f64(*cash));
        self.before.iter().for_each(|before| out.f64(*before));
    }

    pub(super) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for row in &mut self.rows {
            *row = Row {
                units: from.f64()?,
                rest_price: from.i64()?,
                rest_share: from.f64()?,
                price: from.f64()?,
            };
        }
        for value in self.cash.iter_mut().chain(&mut self.before) {
            *value = from.f64()?;
        }
        Ok(())
    }
}
