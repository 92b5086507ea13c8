//! Damaged and unusual recordings: one error that names file and line, after everything before it was played.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

mod support;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use acth_core::{
    event::{BookStateReason, Event, EventKind, EventView},
    instrument::Instruments,
    port::{EventSource, PortError, Progress},
};
use acth_venues::{
    binance::{Market, catalogue},
    capture::{CaptureSource, CaptureSpec, Pace, identify},
};
use flate2::{Compression, write::GzEncoder};
use support::Collector;
use tempfile::TempDir;

fn ticker(ts_ns: i64, id: u64, price: &str) -> String {
    format!(
        r#"{ts_ns} {{"stream":"btcusdt@bookTicker","data":{{"u":{id},"s":"BTCUSDT","b":"{price}","B":"1.00000000","a":"70000.00000000","A":"2.00000000"}}}}"#
    )
}

fn depth(ts_ns: i64, first: u64, last: u64) -> String {
    format!(
        r#"{ts_ns} {{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":{first},"u":{last},"b":[["100.00000000","1.00000000"]],"a":[]}}}}"#
    )
}

fn snapshot(ts_ns: i64, id: u64) -> String {
    format!(
        r#"{ts_ns} {{"lastUpdateId":{id},"bids":[["99.00","1.0"],["98.00","1.0"],["97.00","2.0"]],"asks":[["101.00","1.0"]]}}"#
    )
}

