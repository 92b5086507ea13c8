//! Frames in, events out: one connection or one recording of Binance market data.
//!
//! Diffs and snapshots pass through the instrument's `BookSync`; best bids and offers, trades and mark prices go straight
//! through.
//! Every change of trust in a book is an event of its own:
//!
//! | what happened | event |
//! |---|---|
//! | the feed starts, or a connection opens | `Syncing`, `Start` |
//! | snapshot and diffs joined | `Live`, `Synced` |
//! | an update id is missing, or the buffer ran over | `Stale`, `Gap`, with both ids |
//! | a frame cannot be decoded | `Stale`, `Undecodable`, for the book it is about, else for all |
//! | the connection is lost | `Stale`, `Disconnected` |
//!
//! Invariant: no diff is emitted before the snapshot it joins; after `Live` every diff joins the one before. Nothing
//! is allocated per frame once the decoder's own lists have grown.

use acth_core::{
    event::{BookState, BookStateReason, DECODE_CODE_NONE, decode_code},
    instrument::{InstrumentId, Instruments},
    port::{EventSink, PortError, Stopped},
};
use acth_wire::binance::{Decoder, Market, Symbol, Symbols};

use super::{
    book_sync::{BookSync, SyncState},
    books::{Book, Books, ROW_NONE},
    venue_name,
};

pub use super::feed_stats::FeedStats;

/// Turns the frames of one connection into events.
#[derive(Debug)]
pub struct Feed {
    decoder: Decoder,
    books: Books,
}

impl Feed {
    /// A feed of all instruments that `market`'s venue has in the table.
    ///
    /// # Errors
    /// When the venue has none, or a symbol cannot be one.
    pub fn new(
        market: Market,
        instruments: &Instruments,
        source_number: u16,
    ) -> Result<Self, PortError> {
        let venue = venue_name(market);
        let ids: Vec<InstrumentId> = instruments
            .iter()
            .filter(|(_, row)| row.venue == venue)
            .map(|(id, _)| id)
            .collect();
        Self::with_instruments(market, instruments, &ids, source_number)
    }

    /// A feed of the given instruments, whatever their venue is called.
    ///
    /// # Errors
    /// When there are none, one is not in the table, or a symbol cannot be one.
    pub fn with_instruments(
        market: Market,
        instruments: &Instruments,
        ids: &[InstrumentId],
        source_number: u16,
    ) -> Result<Self, PortError> {
        let place = venue_name(market);
        if ids.is_empty() {
            return Err(PortError::new(
                place,
                "has no instrument; expected at least one",
            ));
        }
        let mut symbols = Symbols::new();
        let mut rows = Vec::with_capacity(ids.len());
        let mut row_of = vec![ROW_NONE; instruments.count()];
        for &id in ids {
            let instrument = instruments.get(id).ok_or_else(|| {
                PortError::new(place, format!("instrument {} is not in the table", id.0))
            })?;
            let symbol = Symbol {
                instrument: id,
                price_exponent: instrument.price_exponent,
                quantity_exponent: instrument.quantity_exponent,
            };
            symbols
                .insert(&instrument.symbol, symbol)
                .map_err(|error| PortError::new(place, error.to_string()))?;
            // Fits: the table refuses more symbols than INSTRUMENTS_MAX.
            row_of[id.index()] = rows.len() as u8;
            rows.push(Book {
                instrument: id,
                sync: BookSync::new(market),
                state: None,
                was_live: false,
            });
        }
        Ok(Self {
            decoder: Decoder::new(market, symbols.clone()),
            books: Books {
                source: source_number,
                symbols,
                rows,
                row_of,
                stats: FeedStats::default(),
                is_shutdown_announced: false,
                has_started: false,
                next_wish: 0,
                decode_code: DECODE_CODE_NONE,
            },
        })
    }

    /// Tells the core that every book of this feed waits for its first snapshot. Called by the first frame, or by the
    /// session whenever a connection opens.
    ///
    /// # Errors
    /// `Stopped` when the run is ending.
    pub fn start(&mut self, ts_ingress_ns: i64, sink: &mut impl EventSink) -> Result<(), Stopped> {
        self.books.start(ts_ingress_ns, sink)
    }

