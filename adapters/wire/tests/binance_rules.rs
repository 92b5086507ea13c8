//! Exchange information: the recorded answers, and the corners.

#![allow(clippy::unwrap_used)]

mod common;

use acth_core::money::MONEY_EXPONENT;
use acth_wire::binance::{DecodeError, InstrumentRules, Market, exchange_info};
use common::text_of;

fn recorded(name: &str, market: Market) -> Option<Vec<InstrumentRules>> {
    let text = text_of(name)?;
    let body = text.lines().next().unwrap().split_once(": ").unwrap().1;
    Some(exchange_info(body.as_bytes(), market).unwrap())
}

fn find<'a>(rules: &'a [InstrumentRules], symbol: &str) -> &'a InstrumentRules {
    rules.iter().find(|rules| rules.symbol == symbol).unwrap()
}

#[test]
fn recorded_spot() {
    let Some(rules) = recorded("spot_2021/exchange_info.txt.gz", Market::Spot) else {
        return;
    };
    let btc = find(&rules, "BTCUSDT");
    assert_eq!((btc.base.as_str(), btc.quote.as_str()), ("BTC", "USDT"));
    assert_eq!(
        (btc.status.as_str(), btc.contract_type.as_str()),
        ("TRADING", "")
    );
    assert_eq!((btc.price_exponent, btc.tick), (2, 1));
    // The step is 0.00001; the book may hold quantities down to the asset's 8 places.
    assert_eq!(
        (btc.quantity_exponent, btc.step, btc.quantity_min),
        (8, 1_000, 1_000)
    );
    assert_eq!(btc.notional_min.to_string(), "10");
    for rules in &rules {
        assert!(rules.tick > 0 && rules.step > 0, "{rules:?}");
        let stated = rules.price_exponent + rules.quantity_exponent;
        assert!(
            stated <= MONEY_EXPONENT || rules.step % 10 != 0,
            "{rules:?}"
        );
    }
}

#[test]
fn recorded_usdm() {
    let Some(rules) = recorded("usdm_2021/exchange_info.txt", Market::UsdM) else {
        return;
    };
    let btc = find(&rules, "BTCUSDT");
    assert_eq!(btc.contract_type, "PERPETUAL");
    assert_eq!((btc.price_exponent, btc.tick), (2, 1));
    assert_eq!(
        (btc.quantity_exponent, btc.step, btc.quantity_min),
        (3, 1, 1)
    );
    assert_eq!(btc.notional_min.to_string(), "5");
    assert!(
        rules
            .iter()
            .any(|rules| rules.contract_type == "CURRENT_QUARTER")
    );
    assert!(rules.iter().all(|rules| rules.tick > 0 && rules.step > 0));
}

/// A spot answer of one symbol with these filters.
fn answer(filters: &str) -> String {
    format!(
        r#"{{"timezone":"UTC","symbols":[{{"symbol":"ABC","status":"BREAK","baseAsset":"A","baseAssetPrecision":8,"quoteAsset":"BC","filters":[{filters}]}}]}}"#
    )
}

#[test]
fn a_tick_that_is_no_power_of_ten_and_a_newer_notional() {
    let body = answer(
        r#"{"filterType":"PRICE_FILTER","tickSize":"0.0250"},{"filterType":"LOT_SIZE","stepSize":"5.00","minQty":"10.0"},{"filterType":"NOTIONAL","minNotional":"7.50"}"#,
    );
    let rules = &exchange_info(body.as_bytes(), Market::Spot).unwrap()[0];
    assert_eq!((rules.price_exponent, rules.tick), (3, 25));
    assert_eq!(
        (rules.quantity_exponent, rules.step, rules.quantity_min),
        (8, 500_000_000, 1_000_000_000)
    );
    assert_eq!(rules.notional_min.to_string(), "7.5");
}

#[test]
fn missing_filters_leave_zeros_for_the_table_to_refuse() {
    let rules = &exchange_info(answer("").as_bytes(), Market::Spot).unwrap()[0];
    assert_eq!((rules.tick, rules.step, rules.quantity_min), (0, 0, 0));
    assert_eq!(
        (rules.symbol.as_str(), rules.status.as_str()),
        ("ABC", "BREAK")
    );
}

#[test]
fn what_is_no_exchange_information_is_refused() {
    let bad_tick = answer(r#"{"filterType":"PRICE_FILTER","tickSize":"1e-5"}"#);
    assert!(matches!(
        exchange_info(bad_tick.as_bytes(), Market::Spot),
        Err(DecodeError::Decimal {
            field: "tickSize",
            ..
        })
    ));
    let whole = answer("");
    for length in 0..whole.len() {
        assert!(exchange_info(&whole.as_bytes()[..length], Market::Spot).is_err());
    }
    assert!(exchange_info(br#"{"symbols":[{"symbol":5}]}"#, Market::Spot).is_err());
}
