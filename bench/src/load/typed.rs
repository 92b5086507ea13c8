//! A plain typed `simd-json` parse with kept buffers, and the decoder that it is compared with.
//!
//! Both turn every price and quantity into an integer mantissa.

#![expect(
    clippy::unwrap_used,
    reason = "frames made here are well formed; one that is not must stop a measurement"
)]

use std::hint::black_box;

use acth_core::{event::Level, instrument::InstrumentId};
use acth_wire::{
    binance::{Decoder, Market, Symbol, Symbols},
    decimal,
};
use serde::Deserialize;
use simd_json::Buffers;

/// Decimal places of every price here.
pub const PRICE_EXPONENT: u8 = 2;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Changes of a book.
    Depth,
    /// Best bid and offer.
    Ticker,
    /// A single or an aggregate trade.
    Print,
}

/// A plain typed parse with kept buffers.
pub struct Typed {
    bytes: Vec<u8>,
    buffers: Buffers,
    levels: Vec<Level>,
    quantity_exponent: u8,
}

impl Typed {
    /// Empty buffers with all their room.
    pub fn new(market: Market) -> Self {
        Self {
            bytes: Vec::with_capacity(8192),
            buffers: Buffers::new(8192),
            levels: Vec::with_capacity(128),
            quantity_exponent: quantity_exponent(market),
        }
    }

    fn level(&self, price: &str, quantity: &str) -> Level {
        Level {
            price: decimal::parse(price.as_bytes(), PRICE_EXPONENT).unwrap(),
            quantity: decimal::parse(quantity.as_bytes(), self.quantity_exponent).unwrap(),
        }
    }

    /// Parses one frame and turns its numbers into mantissas.
    ///
    /// # Panics
    /// When the frame is not of that form.
    pub fn read(&mut self, form: Form, frame: &str) {
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

/// Decimal places of a market's quantities.
pub const fn quantity_exponent(market: Market) -> u8 {
    match market {
        Market::Spot => 8,
        Market::UsdM => 3,
    }
}

/// Our decoder, for three symbols.
///
/// # Panics
/// Never: three symbols fit its table.
pub fn decoder(market: Market) -> Decoder {
    let mut symbols = Symbols::new();
    for (id, name) in ["ETHUSDT", "BTCUSDT", "SOLUSDT"].into_iter().enumerate() {
        let symbol = Symbol {
            instrument: InstrumentId(id as u16),
            price_exponent: PRICE_EXPONENT,
            quantity_exponent: quantity_exponent(market),
        };
        symbols.insert(name, symbol).unwrap();
    }
    Decoder::new(market, symbols)
}