    /// Takes one frame.
    ///
    /// # Errors
    /// `Stopped` when the run is ending. A frame that makes no sense is counted, not an error.
    pub fn on_frame(
        &mut self,
        frame: &[u8],
        ts_ingress_ns: i64,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        let books = &mut self.books;
        books.stats.frames += 1;
        if !books.has_started {
            books.start(ts_ingress_ns, sink)?;
        }
        match self.decoder.decode(frame) {
            Ok(message) => {
                books.decode_code = stamp_decoded(ts_ingress_ns, sink);
                books.on_message(&message, frame, ts_ingress_ns, sink)
            }
            Err(error) => books.on_undecodable(frame, &error.to_string(), ts_ingress_ns, sink),
        }
    }

    /// Takes the answer to a snapshot request for `instrument`.
    ///
    /// # Errors
    /// `Stopped` when the run is ending. An answer that makes no sense is counted and the snapshot asked for again.
    pub fn on_snapshot(
        &mut self,
        body: &[u8],
        instrument: InstrumentId,
        ts_ingress_ns: i64,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        let books = &mut self.books;
        books.stats.frames += 1;
        if !books.has_started {
            books.start(ts_ingress_ns, sink)?;
        }
        match self.decoder.decode_snapshot(body, instrument) {
            Ok(snapshot) => {
                books.decode_code = stamp_decoded(ts_ingress_ns, sink);
                books.on_snapshot(&snapshot, ts_ingress_ns, sink)
            }
            Err(error) => {
                tracing::warn!(instrument = instrument.0, %error, "snapshot cannot be decoded");
                books.stats.errors += 1;
                self.snapshot_failed(instrument);
                Ok(())
            }
        }
    }

    /// An instrument whose book needs a snapshot; each need is told once, in turn. Report back with `on_snapshot`
    /// or `snapshot_failed`.
    pub fn wants_snapshot(&mut self) -> Option<InstrumentId> {
        self.books.wants_snapshot()
    }

    /// The snapshot of `instrument` will not come: ask for it again, unless its book no longer needs one.
    pub fn snapshot_failed(&mut self, instrument: InstrumentId) {
        if let Some(book) = self.books.row(instrument) {
            book.sync.snapshot_failed();
        }
    }

    /// True when `instrument`'s book is live.
    pub fn is_live(&self, instrument: InstrumentId) -> bool {
        self.books
            .rows
            .iter()
            .any(|book| book.instrument == instrument && book.state == Some(BookState::Live))
    }

    /// True when a snapshot of `instrument` was taken and nothing was lost since.
    pub fn has_book(&self, instrument: InstrumentId) -> bool {
        let mut rows = self.books.rows.iter();
        rows.any(|book| book.instrument == instrument && book.sync.state() != SyncState::Waiting)
    }

    /// The connection was lost: no book can be trusted.
    ///
    /// # Errors
    /// `Stopped` when the run is ending.
    pub fn on_disconnected(
        &mut self,
        ts_ingress_ns: i64,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        self.books.is_shutdown_announced = false;
        self.books
            .lose_all(BookStateReason::Disconnected, ts_ingress_ns, sink)
    }

    /// True when the venue announced that it will close this connection.
    pub const fn is_shutdown_announced(&self) -> bool {
        self.books.is_shutdown_announced
    }

    /// The instruments of this feed.
    pub fn instruments(&self) -> impl Iterator<Item = InstrumentId> + '_ {
        self.books.rows.iter().map(|book| book.instrument)
    }

    /// What it has seen.
    pub fn stats(&self) -> FeedStats {
        let decoded = self.decoder.stats();
        let in_state = |state| {
            let books = self.books.rows.iter();
            books.filter(|book| book.state == Some(state)).count() as u64
        };
        FeedStats {
            fallbacks: decoded.fallbacks,
            books_stale: in_state(BookState::Stale),
            books_live: in_state(BookState::Live),
            ..self.books.stats
        }
    }
}

/// The stamp `decoded`, one clock read a message: how long ago the bytes were read, earlier messages of the same read included. A run in
/// event time has no clock for it.
#[inline]
fn stamp_decoded(ts_ingress_ns: i64, sink: &impl EventSink) -> u8 {
    match sink.stamp_ns() {
        Some(now_ns) => decode_code(now_ns.saturating_sub(ts_ingress_ns)),
        None => DECODE_CODE_NONE,
    }
}
