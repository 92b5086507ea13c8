//! Frames in, events out: flags, states and ids of what a feed emits.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

#[path = "support/server.rs"]
mod server;
mod support;

use acth_core::{
    event::{
        BookState, BookStateReason, DECODE_CODE_NONE, Event, EventKind, EventView, decode_ns, flags,
    },
    instrument::{InstrumentId, Instruments},
    port::Stopped,
};
use acth_venues::binance::{Market, catalogue, feed::Feed};
use server::FakeMarket;
use support::{Collector, NaiveBook};

const BTC: InstrumentId = InstrumentId(0);
const ETH: InstrumentId = InstrumentId(1);

fn table(market: Market) -> Instruments {
    let rows = ["BTCUSDT", "ETHUSDT"].map(|symbol| catalogue::built_in(market, symbol).unwrap());
    Instruments::new(rows.into()).unwrap()
}

/// A feed of two instruments, its sink, and the market that both follow.
struct Bench {
    feed: Feed,
    sink: Collector,
    venue: FakeMarket,
    market: Market,
}

impl Bench {
    fn new(market: Market) -> Self {
        let feed = Feed::new(market, &table(market), 3).unwrap();
        let (sink, venue) = (Collector::default(), FakeMarket::new(market));
        Self {
            feed,
            sink,
            venue,
            market,
        }
    }

    fn frame(&mut self, frame: &str) {
        self.feed
            .on_frame(frame.as_bytes(), 77, &mut self.sink)
            .unwrap();
    }

    fn diff(&mut self) {
        let frame = self.venue.diff();
        self.frame(&frame);
    }

    fn snapshot(&mut self, body: &str) {
        self.feed
            .on_snapshot(body.as_bytes(), BTC, 78, &mut self.sink)
            .unwrap();
    }

    fn sync(&mut self) {
        self.diff();
        assert_eq!(self.feed.wants_snapshot(), Some(BTC));
        let body = self.venue.snapshot();
        self.diff();
        self.snapshot(&body);
        assert!(self.feed.is_live(BTC));
    }

    fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.sink.events)
    }

    /// The states in `events`: instrument, state, reason and ids.
    fn states(events: &[Event]) -> Vec<(u16, u8, u64, u64, u64)> {
        let states = events.iter().filter_map(|event| match event.view() {
            EventView::BookStateChanged(change) => Some((
                event.instrument,
                event.detail,
                change.reason,
                change.expected_id,
                change.received_id,
            )),
            _ => None,
        });
        states.collect()
    }
}

/// The mantissas of `FakeMarket` at the exponents of the table.
fn expected_book(venue: &FakeMarket) -> NaiveBook {
    let scale = if venue.market == Market::Spot {
        100_000
    } else {
        1
    };
    let mut book = venue.book.clone();
    for quantity in book.bids.values_mut().chain(book.asks.values_mut()) {
        *quantity *= scale;
    }
    book
}

fn same_book(events: &[Event], venue: &FakeMarket) {
    let mut book = NaiveBook::default();
    events.iter().for_each(|event| book.apply(event));
    let expected = expected_book(venue);
    assert_eq!((book.bids, book.asks), (expected.bids, expected.asks));
}

#[test]
fn a_snapshot_and_its_diffs_become_one_book() {
    for market in [Market::Spot, Market::UsdM] {
        let mut bench = Bench::new(market);
        bench.sync();
        let events = bench.take();
        let live = (
            0,
            BookState::Live as u8,
            BookStateReason::Synced as u64,
            0,
            0,
        );
        let start = BookStateReason::Start as u64;
        let syncing = |id: u16| (id, BookState::Syncing as u8, start, 0, 0);
        assert_eq!(Bench::states(&events), [syncing(0), syncing(1), live]);
        assert!(events.iter().all(|event| event.source == 3));

        let whole: Vec<&Event> = events
            .iter()
            .filter(|event| event.has(flags::SNAPSHOT))
            .collect();
        let levels: usize = whole.iter().map(|event| event.level_count()).sum();
        let clears = whole.iter().filter(|event| event.has(flags::CLEAR)).count();
        let lasts = whole.iter().filter(|event| event.has(flags::LAST)).count();
        assert!(levels >= 60 && whole.len() == levels.div_ceil(2));
        assert!(whole[0].has(flags::CLEAR) && whole[whole.len() - 1].has(flags::LAST));
        assert_eq!((clears, lasts), (1, 1));
        let is_timeless = market == Market::Spot;
        assert!(
            whole
                .iter()
                .all(|event| event.has(flags::TS_MISSING) == is_timeless)
        );
        same_book(&events, &bench.venue);

        bench.diff();
        let diff = bench.take();
        assert_eq!(
            diff.iter()
                .map(|event| event.has(flags::LAST))
                .collect::<Vec<_>>(),
            [false, true]
        );
        assert!(
            diff.iter()
                .all(|event| event.ts_venue_ns > 0 && event.ts_ingress_ns == 77)
        );
        let EventView::BookDelta(delta) = diff[1].view() else {
            panic!("a delta")
        };
        assert_eq!(delta.update_id, bench.venue.id);
    }
}

