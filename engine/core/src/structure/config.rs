//! Parameters of the structure, and which of them cannot be meant.

use serde::{Deserialize, Serialize};

use crate::stats::{SERIES_MAX, StatsError};

/// Most lags to each side.
pub const LAG_COUNT_MAX: usize = 32;
/// Most states of the market's regime.
pub const STATES_MAX: usize = 4;
/// Most rows of prices that a scan for cointegration looks at.
pub const SCAN_ROWS_MAX: usize = 4_096;
/// Least rows of it: fewer say nothing.
pub const SCAN_ROWS_MIN: usize = 64;
/// Most lagged differences in a unit root test.
pub const ADF_LAGS_MAX: usize = 4;

/// Why a structure cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum StructureError {
    /// One of its statistics cannot be made.
    #[error(transparent)]
    Stats(#[from] StatsError),
    /// A parameter makes no sense.
    #[error("structure: {name} is {value}, expected {expected}")]
    Parameter {
        /// Its name in the configuration.
        name: &'static str,
        /// What it is.
        value: f64,
        /// What was expected.
        expected: &'static str,
    },
}

/// Parameters of `Structure`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StructureConfig {
    /// Half-life of the contemporaneous covariance.
    pub covariance_half_life_ms: i64,
    /// Half-life of the correlations at each lag.
    pub lead_lag_half_life_ms: i64,
    /// Half-life of the volatility that returns are measured in.
    pub volatility_half_life_ms: i64,
    /// Distance of two lags, and of two rows of returns.
    pub lag_step_ms: i64,
    /// Lags to each side.
    pub lag_count: usize,
    /// Lags to each side of the strongest that belong to its peak.
    pub peak_lags: usize,
    /// Chance that independent series get any edge at all, over all pairs and lags.
    pub significance: f64,
    /// An edge vanishes below this share of the strength at which it appears.
    pub vanish_ratio: f64,
    /// Least correlation of an edge, whatever its significance.
    pub correlation_min: f64,
    /// An instrument silent for so long starts anew: what it moved meanwhile is no return.
    pub stale_ms: i64,
    /// Nominal distance of two timers.
    pub timer_ms: i64,
    /// Largest slice of the eigenvalue problem, in rotations.
    pub slice_rotations: usize,
    /// Largest slice of the scan for cointegration, in pairs.
    pub slice_pairs: usize,
    /// Distance of two rows of prices of that scan.
    pub scan_step_ms: i64,
    /// Rows of prices that it looks at.
    pub scan_rows: usize,
    /// Lagged differences in its unit root test.
    pub adf_lags: usize,
    /// Largest p-value of a cointegrated pair.
    pub pair_significance: f64,
    /// How fast a hedge ratio may wander: variance a row, in variances of the spread.
    pub hedge_drift: f64,
    /// Distance of two observations of the market's regime.
    pub regime_step_ms: i64,
    /// Half-life of the mean and deviation that these observations are measured against.
    pub regime_half_life_ms: i64,
    /// States of the regime, from calm to hectic.
    pub regime_states: usize,
    /// Chance that the regime stays what it is from one observation to the next.
    pub regime_stay: f64,
    /// Observations expected between two changes of the market.
    pub change_run: f64,
    /// Chance of a run shorter than `CHANGE_RUN_SHORT` at which a change is announced.
    pub change_probability: f64,
}

impl Default for StructureConfig {
    fn default() -> Self {
        Self {
            covariance_half_life_ms: 120_000,
            lead_lag_half_life_ms: 120_000,
            volatility_half_life_ms: 30_000,
            lag_step_ms: 50,
            lag_count: 16,
            peak_lags: 3,
            significance: 0.01,
            vanish_ratio: 0.7,
            correlation_min: 0.1,
            stale_ms: 10_000,
            timer_ms: 100,
            slice_rotations: 128,
            slice_pairs: 2,
            scan_step_ms: 1_000,
            scan_rows: 512,
            adf_lags: 1,
            pair_significance: 0.001,
            hedge_drift: 1e-5,
            regime_step_ms: 1_000,
            regime_half_life_ms: 600_000,
            regime_states: 2,
            regime_stay: 0.98,
            change_run: 250.0,
            change_probability: 0.9,
        }
    }
}

