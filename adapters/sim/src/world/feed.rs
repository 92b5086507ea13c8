//! The public feed of one instrument: what the matching engine did, numbered and gathered into messages.
//!
//! Every level change takes the next update id. Trades and the best bid and offer go out at the end of an action; the
//! changed levels wait for the next diff. Ids of a spot instrument are its own and leave no gap; futures instruments
//! share one counter, so theirs do.
//!
//! Invariant: applying each diff to a snapshot with `first_id - 1 <= last_update_id` gives the engine's book exactly.

use acth_core::{
    event::{Level, Side},
    instrument::InstrumentId,
};

use super::message::{MessageBody, WorldMessage};
use crate::matching::{Execution, MatchObserver, MatchingEngine};

/// The publisher of one instrument.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    instrument: InstrumentId,
    /// Last id given out; of all instruments where the counter is shared.
    counter: u64,
    /// Id of this book's last change.
    last_update_id: u64,
    /// Id of the first change that waits for the next diff.
    window_first_id: Option<u64>,
    previous_final_id: u64,
    /// Changed (side, price) that wait for the next diff, with repetitions.
    changed: Vec<(Side, i64)>,
    trades: Vec<Execution>,
    next_trade_id: u64,
    next_aggregate_id: u64,
    /// Best bid and ask as last published.
    published: Option<(Level, Level)>,
    bids: Vec<Level>,
    asks: Vec<Level>,
}

impl MatchObserver for Feed {
    fn executed(&mut self, execution: &Execution) {
        self.trades.push(*execution);
    }

    fn level_changed(&mut self, side: Side, price: i64, _quantity: i64) {
        self.counter += 1;
        self.last_update_id = self.counter;
        self.window_first_id.get_or_insert(self.counter);
        self.changed.push((side, price));
    }
}

impl Feed {
    pub(super) fn new(instrument: InstrumentId, first_id: u64) -> Self {
        Self {
            instrument,
            counter: first_id,
            last_update_id: first_id,
            window_first_id: None,
            previous_final_id: first_id,
            changed: Vec::with_capacity(1_024),
            trades: Vec::with_capacity(64),
            next_trade_id: 1,
            next_aggregate_id: 1,
            published: None,
            bids: Vec::with_capacity(512),
            asks: Vec::with_capacity(512),
        }
    }

    pub(super) const fn counter(&self) -> u64 {
        self.counter
    }

    /// Goes on counting from here, where another instrument shares the counter.
    pub(super) const fn resume_from(&mut self, counter: u64) {
        self.counter = counter;
    }

    pub(super) const fn last_update_id(&self) -> u64 {
        self.last_update_id
    }

    /// Takes what was built up before the start as given, not as news.
    pub(super) fn forget(&mut self) {
        self.changed.clear();
        self.trades.clear();
        self.window_first_id = None;
        self.previous_final_id = self.last_update_id;
    }

    /// Publishes the trades of one action, then the best bid and offer if they changed.
    pub(super) fn end_action(
        &mut self,
        ts_ns: i64,
        engine: &MatchingEngine,
        emit: &mut impl FnMut(WorldMessage<'_>),
    ) {
        self.publish_trades(ts_ns, emit);
        let (Some(bid), Some(ask)) = (engine.best(Side::Bid), engine.best(Side::Ask)) else {
            return;
        };
        if self.published == Some((bid, ask)) {
            return;
        }
        self.published = Some((bid, ask));
        let update_id = self.last_update_id;
        emit(self.message(
            ts_ns,
            MessageBody::BookTicker {
                update_id,
                bid,
                ask,
            },
        ));
    }

    /// Publishes the changed levels; nothing when there are none.
    pub(super) fn publish_diff(
        &mut self,
        ts_ns: i64,
        engine: &MatchingEngine,
        emit: &mut impl FnMut(WorldMessage<'_>),
    ) {
        let Some(first_id) = self.window_first_id.take() else {
            return;
        };
        // Best first on each side, as venues send them.
        self.changed
            .sort_unstable_by_key(|(side, price)| (*side as u8, -price * side.sign()));
        self.changed.dedup();
        self.bids.clear();
        self.asks.clear();
        for (side, price) in self.changed.drain(..) {
            let quantity = engine.quantity_at(side, price);
            let level = Level { price, quantity };
            match side {
                Side::Bid => self.bids.push(level),
                Side::Ask => self.asks.push(level),
            }
        }
        let body = MessageBody::DepthDiff {
            first_id,
            final_id: self.last_update_id,
            previous_final_id: self.previous_final_id,
            bids: &self.bids,
            asks: &self.asks,
        };
        emit(WorldMessage {
            instrument: self.instrument,
            ts_ns,
            body,
        });
        self.previous_final_id = self.last_update_id;
    }

    fn publish_trades(&mut self, ts_ns: i64, emit: &mut impl FnMut(WorldMessage<'_>)) {
        let first_trade_id = self.next_trade_id;
        for trade in &self.trades {
            let body = MessageBody::Trade {
                trade_id: self.next_trade_id,
                price: trade.price,
                quantity: trade.quantity,
                aggressor: trade.aggressor,
            };
            self.next_trade_id += 1;
            emit(self.message(ts_ns, body));
        }
        let mut trade_id = first_trade_id;
        let same = |a: &Execution, b: &Execution| a.price == b.price && a.aggressor == b.aggressor;
        for group in self.trades.chunk_by(same) {
            let body = MessageBody::AggregateTrade {
                aggregate_id: self.next_aggregate_id,
                first_trade_id: trade_id,
                final_trade_id: trade_id + group.len() as u64 - 1,
                price: group[0].price,
                quantity: group.iter().map(|trade| trade.quantity).sum(),
                aggressor: group[0].aggressor,
            };
            self.next_aggregate_id += 1;
            trade_id += group.len() as u64;
            emit(self.message(ts_ns, body));
        }
        self.trades.clear();
    }

    const fn message<'a>(&self, ts_ns: i64, body: MessageBody<'a>) -> WorldMessage<'a> {
        WorldMessage {
            instrument: self.instrument,
            ts_ns,
            body,
        }
    }
}
