//! Funding at the paper venue: every perpetual, at every funding time, once; whatever brings time forward.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod common;

use acth_core::{
    event::{BookState, Event, EventKind, EventView, MarkFunding},
    instrument::{Contract, Instrument, InstrumentId, Instruments},
    port::{EventSource, Progress},
};
use acth_sim::paper::{PaperConfig, PaperVenue, channel};
use common::{Recording, Scripted, book_state, instruments};

const RATE: i64 = 100_000_000;
const INTERVAL_NS: i64 = 1_000;
const REPORT_NS: i64 = 5;

/// A spot instrument and two perpetuals, charged every 1,000 ns.
fn venue(rate: i64) -> (PaperVenue<Scripted>, Recording) {
    let spot = instruments().rows()[0].clone();
    let row = |symbol: &str, contract| Instrument {
        symbol: symbol.to_owned(),
        contract,
        ..spot.clone()
    };
    let rows = vec![
        row("SPOT", Contract::Spot),
        row("ONE", Contract::Perpetual),
        row("DATED", Contract::Future),
        row("TWO", Contract::Perpetual),
    ];
    let config = PaperConfig {
        report_latency_ns: REPORT_NS,
        funding_rate: rate,
        funding_interval_ns: INTERVAL_NS,
        ..PaperConfig::default()
    };
    let (_, state) = channel(config, &Instruments::new(rows).unwrap());
    (
        PaperVenue::new(Scripted::default(), state),
        Recording::default(),
    )
}

fn announcement(ts_ns: i64, id: u16, rate: i64, mark_price: i64, ts_next_ns: i64) -> Event {
    let body = MarkFunding {
        mark_price,
        rate,
        ts_next_ns,
        ..MarkFunding::default()
    };
    Event::new(EventKind::MarkFunding, InstrumentId(id))
        .with_body(&body)
        .at(ts_ns, ts_ns)
}

/// Instrument, venue time and rate of every funding.
fn charged(events: &[Event]) -> Vec<(u16, i64, i64)> {
    let found = events.iter().filter_map(|event| match event.view() {
        EventView::FundingSettled(settled) => {
            assert_eq!(settled.price, 0, "our own mark");
            Some((event.instrument, event.ts_venue_ns, settled.rate))
        }
        _ => None,
    });
    found.collect()
}

#[test]
fn every_perpetual_is_charged_once_at_every_funding_time() {
    let (mut venue, mut sink) = venue(RATE);
    for ts_ns in [2_000, 2_999, 3_004, 3_500, 5_100] {
        let event = book_state(ts_ns, BookState::Live);
        venue.inner_mut().events.push_back(event);
        venue.poll(&mut sink).unwrap();
    }
    // The first moment is a funding time that the venue was not there for; the report of 3,000 is due at 3,005.
    let at = |ts_ns| [(1, ts_ns, RATE), (3, ts_ns, RATE)];
    let expected = [at(3_000), at(4_000), at(5_000)].concat();
    assert_eq!(charged(&sink.events), expected);
    let times: Vec<i64> = sink
        .events
        .iter()
        .map(|event| event.ts_ingress_ns)
        .collect();
    assert_eq!(
        times,
        [
            2_000, 2_999, 3_004, 3_005, 3_005, 3_500, 4_005, 4_005, 5_005, 5_005, 5_100
        ]
    );
    // Time that passes without events, and twice the same moment.
    sink.now_ns = 6_010;
    while venue.poll(&mut sink).unwrap() == Progress::Busy {}
    assert_eq!(venue.poll(&mut sink).unwrap(), Progress::Idle);
    assert_eq!(charged(&sink.events)[6..], at(6_000));
    // The end charges nothing that has not come, however often it is asked.
    while venue.drain(&mut sink).unwrap() == Progress::Busy {}
    assert_eq!(charged(&sink.events).len(), 8);
}

#[test]
fn without_a_rate_nothing_is_charged() {
    let (mut venue, mut sink) = venue(0);
    for now_ns in [500, 1_500, 9_999] {
        sink.now_ns = now_ns;
        venue.poll(&mut sink).unwrap();
    }
    assert!(sink.events.is_empty());
    venue.drain(&mut sink).unwrap();
    assert!(sink.events.is_empty());
}

/// By the market data: at the announced time, at the last rate and mark price announced before it, once; the configured rate goes on
/// for the perpetual of which nothing was announced.
#[test]
fn what_was_announced_is_charged_in_place_of_the_configured_rate() {
    let (mut venue, mut sink) = venue(RATE);
    for event in [
        announcement(2_100, 1, 7, 700, 3_400),
        announcement(2_200, 1, -8, 800, 3_400),
        // Of a spot instrument nothing is charged, whatever is said.
        announcement(2_200, 0, 5, 500, 3_400),
        book_state(3_399, BookState::Live),
        // The time has come when this is said.
        announcement(3_400, 1, 9, 900, 3_400),
        announcement(3_500, 1, 10, 1_000, 5_500),
        book_state(4_600, BookState::Live),
    ] {
        venue.inner_mut().events.push_back(event);
        venue.poll(&mut sink).unwrap();
    }
    let charged: Vec<_> = sink
        .events
        .iter()
        .filter_map(|event| match event.view() {
            EventView::FundingSettled(settled) => Some((
                event.instrument,
                event.ts_venue_ns,
                settled.rate,
                settled.price,
            )),
            _ => None,
        })
        .collect();
    let expected = [
        (3, 3_000, RATE, 0),
        (1, 3_400, -8, 800),
        (3, 4_000, RATE, 0),
    ];
    assert_eq!(charged, expected);
}
