//! Rows of one instrument to events: a book of one level a side, and trades.
//!
//! A quote replaces the whole book. A side that a row does not tell is as the row before said. A quote whose sides are
//! equal or crossed cannot be traded on: it goes out as a best bid and offer, which the core takes for no quote, and the
//! book stays as it was behind it.
//!
//! Where no file has quotes, each trade makes one: a tick below and a tick above its price, good for its size.

use acth_core::{
    event::{Bbo, BookState, BookStateReason, Level, Side, Trade},
    port::{EventSink, Stopped},
};
use acth_wire::lean::{Quoted, RowBody};

use crate::binance::emit::{self, Stamp};

/// What was made of the rows of one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeanStats {
    /// Quotes that can be traded on.
    pub quotes: u64,
    /// Quotes with equal or crossed sides.
    pub untradable: u64,
    /// Trades.
    pub trades: u64,
    /// Rows that the source calls doubtful.
    pub suspicious: u64,
    /// Trades without a size.
    pub sizeless: u64,
}

impl LeanStats {
    /// Adds the counts of another instrument.
    pub const fn add(&mut self, other: &Self) {
        self.quotes += other.quotes;
        self.untradable += other.untradable;
        self.trades += other.trades;
        self.suspicious += other.suspicious;
        self.sizeless += other.sizeless;
    }
}

/// The market of one instrument.
#[derive(Debug)]
pub(in crate::capture) struct LeanMarket {
    /// The tick, where quotes are made from trades.
    quoting_tick: Option<i64>,
    bid: Option<Level>,
    ask: Option<Level>,
    is_live: bool,
    update_id: u64,
    trade_id: u64,
    traded_price: i64,
    aggressor: Side,
    stats: LeanStats,
}

const fn level(quoted: Quoted) -> Level {
    Level {
        price: quoted.price,
        quantity: quoted.size,
    }
}

impl LeanMarket {
    pub(in crate::capture) const fn new(quoting_tick: Option<i64>) -> Self {
        Self {
            quoting_tick,
            bid: None,
            ask: None,
            is_live: false,
            update_id: 0,
            trade_id: 0,
            traded_price: 0,
            aggressor: Side::Bid,
            stats: LeanStats {
                quotes: 0,
                untradable: 0,
                trades: 0,
                suspicious: 0,
                sizeless: 0,
            },
        }
    }

    pub(in crate::capture) const fn stats(&self) -> LeanStats {
        self.stats
    }

    pub(in crate::capture) fn on_row(
        &mut self,
        stamp: &Stamp,
        row: &RowBody,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        match *row {
            RowBody::Quote { bid, ask } => {
                self.bid = bid.map(level).or(self.bid);
                self.ask = ask.map(level).or(self.ask);
                self.tell_quote(stamp, sink)
            }
            RowBody::Trade(trade) if trade.size == 0 => {
                self.stats.sizeless += 1;
                Ok(())
            }
            RowBody::Trade(trade) => self.on_trade(stamp, trade, sink),
            RowBody::Suspicious => {
                self.stats.suspicious += 1;
                Ok(())
            }
        }
    }

    fn tell_quote(&mut self, stamp: &Stamp, sink: &mut impl EventSink) -> Result<(), Stopped> {
        let (Some(bid), Some(ask)) = (self.bid, self.ask) else {
            return Ok(());
        };
        self.update_id += 1;
        let update_id = self.update_id;
        if bid.price >= ask.price {
            self.stats.untradable += 1;
            let both = Bbo {
                bid,
                ask,
                update_id,
            };
            return emit::bbo(stamp, &both, sink);
        }
        self.stats.quotes += 1;
        emit::snapshot(stamp, update_id, &[bid], &[ask], sink)?;
        if !self.is_live {
            self.is_live = true;
            let ids = (0, update_id);
            let (state, reason) = (BookState::Live, BookStateReason::Synced);
            emit::book_state(stamp, state, reason, ids, sink)?;
        }
        Ok(())
    }

    fn on_trade(
        &mut self,
        stamp: &Stamp,
        quoted: Quoted,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        self.stats.trades += 1;
        self.trade_id += 1;
        self.aggressor = self.aggressor_of(quoted.price);
        self.traded_price = quoted.price;
        let trade = Trade {
            price: quoted.price,
            quantity: quoted.size,
            trade_id: self.trade_id,
            trade_id_final: self.trade_id,
            reserved: 0,
        };
        emit::trade(stamp, self.aggressor, &trade, sink)?;
        let Some(tick) = self.quoting_tick else {
            return Ok(());
        };
        let below = quoted.price - quoted.price.rem_euclid(tick);
        let above = below + if below == quoted.price { 0 } else { tick };
        let side = |price| Level {
            price,
            quantity: quoted.size,
        };
        // A price of one tick or less leaves no place for a bid.
        self.bid = (below > tick).then(|| side(below - tick));
        self.ask = Some(side(above.saturating_add(tick)));
        self.tell_quote(stamp, sink)
    }

    /// Who took, as no row says it: by the quote that stands (Lee and Ready 1991), between its sides by the trade
    /// before, where the price did not move as that one.
    fn aggressor_of(&self, price: i64) -> Side {
        match (self.bid, self.ask) {
            (_, Some(ask)) if self.quoting_tick.is_none() && price >= ask.price => Side::Bid,
            (Some(bid), _) if self.quoting_tick.is_none() && price <= bid.price => Side::Ask,
            _ if price > self.traded_price => Side::Bid,
            _ if price < self.traded_price => Side::Ask,
            _ => self.aggressor,
        }
    }
}
