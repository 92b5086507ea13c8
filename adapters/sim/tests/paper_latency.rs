//! A paper venue whose latencies come from a fitted model: distribution, repetition, refusals.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod common;

use std::collections::BTreeMap;

use acth_core::{event::EventKind, event::Side, port::EventSource};
use acth_sim::paper::{
    FittedFrom, LATENCY_MODEL_FORMAT, LatencyModel, PaperConfig, Split, VenueLatency, channel,
};
use common::*;

fn model(venue: &str) -> LatencyModel {
    let table = VenueLatency {
        samples: 1_000,
        split: Split::Measured,
        order_ns: vec![1_000, 3_000, 11_000],
        report_ns: vec![500, 500, 500],
        feed_samples: 0,
        feed_ns: Vec::new(),
    };
    LatencyModel {
        format: LATENCY_MODEL_FORMAT,
        percent: vec![0.0, 50.0, 100.0],
        fitted_from: FittedFrom::default(),
        venues: BTreeMap::from([(venue.to_owned(), table)]),
    }
}

fn venue_name() -> String {
    instruments().rows()[0].venue.clone()
}

/// Times from decision to execution and from there to the report, of orders that are far apart in time.
fn latencies(seed: u64) -> Vec<(i64, i64)> {
    let mut bench = Bench::with_book();
    let (commands, state) = channel(PaperConfig::default(), &instruments());
    let state = state
        .with_latency_model(&model(&venue_name()), seed)
        .unwrap();
    bench.commands = commands;
    bench.venue = acth_sim::paper::PaperVenue::new(Scripted::default(), state);
    let mut found = Vec::new();
    for index in 1..=4_000 {
        // Without a live book it is refused: a report like any other.
        let decided_ns = index * 1_000_000;
        bench.submit(decided_ns, order(index as u64, Side::Bid, 9_000, 100));
        bench.sink.events.clear();
        bench.venue.inner_mut().events.push_back(bbo(
            decided_ns + 500_000,
            (10_000, 300),
            (10_010, 200),
        ));
        bench.venue.poll(&mut bench.sink).unwrap();
        let report = bench.sink.events[0];
        assert_eq!(report.kind, EventKind::OrderRejected as u8);
        found.push((
            report.ts_venue_ns - decided_ns,
            report.ts_ingress_ns - report.ts_venue_ns,
        ));
    }
    found
}

#[test]
fn draws_have_the_quantiles_of_the_model() {
    let mut found = latencies(7);
    assert!(found.iter().all(|(_, report_ns)| *report_ns == 500));
    found.sort_unstable();
    let at = |share: f64| found[(share * found.len() as f64) as usize].0 as f64;
    // Linear from 1,000 to 3,000 and on to 11,000; a sample quantile of 4,000 is off by some 3 % of the local width.
    for (share, expected) in [
        (0.25, 2_000.0),
        (0.5, 3_000.0),
        (0.75, 7_000.0),
        (0.95, 10_200.0),
    ] {
        let found = at(share);
        assert!(
            (found / expected - 1.0).abs() < 0.06,
            "{share}: {found}, not {expected}"
        );
    }
    let (first, last) = (found[0].0, found[found.len() - 1].0);
    assert!((1_000..1_020).contains(&first) && (10_900..11_000).contains(&last));
}

#[test]
fn one_seed_gives_one_sequence_of_draws() {
    assert_eq!(latencies(7), latencies(7));
    assert_ne!(latencies(7), latencies(8));
}

#[test]
fn what_does_not_fit_is_refused_with_its_key() {
    let change = |change: &dyn Fn(&mut LatencyModel)| {
        let mut model = model(&venue_name());
        change(&mut model);
        let (_, state) = channel(PaperConfig::default(), &instruments());
        state.with_latency_model(&model, 7).unwrap_err().to_string()
    };
    let name = venue_name();
    let venue = |model: &mut LatencyModel| model.venues.get_mut(&venue_name()).unwrap().clone();
    assert_eq!(
        change(&|model| model.format = 9),
        "format: 9 is not the format that this program reads, 1"
    );
    assert_eq!(
        change(&|model| model.percent = vec![0.0]),
        "percent: 1 values; expected from 2 to 1000"
    );
    assert_eq!(
        change(&|model| model.percent = vec![0.0, 50.0, 99.0]),
        "percent: expected to begin with 0 and to end with 100"
    );
    assert_eq!(
        change(&|model| model.percent = vec![0.0, 0.0, 100.0]),
        "percent: 0 after 0; expected rising values"
    );
    assert_eq!(
        change(&|model| model.percent = vec![0.0, f64::NAN, 100.0]),
        "percent: NaN is not between 0 and 100"
    );
    let with = |change_it: &dyn Fn(&mut VenueLatency)| {
        change(&|model| {
            let mut changed = venue(model);
            change_it(&mut changed);
            model.venues.insert(venue_name(), changed);
        })
    };
    assert_eq!(
        with(&|venue| venue.order_ns = vec![1, 2]),
        format!("venues.{name}.order_ns: 2 values; expected 3, one for each of `percent`")
    );
    assert_eq!(
        with(&|venue| venue.report_ns = vec![1, 3, 2]),
        format!("venues.{name}.report_ns: 2 after 3; quantiles never fall")
    );
    assert_eq!(
        with(&|venue| venue.order_ns = vec![-1, 3, 4]),
        format!("venues.{name}.order_ns: -1 ns is not between 0 and one minute")
    );
    assert_eq!(
        change(&|model| *model = self::model("elsewhere")),
        format!("venues: there is no {name}, which is traded; there is: elsewhere")
    );
}
