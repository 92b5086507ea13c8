//! `wide`: 24 assets of five classes, eight of them on both venues, and leaders in every class.

use acth_core::instrument::AssetClass::{Commodity, Crypto, Equity, Fx, Rates};

use super::parts::{Basis, Row, lag};
use crate::world::{
    config::{InstrumentConfig, LagConfig, WorldConfig},
    universe::{VENUE_SPOT, VENUE_USDM},
};

/// Busier than this, 32 instruments would drown a small machine in messages.
const ACTIVITY: f64 = 0.4;

pub(super) fn world() -> WorldConfig {
    let factors = ["market", "crypto", "dollar", "commodity", "rates"];
    WorldConfig {
        factors: factors.map(str::to_owned).to_vec(),
        assets: ROWS
            .iter()
            .map(|(row, loadings)| row.asset(loadings))
            .collect(),
        instruments: instruments(),
        lags: lags(),
        ..WorldConfig::default()
    }
}

/// The assets, with their correlations with the factors in the order of `world`.
#[rustfmt::skip]
const ROWS: [(Row, [f64; 5]); 24] = {
    const fn row(
        name: &'static str, class: acth_core::instrument::AssetClass, price: f64, volatility: f64,
        increments: (u8, i64, u8),
    ) -> Row {
        Row { name, class, price, volatility, increments }
    }
    [
        (row("BTC",  Crypto,    61_800.0, 0.55, (2, 10, 5)),  [0.40, 0.80, 0.00, 0.00, 0.00]),
        (row("ETH",  Crypto,    2_650.0,  0.70, (2, 1, 4)),   [0.38, 0.82, 0.00, 0.00, 0.00]),
        (row("SOL",  Crypto,    148.0,    0.80, (3, 1, 3)),   [0.35, 0.78, 0.00, 0.00, 0.00]),
        (row("BNB",  Crypto,    560.0,    0.60, (3, 5, 3)),   [0.30, 0.75, 0.00, 0.00, 0.00]),
        (row("XRP",  Crypto,    0.52,     0.90, (5, 1, 1)),   [0.25, 0.70, 0.00, 0.00, 0.00]),
        (row("ADA",  Crypto,    0.38,     0.95, (5, 1, 1)),   [0.28, 0.74, 0.00, 0.00, 0.00]),
        (row("LINK", Crypto,    13.4,     0.85, (4, 1, 2)),   [0.28, 0.72, 0.00, 0.00, 0.00]),
        (row("AVAX", Crypto,    26.5,     0.90, (4, 5, 2)),   [0.32, 0.76, 0.00, 0.00, 0.00]),
        (row("EUR",  Fx,        1.085,    0.08, (6, 5, 1)),   [0.10, 0.00, -0.80, 0.00, 0.10]),
        (row("GBP",  Fx,        1.27,     0.085, (6, 5, 1)),  [0.15, 0.00, -0.75, 0.00, 0.05]),
        (row("JPY",  Fx,        0.00667,  0.09, (8, 2, 0)),   [-0.20, 0.00, -0.55, 0.00, 0.35]),
        (row("AUD",  Fx,        0.665,    0.10, (6, 5, 1)),   [0.30, 0.00, -0.65, 0.25, 0.00]),
        (row("CHF",  Fx,        1.11,     0.08, (6, 5, 1)),   [-0.05, 0.00, -0.75, 0.00, 0.15]),
        (row("SPX",  Equity,    5_430.0,  0.18, (2, 2, 3)),   [0.92, 0.00, 0.00, 0.00, 0.10]),
        (row("NDX",  Equity,    18_900.0, 0.24, (2, 10, 3)),  [0.86, 0.15, 0.00, 0.00, 0.15]),
        (row("DJI",  Equity,    39_000.0, 0.16, (2, 10, 4)),  [0.88, 0.00, 0.00, 0.05, -0.05]),
        (row("DAX",  Equity,    18_300.0, 0.20, (2, 10, 3)),  [0.75, 0.00, -0.10, 0.00, 0.00]),
        (row("NKY",  Equity,    39_500.0, 0.24, (2, 50, 4)),  [0.65, 0.00, 0.25, 0.00, 0.00]),
        (row("XAU",  Commodity, 2_410.0,  0.16, (2, 1, 4)),   [-0.05, 0.00, -0.45, 0.55, 0.35]),
        (row("XAG",  Commodity, 29.5,     0.30, (4, 2, 2)),   [0.10, 0.00, -0.40, 0.65, 0.20]),
        (row("WTI",  Commodity, 78.0,     0.35, (3, 1, 2)),   [0.25, 0.00, -0.10, 0.60, -0.10]),
        (row("NGAS", Commodity, 2.6,      0.60, (5, 2, 2)),   [0.05, 0.00, 0.00, 0.50, 0.00]),
        (row("ZN",   Rates,     110.5,    0.05, (4, 5, 2)),   [-0.20, 0.00, 0.00, 0.00, 0.90]),
        (row("BUND", Rates,     132.0,    0.055, (4, 5, 2)),  [-0.15, 0.00, 0.00, 0.00, 0.80]),
    ]
};

