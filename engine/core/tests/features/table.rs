//! The table: names that are unique, places that fit, a hash that sees every text.

use std::collections::BTreeSet;

use acth_core::features::{FEATURE_COUNT, FEATURES, Feature, feature_table_hash, index_of};

/// `OrderFlow10s` as `order_flow_10s`.
fn snake_case(name: &str) -> String {
    let mut out = String::new();
    let mut is_digit_before = false;
    for letter in name.chars() {
        let begins = letter.is_uppercase() || (letter.is_ascii_digit() && !is_digit_before);
        if begins && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
        is_digit_before = letter.is_ascii_digit();
    }
    out
}

#[test]
fn no_name_stands_twice_and_every_text_is_there() {
    let names: BTreeSet<_> = FEATURES.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), FEATURE_COUNT);
    for row in &FEATURES {
        for text in [row.name, row.unit, row.window, row.source] {
            assert!(
                !text.is_empty() && text.trim() == text && text.is_ascii(),
                "{row:?}"
            );
        }
    }
}

#[test]
fn the_places_are_those_of_the_table() {
    let places = [
        Feature::MicropriceOffset,
        Feature::Spread,
        Feature::ImbalanceTop,
        Feature::ImbalanceFive,
        Feature::OrderFlow1s,
        Feature::OrderFlow10s,
        Feature::TradeSign1s,
        Feature::TradeSign10s,
        Feature::TradeRate1s,
        Feature::TradeRate10s,
        Feature::QuoteRate1s,
        Feature::Return100ms,
        Feature::Return1s,
        Feature::Return10s,
        Feature::VolatilityTime,
        Feature::VolatilityEvent,
        Feature::VolatilityVolume,
        Feature::Carry,
        Feature::Funding,
        Feature::SessionSine,
        Feature::SessionCosine,
        Feature::Weekend,
        Feature::LeaderMove,
        Feature::PairZ,
        Feature::RegimeBusy,
        Feature::MarketReturn1s,
    ];
    assert_eq!(places.len(), FEATURE_COUNT);
    for feature in places {
        let name = snake_case(&format!("{feature:?}"));
        assert_eq!(index_of(&name), Some(feature as usize), "{name}");
    }
    assert_eq!(index_of("no_such_feature"), None);
}

/// The hash in plain words, over one string.
#[test]
fn the_hash_is_fnv_1a_over_all_texts() {
    let mut text = String::new();
    for row in &FEATURES {
        for part in [row.name, row.unit, row.window, row.source] {
            text.push_str(part);
            text.push('\0');
        }
    }
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    const COMPILED: u64 = feature_table_hash();
    assert_eq!(COMPILED, hash);
}
