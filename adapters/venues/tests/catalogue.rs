//! Instruments from recorded `exchangeInfo` answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

mod support;

use std::{
    fs::{self, File},
    io::{Read, Write},
};

use acth_core::instrument::{Contract, Instruments};
use acth_venues::{
    binance::{
        Market,
        catalogue::{Listing, built_in},
    },
    capture::CaptureSpec,
};
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use support::data_file;

/// The recorder put an address and a time before the answer.
fn answer(text: &str) -> &str {
    let line = text
        .lines()
        .find(|line| line.contains("\"symbols\""))
        .unwrap();
    &line[line.find('{').unwrap()..]
}

#[test]
fn a_recorded_answer_gives_usable_instruments() {
    let Some(path) = data_file("crypto/binance/usdm_2021/exchange_info.txt") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path_plain = folder.path().join("usdm.json");
    fs::write(&path_plain, answer(&fs::read_to_string(path).unwrap())).unwrap();
    let listing = Listing::read(&CaptureSpec::parse(path_plain.to_str().unwrap())).unwrap();
    assert_eq!(listing.market, Market::UsdM);
    let btc = listing.find("BTCUSDT").unwrap();
    assert_eq!(
        (btc.price_exponent, btc.tick, btc.quantity_exponent, btc.lot),
        (2, 1, 3, 1)
    );
    assert_eq!((btc.base.as_str(), btc.quote.as_str()), ("BTC", "USDT"));
    assert_eq!((btc.maker_fee_ppm, btc.taker_fee_ppm), (200, 500));
    assert_eq!(btc.contract, Contract::Perpetual);
    assert_eq!(listing.find("NOSUCH"), None);
}

#[test]
fn spot_quantities_keep_the_decimals_of_the_texts() {
    let Some(path) = data_file("crypto/binance/spot_2021/exchange_info.txt.gz") else {
        return;
    };
    let mut text = String::new();
    MultiGzDecoder::new(File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let packed = folder.path().join("spot.gz");
    let mut encoder = GzEncoder::new(File::create(&packed).unwrap(), Compression::fast());
    encoder.write_all(answer(&text).as_bytes()).unwrap();
    encoder.finish().unwrap();
    let listing = Listing::read(&CaptureSpec::parse(packed.to_str().unwrap())).unwrap();
    assert_eq!(listing.market, Market::Spot);
    for (symbol, lot) in [("BTCUSDT", 1_000), ("ETHUSDT", 10_000)] {
        let row = listing.find(symbol).unwrap();
        let known = built_in(Market::Spot, symbol).unwrap();
        assert_eq!(
            (row.price_exponent, row.quantity_exponent, row.tick),
            (2, 8, 1)
        );
        assert_eq!(
            (row.tick, row.quantity_exponent),
            (known.tick, known.quantity_exponent)
        );
        assert!(row.lot > 0 && row.lot <= lot, "{symbol}: {}", row.lot);
        assert_eq!(known.lot, lot);
    }
    // Whatever is listed must fit exact money, or be refused by the table with its name.
    let usable = listing
        .rules
        .iter()
        .filter_map(|rules| listing.find(&rules.symbol));
    let usable = usable
        .filter(|row| Instruments::new(vec![row.clone()]).is_ok())
        .count();
    assert!(
        usable * 100 > listing.rules.len() * 95,
        "{usable} of {}",
        listing.rules.len()
    );
}

#[test]
fn what_is_no_answer_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.json");
    fs::write(&path, "{\"symbols\":").unwrap();
    let error = Listing::read(&CaptureSpec::parse(path.to_str().unwrap())).unwrap_err();
    assert!(error.place.ends_with("bad.json"), "{error}");
}