#[test]
fn a_gap_is_told_with_both_ids_and_mended_by_a_newer_snapshot() {
    for market in [Market::Spot, Market::UsdM] {
        let mut bench = Bench::new(market);
        bench.sync();
        let old_body = bench.venue.snapshot();
        let before = bench.venue.id;
        bench.venue.diff();
        let lost = bench.venue.id;
        bench.take();
        bench.diff();
        let (expected, received) = match market {
            Market::Spot => (before + 1, lost + 1),
            Market::UsdM => (before, lost),
        };
        let stale = (
            0,
            BookState::Stale as u8,
            BookStateReason::Gap as u64,
            expected,
            received,
        );
        let events = bench.take();
        assert_eq!((events.len(), Bench::states(&events)), (1, vec![stale]));

        assert_eq!(bench.feed.wants_snapshot(), Some(BTC));
        assert_eq!(bench.feed.wants_snapshot(), None, "told once");
        bench.snapshot(&old_body);
        assert_eq!(bench.feed.wants_snapshot(), Some(BTC), "it was too old");
        bench.snapshot("{\"code\":-1003,\"msg\":\"Too many requests\"}");
        assert_eq!(bench.feed.wants_snapshot(), Some(BTC), "it was none");
        bench.diff();
        assert!(bench.take().is_empty(), "nothing is emitted while stale");
        let body = bench.venue.snapshot();
        bench.diff();
        bench.snapshot(&body);
        let events = bench.take();
        same_book(&events, &bench.venue);
        let stats = bench.feed.stats();
        assert_eq!((stats.gaps, stats.syncs, stats.resyncs), (1, 2, 1));
        assert_eq!(
            (stats.snapshots_too_old, stats.errors, stats.books_live),
            (1, 1, 1)
        );
    }
}

#[test]
fn an_undecodable_frame_takes_the_book_it_is_about() {
    let mut bench = Bench::new(Market::UsdM);
    bench.sync();
    bench.take();
    let undecodable = |id: u16| {
        let (state, reason) = (BookState::Stale as u8, BookStateReason::Undecodable as u64);
        (id, state, reason, 0, 0)
    };
    bench.frame(r#"{"stream":"ethusdt@trade","data":{"e":"trade","p":"#);
    let events = bench.take();
    assert_eq!(Bench::states(&events), [undecodable(ETH.0)]);
    assert!(bench.feed.is_live(BTC));
    bench.frame("garbage");
    let events = bench.take();
    assert_eq!(
        Bench::states(&events),
        [undecodable(BTC.0)],
        "the other one was stale already"
    );
    bench.sync();
    let events = bench.take();
    same_book(&events, &bench.venue);
    assert_eq!(bench.feed.stats().errors, 2);
}

#[test]
fn ids_that_run_backwards_within_a_diff_are_damage() {
    let mut bench = Bench::new(Market::Spot);
    bench.sync();
    bench.take();
    let id = bench.venue.id;
    bench.frame(&format!(
        r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":{},"u":{id},"b":[],"a":[]}}}}"#,
        id + 1
    ));
    assert_eq!(Bench::states(&bench.take()).len(), 1);
    assert_eq!(bench.feed.stats().books_stale, 1);
}

#[test]
fn a_diff_without_levels_moves_the_id_on() {
    for (market, previous) in [(Market::Spot, ""), (Market::UsdM, "\"pu\":PREVIOUS,")] {
        let mut bench = Bench::new(market);
        bench.sync();
        bench.take();
        let id = bench.venue.id;
        let previous = previous.replace("PREVIOUS", &id.to_string());
        let (first, last) = (id + 1, id + 5);
        let time = if market == Market::UsdM {
            "\"T\":1,"
        } else {
            ""
        };
        bench.frame(&format!(
            r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1,{time}"s":"BTCUSDT","U":{first},"u":{last},{previous}"b":[],"a":[]}}}}"#
        ));
        bench.venue.id = last;
        assert!(bench.take().is_empty());
        bench.diff();
        assert!(bench.feed.is_live(BTC), "{market:?}");
        assert_eq!(bench.feed.stats().gaps, 0);
        assert_eq!(bench.market, market);
    }
}

