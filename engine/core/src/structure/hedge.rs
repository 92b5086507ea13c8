//! A hedge ratio that may wander: a Kalman filter over slope and intercept.
//!
//! ```text
//!   y = intercept + slope * x + noise,  slope and intercept random walks
//! ```
//!
//! With `x` always zero it is the local level model, whose gain for equal variances settles at the golden ratio's
//! 0.618. See Harvey, 1989, Forecasting, structural time series models and the Kalman filter, chapter 3.

use super::persist::{is_usable, load_float, load_floats, load_weight};
use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Largest deviation of a prediction, in standard deviations, that is reported.
pub const Z_MAX: f64 = 100.0;

/// State of the filter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KalmanHedge {
    /// Slope and intercept.
    state: [f64; 2],
    /// Variances of both and their covariance: slope, covariance, intercept.
    doubt: [f64; 3],
    /// Variances that an update adds to both.
    drift: [f64; 2],
    noise: f64,
    /// Gain of the last update.
    gain: [f64; 2],
    /// What the last update found beyond its prediction, and the variance expected of it.
    spread: f64,
    spread_variance: f64,
}

impl KalmanHedge {
    /// A filter that believes in this slope and intercept with these variances (`doubt`), which adds the variances
    /// `drift` an update; `noise` is the variance of an observation. None unless all are finite and none of the variances
    /// is negative.
    pub fn new(state: [f64; 2], doubt: [f64; 2], drift: [f64; 2], noise: f64) -> Option<Self> {
        let variances = [doubt[0], doubt[1], drift[0], drift[1], noise];
        let is_met = state.iter().all(|value| is_usable(*value))
            && variances.iter().all(|v| is_usable(*v) && *v >= 0.0);
        is_met.then_some(Self {
            state,
            doubt: [doubt[0], 0.0, doubt[1]],
            drift,
            noise,
            gain: [0.0; 2],
            spread: 0.0,
            spread_variance: 0.0,
        })
    }

    /// Takes an observation. False, and nothing changed, when it is unusable or the prediction has no variance.
    pub fn update(&mut self, y: f64, x: f64) -> bool {
        let doubt = [
            self.doubt[0] + self.drift[0],
            self.doubt[1],
            self.doubt[2] + self.drift[1],
        ];
        let slope_part = doubt[0] * x + doubt[1];
        let intercept_part = doubt[1] * x + doubt[2];
        let variance = slope_part * x + intercept_part + self.noise;
        let spread = y - self.state[1] - self.state[0] * x;
        if !is_usable(spread) || !is_usable(variance) || variance <= f64::MIN_POSITIVE {
            return false;
        }
        let gain = [slope_part / variance, intercept_part / variance];
        let state = [
            self.state[0] + gain[0] * spread,
            self.state[1] + gain[1] * spread,
        ];
        if !state.iter().all(|value| is_usable(*value)) {
            return false;
        }
        self.state = state;
        self.doubt = [
            (doubt[0] - gain[0] * slope_part).max(0.0),
            doubt[1] - gain[0] * intercept_part,
            (doubt[2] - gain[1] * intercept_part).max(0.0),
        ];
        self.gain = gain;
        self.spread = spread;
        self.spread_variance = variance;
        true
    }

    /// The slope.
    pub const fn slope(&self) -> f64 {
        self.state[0]
    }

    /// The intercept.
    pub const fn intercept(&self) -> f64 {
        self.state[1]
    }

    /// Gain of the last update: how much of a surprise went into slope and intercept.
    pub const fn gain(&self) -> [f64; 2] {
        self.gain
    }

    /// What the last observation was above its prediction.
    pub const fn spread(&self) -> f64 {
        self.spread
    }

    /// The standard deviation that was expected of the last spread.
    pub fn deviation(&self) -> f64 {
        libm::sqrt(self.spread_variance)
    }

    /// The spread in standard deviations of the prediction; 0 before the first.
    pub fn z(&self) -> f64 {
        if self.spread_variance > 0.0 {
            (self.spread / libm::sqrt(self.spread_variance)).clamp(-Z_MAX, Z_MAX)
        } else {
            0.0
        }
    }

    /// Writes the exact state.
    pub fn write(&self, out: &mut impl Sink) {
        let parts = [&self.state[..], &self.doubt, &self.drift, &self.gain];
        parts
            .into_iter()
            .flatten()
            .for_each(|value| out.f64(*value));
        out.f64(self.noise);
        out.f64(self.spread);
        out.f64(self.spread_variance);
    }

    /// Reads what `write` wrote.
    ///
    /// # Errors
    /// The bytes end, or a value cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        load_floats(from, &mut self.state)?;
        load_floats(from, &mut self.doubt)?;
        load_floats(from, &mut self.drift)?;
        load_floats(from, &mut self.gain)?;
        self.noise = load_weight(from)?;
        self.spread = load_float(from)?;
        self.spread_variance = load_weight(from)?;
        Ok(())
    }
}
