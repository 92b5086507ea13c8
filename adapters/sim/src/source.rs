//! A world as a source of events, in process and without text: for backtests and tests.
//!
//! It runs flat out until a virtual duration has passed. Each book starts with a snapshot and goes live at once;
//! nothing is ever lost on the way.
//!
//! Invariant: same world and duration, same events, whoever polls and however fast.

use acth_core::{
    event::{
        Bbo, BookState, BookStateChanged, BookStateReason, Event, EventKind, Level, MarkFunding,
        Side, Trade, flags,
    },
    instrument::{InstrumentId, Instruments},
    port::{EventSink, EventSource, PortError, Progress, Stopped},
};

use crate::world::{BookSnapshot, MessageBody, World, WorldMessage};

/// Virtual time that one poll covers.
const SLICE_NS: i64 = 5_000_000;

/// How the events of a `WorldSource` are stamped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorldSourceConfig {
    /// Virtual time after which it ends.
    pub duration_ns: i64,
    /// From the venue's stamp to ours.
    pub feed_latency_ns: i64,
    /// Number of the source that the events carry.
    pub source: u16,
}

impl WorldSourceConfig {
    /// A run of this length with 200 us on the way.
    pub const fn lasting(duration_ns: i64) -> Self {
        Self {
            duration_ns,
            feed_latency_ns: 200_000,
            source: 0,
        }
    }
}

/// Emits what a world publishes.
#[derive(Clone, Debug)]
pub struct WorldSource {
    world: World,
    config: WorldSourceConfig,
    ts_end_ns: i64,
    has_started: bool,
}

impl WorldSource {
    /// A source over this world, from where the world stands.
    pub const fn new(world: World, config: WorldSourceConfig) -> Self {
        let ts_end_ns = world.ts_ns() + config.duration_ns;
        Self {
            world,
            config,
            ts_end_ns,
            has_started: false,
        }
    }

    /// What the events are about.
    pub const fn instruments(&self) -> &Instruments {
        self.world.instruments()
    }

    /// The world itself.
    pub const fn world(&self) -> &World {
        &self.world
    }

    fn start(&self, sink: &mut impl EventSink) -> Result<(), Stopped> {
        let mut writer = self.writer();
        for (id, _) in self.world.instruments().iter() {
            let ts_ns = self.world.ts_ns();
            writer.book_state(id, ts_ns, BookState::Syncing, BookStateReason::Start, sink)?;
            if let Some(book) = self.world.snapshot(id, usize::MAX) {
                writer.snapshot(id, ts_ns, &book, sink)?;
            }
            writer.book_state(id, ts_ns, BookState::Live, BookStateReason::Synced, sink)?;
        }
        Ok(())
    }

    const fn writer(&self) -> EventWriter {
        EventWriter {
            feed_latency_ns: self.config.feed_latency_ns,
            source: self.config.source,
        }
    }
}

impl EventSource for WorldSource {
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        if !self.has_started {
            self.has_started = true;
            return Ok(match self.start(sink) {
                Ok(()) => Progress::Busy,
                Err(Stopped) => Progress::Ended,
            });
        }
        if self.world.ts_ns() >= self.ts_end_ns {
            return Ok(Progress::Ended);
        }
        let until_ns = (self.world.ts_ns() + SLICE_NS).min(self.ts_end_ns);
        let mut writer = self.writer();
        let mut written = Ok(());
        self.world.step_until(until_ns, &mut |message| {
            if written.is_ok() {
                written = writer.message(&message, sink);
            }
        });
        Ok(match written {
            Ok(()) => Progress::Busy,
            Err(Stopped) => Progress::Ended,
        })
    }
}

/// Turns messages into events.
struct EventWriter {
    feed_latency_ns: i64,
    source: u16,
}

impl EventWriter {
    fn message(
        &mut self,
        message: &WorldMessage<'_>,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        let (id, ts_ns) = (message.instrument, message.ts_ns);
        match message.body {
            MessageBody::Trade {
                trade_id,
                price,
                quantity,
                aggressor,
            } => {
                let body = Trade {
                    price,
                    quantity,
                    trade_id,
                    trade_id_final: trade_id,
                    reserved: 0,
                };
                let event = Event::new(EventKind::Trade, id).with_detail(aggressor as u8);
                self.emit(event.with_body(&body), ts_ns, sink)
            }
            // The single trades say the same.
            MessageBody::AggregateTrade { .. } => Ok(()),
            MessageBody::BookTicker {
                update_id,
                bid,
                ask,
            } => {
                let body = Bbo {
                    bid,
                    ask,
                    update_id,
                };
                self.emit(Event::new(EventKind::Bbo, id).with_body(&body), ts_ns, sink)
            }
            MessageBody::DepthDiff {
                final_id,
                bids,
                asks,
                ..
            } => self.levels(id, ts_ns, final_id, bids, asks, 0, sink),
            MessageBody::MarkPrice {
                mark,
                index,
                rate,
                ts_next_ns,
            } => {
                let body = MarkFunding {
                    mark_price: mark,
                    index_price: index,
                    rate,
                    ts_next_ns,
                    reserved: 0,
                };
                let event = Event::new(EventKind::MarkFunding, id).with_body(&body);
                self.emit(event, ts_ns, sink)
            }
        }
    }

    fn snapshot(
        &mut self,
        id: InstrumentId,
        ts_ns: i64,
        book: &BookSnapshot,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        let update_id = book.last_update_id;
        self.levels(
            id,
            ts_ns,
            update_id,
            &book.bids,
            &book.asks,
            flags::SNAPSHOT,
            sink,
        )
    }

    /// Levels two by two; the first event of a snapshot clears, the last one of a message says so.
    #[expect(clippy::too_many_arguments, reason = "one message, spelled out")]
    fn levels(
        &mut self,
        id: InstrumentId,
        ts_ns: i64,
        update_id: u64,
        bids: &[Level],
        asks: &[Level],
        bits: u8,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        let bids = bids.iter().map(|level| (Side::Bid, *level));
        let asks = asks.iter().map(|level| (Side::Ask, *level));
        let mut all = bids.chain(asks).peekable();
        let mut clear = if bits & flags::SNAPSHOT == 0 {
            0
        } else {
            flags::CLEAR
        };
        while let Some(first) = all.next() {
            let event = match all.next() {
                Some(second) => Event::book_delta(id, update_id, &[first, second]),
                None => Event::book_delta(id, update_id, &[first]),
            };
            let last = if all.peek().is_none() { flags::LAST } else { 0 };
            self.emit(event.with_flags(bits | clear | last), ts_ns, sink)?;
            clear = 0;
        }
        Ok(())
    }

    fn book_state(
        &mut self,
        id: InstrumentId,
        ts_ns: i64,
        state: BookState,
        reason: BookStateReason,
        sink: &mut impl EventSink,
    ) -> Result<(), Stopped> {
        let body = BookStateChanged {
            reason: reason as u64,
            expected_id: 0,
            received_id: 0,
            reserved: [0; 2],
        };
        let event = Event::new(EventKind::BookStateChanged, id).with_detail(state as u8);
        self.emit(event.with_body(&body), ts_ns, sink)
    }

    fn emit(&self, event: Event, ts_ns: i64, sink: &mut impl EventSink) -> Result<(), Stopped> {
        let mut event = event.at(ts_ns, ts_ns + self.feed_latency_ns);
        event.source = self.source;
        sink.emit(&event)
    }
}
