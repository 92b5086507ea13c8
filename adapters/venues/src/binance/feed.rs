//! Frames in, events out: one connection or one recording of Binance market data.
//!
//! Diffs and snapshots pass through the instrument's `BookSync`; best bids and offers and trades go straight through.
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
    event::{BookState, BookStateReason},
    instrument::{InstrumentId, Instruments},
    port::{EventSink, PortError, Stopped},
};
use acth_wire::binance::{Decoder, Depth, Market, Message, Snapshot, Symbol, Symbols};

use super::{
    book_sync::{BookSync, DiffIds, DiffVerdict, SnapshotVerdict, SyncState},
    emit::{self, Stamp},
    refusal, venue_name,
};

/// What a feed has seen, all counts since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedStats {
    /// Frames taken, snapshots included.
    pub frames: u64,
    /// Frames that the fast scanner handed to the general parser.
    pub fallbacks: u64,
    /// Frames of no known form, or about a symbol that is not in the table.
    pub unknown: u64,
    /// Frames that could not be decoded.
    pub errors: u64,
    /// Frames that report a refusal of the venue.
    pub venue_errors: u64,
    /// Missing update ids, and buffers that ran over.
    pub gaps: u64,
    /// Books that became live, the first time included.
    pub syncs: u64,
    /// Books that became live again after they had been.
    pub resyncs: u64,
    /// Buffers of waiting diffs that ran over; each is counted as a gap too.
    pub overflows: u64,
    /// Snapshots that ended before the waiting diffs began.
    pub snapshots_too_old: u64,
    /// Snapshots that came for a live book.
    pub snapshots_unneeded: u64,
    /// Diffs that a book had already.
    pub diffs_old: u64,
    /// Books that are stale now.
    pub books_stale: u64,
    /// Books that are live now.
    pub books_live: u64,
}

impl FeedStats {
    /// Adds another feed's counts.
    pub const fn add(&mut self, other: &Self) {
        self.frames += other.frames;
        self.fallbacks += other.fallbacks;
        self.unknown += other.unknown;
        self.errors += other.errors;
        self.venue_errors += other.venue_errors;
        self.gaps += other.gaps;
        self.syncs += other.syncs;
        self.resyncs += other.resyncs;
        self.overflows += other.overflows;
        self.snapshots_too_old += other.snapshots_too_old;
        self.snapshots_unneeded += other.snapshots_unneeded;
        self.diffs_old += other.diffs_old;
        self.books_stale += other.books_stale;
        self.books_live += other.books_live;
    }
}

/// One instrument's synchronisation and what the core was last told about it.
#[derive(Debug)]
struct Book {
    instrument: InstrumentId,
    sync: BookSync,
    /// `None` until the feed has started.
    state: Option<BookState>,
    was_live: bool,
}

/// Turns the frames of one connection into events.
#[derive(Debug)]
pub struct Feed {
    decoder: Decoder,
    books: Books,
}

/// Everything but the decoder, whose messages are borrowed while the rest works.
#[derive(Debug)]
struct Books {
    source: u16,
    symbols: Symbols,
    rows: Vec<Book>,
    /// Row of an instrument, by its id; `ROW_NONE` where it is not of this feed.
    row_of: Vec<u8>,
    stats: FeedStats,
    is_shutdown_announced: bool,
    has_started: bool,
    next_wish: usize,
}

const ROW_NONE: u8 = u8::MAX;
const _: () = assert!(acth_core::instrument::INSTRUMENTS_MAX < ROW_NONE as usize);

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
            Ok(message) => books.on_message(&message, frame, ts_ingress_ns, sink),
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
            Ok(snapshot) => books.on_snapshot(&snapshot, ts_ingress_ns, sink),
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

impl Books {
    fn row(&mut self, instrument: InstrumentId) -> Option<&mut Book> {
        let row = *self.row_of.get(instrument.index())?;
        self.rows.get_mut(row as usize)
    }

