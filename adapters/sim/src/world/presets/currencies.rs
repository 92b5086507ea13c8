//! `currencies`: BTC and ETH paid in USDT and in EUR, and the euro itself, so that profit arises in two currencies.
//!
//! A price in euros is the price in USDT over that of the euro, exactly: the moves of every asset are made of three factors
//! alone (`crypto`, `ether`, `euro`), and those of a price in euros are the difference of its two parts. What the books show
//! differs from that by their spreads and by the lag of the EUR books, which is there to be found. The perpetual of bitcoin
//! has a premium of its own, and pays or receives funding where that is switched on.
//!
//! Invariant: the own noise of every asset is nothing next to its move, or the triangles would come apart.

use acth_core::instrument::AssetClass::{Crypto, Fx};

use super::parts::{Basis, MILLISECOND_NS, Row};
use crate::world::{
    config::{AssetConfig, InstrumentConfig, LagConfig, WorldConfig},
    universe::{VENUE_SPOT, VENUE_USDM},
};

/// Correlation of ETH with the factor that is all of BTC.
const ETH_CRYPTO: f64 = 0.85;
/// How much later the EUR books move than those in USDT.
const BTC_LAG_NS: i64 = 250 * MILLISECOND_NS;
const ETH_LAG_NS: i64 = 350 * MILLISECOND_NS;
/// Fewer trade in euros.
const EUR_ACTIVITY: f64 = 0.7;

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
const EUR: Row = Row {
    name: "EUR",
    class: Fx,
    price: 1.085,
    volatility: 0.08,
    increments: (6, 5, 1),
};

pub(super) fn world() -> WorldConfig {
    let btc = [1.0, 0.0, 0.0];
    let eth = [
        ETH_CRYPTO,
        shrunk(libm::sqrt(1.0 - ETH_CRYPTO * ETH_CRYPTO)),
        0.0,
    ];
    let premium = Basis::new(5e-5, 20.0);
    let mut perpetual = BTC.listed(VENUE_USDM, premium, 1.0);
    perpetual.instrument.quantity_exponent = 3;
    perpetual.order_quantity /= 100;
    WorldConfig {
        factors: ["crypto", "ether", "euro"].map(str::to_owned).to_vec(),
        assets: vec![
            BTC.asset(&btc),
            ETH.asset(&eth),
            EUR.asset(&[0.0, 0.0, 1.0]),
            asset_in_euros(&BTC, btc),
            asset_in_euros(&ETH, eth),
        ],
        instruments: vec![
            BTC.listed(VENUE_SPOT, Basis::NONE, 1.0),
            ETH.listed(VENUE_SPOT, Basis::NONE, 1.0),
            EUR.listed(VENUE_SPOT, Basis::NONE, 1.0),
            listed_in_euros(&BTC),
            listed_in_euros(&ETH),
            perpetual,
        ],
        lags: vec![lag(&BTC, BTC_LAG_NS), lag(&ETH, ETH_LAG_NS)],
        ..WorldConfig::default()
    }
}

/// A hair below a loading, so that squares which add up to 1 do not exceed it by rounding.
fn shrunk(loading: f64) -> f64 {
    loading * (1.0 - 4.0 * f64::EPSILON)
}

/// Name of what costs an asset in euros.
fn symbol(row: &Row) -> String {
    format!("{}EUR", row.name)
}

/// The asset over the euro: its log moves are the difference of the two.
fn asset_in_euros(row: &Row, loadings: [f64; 3]) -> AssetConfig {
    let [crypto, ether, euro] = loadings.map(|loading| loading * row.volatility);
    let euro = euro - EUR.volatility;
    let volatility = libm::sqrt(crypto * crypto + ether * ether + euro * euro);
    AssetConfig {
        name: symbol(row),
        price: row.price / EUR.price,
        annual_volatility: volatility,
        loadings: [crypto, ether, euro]
            .map(|part| shrunk(part / volatility))
            .to_vec(),
    }
}

/// Spot, paid in euros.
fn listed_in_euros(row: &Row) -> InstrumentConfig {
    let mut listed = row.listed(VENUE_SPOT, Basis::NONE, EUR_ACTIVITY);
    listed.instrument.symbol = symbol(row);
    "EUR".clone_into(&mut listed.instrument.quote);
    listed.asset = symbol(row);
    listed
}

fn lag(row: &Row, lag_ns: i64) -> LagConfig {
    LagConfig {
        leader: format!("{VENUE_SPOT}:{}USDT", row.name),
        follower: format!("{VENUE_SPOT}:{}", symbol(row)),
        lag_ns,
    }
}
