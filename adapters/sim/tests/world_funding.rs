//! What a world announces of its perpetuals: every second, by its own books, and without changing anything else.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

use acth_core::{
    event::{Event, EventView},
    instrument::{Contract, InstrumentId},
    port::{EventSink, EventSource, Progress, Stopped},
};
use acth_sim::{
    encode::{self, Market},
    source::{WorldSource, WorldSourceConfig},
    world::{MessageBody, PRESETS, World, WorldConfig},
};

const SECOND_NS: i64 = 1_000_000_000;

fn world(preset: &str, funding_interval_s: u32) -> World {
    let config = WorldConfig {
        funding_interval_s,
        // Not on a whole second, as the clock of a wall would have it.
        ts_start_ns: 1_767_571_200_370_000_000,
        ..WorldConfig::preset(preset).unwrap()
    };
    World::new(config, 11).unwrap()
}

/// Every message of so many seconds as text: announcements, and the others.
fn messages(mut world: World, seconds: i64, slice_ns: i64) -> (Vec<String>, Vec<String>) {
    let (mut announced, mut others) = (Vec::new(), Vec::new());
    let ts_start_ns = world.ts_ns();
    for slice in 1..=seconds * SECOND_NS / slice_ns {
        world.step_until(ts_start_ns + slice * slice_ns, &mut |message| {
            let is_announcement = matches!(message.body, MessageBody::MarkPrice { .. });
            let list = if is_announcement {
                &mut announced
            } else {
                &mut others
            };
            list.push(format!("{message:?}"));
        });
    }
    (announced, others)
}

#[test]
fn the_markets_are_the_same_with_any_funding_and_without() {
    let (announced, markets) = messages(world("seasons", 28_800), 5, SECOND_NS / 100);
    assert_eq!(announced.len(), 5 * 3);
    let (none, silent) = messages(world("seasons", 0), 5, SECOND_NS / 100);
    assert!(none.is_empty());
    assert!(silent == markets);
    let (often, busy) = messages(world("seasons", 2), 5, SECOND_NS / 100);
    assert!(busy == markets && often != announced);
    // However the steps are sliced.
    let (sliced, _) = messages(world("seasons", 28_800), 5, 5 * SECOND_NS);
    assert_eq!(sliced, announced);
}

#[test]
fn every_perpetual_is_announced_each_second_by_the_books_of_that_moment() {
    for (preset, _) in PRESETS {
        let mut world = world(preset, 3);
        let instruments = world.instruments().clone();
        let perpetuals = instruments.iter();
        let perpetuals = perpetuals.filter(|(_, row)| row.contract == Contract::Perpetual);
        let count = perpetuals.count();
        let first_ns = (world.ts_ns() / SECOND_NS + 1) * SECOND_NS;
        for second in 0..7 {
            let ts_ns = first_ns + second * SECOND_NS;
            world.step_until(ts_ns - 1, &mut |_| ());
            let middle = |id: InstrumentId| {
                let book = world.snapshot(id, 1).unwrap();
                i64::midpoint(book.bids[0].price, book.asks[0].price)
            };
            let before: Vec<i64> = instruments.iter().map(|(id, _)| middle(id)).collect();
            let mut found = 0;
            world.step_until(ts_ns, &mut |message| {
                let MessageBody::MarkPrice {
                    mark,
                    index,
                    rate,
                    ts_next_ns,
                } = message.body
                else {
                    return;
                };
                found += 1;
                let row = instruments.get(message.instrument).unwrap();
                assert_eq!(row.contract, Contract::Perpetual);
                assert_eq!(message.ts_ns, ts_ns);
                assert_eq!(mark, before[message.instrument.index()], "{}", row.name());
                let spot = instruments
                    .iter()
                    .find(|(_, other)| other.contract == Contract::Spot && other.base == row.base);
                match spot {
                    Some((id, other)) if other.price_exponent == row.price_exponent => {
                        assert_eq!(index, before[id.index()], "{}", row.name());
                    }
                    _ => assert!((mark - index).abs() * 100 < mark, "{}", row.name()),
                }
                assert!(rate.abs() <= 20_000_000_000);
                assert!(ts_next_ns > ts_ns && ts_next_ns - ts_ns <= 3 * SECOND_NS);
                assert_eq!(ts_next_ns % (3 * SECOND_NS), 0);
            });
            assert_eq!(found, count, "{preset}");
        }
    }
}

#[test]
fn the_text_is_the_venues() {
    let instruments = world("default", 1).instruments().clone();
    let row = instruments.get(InstrumentId(5)).unwrap();
    let body = MessageBody::MarkPrice {
        mark: 6_180_025,
        index: 6_179_900,
        rate: -62_500_000,
        ts_next_ns: 1_760_025_600_000_000_000,
    };
    let mut text = String::new();
    let ts_ns = 1_760_000_001_000_999_999;
    encode::message(&mut text, Market::UsdFutures, row, ts_ns, &body);
    assert_eq!(
        text,
        r#"{"e":"markPriceUpdate","E":1760000001000,"s":"BTCUSDT","p":"61800.25000000","i":"61799.00000000","P":"61799.00000000","r":"-0.000062500000","T":1760025600000}"#
    );
}

#[derive(Default)]
struct Heard(Vec<Event>);

impl EventSink for Heard {
    fn emit_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        let mut event = Event::EMPTY;
        fill(&mut event);
        event.check().unwrap();
        self.0.push(event);
        Ok(())
    }

    fn now_ns(&self) -> i64 {
        0
    }
}

#[test]
fn in_process_the_events_say_what_the_messages_say() {
    let mut heard = Heard::default();
    let mut source = WorldSource::new(
        world("default", 28_800),
        WorldSourceConfig::lasting(3 * SECOND_NS),
    );
    while source.poll(&mut heard).unwrap() != Progress::Ended {}
    let events = heard.0.iter().filter_map(|event| match event.view() {
        EventView::MarkFunding(body) => Some((event, body)),
        _ => None,
    });
    let said: Vec<String> = events
        .map(|(event, body)| {
            let message = acth_sim::world::WorldMessage {
                instrument: event.instrument_id(),
                ts_ns: event.ts_venue_ns,
                body: MessageBody::MarkPrice {
                    mark: body.mark_price,
                    index: body.index_price,
                    rate: body.rate,
                    ts_next_ns: body.ts_next_ns,
                },
            };
            format!("{message:?}")
        })
        .collect();
    let (announced, _) = messages(world("default", 28_800), 3, 5_000_000);
    assert_eq!(said, announced);
}
