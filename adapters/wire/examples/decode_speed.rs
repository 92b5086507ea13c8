//! How long one message takes: the scanner beside a typed `simd-json` parse, interleaved, in one run.
//!
//! Run with `cargo run --release -p acth-wire --example decode_speed`. Rounds of both parsers alternate, so that a slow
//! moment of the machine hits both; of each the round at the tenth percentile counts, for a round is short enough to fall
//! between two interruptions. Both turn every price and quantity into a mantissa.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{hint::black_box, time::Instant};

use acth_core::{event::Level, instrument::InstrumentId};
use acth_wire::{
    binance::{Decoder, Market, Symbol, Symbols},
    decimal,
};
use serde::Deserialize;
use simd_json::Buffers;

const MESSAGES_PER_ROUND: usize = 500;
const ROUNDS: usize = 1_001;

#[derive(Deserialize)]
struct Combined<'a, T> {
    #[serde(rename = "stream", borrow)]
    _stream: &'a str,
    data: T,
}

#[derive(Deserialize)]
struct TypedDepth<'a> {
    #[serde(rename = "T")]
    time: u64,
    s: &'a str,
    #[serde(rename = "U")]
    first_id: u64,
    u: u64,
    pu: u64,
    #[serde(borrow)]
    b: Vec<(&'a str, &'a str)>,
    #[serde(borrow)]
    a: Vec<(&'a str, &'a str)>,
}

#[derive(Deserialize)]
struct TypedBbo<'a> {
    u: u64,
    s: &'a str,
    b: &'a str,
    #[serde(rename = "B")]
    bid_quantity: &'a str,
    a: &'a str,
    #[serde(rename = "A")]
    ask_quantity: &'a str,
}

#[derive(Deserialize)]
struct TypedTrade<'a> {
    #[serde(rename = "T")]
    time: u64,
    s: &'a str,
    t: u64,
    p: &'a str,
    q: &'a str,
    m: bool,
}

fn mantissa(text: &str, exponent: u8) -> i64 {
    decimal::parse(text.as_bytes(), exponent).unwrap()
}

/// A typed parse with reused buffers.
struct Typed {
    bytes: Vec<u8>,
    buffers: Buffers,
    levels: Vec<Level>,
}

impl Typed {
    fn parse<'a, T: Deserialize<'a>>(
        bytes: &'a mut Vec<u8>,
        buffers: &mut Buffers,
        frame: &str,
    ) -> T {
        bytes.clear();
        bytes.extend_from_slice(frame.as_bytes());
        let combined: Combined<'a, T> =
            simd_json::serde::from_slice_with_buffers(bytes, buffers).unwrap();
        combined.data
    }

    fn depth(&mut self, frame: &str) {
        let depth: TypedDepth<'_> = Self::parse(&mut self.bytes, &mut self.buffers, frame);
        black_box((depth.time, depth.s, depth.first_id, depth.u, depth.pu));
        self.levels.clear();
        for (price, quantity) in depth.b.iter().chain(&depth.a) {
            self.levels.push(Level {
                price: mantissa(price, 2),
                quantity: mantissa(quantity, 3),
            });
        }
        black_box(&self.levels);
    }

    fn bbo(&mut self, frame: &str) {
        let bbo: TypedBbo<'_> = Self::parse(&mut self.bytes, &mut self.buffers, frame);
        black_box((
            bbo.u,
            bbo.s,
            mantissa(bbo.b, 2),
            mantissa(bbo.bid_quantity, 8),
        ));
        black_box((mantissa(bbo.a, 2), mantissa(bbo.ask_quantity, 8)));
    }

    fn trade(&mut self, frame: &str) {
        let trade: TypedTrade<'_> = Self::parse(&mut self.bytes, &mut self.buffers, frame);
        black_box((trade.time, trade.s, trade.t, trade.m));
        black_box((mantissa(trade.p, 2), mantissa(trade.q, 8)));
    }
}

