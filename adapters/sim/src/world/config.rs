//! What a simulated world consists of, and the default universe.
//!
//! Everything is data: assets with their factor loadings, the instruments that trade them, who follows whom, and
//! how busy the traders are. A config that cannot be simulated is refused by name before the world starts.

use acth_core::instrument::{Instrument, InstrumentError};
use serde::{Deserialize, Serialize};

use super::{season::SeasonConfig, universe};

/// Most price levels of one side of a simulated book.
pub const LEVELS_MAX: usize = 1_024;
/// Most resting orders of one simulated book.
pub const ORDERS_MAX: usize = 4_096;
/// Most makers of one instrument.
pub const MAKERS_MAX: usize = 16;
/// Longest delay between the first and the last instrument to follow news.
pub const DELAY_NS_MAX: i64 = 10_000_000_000;

/// A whole world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorldConfig {
    /// When the world begins, ns since the Unix epoch.
    pub ts_start_ns: i64,
    /// Grid of the fair values; lags are multiples of it.
    pub step_ns: i64,
    /// Time between two fundings of the perpetuals, seconds; they are at whole multiples of it since 1970. The rates are
    /// announced every second (`MarkFunding`); 0 = there is none, and nothing is announced.
    pub funding_interval_s: u32,
    /// Names of the common factors.
    pub factors: Vec<String>,
    /// What moves.
    pub assets: Vec<AssetConfig>,
    /// What is traded.
    pub instruments: Vec<InstrumentConfig>,
    /// Who follows whom; each follower has one leader.
    pub lags: Vec<LagConfig>,
    /// Calm and busy times.
    pub regime: RegimeConfig,
    /// News.
    pub jumps: JumpConfig,
    /// The traders of every instrument.
    pub flow: FlowConfig,
    /// What holds for a while, one after the other and again from the first; none = always the same.
    pub seasons: Vec<SeasonConfig>,
}

impl Default for WorldConfig {
    fn default() -> Self {
        universe::default_world()
    }
}

/// Something with a fair value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetConfig {
    /// Name that instruments refer to.
    pub name: String,
    /// Fair value at the start.
    pub price: f64,
    /// Volatility of a year in calm times, as a share of the price.
    pub annual_volatility: f64,
    /// Correlation with each factor, in the factors' order; squares add up to at most 1.
    pub loadings: Vec<f64>,
}

/// Something that is traded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstrumentConfig {
    /// Identity, increments and fees.
    pub instrument: Instrument,
    /// The asset whose fair value it follows.
    pub asset: String,
    /// Standard deviation of its own premium over the asset, as a share of the price; 0 = none.
    pub basis_deviation: f64,
    /// Half-life of the premium, seconds.
    pub basis_half_life_s: f64,
    /// Typical order, quantity mantissa.
    pub order_quantity: i64,
    /// Factor on all rates of the traders.
    pub activity: f64,
    /// Time between two depth diffs.
    pub diff_interval_ns: i64,
}

/// One instrument follows another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LagConfig {
    /// `venue:symbol` of the leader.
    pub leader: String,
    /// `venue:symbol` of the follower.
    pub follower: String,
    /// How much later the follower moves.
    pub lag_ns: i64,
}

/// Volatility switches between calm and busy, at random times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegimeConfig {
    /// Volatility of busy times as a multiple of calm times.
    pub busy_ratio: f64,
    /// Mean length of calm times, seconds.
    pub calm_mean_s: f64,
    /// Mean length of busy times, seconds.
    pub busy_mean_s: f64,
}

impl Default for RegimeConfig {
    fn default() -> Self {
        Self {
            busy_ratio: 2.5,
            calm_mean_s: 60.0,
            busy_mean_s: 15.0,
        }
    }
}

/// News moves one factor at once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JumpConfig {
    /// Jumps of each factor per second.
    pub rate_per_s: f64,
    /// Standard deviation of a jump, in standard deviations of one second.
    pub deviation: f64,
}

impl Default for JumpConfig {
    fn default() -> Self {
        Self {
            rate_per_s: 0.1,
            deviation: 2.0,
        }
    }
}

/// Rates of one instrument with activity 1, per second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlowConfig {
    /// Market makers.
    pub makers: usize,
    /// Orders of one maker on one side.
    pub maker_levels: usize,
    /// Looks of one maker at its quotes.
    pub maker_refresh_per_s: f64,
    /// How old the slowest maker's view of the fair value is; the others are spread evenly below.
    pub maker_delay_ns_max: i64,
    /// Half spread that makers aim at, ticks.
    pub half_spread_ticks: f64,
    /// Takers who know nothing.
    pub noise_takers_per_s: f64,
    /// Takers who know the fair value, looking for a quote that is wrong.
    pub informed_takers_per_s: f64,
    /// Patient orders that wait in the book and are cancelled later.
    pub patient_orders_per_s: f64,
}

impl Default for FlowConfig {
    fn default() -> Self {
        Self {
            makers: 5,
            maker_levels: 20,
            maker_refresh_per_s: 50.0,
            maker_delay_ns_max: 20_000_000,
            half_spread_ticks: 1.0,
            noise_takers_per_s: 5.0,
            informed_takers_per_s: 40.0,
            patient_orders_per_s: 15.0,
        }
    }
}

