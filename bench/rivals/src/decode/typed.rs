//! The frames as typed structures: one definition for the three general parsers.

use acth_core::event::Level;
use acth_wire::decimal;
use serde::Deserialize;
use simd_json::Buffers;

use super::weight;
use crate::Failure;

/// Decimals of the prices.
pub(super) const PRICE_EXPONENT: u8 = 2;
/// Decimals of the quantities.
pub(super) const QUANTITY_EXPONENT: u8 = 3;
/// Bytes that simd-json's buffers begin with.
const BUFFER_BYTES: usize = 64 << 10;

/// Bytes at the start of a frame within which the stream's name stands.
const NAME_BYTES: usize = 48;

#[derive(Deserialize)]
struct Combined<'a, T> {
    #[serde(rename = "stream", borrow)]
    _stream: &'a str,
    data: T,
}

#[derive(Deserialize)]
struct Depth<'a> {
    #[serde(rename = "T")]
    _time: u64,
    #[serde(rename = "s", borrow)]
    _symbol: &'a str,
    #[serde(rename = "U")]
    _first_id: u64,
    #[serde(rename = "u")]
    _final_id: u64,
    #[serde(rename = "pu")]
    _previous_id: u64,
    #[serde(borrow)]
    b: Vec<(&'a str, &'a str)>,
    #[serde(borrow)]
    a: Vec<(&'a str, &'a str)>,
}

#[derive(Deserialize)]
struct Bbo<'a> {
    #[serde(rename = "T")]
    _time: u64,
    #[serde(rename = "s", borrow)]
    _symbol: &'a str,
    #[serde(rename = "u")]
    _update_id: u64,
    b: &'a str,
    #[serde(rename = "B")]
    bid_quantity: &'a str,
    a: &'a str,
    #[serde(rename = "A")]
    ask_quantity: &'a str,
}

#[derive(Deserialize)]
struct Trade<'a> {
    #[serde(rename = "T")]
    _time: u64,
    #[serde(rename = "s", borrow)]
    _symbol: &'a str,
    #[serde(rename = "t")]
    _trade_id: u64,
    p: &'a str,
    q: &'a str,
    #[serde(rename = "m")]
    _is_buyer_maker: bool,
}

fn level((price, quantity): (&str, &str)) -> Result<Level, Failure> {
    let parse = |text: &str, exponent| {
        decimal::parse(text.as_bytes(), exponent).map_err(|cause| format!("{text}: {cause:?}"))
    };
    Ok(Level {
        price: parse(price, PRICE_EXPONENT)?,
        quantity: parse(quantity, QUANTITY_EXPONENT)?,
    })
}

/// Something whose levels can be added up.
trait Sum {
    fn sum(&self) -> Result<i64, Failure>;
}

impl Sum for Depth<'_> {
    fn sum(&self) -> Result<i64, Failure> {
        let levels = self.b.iter().chain(&self.a);
        levels.copied().try_fold(0i64, |sum, texts| {
            Ok(sum.wrapping_add(weight(level(texts)?)))
        })
    }
}

impl Sum for Bbo<'_> {
    fn sum(&self) -> Result<i64, Failure> {
        let bid = weight(level((self.b, self.bid_quantity))?);
        Ok(bid.wrapping_add(weight(level((self.a, self.ask_quantity))?)))
    }
}

impl Sum for Trade<'_> {
    fn sum(&self) -> Result<i64, Failure> {
        Ok(weight(level((self.p, self.q))?))
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Depth,
    Bbo,
    Trade,
}

/// By the name of the stream, as a client that subscribed to it knows.
fn kind(frame: &[u8]) -> Result<Kind, Failure> {
    let name = &frame[..frame.len().min(NAME_BYTES)];
    let place = name.iter().position(|byte| *byte == b'@');
    match place.and_then(|place| name.get(place + 1)) {
        Some(b'd') => Ok(Kind::Depth),
        Some(b'b') => Ok(Kind::Bbo),
        Some(b't') => Ok(Kind::Trade),
        _ => Err("a frame of an unknown stream".into()),
    }
}

/// One frame by sonic-rs.
pub(super) fn sonic(frame: &[u8]) -> Result<i64, Failure> {
    match kind(frame)? {
        Kind::Depth => sonic_rs::from_slice::<Combined<'_, Depth<'_>>>(frame)?
            .data
            .sum(),
        Kind::Bbo => sonic_rs::from_slice::<Combined<'_, Bbo<'_>>>(frame)?
            .data
            .sum(),
        Kind::Trade => sonic_rs::from_slice::<Combined<'_, Trade<'_>>>(frame)?
            .data
            .sum(),
    }
}

/// One frame by serde_json.
pub(super) fn serde(frame: &[u8]) -> Result<i64, Failure> {
    match kind(frame)? {
        Kind::Depth => serde_json::from_slice::<Combined<'_, Depth<'_>>>(frame)?
            .data
            .sum(),
        Kind::Bbo => serde_json::from_slice::<Combined<'_, Bbo<'_>>>(frame)?
            .data
            .sum(),
        Kind::Trade => serde_json::from_slice::<Combined<'_, Trade<'_>>>(frame)?
            .data
            .sum(),
    }
}

/// simd-json with its buffers, used again and again. It parses in place, so that each frame is copied first.
pub(super) struct Simd {
    bytes: Vec<u8>,
    buffers: Buffers,
}

impl Simd {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(BUFFER_BYTES),
            buffers: Buffers::new(BUFFER_BYTES),
        }
    }

    pub(super) fn decode(&mut self, frame: &[u8]) -> Result<i64, Failure> {
        match kind(frame)? {
            Kind::Depth => self.parse::<Depth<'_>>(frame),
            Kind::Bbo => self.parse::<Bbo<'_>>(frame),
            Kind::Trade => self.parse::<Trade<'_>>(frame),
        }
    }

    fn parse<'a, T: Deserialize<'a> + Sum>(&'a mut self, frame: &[u8]) -> Result<i64, Failure> {
        self.bytes.clear();
        self.bytes.extend_from_slice(frame);
        let (bytes, buffers) = (&mut self.bytes, &mut self.buffers);
        let combined: Combined<'a, T> = simd_json::serde::from_slice_with_buffers(bytes, buffers)?;
        combined.data.sum()
    }
}
