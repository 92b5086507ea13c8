//! Decoding: our scanner, our general parser (the scanner's oracle and fallback), and a plain typed `simd-json` parse.
//!
//! All three turn every price and quantity into an integer mantissa; `simd_json_typed` keeps its buffers. The first
//! thing checked is that the scanner reads each frame itself, since a fallback would be the general parser's figure.

#![allow(missing_docs, reason = "criterion's macros define undocumented items")]
#![allow(clippy::unwrap_used, reason = "a bench may panic")]
#![forbid(unsafe_code)]

mod support;

use std::hint::black_box;

use acth_core::{event::Level, instrument::InstrumentId};
use acth_wire::{
    binance::{Decoder, Market, Message, Symbol, Symbols},
    decimal,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize;
use simd_json::Buffers;
use support::frames;

/// Frames that each bench goes round in: more than a branch predictor learns by heart.
const FRAMES: u64 = 512;

#[derive(Deserialize)]
struct Combined<'a, T> {
    #[serde(rename = "stream", borrow)]
    _stream: &'a str,
    data: T,
}

#[derive(Deserialize)]
struct Depth<'a> {
    #[serde(rename = "E")]
    event_time: u64,
    s: &'a str,
    #[serde(rename = "U")]
    first_id: u64,
    u: u64,
    pu: Option<u64>,
    #[serde(borrow)]
    b: Vec<(&'a str, &'a str)>,
    #[serde(borrow)]
    a: Vec<(&'a str, &'a str)>,
}

#[derive(Deserialize)]
struct Ticker<'a> {
    u: u64,
    s: &'a str,
    b: &'a str,
    #[serde(rename = "B")]
    bid_quantity: &'a str,
    a: &'a str,
    #[serde(rename = "A")]
    ask_quantity: &'a str,
}

/// A single or an aggregate trade.
#[derive(Deserialize)]
struct Print<'a> {
    #[serde(rename = "T")]
    time: u64,
    s: &'a str,
    t: Option<u64>,
    f: Option<u64>,
    l: Option<u64>,
    p: &'a str,
    q: &'a str,
    m: bool,
}

/// Which typed parse a frame wants.
#[derive(Clone, Copy)]
enum Form {
    Depth,
    Ticker,
    Print,
}

/// A plain typed parse with kept buffers.
struct Typed {
    bytes: Vec<u8>,
    buffers: Buffers,
    levels: Vec<Level>,
    quantity_exponent: u8,
}

impl Typed {
    fn new(market: Market) -> Self {
        Self {
            bytes: Vec::with_capacity(8192),
            buffers: Buffers::new(8192),
            levels: Vec::with_capacity(128),
            quantity_exponent: quantity_exponent(market),
        }
    }

    fn level(&self, price: &str, quantity: &str) -> Level {
        Level {
            price: decimal::parse(price.as_bytes(), 2).unwrap(),
            quantity: decimal::parse(quantity.as_bytes(), self.quantity_exponent).unwrap(),
        }
    }

    fn read(&mut self, form: Form, frame: &str) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        bytes.extend_from_slice(frame.as_bytes());
        match form {
            Form::Depth => {
                let depth: Depth<'_> = parse(&mut bytes, &mut self.buffers);
                black_box((depth.event_time, depth.s, depth.first_id, depth.u, depth.pu));
                let mut levels = std::mem::take(&mut self.levels);
                levels.clear();
                let sides = depth.b.iter().chain(&depth.a);
                levels.extend(sides.map(|(price, quantity)| self.level(price, quantity)));
                black_box(&levels);
                self.levels = levels;
            }
            Form::Ticker => {
                let ticker: Ticker<'_> = parse(&mut bytes, &mut self.buffers);
                black_box((ticker.u, ticker.s));
                black_box(self.level(ticker.b, ticker.bid_quantity));
                black_box(self.level(ticker.a, ticker.ask_quantity));
            }
            Form::Print => {
                let print: Print<'_> = parse(&mut bytes, &mut self.buffers);
                black_box((print.time, print.s, print.t, print.f, print.l, print.m));
                black_box(self.level(print.p, print.q));
            }
        }
        self.bytes = bytes;
    }
}

