//! The strategy of the replay: it reads the five best levels of every book and now and then places an order.

use acth_core::{
    decision::ClientOrderId,
    event::{Level, Side, Trade},
    hash::StateHasher,
    instrument::{InstrumentId, Instruments},
    orders::OrderState,
    prelude::{BookState, Context, NoConfig, OrderRequest, Strategy, StrategyError},
};

/// Levels of a side that it looks at.
const LEVELS: usize = 5;
/// Events of the market from one order to the next.
const ORDER_INTERVAL_EVENTS: u64 = 1000;

/// Sums up what it sees, so that another engine can show that it has seen the same.
pub(crate) struct TopFive {
    /// Imbalance of a book summed over the messages of its own.
    own_sums: Vec<f64>,
    /// Imbalance of a book summed over the messages of all books.
    all_sums: Vec<f64>,
    events: u64,
    order: Option<ClientOrderId>,
    /// Which books were said to be live, by instrument.
    is_live: Vec<bool>,
}

impl TopFive {
    /// For each instrument: its imbalance summed over its own book messages.
    pub(crate) fn own_sums(&self) -> &[f64] {
        &self.own_sums
    }

    /// For each instrument: its imbalance summed over the book messages of all instruments.
    pub(crate) fn all_sums(&self) -> &[f64] {
        &self.all_sums
    }

    /// An order at the fifth best bid each thousandth event; it is cancelled at the first event that finds it working.
    fn trade(&mut self, ctx: &mut Context<'_>, id: InstrumentId) {
        self.events += 1;
        if let Some(order) = self.order {
            match ctx.order(order).map(|order| order.state) {
                Some(OrderState::PendingNew) => {}
                Some(state) if state.is_open() => {
                    ctx.cancel(order);
                    self.order = None;
                }
                _ => self.order = None,
            }
        } else if self.events.is_multiple_of(ORDER_INTERVAL_EVENTS) {
            let mut bids = [Level::default(); LEVELS];
            let count = ctx.market(id).book().top(Side::Bid, &mut bids);
            let Some(level) = bids[..count].last() else {
                return;
            };
            let quantity = ctx.instrument(id).quantity_min;
            let request = OrderRequest::limit(id, Side::Bid, level.price, quantity);
            self.order = ctx.place(request.post_only()).ok();
        }
    }
}

impl Strategy for TopFive {
    type Config = NoConfig;
    const NAME: &'static str = "bench-top-five";

    fn new(_: &NoConfig, instruments: &Instruments) -> Result<Self, StrategyError> {
        Ok(Self {
            own_sums: vec![0.0; instruments.count()],
            all_sums: vec![0.0; instruments.count()],
            events: 0,
            order: None,
            is_live: vec![false; instruments.count()],
        })
    }

    fn on_book(&mut self, ctx: &mut Context<'_>, instrument: InstrumentId) {
        // Word that a book is live brings no change of it: the message before was counted.
        let is_live = ctx.market(instrument).state() == BookState::Live;
        if std::mem::replace(&mut self.is_live[instrument.index()], is_live) != is_live {
            return;
        }
        let ids = ctx.instruments().iter().map(|(id, _)| id);
        for id in ids {
            let value = imbalance(ctx, id);
            self.all_sums[id.index()] += value;
            if id == instrument {
                self.own_sums[id.index()] += value;
            }
        }
        self.trade(ctx, instrument);
    }

    fn on_trade(
        &mut self,
        ctx: &mut Context<'_>,
        instrument: InstrumentId,
        _aggressor: Side,
        _trade: &Trade,
    ) {
        self.trade(ctx, instrument);
    }

    fn digest(&self, hash: &mut StateHasher) {
        for sum in self.own_sums.iter().chain(&self.all_sums) {
            hash.word(sum.to_bits());
        }
        hash.word(self.events);
        hash.word(self.order.map_or(0, |order| order.0));
        for is_live in &self.is_live {
            hash.word(u64::from(*is_live));
        }
    }
}

/// Of the five best levels: bids minus asks as a share of both; 0 for an empty book.
fn imbalance(ctx: &Context<'_>, id: InstrumentId) -> f64 {
    let book = ctx.market(id).book();
    let sum = |side| {
        let mut levels = [Level::default(); LEVELS];
        let count = book.top(side, &mut levels);
        let quantities = levels[..count].iter().map(|level| level.quantity);
        quantities.sum::<i64>()
    };
    let (bids, asks) = (sum(Side::Bid), sum(Side::Ask));
    let both = bids + asks;
    if both == 0 {
        0.0
    } else {
        (bids - asks) as f64 / both as f64
    }
}
