//! What the venue says of the account, in the forms of its documents; damaged answers are errors and no panics.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use acth_wire::{
    binance::{
        AccountUpdate, DecodeError, Holding, UpdateReason, account_update, balances, positions,
        refusal, server_time,
    },
    decimal::Fixed,
    http::keyed_request,
};
use proptest::prelude::*;

const SPOT: &str = r#"{"makerCommission":15,"balances":[
    {"asset":"BTC","free":"4723846.89208129","locked":"0.00000001"},
    {"asset":"LTC","free":"0.00000000","locked":"0.50000000"}],"permissions":["SPOT"]}"#;
const RISK: &str = r#"[
    {"symbol":"BTCUSDT","positionAmt":"-0.012","entryPrice":"0.0","positionSide":"BOTH"},
    {"symbol":"ETHUSDT","positionAmt":"2.5","positionSide":"LONG"},
    {"symbol":"ETHUSDT","positionAmt":"-1.25","positionSide":"SHORT"}]"#;
const FUNDING: &str = r#"{"e":"ACCOUNT_UPDATE","E":1760000000013,"T":1760000000012,"a":{"m":"FUNDING_FEE",
    "B":[{"a":"USDT","wb":"122624.12345678","cw":"100.12345678","bc":"-0.60123456"}]}}"#;
const ISOLATED: &str = r#"{"e":"ACCOUNT_UPDATE","E":3,"T":2,"a":{"m":"FUNDING_FEE",
    "B":[{"a":"USDT","wb":"1","cw":"1","bc":"0.25"}],
    "P":[{"s":"BTCUSDT","pa":"-0.5","ep":"0","cr":"200","up":"0","mt":"isolated","iw":"0","ps":"BOTH"}]}}"#;

fn holding(name: &str, mantissa: i64, exponent: u8) -> Holding {
    Holding {
        name: name.into(),
        quantity: Fixed { mantissa, exponent },
    }
}

#[test]
fn a_spot_account_holds_what_is_free_and_what_is_locked() {
    assert_eq!(
        balances(SPOT.as_bytes()).unwrap(),
        [holding("BTC", 472_384_689_208_130, 8), holding("LTC", 5, 1)]
    );
}

#[test]
fn positions_are_signed_and_legs_are_one() {
    assert_eq!(
        positions(RISK.as_bytes()).unwrap(),
        [holding("BTCUSDT", -12, 3), holding("ETHUSDT", 125, 2)]
    );
}

#[test]
fn funding_is_told_from_other_updates() {
    let update = account_update(FUNDING.as_bytes()).unwrap();
    let expected = AccountUpdate {
        reason: UpdateReason::FundingFee,
        ts_engine_ms: 1_760_000_000_012,
        changes: vec![holding("USDT", -60_123_456, 8)],
        positions: Vec::new(),
    };
    assert_eq!(update, Some(expected));
    let update = account_update(ISOLATED.as_bytes()).unwrap().unwrap();
    assert_eq!(update.positions, [holding("BTCUSDT", -5, 1)]);
    for (word, reason) in [
        ("ORDER", UpdateReason::Order),
        ("DEPOSIT", UpdateReason::Other),
    ] {
        let text = FUNDING.replace("FUNDING_FEE", word);
        let update = account_update(text.as_bytes()).unwrap().unwrap();
        assert_eq!(update.reason, reason);
    }
    let order = br#"{"e":"ORDER_TRADE_UPDATE","E":1,"T":1,"o":{"s":"BTCUSDT"}}"#;
    assert_eq!(account_update(order), Ok(None));
    for field in ["T", "a"] {
        let text = FUNDING.replace(&format!("\"{field}\":"), "\"x\":");
        let error = account_update(text.as_bytes()).unwrap_err();
        assert!(
            matches!(error, DecodeError::Field { field: named, .. } if named == field)
                || matches!(error, DecodeError::Shape { .. }),
            "{error}"
        );
    }
}

#[test]
fn time_and_refusals_are_read() {
    assert_eq!(
        server_time(br#"{"serverTime":1499827319559}"#),
        Ok(1_499_827_319_559)
    );
    assert_eq!(
        refusal(br#"{"code":-2011,"msg":"Unknown order sent."}"#),
        Some((-2011, "Unknown order sent.".into()))
    );
    assert_eq!(refusal(b"[]"), None);
}

#[test]
fn a_keyed_request_has_its_method_and_key_and_no_foreign_header() {
    let text = keyed_request("DELETE", "h:1", "/a?b=c", "key").unwrap();
    assert!(text.starts_with("DELETE /a?b=c HTTP/1.1\r\nHost: h:1\r\n"));
    assert!(text.contains("\r\nX-MBX-APIKEY: key\r\n") && text.ends_with("\r\n\r\n"));
    for (method, target, key) in [
        ("GET /", "/", "k"),
        ("GET", "/ a", "k"),
        ("GET", "/", "k\r\n"),
    ] {
        assert!(keyed_request(method, "h", target, key).is_err());
    }
}

#[test]
fn numbers_that_are_not_exact_are_refused() {
    for text in [
        "+1",
        "1e3",
        "",
        "-",
        "--1",
        "9223372036854775808",
        "0.1234567890123456789",
    ] {
        let body = RISK.replace("-0.012", text);
        let error = positions(body.as_bytes()).unwrap_err();
        assert!(
            matches!(error, DecodeError::Decimal { .. }),
            "{text}: {error}"
        );
    }
    let body = SPOT.replace("4723846.89208129", "92233720368.54775807");
    assert!(
        balances(body.as_bytes()).is_err(),
        "the sum leaves its integer"
    );
}

proptest! {
    #[test]
    fn damage_is_an_error_or_another_value(place in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
        for text in [SPOT, RISK, FUNDING, ISOLATED] {
            let mut bytes = text.as_bytes().to_vec();
            let index = place.index(bytes.len());
            bytes[index] = byte;
            let whole = bytes.len();
            for end in [whole, cut.index(whole)] {
                let _ = balances(&bytes[..end]);
                let _ = positions(&bytes[..end]);
                let _ = account_update(&bytes[..end]);
                let _ = refusal(&bytes[..end]);
            }
        }
    }
}
