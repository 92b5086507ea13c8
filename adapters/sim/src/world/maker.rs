//! A market maker: one ladder of quotes on each side of what it believes the price is.
//!
//! The first quote of a side follows the belief tick by tick; the deeper ones stand on a coarser grid and move only
//! when the belief has left them behind, as in real books where the touch flickers and the depth stays.

use acth_core::event::Side;

use super::{config::FlowConfig, feed::Feed, market::Sizes};
use crate::{
    matching::{Instruction, MatchingEngine, OrderHandle, Refusal},
    rng::Random,
};

/// Chance that the first quote is renewed with another quantity though its price is right.
const RESIZE_CHANCE: f64 = 0.15;
/// Standard deviation of a maker's opinion around its view, ticks.
const OPINION_TICKS: f64 = 0.3;

#[derive(Clone, Debug)]
pub(super) struct Maker {
    /// How late it knows the fair value.
    pub(super) view_age_ns: i64,
    owner: u32,
    half_spread_ticks: f64,
    ladder_ticks: i64,
    /// Bids, then asks; best first.
    quotes: [Vec<Option<Quote>>; 2],
}

#[derive(Clone, Copy, Debug)]
struct Quote {
    handle: OrderHandle,
    ticks: i64,
}

impl Maker {
    pub(super) fn new(index: usize, ladder_ticks: i64, flow: &FlowConfig) -> Self {
        let share = (index as f64 + 1.0) / flow.makers as f64;
        Self {
            view_age_ns: (flow.maker_delay_ns_max as f64 * share) as i64,
            owner: index as u32,
            half_spread_ticks: flow.half_spread_ticks * (0.5 + share),
            ladder_ticks: ladder_ticks * (1 + index as i64 / 2),
            quotes: [vec![None; flow.maker_levels], vec![None; flow.maker_levels]],
        }
    }

    /// Cancels the quotes that are gone or wrong, then quotes anew.
    pub(super) fn refresh(
        &mut self,
        fair_ticks: f64,
        sizes: &Sizes,
        random: &mut Random,
        engine: &mut MatchingEngine,
        feed: &mut Feed,
    ) {
        let belief = fair_ticks + OPINION_TICKS * random.normal();
        for side in [Side::Bid, Side::Ask] {
            for rank in 0..self.quotes[row(side)].len() {
                self.withdraw(side, rank, belief, random, engine, feed);
            }
        }
        for side in [Side::Bid, Side::Ask] {
            for rank in 0..self.quotes[row(side)].len() {
                if self.quotes[row(side)][rank].is_none() {
                    let orders = (0.5 + 1.5 * random.unit()) * (1.0 + 0.3 * rank as f64);
                    let quantity = sizes.quantity(orders);
                    self.quote(side, rank, belief, quantity, sizes, engine, feed);
                }
            }
        }
    }

    /// Forgets a quote that has traded away and cancels one that stands wrong.
    fn withdraw(
        &mut self,
        side: Side,
        rank: usize,
        belief: f64,
        random: &mut Random,
        engine: &mut MatchingEngine,
        feed: &mut Feed,
    ) {
        let Some(quote) = self.quotes[row(side)][rank] else {
            return;
        };
        let is_alive = engine.order(quote.handle).is_some();
        let off_ticks = (quote.ticks - self.target(side, rank, belief)).abs();
        let is_right = off_ticks <= if rank == 0 { 0 } else { self.ladder_ticks };
        if is_alive && is_right && (rank > 0 || !random.chance(RESIZE_CHANCE)) {
            return;
        }
        if is_alive {
            engine.cancel(quote.handle, feed);
        }
        self.quotes[row(side)][rank] = None;
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one call site; the parts are borrowed apart"
    )]
    fn quote(
        &mut self,
        side: Side,
        rank: usize,
        belief: f64,
        quantity: i64,
        sizes: &Sizes,
        engine: &mut MatchingEngine,
        feed: &mut Feed,
    ) {
        let mut ticks = self.target(side, rank, belief);
        let mut attempt = |ticks| {
            let price = sizes.price(ticks);
            engine.place(
                side,
                price,
                quantity,
                self.owner,
                Instruction::PostOnly,
                feed,
            )
        };
        let mut placed = attempt(ticks);
        if placed == Err(Refusal::WouldTake) && rank == 0 {
            // Somebody's stale quote stands in the way: join just before it.
            if let Some(best) = engine.best(side.opposite()) {
                ticks = best.price / sizes.price(1) - side.sign();
                let price = sizes.price(ticks);
                placed = engine.place(
                    side,
                    price,
                    quantity,
                    self.owner,
                    Instruction::PostOnly,
                    feed,
                );
            }
        }
        let handle = placed.ok().and_then(|placed| placed.handle);
        self.quotes[row(side)][rank] = handle.map(|handle| Quote { handle, ticks });
    }

    /// Where a quote belongs, ticks.
    fn target(&self, side: Side, rank: usize, belief: f64) -> i64 {
        let sign = side.sign() as f64;
        let (grid, distance) = if rank == 0 {
            (1.0, self.half_spread_ticks)
        } else {
            let grid = self.ladder_ticks as f64;
            let steps = rank as f64;
            (
                grid,
                self.half_spread_ticks + grid * steps * (1.0 + 0.1 * steps),
            )
        };
        let raw = belief * sign - distance;
        (libm::floor(raw / grid) * grid * sign) as i64
    }
}

const fn row(side: Side) -> usize {
    match side {
        Side::Bid => 0,
        Side::Ask => 1,
    }
}
