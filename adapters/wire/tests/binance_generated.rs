//! Generated messages of every shape: what was written is what is read, without fallback.

#![allow(clippy::unwrap_used)]

mod common;

use acth_core::{
    event::{Level, MarkFunding, Side},
    instrument::InstrumentId,
};
use acth_wire::{
    binance::{Decoder, Depth, Market, Message},
    decimal::Fixed,
};
use common::decoder;
use proptest::prelude::*;

/// A mantissa as the venue would write it: with trailing zeros up to some places, or without.
fn text_of(mantissa: i64, exponent: u8, padding: usize) -> String {
    let text = Fixed { mantissa, exponent }.to_string();
    if text.contains('.') {
        format!("{text}{}", "0".repeat(padding))
    } else {
        text
    }
}

fn levels() -> impl Strategy<Value = Vec<(i64, i64)>> {
    let number = prop_oneof![0..1_000_i64, 0..1_000_000_000_000_i64, Just(0), 0..i64::MAX];
    prop::collection::vec((number.clone(), number), 0..60)
}

fn write_levels(levels: &[(i64, i64)], exponents: (u8, u8), padding: usize) -> String {
    let level = |(price, quantity): &(i64, i64)| {
        let price = text_of(*price, exponents.0, padding);
        let quantity = text_of(*quantity, exponents.1, padding);
        format!("[\"{price}\",\"{quantity}\"]")
    };
    levels.iter().map(level).collect::<Vec<_>>().join(",")
}

fn as_levels(levels: &[(i64, i64)]) -> Vec<Level> {
    let level = |&(price, quantity): &(i64, i64)| Level { price, quantity };
    levels.iter().map(level).collect()
}

fn one_symbol(market: Market, exponents: (u8, u8)) -> Decoder {
    decoder(
        market,
        &[("OTHER", 0, 0), ("ABC1USDT", exponents.0, exponents.1)],
    )
}

fn wrapped(stream: &str, data: String, is_wrapped: bool) -> String {
    if is_wrapped {
        format!("{{\"stream\":\"abc1usdt@{stream}\",\"data\":{data}}}")
    } else {
        data
    }
}

