//! Every recorded frame through the scanner and through the general parser: equal messages, nothing left over.

#![allow(clippy::unwrap_used)]

mod common;

use acth_wire::binance::{Decoder, Market, Message};
use common::{decoder, frames_2021, frames_2024, sample_decoder, samples, text_of};

/// How many messages of each kind were seen.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    depths: usize,
    bbos: usize,
    trades: usize,
    marks: usize,
    snapshots: usize,
    ignored: usize,
}

/// Decodes every frame both ways, asserts equality, and counts.
fn compare(mut scanner: Decoder, mut oracle: Decoder, frames: &[&str]) -> (Counts, Decoder) {
    let mut counts = Counts::default();
    for frame in frames {
        let expected = oracle.decode_with_oracle(frame.as_bytes());
        let found = scanner.decode(frame.as_bytes());
        assert_eq!(found, expected, "{frame}");
        match found.unwrap() {
            Message::Depth(_) => counts.depths += 1,
            Message::Bbo { .. } => counts.bbos += 1,
            Message::Trade { .. } => counts.trades += 1,
            Message::MarkFunding { .. } => counts.marks += 1,
            Message::Snapshot(_) => counts.snapshots += 1,
            Message::Ignored => counts.ignored += 1,
            other => panic!("unexpected {other:?} from {frame}"),
        }
    }
    let stats = scanner.stats();
    assert_eq!(stats.frames, frames.len() as u64);
    assert_eq!((stats.fallbacks, stats.unknown, stats.errors), (0, 0, 0));
    (counts, scanner)
}

/// Counts of `name`, or none when the recordings are not here.
fn capture_2024(name: &str, market: Market, row: (&str, u8, u8)) -> Option<Counts> {
    let text = text_of(name)?;
    let frames = frames_2024(&text);
    let both = || decoder(market, &[row]);
    Some(compare(both(), both(), &frames).0)
}

fn counts(depths: usize, bbos: usize, trades: usize, snapshots: usize) -> Counts {
    Counts {
        depths,
        bbos,
        trades,
        marks: 0,
        snapshots,
        ignored: 0,
    }
}

#[test]
fn spot_btcusdt_2024() {
    let found = capture_2024("spot/btcusdt_20240808.gz", Market::Spot, ("BTCUSDT", 2, 8));
    assert!(found.is_none_or(|found| found == counts(3_451, 28_040, 9_757, 1)));
}

#[test]
fn spot_ethusdt_2024() {
    let found = capture_2024("spot/ethusdt_20240808.gz", Market::Spot, ("ETHUSDT", 2, 8));
    assert!(found.is_none_or(|found| found == counts(3_434, 24_077, 6_106, 1)));
}

#[test]
fn usdm_btcusdt_2024() {
    let found = capture_2024("usdm/btcusdt_20240808.gz", Market::UsdM, ("BTCUSDT", 2, 3));
    assert!(found.is_none_or(|found| found == counts(6_551, 66_089, 21_313, 1)));
}

#[test]
fn usdm_ethusdt_2024() {
    let found = capture_2024("usdm/ethusdt_20240808.gz", Market::UsdM, ("ETHUSDT", 2, 3));
    assert!(found.is_none_or(|found| found == counts(6_586, 53_992, 14_076, 1)));
}

/// Some orders rest from the time before the venue made its quantity step coarser: they need more places than the step.
/// Rounding them would be silent, so at the step's exponent their frames are errors.
#[test]
fn spot_quantities_finer_than_the_step_are_refused() {
    let Some(text) = text_of("spot/btcusdt_20240808.gz") else {
        return;
    };
    let mut decoder = decoder(Market::Spot, &[("BTCUSDT", 2, 5)]);
    let mut failures = Vec::new();
    for frame in frames_2024(&text) {
        if let Err(error) = decoder.decode(frame.as_bytes()) {
            failures.push(error.to_string());
        }
    }
    assert_eq!(failures.len(), 3);
    let excess = |text: &String| text.contains("expected at most 5 decimal places");
    assert!(failures.iter().all(excess), "{failures:?}");
    assert_eq!(decoder.stats().errors, 3);
}

#[test]
fn spot_2021() {
    let Some(text) = text_of("spot_2021/ws.txt") else {
        return;
    };
    let rows = [
        ("NKNUSDT", 4, 0),
        ("LRCBTC", 8, 0),
        ("BLZETH", 8, 0),
        ("RUNEEUR", 3, 3),
    ];
    let both = || decoder(Market::Spot, &rows);
    let (found, _) = compare(both(), both(), &frames_2021(&text));
    let expected = Counts {
        depths: 177,
        bbos: 84,
        trades: 2,
        marks: 0,
        snapshots: 0,
        ignored: 2,
    };
    assert_eq!(found, expected);
}

#[test]
fn usdm_2021() {
    let Some(text) = text_of("usdm_2021/ws.txt") else {
        return;
    };
    let rows = [
        ("SUSHIUSDT", 4, 0),
        ("AKROUSDT", 5, 0),
        ("KEEPUSDT", 4, 0),
        ("CTKUSDT", 5, 0),
    ];
    let both = || decoder(Market::UsdM, &rows);
    let (found, _) = compare(both(), both(), &frames_2021(&text));
    let expected = Counts {
        depths: 764,
        bbos: 613,
        trades: 91,
        marks: 0,
        snapshots: 0,
        ignored: 67,
    };
    assert_eq!(found, expected);
}

#[test]
fn every_known_shape_is_scanned_without_fallback() {
    for market in [Market::Spot, Market::UsdM] {
        let both = || sample_decoder(market);
        compare(both(), both(), samples(market));
    }
}
