//! Getting in, tending what rests, and getting out.

use super::BasisLeadLag;
use crate::prelude::*;

/// Reason codes in the journal.
mod reason {
    pub(super) const ENTER: u16 = 1;
    pub(super) const LEAVE: u16 = 2;
    pub(super) const STOP: u16 = 3;
    pub(super) const TURN: u16 = 4;
}

impl BasisLeadLag {
    /// Enters, keeps or leaves a position in one instrument.
    pub(super) fn act(&mut self, ctx: &mut Context<'_>, index: usize) {
        let id = InstrumentId(index as u16);
        let Some(quote) = ctx.quote(id) else { return };
        let signal = self.predict(index);
        let held = ctx.position(id).quantity;
        if let Some(order) = self.tracked[index].resting {
            return self.tend(ctx, index, order, signal, &quote);
        }
        if held == 0 {
            self.enter(ctx, index, signal, &quote);
        } else {
            self.leave(ctx, index, signal, &quote, held);
        }
    }

    /// Cancels a resting order that the market or the prediction has left behind.
    fn tend(
        &self,
        ctx: &mut Context<'_>,
        index: usize,
        id: ClientOrderId,
        signal: f64,
        quote: &Quote,
    ) {
        let Some(order) = ctx.order(id).copied() else {
            return;
        };
        let is_young =
            ctx.now_ns() - self.tracked[index].ts_rested_ns < self.config.rest_ms_min * 1_000_000;
        let is_at_touch = quote.level(order.side).price == order.price;
        let is_wanted = signal * order.side.sign() as f64 > 0.0;
        let is_exit = order.reason != reason::ENTER;
        if !is_young && (!is_at_touch || !(is_wanted || is_exit)) {
            ctx.cancel(id);
        }
    }

    fn enter(&mut self, ctx: &mut Context<'_>, index: usize, signal: f64, quote: &Quote) {
        let id = InstrumentId(index as u16);
        let rules = ctx.instrument(id);
        let side = if signal > 0.0 { Side::Bid } else { Side::Ask };
        if side == Side::Ask && rules.contract == Contract::Spot && !self.config.short_spot {
            return;
        }
        let strength_ppm = libm::fabs(signal) * 1e6;
        let take_ppm = self.config.take_edge_ppm + cost_of_taking_ppm(rules, quote);
        let rest_ppm = self.config.rest_edge_ppm + 2.0 * rules.maker_fee_ppm as f64;
        let quantity = self.quantity(ctx, id, quote);
        if quantity == 0 {
            return;
        }
        let order = if strength_ppm > take_ppm {
            let price = quote.level(side.opposite()).price;
            OrderRequest::limit(id, side, price, quantity).immediate_or_cancel()
        } else if strength_ppm > rest_ppm {
            OrderRequest::limit(id, side, quote.level(side).price, quantity).post_only()
        } else {
            return;
        };
        self.send(ctx, index, order.because(reason::ENTER, signal));
    }

    fn leave(
        &mut self,
        ctx: &mut Context<'_>,
        index: usize,
        signal: f64,
        quote: &Quote,
        held: i64,
    ) {
        let id = InstrumentId(index as u16);
        let tracked = &self.tracked[index];
        let side = if held > 0 { Side::Ask } else { Side::Bid };
        let direction = held.signum();
        let gain = direction * (quote.mid() - tracked.entry_price);
        let stop = i128::from(tracked.entry_price) * i128::from(self.config.stop_ppm) / 1_000_000;
        let age_ns = ctx.now_ns() - tracked.ts_entered_ns;
        let hold_ns_max = self.config.hold_ms_max * 1_000_000;
        let is_stopped = i128::from(-gain) >= stop || age_ns > 2 * hold_ns_max;
        let against_ppm = -signal * direction as f64 * 1e6;
        let is_over = against_ppm >= 0.0 || age_ns > hold_ns_max;
        let is_turned = against_ppm > cost_of_taking_ppm(ctx.instrument(id), quote) / 2.0;
        let order = if is_stopped || is_turned {
            let price = quote.level(side.opposite()).price;
            let request = OrderRequest::limit(id, side, price, held.abs());
            let why = if is_stopped {
                reason::STOP
            } else {
                reason::TURN
            };
            request.immediate_or_cancel().because(why, signal)
        } else if is_over {
            let request = OrderRequest::limit(id, side, quote.level(side).price, held.abs());
            request.post_only().because(reason::LEAVE, signal)
        } else {
            return;
        };
        self.send(ctx, index, order);
    }

    /// Whole lots for one position: the smaller of the share of equity and what the risk per trade allows.
    fn quantity(&self, ctx: &Context<'_>, id: InstrumentId, quote: &Quote) -> i64 {
        let rules = ctx.instrument(id);
        let mid = quote.mid();
        let lot_value = rules.notional(mid, rules.lot).0;
        if lot_value <= 0 {
            return 0;
        }
        let share = ctx.equity().share_ppm(self.config.position_share_ppm).0 / lot_value;
        let by_share = i64::try_from(share).unwrap_or(i64::MAX / rules.lot) * rules.lot;
        let stop_distance = (i128::from(mid) * i128::from(self.config.stop_ppm) / 1_000_000) as i64;
        let by_risk = ctx.quantity_for_risk(id, stop_distance.max(1));
        let quantity = by_share.min(by_risk);
        if quantity < rules.quantity_min {
            0
        } else {
            quantity
        }
    }

    fn send(&mut self, ctx: &mut Context<'_>, index: usize, request: OrderRequest) {
        if ctx.trading_state() == TradingState::Halted {
            return;
        }
        if let Ok(id) = ctx.place(request) {
            self.tracked[index].resting = Some(id);
            self.tracked[index].ts_rested_ns = ctx.now_ns();
        }
    }
}

/// What it costs to take on the way in and on the way out, in parts per million of the price.
fn cost_of_taking_ppm(rules: &Instrument, quote: &Quote) -> f64 {
    let spread_ppm = quote.spread() as f64 / quote.mid() as f64 * 1e6;
    spread_ppm + 2.0 * rules.taker_fee_ppm as f64
}
