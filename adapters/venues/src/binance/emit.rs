//! Market data in the venue's shape to events in ours.
//!
//! Invariant: one venue message becomes one unbroken run of events of which only the final one carries `LAST`.

use acth_core::{
    event::{
        Bbo, BookState, BookStateChanged, BookStateReason, Event, EventKind, Level, MarkFunding,
        Side, Trade, flags,
    },
    instrument::InstrumentId,
    port::{EventSink, Stopped},
};

/// What all events of one message share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) instrument: InstrumentId,
    pub(crate) source: u16,
    /// How long decoding took; `DECODE_CODE_NONE` where no message was decoded, or by no real clock.
    pub(crate) decode_code: u8,
    /// 0 = the venue gave no time.
    pub(crate) ts_venue_ns: i64,
    pub(crate) ts_ingress_ns: i64,
}

impl Stamp {
    fn on(&self, mut event: Event) -> Event {
        event.source = self.source;
        event.decode_code = self.decode_code;
        event.ts_venue_ns = self.ts_venue_ns;
        event.ts_ingress_ns = self.ts_ingress_ns;
        if self.ts_venue_ns == 0 {
            event.flags |= flags::TS_MISSING;
        }
        event
    }
}

/// The changed levels of one diff. A diff without levels makes no event.
pub(super) fn diff(
    stamp: &Stamp,
    update_id: u64,
    bids: &[Level],
    asks: &[Level],
    sink: &mut impl EventSink,
) -> Result<(), Stopped> {
    levels(stamp, update_id, bids, asks, 0, sink)
}

/// All levels of a snapshot. One without levels becomes one event that clears the book and deletes nothing.
pub(crate) fn snapshot(
    stamp: &Stamp,
    update_id: u64,
    bids: &[Level],
    asks: &[Level],
    sink: &mut impl EventSink,
) -> Result<(), Stopped> {
    let nothing = [Level::default()];
    let bids = if bids.is_empty() && asks.is_empty() {
        &nothing
    } else {
        bids
    };
    levels(stamp, update_id, bids, asks, flags::SNAPSHOT, sink)
}

/// Two levels an event, bids first; `first_flags` also decides whether the first event clears the book.
fn levels(
    stamp: &Stamp,
    update_id: u64,
    bids: &[Level],
    asks: &[Level],
    all_flags: u8,
    sink: &mut impl EventSink,
) -> Result<(), Stopped> {
    let count = bids.len() + asks.len();
    let at = |index: usize| match bids.get(index) {
        Some(level) => (Side::Bid, *level),
        None => (Side::Ask, asks[index - bids.len()]),
    };
    for first in (0..count).step_by(2) {
        let mut bits = all_flags;
        if first == 0 && all_flags & flags::SNAPSHOT != 0 {
            bits |= flags::CLEAR;
        }
        if first + 2 >= count {
            bits |= flags::LAST;
        }
        let event = if first + 1 < count {
            Event::book_delta(stamp.instrument, update_id, &[at(first), at(first + 1)])
        } else {
            Event::book_delta(stamp.instrument, update_id, &[at(first)])
        };
        sink.emit(&stamp.on(event).with_flags(bits))?;
    }
    Ok(())
}

/// A new best bid and offer.
pub(crate) fn bbo(stamp: &Stamp, bbo: &Bbo, sink: &mut impl EventSink) -> Result<(), Stopped> {
    let event = Event::new(EventKind::Bbo, stamp.instrument)
        .with_flags(flags::LAST)
        .with_body(bbo);
    sink.emit(&stamp.on(event))
}

/// A printed trade.
pub(crate) fn trade(
    stamp: &Stamp,
    aggressor: Side,
    trade: &Trade,
    sink: &mut impl EventSink,
) -> Result<(), Stopped> {
    let event = Event::new(EventKind::Trade, stamp.instrument)
        .with_flags(flags::LAST)
        .with_detail(aggressor as u8)
        .with_body(trade);
    sink.emit(&stamp.on(event))
}

/// The mark price and the next funding of a perpetual.
pub(super) fn mark_funding(
    stamp: &Stamp,
    announced: &MarkFunding,
    sink: &mut impl EventSink,
) -> Result<(), Stopped> {
    let event = Event::new(EventKind::MarkFunding, stamp.instrument)
        .with_flags(flags::LAST)
        .with_body(announced);
    sink.emit(&stamp.on(event))
}

/// A book that can be trusted more or less than before.
pub(crate) fn book_state(
    stamp: &Stamp,
    state: BookState,
    reason: BookStateReason,
    ids: (u64, u64),
    sink: &mut impl EventSink,
) -> Result<(), Stopped> {
    let body = BookStateChanged {
        reason: reason as u64,
        expected_id: ids.0,
        received_id: ids.1,
        reserved: [0; 2],
    };
    let event = Event::new(EventKind::BookStateChanged, stamp.instrument)
        .with_detail(state as u8)
        .with_body(&body);
    sink.emit(&stamp.on(event))
}

/// A session that opened or closed.
pub(crate) fn connection(
    source: u16,
    is_open: bool,
    ts_ingress_ns: i64,
    sink: &mut impl EventSink,
) -> Result<(), Stopped> {
    let mut event = Event::new(EventKind::ConnectionChanged, InstrumentId(0))
        .with_detail(u8::from(is_open))
        .with_flags(flags::TS_MISSING)
        .at(0, ts_ingress_ns);
    event.source = source;
    sink.emit(&event)
}