proptest! {
    #[test]
    fn depth_updates(
        bids in levels(),
        asks in levels(),
        ids in (0..u64::MAX / 10, 0..u64::MAX / 10, 0..u64::MAX / 10),
        time_ms in 0..9_000_000_000_000_i64,
        exponents in (0..=12_u8, 0..=12_u8),
        padding in 0..10_usize,
        is_wrapped: bool,
        market in prop_oneof![Just(Market::Spot), Just(Market::UsdM)],
    ) {
        let (engine, previous) = match market {
            Market::Spot => (String::new(), String::new()),
            Market::UsdM => (format!("\"T\":{time_ms},"), format!("\"pu\":{},", ids.2)),
        };
        let data = format!(
            "{{\"e\":\"depthUpdate\",\"E\":{time_ms},{engine}\"s\":\"ABC1USDT\",\"U\":{},\"u\":{},{previous}\"b\":[{}],\"a\":[{}]}}",
            ids.0, ids.1,
            write_levels(&bids, exponents, padding),
            write_levels(&asks, exponents, padding),
        );
        let frame = wrapped("depth@100ms", data, is_wrapped);
        let (bids, asks) = (as_levels(&bids), as_levels(&asks));
        let expected = Message::Depth(Depth {
            instrument: InstrumentId(1),
            first_id: ids.0,
            final_id: ids.1,
            previous_id: (market == Market::UsdM).then_some(ids.2),
            ts_venue_ns: time_ms * 1_000_000,
            bids: &bids,
            asks: &asks,
        });
        let mut decoder = one_symbol(market, exponents);
        prop_assert_eq!(decoder.decode(frame.as_bytes()), Ok(expected));
        prop_assert_eq!(decoder.stats().fallbacks, 0);
        prop_assert_eq!(decoder.decode_with_oracle(frame.as_bytes()), Ok(expected));
        // The same fields in another order: only the general parser reads that, with the same result.
        let turned = frame.replace("\"s\":\"ABC1USDT\",", "").replace("\"a\":[", "\"s\":\"ABC1USDT\",\"a\":[");
        prop_assert_eq!(decoder.decode(turned.as_bytes()), Ok(expected));
        prop_assert_eq!(decoder.stats().fallbacks, 1);
    }

    #[test]
    fn trades_and_tickers(
        numbers in (0..i64::MAX, 0..i64::MAX, 0..1_000_000_000_i64, 0..1_000_000_000_i64),
        ids in (0..u64::MAX / 10, 0..u64::MAX / 10),
        time_ms in 0..9_000_000_000_000_i64,
        exponents in (0..=8_u8, 0..=8_u8),
        padding in 0..8_usize,
        is_buyer_maker: bool,
        is_wrapped: bool,
    ) {
        let price = text_of(numbers.0, exponents.0, padding);
        let quantity = text_of(numbers.1, exponents.1, padding);
        let mut decoder = one_symbol(Market::Spot, exponents);
        let head = format!("\"E\":{time_ms},\"s\":\"ABC1USDT\"");
        let numbers_text = format!("\"p\":\"{price}\",\"q\":\"{quantity}\"");
        let tail = format!("\"T\":{time_ms},\"m\":{is_buyer_maker},\"M\":true");
        let single = format!("{{\"e\":\"trade\",{head},\"t\":{},{numbers_text},{tail}}}", ids.0);
        let aggregate = format!(
            "{{\"e\":\"aggTrade\",{head},\"a\":7,{numbers_text},\"f\":{},\"l\":{},{tail}}}",
            ids.0, ids.1,
        );
        for (frame, final_id) in [(single, ids.0), (aggregate, ids.1)] {
            let frame = wrapped("trade", frame, is_wrapped);
            let Ok(Message::Trade { instrument, aggressor, trade, ts_venue_ns }) = decoder.decode(frame.as_bytes()) else {
                panic!("no trade: {frame}");
            };
            prop_assert_eq!(instrument, InstrumentId(1));
            prop_assert_eq!(aggressor, if is_buyer_maker { Side::Ask } else { Side::Bid });
            prop_assert_eq!((trade.price, trade.quantity), (numbers.0, numbers.1));
            prop_assert_eq!((trade.trade_id, trade.trade_id_final), (ids.0, final_id));
            prop_assert_eq!(ts_venue_ns, time_ms * 1_000_000);
        }
        let (ask, ask_quantity) = (text_of(numbers.2, exponents.0, padding), text_of(numbers.3, exponents.1, padding));
        let ticker = format!(
            "{{\"u\":{},\"s\":\"ABC1USDT\",\"b\":\"{price}\",\"B\":\"{quantity}\",\"a\":\"{ask}\",\"A\":\"{ask_quantity}\"}}",
            ids.0,
        );
        let frame = wrapped("bookTicker", ticker, is_wrapped);
        let Ok(Message::Bbo { bbo, ts_venue_ns, .. }) = decoder.decode(frame.as_bytes()) else {
            panic!("no ticker: {frame}");
        };
        prop_assert_eq!((bbo.bid.price, bbo.bid.quantity), (numbers.0, numbers.1));
        prop_assert_eq!((bbo.ask.price, bbo.ask.quantity), (numbers.2, numbers.3));
        prop_assert_eq!((bbo.update_id, ts_venue_ns), (ids.0, 0));
        prop_assert_eq!(decoder.stats().fallbacks, 0);
    }

    #[test]
    fn mark_prices(
        numbers in (0..10_000_000_000_i128, 0..10_000_000_000_i128),
        written_exponent in 0..=12_u8,
        exponent in 0..=8_u8,
        rate in prop_oneof![-1_000_000_000_000..=1_000_000_000_000_i64, -9..9_i64],
        times_ms in (0..9_000_000_000_000_i64, 0..9_000_000_000_000_i64),
        is_index_last: bool,
        is_wrapped: bool,
    ) {
        let text = |mantissa: i128| text_of(mantissa as i64, written_exponent, 0);
        let index = format!(",\"i\":\"{}\"", text(numbers.1));
        let settlement = ",\"P\":\"5.25\"";
        let between = if is_index_last { format!("{settlement}{index}") } else { format!("{index}{settlement}") };
        let data = format!(
            "{{\"e\":\"markPriceUpdate\",\"E\":{},\"s\":\"ABC1USDT\",\"p\":\"{}\"{between},\"r\":\"{}\",\"T\":{}}}",
            times_ms.0, text(numbers.0), Fixed { mantissa: rate, exponent: 12 }, times_ms.1,
        );
        let frame = wrapped("markPrice@1s", data, is_wrapped);
        // By division, where the reader rounds by a digit.
        let nearest = |mantissa: i128| {
            let scaled = mantissa * 10_i128.pow(u32::from(exponent));
            let one = 10_i128.pow(u32::from(written_exponent));
            ((2 * scaled + one) / (2 * one)) as i64
        };
        let expected = Message::MarkFunding {
            instrument: InstrumentId(1),
            announced: MarkFunding {
                mark_price: nearest(numbers.0),
                index_price: nearest(numbers.1),
                rate,
                ts_next_ns: times_ms.1 * 1_000_000,
                reserved: 0,
            },
            ts_venue_ns: times_ms.0 * 1_000_000,
        };
        let mut decoder = one_symbol(Market::UsdM, (exponent, 0));
        prop_assert_eq!(decoder.decode(frame.as_bytes()), Ok(expected));
        prop_assert_eq!(decoder.stats().fallbacks, 0);
        prop_assert_eq!(decoder.decode_with_oracle(frame.as_bytes()), Ok(expected));
        // Another order of fields is for the general parser.
        let turned = frame.replace("\"s\":\"ABC1USDT\",", "").replace(",\"r\":", ",\"s\":\"ABC1USDT\",\"r\":");
        prop_assert_eq!(decoder.decode(turned.as_bytes()), Ok(expected));
        prop_assert_eq!(decoder.stats().fallbacks, 1);
        // A contract that is delivered has no funding: no message and no error.
        let rate_text = format!("\"r\":\"{}\"", Fixed { mantissa: rate, exponent: 12 });
        let delivered = frame.replace(&rate_text, "\"r\":\"\"");
        prop_assert_eq!(decoder.decode(delivered.as_bytes()), Ok(Message::Ignored));
        prop_assert_eq!(decoder.decode_with_oracle(delivered.as_bytes()), Ok(Message::Ignored));
        prop_assert_eq!((decoder.stats().fallbacks, decoder.stats().errors), (1, 0));
        let mut spot = one_symbol(Market::Spot, (exponent, 0));
        prop_assert_eq!(spot.decode(frame.as_bytes()), Ok(Message::Ignored));
    }
}