    fn start(&mut self, ts_ingress_ns: i64, sink: &mut impl EventSink) -> Result<(), Stopped> {
        self.has_started = true;
        for index in 0..self.rows.len() {
            self.rows[index].sync.lose();
            let (state, reason) = (BookState::Syncing, BookStateReason::Start);
            self.change_state(index, state, reason, (0, 0), (0, ts_ingress_ns), sink)?;
        }
        Ok(())
    }

    fn on_message(
        &mut self,
        message: &Message<'_>,
        frame: &[u8],
        ts_ingress_ns: i64,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        let source = self.source;
        let stamp = |instrument, ts_venue_ns| Stamp {
            instrument,
            source,
            ts_venue_ns,
            ts_ingress_ns,
        };
        match message {
            Message::Depth(depth) => self.on_depth(depth, frame, ts_ingress_ns, sink),
            Message::Bbo {
                instrument,
                bbo,
                ts_venue_ns,
            } => emit::bbo(&stamp(*instrument, *ts_venue_ns), bbo, sink),
            Message::Trade {
                instrument,
                aggressor,
                trade,
                ts_venue_ns,
            } => emit::trade(&stamp(*instrument, *ts_venue_ns), *aggressor, trade, sink),
            Message::Snapshot(snapshot) => self.on_snapshot(snapshot, ts_ingress_ns, sink),
            Message::Ack { .. } | Message::Ignored => Ok(()),
            Message::VenueError { code, text, .. } => {
                tracing::warn!(source, code, text, "the venue refused a request");
                self.stats.venue_errors += 1;
                Ok(())
            }
            Message::ServerShutdown => {
                self.is_shutdown_announced = true;
                Ok(())
            }
            Message::Unknown => {
                self.stats.unknown += 1;
                Ok(())
            }
        }
    }

    fn on_depth(
        &mut self,
        depth: &Depth<'_>,
        frame: &[u8],
        ts_ingress_ns: i64,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        let index = self.row_of[depth.instrument.index()] as usize;
        let ids = DiffIds {
            first: depth.first_id,
            last: depth.final_id,
            previous: depth.previous_id.unwrap_or(0),
        };
        if ids.first > ids.last || ids.previous > ids.last {
            let cause = "update ids run backwards within one diff";
            return self.on_undecodable(frame, cause, ts_ingress_ns, sink);
        }
        let stamp = Stamp {
            instrument: depth.instrument,
            source: self.source,
            ts_venue_ns: depth.ts_venue_ns,
            ts_ingress_ns,
        };
        let times = (depth.ts_venue_ns, ts_ingress_ns);
        let sync = &mut self.rows[index].sync;
        match sync.on_diff(ids, depth.ts_venue_ns, depth.bids, depth.asks) {
            DiffVerdict::Buffered => Ok(()),
            DiffVerdict::Applied => emit::diff(&stamp, ids.last, depth.bids, depth.asks, sink),
            DiffVerdict::Bridged => {
                emit::diff(&stamp, ids.last, depth.bids, depth.asks, sink)?;
                self.become_live(index, times, sink)
            }
            DiffVerdict::Old => {
                self.stats.diffs_old += 1;
                Ok(())
            }
            DiffVerdict::Gap { expected, received } => {
                self.stats.gaps += 1;
                let (state, reason) = (BookState::Stale, BookStateReason::Gap);
                self.change_state(index, state, reason, (expected, received), times, sink)
            }
            DiffVerdict::Overflow { expected, received } => {
                self.stats.gaps += 1;
                self.stats.overflows += 1;
                let (state, reason) = (BookState::Stale, BookStateReason::Gap);
                self.change_state(index, state, reason, (expected, received), times, sink)
            }
        }
    }

