//! Building blocks of the presets: an asset with the increments of whatever trades it.

use acth_core::instrument::{AssetClass, Contract, Instrument};

use crate::world::{
    config::{AssetConfig, InstrumentConfig, LagConfig},
    universe::{TAKER_FEE_PPM, VENUE_SPOT, VENUE_USDM},
};

pub(super) const MILLISECOND_NS: i64 = 1_000_000;
/// Value of a typical order in the quote currency.
const ORDER_VALUE: f64 = 8_000.0;

/// An asset and the increments of its instruments.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) class: AssetClass,
    pub(super) price: f64,
    pub(super) volatility: f64,
    /// Decimal places of prices, the tick in the last of them, decimal places of quantities.
    pub(super) increments: (u8, i64, u8),
}

impl Row {
    /// The asset with these correlations with the factors.
    pub(super) fn asset(&self, loadings: &[f64]) -> AssetConfig {
        AssetConfig {
            name: self.name.to_owned(),
            price: self.price,
            annual_volatility: self.volatility,
            loadings: loadings.to_vec(),
        }
    }

    /// Spot on the one venue, or the perpetual on the other.
    pub(super) fn listed(&self, venue: &str, basis: Basis, activity: f64) -> InstrumentConfig {
        let is_spot = venue == VENUE_SPOT;
        let (price_exponent, tick, quantity_exponent) = self.increments;
        let scale = 10i64.pow(u32::from(quantity_exponent)) as f64;
        InstrumentConfig {
            instrument: Instrument {
                venue: venue.to_owned(),
                symbol: symbol(self.name),
                base: self.name.to_owned(),
                quote: "USDT".to_owned(),
                asset_class: self.class,
                contract: if is_spot {
                    Contract::Spot
                } else {
                    Contract::Perpetual
                },
                price_exponent,
                quantity_exponent,
                tick,
                lot: 1,
                quantity_min: 1,
                maker_fee_ppm: 0,
                taker_fee_ppm: TAKER_FEE_PPM,
            },
            asset: self.name.to_owned(),
            basis_deviation: basis.deviation,
            basis_half_life_s: basis.half_life_s,
            order_quantity: (ORDER_VALUE / self.price * scale) as i64,
            activity,
            diff_interval_ns: if is_spot { 100 } else { 50 } * MILLISECOND_NS,
        }
    }
}

/// An instrument's own premium over its asset.
#[derive(Clone, Copy)]
pub(super) struct Basis {
    deviation: f64,
    half_life_s: f64,
}

impl Basis {
    /// No premium.
    pub(super) const NONE: Self = Self::new(0.0, 60.0);

    pub(super) const fn new(deviation: f64, half_life_s: f64) -> Self {
        Self {
            deviation,
            half_life_s,
        }
    }
}

pub(super) fn symbol(base: &str) -> String {
    format!("{base}USDT")
}

/// `usdm BTC` or `spot BTC` as a full name.
fn full_name(short: &str) -> String {
    let (market, base) = short.split_once(' ').unwrap_or(("", short));
    let venue = if market == "spot" {
        VENUE_SPOT
    } else {
        VENUE_USDM
    };
    format!("{venue}:{}", symbol(base))
}

/// A lag between two instruments in short form (`usdm BTC`).
pub(super) fn lag(leader: &str, follower: &str, lag_ms: i64) -> LagConfig {
    LagConfig {
        leader: full_name(leader),
        follower: full_name(follower),
        lag_ns: lag_ms * MILLISECOND_NS,
    }
}
