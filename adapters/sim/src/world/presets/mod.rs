//! Worlds by name, each for another question that an agent may be asked.
//!
//! All of them use the two venues that the loopback servers know, so each can be served as well as run in process.

mod currencies;
mod parts;
mod seasons;
mod venues;
mod walks;
mod wide;

use super::{config::WorldConfig, universe};

/// Every preset with what it is for, in the order of help texts.
pub const PRESETS: &[(&str, &str)] = &[
    (
        "default",
        "8 instruments of four asset classes on two venues, the perpetual of bitcoin leading",
    ),
    (
        "wide",
        "32 instruments of five asset classes: 19 lags of 50 to 500 ms, 8 pairs of spot and perpetual",
    ),
    (
        "seasons",
        "the default instruments in four seasons of 150 s: leaders, premiums, crowds, trends",
    ),
    (
        "walks",
        "16 independent instruments: no factor, no lag, no premium, so nothing to find",
    ),
    (
        "venues",
        "BTC and ETH on two venues with other ticks, fees, depths and flows: a choice of where",
    ),
    (
        "currencies",
        "BTC and ETH paid in USDT and in EUR, and EUR itself: the EUR books follow late, profit is in two currencies",
    ),
];

impl WorldConfig {
    /// The world with this name, or none.
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "default" => Some(universe::default_world()),
            "wide" => Some(wide::world()),
            "seasons" => Some(seasons::world()),
            "walks" => Some(walks::world()),
            "venues" => Some(venues::world()),
            "currencies" => Some(currencies::world()),
            _ => None,
        }
    }
}
