//! Seasons: stretches of time that cycle, in each of which something else can be found in a world.
//!
//! A season scales what the world was planted with: lags, premiums, traders, volatility; and it gives the assets' own
//! moves a sequel (momentum) or an echo (reversal). Everything that a price is made of goes on where it was when the
//! season turns: lags glide, premiums keep their value and change their noise, so no price jumps by the turn itself.

use serde::{Deserialize, Serialize};

use super::config::{WorldConfig, WorldError, within};

/// Grid steps in which a lag may change by one step while it glides to that of a new season.
pub(super) const GLIDE_STEPS: i64 = 4;
/// Time constant of momentum and reversal, seconds.
pub(super) const MOMENTUM_S: f64 = 1.0;
const NS_PER_S: i64 = 1_000_000_000;

/// What holds for a while. All factors are 1 and momentum is 0 by default: the world as it was planted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeasonConfig {
    /// Name for reports.
    pub name: String,
    /// How long it lasts.
    pub seconds: u32,
    /// Factor on every lag, rounded to the grid; 0 = followers move with their leaders.
    pub lag_factor: f64,
    /// Factor on the deviation of every premium; reached with the premium's own half-life.
    pub basis_factor: f64,
    /// How much of an asset's own move follows once more (above 0) or is taken back (below 0), within about a second:
    /// a move of 1 grows to `1 + momentum * (1 - exp(-t / 1 s))`. Moves of successive windows of one second then have
    /// the correlation `0.3996 c / (1 + 0.7358 c)` with `c = momentum * (1 + momentum / 2)`.
    pub momentum: f64,
    /// Factor on the rate of takers who know nothing.
    pub noise_factor: f64,
    /// Factor on the rate of takers who know the fair value.
    pub informed_factor: f64,
    /// Factor on the volatility of all assets, jumps included.
    pub volatility_factor: f64,
}

impl Default for SeasonConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            seconds: 120,
            lag_factor: 1.0,
            basis_factor: 1.0,
            momentum: 0.0,
            noise_factor: 1.0,
            informed_factor: 1.0,
            volatility_factor: 1.0,
        }
    }
}

impl SeasonConfig {
    /// Refuses what cannot be simulated on a grid of `step_ns`.
    pub(super) fn check(&self, step_ns: i64) -> Result<(), WorldError> {
        let place = &format!("seasons: {}", self.name);
        within(
            place,
            "seconds",
            f64::from(self.seconds),
            1.0,
            1e9,
            "1..=1e9",
        )?;
        let rest_ns = (self.length_ns() % step_ns) as f64;
        within(
            place,
            "remainder of seconds by step_ns",
            rest_ns,
            0.0,
            0.0,
            "0",
        )?;
        within(place, "lag_factor", self.lag_factor, 0.0, 10.0, "0..=10")?;
        within(
            place,
            "basis_factor",
            self.basis_factor,
            0.0,
            100.0,
            "0..=100",
        )?;
        within(place, "momentum", self.momentum, -0.95, 4.0, "-0.95..=4")?;
        let factors = [
            ("noise_factor", self.noise_factor),
            ("informed_factor", self.informed_factor),
            ("volatility_factor", self.volatility_factor),
        ];
        for (field, factor) in factors {
            within(place, field, factor, 0.01, 100.0, "0.01..=100")?;
        }
        Ok(())
    }

    /// A delay of the planted world as it is in this season, both in grid steps.
    pub(super) fn delay_steps(&self, planted_steps: i64) -> i64 {
        libm::round(planted_steps as f64 * self.lag_factor) as i64
    }

    fn length_ns(&self) -> i64 {
        i64::from(self.seconds) * NS_PER_S
    }
}

/// Which season holds when. A world without seasons has one that changes nothing and never ends.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    /// Never empty.
    seasons: Vec<SeasonConfig>,
    /// False where the only season is the one that stands for none.
    has_seasons: bool,
    ts_start_ns: i64,
    /// Length of all seasons together.
    cycle_ns: i64,
}

impl Calendar {
    pub(super) fn new(config: &WorldConfig) -> Self {
        let has_seasons = !config.seasons.is_empty();
        let seasons = if has_seasons {
            config.seasons.clone()
        } else {
            vec![SeasonConfig::default()]
        };
        Self {
            has_seasons,
            ts_start_ns: config.ts_start_ns,
            cycle_ns: seasons.iter().map(SeasonConfig::length_ns).sum(),
            seasons,
        }
    }

    /// The season from `ts_ns` on: its index and itself.
    pub(super) fn at(&self, ts_ns: i64) -> (usize, &SeasonConfig) {
        let mut rest_ns = (ts_ns - self.ts_start_ns).rem_euclid(self.cycle_ns);
        for (index, season) in self.seasons.iter().enumerate() {
            if rest_ns < season.length_ns() {
                return (index, season);
            }
            rest_ns -= season.length_ns();
        }
        (0, &self.seasons[0])
    }

    /// The seasons as configured; none where there are none.
    pub(super) fn configured(&self) -> &[SeasonConfig] {
        if self.has_seasons { &self.seasons } else { &[] }
    }

    /// Every set of factors that ever holds.
    pub(super) fn seasons(&self) -> &[SeasonConfig] {
        &self.seasons
    }
}