/// A change of `count` levels, half on each side, with numbers of varying length as on the wire.
fn depth_frame(seed: u64, count: u64) -> String {
    let side = |offset: u64| {
        let level = |index: u64| {
            let price = 6_173_000 + offset + index * 37 + seed % 97;
            let quantity = (seed * 7_919 + index * 104_729) % 20_000;
            let whole = price / 100;
            let places = price % 100;
            format!(
                "[\"{whole}.{places:02}\",\"{}.{:03}\"]",
                quantity / 1_000,
                quantity % 1_000
            )
        };
        (0..count / 2).map(level).collect::<Vec<_>>().join(",")
    };
    format!(
        "{{\"stream\":\"btcusdt@depth@0ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":1723161256299,\
         \"T\":1723161256298,\"s\":\"BTCUSDT\",\"U\":5123107832006,\"u\":51231078{:05},\
         \"pu\":5123107831937,\"b\":[{}],\"a\":[{}]}}}}",
        seed % 100_000,
        side(0),
        side(5_000)
    )
}

fn bbo_frame(seed: u64) -> String {
    format!(
        "{{\"stream\":\"btcusdt@bookTicker\",\"data\":{{\"u\":500932{:05},\"s\":\"BTCUSDT\",\
         \"b\":\"61837.{:02}000000\",\"B\":\"{}.78826000\",\"a\":\"61838.{:02}000000\",\
         \"A\":\"{}.54698000\"}}}}",
        seed % 100_000,
        seed % 100,
        seed % 13,
        seed % 100,
        seed % 11
    )
}

fn trade_frame(seed: u64) -> String {
    format!(
        "{{\"stream\":\"btcusdt@trade\",\"data\":{{\"e\":\"trade\",\"E\":1723161255343,\
         \"s\":\"BTCUSDT\",\"t\":37356{:05},\"p\":\"61837.{:02}000000\",\"q\":\"0.0{}000000\",\
         \"T\":1723161255342,\"m\":{},\"M\":true}}}}",
        seed % 100_000,
        seed % 100,
        seed % 10,
        seed.is_multiple_of(3)
    )
}

fn decoder(market: Market) -> Decoder {
    let mut symbols = Symbols::new();
    let quantity_exponent = if market == Market::Spot { 8 } else { 3 };
    for (id, name) in ["ETHUSDT", "BTCUSDT", "SOLUSDT"].into_iter().enumerate() {
        let symbol = Symbol {
            instrument: InstrumentId(id as u16),
            price_exponent: 2,
            quantity_exponent,
        };
        symbols.insert(name, symbol).unwrap();
    }
    Decoder::new(market, symbols)
}

fn ns_per_message(frames: &[String], mut decode: impl FnMut(&str)) -> f64 {
    let start = Instant::now();
    for frame in frames {
        decode(frame);
    }
    start.elapsed().as_nanos() as f64 / frames.len() as f64
}

fn low_decile(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 10]
}

fn compare(name: &str, market: Market, frames: &[String], mut typed: impl FnMut(&str)) {
    let mut scanner = decoder(market);
    let mut general = decoder(market);
    let mut rounds = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        rounds[0].push(ns_per_message(frames, |frame| {
            black_box(scanner.decode(black_box(frame.as_bytes())).unwrap());
        }));
        rounds[1].push(ns_per_message(frames, &mut typed));
        rounds[2].push(ns_per_message(frames, |frame| {
            black_box(
                general
                    .decode_with_oracle(black_box(frame.as_bytes()))
                    .unwrap(),
            );
        }));
    }
    assert_eq!(
        scanner.stats().fallbacks,
        0,
        "the scanner must know its frames"
    );
    let [scan, typed, general] = rounds.map(low_decile);
    println!(
        "{name:<22} {:>6} {scan:>10.1} {typed:>15.1} {general:>10.1} {:>9.2}",
        frames[0].len(),
        typed / scan
    );
}

fn main() {
    let frames = |make: &dyn Fn(u64) -> String| -> Vec<String> {
        (0..MESSAGES_PER_ROUND as u64)
            .map(|seed| make(seed * 2_654_435_761 % 1_000_003))
            .collect()
    };
    println!("message                 bytes    scanner simd-json typed    general typed/scan");
    println!("                              (ns per message, 10th percentile of {ROUNDS} rounds)");
    let mut typed = Typed {
        bytes: Vec::new(),
        buffers: Buffers::new(4096),
        levels: Vec::new(),
    };
    for count in [2, 20, 50] {
        let name = format!("depth, {count} levels");
        let made = frames(&|seed| depth_frame(seed, count));
        compare(&name, Market::UsdM, &made, |frame| typed.depth(frame));
    }
    compare("bookTicker", Market::Spot, &frames(&bbo_frame), |frame| {
        typed.bbo(frame)
    });
    compare("trade", Market::Spot, &frames(&trade_frame), |frame| {
        typed.trade(frame)
    });
}
