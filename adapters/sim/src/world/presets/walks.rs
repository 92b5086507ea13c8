//! `walks`: sixteen instruments that have nothing to do with each other, for agents that must find nothing.
//!
//! The fair values are independent walks of constant volatility. Books still follow them with their makers' delay of up
//! to 20 ms, as in every world.

use acth_core::instrument::AssetClass::{Commodity, Crypto, Equity, Fx};

use super::parts::{Basis, Row};
use crate::world::{
    config::{JumpConfig, RegimeConfig, WorldConfig},
    universe::{VENUE_SPOT, VENUE_USDM},
};

const ACTIVITY: f64 = 0.5;

pub(super) fn world() -> WorldConfig {
    let venues = [VENUE_SPOT, VENUE_USDM].into_iter().cycle();
    WorldConfig {
        factors: Vec::new(),
        assets: ROWS.iter().map(|row| row.asset(&[])).collect(),
        instruments: ROWS
            .iter()
            .zip(venues)
            .map(|(row, venue)| row.listed(venue, Basis::NONE, ACTIVITY))
            .collect(),
        lags: Vec::new(),
        // Busy times are common to all assets, so there are none.
        regime: RegimeConfig {
            busy_ratio: 1.0,
            ..RegimeConfig::default()
        },
        jumps: JumpConfig {
            rate_per_s: 0.0,
            ..JumpConfig::default()
        },
        ..WorldConfig::default()
    }
}

#[rustfmt::skip]
const ROWS: [Row; 16] = {
    const fn row(
        name: &'static str, class: acth_core::instrument::AssetClass, price: f64, volatility: f64,
        increments: (u8, i64, u8),
    ) -> Row {
        Row { name, class, price, volatility, increments }
    }
    [
        row("BTC",  Crypto,    61_800.0, 0.55, (2, 10, 5)),
        row("ETH",  Crypto,    2_650.0,  0.70, (2, 1, 4)),
        row("SOL",  Crypto,    148.0,    0.80, (3, 1, 3)),
        row("BNB",  Crypto,    560.0,    0.60, (3, 5, 3)),
        row("XRP",  Crypto,    0.52,     0.90, (5, 1, 1)),
        row("ADA",  Crypto,    0.38,     0.95, (5, 1, 1)),
        row("LINK", Crypto,    13.4,     0.85, (4, 1, 2)),
        row("AVAX", Crypto,    26.5,     0.90, (4, 5, 2)),
        row("EUR",  Fx,        1.085,    0.08, (6, 5, 1)),
        row("GBP",  Fx,        1.27,     0.085, (6, 5, 1)),
        row("SPX",  Equity,    5_430.0,  0.18, (2, 2, 3)),
        row("NDX",  Equity,    18_900.0, 0.24, (2, 10, 3)),
        row("DAX",  Equity,    18_300.0, 0.20, (2, 10, 3)),
        row("XAU",  Commodity, 2_410.0,  0.16, (2, 1, 4)),
        row("XAG",  Commodity, 29.5,     0.30, (4, 2, 2)),
        row("WTI",  Commodity, 78.0,     0.35, (3, 1, 2)),
    ]
};
