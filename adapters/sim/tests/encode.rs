//! The encoders against recordings: each recorded message, taken apart and written again, must come out byte for
//! byte. The reading here is by a general JSON parser.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

use acth_core::{
    event::{Level, Side},
    instrument::{AssetClass, Contract, Instrument},
};
use acth_sim::{
    encode::{Market, combined, depth_snapshot, exchange_info, message},
    world::{BookSnapshot, MessageBody, World, WorldConfig},
};
use serde_json::Value;

fn data(path: &str) -> Option<PathBuf> {
    let base = std::env::var("ACTH_DATA").unwrap_or_else(|_| "../../../shared/data".to_owned());
    let path = PathBuf::from(base).join(path);
    if !path.exists() {
        eprintln!("skipped: no {}", path.display());
        return None;
    }
    Some(path)
}

fn instrument(contract: Contract, price_exponent: u8, quantity_exponent: u8) -> Instrument {
    Instrument {
        venue: "recorded".to_owned(),
        symbol: "BTCUSDT".to_owned(),
        base: "BTC".to_owned(),
        quote: "USDT".to_owned(),
        asset_class: AssetClass::Crypto,
        contract,
        price_exponent,
        quantity_exponent,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 0,
        taker_fee_ppm: 0,
    }
}

fn mantissa(value: &Value, exponent: u8) -> i64 {
    let (whole, fraction) = value.as_str().unwrap().split_once('.').unwrap();
    let mut digits = whole.to_owned();
    digits.push_str(&fraction[..usize::from(exponent)]);
    assert!(
        fraction[usize::from(exponent)..]
            .bytes()
            .all(|digit| digit == b'0')
    );
    digits.parse().unwrap()
}

fn levels(value: &Value, row: &Instrument) -> Vec<Level> {
    let level = |pair: &Value| Level {
        price: mantissa(&pair[0], row.price_exponent),
        quantity: mantissa(&pair[1], row.quantity_exponent),
    };
    value.as_array().unwrap().iter().map(level).collect()
}

/// Writes a recorded message again; `None` for kinds that the simulator does not send.
fn rewrite(value: &Value, row: &Instrument) -> Option<String> {
    let market = Market::of(row);
    let mut out = String::new();
    if value.get("bids").is_some() {
        let book = BookSnapshot {
            last_update_id: value["lastUpdateId"].as_u64().unwrap(),
            bids: levels(&value["bids"], row),
            asks: levels(&value["asks"], row),
        };
        let ts_ms = value.get("E").map_or(0, |time| time.as_i64().unwrap());
        if value.get("T") != value.get("E") {
            return None;
        }
        depth_snapshot(&mut out, market, row, ts_ms * 1_000_000, &book);
        return Some(out);
    }
    let data = &value["data"];
    // The simulator stamps both times alike.
    if data.get("T").is_some() && data["T"] != data["E"] {
        return None;
    }
    let id = |key: &str| data[key].as_u64().unwrap_or(0);
    let (bids, asks);
    let body = match data
        .get("e")
        .map_or("bookTicker", |kind| kind.as_str().unwrap())
    {
        "depthUpdate" => {
            (bids, asks) = (levels(&data["b"], row), levels(&data["a"], row));
            MessageBody::DepthDiff {
                first_id: id("U"),
                final_id: id("u"),
                previous_final_id: id("pu"),
                bids: &bids,
                asks: &asks,
            }
        }
        "trade" => MessageBody::Trade {
            trade_id: id("t"),
            price: mantissa(&data["p"], row.price_exponent),
            quantity: mantissa(&data["q"], row.quantity_exponent),
            aggressor: if data["m"].as_bool().unwrap() {
                Side::Ask
            } else {
                Side::Bid
            },
        },
        "bookTicker" => {
            let level = |price: &str, quantity: &str| Level {
                price: mantissa(&data[price], row.price_exponent),
                quantity: mantissa(&data[quantity], row.quantity_exponent),
            };
            MessageBody::BookTicker {
                update_id: id("u"),
                bid: level("b", "B"),
                ask: level("a", "A"),
            }
        }
        _ => return None,
    };
    let ts_ns = data
        .get("E")
        .map_or(0, |time| time.as_i64().unwrap() * 1_000_000);
    let mut inner = String::new();
    message(&mut inner, market, row, ts_ns, &body);
    combined(&mut out, value["stream"].as_str().unwrap(), &inner);
    Some(out)
}

