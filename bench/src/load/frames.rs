//! Frames in the form of the venue's streams, with numbers whose lengths vary as they do there.

use super::numbers::Numbers;

/// One frame for each seed from 0.
pub fn made(count: u64, frame: impl Fn(&mut Numbers) -> String) -> Vec<String> {
    (0..count)
        .map(|seed| frame(&mut Numbers::new(seed * 2_654_435_761 + 97)))
        .collect()
}

fn levels(numbers: &mut Numbers, base: u64, count: usize, places: usize) -> String {
    let zeros = "0".repeat(places - 2);
    let level = |index: usize| {
        let price = base + index as u64 * 37 + numbers.below(37);
        let (whole, cents) = (price / 100, price % 100);
        let (units, parts) = (numbers.below(20), numbers.below(1000));
        if places == 2 {
            format!("[\"{whole}.{cents:02}\",\"{units}.{parts:03}\"]")
        } else {
            format!("[\"{whole}.{cents:02}{zeros}\",\"{units}.{parts:03}00000\"]")
        }
    };
    (0..count).map(level).collect::<Vec<_>>().join(",")
}

/// USD-M `@depth` with `count` levels, half on each side.
pub fn depth_usdm(numbers: &mut Numbers, count: usize) -> String {
    let first_id = 5_123_107_832_006 + numbers.below(1_000_000);
    let (bids, asks) = (
        levels(numbers, 6_173_000, count / 2, 2),
        levels(numbers, 6_178_000, count / 2, 2),
    );
    format!(
        "{{\"stream\":\"btcusdt@depth@0ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":1723161256299,\
         \"T\":1723161256298,\"s\":\"BTCUSDT\",\"U\":{first_id},\"u\":{},\"pu\":{},\"b\":[{bids}],\
         \"a\":[{asks}]}}}}",
        first_id + 31,
        first_id - 69,
    )
}

/// Spot `@depth` with `count` levels, half on each side.
pub fn depth_spot(numbers: &mut Numbers, count: usize) -> String {
    let first_id = 50_093_212_006 + numbers.below(1_000_000);
    let (bids, asks) = (
        levels(numbers, 6_173_000, count / 2, 8),
        levels(numbers, 6_178_000, count / 2, 8),
    );
    format!(
        "{{\"stream\":\"btcusdt@depth@100ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":1723161256299,\
         \"s\":\"BTCUSDT\",\"U\":{first_id},\"u\":{},\"b\":[{bids}],\"a\":[{asks}]}}}}",
        first_id + 31,
    )
}

/// Spot `@bookTicker`.
pub fn ticker_spot(numbers: &mut Numbers) -> String {
    format!(
        "{{\"stream\":\"btcusdt@bookTicker\",\"data\":{{\"u\":500932{:05},\"s\":\"BTCUSDT\",\
         \"b\":\"61837.{:02}000000\",\"B\":\"{}.78826000\",\"a\":\"61838.{:02}000000\",\
         \"A\":\"{}.54698000\"}}}}",
        numbers.below(100_000),
        numbers.below(100),
        numbers.below(13),
        numbers.below(100),
        numbers.below(11)
    )
}

/// USD-M `@bookTicker`.
pub fn ticker_usdm(numbers: &mut Numbers) -> String {
    format!(
        "{{\"stream\":\"btcusdt@bookTicker\",\"data\":{{\"e\":\"bookTicker\",\"u\":51231078{:05},\
         \"s\":\"BTCUSDT\",\"b\":\"61837.{}0\",\"B\":\"{}.788\",\"a\":\"61838.{}0\",\"A\":\"{}.546\",\
         \"T\":1723161256298,\"E\":1723161256299}}}}",
        numbers.below(100_000),
        numbers.below(10),
        numbers.below(13),
        numbers.below(10),
        numbers.below(11)
    )
}

/// Spot `@trade`.
pub fn trade_spot(numbers: &mut Numbers) -> String {
    format!(
        "{{\"stream\":\"btcusdt@trade\",\"data\":{{\"e\":\"trade\",\"E\":1723161255343,\
         \"s\":\"BTCUSDT\",\"t\":37356{:05},\"p\":\"61837.{:02}000000\",\"q\":\"0.0{}000000\",\
         \"T\":1723161255342,\"m\":{},\"M\":true}}}}",
        numbers.below(100_000),
        numbers.below(100),
        numbers.below(10),
        numbers.below(3) == 0
    )
}

/// USD-M `@aggTrade`.
pub fn aggregate_usdm(numbers: &mut Numbers) -> String {
    let first_id = 5_260_000_000 + numbers.below(100_000);
    format!(
        "{{\"stream\":\"btcusdt@aggTrade\",\"data\":{{\"e\":\"aggTrade\",\"E\":1723161255343,\
         \"a\":22950{:05},\"s\":\"BTCUSDT\",\"p\":\"61837.{}0\",\"q\":\"0.{:03}\",\"f\":{first_id},\
         \"l\":{},\"T\":1723161255342,\"m\":{}}}}}",
        numbers.below(100_000),
        numbers.below(10),
        numbers.below(1000),
        first_id + numbers.below(5),
        numbers.below(3) == 0
    )
}

/// Bytes before the update id of a `ticker_padded`.
pub const TICKER_ID_FIRST: usize = "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":".len();

/// Spot `@bookTicker` of always the same length, with an update id of so many digits that begins with 1.
pub fn ticker_padded(numbers: &mut Numbers, id_digits: usize) -> String {
    let zeros = "0".repeat(id_digits - 1);
    format!(
        "{{\"stream\":\"btcusdt@bookTicker\",\"data\":{{\"u\":1{zeros},\"s\":\"BTCUSDT\",\
         \"b\":\"61837.{:02}000000\",\"B\":\"{}.78800000\",\"a\":\"61838.{:02}000000\",\
         \"A\":\"{}.54600000\"}}}}",
        numbers.below(100),
        numbers.below(10),
        numbers.below(100),
        numbers.below(10)
    )
}
