//! What a frame turns into.

use acth_core::{
    event::{Bbo, Level, MarkFunding, Side, Trade},
    instrument::InstrumentId,
};

/// One decoded frame. Slices and texts live in the decoder until its next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Levels of a book changed.
    Depth(Depth<'a>),
    /// The best bid and ask changed.
    Bbo {
        /// Whose.
        instrument: InstrumentId,
        /// Prices, quantities and the update id.
        bbo: Bbo,
        /// Engine time, else event time; 0 when the venue gives none.
        ts_venue_ns: i64,
    },
    /// A single or an aggregate trade.
    Trade {
        /// Of what.
        instrument: InstrumentId,
        /// The side that took liquidity.
        aggressor: Side,
        /// Price, quantity and ids; an aggregate has its first and last trade id.
        trade: Trade,
        /// Engine time.
        ts_venue_ns: i64,
    },
    /// The mark price of a perpetual and its next funding; futures only.
    MarkFunding {
        /// Of what.
        instrument: InstrumentId,
        /// Prices rounded to the instrument's decimal places, rate and time.
        announced: MarkFunding,
        /// Event time.
        ts_venue_ns: i64,
    },
    /// A REST depth answer.
    Snapshot(Snapshot<'a>),
    /// The venue did what a request asked for.
    Ack {
        /// Id of the request; absent when the venue sent null or a text.
        id: Option<u64>,
    },
    /// The venue refused a request.
    VenueError {
        /// Id of the request, where the venue names it.
        id: Option<u64>,
        /// The venue's code.
        code: i64,
        /// The venue's text, cut at `ERROR_TEXT_BYTES_MAX`.
        text: &'a str,
    },
    /// The connection is about to end: reconnect now.
    ServerShutdown,
    /// A known message that the hub does not use: candles, tickers, partial books, trades outside the market, mark prices of
    /// contracts without funding.
    Ignored,
    /// A well-formed message of no known form, or about a symbol that is not in the table.
    Unknown,
}

/// Changed levels of one book, with the ids that join it to the messages before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth<'a> {
    /// Whose book.
    pub instrument: InstrumentId,
    /// First update id in this message (`U`).
    pub first_id: u64,
    /// Last update id in this message (`u`).
    pub final_id: u64,
    /// Last update id of the message before (`pu`); futures only.
    pub previous_id: Option<u64>,
    /// Engine time, else event time.
    pub ts_venue_ns: i64,
    /// Changed bids; quantity 0 deletes.
    pub bids: &'a [Level],
    /// Changed asks; quantity 0 deletes.
    pub asks: &'a [Level],
}

/// A whole book as the REST answer gives it, best level first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot<'a> {
    /// Whose book: the one the caller named, for the answer does not say.
    pub instrument: InstrumentId,
    /// The update id that the book is at.
    pub last_update_id: u64,
    /// Engine time, else event time; 0 when the venue gives none (spot).
    pub ts_venue_ns: i64,
    /// Bids.
    pub bids: &'a [Level],
    /// Asks.
    pub asks: &'a [Level],
}
