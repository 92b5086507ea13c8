//! World, paper venue and a naive trader in one thread: the whole loop repeats itself and adds up.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod common;

use acth_core::{
    decision::{Outbound, TimeInForce},
    event::{Event, EventView, Side, flags},
    hash::StateHasher,
    instrument::{InstrumentId, Instruments},
    port::{CommandSink, EventSink, EventSource, Progress, Stopped},
};
use acth_sim::{
    paper::{PaperConfig, PaperSink, PaperVenue, channel},
    source::{WorldSource, WorldSourceConfig},
    world::{World, WorldConfig},
};
use common::{cancel, order, with_force};
use zerocopy::IntoBytes;

/// Crosses the spread, quotes and cancels by turns; hashes every event.
struct Trader {
    commands: PaperSink,
    instruments: Instruments,
    hasher: StateHasher,
    now_ns: i64,
    next_id: u64,
    bbo_count: u64,
    fills: u64,
    maker_fills: u64,
    executions: std::collections::BTreeSet<u64>,
}

impl EventSink for Trader {
    fn emit_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        let mut event = Event::EMPTY;
        fill(&mut event);
        event.check().unwrap();
        assert!(event.ts_ingress_ns >= self.now_ns, "time goes forwards");
        self.now_ns = event.ts_ingress_ns;
        self.hasher.bytes(event.as_bytes());
        match event.view() {
            EventView::OrderFilled(body) => {
                self.fills += 1;
                self.maker_fills += u64::from(event.has(flags::MAKER));
                assert!(
                    self.executions.insert(body.execution_id),
                    "execution ids are unique"
                );
                let instrument = self.instruments.get(event.instrument_id()).unwrap();
                let is_maker = event.has(flags::MAKER);
                assert_eq!(
                    body.fee,
                    instrument.fee(body.price, body.quantity, is_maker)
                );
            }
            EventView::Bbo(bbo) => {
                self.bbo_count += 1;
                if self.bbo_count.is_multiple_of(50) {
                    let id = self.next_id;
                    self.next_id += 3;
                    let quantity = self.instruments.get(event.instrument_id()).unwrap().lot * 20;
                    let ioc = TimeInForce::ImmediateOrCancel;
                    self.send(
                        with_force(order(id, Side::Bid, bbo.ask.price, quantity), ioc),
                        &event,
                    );
                    self.send(order(id + 1, Side::Bid, bbo.bid.price, quantity), &event);
                    self.send(order(id + 2, Side::Ask, bbo.ask.price, quantity), &event);
                    self.send(cancel(id.saturating_sub(50)), &event);
                }
            }
            _ => {}
        }
        Ok(())
    }
    fn now_ns(&self) -> i64 {
        self.now_ns
    }
}

impl Trader {
    fn send(&mut self, decision: acth_core::decision::Decision, cause: &Event) {
        let decision = acth_core::decision::Decision {
            instrument: cause.instrument,
            ..decision
        };
        let outbound = Outbound {
            sequence: 0,
            ts_cause_ingress_ns: cause.ts_ingress_ns,
            ts_decided_ns: cause.ts_ingress_ns + 1_000,
            ts_published_ns: 0,
            decision,
        };
        self.commands.submit(&outbound).unwrap();
    }
}

fn run(seed: u64, seconds: i64) -> Trader {
    let world = World::new(WorldConfig::default(), seed).unwrap();
    let instruments = world.instruments().clone();
    let config = WorldSourceConfig::lasting(seconds * 1_000_000_000);
    let (commands, state) = channel(PaperConfig::default(), &instruments);
    let mut venue = PaperVenue::new(WorldSource::new(world, config), state);
    let mut trader = Trader {
        commands,
        instruments,
        hasher: StateHasher::new(),
        now_ns: 0,
        next_id: 1,
        bbo_count: 0,
        fills: 0,
        maker_fills: 0,
        executions: std::collections::BTreeSet::new(),
    };
    while venue.poll(&mut trader).unwrap() != Progress::Ended {}
    while venue.drain(&mut trader).unwrap() != Progress::Ended {}
    trader
}

#[test]
fn the_whole_loop_repeats_itself() {
    let first = run(21, 20);
    eprintln!(
        "{} fills, {} of them passive",
        first.fills, first.maker_fills
    );
    assert!(first.fills > 100 && first.maker_fills > 10 && first.maker_fills < first.fills);
    assert_eq!(first.hasher.finish(), run(21, 20).hasher.finish());
    assert_ne!(first.hasher.finish(), run(22, 20).hasher.finish());
}

/// Rebuilds a book from events alone.
#[derive(Default)]
struct Rebuilt {
    books: std::collections::BTreeMap<(u16, u8, i64), i64>,
    now_ns: i64,
}

impl EventSink for Rebuilt {
    fn emit_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        let mut event = Event::EMPTY;
        fill(&mut event);
        self.now_ns = event.ts_ingress_ns;
        if let EventView::BookDelta(delta) = event.view() {
            if event.has(flags::CLEAR) {
                self.books.retain(|key, _| key.0 != event.instrument);
            }
            for index in 0..event.level_count() {
                let key = (
                    event.instrument,
                    event.level_side(index) as u8,
                    delta.levels[index].price,
                );
                match delta.levels[index].quantity {
                    0 => self.books.remove(&key),
                    quantity => self.books.insert(key, quantity),
                };
            }
        }
        Ok(())
    }
    fn now_ns(&self) -> i64 {
        self.now_ns
    }
}

#[test]
fn events_rebuild_the_worlds_books() {
    // Stops right after a diff of the first instrument, the only moment at which diffs say all.
    let mut probe = World::new(WorldConfig::default(), 4).unwrap();
    let start = probe.ts_ns();
    let mut ts_diff = 0;
    probe.step_until(start + 3_000_000_000, &mut |message| {
        let is_diff = matches!(message.body, acth_sim::world::MessageBody::DepthDiff { .. });
        if is_diff && message.instrument == InstrumentId(0) {
            ts_diff = message.ts_ns;
        }
    });
    let world = World::new(WorldConfig::default(), 4).unwrap();
    let mut source = WorldSource::new(world, WorldSourceConfig::lasting(ts_diff - start));
    let mut rebuilt = Rebuilt::default();
    while source.poll(&mut rebuilt).unwrap() != Progress::Ended {}
    let book = source.world().snapshot(InstrumentId(0), 5_000).unwrap();
    let side = |levels: &[acth_core::event::Level], side: Side| {
        levels
            .iter()
            .map(|l| ((0, side as u8, l.price), l.quantity))
            .collect::<Vec<_>>()
    };
    let mut expected = side(&book.bids, Side::Bid);
    expected.extend(side(&book.asks, Side::Ask));
    expected.sort_unstable();
    let found: Vec<_> = rebuilt
        .books
        .iter()
        .filter(|(key, _)| key.0 == 0)
        .map(|(k, v)| (*k, *v))
        .collect();
    assert_eq!(found, expected);
}
