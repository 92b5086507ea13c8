//! A strategy that looks at all that a strategy can see, remembers a hash of it, and places and cancels many orders by
//! that hash: whatever a snapshot forgets shows in its next decisions.

use acth_core::prelude::*;

/// Orders that it looks at again, open or long finished.
const REMEMBERED: usize = 600;

/// See the module.
#[derive(Debug)]
pub(crate) struct Hectic {
    seen: u64,
    placed: u64,
    orders: Vec<ClientOrderId>,
}

impl Strategy for Hectic {
    type Config = NoConfig;
    const NAME: &'static str = "hectic";

    fn new(_: &NoConfig, _: &Instruments) -> Result<Self, StrategyError> {
        Ok(Self {
            seen: 1,
            placed: 0,
            orders: vec![ClientOrderId(0); REMEMBERED],
        })
    }

    fn on_book(&mut self, ctx: &mut Context<'_>, id: InstrumentId) {
        self.look(ctx, id);
        let Some(quote) = ctx.quote(id) else { return };
        for step in 0..self.seen % 4 {
            let draw = self.seen >> (8 + 8 * step);
            let rules = ctx.instrument(id);
            let side = Side::from_code(1 + (draw % 2) as u8).unwrap();
            let ticks = (draw >> 1) as i64 % 6 - 1;
            let price = quote.level(side).price - side.sign() * ticks * rules.tick;
            let order = OrderRequest::limit(id, side, price, 1 + (draw % 40) as i64);
            // A float of few bits, so that its text in a failure can be read.
            // One of 16 agents, none, or one too many.
            let order = order.by((draw >> 12) as u16 % 18);
            let order = order.because((draw % 9) as u16, (self.seen % 1_000) as f64);
            if let Ok(placed) = ctx.place(order) {
                self.orders[self.placed as usize % REMEMBERED] = placed;
                self.placed += 1;
            }
        }
        if self.seen.is_multiple_of(3) {
            let back = 1 + (self.seen >> 40) % 20;
            let place = self.placed.saturating_sub(back) as usize % REMEMBERED;
            ctx.cancel(self.orders[place]);
        }
    }

    fn on_trade(&mut self, ctx: &mut Context<'_>, id: InstrumentId, side: Side, trade: &Trade) {
        self.fold(&[side as u64, trade.trade_id]);
        self.look(ctx, id);
    }

    fn on_order(&mut self, _: &mut Context<'_>, update: &OrderUpdate) {
        let filled = update.fill.map_or(0, |fill| fill.quantity as u64);
        self.fold(&[update.id.0, update.state as u64, filled]);
    }

    fn on_timer(&mut self, ctx: &mut Context<'_>) {
        for index in 0..ctx.instruments().count() {
            self.look(ctx, InstrumentId(index as u16));
        }
    }

    fn digest(&self, hash: &mut StateHasher) {
        hash.word(self.seen);
        hash.word(self.placed);
        self.orders.iter().for_each(|id| hash.word(id.0));
    }

    fn save(&self, out: &mut Encoder) {
        out.u64(self.seen);
        out.u64(self.placed);
        self.orders.iter().for_each(|id| out.u64(id.0));
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.seen = from.u64()?;
        self.placed = from.count()?;
        for id in &mut self.orders {
            *id = ClientOrderId(from.u64()?);
        }
        Ok(())
    }
}

impl Hectic {
    fn fold(&mut self, words: &[u64]) {
        let mut hash = StateHasher::new();
        hash.word(self.seen);
        words.iter().for_each(|word| hash.word(*word));
        self.seen = hash.finish();
    }

    fn look(&mut self, ctx: &Context<'_>, id: InstrumentId) {
        let market = ctx.market(id);
        let now_ns = ctx.now_ns();
        let trade = market.last_trade();
        let volume = market
            .volume_24h(now_ns)
            .map_or(0, |volume| volume.0 as u64);
        let position = ctx.position(id);
        let mut words = vec![
            now_ns as u64,
            market.state() as u64,
            market.ts_quote_ns() as u64,
            market.checks().compared,
            market.checks().equal,
            market.crossed_count(),
            market.book().depth(Side::Bid) as u64,
            market.book().evicted_count(),
            market.book().refused_count(),
            trade.map_or(0, |trade| trade.trade_id ^ trade.trade_id_final),
            trade.map_or(0, |trade| (trade.price ^ trade.quantity) as u64),
            volume,
            position.quantity as u64,
            position.cost.0 as u64,
            position.mark_price as u64,
            ctx.equity().0 as u64,
            ctx.trading_state() as u64,
            ctx.open_quantity(id, Side::Bid) as u64,
            ctx.open_quantity(id, Side::Ask) as u64,
            ctx.correlation(InstrumentId(0), InstrumentId(1)).to_bits(),
        ];
        if let Some(announced) = ctx.announced_funding(id) {
            words.push((announced.mark_price ^ announced.index_price) as u64);
            words.push((announced.rate ^ announced.ts_next_ns) as u64);
        }
        words.extend(ctx.returns_row().iter().map(|value| value.to_bits()));
        let draws = [0, 1, 7, self.seen % 600];
        for back in draws {
            let place = self.placed.wrapping_sub(1 + back) as usize % REMEMBERED;
            if let Some(order) = ctx.order(self.orders[place]) {
                words.extend(words_of(order));
            }
        }
        for order in ctx.open_orders(id).take(3) {
            words.extend(words_of(order));
        }
        self.fold(&words);
    }
}

fn words_of(order: &Order) -> [u64; 7] {
    [
        order.id.0,
        order.state as u64,
        order.beneath() as u64,
        order.filled as u64,
        order.ts_placed_ns as u64,
        u64::from(order.is_sent),
        u64::from(order.reason),
    ]
}