#[test]
fn other_messages_are_counted_or_passed_on() {
    let mut bench = Bench::new(Market::Spot);
    bench.frame(r#"{"result":null,"id":1}"#);
    bench.frame(r#"{"code":2,"msg":"Invalid request"}"#);
    bench.frame(r#"{"stream":"xyzusdt@bookTicker","data":{"u":1,"s":"XYZUSDT","b":"1.0","B":"1.0","a":"2.0","A":"1.0"}}"#);
    assert!(!bench.feed.is_shutdown_announced());
    bench.frame(r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1760000000123}}"#);
    assert!(bench.feed.is_shutdown_announced());
    let stats = bench.feed.stats();
    assert_eq!(
        (
            stats.frames,
            stats.errors,
            stats.unknown,
            stats.venue_errors
        ),
        (4, 0, 1, 1)
    );
    let ticker = bench.venue.ticker();
    bench.take();
    bench.frame(&ticker);
    let events = bench.take();
    assert_eq!((events.len(), events[0].kind), (1, EventKind::Bbo as u8));
    assert!(events[0].has(flags::LAST | flags::TS_MISSING));
}

#[test]
fn a_run_that_stops_is_passed_on() {
    let mut bench = Bench::new(Market::Spot);
    bench.sink.stops_at = Some(1);
    let frame = bench.venue.diff();
    let outcome = bench.feed.on_frame(frame.as_bytes(), 1, &mut bench.sink);
    assert_eq!(outcome, Err(Stopped));
}

#[test]
fn a_feed_needs_instruments_of_its_venue() {
    let error = Feed::new(Market::Spot, &table(Market::UsdM), 0).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("binance-spot: has no instrument"),
        "{error}"
    );
    let unknown = Feed::with_instruments(Market::Spot, &table(Market::Spot), &[InstrumentId(9)], 0);
    assert!(unknown.unwrap_err().to_string().contains("instrument 9"));
}

#[test]
fn a_message_says_how_long_its_decoding_took_on_every_event_of_it() {
    let mut bench = Bench::new(Market::Spot);
    // `on_frame` is told 77 as the moment of reading, `on_snapshot` 78.
    bench.sink.stamp_ns = Some(77 + 500);
    bench.sync();
    let ticker = bench.venue.ticker();
    bench.frame(&ticker);
    let (mut deltas, mut bbos) = (0, 0);
    for event in bench.take() {
        let kind = EventKind::from_code(event.kind).unwrap();
        let expected = match kind {
            EventKind::BookDelta | EventKind::Bbo => Some(event.decode_code),
            _ => None,
        };
        match expected.and_then(decode_ns) {
            Some(elapsed_ns) => assert!((484..=516).contains(&elapsed_ns), "{elapsed_ns}"),
            None => assert_eq!(event.decode_code, DECODE_CODE_NONE, "{kind:?}"),
        }
        deltas += usize::from(kind == EventKind::BookDelta);
        bbos += usize::from(kind == EventKind::Bbo);
        assert_ne!(expected, Some(DECODE_CODE_NONE), "{kind:?}");
    }
    assert!(deltas > 1 && bbos == 1);
}

#[test]
fn without_a_clock_for_stamps_nothing_is_stamped() {
    let mut bench = Bench::new(Market::Spot);
    bench.sync();
    let events = bench.take();
    assert!(
        events
            .iter()
            .all(|event| event.decode_code == DECODE_CODE_NONE)
    );
}

#[test]
fn a_mark_price_is_an_event_and_one_without_funding_is_none() {
    let mut bench = Bench::new(Market::UsdM);
    bench.sync();
    bench.take();
    let frame = |rate: &str, next_ms: u64| {
        format!(
            r#"{{"stream":"ethusdt@markPrice@1s","data":{{"e":"markPriceUpdate","E":1760000001000,"s":"ETHUSDT","p":"2650.12500000","i":"2649.00000000","P":"2640.5","r":"{rate}","T":{next_ms}}}}}"#
        )
    };
    bench.frame(&frame("-0.00012345", 1_760_025_600_000));
    let events = bench.take();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].check(), Ok(()));
    assert_eq!((events[0].instrument_id(), events[0].source), (ETH, 3));
    let stamps = (events[0].ts_venue_ns, events[0].ts_ingress_ns);
    assert_eq!(stamps, (1_760_000_001_000_000_000, 77));
    let EventView::MarkFunding(announced) = events[0].view() else {
        panic!("{:?}", events[0]);
    };
    assert_eq!(announced.mark_price, 265_013, "rounded half up");
    assert_eq!(announced.index_price, 264_900);
    assert_eq!(announced.rate, -123_450_000);
    assert_eq!(announced.ts_next_ns, 1_760_025_600_000_000_000);
    bench.frame(&frame("", 0));
    assert!(bench.take().is_empty());
    let stats = bench.feed.stats();
    assert_eq!((stats.errors, stats.unknown, stats.fallbacks), (0, 0, 0));
}