impl StructureConfig {
    /// Refuses parameters that make no sense.
    ///
    /// # Errors
    /// Names the first one.
    pub fn check(&self, count: usize) -> Result<(), StructureError> {
        if count == 0 || count > SERIES_MAX {
            return Err(StatsError::SeriesCount(count).into());
        }
        for (name, value) in self.times() {
            let is_time = value > 0 && value <= TIME_MS_MAX;
            refuse_unless(is_time, name, value as f64, "1 to 10^9 ms")?;
        }
        for (name, value, least, most, expected) in self.counts() {
            let is_met = value >= least && value <= most;
            refuse_unless(is_met, name, value as f64, expected)?;
        }
        for (name, value) in self.chances() {
            let is_met = value > 0.0 && value < 1.0;
            refuse_unless(is_met, name, value, "a share between 0 and 1")?;
        }
        let drift = self.hedge_drift;
        refuse_unless((0.0..=1.0).contains(&drift), "hedge_drift", drift, "0 to 1")?;
        // Or the mood of the market would never be known.
        refuse_unless(
            self.regime_half_life_ms / self.regime_step_ms >= HALF_LIFE_STEPS_MIN,
            "regime_half_life_ms",
            self.regime_half_life_ms as f64,
            "at least 60 regime steps",
        )?;
        let run = self.change_run;
        let is_met = (2.0..=1e9).contains(&run);
        refuse_unless(is_met, "change_run", run, "2 to 10^9")
    }

    const fn times(&self) -> [(&'static str, i64); 9] {
        [
            ("covariance_half_life_ms", self.covariance_half_life_ms),
            ("lead_lag_half_life_ms", self.lead_lag_half_life_ms),
            ("volatility_half_life_ms", self.volatility_half_life_ms),
            ("lag_step_ms", self.lag_step_ms),
            ("stale_ms", self.stale_ms),
            ("timer_ms", self.timer_ms),
            ("scan_step_ms", self.scan_step_ms),
            ("regime_step_ms", self.regime_step_ms),
            ("regime_half_life_ms", self.regime_half_life_ms),
        ]
    }

    #[rustfmt::skip]
    const fn counts(&self) -> [(&'static str, usize, usize, usize, &'static str); 7] {
        [
            ("lag_count", self.lag_count, 1, LAG_COUNT_MAX, "1 to 32"),
            ("peak_lags", self.peak_lags, 0, LAG_COUNT_MAX, "0 to 32"),
            ("slice_rotations", self.slice_rotations, 1, 1 << 20, "1 to 2^20"),
            ("slice_pairs", self.slice_pairs, 1, 1 << 20, "1 to 2^20"),
            ("scan_rows", self.scan_rows, SCAN_ROWS_MIN, SCAN_ROWS_MAX, "64 to 4096"),
            ("adf_lags", self.adf_lags, 0, ADF_LAGS_MAX, "0 to 4"),
            ("regime_states", self.regime_states, 2, STATES_MAX, "2 to 4"),
        ]
    }

    const fn chances(&self) -> [(&'static str, f64); 6] {
        [
            ("significance", self.significance),
            ("vanish_ratio", self.vanish_ratio),
            ("correlation_min", self.correlation_min),
            ("pair_significance", self.pair_significance),
            ("regime_stay", self.regime_stay),
            ("change_probability", self.change_probability),
        ]
    }
}

/// Regime steps in the least half-life of what they are measured against.
const HALF_LIFE_STEPS_MIN: i64 = 60;
/// Longest time of the configuration, eleven days: in nanoseconds it is far from overflow.
const TIME_MS_MAX: i64 = 1_000_000_000;
const _: () = assert!(LAG_COUNT_MAX == 32 && STATES_MAX == 4 && ADF_LAGS_MAX == 4);
const _: () = assert!(SCAN_ROWS_MIN == 64 && SCAN_ROWS_MAX == 4_096);

const fn refuse_unless(
    is_met: bool,
    name: &'static str,
    value: f64,
    expected: &'static str,
) -> Result<(), StructureError> {
    if is_met {
        return Ok(());
    }
    Err(StructureError::Parameter {
        name,
        value,
        expected,
    })
}