fn parse<'a, T: Deserialize<'a>>(bytes: &'a mut [u8], buffers: &mut Buffers) -> T {
    let combined: Combined<'a, T> =
        simd_json::serde::from_slice_with_buffers(bytes, buffers).unwrap();
    combined.data
}

fn quantity_exponent(market: Market) -> u8 {
    if market == Market::Spot { 8 } else { 3 }
}

fn decoder(market: Market) -> Decoder {
    let mut symbols = Symbols::new();
    for (id, name) in ["ETHUSDT", "BTCUSDT", "SOLUSDT"].into_iter().enumerate() {
        let symbol = Symbol {
            instrument: InstrumentId(id as u16),
            price_exponent: 2,
            quantity_exponent: quantity_exponent(market),
        };
        symbols.insert(name, symbol).unwrap();
    }
    Decoder::new(market, symbols)
}

fn compare(criterion: &mut Criterion, name: &str, market: Market, form: Form, frames: &[String]) {
    let mut scanner = decoder(market);
    for frame in frames {
        let message = scanner.decode(frame.as_bytes()).unwrap();
        let fits = match form {
            Form::Depth => matches!(message, Message::Depth(_)),
            Form::Ticker => matches!(message, Message::Bbo { .. }),
            Form::Print => matches!(message, Message::Trade { .. }),
        };
        assert!(fits, "{frame} became {message:?}");
    }
    assert_eq!(
        scanner.stats().fallbacks,
        0,
        "{name}: the scanner must know its frames"
    );
    let mut general = decoder(market);
    let mut typed = Typed::new(market);
    let mut group = criterion.benchmark_group(format!("decode/{name}"));
    let all_bytes: usize = frames.iter().map(String::len).sum();
    group.throughput(Throughput::Bytes(all_bytes as u64 / frames.len() as u64));
    let mut next = frames.iter().cycle();
    let mut frame = || next.next().unwrap().as_str();
    group.bench_function("scanner", |bencher| {
        bencher.iter(|| {
            black_box(scanner.decode(black_box(frame().as_bytes())).unwrap());
        });
    });
    group.bench_function("simd_json_typed", |bencher| {
        bencher.iter(|| typed.read(form, black_box(frame())));
    });
    group.bench_function("simd_json_oracle", |bencher| {
        bencher.iter(|| {
            black_box(
                general
                    .decode_with_oracle(black_box(frame().as_bytes()))
                    .unwrap(),
            );
        });
    });
    group.finish();
}

fn decode(criterion: &mut Criterion) {
    for count in [20, 50] {
        let usdm = frames::made(FRAMES, |numbers| frames::depth_usdm(numbers, count));
        let spot = frames::made(FRAMES, |numbers| frames::depth_spot(numbers, count));
        let name = |market: &str| format!("depth_{count}_levels_{market}");
        compare(criterion, &name("usdm"), Market::UsdM, Form::Depth, &usdm);
        compare(criterion, &name("spot"), Market::Spot, Form::Depth, &spot);
    }
    let rows = [
        (
            "bookTicker_usdm",
            Market::UsdM,
            Form::Ticker,
            frames::made(FRAMES, frames::ticker_usdm),
        ),
        (
            "bookTicker_spot",
            Market::Spot,
            Form::Ticker,
            frames::made(FRAMES, frames::ticker_spot),
        ),
        (
            "trade_spot",
            Market::Spot,
            Form::Print,
            frames::made(FRAMES, frames::trade_spot),
        ),
        (
            "aggTrade_usdm",
            Market::UsdM,
            Form::Print,
            frames::made(FRAMES, frames::aggregate_usdm),
        ),
    ];
    for (name, market, form, made) in &rows {
        compare(criterion, name, *market, *form, made);
    }
}

criterion_group!(benches, decode);
criterion_main!(benches);
