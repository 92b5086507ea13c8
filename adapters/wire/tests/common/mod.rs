//! Where the recordings are and how their lines are taken apart.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::{io::Read, path::PathBuf};

use acth_core::instrument::InstrumentId;
use acth_wire::binance::{Decoder, Market, Symbol, Symbols};

/// The folder of recorded data, if this machine has it; prints why a test is skipped if not.
pub fn data_dir() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let dir = std::env::var_os("ACTH_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if dir.join("crypto/binance").is_dir() {
        return Some(dir);
    }
    eprintln!("skipped: no recorded data at {}", dir.display());
    None
}

/// The text of a recording, unpacked where its name ends in `.gz`.
pub fn text_of(name: &str) -> Option<String> {
    let path = data_dir()?.join("crypto/binance").join(name);
    let bytes = std::fs::read(&path).unwrap();
    let mut text = String::new();
    if name.ends_with(".gz") {
        let mut unpacked = flate2::read::GzDecoder::new(bytes.as_slice());
        unpacked.read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    Some(text)
}

/// The frames of a capture of the form `recv_ns frame`.
pub fn frames_2024(text: &str) -> Vec<&str> {
    text.lines()
        .map(|line| line.split_once(' ').unwrap().1)
        .collect()
}

/// The received frames of a capture of the form `seconds: frame`.
pub fn frames_2021(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.split_once(": ").map(|(_, frame)| frame))
        .filter(|frame| frame.starts_with('{'))
        .collect()
}

pub fn symbol(id: u16, price_exponent: u8, quantity_exponent: u8) -> Symbol {
    Symbol {
        instrument: InstrumentId(id),
        price_exponent,
        quantity_exponent,
    }
}

pub fn decoder(market: Market, rows: &[(&str, u8, u8)]) -> Decoder {
    let mut symbols = Symbols::new();
    for (id, (name, price, quantity)) in rows.iter().enumerate() {
        symbols
            .insert(name, symbol(id as u16, *price, *quantity))
            .unwrap();
    }
    Decoder::new(market, symbols)
}

/// Real frames, one of each shape that the scanner knows.
pub const SAMPLES_SPOT: [&str; 8] = [
    r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":50093239189,"u":50093239202,"b":[["61737.63000000","0.00000000"],["56854.58000000","0.00001000"]],"a":[["61837.64000000","1.54698000"],["123456789.00000000","0.00000000"]]}}"#,
    r#"{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#,
    r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#,
    r#"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1616176861895,"s":"BTCUSDT","a":640283266,"p":"58942.01000000","q":"0.00035000","f":716849523,"l":716849524,"T":1616176861893,"m":false,"M":true}}"#,
    r#"{"lastUpdateId":50093239218,"bids":[["61837.63000000","3.78826000"],["61837.62000000","0.61700000"]],"asks":[["61837.64000000","1.92853000"]]}"#,
    r#"{"e":"trade","E":1616176861895123,"s":"BTCUSDT","t":12345,"p":"60000.20000000","q":"0.00100000","b":88,"a":50,"T":1616176861893456,"m":false,"M":true}"#,
    r#"{"u":160,"s":"BTCUSDT","b":"60000.10000000","B":"0.50000000","a":"60000.20000000","A":"1.00000000"}"#,
    r#"{"e":"depthUpdate","E":1760000000123,"s":"BTCUSDT","U":157,"u":160,"b":[],"a":[]}"#,
];

/// As `SAMPLES_SPOT`, for futures.
pub const SAMPLES_USDM: [&str; 10] = [
    r#"{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":5123107832006,"u":5123107837557,"pu":5123107831937,"b":[["58710.20","0.014"],["61496.50","0.010"]],"a":[["61800.3","7"]]}}"#,
    r#"{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":5123107839020,"s":"BTCUSDT","b":"61800.20","B":"2.507","a":"61800.30","A":"2.510","T":1723161256313,"E":1723161256314}}"#,
    r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161256322,"T":1723161256321,"s":"BTCUSDT","t":5266583935,"p":"61800.30","q":"0.006","X":"MARKET","m":false}}"#,
    r#"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1616202009196,"a":389551486,"s":"BTCUSDT","p":"58665.00","q":"0.043","f":621622993,"l":621622994,"T":1616202009188,"m":false}}"#,
    r#"{"lastUpdateId":5123107852948,"E":1723161256501,"T":1723161256493,"bids":[["61800.20","2.909"]],"asks":[]}"#,
    r#"{"e":"aggTrade","E":1760000000123,"s":"BTCUSDT","a":1,"p":"5","q":"6","nq":"5","f":1,"l":2,"T":1760000000122,"m":true,"st":1}"#,
    r#"{"e":"bookTicker","u":400900217,"E":1568014460893,"T":1568014460891,"s":"BTCUSDT","ps":"BTCUSDT","b":"25.35","B":"31.21","a":"25.36","A":"40.66","st":1}"#,
    r#"{"e":"depthUpdate","E":1760000000123,"T":1760000000120,"s":"BTCUSDT","ps":"BTCUSDT","st":1,"U":157,"u":160,"pu":149,"b":[["0.01","10"]],"a":[["0.02","100"]]}"#,
    r#"{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1760000001000,"s":"BTCUSDT","p":"61800.24500000","i":"61799.99499999","P":"61790.12345678","r":"-0.00010000","T":1760025600000}}"#,
    r#"{"e":"markPriceUpdate","E":1760000001000,"s":"BTCUSDT","st":1,"p":"7.005","ap":"7.1","P":"7.2","i":"0","r":"0.000000000001","T":1760025600000,"st":1}"#,
];

/// A decoder for `SAMPLES_SPOT` or `SAMPLES_USDM`.
pub fn sample_decoder(market: Market) -> Decoder {
    match market {
        Market::Spot => decoder(market, &[("BTCUSDT", 2, 5)]),
        Market::UsdM => decoder(market, &[("BTCUSDT", 2, 3)]),
    }
}

/// The samples of a market.
pub fn samples(market: Market) -> &'static [&'static str] {
    match market {
        Market::Spot => &SAMPLES_SPOT,
        Market::UsdM => &SAMPLES_USDM,
    }
}
