//! The messages that are not hot, and the limits of those that are.

#![allow(clippy::unwrap_used)]

mod common;

use acth_core::instrument::InstrumentId;
use acth_wire::binance::{DecodeError, Market, Message, Symbols};
use common::{decoder, sample_decoder, symbol, text_of};

#[test]
fn answers_to_requests() {
    let mut decoder = sample_decoder(Market::Spot);
    let long = "x".repeat(300);
    let long_error = format!(r#"{{"code":-1121,"msg":"{long}"}}"#);
    for (frame, message) in [
        (r#"{"result":null,"id":1}"#, Message::Ack { id: Some(1) }),
        (
            r#"{"result":["btcusdt@trade"],"id":3}"#,
            Message::Ack { id: Some(3) },
        ),
        (r#"{"id":null,"result":null}"#, Message::Ack { id: None }),
        (
            r#"{"code":2,"msg":"Invalid request: a \"quote\""}"#,
            Message::VenueError {
                id: None,
                code: 2,
                text: "Invalid request: a \"quote\"",
            },
        ),
        (
            r#"{"error":{"code":-2,"msg":"no"},"id":7}"#,
            Message::VenueError {
                id: Some(7),
                code: -2,
                text: "no",
            },
        ),
        (
            long_error.as_str(),
            Message::VenueError {
                id: None,
                code: -1121,
                text: &long[..256],
            },
        ),
        (
            r#"{"e":"serverShutdown","E":1760000000000}"#,
            Message::ServerShutdown,
        ),
        (
            r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1760000000000}}"#,
            Message::ServerShutdown,
        ),
        (
            r#"{"stream":"!ticker@arr","data":[{"e":"24hrTicker"}]}"#,
            Message::Ignored,
        ),
        (
            r#"{"e":"kline","E":1,"s":"BTCUSDT","k":{}}"#,
            Message::Ignored,
        ),
        (r#"{"e":"somethingNew","E":1}"#, Message::Unknown),
        (r#"{}"#, Message::Unknown),
        (r#"[1,2]"#, Message::Unknown),
    ] {
        assert_eq!(decoder.decode(frame.as_bytes()), Ok(message), "{frame}");
    }
    let stats = decoder.stats();
    assert_eq!(
        (stats.frames, stats.fallbacks, stats.unknown, stats.errors),
        (13, 0, 3, 0)
    );
}

#[test]
fn partial_books_are_not_taken_for_changes() {
    let mut decoder = sample_decoder(Market::UsdM);
    let data = r#"{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSDT","U":1,"u":2,"pu":0,"b":[["1","1"]],"a":[]}"#;
    for (stream, is_change) in [
        ("btcusdt@depth", true),
        ("btcusdt@depth@100ms", true),
        ("btcusdt@depth20", false),
        ("btcusdt@depth5@100ms", false),
        ("btcusdt@rpiDepth@500ms", false),
    ] {
        let frame = format!("{{\"stream\":\"{stream}\",\"data\":{data}}}");
        let message = decoder.decode(frame.as_bytes()).unwrap();
        assert_eq!(matches!(message, Message::Depth(_)), is_change, "{stream}");
        assert_eq!(message == Message::Ignored, !is_change, "{stream}");
    }
    let spot = r#"{"stream":"btcusdt@depth5","data":{"lastUpdateId":1,"bids":[],"asks":[]}}"#;
    assert_eq!(decoder.decode(spot.as_bytes()), Ok(Message::Ignored));
}

#[test]
fn trades_outside_the_market_are_ignored() {
    let mut decoder = sample_decoder(Market::UsdM);
    let trade =
        r#"{"e":"trade","E":1,"T":1,"s":"BTCUSDT","t":5,"p":"0","q":"0","X":"NA","m":true}"#;
    assert_eq!(decoder.decode(trade.as_bytes()), Ok(Message::Ignored));
}

#[test]
fn a_missing_chain_id_is_an_error_on_futures() {
    let frame = br#"{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSDT","U":1,"u":2,"b":[],"a":[]}"#;
    assert!(matches!(
        sample_decoder(Market::UsdM).decode(frame),
        Err(DecodeError::Field { field: "pu", .. })
    ));
    let first =
        br#"{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSDT","U":1,"u":2,"pu":-1,"b":[],"a":[]}"#;
    let mut decoder = sample_decoder(Market::UsdM);
    assert!(
        matches!(decoder.decode(first), Ok(Message::Depth(depth)) if depth.previous_id.is_none())
    );
}

/// One damaged bit turns `T` into `t`; taking either of two equal names would be a guess about a number.
#[test]
fn doubled_fields_are_errors() {
    for frame in [
        r#"{"e":"trade","E":1,"s":"BTCUSDT","t":5,"p":"1","q":"1","t":2,"T":3,"m":true}"#,
        r#"{"u":1,"s":"BTCUSDT","b":"1","b":"1","B":"1","a":"2","A":"1"}"#,
        r#"{"u":1,"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}"#,
        r#"{"lastUpdateId":1,"bids":[],"asks":[],"asks":[]}"#,
    ] {
        let mut decoder = sample_decoder(Market::Spot);
        let error = decoder.decode(frame.as_bytes());
        assert!(
            matches!(
                error,
                Err(DecodeError::Field {
                    expected: "the field only once",
                    ..
                })
            ),
            "{frame}"
        );
    }
}

#[test]
fn unknown_symbols_are_counted() {
    let mut decoder = sample_decoder(Market::Spot);
    let frame = br#"{"u":1,"s":"ETHUSDT","b":"1","B":"1","a":"2","A":"1"}"#;
    assert_eq!(decoder.decode(frame), Ok(Message::Unknown));
    assert_eq!((decoder.stats().unknown, decoder.stats().errors), (1, 0));
}

#[test]
fn snapshots_need_an_instrument() {
    let body = br#"{"lastUpdateId":7,"bids":[["1.5","2"]],"asks":[]}"#;
    let mut symbols = Symbols::new();
    symbols.insert("AUSDT", symbol(4, 1, 0)).unwrap();
    symbols.insert("BUSDT", symbol(9, 2, 1)).unwrap();
    let mut decoder = acth_wire::binance::Decoder::new(Market::Spot, symbols);
    assert_eq!(decoder.decode(body), Err(DecodeError::SnapshotInstrument));
    decoder.snapshots_are_of(InstrumentId(9)).unwrap();
    let Ok(Message::Snapshot(snapshot)) = decoder.decode(body) else {
        panic!("no snapshot");
    };
    assert_eq!(
        (snapshot.instrument, snapshot.bids[0].price),
        (InstrumentId(9), 150)
    );
    let snapshot = decoder.decode_snapshot(body, InstrumentId(4)).unwrap();
    assert_eq!((snapshot.last_update_id, snapshot.bids[0].price), (7, 15));
    assert_eq!(
        decoder.decode_snapshot(body, InstrumentId(5)),
        Err(DecodeError::Instrument(5))
    );
    let refusal = br#"{"code":-1121,"msg":"Invalid symbol."}"#;
    assert_eq!(
        decoder.decode_snapshot(refusal, InstrumentId(4)),
        Err(DecodeError::Refused { code: -1121 })
    );
    let trade = br#"{"result":null,"id":1}"#;
    assert!(decoder.decode_snapshot(trade, InstrumentId(4)).is_err());
}

#[test]
fn recorded_rest_answers_are_scanned() {
    for (name, market, rows) in [
        (
            "spot_2021/depth_rest.txt",
            Market::Spot,
            [("NKNUSDT", 8, 8)],
        ),
        (
            "usdm_2021/depth_rest.txt",
            Market::UsdM,
            [("SUSHIUSDT", 8, 8)],
        ),
    ] {
        let Some(text) = text_of(name) else { return };
        let mut snapshots = decoder(market, &rows);
        let bodies = text
            .lines()
            .filter_map(|line| line.split_once(": ").map(|(_, body)| body));
        let mut count = 0;
        for body in bodies {
            let snapshot = snapshots
                .decode_snapshot(body.as_bytes(), InstrumentId(0))
                .unwrap();
            assert!(snapshot.bids.len() > 100 && snapshot.asks.len() > 100);
            assert!(snapshot.bids.is_sorted_by(|a, b| a.price > b.price));
            assert!(snapshot.asks.is_sorted_by(|a, b| a.price < b.price));
            count += 1;
        }
        assert_eq!((count, snapshots.stats().fallbacks), (4, 0), "{name}");
    }
}

#[test]
fn recorded_single_frames_are_never_errors_on_their_own_market() {
    let Some(text) = text_of("frames/binance_raw.jsonl") else {
        return;
    };
    let mut counts = [0; 3];
    for line in text.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let case = record["case"].as_str().unwrap();
        let market = if case.contains("spot") {
            Market::Spot
        } else {
            Market::UsdM
        };
        let mut decoder = decoder(market, &[("BTCUSDT", 8, 8), ("ETHUSDT", 8, 8)]);
        decoder.snapshots_are_of(InstrumentId(0)).unwrap();
        match decoder.decode(record["raw"].as_str().unwrap().as_bytes()) {
            Ok(Message::Ignored) => counts[1] += 1,
            Ok(Message::Unknown) => counts[2] += 1,
            Ok(_) => counts[0] += 1,
            Err(error) => panic!("{case}: {error}"),
        }
    }
    assert_eq!(counts.iter().sum::<i32>(), 51);
    assert!(counts[0] >= 10, "{counts:?}");
}
