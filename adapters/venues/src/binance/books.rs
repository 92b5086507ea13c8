//! The books of one feed: what a decoded message does to them, and what the core is told about it.
//!
//! Invariant: no diff is emitted before the snapshot it joins; after `Live` every diff joins the one before.

use acth_core::{
    event::{BookState, BookStateReason, DECODE_CODE_NONE},
    instrument::InstrumentId,
    port::{EventSink, Stopped},
};
use acth_wire::binance::{Depth, Message, Snapshot, Symbols};

use super::{
    book_sync::{BookSync, DiffIds, DiffVerdict, SnapshotVerdict},
    emit::{self, Stamp},
    feed_stats::FeedStats,
    refusal,
};

/// One instrument's synchronisation and what the core was last told about it.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) instrument: InstrumentId,
    pub(super) sync: BookSync,
    /// `None` until the feed has started.
    pub(super) state: Option<BookState>,
    pub(super) was_live: bool,
}

/// Everything but the decoder, whose messages are borrowed while the rest works.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) source: u16,
    pub(super) symbols: Symbols,
    pub(super) rows: Vec<Book>,
    /// Row of an instrument, by its id; `ROW_NONE` where it is not of this feed.
    pub(super) row_of: Vec<u8>,
    pub(super) stats: FeedStats,
    pub(super) is_shutdown_announced: bool,
    pub(super) has_started: bool,
    pub(super) next_wish: usize,
    /// How long the message at hand took to be decoded, as its events carry it.
    pub(super) decode_code: u8,
}

pub(super) const ROW_NONE: u8 = u8::MAX;
const _: () = assert!(acth_core::instrument::INSTRUMENTS_MAX < ROW_NONE as usize);

impl Books {
    pub(super) fn row(&mut self, instrument: InstrumentId) -> Option<&mut Book> {
        let row = *self.row_of.get(instrument.index())?;
        self.rows.get_mut(row as usize)
    }

    pub(super) fn start(
        &mut self,
        ts_ingress_ns: i64,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        self.has_started = true;
        for index in 0..self.rows.len() {
            self.rows[index].sync.lose();
            let (state, reason) = (BookState::Syncing, BookStateReason::Start);
            self.change_state(index, state, reason, (0, 0), (0, ts_ingress_ns), sink)?;
        }
        Ok(())
    }

    pub(super) fn on_message(
        &mut self,
        message: &Message<'_>,
        frame: &[u8],
        ts_ingress_ns: i64,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        let (source, decode_code) = (self.source, self.decode_code);
        let stamp = |instrument, ts_venue_ns| Stamp {
            instrument,
            source,
            decode_code,
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
            Message::MarkFunding {
                instrument,
                announced,
                ts_venue_ns,
            } => emit::mark_funding(&stamp(*instrument, *ts_venue_ns), announced, sink),
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
            decode_code: self.decode_code,
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

    pub(super) fn on_snapshot(
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
            decode_code: self.decode_code,
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

    pub(super) fn on_undecodable(
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

    pub(super) fn lose_all(
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
            decode_code: DECODE_CODE_NONE,
            ts_venue_ns: times.0,
            ts_ingress_ns: times.1,
        };
        emit::book_state(&stamp, state, reason, ids, sink)
    }

    pub(super) fn wants_snapshot(&mut self) -> Option<InstrumentId> {
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