/// Why a world cannot be simulated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WorldError {
    /// The instruments themselves are wrong.
    #[error(transparent)]
    Instrument(#[from] InstrumentError),
    /// A number is outside its bounds.
    #[error("{place}: {field} is {value}, expected {expected}")]
    Value {
        /// Asset, instrument or section.
        place: String,
        /// Which field.
        field: &'static str,
        /// What it holds.
        value: f64,
        /// What would do.
        expected: &'static str,
    },
    /// A name that nothing has.
    #[error("{place}: no {kind} is named {name}")]
    Name {
        /// Who refers to it.
        place: String,
        /// Asset or instrument.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// An instrument follows two leaders or, over others, itself.
    #[error("lags: {0} follows two leaders or itself")]
    Lag(String),
}

impl WorldConfig {
    /// Refuses numbers that cannot be simulated; names are resolved when the world is built.
    pub(super) fn check(&self) -> Result<(), WorldError> {
        within(
            "world",
            "step_ns",
            self.step_ns as f64,
            1e5,
            1e9,
            "1e5..=1e9",
        )?;
        self.check_flow()?;
        let regime = &self.regime;
        within(
            "regime",
            "busy_ratio",
            regime.busy_ratio,
            0.01,
            100.0,
            "0.01..=100",
        )?;
        within(
            "regime",
            "calm_mean_s",
            regime.calm_mean_s,
            0.001,
            1e9,
            "0.001..=1e9",
        )?;
        within(
            "regime",
            "busy_mean_s",
            regime.busy_mean_s,
            0.001,
            1e9,
            "0.001..=1e9",
        )?;
        within(
            "jumps",
            "rate_per_s",
            self.jumps.rate_per_s,
            0.0,
            100.0,
            "0..=100",
        )?;
        within(
            "jumps",
            "deviation",
            self.jumps.deviation,
            0.0,
            100.0,
            "0..=100",
        )?;
        for asset in &self.assets {
            let place = &asset.name;
            within(place, "price", asset.price, 1e-9, 1e9, "1e-9..=1e9")?;
            let volatility = asset.annual_volatility;
            within(place, "annual_volatility", volatility, 0.0, 10.0, "0..=10")?;
            let count = asset.loadings.len() as f64;
            let factors = self.factors.len() as f64;
            within(
                place,
                "loadings",
                count,
                factors,
                factors,
                "one for each factor",
            )?;
            let share: f64 = asset.loadings.iter().map(|loading| loading * loading).sum();
            within(place, "sum of squared loadings", share, 0.0, 1.0, "0..=1")?;
        }
        for row in &self.instruments {
            row.check()?;
        }
        for season in &self.seasons {
            season.check(self.step_ns)?;
        }
        Ok(())
    }

    fn check_flow(&self) -> Result<(), WorldError> {
        let flow = &self.flow;
        let rate = |field, value| within("flow", field, value, 0.001, 10_000.0, "0.001..=10000");
        rate("maker_refresh_per_s", flow.maker_refresh_per_s)?;
        rate("noise_takers_per_s", flow.noise_takers_per_s)?;
        rate("informed_takers_per_s", flow.informed_takers_per_s)?;
        rate("patient_orders_per_s", flow.patient_orders_per_s)?;
        within(
            "flow",
            "makers",
            flow.makers as f64,
            1.0,
            MAKERS_MAX as f64,
            "1..=16",
        )?;
        within(
            "flow",
            "maker_levels",
            flow.maker_levels as f64,
            1.0,
            50.0,
            "1..=50",
        )?;
        let delay = flow.maker_delay_ns_max as f64;
        within("flow", "maker_delay_ns_max", delay, 0.0, 1e9, "0..=1e9")?;
        let half = flow.half_spread_ticks;
        within(
            "flow",
            "half_spread_ticks",
            half,
            0.1,
            1_000.0,
            "0.1..=1000",
        )
    }
}

impl InstrumentConfig {
    fn check(&self) -> Result<(), WorldError> {
        let place = &self.instrument.name();
        within(
            place,
            "basis_deviation",
            self.basis_deviation,
            0.0,
            0.1,
            "0..=0.1",
        )?;
        let half_life = self.basis_half_life_s;
        within(place, "basis_half_life_s", half_life, 0.1, 1e9, "0.1..=1e9")?;
        within(
            place,
            "activity",
            self.activity,
            0.001,
            1_000.0,
            "0.001..=1000",
        )?;
        let interval = self.diff_interval_ns as f64;
        within(place, "diff_interval_ns", interval, 1e6, 1e10, "1e6..=1e10")?;
        let quantity = self.order_quantity as f64;
        let smallest = self.instrument.quantity_min as f64;
        within(
            place,
            "order_quantity",
            quantity,
            smallest,
            1e15,
            "quantity_min..=1e15",
        )
    }
}

/// Refuses a value outside its bounds.
pub(super) fn within(
    place: &str,
    field: &'static str,
    value: f64,
    low: f64,
    high: f64,
    expected: &'static str,
) -> Result<(), WorldError> {
    if value >= low && value <= high {
        return Ok(());
    }
    Err(WorldError::Value {
        place: place.to_owned(),
        field,
        value,
        expected,
    })
}