fn check(path: &str, row: &Instrument) {
    let Some(path) = data(path) else { return };
    let mut child = Command::new("gzip")
        .arg("-dc")
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut counts = std::collections::BTreeMap::new();
    for line in BufReader::new(child.stdout.take().unwrap())
        .lines()
        .take(20_000)
    {
        let line = line.unwrap();
        let (_, text) = line.split_once(' ').unwrap();
        let value: Value = serde_json::from_str(text).unwrap();
        // Market orders only: the recordings also hold insurance fund trades and the like.
        if value["data"].get("X").is_some_and(|kind| kind != "MARKET") {
            continue;
        }
        if let Some(again) = rewrite(&value, row) {
            assert_eq!(again, text);
            let kind = value["data"]["e"].as_str().unwrap_or("no e").to_owned();
            *counts.entry(kind).or_insert(0) += 1;
        }
    }
    child.kill().ok();
    child.wait().unwrap();
    eprintln!("{}: {counts:?}", path.display());
    assert!(counts.len() >= 3);
}

#[test]
fn spot_messages_as_recorded() {
    check(
        "crypto/binance/spot/btcusdt_20240808.gz",
        &instrument(Contract::Spot, 2, 6), // one recorded quantity is finer than the lot of 0.00001
    );
}

#[test]
fn futures_messages_as_recorded() {
    check(
        "crypto/binance/usdm/btcusdt_20240808.gz",
        &instrument(Contract::Perpetual, 2, 3),
    );
}

#[test]
fn aggregate_trades_as_recorded() {
    let body = MessageBody::AggregateTrade {
        aggregate_id: 16_599_292,
        first_trade_id: 23_961_322,
        final_trade_id: 23_961_322,
        price: 101_100,
        quantity: 10,
        aggressor: Side::Bid,
    };
    let mut row = instrument(Contract::Perpetual, 5, 0);
    row.symbol = "CTKUSDT".to_owned();
    let mut out = String::new();
    message(
        &mut out,
        Market::UsdFutures,
        &row,
        1_626_992_741_575_000_000,
        &body,
    );
    assert_eq!(
        out,
        r#"{"e":"aggTrade","E":1626992741575,"a":16599292,"s":"CTKUSDT","p":"1.01100","q":"10","f":23961322,"l":23961322,"T":1626992741575,"m":false}"#
    );
    row.contract = Contract::Spot;
    out.clear();
    message(
        &mut out,
        Market::Spot,
        &row,
        1_626_992_741_575_000_000,
        &body,
    );
    assert_eq!(
        out,
        r#"{"e":"aggTrade","E":1626992741575,"s":"CTKUSDT","a":16599292,"p":"1.01100000","q":"10.00000000","f":23961322,"l":23961322,"T":1626992741575,"m":false,"M":true}"#
    );
}

#[test]
fn the_instrument_list_says_what_the_world_trades() {
    let world = World::new(WorldConfig::default(), 1).unwrap();
    for market in [Market::Spot, Market::UsdFutures] {
        let rows: Vec<_> = world
            .instruments()
            .rows()
            .iter()
            .filter(|row| Market::of(row) == market)
            .collect();
        let mut out = String::new();
        exchange_info(&mut out, market, world.ts_ns(), rows.iter().copied());
        let value: Value = serde_json::from_str(&out).unwrap();
        let symbols = value["symbols"].as_array().unwrap();
        assert_eq!(symbols.len(), rows.len());
        for (symbol, row) in symbols.iter().zip(&rows) {
            assert_eq!(symbol["symbol"], row.symbol.as_str());
            let filter = |kind: &str| {
                let filters = symbol["filters"].as_array().unwrap();
                filters
                    .iter()
                    .find(|filter| filter["filterType"] == kind)
                    .unwrap()
            };
            let tick = &filter("PRICE_FILTER")["tickSize"];
            assert_eq!(mantissa(tick, row.price_exponent), row.tick);
            assert_eq!(
                mantissa(&filter("LOT_SIZE")["stepSize"], row.quantity_exponent),
                row.lot
            );
            let notional = match market {
                Market::Spot => &filter("NOTIONAL")["minNotional"],
                Market::UsdFutures => &filter("MIN_NOTIONAL")["notional"],
            };
            assert!(notional.as_str().unwrap().starts_with('5'));
        }
    }
}