fn write(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn table() -> Instruments {
    let rows = [Market::Spot, Market::UsdM].map(|market| catalogue::built_in(market, "BTCUSDT"));
    Instruments::new(rows.into_iter().flatten().collect()).unwrap()
}

/// Plays to the end; what came out, and how it ended.
fn play(paths: &[&Path]) -> (Vec<Event>, CaptureSource, Result<(), PortError>) {
    let specs: Vec<CaptureSpec> = paths
        .iter()
        .map(|path| CaptureSpec::parse(&format!("spot:{}", path.display())))
        .collect();
    let mut source = CaptureSource::open(&specs, &table(), Pace::FlatOut, 0).unwrap();
    let mut sink = Collector::default();
    let outcome = loop {
        match source.poll(&mut sink) {
            Ok(Progress::Ended) => break Ok(()),
            Ok(_) => {}
            Err(error) => {
                let again = source.poll(&mut sink).unwrap_err();
                assert_eq!(again, error, "it cannot go on");
                break Err(error);
            }
        }
    };
    (sink.events, source, outcome)
}

fn bbo_ids(events: &[Event]) -> Vec<u64> {
    let ids = events.iter().filter_map(|event| match event.view() {
        EventView::Bbo(bbo) => Some(bbo.update_id),
        _ => None,
    });
    ids.collect()
}

#[test]
fn each_kind_of_damage_names_its_line_and_comes_last() {
    let folder = TempDir::new().unwrap();
    let good = [ticker(10, 1, "60000.00"), ticker(20, 2, "60001.00")].join("\n");
    let cases: [(&str, String, &str); 7] = [
        ("garbage", format!("{good}\nhello\n"), "no receive time"),
        ("letters", format!("{good}\n12x4 {{}}\n"), "no time"),
        ("negative", format!("{good}\n-5 {{}}\n"), "no time"),
        (
            "huge",
            format!("{good}\n99999999999999999999 {{}}\n"),
            "no time",
        ),
        ("empty", format!("{good}\n\n{good}\n"), "no receive time"),
        (
            "back",
            format!("{good}\n{}\n", ticker(19, 3, "1.00")),
            "goes back in time",
        ),
        (
            "cut",
            format!("{good}\n{}", &ticker(30, 3, "1.00")[..80]),
            "cut off",
        ),
    ];
    for (name, text, cause) in cases {
        for (kind, bytes) in [("txt", text.clone().into_bytes()), ("gz", gzip(&text))] {
            let path = write(&folder, &format!("{name}.{kind}"), &bytes);
            let (events, source, outcome) = play(&[&path]);
            let error = outcome.expect_err(name);
            assert_eq!(error.place, format!("{}:3", path.display()), "{name}");
            assert!(error.cause.contains(cause), "{name}: {error}");
            assert_eq!(bbo_ids(&events), [1, 2], "{name}");
            assert_eq!(source.stats().lines, 2, "{name}");
        }
    }
}

#[test]
fn a_cut_gzip_file_plays_what_is_whole() {
    let folder = TempDir::new().unwrap();
    // Prices without a pattern, so that the packed text is long enough to cut in the middle.
    let mut price = 12_345u64;
    let lines: Vec<String> = (1..=4_000)
        .map(|id| {
            price = price
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ticker(id as i64, id, &format!("{}.00", price >> 50))
        })
        .collect();
    let packed = gzip(&format!("{}\n", lines.join("\n")));
    let path = write(&folder, "cut.gz", &packed[..packed.len() / 2]);
    let (events, source, outcome) = play(&[&path]);
    let error = outcome.expect_err("the file is cut");
    let played = source.stats().lines;
    assert!((100..4_000).contains(&played), "{played}");
    assert_eq!(error.place, format!("{}:{}", path.display(), played + 1));
    assert!(error.cause.contains("intact gzip"), "{error}");
    assert_eq!(bbo_ids(&events), (1..=played).collect::<Vec<_>>());

    let mut flipped = packed.clone();
    let last = flipped.len() - 5;
    flipped[last] ^= 1;
    let path = write(&folder, "flipped.gz", &flipped);
    let (events, _, outcome) = play(&[&path]);
    assert!(outcome.is_err(), "the checksum at the end does not fit");
    assert_eq!(bbo_ids(&events).len(), 4_000);
}

#[test]
fn a_whole_last_line_without_line_end_is_played() {
    let folder = TempDir::new().unwrap();
    let text = format!("{}\r\n{}", ticker(10, 1, "1.00"), ticker(10, 2, "1.00"));
    let path = write(&folder, "open.txt", text.as_bytes());
    let (events, _, outcome) = play(&[&path]);
    outcome.unwrap();
    assert_eq!(bbo_ids(&events), [1, 2]);
}

#[test]
fn damage_in_one_file_waits_for_earlier_lines_of_the_others() {
    let folder = TempDir::new().unwrap();
    let broken = format!("{}\nbroken\n", ticker(20, 1, "1.00"));
    let whole: Vec<String> = [(10, 2), (20, 3), (21, 4)]
        .map(|(ts, id)| ticker(ts, id, "1.00"))
        .into();
    let broken = write(&folder, "broken.txt", broken.as_bytes());
    let whole = write(
        &folder,
        "whole.txt",
        format!("{}\n", whole.join("\n")).as_bytes(),
    );
    let (events, _, outcome) = play(&[&whole, &broken]);
    assert!(outcome.is_err());
    assert_eq!(
        bbo_ids(&events),
        [2, 3, 1],
        "ties go to the file named first"
    );
}

#[test]
fn an_undecodable_line_is_counted_and_its_book_is_stale() {
    let folder = TempDir::new().unwrap();
    let lines = [
        depth(10, 100, 105),
        snapshot(20, 104),
        depth(30, 106, 107),
        r#"40 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","#.to_owned(),
        depth(50, 108, 109),
        depth(60, 111, 112),
    ];
    let path = write(
        &folder,
        "bad.txt",
        format!("{}\n", lines.join("\n")).as_bytes(),
    );
    let (events, source, outcome) = play(&[&path]);
    outcome.unwrap();
    let stats = source.stats();
    assert_eq!(
        (stats.lines, stats.feeds.errors, stats.feeds.gaps),
        (6, 1, 1)
    );
    assert_eq!(
        (
            stats.feeds.syncs,
            stats.feeds.books_stale,
            stats.feeds.books_live
        ),
        (1, 1, 0)
    );
    let reasons: Vec<u64> = events
        .iter()
        .filter_map(|event| match event.view() {
            EventView::BookStateChanged(change) => Some(change.reason),
            _ => None,
        })
        .collect();
    let expected = [
        BookStateReason::Start,
        BookStateReason::Synced,
        BookStateReason::Undecodable,
        BookStateReason::Gap,
    ];
    assert_eq!(reasons, expected.map(|reason| reason as u64));
    let deltas = |event: &&Event| event.kind == EventKind::BookDelta as u8;
    assert_eq!(
        events.iter().filter(deltas).count(),
        4,
        "2 of the snapshot, 2 diffs, none stale"
    );
}

#[test]
fn files_that_are_no_recordings_are_refused_at_once() {
    let folder = TempDir::new().unwrap();
    let refused = |path: &Path| {
        let spec = CaptureSpec::parse(path.to_str().unwrap());
        CaptureSource::open(&[spec], &table(), Pace::FlatOut, 0)
            .unwrap_err()
            .to_string()
    };
    let missing = refused(&folder.path().join("none.gz"));
    assert!(missing.contains("none.gz: cannot be read"), "{missing}");
    assert!(refused(folder.path()).contains("folder"));
    let empty = refused(&write(&folder, "empty.txt", b""));
    assert!(empty.contains("do not tell its market"), "{empty}");
    let text = ticker(1, 1, "1.00")
        .replace("BTC", "XYZ")
        .replace("btc", "xyz");
    let other = refused(&write(&folder, "other.txt", text.as_bytes()));
    assert!(
        other.contains("binance-spot:XYZUSDT, which is no instrument"),
        "{other}"
    );
    let binary = refused(&write(&folder, "binary.gz", &[0x1f, 0x8b, 1, 2, 3]));
    assert!(binary.contains("binary.gz:1"), "{binary}");
}

#[test]
fn unknown_symbols_get_their_decimals_from_the_file() {
    let folder = TempDir::new().unwrap();
    let text = format!("{}\n{}\n", ticker(1, 1, "0.01250"), depth(2, 1, 2))
        .replace("BTC", "XYZ")
        .replace("btc", "xyz");
    let path = write(&folder, "xyz.txt", text.as_bytes());
    let spec = CaptureSpec::of_frames(path, None);
    assert_eq!(identify(&spec).unwrap().market, Market::Spot);
    let known = catalogue::for_captures(&[spec.clone(), spec], &[]).unwrap();
    assert_eq!(known.notes.len(), 1);
    assert!(known.notes[0].contains("XYZUSDT"), "{:?}", known.notes);
    let row = &known.instruments.rows()[0];
    assert_eq!(
        (
            row.price_exponent,
            row.quantity_exponent,
            known.instruments.count()
        ),
        (4, 0, 1)
    );
    assert_eq!(
        (row.base.as_str(), row.quote.as_str(), row.maker_fee_ppm),
        ("XYZ", "USDT", 1_000)
    );
}

#[test]
fn a_paced_recording_waits_for_its_clock() {
    let folder = TempDir::new().unwrap();
    let lines = [
        ticker(1_000, 1, "1.00"),
        ticker(1_500, 2, "1.00"),
        ticker(3_000, 3, "1.00"),
    ];
    let path = write(
        &folder,
        "paced.txt",
        format!("{}\n", lines.join("\n")).as_bytes(),
    );
    let spec = CaptureSpec::parse(&format!("spot:{}", path.display()));
    let clock = Arc::new(AtomicI64::new(0));
    let hand = Arc::clone(&clock);
    let mut source = CaptureSource::open(&[spec], &table(), Pace::Times(2.0), 0)
        .unwrap()
        .paced_by(move || hand.load(Ordering::Relaxed));
    let mut sink = Collector::default();
    let mut at = |now_ns: i64| {
        clock.store(now_ns, Ordering::Relaxed);
        let progress = source.poll(&mut sink).unwrap();
        (progress, bbo_ids(&sink.events).len())
    };
    assert_eq!(at(70_000), (Progress::Busy, 1));
    assert_eq!(at(70_249), (Progress::Idle, 1));
    assert_eq!(at(70_250), (Progress::Busy, 2));
    assert_eq!(at(70_999), (Progress::Idle, 2));
    assert_eq!(at(71_000), (Progress::Busy, 3));
    assert_eq!(at(71_000), (Progress::Ended, 3));
    let stamps = sink
        .events
        .iter()
        .filter(|event| event.kind == EventKind::Bbo as u8);
    let stamps: Vec<i64> = stamps.map(|event| event.ts_ingress_ns).collect();
    assert_eq!(
        stamps,
        [1_000, 1_500, 3_000],
        "recorded times at every pace"
    );
}

#[test]
fn a_run_that_stops_ends_the_source() {
    let folder = TempDir::new().unwrap();
    let path = write(
        &folder,
        "stop.txt",
        format!("{}\n", ticker(1, 1, "1.00")).as_bytes(),
    );
    let spec = CaptureSpec::parse(&format!("spot:{}", path.display()));
    let mut source = CaptureSource::open(&[spec], &table(), Pace::FlatOut, 0).unwrap();
    let mut sink = Collector {
        stops_at: Some(1),
        ..Collector::default()
    };
    assert_eq!(source.poll(&mut sink), Ok(Progress::Ended));
}
