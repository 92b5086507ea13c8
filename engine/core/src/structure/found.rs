//! What the structure tells: leads, edges, pairs, the regime.

use super::config::STATES_MAX;

/// Who leads an instrument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lead {
    /// Index of the instrument ahead.
    pub leader: usize,
    /// How far ahead, ns; positive.
    pub lag_ns: i64,
    /// Correlation of the leader's returns with the follower's a lag later, -1 to 1.
    pub correlation: f64,
    /// How much the follower's log price moves in the end when the leader's moves by 1.
    pub beta: f64,
}

/// Two instruments that move together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// Index of one instrument; below `second`.
    pub first: usize,
    /// Index of the other.
    pub second: usize,
    /// Correlation of their returns at this lag, -1 to 1.
    pub correlation: f64,
    /// How far the first is ahead of the second, ns; negative when it is behind.
    pub lag_ns: i64,
}

/// An edge that came or went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EdgeChange {
    /// The edge; as it last was when it went.
    pub edge: Edge,
    /// Whether it came.
    pub appeared: bool,
}

/// Two instruments whose prices stay together: `log first = intercept + slope * log second + spread`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Index of the instrument on the left.
    pub first: usize,
    /// Index of the instrument on the right.
    pub second: usize,
    /// Hedge ratio as of the last row.
    pub slope: f64,
    /// Intercept as of the last row, in log prices.
    pub intercept: f64,
    /// The spread of the last row in deviations of its prediction.
    pub z: f64,
    /// Standard deviation of the spread, in log prices.
    pub deviation: f64,
    /// Engle-Granger statistic: the further below zero, the surer.
    pub statistic: f64,
    /// Its p-value after MacKinnon.
    pub p_value: f64,
}

/// The state of the market as a whole, from calm (0) to hectic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regime {
    /// The most likely state.
    pub state: u8,
    /// Chance of each state; 0 for those that do not exist.
    pub probabilities: [f64; STATES_MAX],
}
