//! Keeps the quotes of agents that make markets in the book: one order a side, agent and instrument.

use alloc::{vec, vec::Vec};

use super::config::ExecutionConfig;
use crate::{
    agents::Quotes,
    prelude::*,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// Agent number of an agent's own orders: behind the core's and the hub's.
pub(super) const fn agent_number(agent: usize) -> u16 {
    agent as u16 + 2
}

/// The agent of an agent number; None for what is shared.
pub(super) const fn agent_of(number: u16) -> Option<usize> {
    match number {
        0 | 1 => None,
        number => Some(number as usize - 2),
    }
}

/// Reason of a quote in the journal.
const REASON_QUOTE: u16 = 16;

/// One side of one agent's quotes in one instrument.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// The working order; 0 = none.
    working: u64,
    /// No order before this time, and no cancel of one that was placed after it less the resting time.
    ts_next_ns: i64,
}

/// All quotes.
#[derive(Debug)]
pub(super) struct Quoting {
    config: ExecutionConfig,
    /// `[agent][instrument][side]`.
    slots: Vec<[Slot; 2]>,
    instrument_count: usize,
    /// Orders that may still be placed; refilled with time.
    tokens: f64,
    ts_tokens_ns: i64,
}

const MILLISECOND_NS: i64 = 1_000_000;

/// One side's quote as it should be.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    side: Side,
    /// 0 = none.
    price: i64,
    quantity: i64,
    signal: f64,
}

impl Quoting {
    pub(super) fn new(config: &ExecutionConfig, agents: usize, instruments: usize) -> Self {
        Self {
            config: *config,
            slots: vec![[Slot::default(); 2]; agents * instruments],
            instrument_count: instruments,
            tokens: 0.0,
            ts_tokens_ns: 0,
        }
    }

    /// An order came to its end.
    pub(super) fn forget(&mut self, agent: usize, index: usize, id: ClientOrderId) {
        for slot in &mut self.slots[agent * self.instrument_count + index] {
            if slot.working == id.0 {
                slot.working = 0;
            }
        }
    }

    fn refill(&mut self, now_ns: i64) {
        let most = f64::from(self.config.quotes_per_second);
        let seconds = (now_ns - self.ts_tokens_ns).max(0) as f64 * 1e-9;
        self.tokens = (self.tokens + seconds * most).min(most);
        self.ts_tokens_ns = now_ns;
    }

    /// Brings both sides to where they are wanted. `quantity` is of one quote, whole lots.
    pub(super) fn keep(
        &mut self,
        ctx: &mut Context<'_>,
        agent: usize,
        id: InstrumentId,
        quotes: &Quotes,
        quantity: i64,
        signal: f64,
    ) {
        let place = agent * self.instrument_count + id.index();
        let is_idle = self.slots[place].iter().all(|slot| slot.working == 0);
        if is_idle && *quotes == Quotes::default() {
            return;
        }
        self.refill(ctx.now_ns());
        for (side, price) in [(Side::Bid, quotes.bid_price), (Side::Ask, quotes.ask_price)] {
            let wanted = Wanted {
                side,
                price,
                quantity,
                signal,
            };
            self.keep_side(ctx, agent, id, &wanted);
        }
    }

    fn keep_side(&mut self, ctx: &mut Context<'_>, agent: usize, id: InstrumentId, want: &Wanted) {
        let now_ns = ctx.now_ns();
        let tick = ctx.instrument(id).tick;
        let quantity_min = ctx.instrument(id).quantity_min;
        let place = agent * self.instrument_count + id.index();
        let slot = &mut self.slots[place][want.side as usize - 1];
        if slot.working != 0 {
            let order = ctx.order(ClientOrderId(slot.working)).copied();
            let Some(order) = order else {
                slot.working = 0;
                return;
            };
            let away = (order.price - want.price).abs();
            let is_off = want.price == 0 || away > self.config.requote_ticks * tick;
            if is_off && now_ns >= slot.ts_next_ns && order.state != OrderState::PendingCancel {
                ctx.cancel(order.id);
            }
            return;
        }
        let is_ready = now_ns >= slot.ts_next_ns && self.tokens >= 1.0;
        let is_allowed = ctx.trading_state() == TradingState::Active;
        if want.price == 0 || want.quantity < quantity_min || !is_ready || !is_allowed {
            return;
        }
        self.tokens -= 1.0;
        let request = OrderRequest::limit(id, want.side, want.price, want.quantity)
            .post_only()
            .by(agent_number(agent))
            .because(REASON_QUOTE, want.signal);
        match ctx.place(request) {
            Ok(order) => {
                slot.working = order.0;
                slot.ts_next_ns = now_ns + self.config.rest_ms_min * MILLISECOND_NS;
            }
            Err(_) => slot.ts_next_ns = now_ns + self.config.denied_ms * MILLISECOND_NS,
        }
    }

    pub(super) fn write(&self, out: &mut impl Sink) {
        out.f64(self.tokens);
        out.i64(self.ts_tokens_ns);
        for slot in self.slots.iter().flatten() {
            out.u64(slot.working);
            out.i64(slot.ts_next_ns);
        }
    }

    pub(super) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.tokens = from.finite()?;
        self.ts_tokens_ns = from.time_ns()?;
        for slot in self.slots.iter_mut().flatten() {
            slot.working = from.u64()?;
            slot.ts_next_ns = from.time_ns()?;
        }
        Ok(())
    }
}
