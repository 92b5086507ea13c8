//! Rows, names and clocks of the Lean format: every layout by hand, and bytes that mean nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

use acth_wire::lean::{
    Day, EntryName, Layout, NameError, PriceForm, Quoted, Resolution, RowBody, RowError, RowKind,
    Zone,
};
use proptest::prelude::*;

const LAYOUTS: [Layout; 5] = [
    Layout::PlainQuote,
    Layout::TickQuote,
    Layout::TickTrade,
    Layout::QuoteBar,
    Layout::TradeBar,
];
const HOUR_NS: i64 = 3_600_000_000_000;

const fn quoted(price: i64, size: i64) -> Option<Quoted> {
    Some(Quoted { price, size })
}

fn body(layout: Layout, text: &str, form: PriceForm) -> RowBody {
    layout.parse(text.as_bytes(), form).unwrap().body
}

#[test]
fn every_layout_is_read() {
    let row = Layout::PlainQuote
        .parse(b"42.4312,1290.33,1290.6605", PriceForm::Decimal(4))
        .unwrap();
    assert_eq!(row.since_midnight_ns, 42_431_200);
    let (bid, ask) = (quoted(12_903_300, 0), quoted(12_906_605, 0));
    assert_eq!(row.body, RowBody::Quote { bid, ask });

    let scaled = PriceForm::TenThousandths;
    let bar = "14401000,1669500,1674400,1669400,1674200,200,1675500,1675900,1675100,1675300,100";
    let (bid, ask) = (quoted(1_674_200, 200), quoted(1_675_300, 100));
    assert_eq!(
        body(Layout::QuoteBar, bar, scaled),
        RowBody::Quote { bid, ask }
    );
    let bar = "29000000,481800,481900,481700,481850,700";
    let close = Quoted {
        price: 481_850,
        size: 700,
    };
    assert_eq!(body(Layout::TradeBar, bar, scaled), RowBody::Trade(close));
    let tick = "374,1323.4,1,usa,,0";
    let trade = Quoted {
        price: 13_234,
        size: 1,
    };
    assert_eq!(
        body(Layout::TickTrade, tick, PriceForm::Decimal(1)),
        RowBody::Trade(trade)
    );
    let tick = "14400142,0,0,139200,500,P,1,0";
    let (bid, ask) = (None, quoted(139_200, 500));
    assert_eq!(
        body(Layout::TickQuote, tick, scaled),
        RowBody::Quote { bid, ask }
    );
}

#[test]
fn a_side_may_be_missing_and_a_row_doubtful() {
    let form = PriceForm::Decimal(2);
    let bar = "60000,,,,,0,1655.25,1655.25,1654.75,1655,6";
    let (bid, ask) = (None, quoted(165_500, 6));
    assert_eq!(
        body(Layout::QuoteBar, bar, form),
        RowBody::Quote { bid, ask }
    );
    let no_size = "60000,1,1,1,1,0,2,2,2,2,6";
    let (bid, ask) = (quoted(100, 0), quoted(200, 6));
    assert_eq!(
        body(Layout::QuoteBar, no_size, form),
        RowBody::Quote { bid, ask }
    );
    let tick = "72000646,0,0,1850000,100,P,1,1";
    let scaled = PriceForm::TenThousandths;
    assert_eq!(body(Layout::TickQuote, tick, scaled), RowBody::Suspicious);
}

#[test]
fn what_is_wrong_is_named() {
    let parse = |text: &str| Layout::TickTrade.parse(text.as_bytes(), PriceForm::Decimal(1));
    let say = |text: &str| parse(text).unwrap_err().to_string();
    assert_eq!(say("374,1323.4,1"), "expected 6 columns, found 3");
    assert_eq!(
        say("374,1323.45,1,usa,,0"),
        "column 2, byte 6: expected at most 1 decimal places, found another digit"
    );
    assert_eq!(
        say("374,x,1,usa,,0"),
        "column 2, byte 0: expected a digit, found 0x78"
    );
    assert_eq!(parse("86400000,1,1,a,,0"), Err(RowError::Time));
    assert_eq!(parse(",1,1,a,,0"), Err(RowError::Time));
    assert_eq!(parse("1,,1,a,,0"), Err(RowError::Price(2)));
    assert_eq!(parse("1,1,1,a,,2"), Err(RowError::Mark(6)));
    let open_is_text = Layout::TradeBar.parse(b"1,x,1,1,1,1", PriceForm::Decimal(1));
    assert!(matches!(
        open_is_text,
        Err(RowError::Number { column: 2, .. })
    ));
}

#[test]
fn places_are_those_in_use() {
    let places = |text: &str| Layout::PlainQuote.price_places(text.as_bytes()).unwrap();
    assert_eq!(places("1,1290,1291.20"), 1);
    assert_eq!(places("1,1290.8755,1291.20"), 4);
}

