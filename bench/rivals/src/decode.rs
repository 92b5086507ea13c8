//! Every frame of the recordings decoded: our scanner, and three general parsers into typed structures, pass by pass in turn.
//!
//! All make the same numbers, prices and quantities as integers, and add them up; the sums must be equal.

mod typed;

use std::{
    fmt,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    time::{Duration, Instant},
};

use acth_core::{event::Level, instrument::InstrumentId};
use acth_wire::binance::{Decoder, Market, Message, Symbol, Symbols};
use flate2::read::MultiGzDecoder;
use serde::Serialize;

use crate::{Failure, ours, times::Times};

/// What is decoded.
struct Frames {
    frames: Vec<Vec<u8>>,
    bytes: usize,
}

impl Frames {
    /// Stream frames of the recordings; the REST snapshots among them are left out.
    fn read(data: &Path) -> Result<Self, Failure> {
        let files = ours::recordings(data)
            .ok_or_else(|| format!("{}: no recordings there", data.display()))?;
        let mut frames = Vec::new();
        for file in files {
            for line in BufReader::new(MultiGzDecoder::new(File::open(file)?)).lines() {
                let line = line?;
                let frame = line.split_once(' ').map_or("", |(_, frame)| frame);
                if frame.starts_with("{\"stream\"") {
                    frames.push(frame.trim().as_bytes().to_vec());
                }
            }
        }
        let bytes = frames.iter().map(Vec::len).sum();
        Ok(Self { frames, bytes })
    }

    /// Time of one pass, and the sum of what was decoded.
    fn pass(&self, mut decode: impl FnMut(&[u8]) -> Result<i64, Failure>) -> Result<Pass, Failure> {
        let start = Instant::now();
        let mut sum = 0i64;
        for frame in &self.frames {
            sum = sum.wrapping_add(decode(frame)?);
        }
        Ok(Pass {
            elapsed: start.elapsed(),
            sum,
        })
    }
}

struct Pass {
    elapsed: Duration,
    sum: i64,
}

/// The contribution of one level.
pub(crate) const fn weight(level: Level) -> i64 {
    level.price.wrapping_add(level.quantity)
}

fn scanner() -> Result<Decoder, Failure> {
    let mut symbols = Symbols::new();
    for (id, name) in ["BTCUSDT", "ETHUSDT"].into_iter().enumerate() {
        let symbol = Symbol {
            instrument: InstrumentId(id as u16),
            price_exponent: typed::PRICE_EXPONENT,
            quantity_exponent: typed::QUANTITY_EXPONENT,
        };
        symbols.insert(name, symbol)?;
    }
    Ok(Decoder::new(Market::UsdM, symbols))
}

fn scan(decoder: &mut Decoder, frame: &[u8]) -> Result<i64, Failure> {
    Ok(match decoder.decode(frame)? {
        Message::Depth(depth) => {
            let levels = depth.bids.iter().chain(depth.asks);
            levels.fold(0, |sum, level| sum.wrapping_add(weight(*level)))
        }
        Message::Bbo { bbo, .. } => weight(bbo.bid).wrapping_add(weight(bbo.ask)),
        Message::Trade { trade, .. } => trade.price.wrapping_add(trade.quantity),
        _ => 0,
    })
}

/// What the comparison found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    scenario: &'static str,
    frames: usize,
    bytes: usize,
    passes: u32,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    decoder: &'static str,
    frames_per_second: f64,
    gigabytes_per_second: f64,
    ns_per_frame: f64,
    ns_per_frame_best: f64,
    /// Its time divided by ours, of the median passes.
    ratio: f64,
    check_sum: i64,
}

const NAMES: [&str; 4] = [
    "acth scanner",
    "sonic-rs typed",
    "simd-json typed",
    "serde_json typed",
];

/// Runs the four in turn.
pub(crate) fn compare(data: &Path, passes: u32) -> Result<Report, Failure> {
    let frames = Frames::read(data)?;
    let mut decoder = scanner()?;
    let mut simd = typed::Simd::new();
    let mut found: [Vec<Pass>; 4] = [const { Vec::new() }; 4];
    for _ in 0..passes {
        found[0].push(frames.pass(|frame| scan(&mut decoder, frame))?);
        found[1].push(frames.pass(typed::sonic)?);
        found[2].push(frames.pass(|frame| simd.decode(frame))?);
        found[3].push(frames.pass(typed::serde)?);
    }
    let sums = found.each_ref().map(|passes| passes[0].sum);
    let times =
        found.map(|passes| Times::of(passes.into_iter().map(|pass| pass.elapsed).collect()));
    let count = frames.frames.len() as f64;
    let rows = NAMES.into_iter().zip(times.into_iter().zip(sums));
    let rows = rows.map(|(decoder, (time, check_sum))| Row {
        decoder,
        frames_per_second: count / time.median,
        gigabytes_per_second: frames.bytes as f64 / time.median / 1e9,
        ns_per_frame: time.median * 1e9 / count,
        ns_per_frame_best: time.best * 1e9 / count,
        ratio: time.median / times[0].median,
        check_sum,
    });
    Ok(Report {
        scenario: "decode",
        frames: frames.frames.len(),
        bytes: frames.bytes,
        passes,
        rows: rows.collect(),
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<18}{:>10}{:>8}{:>12}{:>8}{:>10}{:>22}",
            "decode", "M frames/s", "GB/s", "ns/frame", "best", "time/ours", "check sum"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "{:<18}{:>10.3}{:>8.2}{:>12.1}{:>8.1}{:>10.2}{:>22}",
                row.decoder,
                row.frames_per_second / 1e6,
                row.gigabytes_per_second,
                row.ns_per_frame,
                row.ns_per_frame_best,
                row.ratio,
                row.check_sum
            )?;
        }
        writeln!(
            f,
            "{} frames, {} bytes, {} passes of each",
            self.frames, self.bytes, self.passes
        )
    }
}
