//! Recorded depth streams of Binance as levels in memory: exact integers, in the order of the recording.
//!
//! Each line is a receive time, a space and the frame as received. The snapshot stands among the frames, after
//! some of the changes that follow it: it is put first and the changes that it contains are left out.

#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::{
    collections::HashMap,
    env,
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
};

use acth_core::event::{Level, Side};
use flate2::read::MultiGzDecoder;
use serde_json::Value;

/// Decimal places of the prices below.
const PRICE_EXPONENT: usize = 2;
/// Decimal places of the quantities below.
const QUANTITY_EXPONENT: usize = 8;

/// Path below `crypto/binance` and tick at two decimal places of each recording.
pub(crate) const RECORDINGS: [(&str, i64); 4] = [
    ("spot/btcusdt_20240808.gz", 1),
    ("spot/ethusdt_20240808.gz", 1),
    ("usdm/btcusdt_20240808.gz", 10),
    ("usdm/ethusdt_20240808.gz", 1),
];

/// One depth message.
pub(crate) struct Message {
    /// The venue's id of the last change in it.
    pub(crate) update_id: u64,
    /// True for the snapshot: the book is cleared first.
    pub(crate) is_snapshot: bool,
    /// Bids then asks, in the order of the message.
    pub(crate) levels: Vec<(Side, Level)>,
}

/// A recording.
pub(crate) struct Recording {
    pub(crate) name: &'static str,
    pub(crate) tick: i64,
    /// The snapshot, then the changes that follow it.
    pub(crate) messages: Vec<Message>,
    /// Best bid and ask that the venue itself stated, by update id.
    pub(crate) tickers: HashMap<u64, (Level, Level)>,
}

impl Recording {
    /// All levels of all messages.
    pub(crate) fn levels_count(&self) -> usize {
        self.messages
            .iter()
            .map(|message| message.levels.len())
            .sum()
    }
}

/// Loads a recording; says why and returns nothing when it is not there.
pub(crate) fn load(name: &'static str, tick: i64) -> Option<Recording> {
    let data = env::var_os("ACTH_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = data.join("crypto/binance").join(name);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) => {
            eprintln!("skipped: {}: {error}", path.display());
            return None;
        }
    };
    let mut recording = Recording {
        name,
        tick,
        messages: Vec::new(),
        tickers: HashMap::new(),
    };
    for line in BufReader::new(MultiGzDecoder::new(file)).lines() {
        let line = line.unwrap();
        let (_ts_ingress_ns, frame) = line.split_once(' ').unwrap();
        if !frame.contains("@trade") {
            add(&mut recording, &serde_json::from_str(frame).unwrap());
        }
    }
    Some(recording)
}

fn add(recording: &mut Recording, frame: &Value) {
    let data = frame.get("data").unwrap_or(frame);
    if let Some(update_id) = data["lastUpdateId"].as_u64() {
        recording
            .messages
            .retain(|message| message.update_id > update_id);
        let snapshot = Message {
            update_id,
            is_snapshot: true,
            levels: levels(&data["bids"], &data["asks"]),
        };
        recording.messages.insert(0, snapshot);
    } else if data["b"].is_array() {
        let update_id = data["u"].as_u64().unwrap();
        let known = recording.messages.last().map(|message| message.update_id);
        if known.is_none_or(|known| update_id > known) {
            recording.messages.push(Message {
                update_id,
                is_snapshot: false,
                levels: levels(&data["b"], &data["a"]),
            });
        }
    } else {
        let quote = (level(&data["b"], &data["B"]), level(&data["a"], &data["A"]));
        recording.tickers.insert(data["u"].as_u64().unwrap(), quote);
    }
}

fn levels(bids: &Value, asks: &Value) -> Vec<(Side, Level)> {
    let of = |side, rows: &Value| -> Vec<(Side, Level)> {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| (side, level(&row[0], &row[1]))).collect()
    };
    let mut all = of(Side::Bid, bids);
    all.extend(of(Side::Ask, asks));
    all
}

fn level(price: &Value, quantity: &Value) -> Level {
    Level {
        price: mantissa(price.as_str().unwrap(), PRICE_EXPONENT),
        quantity: mantissa(quantity.as_str().unwrap(), QUANTITY_EXPONENT),
    }
}

/// A decimal text as an integer; digits beyond the exponent must be zero.
fn mantissa(text: &str, exponent: usize) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let (kept, rest) = fraction.split_at(fraction.len().min(exponent));
    assert!(
        rest.bytes().all(|digit| digit == b'0'),
        "{text} has more than {exponent} places"
    );
    format!("{whole}{kept:0<exponent$}").parse().unwrap()
}