    fn on_snapshot(
        &mut self,
        snapshot: &Snapshot<'_>,
        ts_ingress_ns: i64,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        let index = self.row_of[snapshot.instrument.index()] as usize;
        let verdict = self.rows[index].sync.on_snapshot(snapshot.last_update_id);
        match verdict {
            SnapshotVerdict::Unneeded => self.stats.snapshots_unneeded += 1,
            SnapshotVerdict::TooOld => self.stats.snapshots_too_old += 1,
            SnapshotVerdict::Taken | SnapshotVerdict::Joined => {}
        }
        if !matches!(verdict, SnapshotVerdict::Taken | SnapshotVerdict::Joined) {
            return Ok(());
        }
        let mut stamp = Stamp {
            instrument: snapshot.instrument,
            source: self.source,
            ts_venue_ns: snapshot.ts_venue_ns,
            ts_ingress_ns,
        };
        let (bids, asks) = (snapshot.bids, snapshot.asks);
        emit::snapshot(&stamp, snapshot.last_update_id, bids, asks, sink)?;
        if verdict == SnapshotVerdict::Taken {
            return Ok(());
        }
        let sync = &mut self.rows[index].sync;
        for diff in sync.waiting() {
            stamp.ts_venue_ns = diff.ts_venue_ns;
            emit::diff(&stamp, diff.ids.last, diff.bids, diff.asks, sink)?;
        }
        sync.joined();
        self.become_live(index, (stamp.ts_venue_ns, ts_ingress_ns), sink)
    }

    fn on_undecodable(
        &mut self,
        frame: &[u8],
        cause: &str,
        ts_ingress_ns: i64,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        self.stats.errors += 1;
        let instrument = refusal::instrument_of(frame, &self.symbols);
        let symbol = instrument.map_or(-1, |id| i64::from(id.0));
        tracing::warn!(
            source = self.source,
            symbol,
            cause,
            "frame cannot be decoded"
        );
        let reason = BookStateReason::Undecodable;
        match instrument {
            Some(id) => {
                let index = self.row_of[id.index()] as usize;
                self.lose(index, reason, ts_ingress_ns, sink)
            }
            None => self.lose_all(reason, ts_ingress_ns, sink),
        }
    }

    fn lose_all(
        &mut self,
        reason: BookStateReason,
        ts_ingress_ns: i64,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        (0..self.rows.len()).try_for_each(|index| self.lose(index, reason, ts_ingress_ns, sink))
    }

    /// Forgets a book; told to the core only if it was not stale already.
    fn lose(
        &mut self,
        index: usize,
        reason: BookStateReason,
        ts_ingress_ns: i64,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        let book = &mut self.rows[index];
        book.sync.lose();
        if book.state == Some(BookState::Stale) {
            return Ok(());
        }
        self.change_state(
            index,
            BookState::Stale,
            reason,
            (0, 0),
            (0, ts_ingress_ns),
            sink,
        )
    }

    fn become_live(
        &mut self,
        index: usize,
        times: (i64, i64),
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        self.stats.syncs += 1;
        self.stats.resyncs += u64::from(self.rows[index].was_live);
        self.rows[index].was_live = true;
        let (state, reason) = (BookState::Live, BookStateReason::Synced);
        self.change_state(index, state, reason, (0, 0), times, sink)
    }

    /// Tells the core; `ids` are the expected and the received one, `times` the venue's and ours.
    fn change_state(
        &mut self,
        index: usize,
        state: BookState,
        reason: BookStateReason,
        ids: (u64, u64),
        times: (i64, i64),
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        let book = &mut self.rows[index];
        book.state = Some(state);
        let stamp = Stamp {
            instrument: book.instrument,
            source: self.source,
            ts_venue_ns: times.0,
            ts_ingress_ns: times.1,
        };
        emit::book_state(&stamp, state, reason, ids, sink)
    }

    fn wants_snapshot(&mut self) -> Option<InstrumentId> {
        for _ in 0..self.rows.len() {
            let index = self.next_wish;
            self.next_wish = (index + 1) % self.rows.len();
            let book = &mut self.rows[index];
            if book.sync.take_snapshot_wish() {
                return Some(book.instrument);
            }
        }
        None
    }
}
