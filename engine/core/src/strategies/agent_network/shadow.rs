//! What each agent would have earned with all of its capital: the measure by which the allocator shares.
//!
//! An agent's real book depends on the share that it was given and on what the gate let through. Its shadow trades every
//! wish with the agents' whole capital, as an order would: it reaches the market `shadow_us` later and takes there what
//! its limit still allows of what stands at the touch, with the taker's fee, where the wish could pay for that; else it
//! waits at the touch until the market comes to it. So all agents are measured alike, whether they have capital or not.
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
/// What a funding rate of 1 stands for.
const FUNDING_UNIT: f64 = 1e-12;
const _: () = assert!(crate::event::FUNDING_RATE_EXPONENT == 12);

/// The market at which a wish is followed.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShadowMarket<'a> {
    pub(super) now_ns: i64,
    pub(super) quote: &'a Quote,
    pub(super) rules: &'a Instrument,
    /// Capital of all agents together, in the currency that the instrument is paid in.
    pub(super) capital: f64,
}

/// One instrument in one agent's shadow.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    /// Base units held per unit of capital.
    units: f64,
    /// Price of its order, mantissa; 0 = it has none.
    price: i64,
    /// Share that the order is to lead to.
    share: f64,
    /// When an order that crosses reaches the market; 0 = it waits at the touch.
    ts_due_ns: i64,
    /// Last mid, in quote units.
    mid: f64,
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
    delay_ns: i64,
}

impl Shadows {
    pub(super) fn new(agent_count: usize, instrument_count: usize, delay_us: i64) -> Self {
        Self {
            rows: vec![Row::default(); agent_count * instrument_count],
            cash: vec![0.0; agent_count],
            before: vec![0.0; agent_count],
            instrument_count,
            delay_ns: delay_us * 1_000,
        }
    }

    /// Follows a wish at this quote.
    pub(super) fn follow(
        &mut self,
        agent: usize,
        index: usize,
        wish: &Wish,
        market: &ShadowMarket<'_>,
    ) {
        let row = &mut self.rows[agent * self.instrument_count + index];
        let mid = market.rules.price_f64(market.quote.mid_doubled()) / 2.0;
        row.mid = mid;
        // What is on its way arrives first.
        if row.price != 0 {
            self.cash[agent] -= row.arrive(market);
        }
        if wish.is_holding {
            if row.ts_due_ns == 0 {
                row.price = 0;
            }
            return;
        }
        let held = row.units * mid;
        let change = wish.target_share - held;
        let is_flat = wish.target_share.to_bits() << 1 == 0;
        let is_small = libm::fabs(change) < SHARE_STEP && !(is_flat && libm::fabs(held) > 1e-6);
        let is_on_its_way = row.price != 0 && row.ts_due_ns != 0;
        if is_on_its_way {
            return;
        }
        if is_small {
            row.price = 0;
            return;
        }
        let side = if change > 0.0 { Side::Bid } else { Side::Ask };
        let opposite = market.quote.level(side.opposite()).price;
        let half = market.quote.spread() as f64 / market.quote.mid_doubled() as f64;
        let cost = half + market.rules.taker_fee_ppm as f64 * 1e-6;
        row.share = wish.target_share;
        if wish.is_urgent || wish.edge > cost {
            row.price = opposite;
            row.ts_due_ns = market.now_ns + self.delay_ns;
        } else {
            row.price = market.quote.level(side).price;
            row.ts_due_ns = 0;
        }
    }

    /// Takes the new price of an instrument for all agents.
    pub(super) fn mark(&mut self, index: usize, price: f64) {
        for agent in 0..self.cash.len() {
            self.rows[agent * self.instrument_count + index].mid = price;
        }
    }

    /// Charges every agent's shadow what a venue charges positions: longs pay `rate` (units of 10^-12) of what they hold at
    /// `price`, in quote units, to shorts.
    pub(super) fn fund(&mut self, index: usize, price: f64, rate: i64) {
        for (agent, cash) in self.cash.iter_mut().enumerate() {
            let units = self.rows[agent * self.instrument_count + index].units;
            *cash -= units * price * (rate as f64 * FUNDING_UNIT);
        }
    }

    /// What each agent earned since the last call, per unit of capital.
    pub(super) fn end_period(&mut self, earned: &mut [f64]) {
        for (agent, earned) in earned.iter_mut().enumerate() {
            let first = agent * self.instrument_count;
            let mut worth = self.cash[agent];
            for row in &self.rows[first..first + self.instrument_count] {
                worth += row.units * row.mid;
            }
            *earned = worth - self.before[agent];
            self.before[agent] = worth;
        }
    }

    pub(super) fn write(&self, out: &mut impl Sink) {
        for row in &self.rows {
            out.f64(row.units);
            out.i64(row.price);
            out.f64(row.share);
            out.i64(row.ts_due_ns);
            out.f64(row.mid);
        }
        self.cash.iter().for_each(|cash| out.f64(*cash));
        self.before.iter().for_each(|before| out.f64(*before));
    }

    pub(super) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for row in &mut self.rows {
            *row = Row {
                units: from.finite()?,
                price: from.i64()?,
                share: from.finite()?,
                ts_due_ns: from.time_ns()?,
                mid: from.finite()?,
            };
        }
        for value in self.cash.iter_mut().chain(&mut self.before) {
            *value = from.finite()?;
        }
        Ok(())
    }
}

impl Row {
    /// Lets its order trade with what the market offers now. Returns what that cost per unit of capital, fee included;
    /// negative for a sale.
    fn arrive(&mut self, market: &ShadowMarket<'_>) -> f64 {
        if self.ts_due_ns != 0 && market.now_ns < self.ts_due_ns {
            return 0.0;
        }
        let (quote, rules) = (market.quote, market.rules);
        let held = self.units * self.mid;
        let change = self.share - held;
        let side = if change > 0.0 { Side::Bid } else { Side::Ask };
        let level = quote.level(side.opposite());
        let is_met = (self.price - level.price) * side.sign() >= 0;
        let is_taker = self.ts_due_ns != 0;
        let (limit, price) = (self.price, level.price);
        if is_taker {
            // Immediate or cancelled.
            self.price = 0;
        }
        if !is_met || market.capital <= 0.0 {
            return 0.0;
        }
        self.price = 0;
        let (price, fee_ppm) = if is_taker {
            (price, rules.taker_fee_ppm)
        } else {
            (limit, rules.maker_fee_ppm)
        };
        let offered = rules.quantity_f64(level.quantity) * self.mid / market.capital;
        let share = libm::fabs(change).min(offered) * side.sign() as f64;
        let units = share / self.mid;
        let paid = units * rules.price_f64(price);
        self.units += units;
        paid + libm::fabs(paid) * fee_ppm as f64 * 1e-6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_shadow_pays_what_the_short_one_receives() {
        let mut shadows = Shadows::new(3, 2, 0);
        for (agent, units) in [(0, 2.0), (1, -2.0)] {
            shadows.rows[agent * 2 + 1].units = units;
        }
        // 0.01 % of 200.
        shadows.fund(1, 100.0, 100_000_000);
        shadows.fund(0, 100.0, 100_000_000);
        let mut earned = [0.0; 3];
        shadows.end_period(&mut earned);
        assert!((earned[0] + 0.02).abs() < 1e-12, "{earned:?}");
        assert_eq!((earned[1], earned[2]), (-earned[0], 0.0));
    }
}