/// Assets that are traded on both venues, with the deviation of the perpetual's premium.
const PAIRS: [(&str, f64); 8] = [
    ("BTC", 1e-4),
    ("ETH", 1e-4),
    ("SOL", 2e-4),
    ("BNB", 1.5e-4),
    ("XRP", 2e-4),
    ("EUR", 3e-5),
    ("SPX", 5e-5),
    ("XAU", 5e-5),
];
/// Half-life of the premiums, seconds.
const HALF_LIFE_S: f64 = 20.0;
/// Assets that are traded as a perpetual only; the rest is traded spot only.
const ONLY_PERPETUAL: [&str; 8] = ["ADA", "LINK", "AVAX", "CHF", "NDX", "DJI", "WTI", "ZN"];

fn instruments() -> Vec<InstrumentConfig> {
    let premium = |name: &str| {
        let pair = PAIRS.iter().find(|(paired, _)| *paired == name);
        pair.map(|(_, deviation)| Basis::new(*deviation, HALF_LIFE_S))
    };
    let rows = || ROWS.iter().map(|(row, _)| row);
    let is_spot = |row: &&Row| !ONLY_PERPETUAL.contains(&row.name);
    let is_perpetual = |row: &&Row| premium(row.name).is_some() || !is_spot(row);
    let spot = rows()
        .filter(is_spot)
        .map(|row| row.listed(VENUE_SPOT, Basis::NONE, ACTIVITY));
    let perpetual = rows().filter(is_perpetual).map(|row| {
        let basis = premium(row.name).unwrap_or(Basis::NONE);
        row.listed(VENUE_USDM, basis, ACTIVITY)
    });
    spot.chain(perpetual).collect()
}

fn lags() -> Vec<LagConfig> {
    vec![
        lag("usdm BTC", "spot BTC", 100),
        lag("usdm BTC", "usdm ETH", 150),
        lag("usdm ETH", "spot ETH", 80),
        lag("usdm BTC", "usdm SOL", 250),
        lag("usdm SOL", "spot SOL", 100),
        lag("usdm BTC", "usdm XRP", 350),
        lag("usdm XRP", "spot XRP", 120),
        lag("usdm ETH", "usdm LINK", 300),
        lag("usdm BTC", "usdm AVAX", 400),
        lag("usdm SPX", "spot SPX", 60),
        lag("usdm SPX", "usdm NDX", 120),
        lag("usdm SPX", "usdm DJI", 180),
        lag("usdm SPX", "spot DAX", 300),
        lag("usdm SPX", "spot NKY", 500),
        lag("usdm XAU", "spot XAU", 90),
        lag("usdm XAU", "spot XAG", 200),
        lag("usdm EUR", "spot EUR", 50),
        lag("usdm EUR", "spot GBP", 140),
        lag("usdm ZN", "spot BUND", 160),
    ]
}
