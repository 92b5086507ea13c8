//! `venues`: two assets, each on two venues that differ in tick, fee, depth and flow, so that an order has a choice.
//!
//! Both venues follow one fair value without a lag. The premium is small and gone in seconds: now the one and now the
//! other is the better place.

use acth_core::instrument::AssetClass::Crypto;

use super::parts::{Basis, MILLISECOND_NS, Row};
use crate::world::{
    config::{InstrumentConfig, WorldConfig},
    universe::{VENUE_SPOT, VENUE_USDM},
};

pub(super) fn world() -> WorldConfig {
    WorldConfig {
        factors: vec!["crypto".to_owned()],
        assets: vec![BTC.asset(&[0.9]), ETH.asset(&[0.85])],
        instruments: [BTC, ETH].iter().flat_map(both).collect(),
        lags: Vec::new(),
        ..WorldConfig::default()
    }
}

const BTC: Row = Row {
    name: "BTC",
    class: Crypto,
    price: 61_800.0,
    volatility: 0.55,
    increments: (2, 10, 5),
};
const ETH: Row = Row {
    name: "ETH",
    class: Crypto,
    price: 2_650.0,
    volatility: 0.70,
    increments: (2, 1, 4),
};

fn both(row: &Row) -> [InstrumentConfig; 2] {
    // Cheap to take from and thin: fine ticks, small orders.
    let mut thin = row.listed(VENUE_SPOT, Basis::NONE, 0.7);
    thin.instrument.taker_fee_ppm = 3;
    thin.order_quantity /= 2;
    // Dear to take from and deep: coarse ticks, large orders, a rebate for makers.
    let mut deep = row.listed(VENUE_USDM, Basis::new(2e-5, 3.0), 1.3);
    deep.instrument.tick *= 5;
    deep.instrument.taker_fee_ppm = 6;
    deep.instrument.maker_fee_ppm = -1;
    deep.order_quantity *= 2;
    deep.diff_interval_ns = 50 * MILLISECOND_NS;
    [thin, deep]
}
