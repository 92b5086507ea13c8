//! `seasons`: the default instruments, with more of their own in every asset, and ticks worth a maker's while.
//!
//! | Season | What can be taken | By whom |
//! |---|---|---|
//! | leaders | followers repeat their leaders' moves 100 to 550 ms later | takers who watch leaders |
//! | premiums | wide premiums of the perpetuals that are gone in seconds | traders of spreads |
//! | crowds | six times the noise takers, few informed ones, little volatility | market makers |
//! | trends | an asset's own moves go on for about a second | momentum across assets |

use crate::world::{config::WorldConfig, season::SeasonConfig, universe};

/// Length of each season.
const SECONDS: u32 = 150;
/// Half-life of the premiums, seconds: short against a season.
const HALF_LIFE_S: f64 = 8.0;
/// Ticks in the last decimal place, in the order of the default instruments: 4 to 9 parts per million of the price.
const TICKS: [i64; 8] = [30, 1, 1, 1, 3, 30, 1, 10];

pub(super) fn world() -> WorldConfig {
    let mut config = universe::default_world();
    let loadings = [
        [0.35, 0.60, 0.00],
        [0.30, 0.60, 0.00],
        [0.10, 0.00, 0.50],
        [-0.10, 0.00, 0.50],
        [0.70, 0.00, 0.10],
        [0.65, 0.10, 0.05],
    ];
    for (asset, loadings) in config.assets.iter_mut().zip(loadings) {
        asset.loadings = loadings.to_vec();
    }
    for (row, tick) in config.instruments.iter_mut().zip(TICKS) {
        row.instrument.tick = tick;
        row.basis_half_life_s = HALF_LIFE_S;
    }
    config.seasons = seasons();
    config
}

fn seasons() -> Vec<SeasonConfig> {
    let season = |name: &str| SeasonConfig {
        name: name.to_owned(),
        seconds: SECONDS,
        lag_factor: 0.0,
        basis_factor: 0.1,
        ..SeasonConfig::default()
    };
    vec![
        SeasonConfig {
            lag_factor: 1.0,
            ..season("leaders")
        },
        SeasonConfig {
            basis_factor: 4.0,
            ..season("premiums")
        },
        SeasonConfig {
            noise_factor: 6.0,
            informed_factor: 0.05,
            volatility_factor: 0.3,
            ..season("crowds")
        },
        SeasonConfig {
            momentum: 2.0,
            ..season("trends")
        },
    ]
}
