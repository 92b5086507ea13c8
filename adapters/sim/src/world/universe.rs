//! The default universe: four asset classes on two markets, the perpetual of bitcoin leading.

use acth_core::instrument::{AssetClass, Contract, Instrument};

use super::config::{
    AssetConfig, FlowConfig, InstrumentConfig, JumpConfig, LagConfig, RegimeConfig, WorldConfig,
};

/// Name of the simulated spot market.
pub const VENUE_SPOT: &str = "binance-spot";
/// Name of the simulated market of perpetual swaps.
pub const VENUE_USDM: &str = "binance-usdm";

/// 2026-01-05 00:00:00 UTC, a Monday.
const TS_START_NS: i64 = 1_767_571_200_000_000_000;
/// As at the venues that the markets are modelled on.
const FUNDING_INTERVAL_S: u32 = 8 * 3_600;
const MILLISECOND_NS: i64 = 1_000_000;
/// Fees far below those of real venues: a world to study signals in, not to be discouraged by.
pub(super) const TAKER_FEE_PPM: i64 = 5;

pub(super) fn default_world() -> WorldConfig {
    WorldConfig {
        ts_start_ns: TS_START_NS,
        step_ns: 10 * MILLISECOND_NS,
        funding_interval_s: FUNDING_INTERVAL_S,
        factors: ["market", "crypto", "macro"].map(str::to_owned).to_vec(),
        assets: default_assets(),
        instruments: default_instruments(),
        lags: default_lags(),
        regime: RegimeConfig::default(),
        jumps: JumpConfig::default(),
        flow: FlowConfig::default(),
        seasons: Vec::new(),
    }
}

fn default_assets() -> Vec<AssetConfig> {
    let asset = |name: &str, price, annual_volatility, loadings: [f64; 3]| AssetConfig {
        name: name.to_owned(),
        price,
        annual_volatility,
        loadings: loadings.to_vec(),
    };
    vec![
        asset("BTC", 61_800.0, 0.55, [0.45, 0.80, 0.00]),
        asset("ETH", 2_650.0, 0.70, [0.40, 0.80, 0.00]),
        asset("EUR", 1.085, 0.08, [0.15, 0.00, 0.80]),
        asset("XAU", 2_410.0, 0.16, [-0.10, 0.00, 0.75]),
        asset("SPX", 5_430.0, 0.18, [0.90, 0.00, 0.15]),
        asset("NDX", 18_900.0, 0.24, [0.85, 0.15, 0.10]),
    ]
}

/// What differs between the default instruments, in the order of the columns below.
struct Row {
    venue: &'static str,
    base: &'static str,
    class: AssetClass,
    price_exponent: u8,
    quantity_exponent: u8,
    tick: i64,
    basis: f64,
    quantity: i64,
    activity: f64,
}

#[rustfmt::skip]
const ROWS: [Row; 8] = {
    use AssetClass::{Commodity, Crypto, Equity, Fx};
    const fn row(
        venue: &'static str, base: &'static str, class: AssetClass, exponents: (u8, u8, i64),
        basis: f64, quantity: i64, activity: f64,
    ) -> Row {
        let (price_exponent, quantity_exponent, tick) = exponents;
        Row { venue, base, class, price_exponent, quantity_exponent, tick, basis, quantity, activity }
    }
    [
        row(VENUE_SPOT, "BTC", Crypto,    (2, 5, 1), 0.0,  12_000,  1.0),
        row(VENUE_SPOT, "ETH", Crypto,    (2, 4, 1), 0.0,  25_000,  1.0),
        row(VENUE_SPOT, "EUR", Fx,        (5, 1, 1), 0.0,  40_000,  0.8),
        row(VENUE_SPOT, "XAU", Commodity, (2, 4, 1), 0.0,  20_000,  0.8),
        row(VENUE_SPOT, "SPX", Equity,    (2, 3, 1), 0.0,  5_000,   1.0),
        row(VENUE_USDM, "BTC", Crypto,    (2, 3, 10), 1e-4, 250,     1.2),
        row(VENUE_USDM, "ETH", Crypto,    (2, 3, 1), 1e-4, 4_000,   1.2),
        row(VENUE_USDM, "NDX", Equity,    (2, 3, 10), 5e-5, 1_000,   1.0),
    ]
};

fn default_instruments() -> Vec<InstrumentConfig> {
    let instrument = |row: &Row| {
        let is_spot = row.venue == VENUE_SPOT;
        InstrumentConfig {
            instrument: Instrument {
                venue: row.venue.to_owned(),
                symbol: format!("{}USDT", row.base),
                base: row.base.to_owned(),
                quote: "USDT".to_owned(),
                asset_class: row.class,
                contract: if is_spot {
                    Contract::Spot
                } else {
                    Contract::Perpetual
                },
                price_exponent: row.price_exponent,
                quantity_exponent: row.quantity_exponent,
                tick: row.tick,
                lot: 1,
                quantity_min: 1,
                maker_fee_ppm: 0,
                taker_fee_ppm: TAKER_FEE_PPM,
            },
            asset: row.base.to_owned(),
            basis_deviation: row.basis,
            basis_half_life_s: 60.0,
            order_quantity: row.quantity,
            activity: row.activity,
            diff_interval_ns: if is_spot { 100 } else { 50 } * MILLISECOND_NS,
        }
    };
    ROWS.iter().map(instrument).collect()
}

fn default_lags() -> Vec<LagConfig> {
    let lag = |leader: &str, follower: &str, lag_ms: i64| LagConfig {
        leader: leader.to_owned(),
        follower: follower.to_owned(),
        lag_ns: lag_ms * MILLISECOND_NS,
    };
    vec![
        lag("binance-usdm:BTCUSDT", "binance-spot:BTCUSDT", 150),
        lag("binance-usdm:BTCUSDT", "binance-usdm:ETHUSDT", 300),
        lag("binance-usdm:ETHUSDT", "binance-spot:ETHUSDT", 100),
        lag("binance-spot:SPXUSDT", "binance-usdm:NDXUSDT", 200),
    ]
}
