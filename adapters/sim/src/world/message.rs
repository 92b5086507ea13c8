//! What the world publishes, as values; `encode` turns them into a venue's text.

use acth_core::{
    event::{Level, Side},
    instrument::InstrumentId,
};

/// One message of a simulated venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorldMessage<'a> {
    /// What it is about.
    pub instrument: InstrumentId,
    /// When the venue made it, ns since the Unix epoch.
    pub ts_ns: i64,
    /// What it says.
    pub body: MessageBody<'a>,
}

/// The kinds of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageBody<'a> {
    /// One trade between two orders.
    Trade {
        /// Counts from the start, per instrument.
        trade_id: u64,
        /// Price mantissa.
        price: i64,
        /// Quantity mantissa.
        quantity: i64,
        /// Side of the order that came last.
        aggressor: Side,
    },
    /// The trades of one incoming order at one price, in one message.
    AggregateTrade {
        /// Counts from the start, per instrument.
        aggregate_id: u64,
        /// First trade of it.
        first_trade_id: u64,
        /// Last trade of it.
        final_trade_id: u64,
        /// Price mantissa.
        price: i64,
        /// Quantity mantissa.
        quantity: i64,
        /// Side of the order that came last.
        aggressor: Side,
    },
    /// The best bid or offer changed.
    BookTicker {
        /// Update id of the book at this moment.
        update_id: u64,
        /// Best bid.
        bid: Level,
        /// Best ask.
        ask: Level,
    },
    /// All levels that changed since the last diff, with their quantities now; 0 deletes.
    DepthDiff {
        /// Update id of the first change in it.
        first_id: u64,
        /// Update id of the last change in it.
        final_id: u64,
        /// `final_id` of the diff before.
        previous_final_id: u64,
        /// Changed bids.
        bids: &'a [Level],
        /// Changed asks.
        asks: &'a [Level],
    },
    /// What a perpetual is valued at, and its next funding.
    MarkPrice {
        /// Price mantissa: the middle of the book.
        mark: i64,
        /// Price mantissa of what the perpetual stands for.
        index: i64,
        /// Share of the notional that longs will pay to shorts, in units of 10^-12.
        rate: i64,
        /// When, ns since the Unix epoch.
        ts_next_ns: i64,
    },
}

/// A whole book at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookSnapshot {
    /// Update id of the last change in it.
    pub last_update_id: u64,
    /// Bids, best first.
    pub bids: Vec<Level>,
    /// Asks, best first.
    pub asks: Vec<Level>,
}