#[test]
fn names_are_read() {
    let name = EntryName::parse("20131008_es_minute_quote_201312.csv").unwrap();
    assert_eq!(name.day, Day::parse("20131008").unwrap());
    assert_eq!(
        (name.symbol.as_str(), name.resolution, name.kind),
        ("ES", Resolution::Minute, RowKind::Quote)
    );
    assert_eq!(name.contract.as_deref(), Some("201312"));
    let name = EntryName::parse("20131008_bac_Trade_Tick.csv").unwrap();
    assert_eq!(
        (name.resolution, name.kind),
        (Resolution::Tick, RowKind::Trade)
    );
    assert_eq!(name.contract, None);
    let cases = [
        ("20131008_es_minute_quote.txt", NameError::Ending),
        ("es_minute_quote.csv", NameError::Day),
        ("20131308_es_minute_quote.csv", NameError::Day),
        ("20131008__minute_quote.csv", NameError::Symbol),
        ("20131008_es_daily_quote.csv", NameError::Part),
        ("20131008_es_quote.csv", NameError::Resolution),
        ("20131008_es_minute.csv", NameError::Kind),
        ("20131008_es_minute_quote_call.csv", NameError::Part),
    ];
    for (text, error) in cases {
        assert_eq!(EntryName::parse(text), Err(error), "{text}");
    }
}

#[test]
fn midnights_by_the_clock_of_the_market() {
    // Seconds since 1970 of midnight UTC, from `date -u -d DAY +%s`; hours by which New York is behind.
    let cases = [
        ("20131008", 1_381_190_400, 4),
        ("20140508", 1_399_507_200, 4),
        ("20140308", 1_394_236_800, 5),
        ("20140309", 1_394_323_200, 4),
        ("20141101", 1_414_800_000, 4),
        ("20141102", 1_414_886_400, 5),
        ("20000229", 951_782_400, 5),
        ("20060401", 1_143_849_600, 5),
        ("20060402", 1_143_936_000, 4),
        ("20061028", 1_161_993_600, 4),
        ("20061029", 1_162_080_000, 5),
        ("19700101", 0, 5),
    ];
    for (text, utc_seconds, behind_hours) in cases {
        let day = Day::parse(text).unwrap();
        let utc_ns = utc_seconds * 1_000_000_000;
        assert_eq!(Zone::Utc.midnight_utc_ns(day), utc_ns, "{text}");
        let standard_ns = Zone::EasternStandard.midnight_utc_ns(day);
        assert_eq!(standard_ns, utc_ns + 5 * HOUR_NS, "{text}");
        let new_york_ns = Zone::NewYork.midnight_utc_ns(day);
        assert_eq!(new_york_ns, utc_ns + behind_hours * HOUR_NS, "{text}");
    }
    for text in [
        "20130229", "20131301", "20130100", "19691231", "2013100", "2013100x",
    ] {
        assert_eq!(Day::parse(text), None, "{text}");
    }
}

/// Bytes that are often nearly a row.
fn nearly_a_row() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        "[0-9]{0,20}",
        "[0-9]{1,6}\\.[0-9]{0,8}",
        Just(String::from("-1")),
        Just(String::new()),
        Just(String::from("1")),
        Just(String::from("0")),
    ];
    let row = prop::collection::vec(field, 0..14).prop_map(|fields| fields.join(",").into_bytes());
    prop_oneof![row, prop::collection::vec(any::<u8>(), 0..80)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn no_bytes_make_it_panic(line in nearly_a_row(), exponent in 0u8..20) {
        for layout in LAYOUTS {
            let _ = layout.price_places(&line);
            for form in [PriceForm::Decimal(exponent), PriceForm::TenThousandths] {
                let Ok(row) = layout.parse(&line, form) else { continue };
                prop_assert!((0..24 * HOUR_NS).contains(&row.since_midnight_ns));
                let sides = match row.body {
                    RowBody::Quote { bid, ask } => [bid, ask],
                    RowBody::Trade(trade) => [Some(trade), None],
                    RowBody::Suspicious => [None; 2],
                };
                for side in sides.into_iter().flatten() {
                    prop_assert!(side.price > 0 && side.size >= 0);
                }
            }
        }
    }

    #[test]
    fn no_name_makes_it_panic(name in "(20131008_)?[a-z0-9_é]{0,30}(\\.csv)?") {
        if let Ok(read) = EntryName::parse(&name) {
            prop_assert!(!read.symbol.is_empty());
        }
    }

    #[test]
    fn a_bar_counts_by_its_close(
        ms in 0i64..86_400_000,
        closes in (1i64..1_000_000, 1i64..1_000_000),
        sizes in (1i64..9_999, 1i64..9_999),
    ) {
        let (bid, ask) = closes;
        let text = format!("{ms},7,9,3,{bid},{},5,8,4,{ask},{}", sizes.0, sizes.1);
        let row = Layout::QuoteBar.parse(text.as_bytes(), PriceForm::TenThousandths).unwrap();
        prop_assert_eq!(row.since_midnight_ns, ms * 1_000_000);
        let expected = RowBody::Quote { bid: quoted(bid, sizes.0), ask: quoted(ask, sizes.1) };
        prop_assert_eq!(row.body, expected);
    }
}
