//! Streaming statistics with exponentially fading memory: mean and variance, covariance of many series, and who
//! leads whom.
//!
//! They are floats, so they are beliefs and never money. Every sum has one fixed order, no operation is fused, and the
//! one transcendental comes from `libm`: the same inputs give the same bits on every machine.
//!
//! One recursion serves all. A new observation takes the share `share` of the weight, the past keeps the rest:
//!
//! ```text
//!   change   = value - mean
//!   mean     = mean + share * change
//!   variance = (1 - share) * (variance + share * change * change)
//! ```
//!
//! With a constant share this is `ewm(adjust=False)` of pandas, `var(bias=True)` included. The variance is that of the
//! population; it can not become negative, and where it is zero every ratio (correlation, z-score) is 0, not NaN.
//!
//! Invariant: a value beyond `VALUE_MAX`, or none at all (NaN), is refused and counted; nothing that is ever stored or
//! returned is infinite or NaN. No allocation after construction.

mod covariance;
mod ewma;
mod lead_lag;

pub use covariance::{EwmaCovariance, EwmaPair, SERIES_MAX};
pub use ewma::{Ewma, SampleEwma};
pub use lead_lag::{LAG_MAX, LeadLag, LeadLagBest};

/// Largest size of a value. Its square and what is made of it stay far from overflow.
pub const VALUE_MAX: f64 = 1e100;

/// Why a statistic cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum StatsError {
    /// The half-life is zero, negative or not a number.
    #[error("statistics: the half-life must be positive and finite, not {0}")]
    HalfLife(f64),
    /// Too few or too many series.
    #[error("statistics: {0} series, expected 1 to 128")]
    SeriesCount(usize),
    /// Too many lags.
    #[error("statistics: a lag of {0} samples, more than the bound of 64")]
    Lag(usize),
}

const _: () = assert!(SERIES_MAX == 128 && LAG_MAX == 64, "as the error texts say");

/// The constant share of an observation that makes weights halve every `half_life_samples` observations.
///
/// # Errors
/// When the half-life is not positive and finite.
pub fn share_of_half_life(half_life_samples: f64) -> Result<f64, StatsError> {
    if half_life_samples.is_finite() && half_life_samples > 0.0 {
        Ok(1.0 - libm::exp2(-1.0 / half_life_samples))
    } else {
        Err(StatsError::HalfLife(half_life_samples))
    }
}

/// Whether a value may enter a statistic; false for NaN.
#[inline]
fn is_usable(value: f64) -> bool {
    libm::fabs(value) <= VALUE_MAX
}

/// Covariance over both deviations; 0 when either is zero. Rounding may not lead beyond -1 and 1.
fn correlation_of(covariance: f64, variance_first: f64, variance_second: f64) -> f64 {
    // The product of the roots, not the root of the product: tiny variances must not underflow.
    let scale = libm::sqrt(variance_first) * libm::sqrt(variance_second);
    if scale > 0.0 {
        (covariance / scale).clamp(-1.0, 1.0)
    } else {
        0.0
    }
}
